/* The thread that writes snapshots: when one is due, how it is taken, checked and counted.
 *
 * The state comes from the readers' copy (pipeline/query/walk.h), so neither the executor nor the sealer
 * waits; what it was at the pinned block is collected a few entries at a time and written outside of the
 * lock.
 */
#include "pipeline/stage/snapshot_writer.h"

#include "engine/base/check.h"
#include "pipeline/query/walk.h"
#include "pipeline/stage/log_recycle.h"
#include "pipeline/stage/snapshot_pace.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    LOOK_NS = 100 * 1000 * 1000,
    ENTRIES_AT_ONCE = 128, /* the sealer waits meanwhile: some 30 microseconds */
    NICENESS = 10,
    VERIFY_BYTES = 256 * 1024 * 1024,
};
#define NS_PER_MINUTE UINT64_C(60000000000)

/* What a step of the walk gave, copied. */
typedef struct entry {
    enum { ENTRY_CODE, ENTRY_ACCOUNT, ENTRY_SLOT } kind;
    hn_address address;
    union {
        const hn_code *code; /* codes stay where they are */
        hn_account account;
        hn_u256 slot[2]; /* key and value */
    } as;
} entry;

typedef struct hn_snapshot_writer_thread {
    hn_node *node;
    pthread_t thread;
    atomic_bool stop;
    hn_query_engine *reader;
    hn_pace pace;
    hn_arena arena; /* of one snapshot */
    hn_query_walk_place *place;
    hn_snapshot_info *info;
    hn_node_ledger *ledger; /* being written */
    entry *entries;
    size_t entry_count, entry_capacity;
    /* When the last round began. */
    uint64_t round_index;
    uint64_t round_bytes;
    uint64_t round_ns;
    uint64_t asked_done;
    uint64_t saved_number[HN_LEDGERS_MAX]; /* block of the newest snapshot of this run; UINT64_MAX: none */

    _Atomic uint64_t asked;
    _Atomic(const char *) state;
    _Atomic(const char *) ledger_name;
    _Atomic uint64_t rounds, written, failed, bytes, last_index, last_ns;
} snapshots;

/* --- collecting
 * ---------------------------------------------------------------------------------------------- */

static hn_err add(snapshots *self, entry **out)
{
    if (self->entry_count == self->entry_capacity) {
        size_t capacity = self->entry_capacity != 0 ? 2 * self->entry_capacity : ENTRIES_AT_ONCE;
        entry *larger = realloc(self->entries, capacity * sizeof *larger);
        if (larger == NULL)
            return HN_ERR_NO_MEMORY;
        self->entries = larger;
        self->entry_capacity = capacity;
    }
    *out = &self->entries[self->entry_count++];
    return HN_OK;
}

static hn_err collect_code(void *self, const hn_code *code)
{
    entry *to = NULL;
    HN_TRY(add(self, &to));
    to->kind = ENTRY_CODE;
    to->as.code = code;
    return HN_OK;
}

static hn_err collect_account(void *self, const hn_address *address, const hn_account *account)
{
    entry *to = NULL;
    HN_TRY(add(self, &to));
    to->kind = ENTRY_ACCOUNT;
    to->address = *address;
    to->as.account = *account;
    return HN_OK;
}

static hn_err collect_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    entry *to = NULL;
    HN_TRY(add(self, &to));
    to->kind = ENTRY_SLOT;
    to->address = *address;
    to->as.slot[0] = *key;
    to->as.slot[1] = *value;
    return HN_OK;
}

static hn_err put(const hn_flat_visitor *to, const entry *each)
{
    switch (each->kind) {
    case ENTRY_CODE:
        return to->code(to->self, each->as.code);
    case ENTRY_ACCOUNT:
        return to->account(to->self, &each->address, &each->as.account);
    case ENTRY_SLOT:
    default:
        return to->slot(to->self, &each->address, &each->as.slot[0], &each->as.slot[1]);
    }
}

static hn_err copy_state(snapshots *self, hn_query_walk *walk, const hn_flat_visitor *to)
{
    const hn_flat_visitor visitor = {
        .account = collect_account, .slot = collect_slot, .code = collect_code, .self = self};
    for (bool is_done = false; !is_done;) {
        self->entry_count = 0;
        HN_TRY(hn_query_walk_step(walk, &is_done, &visitor, ENTRIES_AT_ONCE));
        for (size_t i = 0; i < self->entry_count; i++)
            HN_TRY(put(to, &self->entries[i]));
    }
    return HN_OK;
}

/* --- one snapshot
 * -------------------------------------------------------------------------------------------- */

/* On the back core, between two publications: the newest frame all of whose effects on the ledger are in what
 * is published, and none of a later one. When nothing that was ordered for its shard is unpublished, that is
 * the newest durable one; else the one of its newest block, or the one before its shard's newest. */
static void note_position(void *context)
{
    snapshots *self = context;
    const hn_node *node = self->node;
    const hn_node_ledger *ledger = self->ledger;
    const hn_shard_lane *lane = node->shards[ledger->shard];
    uint64_t index = hn_log_durable_index(node->log);
    if (atomic_load_explicit(&lane->ordered, memory_order_relaxed) != lane->published) {
        uint64_t before = lane->published_frame != 0 ? lane->published_frame - 1 : 0;
        index = ledger->published_frame > before ? ledger->published_frame : before;
        index = index > ledger->snapshot_index ? index : ledger->snapshot_index;
    }
    self->info->log_index = index;
    self->info->has_chain = hn_log_chain_at(node->log, &self->info->chain, self->info->log_index);
}

static void fill_info(snapshots *self)
{
    hn_snapshot_info *info = self->info;
    snprintf(info->ledger_name, sizeof info->ledger_name, "%s", self->ledger->name);
    info->chain_id = self->ledger->genesis.config.chain_id;
    info->genesis_hash = self->ledger->genesis_hash;
    info->head = self->place->head;
    info->recent_hash_count = self->place->hash_count;
    memcpy(info->recent_hashes, self->place->hashes, self->place->hash_count * sizeof self->place->hashes[0]);
}

static hn_err write_file(snapshots *self, hn_query_walk *walk, hn_snapshot_problem *why)
{
    const hn_snapshot_pace pace = {.before = hn_pace_before, .self = &self->pace};
    hn_snapshot_writer *writer = NULL;
    uint64_t bytes = 0;
    HN_TRY(hn_snapshot_begin(&writer, &self->node->io, why, self->info, self->place->account_count,
                             self->place->slot_count, &pace));
    const hn_flat_visitor to = hn_snapshot_visitor(writer);
    hn_err err = copy_state(self, walk, &to);
    if (err != HN_OK) {
        hn_snapshot_abandon(writer, why, err);
        return err;
    }
    HN_TRY(hn_snapshot_finish(writer, why, &bytes));
    hn_count(&self->bytes, bytes);
    return HN_OK;
}

/* Reads back what was written; when it is good it counts, and older ones go. */
static hn_err check_and_publish(snapshots *self, hn_snapshot_problem *why)
{
    const hn_snapshot_pace pace = {.before = hn_pace_before, .self = &self->pace};
    const hn_io *io = &self->node->io;
    const char *name = self->ledger->name;
    uint64_t index = self->info->log_index;
    atomic_store(&self->state, "verifying");
    hn_err err = hn_snapshot_verify(io, why, name, index, true, VERIFY_BYTES, &pace);
    if (err == HN_OK)
        err = hn_snapshot_publish(io, why, name, index);
    if (err != HN_OK)
        hn_snapshot_discard(io, name, index);
    return err;
}

static hn_err save(snapshots *self, hn_snapshot_problem *why)
{
    hn_query_walk *walk;
    atomic_store(&self->state, "writing");
    HN_TRY(hn_query_walk_begin(&walk, self->place, &self->arena, self->reader, self->ledger->index,
                               note_position, self));
    fill_info(self);
    hn_err err = write_file(self, walk, why);
    hn_query_walk_end(walk);
    return err == HN_OK ? check_and_publish(self, why) : err;
}

static bool is_stopping(const snapshots *self)
{
    return atomic_load_explicit(&self->stop, memory_order_relaxed);
}

static hn_err retire(snapshots *self)
{
    const hn_snapshot_pace pace = {.before = hn_pace_before, .self = &self->pace};
    return hn_snapshot_retire(&self->node->io, self->ledger->name, self->node->options.snapshots_kept,
                              self->info->log_index, &pace);
}

static void save_ledger(snapshots *self, hn_node_ledger *ledger)
{
    hn_snapshot_problem why = {.text = ""};
    uint64_t started_ns = hn_clock_monotonic_ns();
    self->ledger = ledger;
    atomic_store(&self->ledger_name, ledger->name);
    hn_arena_reset(&self->arena);
    hn_err err = save(self, &why);
    if (err == HN_OK) {
        self->saved_number[ledger->index] = self->info->head.number;
        hn_count(&self->written, 1);
        atomic_store(&self->last_ns, hn_clock_monotonic_ns() - started_ns);
        err = retire(self);
    }
    if (err == HN_OK || is_stopping(self))
        return;
    hn_count(&self->failed, 1);
    fprintf(stderr, "hanse: ledger %s: no snapshot: %s; the log has everything\n", ledger->name,
            why.text[0] != '\0' ? why.text : hn_err_text(err));
}

/* --- when
 * ---------------------------------------------------------------------------------------------------- */

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void begin_round(snapshots *self)
{
    self->round_index = hn_log_durable_index(self->node->log);
    self->round_bytes = read_counter(&self->node->log_view.bytes);
    self->round_ns = hn_clock_monotonic_ns();
}

static bool is_due(const snapshots *self)
{
    const hn_node_options *options = &self->node->options;
    if (read_counter(&self->asked) != self->asked_done)
        return true;
    uint64_t frames = hn_log_durable_index(self->node->log) - self->round_index;
    uint64_t bytes = read_counter(&self->node->log_view.bytes) - self->round_bytes;
    if (frames == 0)
        return false;
    return (options->snapshot_every_frames != 0 && frames >= options->snapshot_every_frames) ||
           (options->snapshot_every_bytes != 0 && bytes >= options->snapshot_every_bytes) ||
           (options->snapshot_every_minutes != 0 &&
            hn_clock_monotonic_ns() - self->round_ns >= options->snapshot_every_minutes * NS_PER_MINUTE);
}

static void run_round(snapshots *self)
{
    hn_node *node = self->node;
    uint64_t asked = read_counter(&self->asked);
    begin_round(self);
    for (uint32_t i = 0; i < node->ledger_count && !is_stopping(self); i++)
        if (node->options.is_log_recycled ||
            self->saved_number[i] != read_counter(&node->ledgers[i]->published_number))
            save_ledger(self, node->ledgers[i]);
    self->asked_done = asked;
    if (!is_stopping(self)) {
        hn_node_recycle_log(node);
        hn_count(&self->rounds, 1);
        atomic_store(&self->last_index, self->round_index);
    }
    atomic_store(&self->ledger_name, "");
    atomic_store(&self->state, "idle");
}

static void *run(void *argument)
{
    snapshots *self = argument;
    const struct timespec pause = {.tv_nsec = LOOK_NS};
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS); /* refused: it is only less polite */
    begin_round(self);
    hn_node_recycle_log(self->node);
    while (!is_stopping(self)) {
        if (is_due(self) && !hn_node_failed(self->node))
            run_round(self);
        hn_pace_learn(&self->pace);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* --- its life
 * ------------------------------------------------------------------------------------------------ */

static void destroy(snapshots *self)
{
    hn_query_engine_destroy(self->reader);
    hn_arena_destroy(&self->arena);
    free(self->entries);
    free(self->place);
    free(self->info);
    free(self);
}

/* Signals are the main thread's. */
static int start_thread(snapshots *self)
{
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a page of the history that cannot be read: see pipeline/cli/mapped_files.h */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&self->thread, NULL, run, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code == 0)
        (void)pthread_setname_np(self->thread, "hanse-snapshot");
    return code;
}

hn_err hn_node_start_snapshots(hn_node *node)
{
    snapshots *self = calloc(1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    self->node = node;
    hn_arena_init(&self->arena, 0, 0);
    atomic_init(&self->state, "idle");
    atomic_init(&self->ledger_name, "");
    for (uint32_t i = 0; i < HN_LEDGERS_MAX; i++)
        self->saved_number[i] = UINT64_MAX;
    hn_pace_init(&self->pace, &node->log_view, &self->stop, node->options.snapshot_bytes_per_second);
    self->place = calloc(1, sizeof *self->place);
    self->info = calloc(1, sizeof *self->info);
    hn_err err = self->place != NULL && self->info != NULL ? HN_OK : HN_ERR_NO_MEMORY;
    if (err == HN_OK)
        err = hn_query_reader_create(&self->reader, node->query_engine, HN_QUERY_READER_OF_SNAPSHOTS);
    if (err == HN_OK && start_thread(self) != 0)
        err = HN_ERR_SYSTEM;
    if (err != HN_OK) {
        destroy(self);
        return err;
    }
    node->snapshots = self;
    return HN_OK;
}

void hn_node_stop_snapshots(hn_node *node)
{
    snapshots *self = node->snapshots;
    if (self == NULL || is_stopping(self))
        return;
    atomic_store(&self->stop, true);
    HN_CHECK(pthread_join(self->thread, NULL) == 0);
}

void hn_node_destroy_snapshots(hn_node *node)
{
    hn_node_stop_snapshots(node);
    if (node->snapshots != NULL)
        destroy(node->snapshots);
    node->snapshots = NULL;
}

void hn_node_ask_for_snapshots(hn_node *node)
{
    atomic_fetch_add(&node->snapshots->asked, 1);
}

hn_snapshot_status hn_node_snapshot_status(const hn_node *node)
{
    const snapshots *self = node->snapshots;
    return (hn_snapshot_status){
        .state = atomic_load(&self->state),
        .ledger = atomic_load(&self->ledger_name),
        .rounds = read_counter(&self->rounds),
        .written = read_counter(&self->written),
        .failed = read_counter(&self->failed),
        .bytes = read_counter(&self->bytes),
        .last_index = read_counter(&self->last_index),
        .last_ns = read_counter(&self->last_ns),
        .slowed_ns = read_counter(&self->pace.slowed_ns),
    };
}
