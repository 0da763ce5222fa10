/* Whoever was told that a transaction is executed sees it.
 *
 * eth_sendRawTransaction is answered when the transaction is executed and durable; readers see its block when
 * that is sealed, a fraction of a millisecond later. Calls that come in between wait for it. The server's
 * thread only.
 */
#ifndef HN_PIPELINE_RPC_OWN_WRITES_H
#define HN_PIPELINE_RPC_OWN_WRITES_H

#include "pipeline/rpc/core.h"
#include "pipeline/rpc/method.h"

HN_MUST_USE hn_err hn_rpc_own_writes_create(hn_rpc_core *core);
void hn_rpc_own_writes_destroy(hn_rpc_core *core);

/* Somebody is about to be told that a transaction is in this block. */
void hn_rpc_own_writes_note(hn_rpc_core *core, uint32_t ledger, uint64_t block);

/* Runs the call now, or when everything that was told of its ledger can be seen. */
void hn_rpc_own_writes_run(hn_rpc_call *call, const hn_rpc_method *method);

/* Runs those whose blocks can be seen by now. */
void hn_rpc_own_writes_poll(hn_rpc_core *core);
/* A history that cannot be written falls behind: nobody waits for it long. */
void hn_rpc_own_writes_expire(hn_rpc_core *core, uint64_t now_ms);

#endif
