/* Filters: eth_newFilter and its kin. A filter is a place in the ledger's blocks (or in the newest announced
 * transactions) up to which its client has seen everything; nothing is collected for it. The server's thread
 * only.
 */
#ifndef HN_PIPELINE_RPC_FILTER_H
#define HN_PIPELINE_RPC_FILTER_H

#include "pipeline/rpc/core.h"
#include "pipeline/rpc/log_filter.h"

typedef enum hn_rpc_filter_kind {
    HN_RPC_FILTER_LOGS,
    HN_RPC_FILTER_BLOCKS,
    HN_RPC_FILTER_PENDING,
} hn_rpc_filter_kind;

enum {
    HN_RPC_ANNOUNCED_MAX = 64 * 1024, /* newest announced transactions that are kept for filters, by ledger */
    HN_RPC_ID_TEXT_BYTES = 35,        /* "0x", 32 digits, NUL */
};

typedef struct hn_rpc_filter {
    struct hn_rpc_filter *next;
    hn_rpc_filter_kind kind;
    char id[HN_RPC_ID_TEXT_BYTES];
    uint64_t deadline_ms; /* nobody asked until then: it goes */
    uint64_t seen;        /* LOGS, BLOCKS: the first block not seen; PENDING: announced transactions seen */
    hn_rpc_log_request request;
    hn_arena arena; /* lists of the request */
} hn_rpc_filter;

/* Of one ledger. */
typedef struct hn_rpc_filters {
    hn_rpc_filter *first;
    uint32_t count;
    uint32_t pending_count; /* of kind PENDING */
    hn_hash *announced;     /* by number modulo the most; made for the first PENDING one */
    uint64_t announced_count;
    uint64_t checked_ms; /* when deadlines were last looked at */
} hn_rpc_filters;

/* An id for a filter or subscription; nobody can guess it. */
void hn_rpc_make_id(char out[HN_RPC_ID_TEXT_BYTES]);

/* A new filter with an id, not filled further; NULL: the call was failed, as there are too many or no memory.
 */
hn_rpc_filter *hn_rpc_filter_add(hn_rpc_call *call, hn_rpc_filter_kind kind);

/* The filter, whose time begins anew; NULL when there is none. */
hn_rpc_filter *hn_rpc_filter_find(hn_rpc_call *call, const char *id);

bool hn_rpc_filter_remove(hn_rpc_core *core, uint32_t ledger, const char *id);

/* A transaction of the ledger was announced. */
void hn_rpc_filters_note(hn_rpc_filters *filters, const hn_hash *hash);
/* Some were lost: filters of kind PENDING cannot be right any more, and go. */
void hn_rpc_filters_note_lost(hn_rpc_core *core, uint32_t ledger);

/* Drops those whose time is over; looks about once a second. */
void hn_rpc_filters_expire(hn_rpc_core *core, uint32_t ledger, uint64_t now_ms);
void hn_rpc_filters_destroy(hn_rpc_filters *filters);

#endif
