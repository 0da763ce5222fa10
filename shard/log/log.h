/* The log of ordered inputs: the only thing written before a transaction is acknowledged.
 *
 * A sequence of frames in segment files that were zero-written ahead. A frame is one batch or control record:
 * checksummed, chained to the one before, aligned to the device's block (format: frame.h). A few writes are
 * in flight at once; acknowledgement is strictly in order: durable_index only moves over frames all of whose
 * predecessors are durable. A failed write stops the log for good (HN_LOG_FAILED). When the next segment
 * cannot be written ahead the log is HN_LOG_FULL: appends stop, and go on by themselves when there is room.
 *
 * Owner: the commit core; hn_log_durable_index may be read from any core.
 */
#ifndef HN_SHARD_LOG_LOG_H
#define HN_SHARD_LOG_LOG_H

#include "shard/log/io.h"

typedef struct hn_log hn_log;

typedef enum hn_log_state {
    HN_LOG_OPEN,
    HN_LOG_FULL,
    HN_LOG_FAILED,
} hn_log_state;

typedef enum hn_frame_kind {
    HN_FRAME_BATCH = 1,   /* payload: shard/log/batch.h */
    HN_FRAME_CONTROL = 2, /* payload: a control record (ledger created, clean stop) */
    HN_FRAME_BLOCKS = 3,  /* payload: shard/log/blocks.h */
} hn_frame_kind;

enum { HN_LOG_IN_FLIGHT_MAX = 16 };

/* 0 stands for the default. */
typedef struct hn_log_options {
    uint64_t cluster_id; /* of a new log; an existing one must have the same unless 0 */
    uint64_t
        segment_bytes; /* of new segments; default 64 MiB; at least in_flight_max + 3 of the largest frames */
    uint32_t in_flight_max;         /* default 2, at most HN_LOG_IN_FLIGHT_MAX */
    uint32_t frame_bytes_max;       /* payload; default 1 MiB, at most 4 MiB */
    uint64_t (*now_ns)(void *self); /* a clock for latencies and for trying again; may be NULL */
    void *now_self;
} hn_log_options;

/* One frame as read back. Views are valid during the callback. */
typedef struct hn_frame {
    uint64_t index; /* 1, 2, 3, ... without gaps */
    uint64_t term;
    hn_frame_kind kind;
    uint32_t transaction_count;
    uint64_t ledger_mask; /* bit min(ledger, 63) for each ledger in the payload */
    hn_bytes payload;
    hn_hash chain; /* keccak-256 over this and all payloads before */
} hn_frame;

/* What is wrong, where (file, offset, frame), for people. */
typedef struct hn_log_problem {
    char text[320];
} hn_log_problem;

/* Finds the segments and checks their headers. Changes nothing on disk. *problem may be NULL; its text is
 * empty when there is nothing to say. HN_ERR_CORRUPT, HN_ERR_VERSION, HN_ERR_MISMATCH (another cluster's
 * log), HN_ERR_INVALID (options). */
HN_MUST_USE hn_err hn_log_open(hn_log **out, hn_log_problem *problem, const hn_io *io,
                               const hn_log_options *options);

/* Reads every frame from `first_index` on, in order, and leaves the log ready to append behind the last good
 * one; in an empty directory it makes the first segment. An unacknowledged tail is cut, and *problem tells so
 * (with HN_OK). HN_ERR_CORRUPT with *problem: a frame does not check out although it was complete once, or
 * frames are missing that later ones prove durable, or `first_index` lies more than one behind the end;
 * nothing is changed. Must be called once before appending. A callback's error ends it. `read_only` (verify)
 * changes nothing on disk; appending is not possible then. */
HN_MUST_USE hn_err hn_log_replay(hn_log *log, hn_log_problem *problem, uint64_t first_index, bool read_only,
                                 hn_err (*each)(void *self, const hn_frame *frame), void *self);

/* Waits for writes in flight and closes; on the core that polled. Frames appended and not durable may be
 * lost: nobody was told of them. */
void hn_log_close(hn_log *log);

/* Gives up whole segments at the beginning, as many as have no frame at or behind `frame`, but for
 * `keep_bytes` of segments at the end: the first one that stays says so, durably, before any file goes, so
 * that a crash at any time leaves the one log or the other. `note` is kept with it (hn_log_begin_note of a
 * later life). Nothing that is not durable goes, and at least one segment stays. HN_OK also when there is
 * nothing to give up; HN_ERR_CLOSED: not replayed for writing, or a call before failed; HN_ERR_IO and others
 * with *problem: the log goes on, and what is left over goes at the next start. Any thread, one at a time; it
 * waits for the disk. */
HN_MUST_USE hn_err hn_log_drop_before(hn_log *log, hn_log_problem *problem, uint64_t frame,
                                      uint64_t keep_bytes, uint32_t note);

/* The first frame that is there: 1 unless some were given up. After opening; any core. */
uint64_t hn_log_first_index(const hn_log *log);
/* The note of hn_log_drop_before when the log was opened; 0: it begins with frame 1. */
uint32_t hn_log_begin_note(const hn_log *log);

/* A free write slot's payload area of frame_bytes_max bytes; NULL while all slots are in flight, the log is
 * not open, or the segments' writing ahead has fallen behind. The same area until appended. */
uint8_t *hn_log_payload(hn_log *log);

/* Completes and submits the frame whose payload was written to hn_log_payload. HN_ERR_AGAIN: that would be
 * NULL now; HN_ERR_LIMIT: payload_size above frame_bytes_max; HN_ERR_CLOSED: the log has failed or was not
 * replayed. */
HN_MUST_USE hn_err hn_log_append(hn_log *log, uint64_t *index, hn_frame_kind kind, uint32_t transaction_count,
                                 uint64_t ledger_mask, size_t payload_size);

/* Takes completions, moves durable_index, prepares segments ahead piece by piece. Returns how many frames
 * became durable. Call it in every loop. */
unsigned hn_log_poll(hn_log *log);

/* HN_LOG_FULL: there is no room for another frame and no space to make some; it is tried again. */
hn_log_state hn_log_state_now(const hn_log *log);
/* What went wrong when the state is HN_LOG_FAILED, or why it is FULL; empty otherwise. */
const char *hn_log_trouble(const hn_log *log);
unsigned hn_log_in_flight(const hn_log *log);     /* frames that are being written */
unsigned hn_log_in_flight_max(const hn_log *log); /* as the options say, or the default */
uint64_t hn_log_last_index(const hn_log *log);    /* appended */
uint64_t hn_log_durable_index(const hn_log *log); /* any core; acquire */

/* hn_frame.chain of a durable frame, as long as it is one of the newest HN_LOG_CHAINS / 2. Any core. */
enum { HN_LOG_CHAINS = 1024 };
bool hn_log_chain_at(const hn_log *log, hn_hash *out, uint64_t index);

/* hn_frame.chain of any frame that is there, and the file that says so, before replaying or while nothing is
 * appended: read from the headers alone, whose payloads are not looked at. Of the frame before the log's
 * first one, too. HN_ERR_NOT_FOUND: it is not there, or does not check out. */
enum { HN_LOG_FILE_NAME_MAX = 40 };
HN_MUST_USE hn_err hn_log_find_chain(const hn_log *log, hn_hash *out, char file_name[HN_LOG_FILE_NAME_MAX],
                                     uint64_t index);

/* How many bytes of frames lie before the end of this one, read from headers alone, as hn_log_find_chain
 * does; as far as they check out. */
uint64_t hn_log_bytes_before(const hn_log *log, uint64_t index);

typedef struct hn_log_counts {
    uint64_t frames;
    uint64_t bytes; /* written, padding included */
    uint64_t segments;
    uint64_t first_segment; /* its number */
    uint64_t dropped;       /* segments given up since the log was opened */
    uint64_t room_bytes;    /* written ahead: frames of so many bytes need no more space on the disk */
    uint64_t write_ns_last; /* submission to completion of the newest write; 0 without a clock */
} hn_log_counts;
hn_log_counts hn_log_count(const hn_log *log);

#endif
