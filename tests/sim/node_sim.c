#include "tests/sim/node_sim_internal.h"

#include "engine/base/check.h"
#include "shard/log/frame.h"
#include "shard/store/ways_back.h"
#include "tests/sim/fiber.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LIVES = 7,
    STEPS_MAX = 2500,
    HEALED_STEPS_MAX = 400000,
    IDLE_STEPS = 40,
    STARTS_MAX = 12,
    STAGES_SKIPPED = 12, /* of 16, of the stage that is slow in this life */
    PAUSE_STEPS_MAX = 400,
    BACKGROUND = 16, /* in place of a stage: the threads beside the cores */
};

static uint64_t seed_now, step_now;

void hn_node_sim_where(uint64_t *seed, uint64_t *step)
{
    *seed = seed_now;
    *step = step_now;
}

void hn_node_sim_fail(simulation *sim, const char *format, ...)
{
    if (!sim->result->is_good)
        return;
    sim->result->is_good = false;
    va_list arguments;
    va_start(arguments, format);
    int used = snprintf(sim->result->problem, sizeof sim->result->problem,
                        "step %" PRIu64 ", life %" PRIu64 ": ", sim->steps, sim->life);
    vsnprintf(sim->result->problem + used, sizeof sim->result->problem - (size_t)used, format, arguments);
    va_end(arguments);
}

static void mix(simulation *sim, uint64_t value)
{
    sim->result->digest = (sim->result->digest ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    sim->result->digest ^= sim->result->digest >> 29;
}

static bool one_in(simulation *sim, uint32_t n)
{
    return hn_prng_below(&sim->prng, n) == 0;
}

/* --- what the world tells
 * ----------------------------------------------------------------------------------- */

static void note_appended(void *self, uint64_t index, hn_bytes payload, uint64_t durable_index)
{
    simulation *sim = self;
    mix(sim, index << 32 ^ payload.size);
    hn_sim_oracle_note_appended(sim->oracle, index, payload, durable_index);
    sim->result->frames++;
}

static void note_replayed(void *self, const hn_frame *frame)
{
    simulation *sim = self;
    hn_sim_oracle_check_frame(sim->oracle, frame);
}

static void note_oracle_failure(void *self, const char *what)
{
    hn_node_sim_fail(self, "%s", what);
}

static void note_traffic_failure(void *self, const char *what, const hn_sim_transaction *transaction)
{
    hn_node_sim_fail(self, "ledger %" PRIu32 ", sender %" PRIu32 ", nonce %" PRIu64 ": %s",
                     transaction->ledger, transaction->sender, transaction->nonce, what);
}

static void note_acknowledged(void *self, const hn_sim_transaction *transaction, bool is_visible)
{
    simulation *sim = self;
    sim->result->acknowledged++;
    mix(sim, transaction->block_number << 8 ^ transaction->nonce << 1 ^ is_visible);
}

/* --- time and steps
 * ----------------------------------------------------------------------------------------- */

static void pass_time(simulation *sim, uint64_t ns)
{
    sim->world.monotonic_ns += ns;
    sim->world.realtime_ns += ns + ns / 1024 * sim->drift;
}

static void jump_clock(simulation *sim)
{
    uint64_t by = hn_prng_below(&sim->prng, UINT64_C(3600000000000));
    if (one_in(sim, 2))
        by /= 1000;
    sim->world.realtime_ns += one_in(sim, 2) ? by : -by;
}

/* One stage of the node, not always the one whose turn it would be. */
static unsigned run_stage(simulation *sim)
{
    const hn_core *core = sim->world.core;
    unsigned which = (unsigned)hn_prng_below(&sim->prng, core->stage_count);
    if (which == sim->paused_stage)
        return 0;
    if (which == sim->slow_stage && hn_prng_below(&sim->prng, 16) < STAGES_SKIPPED)
        return 0;
    return core->stages[which].poll(core->stages[which].self);
}

/* As SIGSTOP does to one thread: nothing of it runs for a while, and seconds may pass. */
static void pause_something(simulation *sim)
{
    if (sim->steps >= sim->paused_until)
        sim->paused_stage = UINT32_MAX;
    if (!sim->pauses || sim->paused_stage != UINT32_MAX || !one_in(sim, 300))
        return;
    sim->paused_stage = (unsigned)hn_prng_below(&sim->prng, BACKGROUND + 1);
    sim->paused_until = sim->steps + hn_prng_below(&sim->prng, PAUSE_STEPS_MAX);
    sim->result->pauses++;
    pass_time(sim, hn_prng_below(&sim->prng, 1000000000));
}

static void step(simulation *sim)
{
    step_now = ++sim->steps;
    unsigned done = 0;
    uint64_t choice = hn_prng_below(&sim->prng, 100);
    pause_something(sim);
    if (choice < 4 && sim->paused_stage == BACKGROUND)
        ;
    else if (choice < 4)
        done = hn_sim_fibers_run_one(sim->world.monotonic_ns, hn_prng_next(&sim->prng));
    else if (choice < 80)
        done = run_stage(sim);
    else if (choice < 98)
        done = hn_sim_traffic_step(sim->traffic, sim->world.monotonic_ns);
    else if (sim->paused_stage == UINT32_MAX)
        done = hn_core_poll((hn_core *)(uintptr_t)sim->world.core);
    if (sim->jumps && one_in(sim, 500))
        jump_clock(sim);
    if (one_in(sim, 100) && !sim->is_healed)
        hn_sim_traffic_repeat_one(sim->traffic, sim->world.monotonic_ns);
    pass_time(sim, hn_prng_below(&sim->prng, 5000));
    sim->idle = done != 0 ? 0 : sim->idle + 1;
    if (sim->idle > IDLE_STEPS) {
        pass_time(sim, hn_prng_below(&sim->prng, 20000000));
        sim->idle = 0;
    }
}

/* The main thread waits for the cores. */
static void note_slept(void *self, uint64_t ns)
{
    simulation *sim = self;
    if (sim->world.is_dead || hn_sim_disk_is_dead(sim->disk))
        (void)hn_stage_query(sim->node); /* what a background thread waits for, so that it ends */
    for (unsigned i = 0; i < 12 && !sim->world.is_dead && !hn_sim_disk_is_dead(sim->disk); i++)
        step(sim);
    pass_time(sim, ns);
}

/* --- starting
 * ----------------------------------------------------------------------------------------------- */

static hn_err start(simulation *sim, hn_node_problem *problem)
{
    hn_node_options options;
    hn_node_options_default(&options);
    options.data_directory = sim->directory;
    options.ledgers = hn_sim_traffic_ledgers(sim->traffic);
    options.ledger_count = sim->ledgers;
    options.cores = 1;
    options.shards = sim->shards;
    options.known_senders = 4; /* fewer than there are */
    options.log_segment_bytes = sim->segment_bytes;
    options.log_in_flight = sim->in_flight;
    options.is_log_recycled = sim->recycles;
    if (sim->recycles) {
        options.snapshot_every_frames = 1 + hn_prng_below(&sim->recycling, 3);
        options.snapshot_bytes_per_second = 0;
    }
    options.snapshot_after_frames = 1 + hn_prng_below(&sim->prng, 30);
    options.snapshot_every_frames = 1 + hn_prng_below(&sim->prng, 12);
    options.snapshots_kept = 2;
    options.snapshot_bytes_per_second = sim->ledgers == 1 ? 1024 * 1024 : 0;
    options.history_map_bytes = 64 * 1024 * 1024;
    options.state_window_blocks = 8;
    options.is_quiet = true;
    sim->world.core = NULL;
    HN_TRY(hn_node_create(&sim->node, problem, &options));
    return HN_OK;
}

/* The log from its first frame, read by somebody else. */
static void read_log(simulation *sim)
{
    hn_io io = hn_sim_disk_io(sim->disk);
    hn_log *log;
    hn_log_problem why = {.text = ""};
    hn_log_options options = {.segment_bytes = sim->segment_bytes,
                              .in_flight_max = sim->in_flight,
                              .frame_bytes_max = HN_FRAME_PAYLOAD_BYTES_MAX};
    hn_err err = hn_log_open(&log, &why, &io, &options);
    if (err == HN_OK) {
        err = hn_log_replay(log, &why, hn_log_first_index(log), true,
                            (hn_err(*)(void *, const hn_frame *))hn_node_sim_check_frame, sim);
        if (err == HN_OK && hn_log_last_index(log) != hn_log_last_index(sim->node->log))
            hn_node_sim_fail(sim, "the log ends at different frames for different readers");
        hn_log_close(log);
    }
    if (err != HN_OK)
        hn_node_sim_fail(sim, "the log cannot be read again: %s: %s", hn_err_name(err), why.text);
}

hn_err hn_node_sim_check_frame(void *self, const hn_frame *frame)
{
    note_replayed(self, frame);
    return HN_OK;
}

/* A log that gave up its beginning leaves two independent ways back to each ledger that was there. */
static void check_ways_back(simulation *sim)
{
    hn_io io = hn_sim_disk_io(sim->disk);
    const uint64_t first = hn_log_first_index(sim->node->log);
    if (first == 1)
        return;
    sim->result->recycled++;
    for (uint32_t i = 0; i < sim->node->ledger_count; i++) {
        hn_ways_back ways;
        HN_CHECK(hn_ways_back_list(&ways, &io, sim->node->ledgers[i]->name, NULL, NULL) == HN_OK);
        uint64_t seen = UINT64_MAX;
        unsigned count = 0;
        for (unsigned j = 0; j < ways.count; j++) {
            const hn_way_back *way = &ways.items[j];
            if (!way->is_whole || way->log_index + 1 < first || way->full_index == seen)
                continue;
            seen = way->full_index;
            count++;
        }
        hn_ways_back_free(&ways);
        if (count < 2)
            hn_node_sim_fail(sim, "the log begins with frame %" PRIu64 ", but %s has %u ways back", first,
                             sim->node->ledgers[i]->name, count);
    }
}

/* What recovery made of the disk. */
static void check_recovered(simulation *sim)
{
    uint64_t last = hn_log_last_index(sim->node->log);
    if (sim->node->has_lost_end)
        hn_node_sim_fail(sim, "the log lost its end, says a node with a sound disk");
    hn_sim_oracle_settle(sim->oracle, last);
    if (!sim->result->is_good)
        return;
    hn_sim_oracle_compare(sim->oracle, sim->node, last);
    hn_sim_oracle_check_acknowledged(sim->oracle, last);
    if (one_in(sim, 4))
        read_log(sim);
    check_ways_back(sim);
    mix(sim, hn_sim_oracle_digest(sim->oracle));
    mix(sim, hn_sim_disk_operations(sim->disk));
}

/* Starts, perhaps dying or failing a few times on the way. */
static void start_again(simulation *sim)
{
    for (int attempt = 0; sim->result->is_good; attempt++) {
        hn_node_problem problem = {.text = ""};
        bool is_hard = attempt < STARTS_MAX / 2 && one_in(sim, 3);
        hn_sim_faults faults = {
            .dies_after = is_hard && one_in(sim, 2) ? 1 + hn_prng_below(&sim->prng, 120) : 0,
            .call_fails_one_in = is_hard && one_in(sim, 2) ? 10 : 0,
        };
        hn_sim_disk_set_faults(sim->disk, &faults);
        hn_err err = start(sim, &problem);
        if (!sim->result->is_good)
            return;
        if (!hn_sim_disk_is_dead(sim->disk) && err == HN_OK)
            break;
        if (attempt > 0)
            hn_node_sim_forget_lie(sim);
        if (hn_sim_disk_is_dead(sim->disk)) {
            hn_node_sim_die(sim);
            continue;
        }
        if (!is_hard || problem.text[0] == '\0' || attempt > STARTS_MAX) {
            hn_node_sim_fail(sim, "the node does not start: %s: %s", hn_err_name(err), problem.text);
            return;
        }
        sim->result->refused++;
        hn_node_sim_forget_lie(sim);
    }
    hn_sim_disk_set_faults(sim->disk, &(hn_sim_faults){0});
    if (sim->result->is_good)
        check_recovered(sim);
}

/* --- a life
 * ------------------------------------------------------------------------------------------------- */

static void choose_faults(simulation *sim)
{
    uint64_t mood = hn_prng_below(&sim->prng, 10);
    bool is_short = mood == 0 || mood == 9;
    hn_sim_faults faults = {
        .busy_one_in = mood == 1 ? 3 : 0,
        .stays_one_in = one_in(sim, 2) ? 2 + (uint32_t)hn_prng_below(&sim->prng, 6) : 0,
        .write_fails_one_in = mood == 2 ? 60 : 0,
        .stuck_one_in = mood == 3 ? 30 : 0,
        .call_fails_one_in = mood == 4 ? 20 : 0,
        .dies_after = mood == 5 || mood == 6 ? 1 + hn_prng_below(&sim->prng, 1500) : 0,
        .space_bytes =
            is_short ? hn_sim_disk_used(sim->disk) + hn_prng_below(&sim->prng, sim->segment_bytes) : 0,
    };
    hn_sim_disk_set_faults(sim->disk, &faults);
    sim->is_stuck = faults.stuck_one_in != 0;
    sim->may_fail = mood == 2 || mood == 4;
    sim->world.commits_fail_one_in = mood == 7 ? 2 : 0;
    sim->slow_stage = (unsigned)hn_prng_below(&sim->prng, 24); /* often none */
    sim->jumps = one_in(sim, 3);
    sim->pauses = one_in(sim, 3);
    sim->drift = one_in(sim, 4) ? hn_prng_below(&sim->prng, 100) : 0;
    hn_sim_network_faults network = {
        .lost_one_in = one_in(sim, 2) ? 3 + (uint32_t)hn_prng_below(&sim->prng, 10) : 0,
        .repeated_one_in = one_in(sim, 2) ? 3 + (uint32_t)hn_prng_below(&sim->prng, 10) : 0,
        .delay_ns_max = one_in(sim, 2) ? hn_prng_below(&sim->prng, 30000000) : 50000,
    };
    hn_sim_network_set_faults(sim->network, &network);
    size_t count;
    (void)hn_sim_traffic_all(sim->traffic, &count);
    hn_sim_traffic_allow(sim->traffic,
                         (uint32_t)(count / LIVES + hn_prng_below(&sim->prng, count / LIVES + 1)));
}

static bool is_over(const simulation *sim)
{
    return !sim->result->is_good || hn_sim_disk_is_dead(sim->disk) || hn_node_failed(sim->node);
}

/* What the node shows to readers must be what will stay. */
static void check_running(simulation *sim)
{
    hn_sim_oracle_advance(sim->oracle, hn_log_durable_index(sim->node->log));
    hn_sim_oracle_check_acknowledged(sim->oracle, hn_sim_oracle_advanced(sim->oracle));
}

static void begin_life(simulation *sim)
{
    hn_node_problem problem = {.text = ""};
    if (hn_node_start(sim->node, &problem) != HN_OK)
        hn_node_sim_fail(sim, "the node's cores do not start: %s", problem.text);
    hn_sim_traffic_connect(sim->traffic, sim->node);
    sim->life++;
    sim->result->lives++;
}

static void live(simulation *sim)
{
    begin_life(sim);
    choose_faults(sim);
    uint64_t steps = hn_prng_below(&sim->prng, STEPS_MAX);
    if (one_in(sim, 8))
        steps /= 20;
    for (uint64_t i = 0; i < steps && !is_over(sim); i++)
        step(sim);
    if (!sim->result->is_good)
        return;
    hn_sim_oracle_compare_published(sim->oracle, sim->node);
    if (hn_log_state_now(sim->node->log) == HN_LOG_FULL)
        sim->result->times_full++;
    if (hn_node_failed(sim->node)) {
        sim->result->times_failed++;
        if (!sim->may_fail && !hn_sim_disk_is_dead(sim->disk))
            hn_node_sim_fail(sim, "the log failed without a reason: %s", hn_log_trouble(sim->node->log));
    }
}

/* The orderly end; on a disk that works, nothing may be left undone. */
static void stop(simulation *sim)
{
    bool is_easy = !sim->is_stuck && !hn_node_failed(sim->node) && one_in(sim, 2);
    if (is_easy) {
        hn_sim_disk_set_faults(sim->disk, &(hn_sim_faults){0});
        sim->world.commits_fail_one_in = 0;
    }
    bool is_complete = hn_node_stop(sim->node, 60000);
    if (hn_sim_disk_is_dead(sim->disk) || !sim->result->is_good)
        return;
    if (is_easy && !is_complete)
        hn_node_sim_fail(sim, "an orderly stop left something undone");
    sim->result->stops++;
}

static void end_life(simulation *sim)
{
    if (!sim->result->is_good) {
        hn_node_sim_die(sim);
        return;
    }
    if (!hn_sim_disk_is_dead(sim->disk) && !sim->is_stuck && (hn_node_failed(sim->node) || one_in(sim, 3)))
        stop(sim);
    hn_node_sim_die(sim);
}

/* All faults are over: everything that clients want must be done, within a bound. */
static void heal(simulation *sim)
{
    begin_life(sim);
    hn_sim_disk_set_faults(sim->disk, &(hn_sim_faults){0});
    hn_sim_network_set_faults(sim->network, &(hn_sim_network_faults){.delay_ns_max = 100000});
    sim->world.commits_fail_one_in = 0;
    sim->jumps = sim->pauses = false;
    sim->paused_stage = UINT32_MAX;
    sim->drift = 0;
    sim->slow_stage = UINT32_MAX;
    sim->is_stuck = sim->may_fail = false;
    sim->is_healed = true; /* clients must get on by themselves */
    hn_sim_traffic_allow(sim->traffic, UINT32_MAX);
    size_t wanted, i = 0;
    const hn_sim_transaction *all = hn_sim_traffic_all(sim->traffic, &wanted);
    uint64_t bound = sim->steps + HEALED_STEPS_MAX;
    for (; i < wanted && sim->steps < bound && !is_over(sim); step(sim))
        while (i < wanted && all[i].is_acknowledged)
            i++;
    if (is_over(sim))
        hn_node_sim_fail(sim, "the node failed although all faults were over: %s",
                         hn_log_trouble(sim->node->log));
    else if (i < wanted)
        hn_node_sim_fail(sim,
                         "no progress although all faults were over: ledger %" PRIu32 ", sender %" PRIu32
                         ", nonce %" PRIu64 " of client %" PRIu32 " has no answer",
                         all[i].ledger, all[i].sender, all[i].nonce, all[i].client);
    check_running(sim);
}

static void open_simulation(simulation *sim)
{
    hn_prng_init(&sim->prng, sim->seed);
    hn_prng *prng = &sim->prng;
    hn_prng_init(&sim->recycling, ~sim->seed);
    sim->recycles = hn_prng_below(&sim->recycling, 3) == 0;
    static const size_t alignments[] = {512, 4096, 4096};
    size_t alignment = alignments[hn_prng_below(prng, 3)];
    sim->disk = hn_sim_disk_create(hn_prng_next(prng), alignment);
    sim->network = hn_sim_network_create(hn_prng_next(prng));
    sim->world = (hn_sim_world){
        .disk = sim->disk,
        .network = sim->network,
        .monotonic_ns = UINT64_C(1000000000000),
        .realtime_ns = UINT64_C(1700000000000000000),
        .self = sim,
        .appended = note_appended,
        .replayed = note_replayed,
        .slept = note_slept,
    };
    hn_prng_init(&sim->world.prng, hn_prng_next(prng));
    hn_sim_world_now = &sim->world;
    sim->ledgers = 1 + (uint32_t)hn_prng_below(prng, HN_SIM_LEDGERS_MAX);
    sim->shards = 1 + (uint32_t)hn_prng_below(prng, 2);
    sim->in_flight = 1 + (uint32_t)hn_prng_below(prng, 3);
    sim->segment_bytes =
        (sim->in_flight + 3) * (HN_FRAME_PAYLOAD_BYTES_MAX + 4096) + hn_prng_below(prng, 3) * 16384;
    uint32_t transactions = 8 + (uint32_t)hn_prng_below(prng, 32);
    if (sim->recycles) {
        /* As small as they may be, and something to fill them with. */
        sim->segment_bytes = (sim->in_flight + 3) * hn_frame_size(HN_FRAME_PAYLOAD_BYTES_MAX, alignment);
        sim->ledgers = 1 + sim->ledgers % 2;
        transactions += 48;
    }
    HN_CHECK(hn_signature_context_create(&sim->signatures) == HN_OK);
    HN_CHECK(hn_precompile_context_create(&sim->precompiles) == HN_OK);
    hn_sim_traffic_options wanted = {
        .ledgers = sim->ledgers,
        .transactions = transactions,
        .signatures = sim->signatures,
        .network = sim->network,
        .self = sim,
        .failed = note_traffic_failure,
        .acknowledged = note_acknowledged,
    };
    sim->traffic = hn_sim_traffic_create(hn_prng_next(prng), &wanted);
    hn_sim_oracle_options options = {
        .ledgers = sim->ledgers,
        .traffic = sim->traffic,
        .signatures = sim->signatures,
        .precompiles = sim->precompiles,
        .self = sim,
        .failed = note_oracle_failure,
    };
    sim->oracle = hn_sim_oracle_create(&options);
}

static void close_simulation(simulation *sim)
{
    hn_node_sim_forget_lie(sim);
    hn_sim_oracle_destroy(sim->oracle);
    hn_sim_traffic_destroy(sim->traffic);
    hn_precompile_context_destroy(sim->precompiles);
    hn_signature_context_destroy(sim->signatures);
    hn_sim_network_destroy(sim->network);
    hn_sim_disk_destroy(sim->disk);
    hn_node_sim_empty_directory(sim->directory);
    hn_sim_world_now = NULL;
}

void hn_node_sim_run(hn_node_sim_result *result, uint64_t seed, const char *directory)
{
    simulation sim = {.result = result, .seed = seed, .directory = directory, .paused_stage = UINT32_MAX};
    seed_now = seed;
    step_now = 0;
    result->is_good = true;
    result->digest = seed;
    result->runs++;
    open_simulation(&sim);
    for (int i = 0; i < LIVES && result->is_good; i++) {
        start_again(&sim);
        if (result->is_good)
            hn_node_sim_try_damage(&sim);
        if (result->is_good)
            live(&sim);
        end_life(&sim);
    }
    start_again(&sim);
    if (result->is_good)
        heal(&sim);
    hn_node_sim_die(&sim);
    mix(&sim, hn_sim_oracle_digest(sim.oracle));
    result->steps += sim.steps;
    close_simulation(&sim);
}
