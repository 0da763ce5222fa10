/* Calls that a block makes by itself, in the name of the system address.
 *
 * Source: EIP-4788 (beacon roots), EIP-2935 (block hashes), EIP-7002 (withdrawal requests), EIP-7251
 * (consolidation requests).
 */
#ifndef HN_ENGINE_CHAIN_SYSTEM_CALLS_H
#define HN_ENGINE_CHAIN_SYSTEM_CALLS_H

#include "engine/chain/transition.h"

extern const hn_address hn_beacon_root_contract; /* EIP-4788's */
extern const hn_address hn_history_contract;     /* EIP-2935's */
extern const hn_address hn_withdrawal_request_contract;
extern const hn_address hn_consolidation_request_contract;

/* How many block hashes EIP-2935's contract keeps: block n's is in slot n modulo this. */
#define HN_HISTORY_SLOTS UINT64_C(8191)

/* What stands at EIP-2935's address. */
typedef enum hn_history_kind {
    HN_HISTORY_ABSENT,  /* nothing, or the fork is not active: no hash is kept */
    HN_HISTORY_COMMON,  /* the published code: storing a hash is setting one slot */
    HN_HISTORY_FOREIGN, /* other code, which must be run with the hash */
} hn_history_kind;

hn_history_kind hn_history_kind_of(hn_block_context *context);

/* Stores the hash of block `number`, the parent of the one that context->block describes. */
HN_MUST_USE hn_err hn_history_store(hn_block_context *context, uint64_t number, const hn_hash *hash);

/* EIP-4788; nothing before Cancun, or when nothing is deployed. */
HN_MUST_USE hn_err hn_beacon_root_store(hn_block_context *context, const hn_hash *parent_beacon_block_root);

/* Calls a system contract without input. *output (in the arena) is what it returned; empty when it is missing
 * or failed and context->tolerates_missing_system_contracts, otherwise HN_ERR_INVALID. */
HN_MUST_USE hn_err hn_system_contract_take(hn_block_context *context, hn_bytes *output,
                                           const hn_address *contract);

#endif
