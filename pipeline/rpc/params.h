/* Reading the parameters of a call: from JSON to values, with the complaints that clients of geth know. */
#ifndef HN_PIPELINE_RPC_PARAMS_H
#define HN_PIPELINE_RPC_PARAMS_H

#include "pipeline/rpc/method.h"

/* Why a value is refused; a static text. NULL: it is good. */
typedef const char *hn_rpc_complaint;

/* One value of each kind. `arena` holds decoded data. */
hn_rpc_complaint hn_rpc_read_address(hn_address *out, const cJSON *json);
hn_rpc_complaint hn_rpc_read_hash(hn_hash *out, const cJSON *json);
hn_rpc_complaint hn_rpc_read_u64(uint64_t *out, const cJSON *json);
hn_rpc_complaint hn_rpc_read_u256(hn_u256 *out, const cJSON *json);
hn_rpc_complaint hn_rpc_read_data(hn_bytes *out, hn_arena *arena, const cJSON *json);
/* A storage key: up to 32 bytes, any number of digits, with or without the prefix. */
hn_rpc_complaint hn_rpc_read_slot(hn_u256 *out, const cJSON *json);
hn_rpc_complaint hn_rpc_read_block(hn_block_selector *out, const cJSON *json);

/* Reads all parameters of a method into call->params; false: the call was failed. `params` is NULL, or what
 * stands at "params". */
bool hn_rpc_read_params(hn_rpc_call *call, const hn_rpc_method *method, const cJSON *params);

/* Member of an object; NULL when absent or null. */
const cJSON *hn_rpc_member(const cJSON *object, const char *name);

#endif
