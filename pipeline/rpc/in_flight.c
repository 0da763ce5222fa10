#include "engine/base/check.h"
#include "pipeline/rpc/core.h"
#include "pipeline/rpc/own_writes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    POLL_BURST = 64,
    CODE_SLICE_US = 1000,
};

uint64_t hn_rpc_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t hn_rpc_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

hn_err hn_rpc_in_flight_create(hn_rpc_core *core)
{
    uint32_t count = core->config.in_flight_max;
    core->submissions = calloc(count, sizeof *core->submissions);
    core->habits = calloc(HN_RPC_HABITS, sizeof *core->habits);
    if (core->submissions == NULL || core->habits == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        core->submissions[i].next_free = i + 1 < count ? i + 1 : HN_RPC_NO_SLOT;
    core->first_free_submission = 0;
    return HN_OK;
}

void hn_rpc_in_flight_destroy(hn_rpc_core *core)
{
    free(core->submissions);
    free(core->habits);
}

static void publish_in_flight(hn_rpc_core *core)
{
    atomic_store_explicit(&core->in_flight_count, core->submission_count + core->query_count,
                          memory_order_relaxed);
}

/* --- queries --- */

hn_query *hn_rpc_new_query(hn_rpc_call *call, hn_query_kind kind)
{
    hn_query *query = hn_arena_calloc(call->arena, 1, sizeof *query);
    if (query == NULL) {
        hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
        return NULL;
    }
    query->kind = kind;
    query->ledger = call->ledger;
    query->arena = call->arena;
    query->user = call;
    return query;
}

/* As Go prints a duration: "5s", "1.5s", "300ms", "1m30s". */
static void write_duration(char *out, size_t room, uint32_t ms)
{
    unsigned minutes = ms / 60000;
    unsigned hours = minutes / 60;
    char seconds[32];
    if (ms < 1000) {
        snprintf(out, room, "%ums", ms);
        return;
    }
    snprintf(seconds, sizeof seconds, "%.15gs", ms % 60000 / 1000.0);
    if (hours != 0)
        snprintf(out, room, "%uh%um%s", hours, minutes % 60, seconds);
    else if (minutes != 0)
        snprintf(out, room, "%um%s", minutes, seconds);
    else
        snprintf(out, room, "%s", seconds);
}

static void fail_query(hn_rpc_call *call, const hn_query *query)
{
    bool is_call = query->kind == HN_QUERY_CALL || query->kind == HN_QUERY_ESTIMATE_GAS ||
                   query->kind == HN_QUERY_ACCESS_LIST;
    char duration[64];
    if (query->problem[0] != '\0') {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "%s", query->problem);
    } else if (query->err == HN_ERR_TIMEOUT && is_call) {
        write_duration(duration, sizeof duration, call->core->config.call_timeout_ms);
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "execution aborted (timeout = %s)", duration);
    } else {
        hn_rpc_fail_err(call, query->err);
    }
}

static void tell_answer(hn_rpc_call *call, hn_query *query)
{
    bool is_told = (query->kind == HN_QUERY_PENDING_TRANSACTION && query->err == HN_ERR_NOT_FOUND) ||
                   (query->kind == HN_QUERY_SIMULATE && query->err == HN_ERR_INVALID);
    if (query->err == HN_OK || is_told)
        call->on_query(call, query);
    else
        fail_query(call, query);
}

/* Queries that run code get a slice of each turn of the loop, however many of them a batch has. */
static bool try_here(hn_rpc_core *core, hn_query *query)
{
    const hn_backend *backend = core->backend;
    if (hn_query_place_of(query->kind) != HN_QUERY_PLACE_LANE)
        return backend->operations->answer(backend->self, query);
    if (core->code_us >= CODE_SLICE_US)
        return false;
    uint64_t begin = hn_rpc_now_us();
    bool is_answered = backend->operations->answer(backend->self, query);
    core->code_us += hn_rpc_now_us() - begin;
    return is_answered;
}

/* A look at the state costs less than handing it over would, and so does a short call. */
static bool answer_here(hn_rpc_call *call, hn_query *query, void (*then)(hn_rpc_call *call, hn_query *query))
{
    if (call->core->backend->operations->answer == NULL || !try_here(call->core, query))
        return false;
    call->on_query = then;
    tell_answer(call, query);
    return true;
}

void hn_rpc_ask(hn_rpc_call *call, hn_query *query, void (*then)(hn_rpc_call *call, hn_query *query))
{
    hn_rpc_core *core = call->core;
    if (answer_here(call, query, then))
        return;
    if (core->query_count >= core->config.in_flight_max) {
        hn_rpc_fail_err(call, HN_ERR_AGAIN);
        return;
    }
    /* Answers go to memory of the query's own: other calls of the same batch may be at work in the
     * exchange's arena meanwhile, on this thread. */
    hn_arena *arena = malloc(sizeof *arena);
    if (arena == NULL) {
        hn_rpc_fail_err(call, HN_ERR_NO_MEMORY);
        return;
    }
    hn_arena_init(arena, 4096, 2 * (size_t)core->config.response_bytes_max);
    query->arena = arena;
    query->asker = hn_rpc_exchange_asker(call->exchange);
    query->deadline_ms = hn_rpc_now_ms() + core->config.call_timeout_ms;
    call->on_query = then;
    hn_err err = core->backend->operations->query(core->backend->self, query);
    if (err != HN_OK) {
        hn_arena_destroy(arena);
        free(arena);
        hn_rpc_fail_err(call, err);
        return;
    }
    hn_rpc_exchange_hold(call->exchange);
    core->query_count++;
    publish_in_flight(core);
}

static void take_query(hn_rpc_core *core, hn_query *query)
{
    hn_rpc_call *call = query->user;
    HN_CHECK(core->query_count != 0);
    core->query_count--;
    tell_answer(call, query);
    hn_arena *arena = query->arena;
    hn_arena_destroy(arena);
    free(arena);
    hn_rpc_exchange_release(call->exchange);
}

/* --- habits --- */

/* Most connections are those of one sender. Who is known to be it can be checked faster than recovered. */
static hn_rpc_habit *habit_of(hn_rpc_core *core, uint64_t asker)
{
    uint64_t mixed = asker * UINT64_C(0x9e3779b97f4a7c15); /* askers are addresses of objects */
    return &core->habits[(mixed >> 32) % HN_RPC_HABITS];
}

static const hn_address *hint_of(hn_rpc_core *core, uint64_t asker)
{
    const hn_rpc_habit *habit = habit_of(core, asker);
    return habit->asker == asker && habit->is_repeated ? &habit->sender : NULL;
}

static void note_sender(hn_rpc_core *core, uint64_t asker, const hn_address *sender)
{
    static const hn_address nobody;
    hn_rpc_habit *habit = habit_of(core, asker);
    if (memcmp(sender, &nobody, sizeof nobody) == 0)
        return; /* it was refused before that was known */
    habit->is_repeated = habit->asker == asker && memcmp(&habit->sender, sender, sizeof *sender) == 0;
    habit->asker = asker;
    habit->sender = *sender;
}

/* --- submissions --- */

void hn_rpc_submit(hn_rpc_call *call, hn_bytes raw, hn_reply_level level, uint64_t timeout_ms,
                   void (*then)(hn_rpc_call *call, const hn_reply *reply))
{
    hn_rpc_core *core = call->core;
    uint32_t slot = core->first_free_submission;
    if (slot == HN_RPC_NO_SLOT) {
        hn_rpc_fail_err(call, HN_ERR_AGAIN);
        return;
    }
    hn_rpc_submission *submission = &core->submissions[slot];
    uint64_t token = (uint64_t)(submission->use + 1) << 32 | slot;
    const hn_address *hint = hint_of(core, hn_rpc_exchange_asker(call->exchange));
    hn_err err =
        core->backend->operations->submit(core->backend->self, call->ledger, raw, hint, level, token);
    if (err == HN_ERR_LIMIT) {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "oversized data: transaction size %zu, limit %d", raw.size,
                    (int)HN_PENDING_RAW_BYTES_MAX);
        return;
    }
    if (err == HN_ERR_CLOSED && core->backend->operations->refusal != NULL) {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "the node takes no transactions at the moment: %s",
                    core->backend->operations->refusal(core->backend->self));
        return;
    }
    if (err != HN_OK) {
        hn_rpc_fail_err(call, err);
        return;
    }
    core->first_free_submission = submission->next_free;
    submission->is_taken = true;
    submission->use++;
    submission->call = call;
    submission->deadline_ms = hn_rpc_now_ms() + timeout_ms;
    if (core->submission_count == 0 || submission->deadline_ms < core->first_deadline_ms)
        core->first_deadline_ms = submission->deadline_ms;
    call->on_reply = then;
    hn_rpc_exchange_hold(call->exchange);
    core->submission_count++;
    publish_in_flight(core);
}

/* Whoever waits for the submission hears; `reply` NULL: its time is over. */
static void tell(hn_rpc_submission *submission, const hn_reply *reply)
{
    hn_rpc_call *call = submission->call;
    if (call == NULL)
        return;
    submission->call = NULL;
    call->on_reply(call, reply);
    hn_rpc_exchange_release(call->exchange);
}

static void take_reply(hn_rpc_core *core, const hn_reply *reply)
{
    uint32_t slot = (uint32_t)reply->token;
    HN_CHECK(slot < core->config.in_flight_max);
    hn_rpc_submission *submission = &core->submissions[slot];
    if (!submission->is_taken || submission->use != (uint32_t)(reply->token >> 32))
        return; /* what became later of a transaction that was answered with QUEUED */
    if (submission->call != NULL)
        note_sender(core, hn_rpc_exchange_asker(submission->call->exchange), &reply->sender);
    if (reply->verdict == HN_VERDICT_EXECUTED)
        hn_rpc_own_writes_note(core, reply->ledger, reply->block_number);
    tell(submission, reply);
    submission->is_taken = false;
    submission->next_free = core->first_free_submission;
    core->first_free_submission = slot;
    core->submission_count--;
}

void hn_rpc_in_flight_flush(hn_rpc_core *core)
{
    const hn_backend *backend = core->backend;
    if (backend->operations->flush != NULL)
        backend->operations->flush(backend->self);
}

void hn_rpc_in_flight_expire(hn_rpc_core *core, uint64_t now_ms)
{
    const hn_backend *backend = core->backend;
    if (core->query_count != 0 && backend->operations->expire != NULL)
        backend->operations->expire(backend->self, now_ms);
    hn_rpc_own_writes_expire(core, now_ms);
    if (core->submission_count == 0 || now_ms < core->first_deadline_ms)
        return;
    core->first_deadline_ms = UINT64_MAX;
    for (uint32_t i = 0; i < core->config.in_flight_max; i++) {
        hn_rpc_submission *submission = &core->submissions[i];
        if (!submission->is_taken || submission->call == NULL)
            continue;
        if (submission->deadline_ms <= now_ms)
            tell(submission, NULL);
        else if (submission->deadline_ms < core->first_deadline_ms)
            core->first_deadline_ms = submission->deadline_ms;
    }
}

/* --- the backend's side --- */

void hn_rpc_in_flight_poll(hn_rpc_core *core)
{
    const hn_backend *backend = core->backend;
    size_t reply_count;
    size_t query_count;
    do {
        hn_reply replies[POLL_BURST];
        reply_count = backend->operations->poll_replies(backend->self, replies, POLL_BURST);
        for (size_t i = 0; i < reply_count; i++)
            take_reply(core, &replies[i]);
        hn_query *queries[POLL_BURST];
        query_count = backend->operations->poll_queries(backend->self, queries, POLL_BURST);
        for (size_t i = 0; i < query_count; i++)
            take_query(core, queries[i]);
    } while (reply_count != 0 || query_count != 0);
    hn_rpc_own_writes_poll(core);
    publish_in_flight(core);
}
