#include "pipeline/wire/session.h"

#include "engine/base/check.h"
#include "engine/base/hash_table.h"

#include <stdlib.h>

struct hn_session_table {
    hn_session *sessions;
    uint32_t *buckets; /* first session of each, chained by next_in_bucket */
    uint64_t idle_ns;
    uint64_t seed;
    uint32_t capacity;
    uint32_t bucket_count; /* a power of two */
    uint32_t used;         /* places that were ever used; those behind are free */
    uint32_t newest;
    uint32_t oldest;
};

hn_err hn_session_table_create(hn_session_table **out, uint32_t capacity, uint64_t idle_ns, uint64_t seed)
{
    HN_CHECK(capacity >= 1 && capacity <= 65536);
    hn_session_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return HN_ERR_NO_MEMORY;
    table->bucket_count = 1;
    while (table->bucket_count < capacity)
        table->bucket_count *= 2;
    table->capacity = capacity;
    table->idle_ns = idle_ns;
    table->seed = seed;
    table->newest = table->oldest = HN_SESSION_NONE;
    table->buckets = malloc(table->bucket_count * sizeof *table->buckets);
    /* Pages are touched when a session is: an idle node with a large table stays small. */
    table->sessions = calloc(capacity, sizeof *table->sessions);
    if (table->buckets == NULL || table->sessions == NULL) {
        hn_session_table_destroy(table);
        return HN_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < table->bucket_count; i++)
        table->buckets[i] = HN_SESSION_NONE;
    *out = table;
    return HN_OK;
}

void hn_session_table_destroy(hn_session_table *table)
{
    if (table == NULL)
        return;
    free(table->buckets);
    free(table->sessions);
    free(table);
}

uint32_t hn_session_table_count(const hn_session_table *table)
{
    return table->used;
}

static uint32_t *bucket_of(const hn_session_table *table, const hn_peer *peer, uint32_t id)
{
    uint64_t hash = hn_table_hash(peer, sizeof *peer, table->seed ^ id);
    return &table->buckets[hash & (table->bucket_count - 1)];
}

uint32_t hn_session_find(const hn_session_table *table, const hn_peer *peer, uint32_t id)
{
    uint32_t index = *bucket_of(table, peer, id);
    while (index != HN_SESSION_NONE) {
        const hn_session *session = &table->sessions[index];
        if (session->id == id && hn_peer_equal(&session->peer, peer))
            return index;
        index = session->next_in_bucket;
    }
    return HN_SESSION_NONE;
}

static void unlink_age(hn_session_table *table, uint32_t index)
{
    hn_session *session = &table->sessions[index];
    if (session->newer != HN_SESSION_NONE)
        table->sessions[session->newer].older = session->older;
    else
        table->newest = session->older;
    if (session->older != HN_SESSION_NONE)
        table->sessions[session->older].newer = session->newer;
    else
        table->oldest = session->newer;
}

static void link_newest(hn_session_table *table, uint32_t index)
{
    hn_session *session = &table->sessions[index];
    session->newer = HN_SESSION_NONE;
    session->older = table->newest;
    if (table->newest != HN_SESSION_NONE)
        table->sessions[table->newest].newer = index;
    else
        table->oldest = index;
    table->newest = index;
}

static void unlink_bucket(hn_session_table *table, uint32_t index)
{
    const hn_session *session = &table->sessions[index];
    uint32_t *link = bucket_of(table, &session->peer, session->id);
    while (*link != index)
        link = &table->sessions[*link].next_in_bucket;
    *link = session->next_in_bucket;
}

uint32_t hn_session_open(hn_session_table *table, bool *evicted, const hn_peer *peer, uint32_t id,
                         uint64_t now_ns)
{
    uint32_t index = table->used;
    *evicted = index == table->capacity;
    if (*evicted) {
        index = table->oldest;
        /* One that is due for an acknowledgement is in a list; it was heard of in this very turn. */
        if (table->sessions[index].is_due || now_ns - table->sessions[index].last_ns < table->idle_ns) {
            *evicted = false;
            return HN_SESSION_NONE;
        }
        unlink_age(table, index);
        unlink_bucket(table, index);
    } else {
        table->used++;
    }
    hn_session *session = &table->sessions[index];
    uint32_t generation = session->generation + 1;
    memset(session, 0, offsetof(hn_session, frames)); /* frames count only where `used` says so */
    session->peer = *peer;
    session->id = id;
    session->generation = generation;
    session->last_ns = now_ns;
    uint32_t *bucket = bucket_of(table, peer, id);
    session->next_in_bucket = *bucket;
    *bucket = index;
    link_newest(table, index);
    return index;
}

hn_session *hn_session_at(hn_session_table *table, uint32_t index)
{
    HN_CHECK(index < table->capacity);
    return &table->sessions[index];
}

void hn_session_touch(hn_session_table *table, uint32_t index, uint64_t now_ns)
{
    table->sessions[index].last_ns = now_ns;
    if (table->newest == index)
        return;
    unlink_age(table, index);
    link_newest(table, index);
}

void hn_session_advance(hn_session *session, uint64_t oldest)
{
    if (oldest <= session->oldest)
        return;
    uint64_t distance = oldest - session->oldest;
    if (distance >= HN_WIRE_WINDOW) {
        session->used = session->owed = 0;
    } else {
        /* The places of the sequences that leave: `distance` bits from oldest % HN_WIRE_WINDOW on, round the
         * end. */
        uint64_t leaving = (UINT64_C(1) << distance) - 1;
        unsigned shift = (unsigned)(session->oldest % HN_WIRE_WINDOW);
        if (shift != 0)
            leaving = leaving << shift | leaving >> (HN_WIRE_WINDOW - shift);
        session->used &= ~leaving;
        session->owed &= ~leaving;
    }
    session->oldest = oldest;
}
