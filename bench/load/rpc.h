/* A JSON-RPC client over HTTP (libcurl), for setup and checks: one connection, one caller, calls in batches.
 */
#ifndef HN_BENCH_LOAD_RPC_H
#define HN_BENCH_LOAD_RPC_H

#include "engine/base/u256.h"
#include "engine/codec/json.h"

typedef struct hn_load_rpc hn_load_rpc;

/* HN_ERR_NO_MEMORY. Nothing is sent yet. */
HN_MUST_USE hn_err hn_load_rpc_open(hn_load_rpc **out, const char *url);
void hn_load_rpc_close(hn_load_rpc *rpc);

/* Posts a JSON text; the answer's text is valid until the next call. HN_ERR_IO: no connection or no HTTP
 * success, see hn_load_rpc_problem. */
HN_MUST_USE hn_err hn_load_rpc_post(hn_bytes *out, hn_load_rpc *rpc, const char *body, size_t size);

/* Calls `method` once for each of `count` parameter lists ("[...]" texts, made by `parameters` into a buffer
 * of HN_LOAD_RPC_PARAMETERS_MAX); `result` gets each result in order. An error of the node ends it:
 * HN_ERR_INVALID. */
enum { HN_LOAD_RPC_PARAMETERS_MAX = 512 };
typedef struct hn_load_rpc_calls {
    const char *method;
    uint64_t count;
    void *context;
    void (*parameters)(void *context, char out[HN_LOAD_RPC_PARAMETERS_MAX], uint64_t index);
    hn_err (*result)(void *context, uint64_t index, const hn_json *result);
} hn_load_rpc_calls;
HN_MUST_USE hn_err hn_load_rpc_call_all(hn_load_rpc *rpc, const hn_load_rpc_calls *calls);

/* One call whose result is a quantity. */
HN_MUST_USE hn_err hn_load_rpc_quantity(hn_u256 *out, hn_load_rpc *rpc, const char *method,
                                        const char *parameters);

/* What went wrong last, for people. */
const char *hn_load_rpc_problem(const hn_load_rpc *rpc);

#endif
