#include "pipeline/rpc/subscription.h"

#include "pipeline/rpc/show.h"
#include "pipeline/rpc/ws_frame.h"

#include <stdlib.h>

enum {
    LISTS_CHUNK_BYTES = 1024,
    LISTS_BYTES_MAX = 1024 * 1024,
    SLICE_MS = 5, /* of telling, before requests are looked at again */
    PENDING_BURST = 64,
    MESSAGE_BYTES_MAX = 16 * 1024 * 1024, /* of one rendered thing */
};

/* --- life --- */

hn_err hn_rpc_feeds_create(hn_rpc_core *core)
{
    core->feeds = calloc(core->backend->ledger_count + 1, sizeof *core->feeds);
    return core->feeds != NULL ? HN_OK : HN_ERR_NO_MEMORY;
}

void hn_rpc_feeds_destroy(hn_rpc_core *core)
{
    for (uint32_t i = 0; core->feeds != NULL && i < core->backend->ledger_count; i++)
        hn_rpc_filters_destroy(&core->feeds[i].filters);
    free(core->feeds);
}

void hn_rpc_feeds_expire(hn_rpc_core *core, uint64_t now_ms)
{
    for (uint32_t i = 0; i < core->backend->ledger_count; i++)
        hn_rpc_filters_expire(core, i, now_ms);
}

static uint32_t block_subscribers(const hn_rpc_feed *feed)
{
    return feed->counts[HN_RPC_SUBSCRIPTION_HEADS] + feed->counts[HN_RPC_SUBSCRIPTION_LOGS];
}

void hn_rpc_feed_watch(hn_rpc_core *core, uint32_t ledger)
{
    hn_rpc_feed *feed = &core->feeds[ledger];
    unsigned wanted = 0;
    if (block_subscribers(feed) != 0)
        wanted |= HN_WATCH_BLOCKS;
    if (feed->counts[HN_RPC_SUBSCRIPTION_PENDING] != 0 || feed->filters.pending_count != 0)
        wanted |= HN_WATCH_PENDING;
    if (feed->full_count != 0)
        wanted |= HN_WATCH_PENDING_RAW;
    const hn_backend *backend = core->backend;
    if (wanted == feed->watched || backend->operations->watch == NULL)
        return;
    if ((wanted & HN_WATCH_PENDING) != 0 && (feed->watched & HN_WATCH_PENDING) == 0)
        feed->pending_lost = backend->operations->pending_lost(backend->self, ledger);
    feed->watched = wanted;
    backend->operations->watch(backend->self, ledger, wanted);
}

hn_rpc_subscription *hn_rpc_subscription_create(const hn_rpc_call *call, hn_rpc_subscription_kind kind)
{
    hn_rpc_subscription *subscription = calloc(1, sizeof *subscription);
    if (subscription == NULL)
        return NULL;
    subscription->session = call->session;
    subscription->kind = kind;
    subscription->unanswered = call->exchange;
    hn_rpc_make_id(subscription->id);
    hn_arena_init(&subscription->arena, LISTS_CHUNK_BYTES, LISTS_BYTES_MAX);
    return subscription;
}

void hn_rpc_subscription_destroy(hn_rpc_subscription *subscription)
{
    hn_arena_destroy(&subscription->arena);
    free(subscription);
}

static hn_rpc_feed *feed_of(const hn_rpc_session *session)
{
    return &session->core->feeds[session->ledger];
}

void hn_rpc_subscription_add(hn_rpc_subscription *subscription, uint64_t next_block)
{
    hn_rpc_session *session = subscription->session;
    hn_rpc_feed *feed = feed_of(session);
    subscription->next_block = next_block;
    if (block_subscribers(feed) == 0)
        feed->next_block = next_block;
    if (feed->counts[HN_RPC_SUBSCRIPTION_SYNCING] == 0)
        feed->is_history_behind = hn_history_status_now(session->core->backend->history).is_behind;
    subscription->next_of_session = session->subscriptions;
    session->subscriptions = subscription;
    session->subscription_count++;
    subscription->next_of_feed = feed->subscriptions;
    feed->subscriptions = subscription;
    feed->counts[subscription->kind]++;
    feed->full_count += subscription->wants_full;
    hn_rpc_feed_watch(session->core, session->ledger);
}

/* It is out of its session's list already. */
static void leave_feed(hn_rpc_subscription *subscription)
{
    hn_rpc_session *session = subscription->session;
    hn_rpc_feed *feed = feed_of(session);
    hn_rpc_subscription **link = &feed->subscriptions;
    while (*link != subscription)
        link = &(*link)->next_of_feed;
    *link = subscription->next_of_feed;
    feed->counts[subscription->kind]--;
    feed->full_count -= subscription->wants_full;
    session->subscription_count--;
    hn_rpc_subscription_destroy(subscription);
}

bool hn_rpc_subscription_remove(hn_rpc_session *session, const char *id)
{
    hn_rpc_subscription **link = &session->subscriptions;
    while (*link != NULL && strcmp((*link)->id, id) != 0)
        link = &(*link)->next_of_session;
    hn_rpc_subscription *found = *link;
    if (found == NULL)
        return false;
    *link = found->next_of_session;
    leave_feed(found);
    hn_rpc_feed_watch(session->core, session->ledger);
    return true;
}

void hn_rpc_session_end(hn_rpc_session *session)
{
    while (session->subscriptions != NULL) {
        hn_rpc_subscription *subscription = session->subscriptions;
        session->subscriptions = subscription->next_of_session;
        leave_feed(subscription);
    }
    hn_rpc_feed_watch(session->core, session->ledger);
}

void hn_rpc_session_note_answered(hn_rpc_session *session, const hn_rpc_exchange *exchange)
{
    hn_rpc_feed *feed = feed_of(session);
    for (hn_rpc_subscription *each = session->subscriptions; each != NULL; each = each->next_of_session) {
        if (each->unanswered != exchange)
            continue;
        each->unanswered = NULL;
        /* The feed may have gone on meanwhile; it comes back, and the others know what they have been told.
         */
        bool of_blocks = each->kind == HN_RPC_SUBSCRIPTION_HEADS || each->kind == HN_RPC_SUBSCRIPTION_LOGS;
        if (of_blocks && each->next_block < feed->next_block)
            feed->next_block = each->next_block;
    }
}

/* --- telling --- */

static bool can_hear(const hn_rpc_subscription *subscription, hn_rpc_subscription_kind kind)
{
    return subscription->kind == kind && subscription->unanswered == NULL &&
           !subscription->session->is_closed;
}

static hn_bytes bytes_of_text(const char *text)
{
    return hn_bytes_of((const uint8_t *)text, strlen(text));
}

static void tell(const hn_rpc_subscription *subscription, hn_bytes result)
{
    hn_rpc_session *session = subscription->session;
    hn_bytes parts[] = {
        bytes_of_text("{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\""),
        bytes_of_text(subscription->id),
        bytes_of_text("\",\"result\":"),
        result,
        bytes_of_text("}}"),
    };
    session->operations->send(session->self, parts, sizeof parts / sizeof parts[0]);
}

static hn_bytes written(const hn_json_writer *writer)
{
    return hn_bytes_of((const uint8_t *)writer->text, writer->size);
}

/* Nothing may be left out in silence. */
static void close_all(hn_rpc_feed *feed, hn_rpc_subscription_kind kind, const char *reason)
{
    for (hn_rpc_subscription *each = feed->subscriptions; each != NULL; each = each->next_of_feed)
        if (each->kind == kind && !each->session->is_closed)
            each->session->operations->close(each->session->self, HN_WS_TRY_AGAIN_LATER, reason);
}

/* --- blocks --- */

typedef struct telling {
    hn_rpc_feed *feed;
    hn_arena *arena;
    uint64_t number;
} telling;

static bool wants_block(const hn_rpc_subscription *subscription, hn_rpc_subscription_kind kind,
                        uint64_t number)
{
    return can_hear(subscription, kind) && subscription->next_block == number;
}

/* Rendered when the first one wants it. */
static hn_err tell_log(void *self, const hn_found_log *found)
{
    const telling *now = self;
    hn_arena_mark mark = hn_arena_mark_now(now->arena);
    hn_json_writer writer = {.text = NULL};
    for (hn_rpc_subscription *each = now->feed->subscriptions; each != NULL; each = each->next_of_feed) {
        if (!wants_block(each, HN_RPC_SUBSCRIPTION_LOGS, now->number) ||
            !hn_log_filter_matches(&each->request.filter, &found->log))
            continue;
        if (writer.text == NULL) {
            hn_json_writer_init(&writer, now->arena, MESSAGE_BYTES_MAX);
            hn_show_log(&writer, found);
            if (writer.has_failed)
                return HN_ERR_NO_MEMORY;
        }
        tell(each, written(&writer));
    }
    hn_arena_release(now->arena, mark);
    return HN_OK;
}

/* The only filter there is, so that the history can pass over blocks by it; or one that matches all. */
static const hn_log_filter *common_filter(const telling *now)
{
    static const hn_log_filter all = {.address_count = 0};
    const hn_log_filter *found = NULL;
    for (hn_rpc_subscription *each = now->feed->subscriptions; each != NULL; each = each->next_of_feed) {
        if (!wants_block(each, HN_RPC_SUBSCRIPTION_LOGS, now->number))
            continue;
        if (found != NULL)
            return &all;
        found = &each->request.filter;
    }
    return found;
}

static hn_err tell_logs(telling *now, hn_rpc_core *core, uint32_t ledger)
{
    const hn_log_filter *filter = common_filter(now);
    if (filter == NULL)
        return HN_OK;
    hn_arena scratch;
    hn_arena_init(&scratch, 0, 0);
    hn_err err =
        hn_history_scan_logs(core->reader, &scratch, ledger, now->number, now->number, filter, tell_log, now);
    hn_arena_destroy(&scratch);
    return err;
}

static hn_err tell_head(telling *now, const hn_history_block *block)
{
    hn_json_writer writer;
    hn_json_writer_init(&writer, now->arena, MESSAGE_BYTES_MAX);
    hn_show_head(&writer, block);
    if (writer.has_failed)
        return HN_ERR_NO_MEMORY;
    for (hn_rpc_subscription *each = now->feed->subscriptions; each != NULL; each = each->next_of_feed)
        if (wants_block(each, HN_RPC_SUBSCRIPTION_HEADS, now->number))
            tell(each, written(&writer));
    return HN_OK;
}

static hn_err tell_block(hn_rpc_core *core, uint32_t ledger, hn_arena *arena, uint64_t number)
{
    telling now = {.feed = &core->feeds[ledger], .arena = arena, .number = number};
    hn_history_block block;
    hn_arena_reset(arena);
    HN_TRY(hn_history_block_at(core->reader, &block, ledger, number));
    HN_TRY(tell_logs(&now, core, ledger));
    if (now.feed->counts[HN_RPC_SUBSCRIPTION_HEADS] != 0)
        HN_TRY(tell_head(&now, &block));
    for (hn_rpc_subscription *each = now.feed->subscriptions; each != NULL; each = each->next_of_feed)
        if (each->unanswered == NULL && each->next_block == number)
            each->next_block = number + 1;
    return HN_OK;
}

/* True: the time was over before all were told. */
static bool tell_blocks(hn_rpc_core *core, uint32_t ledger, uint64_t end_ms)
{
    hn_rpc_feed *feed = &core->feeds[ledger];
    uint64_t oldest, newest = 0;
    bool is_late = false;
    if (hn_history_read_begin(core->reader) != HN_OK)
        return false; /* for want of memory: the next round tries again */
    hn_err err = hn_history_range(core->reader, &oldest, &newest, ledger);
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    while (err == HN_OK && feed->next_block <= newest && !is_late) {
        err = tell_block(core, ledger, &arena, feed->next_block);
        if (err == HN_OK)
            feed->next_block++;
        is_late = hn_rpc_now_ms() >= end_ms;
    }
    hn_arena_destroy(&arena);
    hn_history_read_end(core->reader);
    if (err != HN_OK) {
        close_all(feed, HN_RPC_SUBSCRIPTION_HEADS, "a block could not be read");
        close_all(feed, HN_RPC_SUBSCRIPTION_LOGS, "a block could not be read");
        feed->next_block = newest + 1;
        return false;
    }
    return feed->next_block <= newest;
}

/* --- the pool and the node --- */

static void tell_full(hn_rpc_feed *feed, const hn_pending_notice *notice)
{
    hn_arena arena;
    hn_transaction transaction;
    hn_json_writer writer;
    hn_transaction_place place = {.block = NULL};
    hn_arena_init(&arena, 0, 0);
    hn_json_writer_init(&writer, &arena, MESSAGE_BYTES_MAX);
    if (hn_transaction_decode(&transaction, &arena, hn_bytes_of(notice->raw, notice->raw_size)) == HN_OK) {
        hn_show_transaction(&writer, &transaction, &notice->hash, &notice->sender, NULL, &place);
        for (hn_rpc_subscription *each = feed->subscriptions; each != NULL && !writer.has_failed;
             each = each->next_of_feed)
            if (can_hear(each, HN_RPC_SUBSCRIPTION_PENDING) && each->wants_full)
                tell(each, written(&writer));
    }
    hn_arena_destroy(&arena);
}

static void tell_pending(hn_rpc_feed *feed, const hn_pending_notice *notice)
{
    hn_rpc_filters_note(&feed->filters, &notice->hash);
    if (feed->counts[HN_RPC_SUBSCRIPTION_PENDING] > feed->full_count) {
        hn_arena arena;
        hn_json_writer writer;
        hn_arena_init(&arena, 256, 0);
        hn_json_writer_init(&writer, &arena, MESSAGE_BYTES_MAX);
        hn_json_hash(&writer, &notice->hash);
        for (hn_rpc_subscription *each = feed->subscriptions; each != NULL && !writer.has_failed;
             each = each->next_of_feed)
            if (can_hear(each, HN_RPC_SUBSCRIPTION_PENDING) && !each->wants_full)
                tell(each, written(&writer));
        hn_arena_destroy(&arena);
    }
    if (feed->full_count != 0 && notice->raw != NULL)
        tell_full(feed, notice);
}

/* True: the time was over before all were told. */
static bool take_pending(hn_rpc_core *core, uint64_t end_ms)
{
    const hn_backend *backend = core->backend;
    hn_pending_notice notices[PENDING_BURST];
    size_t count;
    do {
        count = backend->operations->poll_pending(backend->self, notices, PENDING_BURST);
        for (size_t i = 0; i < count; i++) {
            tell_pending(&core->feeds[notices[i].ledger], &notices[i]);
            free(notices[i].raw);
        }
    } while (count == PENDING_BURST && hn_rpc_now_ms() < end_ms);
    return count == PENDING_BURST;
}

static void look_for_losses(hn_rpc_core *core, uint32_t ledger)
{
    hn_rpc_feed *feed = &core->feeds[ledger];
    uint64_t lost = core->backend->operations->pending_lost(core->backend->self, ledger);
    if (lost == feed->pending_lost)
        return;
    feed->pending_lost = lost;
    close_all(feed, HN_RPC_SUBSCRIPTION_PENDING, "pending transactions came faster than they could be told");
    hn_rpc_filters_note_lost(core, ledger);
}

static void tell_syncing(hn_rpc_core *core, uint32_t ledger)
{
    hn_rpc_feed *feed = &core->feeds[ledger];
    bool is_behind = hn_history_status_now(core->backend->history).is_behind;
    if (is_behind == feed->is_history_behind)
        return;
    uint64_t oldest = 0, newest = 0;
    if (hn_history_read_begin(core->reader) != HN_OK)
        return;
    hn_err err = hn_history_range(core->reader, &oldest, &newest, ledger);
    hn_history_read_end(core->reader);
    if (err != HN_OK)
        return;
    feed->is_history_behind = is_behind;
    hn_arena arena;
    hn_json_writer writer;
    hn_arena_init(&arena, 1024, 0);
    hn_json_writer_init(&writer, &arena, MESSAGE_BYTES_MAX);
    if (is_behind) {
        hn_json_begin_object(&writer);
        hn_json_key(&writer, "syncing");
        hn_json_bool(&writer, true);
        hn_json_key(&writer, "status");
        hn_json_begin_object(&writer);
        hn_json_key(&writer, "startingBlock");
        hn_json_u64(&writer, oldest);
        hn_json_key(&writer, "currentBlock");
        hn_json_u64(&writer, newest);
        hn_json_key(&writer, "highestBlock");
        hn_json_u64(&writer, hn_history_newest_put(core->backend->history, ledger));
        hn_json_end_object(&writer);
        hn_json_end_object(&writer);
    } else {
        hn_json_bool(&writer, false);
    }
    for (hn_rpc_subscription *each = feed->subscriptions; each != NULL && !writer.has_failed;
         each = each->next_of_feed)
        if (can_hear(each, HN_RPC_SUBSCRIPTION_SYNCING))
            tell(each, written(&writer));
    hn_arena_destroy(&arena);
}

bool hn_rpc_feeds_poll(hn_rpc_core *core)
{
    uint64_t end_ms = hn_rpc_now_ms() + SLICE_MS;
    bool has_pending = core->backend->operations->poll_pending != NULL;
    bool has_more = has_pending && take_pending(core, end_ms);
    for (uint32_t i = 0; i < core->backend->ledger_count; i++) {
        const hn_rpc_feed *feed = &core->feeds[i];
        if (has_pending && (feed->watched & HN_WATCH_PENDING) != 0)
            look_for_losses(core, i);
        if (block_subscribers(feed) != 0)
            has_more = tell_blocks(core, i, end_ms) || has_more;
        if (feed->counts[HN_RPC_SUBSCRIPTION_SYNCING] != 0)
            tell_syncing(core, i);
    }
    return has_more;
}
