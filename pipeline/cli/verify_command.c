/* `hanse verify`: audits a data directory offline. Replays the whole log from genesis with serial F, which
 * checks every checksum and chain hash on the way, recomputes every root, and compares with the block history
 * and the snapshots. Notes how far it came (verify_progress.h), so that it can be interrupted. */
#include "pipeline/cli/commands.h"
#include "pipeline/cli/data_directory.h"
#include "pipeline/cli/verify_log.h"
#include "pipeline/cli/verify_progress.h"
#include "pipeline/cli/way_start.h"
#include "pipeline/core/core.h"
#include "pipeline/history/check.h"
#include "pipeline/history/reader.h"
#include "pipeline/io/uring_io.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LEDGERS_MAX = HN_VERIFY_LEDGERS_MAX,
    EVM_MEMORY_BYTES = 64 * 1024 * 1024,
    PATH_BYTES = 4096,
    SNAPSHOTS_MAX = 64,
};

/* What the command line says. */
typedef struct verify_options {
    const char *directory;
    const char *progress; /* folder; NULL: beside the directory */
    uint64_t frames;      /* stop after so many; 0: all */
    bool resume;
} verify_options;

/* A snapshot whose checksums and root are right, and that has to be of this chain. */
typedef struct audited_snapshot {
    uint64_t log_index;
    uint64_t number; /* of its head */
    hn_hash hash;
    bool is_compared;
} audited_snapshot;

typedef struct audited_ledger {
    const char *name;
    hn_genesis genesis;
    hn_hash genesis_hash;
    audited_snapshot snapshots[SNAPSHOTS_MAX];
    unsigned snapshot_count;
    hn_verified_ledger done;
    hn_way_start start; /* of the replay, when the log gave up its beginning */
    uint64_t older;     /* blocks of the history that lie before it, checked by themselves */
} audited_ledger;

typedef struct audit {
    const verify_options *options;
    hn_uring_io *uring;
    hn_io io;
    hn_log *log;
    hn_history *history;
    hn_history_reader *reader;
    hn_signature_context *signatures;
    hn_precompile_context *precompiles;
    hn_evm *evm;
    hn_arena arena;
    hn_replay *replay;
    audited_ledger ledgers[LEDGERS_MAX];
    hn_replay_ledger replayed[LEDGERS_MAX];
    uint32_t ledger_count;
    hn_verify_progress progress;
    hn_verify_rate rate;
    uint64_t frames_before; /* read in this run before the audit goes on */
    bool is_stopped;
} audit;

/* A finding: said at once, and listed at the end. */
__attribute__((format(printf, 2, 3))) static void complain(audit *self, const char *format, ...)
{
    char text[HN_VERIFY_FINDING_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "hanse verify: %s\n", text);
    hn_verify_progress_add(&self->progress, text);
}

static void warn(void *self, const char *text)
{
    complain(self, "%s", text);
}

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

/* --- the history
 * ---------------------------------------------------------------------------------------------- */

/* LMDB follows what a damaged page says, out of its map if need be. */
static sigjmp_buf beyond_history;

static void leave_history(int number)
{
    siglongjmp(beyond_history, number);
}

static void guard_history(bool is_guarded)
{
    static struct sigaction before[2];
    static bool was_guarded;
    struct sigaction action = {.sa_handler = leave_history};
    sigemptyset(&action.sa_mask);
    if (is_guarded && !was_guarded) {
        sigaction(SIGSEGV, &action, &before[0]);
        sigaction(SIGBUS, &action, &before[1]);
    } else if (!is_guarded && was_guarded) {
        sigaction(SIGSEGV, &before[0], NULL);
        sigaction(SIGBUS, &before[1], NULL);
    }
    was_guarded = is_guarded;
}

/* The block that the history has at this height must be this one. */
static void compare_history(audit *self, uint32_t index, const hn_executed_block *block)
{
    audited_ledger *ledger = &self->ledgers[index];
    if (self->reader == NULL)
        return;
    if (sigsetjmp(beyond_history, 1) != 0) {
        guard_history(false);
        complain(self, "%s: block %" PRIu64 " of the history cannot be read: history/data.mdb is damaged",
                 ledger->name, block->header.number);
        self->reader = NULL; /* whatever it holds is left alone */
        self->history = NULL;
        return;
    }
    guard_history(true);
    hn_err err = hn_history_compare(self->reader, &self->arena, index, block);
    guard_history(false);
    if (err == HN_OK)
        ledger->done.compared++;
    else if (err == HN_ERR_MISMATCH)
        complain(self, "%s: block %" PRIu64 " of the history is not the one that the log gives", ledger->name,
                 block->header.number);
    else if (err != HN_ERR_NOT_FOUND)
        complain(self, "%s: block %" PRIu64 " of the history cannot be read: %s", ledger->name,
                 block->header.number, hn_err_text(err));
}

static void open_history(audit *self)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/history", self->options->directory);
    if (access(path, F_OK) != 0)
        return;
    hn_history_problem why = {.text = ""};
    hn_err err = hn_history_inspect(&why, path);
    if (err == HN_ERR_NOT_FOUND)
        return;
    if (err == HN_ERR_BUSY) {
        /* Nothing is wrong with that: no start uses it, so nothing is to be found in it. */
        fprintf(stderr, "hanse verify: note: %s: it is not looked at, the next start makes it again\n",
                why.text);
        return;
    }
    if (err != HN_OK) {
        complain(self, "%s: the next start makes the block history again from the log",
                 why.text[0] != '\0' ? why.text : hn_err_text(err));
        return;
    }
    volatile hn_err opened = HN_ERR_CORRUPT; /* kept over the jump */
    if (sigsetjmp(beyond_history, 1) == 0) {
        guard_history(true);
        opened = hn_history_open_read_only(&self->history, &why, path);
        if (opened == HN_OK)
            opened = hn_history_reader_create(&self->reader, self->history);
    }
    guard_history(false);
    if (opened == HN_OK)
        return;
    self->history = NULL;
    complain(self, "the block history cannot be read: %s",
             why.text[0] != '\0' ? why.text : "history/data.mdb is damaged");
}

static void find_in_history(audit *self, uint32_t index)
{
    if (self->history == NULL)
        return;
    volatile hn_err err = HN_ERR_CORRUPT; /* kept over the jump */
    if (sigsetjmp(beyond_history, 1) == 0) {
        guard_history(true);
        err = hn_history_find_ledger(self->history, index, self->ledgers[index].name,
                                     &self->ledgers[index].genesis_hash);
    }
    guard_history(false);
    if (err == HN_OK)
        return;
    complain(self, "%s: the block history cannot be read: history/data.mdb: %s", self->ledgers[index].name,
             hn_err_text(err));
    self->reader = NULL;
    self->history = NULL;
}

/* --- snapshots
 * ------------------------------------------------------------------------------------------------ */

/* Checksums and root of one snapshot, whatever the log says. */
static hn_err check_snapshot(audit *self, audited_ledger *ledger, uint64_t log_index)
{
    hn_snapshot_problem why = {.text = ""};
    hn_snapshot_info *info = calloc(1, sizeof *info);
    hn_flat *flat = NULL;
    if (info == NULL)
        return HN_ERR_NO_MEMORY;
    hn_arena_mark mark = hn_arena_mark_now(&self->arena);
    hn_err err = hn_snapshot_load(&self->io, &why, info, &flat, &self->arena, ledger->name, log_index, 0);
    hn_state_trie *trie = NULL;
    hn_hash root;
    if (err == HN_OK)
        err = hn_state_trie_create(&trie, 0);
    if (err == HN_OK)
        err = hn_state_trie_build(trie, &root, flat);
    if (err == HN_OK && !hn_hash_equal(&root, &info->head.state_root)) {
        complain(self, "%s: the state in the snapshot at frame %" PRIu64 " has another root", ledger->name,
                 log_index);
    } else if (err == HN_OK) {
        audited_snapshot *snapshot = &ledger->snapshots[ledger->snapshot_count++];
        *snapshot = (audited_snapshot){.log_index = log_index, .number = info->head.number};
        hn_header_hash(&snapshot->hash, &info->head);
    } else if (err != HN_ERR_NO_MEMORY) {
        complain(self, "%s", why.text);
        err = HN_OK;
    }
    if (trie != NULL)
        hn_state_trie_destroy(trie);
    if (flat != NULL)
        hn_flat_destroy(flat);
    hn_arena_release(&self->arena, mark);
    free(info);
    return err;
}

static hn_err check_snapshots(audit *self, audited_ledger *ledger)
{
    uint64_t indexes[SNAPSHOTS_MAX];
    unsigned count = 0;
    HN_TRY(hn_snapshot_list(&self->io, indexes, &count, SNAPSHOTS_MAX, ledger->name));
    for (unsigned i = 0; i < count; i++)
        HN_TRY(check_snapshot(self, ledger, indexes[i]));
    return HN_OK;
}

static void compare_snapshots(audit *self, audited_ledger *ledger, const hn_executed_block *block)
{
    for (unsigned i = 0; i < ledger->snapshot_count; i++) {
        audited_snapshot *snapshot = &ledger->snapshots[i];
        if (snapshot->number != block->header.number || snapshot->log_index < ledger->start.log_index)
            continue;
        snapshot->is_compared = true;
        if (!hn_hash_equal(&snapshot->hash, &block->hash))
            complain(self, "%s: the snapshot at block %" PRIu64 " belongs to another chain", ledger->name,
                     block->header.number);
    }
}

static void tell_unreached(audit *self, audited_ledger *ledger, uint64_t resumed_at)
{
    for (unsigned i = 0; i < ledger->snapshot_count; i++) {
        const audited_snapshot *snapshot = &ledger->snapshots[i];
        if (!snapshot->is_compared && snapshot->number > ledger->start.number &&
            snapshot->log_index > resumed_at)
            complain(self, "%s: the snapshot is at block %" PRIu64 ", which the log does not reach",
                     ledger->name, snapshot->number);
    }
}

/* --- opening
 * -------------------------------------------------------------------------------------------------- */

static hn_err open_ledger(audit *self, const hn_node_ledger_options *options)
{
    audited_ledger *ledger = &self->ledgers[self->ledger_count];
    hn_replay_ledger *replayed = &self->replayed[self->ledger_count];
    ledger->name = options->name;
    HN_TRY(options->genesis_json.size == 0
               ? hn_genesis_development(&ledger->genesis, &self->arena)
               : hn_genesis_read(&ledger->genesis, NULL, &self->arena, options->genesis_json));
    hn_ledger_options executor_options = {.profile = options->is_strict ? HN_PROFILE_STRICT : HN_PROFILE_FAST,
                                          .avoids_fast_paths = true, /* not the way of the node */
                                          .imports_own_blocks = true};
    HN_TRY(hn_ledger_create(&replayed->executor, &ledger->genesis, &executor_options));
    self->ledger_count++;
    HN_TRY(hn_sealer_create(&replayed->sealer, &ledger->genesis, 0));
    hn_sealer_head(replayed->sealer, &ledger->genesis_hash);
    hn_ledger_note_sealed(replayed->executor, 0, &ledger->genesis_hash);
    hn_verified_ledger_begin(&ledger->done, ledger->name, &ledger->genesis, &ledger->genesis_hash);
    find_in_history(self, self->ledger_count - 1);
    return check_snapshots(self, ledger);
}

static hn_err open_stores(audit *self, hn_data_problem *problem)
{
    hn_io_problem io_why = {.text = ""};
    hn_uring_io_options io_options = {.read_only = true};
    hn_err err = hn_uring_io_open(&self->uring, &io_why, self->options->directory, &io_options);
    if (err != HN_OK) {
        snprintf(problem->text, sizeof problem->text, "%.480s", io_why.text);
        return err;
    }
    self->io = hn_uring_io_face(self->uring);
    open_history(self);
    return HN_OK;
}

/* The log's own findings are the last: what else there is to say has been said. */
static hn_err open_log(audit *self, hn_data_problem *problem)
{
    hn_log_problem log_why = {.text = ""};
    hn_log_options log_options = {0};
    hn_err err = hn_log_open(&self->log, &log_why, &self->io, &log_options);
    if (err != HN_OK)
        snprintf(problem->text, sizeof problem->text, "%.480s", log_why.text);
    return err;
}

static hn_err take_part(void *context, const hn_replayed_part *part);

/* What the history has of the blocks that the log does not give any more must be what its hashes say. */
static void check_older_blocks(audit *self, uint32_t index)
{
    audited_ledger *ledger = &self->ledgers[index];
    hn_history_problem why = {.text = ""};
    if (self->reader == NULL || ledger->start.number == 0)
        return;
    if (sigsetjmp(beyond_history, 1) != 0) {
        guard_history(false);
        complain(self, "%s: the history before block %" PRIu64 " cannot be read: history/data.mdb is damaged",
                 ledger->name, ledger->start.number);
        self->reader = NULL;
        self->history = NULL;
        return;
    }
    guard_history(true);
    hn_err err = hn_history_check_blocks(self->reader, &why, index, ledger->start.number, &ledger->start.hash,
                                         &ledger->older);
    guard_history(false);
    if (err != HN_OK && err != HN_ERR_NOT_FOUND)
        complain(self, "%s: the history before block %" PRIu64 ": %s", ledger->name, ledger->start.number,
                 why.text[0] != '\0' ? why.text : hn_err_text(err));
}

/* A log that gave up its beginning is audited from the oldest way back on. */
static hn_err begin_at_ways_back(audit *self, hn_data_problem *problem)
{
    for (uint32_t i = 0; i < self->ledger_count; i++) {
        audited_ledger *ledger = &self->ledgers[i];
        hn_snapshot_problem why;
        hn_err err = hn_way_start_find(&ledger->start, &why, &self->replayed[i], &self->arena, &self->io,
                                       self->log, i, ledger->name, warn, self);
        if (err != HN_OK) {
            snprintf(problem->text, sizeof problem->text, "%.480s",
                     why.text[0] != '\0' ? why.text : hn_err_text(err));
            return err;
        }
        if (ledger->start.log_index == 0)
            continue;
        fprintf(stderr,
                "hanse verify: note: the log gave up what lies before frame %" PRIu64
                ": %s is audited from its snapshot at frame %" PRIu64 ", block %" PRIu64 ", on\n",
                hn_log_first_index(self->log), ledger->name, ledger->start.log_index, ledger->start.number);
        check_older_blocks(self, i);
    }
    return HN_OK;
}

static hn_err open_all(audit *self, hn_data_problem *problem)
{
    const hn_node_ledger_options *ledgers;
    uint32_t count;
    HN_TRY(hn_data_directory_list(&ledgers, &count, problem, &self->arena, self->options->directory));
    if (count == 0) {
        snprintf(problem->text, sizeof problem->text, "%.400s: there is no ledger here",
                 self->options->directory);
        return HN_ERR_NOT_FOUND;
    }
    HN_TRY(hn_data_directory_check(problem, self->options->directory, warn, self));
    HN_TRY(open_stores(self, problem));
    HN_TRY(hn_signature_context_create(&self->signatures));
    HN_TRY(hn_precompile_context_create(&self->precompiles));
    HN_TRY(hn_evm_create(&self->evm, self->precompiles, EVM_MEMORY_BYTES));
    for (uint32_t i = 0; i < count; i++)
        HN_TRY(open_ledger(self, &ledgers[i]));
    HN_TRY(open_log(self, problem));
    HN_TRY(begin_at_ways_back(self, problem));
    return hn_replay_create(&self->replay, self->replayed, self->ledger_count, self->evm, self->signatures,
                            take_part, self);
}

/* The history gets a block when its frame is durable: what the log does not give was lost from its end. */
static void tell_lost_end(audit *self, uint32_t index)
{
    const audited_ledger *ledger = &self->ledgers[index];
    if (self->history == NULL)
        return;
    const uint64_t newest = hn_history_newest_put(self->history, index);
    const uint64_t reached = hn_ledger_head(self->replayed[index].executor)->number;
    char file[HN_LOG_FILE_NAME_MAX] = "the log";
    hn_hash chain;
    const uint64_t last = hn_log_last_index(self->log);
    if (newest > reached && last != 0 && hn_log_find_chain(self->log, &chain, file, last) != HN_OK)
        snprintf(file, sizeof file, "the log");
    if (newest > reached)
        complain(self,
                 "%s: frames are missing behind the last one, frame %" PRIu64 ": %s is at block %" PRIu64
                 " there, but the history knows block %" PRIu64,
                 file, last, ledger->name, reached, newest);
}

/* --- the log
 * -------------------------------------------------------------------------------------------------- */

static hn_err take_part(void *context, const hn_replayed_part *part)
{
    audit *self = context;
    audited_ledger *ledger = &self->ledgers[part->ledger];
    ledger->done.skipped += part->transaction_count - part->block->transaction_count;
    if (part->block->is_empty)
        return HN_OK;
    ledger->done.transactions += part->block->transaction_count;
    hn_verified_ledger_note(&ledger->done, part->block);
    compare_history(self, part->ledger, part->block);
    compare_snapshots(self, ledger, part->block);
    return HN_OK;
}

static hn_err save_progress(audit *self, const hn_frame *frame)
{
    hn_verified_ledger *done[LEDGERS_MAX];
    for (uint32_t i = 0; i < self->ledger_count; i++)
        done[i] = &self->ledgers[i].done;
    self->progress.frame_index = frame->index;
    self->progress.chain = frame->chain;
    return hn_verify_progress_save(&self->progress, done, self->replayed, self->ledger_count);
}

static hn_err take_frame(void *context, const hn_frame *frame)
{
    audit *self = context;
    hn_verify_rate_add(&self->rate, frame->index, frame->payload.size, frame->transaction_count);
    if (frame->index <= self->frames_before) {
        /* The last one of the run before: is it still the same log? */
        return hn_hash_equal(&frame->chain, &self->progress.chain) ? HN_OK : HN_ERR_MISMATCH;
    }
    HN_TRY(hn_replay_frame(self->replay, frame));
    self->progress.frames++;
    self->progress.transactions += frame->transaction_count;
    bool is_enough =
        self->options->frames != 0 && frame->index - self->frames_before >= self->options->frames;
    bool wants_stop = is_enough || is_interrupted != 0;
    /* Between frames of transactions there is nothing that waits for the next frame. */
    if (frame->kind != HN_FRAME_BATCH || (!wants_stop && !hn_verify_progress_is_due(&self->progress)))
        return HN_OK;
    hn_err err = save_progress(self, frame);
    if (err != HN_OK && err != HN_ERR_UNSUPPORTED)
        fprintf(stderr, "hanse verify: the progress cannot be saved: %s\n", self->progress.trouble);
    self->is_stopped = wants_stop;
    return wants_stop ? HN_ERR_AGAIN : HN_OK;
}

static hn_err resume(audit *self, hn_data_problem *problem)
{
    hn_verified_ledger *done[LEDGERS_MAX];
    for (uint32_t i = 0; i < self->ledger_count; i++)
        done[i] = &self->ledgers[i].done;
    hn_err err =
        hn_verify_progress_load(&self->progress, done, self->replayed, self->ledger_count, &self->arena);
    if (err != HN_OK) {
        snprintf(problem->text, sizeof problem->text, "%.480s", self->progress.trouble);
        return err;
    }
    self->frames_before = self->progress.frame_index;
    for (uint32_t i = 0; i < self->ledger_count; i++)
        if (hn_ledger_head(self->replayed[i].executor)->number != self->ledgers[i].start.number)
            self->replayed[i].skip_index = 0; /* further than there */
    fprintf(stderr, "hanse verify: going on behind frame %" PRIu64 "\n", self->frames_before);
    return HN_OK;
}

static hn_err replay_all(audit *self, hn_data_problem *problem)
{
    hn_log_problem why = {.text = ""};
    if (self->options->resume)
        HN_TRY(resume(self, problem));
    hn_verify_rate_begin(&self->rate, &self->io);
    uint64_t from = self->frames_before != 0 ? self->frames_before : hn_log_first_index(self->log);
    hn_err err = hn_log_replay(self->log, &why, from, true, take_frame, self);
    hn_verify_rate_end(&self->rate);
    if (self->is_stopped)
        return HN_OK;
    if (err == HN_ERR_MISMATCH && self->progress.frame_index == self->frames_before &&
        self->progress.frames == 0)
        snprintf(why.text, sizeof why.text, "the log is not the one that the progress is of");
    if (err != HN_OK) {
        snprintf(problem->text, sizeof problem->text, "%s%s%s",
                 why.text[0] != '\0' ? why.text : hn_err_text(err),
                 hn_replay_why(self->replay)[0] != '\0' ? ": " : "", hn_replay_why(self->replay));
        return err;
    }
    for (uint32_t i = 0; i < self->ledger_count; i++) {
        tell_unreached(self, &self->ledgers[i], self->frames_before);
        tell_lost_end(self, i);
    }
    return hn_verify_log_rest(&self->io, hn_log_count(self->log).first_segment, hn_log_last_index(self->log),
                              warn, self);
}

static void print_summary(const audit *self)
{
    printf("log: %" PRIu64 " frames, %" PRIu64 " transactions: checksums and chain are good\n",
           self->progress.frames, self->progress.transactions);
    for (uint32_t i = 0; i < self->ledger_count; i++) {
        const audited_ledger *ledger = &self->ledgers[i];
        printf("ledger %s: %" PRIu64 " blocks, %" PRIu64 " transactions (%" PRIu64 " skipped), %" PRIu64
               " blocks compared with the history, %u snapshots compared\n",
               ledger->name, ledger->done.blocks, ledger->done.transactions, ledger->done.skipped,
               ledger->done.compared, ledger->snapshot_count);
        if (ledger->start.log_index != 0)
            printf("ledger %s: replayed behind block %" PRIu64 ", for the log begins with frame %" PRIu64
                   "; %" PRIu64 " older blocks of the history have the right hashes and roots\n",
                   ledger->name, ledger->start.number, hn_log_first_index(self->log), ledger->older);
    }
}

static void print_findings(const audit *self)
{
    printf("%" PRIu64 " findings:\n", self->progress.finding_count);
    for (unsigned i = 0; i < self->progress.kept_count; i++)
        printf("  %s\n", self->progress.findings[i]);
    if (self->progress.kept_count < self->progress.finding_count)
        printf("  ... (the others are above)\n");
}

static void close_all(audit *self)
{
    hn_replay_destroy(self->replay);
    for (uint32_t i = 0; i < self->ledger_count; i++) {
        hn_sealer_destroy(self->replayed[i].sealer);
        hn_ledger_destroy(self->replayed[i].executor);
    }
    hn_evm_destroy(self->evm);
    hn_precompile_context_destroy(self->precompiles);
    hn_signature_context_destroy(self->signatures);
    if (self->reader != NULL)
        hn_history_reader_destroy(self->reader);
    if (self->history != NULL)
        hn_history_close(self->history);
    if (self->log != NULL)
        hn_log_close(self->log);
    if (self->uring != NULL)
        hn_uring_io_close(self->uring);
    hn_verify_progress_end(&self->progress, !self->is_stopped);
    hn_arena_destroy(&self->arena);
}

static int conclude(audit *self, hn_err err, const hn_data_problem *problem)
{
    if (err != HN_OK)
        complain(self, "%s", problem->text[0] != '\0' ? problem->text : hn_err_text(err));
    else
        print_summary(self);
    if (self->progress.finding_count != 0)
        print_findings(self);
    if (self->is_stopped) {
        printf("Not finished: %s goes on.\n", "--resume");
        return HN_EXIT_UNFINISHED;
    }
    if (self->progress.finding_count == 0)
        printf("Everything agrees.\n");
    return self->progress.finding_count == 0 ? HN_EXIT_OK : HN_EXIT_FAILED;
}

static int run(const verify_options *options)
{
    audit *self = calloc(1, sizeof *self);
    hn_data_problem problem = {.text = ""};
    if (self == NULL) {
        fprintf(stderr, "hanse verify: %s\n", hn_err_text(HN_ERR_NO_MEMORY));
        return HN_EXIT_FAILED;
    }
    self->options = options;
    hn_arena_init(&self->arena, 0, 0);
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    hn_verify_progress_begin(&self->progress, options->directory, options->progress);
    hn_err err = open_all(self, &problem);
    if (err == HN_OK)
        err = replay_all(self, &problem);
    int status = conclude(self, err, &problem);
    close_all(self);
    free(self);
    return status;
}

static void print_help(void)
{
    printf("usage: hanse verify --data DIRECTORY [--resume] [--progress FOLDER] [--frames N]\n\n"
           "Audits the data directory of a node that is not running: every checksum and chain hash of the\n"
           "log, every root of every block by replaying all of it from genesis (or, when the log gave up\n"
           "its beginning, from the oldest snapshot that it goes on from), the block history and all\n"
           "snapshots against what comes out, and that the log has nothing else in it. Changes nothing\n"
           "that a node would miss.\n\n"
           "  --resume           go on where an audit was interrupted (Ctrl-C, or --frames)\n"
           "  --progress FOLDER  where it notes how far it came (default: DIRECTORY.verify)\n"
           "  --frames N         stop after N frames, to go on another time\n\n"
           "Exit status: 0 everything agrees, 1 there are findings (listed at the end), 2 wrong usage,\n"
           "3 interrupted, and --resume goes on.\n");
}

int hn_cli_verify(int argc, char **argv)
{
    verify_options options = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return HN_EXIT_OK;
        }
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc) {
            options.directory = argv[++i];
        } else if (strcmp(argv[i], "--progress") == 0 && i + 1 < argc) {
            options.progress = argv[++i];
        } else if (strcmp(argv[i], "--frames") == 0 && i + 1 < argc &&
                   (options.frames = strtoull(argv[i + 1], NULL, 10)) != 0) {
            i++;
        } else if (strcmp(argv[i], "--resume") == 0) {
            options.resume = true;
        } else {
            fprintf(stderr, "hanse verify: unexpected \"%s\"; --help says more\n", argv[i]);
            return HN_EXIT_USAGE;
        }
    }
    if (options.directory == NULL) {
        fprintf(stderr, "hanse verify: --data DIRECTORY is needed\n");
        return HN_EXIT_USAGE;
    }
    return run(&options);
}
