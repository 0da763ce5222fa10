/* Genesis: the first header, the fork schedule and the accounts that exist before any transaction.
 *
 * Reads geth's and Besu's genesis.json (with Besu's zeroBaseFee, contractSizeLimit). Case of keys does not
 * matter and unknown keys are passed over, as both programs have it; but a fork of the future, which would
 * change the rules unnoticed, is an error.
 */
#ifndef HN_ENGINE_TYPES_GENESIS_H
#define HN_ENGINE_TYPES_GENESIS_H

#include "engine/codec/json.h"
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
    uint32_t storage_count; /* sorted by key, each once; no zero values */
} hn_genesis_account;

typedef struct hn_genesis {
    hn_chain_config config;
    hn_header header; /* state_root is not known here: the engine computes it; everything else is set */
    const hn_genesis_account *accounts; /* sorted by address, each once */
    uint32_t account_count;
} hn_genesis;

/* A message that says what is wrong and where, for people. */
typedef hn_json_problem hn_genesis_problem;

enum { HN_GENESIS_SIZE_MAX = 1024 * 1024 * 1024 }; /* bytes of a genesis file */

/* `json` is the file's text; everything in *out lives in `arena`. On an error *problem (may be NULL) says
 * why. HN_ERR_INVALID, HN_ERR_RANGE, HN_ERR_NOT_FOUND (a required key is missing), HN_ERR_EXISTS (an account
 * or slot twice), HN_ERR_UNSUPPORTED (a fork unknown here), HN_ERR_LIMIT, HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_genesis_read(hn_genesis *out, hn_genesis_problem *problem, hn_arena *arena,
                                   hn_bytes json);

/* The same text without its accounts ("alloc" is empty), in `arena`: for who knows what they come to, and
 * does not want to read them. `json` is one that hn_genesis_read takes; of another text the outline is one
 * that it does not take either, or the text itself. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_genesis_outline(hn_bytes *out, hn_arena *arena, hn_bytes json);

/* The development ledger: chain id 31337, every fork through Osaka, the system contracts of EIP-2935, 4788,
 * 7002 and 7251 deployed, and the ten accounts of the mnemonic "test test test test test test test test test
 * test test junk" with 10,000 ether each. */
HN_MUST_USE hn_err hn_genesis_development(hn_genesis *out, hn_arena *arena);

#endif
