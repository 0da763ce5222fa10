#include "pipeline/stage/replay_frames.h"

#include "engine/base/check.h"
#include "pipeline/stage/limits.h"

#include <pthread.h>
#include <stdlib.h>

enum { ARENA_CHUNK_BYTES = 1024 * 1024 };

/* Slots are used in turn: `given` and `finished` count frames. */
struct hn_replay_frames {
    hn_err (*finish)(void *self, hn_replay_frame_slot *slot);
    void *self;
    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t is_given;
    pthread_cond_t is_finished;
    uint64_t given;
    uint64_t finished;
    bool is_over;
    hn_err err;
    hn_replay_frame_slot slots[HN_REPLAY_FRAMES];
};

hn_err hn_replay_frames_create(hn_replay_frames **out,
                               hn_err (*finish)(void *self, hn_replay_frame_slot *slot), void *self)
{
    hn_replay_frames *frames = calloc(1, sizeof *frames);
    if (frames == NULL)
        return HN_ERR_NO_MEMORY;
    frames->finish = finish;
    frames->self = self;
    HN_CHECK(pthread_mutex_init(&frames->lock, NULL) == 0);
    HN_CHECK(pthread_cond_init(&frames->is_given, NULL) == 0);
    HN_CHECK(pthread_cond_init(&frames->is_finished, NULL) == 0);
    for (uint32_t i = 0; i < HN_REPLAY_FRAMES; i++)
        hn_arena_init(&frames->slots[i].arena, ARENA_CHUNK_BYTES, 0);
    *out = frames;
    return HN_OK;
}

static void lock(hn_replay_frames *frames)
{
    HN_CHECK(pthread_mutex_lock(&frames->lock) == 0);
}

static void unlock(hn_replay_frames *frames)
{
    HN_CHECK(pthread_mutex_unlock(&frames->lock) == 0);
}

static void wake(pthread_cond_t *condition)
{
    HN_CHECK(pthread_cond_signal(condition) == 0);
}

/* While locked. */
static hn_replay_frame_slot *slot_of(hn_replay_frames *frames, uint64_t number)
{
    return &frames->slots[number % HN_REPLAY_FRAMES];
}

/* The oldest frame that is not finished; locked before and after. */
static void finish_one(hn_replay_frames *frames)
{
    hn_replay_frame_slot *slot = slot_of(frames, frames->finished);
    hn_err err = frames->err;
    unlock(frames);
    if (err == HN_OK)
        err = frames->finish(frames->self, slot);
    lock(frames);
    frames->err = err;
    frames->finished++;
}

static void *run(void *context)
{
    hn_replay_frames *frames = context;
    lock(frames);
    for (;;) {
        while (frames->finished == frames->given && !frames->is_over)
            HN_CHECK(pthread_cond_wait(&frames->is_given, &frames->lock) == 0);
        if (frames->finished == frames->given)
            break;
        finish_one(frames);
        wake(&frames->is_finished);
    }
    unlock(frames);
    return NULL;
}

hn_err hn_replay_frames_start(hn_replay_frames *frames)
{
    HN_CHECK(!frames->has_thread && frames->given == 0);
    if (pthread_create(&frames->thread, NULL, run, frames) != 0)
        return HN_ERR_SYSTEM;
    frames->has_thread = true;
    (void)pthread_setname_np(frames->thread, "replay-seal");
    return HN_OK;
}

void hn_replay_frames_destroy(hn_replay_frames *frames)
{
    if (frames == NULL)
        return;
    if (frames->has_thread) {
        lock(frames);
        frames->is_over = true;
        wake(&frames->is_given);
        unlock(frames);
        HN_CHECK(pthread_join(frames->thread, NULL) == 0);
    }
    for (uint32_t i = 0; i < HN_REPLAY_FRAMES; i++)
        hn_arena_destroy(&frames->slots[i].arena);
    pthread_cond_destroy(&frames->is_finished);
    pthread_cond_destroy(&frames->is_given);
    pthread_mutex_destroy(&frames->lock);
    free(frames);
}

/* Waits until fewer than `most` frames are on their way, or something failed; locked before and after. */
static void await(hn_replay_frames *frames, uint64_t most)
{
    while (frames->given - frames->finished >= most)
        HN_CHECK(pthread_cond_wait(&frames->is_finished, &frames->lock) == 0);
}

hn_err hn_replay_frames_take(hn_replay_frames *frames, hn_replay_frame_slot **slot, uint64_t frame_index)
{
    lock(frames);
    await(frames, HN_REPLAY_FRAMES);
    hn_replay_frame_slot *taken = slot_of(frames, frames->given);
    hn_err err = frames->err;
    unlock(frames);
    HN_TRY(err);
    hn_arena_reset(&taken->arena);
    taken->frame_index = frame_index;
    taken->first = taken->last = NULL;
    *slot = taken;
    return HN_OK;
}

void hn_replay_frames_add(hn_replay_frame_slot *slot, hn_replay_executed *part)
{
    part->next = NULL;
    if (slot->last != NULL)
        slot->last->next = part;
    else
        slot->first = part;
    slot->last = part;
}

hn_err hn_replay_frames_give(hn_replay_frames *frames, hn_replay_frame_slot *slot)
{
    lock(frames);
    HN_CHECK(slot == slot_of(frames, frames->given));
    frames->given++;
    if (!frames->has_thread)
        finish_one(frames);
    hn_err err = frames->err;
    unlock(frames);
    if (frames->has_thread)
        wake(&frames->is_given);
    return err;
}

hn_err hn_replay_frames_drain(hn_replay_frames *frames)
{
    lock(frames);
    await(frames, 1);
    hn_err err = frames->err;
    unlock(frames);
    return err;
}
