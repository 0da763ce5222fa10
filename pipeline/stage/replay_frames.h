/* Executed frames on their way to be sealed: a few, in order, perhaps to a second thread. Private to the
 * replay.
 */
#ifndef HN_PIPELINE_STAGE_REPLAY_FRAMES_H
#define HN_PIPELINE_STAGE_REPLAY_FRAMES_H

#include "engine/engine.h"

/* One ledger's part of a frame; lives in the frame's arena. */
typedef struct hn_replay_executed {
    struct hn_replay_executed *next;
    uint32_t ledger;
    uint32_t transaction_count;
    const hn_signed_transaction *const *transactions;
    hn_executed_block block;
} hn_replay_executed;

typedef struct hn_replay_frame_slot {
    hn_arena arena; /* of all that belongs to the frame */
    uint64_t frame_index;
    hn_replay_executed *first;
    hn_replay_executed *last;
} hn_replay_frame_slot;

typedef struct hn_replay_frames hn_replay_frames;

/* `finish` is called for every frame that was given, in order. */
HN_MUST_USE hn_err hn_replay_frames_create(hn_replay_frames **out,
                                           hn_err (*finish)(void *self, hn_replay_frame_slot *slot),
                                           void *self);
/* What was given is finished first, unless something failed. */
void hn_replay_frames_destroy(hn_replay_frames *frames);

/* From now on `finish` is called on a thread of its own. HN_ERR_SYSTEM. */
HN_MUST_USE hn_err hn_replay_frames_start(hn_replay_frames *frames);

/* An empty slot, waited for; it stays the caller's until given, and is then as it is until the next is taken.
 * The error of `finish`, after which nothing is finished any more. */
HN_MUST_USE hn_err hn_replay_frames_take(hn_replay_frames *frames, hn_replay_frame_slot **slot,
                                         uint64_t frame_index);
void hn_replay_frames_add(hn_replay_frame_slot *slot, hn_replay_executed *part);
HN_MUST_USE hn_err hn_replay_frames_give(hn_replay_frames *frames, hn_replay_frame_slot *slot);

/* Waits until everything given is finished; the error of `finish`. */
HN_MUST_USE hn_err hn_replay_frames_drain(hn_replay_frames *frames);

#endif
