/* Simulation over a view: eth_call and eth_estimateGas. Changes nothing; any core with a machine of its own.
 */
#ifndef HN_ENGINE_CHAIN_CALL_H
#define HN_ENGINE_CHAIN_CALL_H

#include "engine/chain/transition.h"

typedef struct hn_call {
    hn_address from;
    bool is_create;
    hn_address to;
    uint64_t gas;
    hn_u256 gas_price; /* 0: fees are not charged and the base fee opcode still answers the block's */
    hn_u256 value;
    hn_bytes input;
    const hn_access_entry *access_list;
    uint32_t access_list_count;
    const hn_hash *blob_hashes;
    uint32_t blob_hash_count;
    const hn_authorization *authorizations;
    uint32_t authorization_count;
} hn_call;

/* Runs a call at the end of the block that context->block describes, on context->state, which the caller has
 * reset onto a view. result->reject is FUNDS or INTRINSIC_GAS when it could not start. */
HN_MUST_USE hn_err hn_call_run(hn_block_context *context, hn_transaction_result *result, const hn_call *call);

/* The smallest gas limit with which the call succeeds, by bisection between its use and call->gas (or the
 * block's limit). result tells why it fails at the upper bound; then *gas is 0. */
HN_MUST_USE hn_err hn_call_estimate_gas(hn_block_context *context, uint64_t *gas,
                                        hn_transaction_result *result, const hn_call *call);

#endif
