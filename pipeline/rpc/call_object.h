/* The transaction object of eth_call and eth_estimateGas, and their overrides of state and block. */
#ifndef HN_PIPELINE_RPC_CALL_OBJECT_H
#define HN_PIPELINE_RPC_CALL_OBJECT_H

#include "pipeline/rpc/params.h"

/* Fills query->call and the fee caps; everything decoded lives in `arena`. */
hn_rpc_complaint hn_rpc_read_call(hn_query *query, hn_arena *arena, const cJSON *json);

/* Fails the call with a complaint of one of the readers here about its parameter `index`. What can be read
 * but makes no sense has another code than what cannot be read. */
void hn_rpc_refuse_argument(hn_rpc_call *call, unsigned index, hn_rpc_complaint complaint);

/* {address: {balance, nonce, code, state or stateDiff, movePrecompileToAddress}}. */
hn_rpc_complaint hn_rpc_read_overrides(hn_query *query, hn_arena *arena, const cJSON *json);

/* {number, time, gasLimit, feeRecipient, prevRandao, difficulty, baseFeePerGas, blobBaseFee}, and geth's
 * older names of them. `json` may be NULL: nothing is overridden. */
hn_rpc_complaint hn_rpc_read_block_override(hn_block_override *out, const cJSON *json);

/* The same into query->block_override, for a single call: what matters only where a whole block is made
 * (beaconRoot, withdrawals) is refused, as geth does. */
hn_rpc_complaint hn_rpc_read_call_block(hn_query *query, hn_arena *arena, const cJSON *json);

#endif
