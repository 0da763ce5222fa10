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
    hn_u256 fee_cap;   /* what estimates bound the gas by; 0: the price */
    hn_u256 value;
    hn_bytes input;
    const hn_access_entry *access_list;
    uint32_t access_list_count;
    const hn_hash *blob_hashes;
    uint32_t blob_hash_count;
    const hn_authorization *authorizations;
    uint32_t authorization_count;
} hn_call;

/* The call as the transaction that it is run as, with a gas limit: it takes the sender's next nonce and has
 * no signature. For hn_transaction_apply with context->is_simulation. */
void hn_call_as_transaction(hn_block_context *context, hn_signed_transaction *out, const hn_call *call,
                            uint64_t gas);

/* Runs a call at the end of the block that context->block describes, on context->state, which the caller has
 * reset onto a view. Nonce, the sender's code, chain id and gas caps are not asked. result->reject tells why
 * it could not start (FUNDS, INTRINSIC_GAS, FEE_CAP_BELOW_BASE_FEE, ...). HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_call_run(hn_block_context *context, hn_transaction_result *result, const hn_call *call);

/* A gas limit with which the call succeeds: the smallest one, but for at most 1.5 % that are not worth
 * further runs (the same steps as geth's, and so the same answers). Searched up to call->gas (below 21,000:
 * up to the block's limit), EIP-7825's cap, and what the sender can pay for. When it fails even there, *gas
 * is that limit (0: the sender has not even the value) and *result tells why. The state is afterwards what it
 * was. HN_ERR_TIMEOUT: a run was interrupted. */
HN_MUST_USE hn_err hn_call_estimate_gas(hn_block_context *context, uint64_t *gas,
                                        hn_transaction_result *result, const hn_call *call);

#endif
