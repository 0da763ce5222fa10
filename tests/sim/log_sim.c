#include "tests/sim/log_sim.h"

#include "engine/base/check.h"
#include "engine/base/prng.h"
#include "shard/log/frame.h"
#include "tests/sim/disk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LIVES = 12,
    STEPS_MAX = 400,
    FRAMES_MAX = LIVES * STEPS_MAX,
    PAYLOAD_MAX = 3000,
    SEGMENT_BYTES = 48 * 1024,
    RESUME_POLLS = 2000000, /* more than the log's longest pause before it tries again */
    CLUSTER = 77,
};

/* What was appended at an index, in the newest life in which it was. */
typedef struct appended {
    uint64_t serial; /* of all frames ever appended: the payload follows from it */
    uint32_t size;
} appended;

typedef struct simulation {
    hn_log_sim_result *result;
    uint64_t seed;
    hn_prng prng;
    hn_sim_disk *disk;
    hn_io io;
    hn_log_options options;
    hn_log *log;
    uint64_t serial;
    appended *frames;      /* [index] */
    uint64_t last;         /* appended */
    uint64_t acknowledged; /* told durable to somebody */
    uint64_t next_read;    /* during replay */
    hn_prng recycling;     /* another one, so that seeds without recycling stay what they were */
    bool recycles;         /* gives up the beginning of the log now and then */
    uint64_t needed;       /* the first frame that must stay */
    bool is_stuck;         /* some writes never complete: only a crash ends this life */
} simulation;

__attribute__((format(printf, 2, 3))) static void fail(simulation *sim, const char *format, ...)
{
    if (!sim->result->is_good)
        return;
    sim->result->is_good = false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim->result->problem, sizeof sim->result->problem, format, arguments);
    va_end(arguments);
}

/* Random bytes; sometimes sectors of zeroes, and sometimes always the same, as control records are. */
static void fill_payload(uint8_t *out, const simulation *sim, const appended *frame)
{
    hn_prng prng;
    hn_prng_init(&prng, sim->seed ^ frame->serial * UINT64_C(0x9e3779b97f4a7c15));
    if (frame->serial % 7 == 0) {
        memset(out, 0x5a, frame->size);
        return;
    }
    hn_prng_fill(&prng, out, frame->size);
    if (frame->serial % 5 == 0 && frame->size > 1500)
        memset(out + 200, 0, 1200);
}

static hn_err check_frame(void *self, const hn_frame *frame)
{
    simulation *sim = self;
    uint8_t expected[PAYLOAD_MAX];
    if (frame->index != sim->next_read || frame->index > sim->last) {
        fail(sim, "frame %" PRIu64 " was read, %" PRIu64 " was expected and %" PRIu64 " is the last",
             frame->index, sim->next_read, sim->last);
        return HN_ERR_MISMATCH;
    }
    const appended *wanted = &sim->frames[frame->index];
    fill_payload(expected, sim, wanted);
    if (!hn_bytes_equal(frame->payload, hn_bytes_of(expected, wanted->size)) ||
        frame->transaction_count != (uint32_t)(wanted->serial % 1000) ||
        frame->ledger_mask != wanted->serial) {
        fail(sim, "frame %" PRIu64 " is not the one that was appended", frame->index);
        return HN_ERR_MISMATCH;
    }
    sim->next_read++;
    return HN_OK;
}

static hn_err start(simulation *sim, hn_log_problem *problem)
{
    uint64_t first = 1 + hn_prng_below(&sim->prng, sim->acknowledged + 1);
    if (hn_prng_below(&sim->prng, 2) == 0)
        first = 1;
    HN_TRY(hn_log_open(&sim->log, problem, &sim->io, &sim->options));
    const uint64_t oldest = hn_log_first_index(sim->log);
    if (oldest > sim->needed)
        fail(sim, "the log begins with frame %" PRIu64 ", but frame %" PRIu64 " was still needed", oldest,
             sim->needed);
    sim->next_read = first = first > oldest ? first : oldest;
    hn_err err = hn_log_replay(sim->log, problem, first, false, check_frame, sim);
    if (err != HN_OK) {
        hn_log_close(sim->log);
        sim->log = NULL;
    }
    return err;
}

/* Power fails, or the process alone is killed. */
static void crash(simulation *sim)
{
    if (hn_prng_below(&sim->prng, 2) == 0)
        hn_sim_disk_crash(sim->disk);
    else
        hn_sim_disk_kill(sim->disk);
    hn_log_close(sim->log);
    sim->log = NULL;
    hn_sim_disk_restart(sim->disk);
}

/* Starts, perhaps dying a few times on the way. */
static void start_again(simulation *sim)
{
    for (int attempt = 0;; attempt++) {
        hn_log_problem problem = {{0}};
        bool may_die = attempt < 3 && hn_prng_below(&sim->prng, 2) == 0;
        hn_sim_faults faults = {.dies_after = may_die ? 1 + hn_prng_below(&sim->prng, 60) : 0};
        hn_sim_disk_set_faults(sim->disk, &faults);
        hn_err err = start(sim, &problem);
        if (!sim->result->is_good)
            return;
        if (hn_sim_disk_is_dead(sim->disk)) {
            crash(sim);
            continue;
        }
        if (err != HN_OK) {
            fail(sim, "the log does not start: %s: %s", hn_err_name(err), problem.text);
            return;
        }
        sim->result->tails_cut += problem.text[0] != 0;
        break;
    }
    uint64_t last = hn_log_last_index(sim->log);
    if (last < sim->acknowledged || last > sim->last || sim->next_read != last + 1)
        fail(sim,
             "%" PRIu64 " frames were acknowledged and %" PRIu64 " appended, but the log ends with %" PRIu64,
             sim->acknowledged, sim->last, last);
    /* What has been read back stays, and everything else is gone for ever. */
    sim->last = sim->acknowledged = last;
}

static void append(simulation *sim)
{
    uint8_t *payload = hn_log_payload(sim->log);
    if (payload == NULL || sim->last + 1 >= FRAMES_MAX)
        return;
    appended frame = {.serial = ++sim->serial, .size = (uint32_t)hn_prng_below(&sim->prng, PAYLOAD_MAX + 1)};
    if (hn_prng_below(&sim->prng, 2) == 0)
        frame.size %= 200;
    fill_payload(payload, sim, &frame);
    uint64_t index = 0;
    hn_err err = hn_log_append(sim->log, &index, HN_FRAME_BATCH, (uint32_t)(frame.serial % 1000),
                               frame.serial, frame.size);
    if (err != HN_OK || index != sim->last + 1)
        fail(sim, "append: %s, index %" PRIu64, hn_err_name(err), index);
    sim->frames[++sim->last] = frame;
}

static void poll(simulation *sim)
{
    uint64_t before = hn_log_durable_index(sim->log);
    unsigned moved = hn_log_poll(sim->log);
    uint64_t after = hn_log_durable_index(sim->log);
    if (after != before + moved || after > sim->last)
        fail(sim, "poll says %u, durable went from %" PRIu64 " to %" PRIu64, moved, before, after);
    sim->acknowledged = after;
}

/* Gives up what lies before some frame that was acknowledged. */
static void recycle(simulation *sim)
{
    if (!sim->recycles || hn_prng_below(&sim->recycling, 40) != 0)
        return;
    hn_log_problem problem;
    const uint64_t frame = 1 + hn_prng_below(&sim->recycling, sim->acknowledged + 2);
    const uint64_t before = hn_log_first_index(sim->log);
    sim->needed = frame > sim->needed ? frame : sim->needed;
    hn_err err = hn_log_drop_before(sim->log, &problem, frame, 0, 1);
    if (err != HN_OK && !hn_sim_disk_is_dead(sim->disk) && hn_log_state_now(sim->log) != HN_LOG_FAILED)
        fail(sim, "the beginning cannot be given up: %s: %s", hn_err_name(err), problem.text);
    sim->result->recycled += hn_log_first_index(sim->log) != before;
}

/* One life: appends and polls with the faults of this life. */
static void live(simulation *sim)
{
    uint64_t mood = hn_prng_below(&sim->prng, 6);
    hn_sim_faults faults = {
        .busy_one_in = mood == 0 ? 3 : 0,
        .stays_one_in = hn_prng_below(&sim->prng, 3) != 0 ? 1 + (uint32_t)hn_prng_below(&sim->prng, 3) : 0,
        .write_fails_one_in = mood == 1 ? 60 : 0,
        .stuck_one_in = mood == 3 ? 40 : 0,
        .space_bytes = mood == 2 ? hn_sim_disk_used(sim->disk) + hn_prng_below(&sim->prng, SEGMENT_BYTES) : 0,
        .dies_after = sim->recycles && hn_prng_below(&sim->recycling, 3) == 0
                          ? 1 + hn_prng_below(&sim->recycling, 2 * STEPS_MAX)
                          : 0,
    };
    if (faults.stays_one_in == 1)
        faults.stays_one_in = 2;
    hn_sim_disk_set_faults(sim->disk, &faults);
    sim->is_stuck = faults.stuck_one_in != 0;
    uint64_t steps = hn_prng_below(&sim->prng, STEPS_MAX);
    for (uint64_t step = 0; step < steps && sim->result->is_good && !hn_sim_disk_is_dead(sim->disk); step++) {
        if (hn_prng_below(&sim->prng, 2) == 0)
            append(sim);
        else
            poll(sim);
        recycle(sim);
    }
    if (hn_sim_disk_is_dead(sim->disk))
        return;
    if (hn_log_state_now(sim->log) == HN_LOG_FULL) {
        sim->result->times_full++;
        if (faults.space_bytes == 0 || hn_log_payload(sim->log) != NULL)
            fail(sim, "full without reason: %s", hn_log_trouble(sim->log));
        faults.space_bytes = faults.dies_after = 0;
        hn_sim_disk_set_faults(sim->disk, &faults);
        for (int i = 0; i < RESUME_POLLS && hn_log_payload(sim->log) == NULL; i++)
            poll(sim);
        if (hn_log_payload(sim->log) == NULL)
            fail(sim, "the log does not go on although there is room again: %s", hn_log_trouble(sim->log));
        append(sim);
    }
    if (hn_log_state_now(sim->log) == HN_LOG_FAILED) {
        sim->result->times_failed++;
        if (faults.write_fails_one_in == 0)
            fail(sim, "failed without reason: %s", hn_log_trouble(sim->log));
        if (hn_log_payload(sim->log) != NULL)
            fail(sim, "a failed log takes frames");
    }
}

/* Flips one bit of the log on the medium, in or before the newest acknowledged frame, and puts it right
 * again. */
static void damage(simulation *sim)
{
    char name[HN_SEGMENT_NAME_MAX];
    const hn_log_counts counts = hn_log_count(sim->log);
    uint64_t sequence = counts.first_segment + hn_prng_below(&sim->prng, counts.segments);
    uint64_t size;
    hn_log_close(sim->log);
    sim->log = NULL;
    hn_segment_name(name, sequence);
    uint8_t *bytes = hn_sim_disk_file(sim->disk, name, &size);
    HN_CHECK(bytes != NULL);
    uint64_t at = hn_prng_below(&sim->prng, size);
    uint8_t flip = (uint8_t)(1 << hn_prng_below(&sim->prng, 8));
    bytes[at] ^= flip;
    hn_log_problem problem;
    hn_err err = hn_log_open(&sim->log, &problem, &sim->io, &sim->options);
    if (err == HN_OK)
        sim->next_read = hn_log_first_index(sim->log);
    if (err == HN_OK)
        err = hn_log_replay(sim->log, &problem, sim->next_read, true, check_frame, sim);
    if (err == HN_OK && hn_log_last_index(sim->log) < sim->acknowledged)
        fail(sim, "bit flipped in %s at %" PRIu64 ": acknowledged frames were lost silently", name, at);
    if (err != HN_OK && problem.text[0] == 0)
        fail(sim, "%s without a text", hn_err_name(err));
    if (err != HN_OK && strstr(problem.text, name) == NULL)
        fail(sim, "bit flipped in %s at %" PRIu64 ", but the text says: %s", name, at, problem.text);
    sim->result->damages_found += err != HN_OK;
    if (sim->log != NULL)
        hn_log_close(sim->log);
    sim->log = NULL;
    bytes[at] ^= flip;
}

void hn_log_sim_run(hn_log_sim_result *result, uint64_t seed)
{
    simulation sim = {.result = result, .seed = seed};
    hn_prng_init(&sim.prng, seed);
    hn_prng_init(&sim.recycling, ~seed);
    sim.recycles = hn_prng_below(&sim.recycling, 2) == 0;
    sim.needed = 1;
    sim.disk = hn_sim_disk_create(hn_prng_next(&sim.prng), hn_prng_below(&sim.prng, 4) == 0 ? 4096 : 512);
    sim.io = hn_sim_disk_io(sim.disk);
    sim.options = (hn_log_options){
        .cluster_id = CLUSTER,
        .segment_bytes = SEGMENT_BYTES,
        .in_flight_max = 1 + (uint32_t)hn_prng_below(&sim.prng, 3),
        .frame_bytes_max = PAYLOAD_MAX,
    };
    sim.frames = calloc(FRAMES_MAX, sizeof *sim.frames);
    HN_CHECK(sim.frames != NULL);
    result->is_good = true;
    for (int life = 0; life < LIVES && result->is_good; life++) {
        start_again(&sim);
        if (!result->is_good)
            break;
        live(&sim);
        result->lives++;
        if (sim.is_stuck || hn_sim_disk_is_dead(sim.disk)) {
            crash(&sim);
        } else if (hn_prng_below(&sim.prng, 4) == 0) {
            hn_sim_disk_set_faults(sim.disk, &(hn_sim_faults){0});
            damage(&sim);
            if (!result->is_good)
                break;
        } else if (hn_prng_below(&sim.prng, 4) == 0) {
            hn_log_close(sim.log);
            sim.log = NULL;
        } else {
            crash(&sim);
        }
    }
    result->frames_acknowledged += sim.acknowledged;
    if (sim.log != NULL)
        hn_log_close(sim.log);
    hn_sim_disk_destroy(sim.disk);
    free(sim.frames);
}
