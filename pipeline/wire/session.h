/* Sessions of framed clients: which frames of the window have arrived, and what became of their transactions.
 *
 * A session is found by peer and the number that the client chose. Bounded: when the table is full, the
 * session that was idle longest makes room, if it was idle long enough. Pure; one owner; nothing allocates
 * after creation.
 */
#ifndef HN_PIPELINE_WIRE_SESSION_H
#define HN_PIPELINE_WIRE_SESSION_H

#include "pipeline/port/datagram.h"
#include "pipeline/wire/format.h"

enum { HN_SESSION_NONE = UINT32_MAX };

/* One submit frame of the window. */
typedef struct hn_session_frame {
    uint64_t sequence;
    uint32_t final; /* bit i: transaction i has its result */
    uint32_t owed;  /* bit i: the result has not been sent yet, or was asked for again */
    uint8_t count;
    uint8_t level;
    uint8_t verdict[HN_WIRE_TRANSACTIONS_MAX];
    uint8_t detail[HN_WIRE_TRANSACTIONS_MAX];
    uint16_t ledger[HN_WIRE_TRANSACTIONS_MAX];
    uint64_t block_number[HN_WIRE_TRANSACTIONS_MAX];
} hn_session_frame;

typedef struct hn_session {
    hn_peer peer;
    uint32_t id;
    uint32_t generation; /* how often this place of the table was given away */
    uint64_t cookie;
    uint64_t oldest;        /* the window is [oldest, oldest + HN_WIRE_WINDOW) */
    uint64_t used;          /* bit s % HN_WIRE_WINDOW: frame s has arrived */
    uint64_t owed;          /* the same for frames with results owed */
    uint64_t highest;       /* sequence behind the highest that arrived */
    uint64_t last_ns;       /* last heard of */
    uint32_t active_tick;   /* see server.c: counting active sessions */
    uint8_t unacknowledged; /* frames that arrived since the last acknowledgement */
    bool is_due;            /* in the list of those that get an acknowledgement */
    uint32_t next_due;
    uint32_t next_in_bucket;
    uint32_t newer; /* list by age */
    uint32_t older;
    hn_session_frame frames[HN_WIRE_WINDOW];
} hn_session;

typedef struct hn_session_table hn_session_table;

/* `capacity` 1 to 65,536. */
HN_MUST_USE hn_err hn_session_table_create(hn_session_table **out, uint32_t capacity, uint64_t idle_ns,
                                           uint64_t seed);
void hn_session_table_destroy(hn_session_table *table);

uint32_t hn_session_table_count(const hn_session_table *table);

/* Index of the peer's session, or HN_SESSION_NONE. */
uint32_t hn_session_find(const hn_session_table *table, const hn_peer *peer, uint32_t id);

/* A new one, empty, heard of now; *evicted tells whether another had to go. HN_SESSION_NONE: all are active.
 * It must not exist yet. */
uint32_t hn_session_open(hn_session_table *table, bool *evicted, const hn_peer *peer, uint32_t id,
                         uint64_t now_ns);

/* index < capacity */
hn_session *hn_session_at(hn_session_table *table, uint32_t index);

/* Heard of it: it is the newest now. */
void hn_session_touch(hn_session_table *table, uint32_t index, uint64_t now_ns);

/* Everything before `oldest` is finished for the client: forgets it. Going back does nothing. */
void hn_session_advance(hn_session *session, uint64_t oldest);

/* Bit i: frame oldest + i has arrived. */
static inline uint64_t hn_session_received(const hn_session *session)
{
    unsigned shift = (unsigned)(session->oldest % HN_WIRE_WINDOW);
    return shift == 0 ? session->used : session->used >> shift | session->used << (HN_WIRE_WINDOW - shift);
}

#endif
