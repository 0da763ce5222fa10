#include "pipeline/rpc/filter.h"

#include "engine/base/check.h"
#include "pipeline/rpc/subscription.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    CHECK_MS = 1000,
    LISTS_CHUNK_BYTES = 1024,
    LISTS_BYTES_MAX = 1024 * 1024,
};

static hn_rpc_filters *filters_of(hn_rpc_core *core, uint32_t ledger)
{
    return &core->feeds[ledger].filters;
}

static void renew(const hn_rpc_core *core, hn_rpc_filter *filter)
{
    filter->deadline_ms = hn_rpc_now_ms() + core->config.filter_timeout_ms;
}

void hn_rpc_make_id(char out[HN_RPC_ID_TEXT_BYTES])
{
    uint64_t parts[2];
    HN_CHECK(getrandom(parts, sizeof parts, 0) == sizeof parts);
    snprintf(out, HN_RPC_ID_TEXT_BYTES, "0x%016llx%016llx", (unsigned long long)parts[0],
             (unsigned long long)parts[1]);
}

static bool has_announced(hn_rpc_filters *filters)
{
    if (filters->announced == NULL)
        filters->announced = calloc(HN_RPC_ANNOUNCED_MAX, sizeof *filters->announced);
    return filters->announced != NULL;
}

hn_rpc_filter *hn_rpc_filter_add(hn_rpc_call *call, hn_rpc_filter_kind kind)
{
    hn_rpc_filters *filters = filters_of(call->core, call->ledger);
    if (filters->count >= call->core->config.filters_max) {
        hn_rpc_fail(call, HN_RPC_LIMIT_EXCEEDED, "too many filters: at most %u of a ledger",
                    call->core->config.filters_max);
        return NULL;
    }
    hn_rpc_filter *filter = calloc(1, sizeof *filter);
    if (filter == NULL || (kind == HN_RPC_FILTER_PENDING && !has_announced(filters))) {
        free(filter);
        hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
        return NULL;
    }
    filter->kind = kind;
    hn_arena_init(&filter->arena, LISTS_CHUNK_BYTES, LISTS_BYTES_MAX);
    hn_rpc_make_id(filter->id);
    renew(call->core, filter);
    filter->next = filters->first;
    filters->first = filter;
    filters->count++;
    if (kind == HN_RPC_FILTER_PENDING) {
        filters->pending_count++;
        filter->seen = filters->announced_count;
        hn_rpc_feed_watch(call->core, call->ledger);
    }
    return filter;
}

hn_rpc_filter *hn_rpc_filter_find(hn_rpc_call *call, const char *id)
{
    hn_rpc_filter *filter = filters_of(call->core, call->ledger)->first;
    while (filter != NULL && strcmp(filter->id, id) != 0)
        filter = filter->next;
    if (filter != NULL)
        renew(call->core, filter);
    return filter;
}

static void unlink_filter(hn_rpc_filters *filters, hn_rpc_filter **link)
{
    hn_rpc_filter *filter = *link;
    *link = filter->next;
    filters->count--;
    if (filter->kind == HN_RPC_FILTER_PENDING)
        filters->pending_count--;
    hn_arena_destroy(&filter->arena);
    free(filter);
}

bool hn_rpc_filter_remove(hn_rpc_core *core, uint32_t ledger, const char *id)
{
    hn_rpc_filters *filters = filters_of(core, ledger);
    for (hn_rpc_filter **link = &filters->first; *link != NULL; link = &(*link)->next) {
        if (strcmp((*link)->id, id) == 0) {
            unlink_filter(filters, link);
            hn_rpc_feed_watch(core, ledger);
            return true;
        }
    }
    return false;
}

void hn_rpc_filters_note(hn_rpc_filters *filters, const hn_hash *hash)
{
    if (filters->pending_count != 0)
        filters->announced[filters->announced_count++ % HN_RPC_ANNOUNCED_MAX] = *hash;
}

void hn_rpc_filters_note_lost(hn_rpc_core *core, uint32_t ledger)
{
    hn_rpc_filters *filters = filters_of(core, ledger);
    for (hn_rpc_filter **link = &filters->first; *link != NULL;) {
        if ((*link)->kind == HN_RPC_FILTER_PENDING)
            unlink_filter(filters, link);
        else
            link = &(*link)->next;
    }
    hn_rpc_feed_watch(core, ledger);
}

void hn_rpc_filters_expire(hn_rpc_core *core, uint32_t ledger, uint64_t now_ms)
{
    hn_rpc_filters *filters = filters_of(core, ledger);
    if (filters->count == 0 || now_ms < filters->checked_ms + CHECK_MS)
        return;
    filters->checked_ms = now_ms;
    for (hn_rpc_filter **link = &filters->first; *link != NULL;) {
        if ((*link)->deadline_ms <= now_ms)
            unlink_filter(filters, link);
        else
            link = &(*link)->next;
    }
    hn_rpc_feed_watch(core, ledger);
}

void hn_rpc_filters_destroy(hn_rpc_filters *filters)
{
    while (filters->first != NULL)
        unlink_filter(filters, &filters->first);
    free(filters->announced);
    filters->announced = NULL;
}
