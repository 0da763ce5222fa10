/* The access list that a call would do well to bring along (eth_createAccessList): run again and again, each
 * time with the list of the run before, until it asks for nothing else.
 *
 * Left out, when none of their slots are used: the sender, the recipient, the precompiles and the signers of
 * authorizations, which are warm anyway (EIP-2929, 3651, 7702).
 */
#ifndef HN_ENGINE_TRACE_ACCESS_LIST_H
#define HN_ENGINE_TRACE_ACCESS_LIST_H

#include "engine/chain/call.h"

typedef struct hn_access_list {
    const hn_access_entry *entries; /* sorted by address, their keys too */
    uint32_t count;
} hn_access_list;

/* `context` as for hn_call_run; everything lives in context->arena. *result is the last run's, with *out as
 * its access list; its reject tells why it could not start. The state is afterwards what it was.
 * HN_ERR_NO_MEMORY; HN_ERR_TIMEOUT: interrupted; HN_ERR_LIMIT: the list would not settle. */
HN_MUST_USE hn_err hn_access_list_of_call(hn_block_context *context, hn_access_list *out,
                                          hn_transaction_result *result, const hn_call *call);

#endif
