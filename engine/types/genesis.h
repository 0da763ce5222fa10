/* Genesis: the first header, the fork schedule and the accounts that exist before any transaction.
 *
 * Reads geth's and Besu's genesis.json (with Besu's zeroBaseFee, contractSizeLimit). Unknown keys at top
 * level or in "config" are kept silently, as both programs do.
 */
#ifndef HN_ENGINE_TYPES_GENESIS_H
#define HN_ENGINE_TYPES_GENESIS_H

#include "engine/types/fork.h"
#include "engine/types/header.h"

typedef struct hn_genesis_slot {
    hn_hash key;
    hn_hash value;
} hn_genesis_slot;

typedef struct hn_genesis_account {
    hn_address address;
    hn_u256 balance;
    uint64_t nonce;
    hn_bytes code;
    const hn_genesis_slot *storage;
    uint32_t storage_count;
} hn_genesis_account;

typedef struct hn_genesis {
    hn_chain_config config;
    hn_header header; /* state_root is not known here: the engine computes it; everything else is set */
    const hn_genesis_account *accounts; /* sorted by address, each once */
    uint32_t account_count;
} hn_genesis;

/* A message that says what is wrong and where, for people. */
typedef struct hn_genesis_problem {
    char text[256];
} hn_genesis_problem;

/* `json` is the file's text; everything in *out lives in `arena`. On an error *problem (may be NULL) says
 * why. */
HN_MUST_USE hn_err hn_genesis_read(hn_genesis *out, hn_genesis_problem *problem, hn_arena *arena,
                                   hn_bytes json);

/* The development ledger: chain id 31337, every fork through Osaka, the system contracts of EIP-2935, 4788,
 * 7002 and 7251 deployed, and the ten accounts of the mnemonic "test test test test test test test test test
 * test test junk" with 10,000 ether each. */
HN_MUST_USE hn_err hn_genesis_development(hn_genesis *out, hn_arena *arena);

#endif
