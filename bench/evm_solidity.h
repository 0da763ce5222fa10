/* Our own Solidity programs for bench_evm. */
#ifndef HN_BENCH_EVM_SOLIDITY_H
#define HN_BENCH_EVM_SOLIDITY_H

#include "bench/evm_peer.h"
#include "tests/unit/engine/evm/world.h"

extern const unsigned evm_solidity_count;

/* "solidity/..." */
const char *evm_solidity_name(unsigned index);

/* Deploys what program `index` needs in an empty world of the fork Berlin and, with peer != NULL, in the
 * peer's; *out is the call that is measured. */
void evm_solidity_put(evm_world *world, evm_peer *peer, hn_message *out, unsigned index);

#endif
