/* The names of networks in BlockchainTests: a fork, or a transition such as "BerlinToLondonAt5",
 * "ShanghaiToCancunAtTime15k", "ArrowGlacierToParisAtDiffC0000". */
#ifndef HN_PIPELINE_CLI_EVM_NETWORK_H
#define HN_PIPELINE_CLI_EVM_NETWORK_H

#include "engine/base/u256.h"
#include "engine/types/fork.h"

typedef struct hn_network {
    hn_chain_config config;
    bool merges_by_difficulty;         /* Paris begins with the first block whose parent's ... */
    hn_u256 terminal_total_difficulty; /* ... total difficulty is at least this */
} hn_network;

/* False when the name is not known. */
bool hn_network_from_name(hn_network *out, const char *name);

#endif
