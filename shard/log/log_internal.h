/* The log's state, shared by appending (log.c), writing segments ahead (prepare.c) and recovery (replay.c).
 * Nobody else includes this.
 */
#ifndef HN_SHARD_LOG_LOG_INTERNAL_H
#define HN_SHARD_LOG_LOG_INTERNAL_H

#include "engine/base/check.h"
#include "shard/log/frame.h"

#include <stdatomic.h>

enum {
    HN_LOG_PIECE_BYTES =
        256 * 1024, /* zeroes written at once: small, so that appends need not wait long behind it */
    HN_LOG_NO_FILE = -1,
};

/* Token of the write ahead that is in flight; a frame's token is its index. */
#define HN_LOG_PIECE_TOKEN (UINT64_C(1) << 63)

/* A segment that is written. All below `zeroed` has been written once, so that overwriting it changes no
 * metadata. */
typedef struct hn_log_segment {
    hn_io_file file;
    uint64_t sequence;
    uint64_t bytes;
    uint64_t zeroed;   /* 0: the header is missing still */
    uint64_t position; /* of the next frame */
} hn_log_segment;

/* The buffer of a frame in flight. Frame `index` uses slot index % in_flight_max. */
typedef struct hn_log_slot {
    uint8_t *buffer;
    hn_io_file file;
    uint64_t sequence; /* of the segment */
    uint64_t offset;
    uint32_t size;
    bool is_complete;
    uint64_t submitted_ns;
} hn_log_slot;

struct hn_log {
    hn_io io;
    hn_log_options options;
    uint64_t alignment;
    uint64_t slot_bytes; /* the largest frame */
    bool is_replayed;    /* and not read only */

    /* What is on the disk: segments first_sequence to last_sequence; none when last_sequence is 0. */
    _Atomic uint64_t first_sequence; /* hn_log_drop_before moves it on, and the next two */
    _Atomic uint64_t first_index;    /* of the first frame that is there, or would be */
    _Atomic uint64_t dropped;        /* segments, since it was opened */
    hn_frame_link first_link;        /* what that frame follows; until it is replayed */
    uint64_t leftover;               /* the oldest file, when it lies before first_sequence; 0: none does */
    uint32_t begin_note;             /* as it was when it was opened */
    bool is_drop_broken;             /* a sync failed: nothing more is given up in this life */
    uint64_t last_sequence;
    bool has_unfinished; /* behind them a file whose header was never written */
    uint64_t cluster_id;
    uint32_t life;

    hn_log_state failure; /* OPEN or FAILED; FULL is computed */
    hn_log_problem trouble;

    hn_frame_link link;
    uint64_t last_index;
    uint64_t submitted_index;
    _Atomic uint64_t durable_index;
    hn_log_slot slots[HN_LOG_IN_FLIGHT_MAX];

    hn_log_segment current;
    hn_log_segment next;     /* file HN_LOG_NO_FILE: not begun */
    hn_log_segment retiring; /* full; closed when its last frame is durable */
    uint64_t retiring_last_index;

    uint8_t *zeroes;       /* HN_LOG_PIECE_BYTES */
    uint8_t *header_block; /* alignment bytes: a new segment's */
    uint32_t io_pending;   /* writes submitted and not completed, of both kinds */
    uint64_t piece_max;
    bool piece_in_flight;
    bool piece_is_next; /* it belongs to `next` */
    uint64_t piece_bytes;
    bool is_short_of_space;
    uint32_t retries;
    uint64_t retry_at; /* nanoseconds of the clock, or polls */
    uint64_t polls;

    hn_log_counts counts;
    _Atomic uint64_t chains[HN_LOG_CHAINS][4]; /* of frame n at n % HN_LOG_CHAINS */
};

/* Remembers the chain value of a frame for hn_log_chain_at. */
void hn_log_note_chain(hn_log *log, uint64_t index, const hn_hash *chain);

static inline uint64_t hn_log_now(const hn_log *log)
{
    return log->options.now_ns != NULL ? log->options.now_ns(log->options.now_self) : 0;
}

static inline bool hn_log_has_room(const hn_log *log)
{
    const hn_log_segment *current = &log->current;
    const hn_log_segment *next = &log->next;
    return current->zeroed - current->position >= log->slot_bytes ||
           (next->file != HN_LOG_NO_FILE && next->zeroed != 0 &&
            next->zeroed - next->position >= log->slot_bytes);
}

/* The oldest segment that belongs to the log. Any core. */
static inline uint64_t hn_log_first_sequence(const hn_log *log)
{
    return atomic_load_explicit(&log->first_sequence, memory_order_acquire);
}

/* One segment file open for reading. */
typedef struct hn_log_file {
    const hn_log *log;
    hn_io_file file;
    hn_segment_header header;
} hn_log_file;

/* HN_ERR_CORRUPT: its header is not good, or another segment's. */
HN_MUST_USE hn_err hn_log_file_open(hn_log_file *out, const hn_log *log, uint64_t sequence);
void hn_log_file_close(const hn_log_file *self);
/* A good header of a frame that stands here; which one is the caller's to see. */
bool hn_log_file_frame(const hn_log_file *self, hn_frame_header *out, uint64_t offset);

/* Removes what lies before the first segment: hn_log_drop_before was interrupted. */
HN_MUST_USE hn_err hn_log_remove_leftovers(hn_log *log, hn_log_problem *problem);

/* Remembers the first trouble and stops the log for good. */
void hn_log_fail(hn_log *log, hn_err err, const char *what, uint64_t sequence, uint64_t offset);

/* Creates segment `sequence` synchronously, with its header, durable. */
HN_MUST_USE hn_err hn_log_create_first(hn_log *log, hn_log_problem *problem, uint64_t sequence);

/* Opens `sequence` for writing from `position` on and writes zeroes far enough for the first frames. */
HN_MUST_USE hn_err hn_log_open_current(hn_log *log, hn_log_problem *problem, uint64_t sequence,
                                       uint64_t bytes, uint64_t position);

/* One step of writing ahead: at most one write is in flight. */
void hn_log_prepare(hn_log *log);
void hn_log_piece_complete(hn_log *log, hn_err err);

/* printf into a problem that may be NULL; returns `err`. */
__attribute__((format(printf, 3, 4))) hn_err hn_log_report(hn_log_problem *problem, hn_err err,
                                                           const char *format, ...);

#endif
