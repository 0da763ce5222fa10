/* Reading the parameters of a call: from JSON to values, with the complaints that clients of geth know. */
#ifndef HN_PIPELINE_RPC_PARAMS_H
#define HN_PIPELINE_RPC_PARAMS_H

#include "pipeline/rpc/method.h"

/* Why a value is refused; good until this thread's next complaint. NULL: it is good. */
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

/* The complaint about a value as one about a member of an object: `field` is what geth calls it, with the
 * object's type in front ("TransactionArgs.from"). */
hn_rpc_complaint hn_rpc_in_field(hn_rpc_complaint complaint, const char *field);

/* That this is no value of what geth calls `type`. */
hn_rpc_complaint hn_rpc_wrong_kind(const cJSON *json, const char *type);

/* Reads all parameters of a method into call->params; false: the call was failed. `params` is NULL, or what
 * stands at "params". */
bool hn_rpc_read_params(hn_rpc_call *call, const hn_rpc_method *method, const cJSON *params);

/* Member of an object, the last one of this name; NULL when absent or null. */
const cJSON *hn_rpc_member(const cJSON *object, const char *name);
/* The same, and a null is one too. */
const cJSON *hn_rpc_any_member(const cJSON *object, const char *name);

#endif
