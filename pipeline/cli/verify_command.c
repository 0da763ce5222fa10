/* `hanse verify`: audits a data directory offline. Replays the whole log from genesis with serial F, which
 * checks every checksum and chain hash on the way, recomputes every root, and compares with the block history
 * and the snapshots. */
#include "pipeline/cli/commands.h"
#include "pipeline/cli/data_directory.h"
#include "pipeline/core/core.h"
#include "pipeline/history/reader.h"
#include "pipeline/io/uring_io.h"
#include "pipeline/stage/replay.h"
#include "shard/store/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEDGERS_MAX = 256, EVM_MEMORY_BYTES = 64 * 1024 * 1024, PATH_BYTES = 4096 };

typedef struct audited_ledger {
    const char *name;
    hn_genesis genesis;
    hn_hash genesis_hash;
    hn_snapshot_info *snapshot; /* newest one, NULL: none */
    hn_flat *snapshot_flat;
    bool is_snapshot_checked;
    uint64_t blocks;
    uint64_t transactions;
    uint64_t skipped;
    uint64_t compared; /* blocks found in the history */
} audited_ledger;

typedef struct audit {
    const char *directory;
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
    uint64_t differences;
    uint64_t told_ns;
    uint64_t started_ns;
} audit;

static void complain(audit *self, const char *format, const char *name, uint64_t number)
{
    fprintf(stderr, format, name, number);
    fputc('\n', stderr);
    self->differences++;
}

static void tell_progress(audit *self, uint64_t frame_index)
{
    uint64_t now_ns = hn_clock_monotonic_ns();
    if (now_ns - self->told_ns < 1000000000u)
        return;
    self->told_ns = now_ns;
    fprintf(stderr, "hanse verify: frame %" PRIu64 ", %.0f s\n", frame_index,
            (double)(now_ns - self->started_ns) / 1e9);
}

/* The block that the history has at this height must be this one. */
static void compare_history(audit *self, uint32_t index, const hn_executed_block *block)
{
    audited_ledger *ledger = &self->ledgers[index];
    hn_history_block stored;
    if (self->reader == NULL || hn_history_read_begin(self->reader) != HN_OK)
        return;
    hn_err err = hn_history_block_at(self->reader, &stored, index, block->header.number);
    if (err == HN_OK) {
        ledger->compared++;
        if (!hn_hash_equal(&stored.hash, &block->hash))
            complain(self, "%s: block %" PRIu64 " of the history is not the one that the log gives",
                     ledger->name, block->header.number);
    } else if (err != HN_ERR_NOT_FOUND) {
        complain(self, "%s: block %" PRIu64 " of the history cannot be read", ledger->name,
                 block->header.number);
    }
    hn_history_read_end(self->reader);
}

static void compare_snapshot(audit *self, uint32_t index, const hn_executed_block *block)
{
    audited_ledger *ledger = &self->ledgers[index];
    if (ledger->snapshot == NULL || ledger->snapshot->head.number != block->header.number)
        return;
    hn_hash root, snapshot_hash;
    hn_state_trie *trie = NULL;
    ledger->is_snapshot_checked = true;
    hn_header_hash(&snapshot_hash, &ledger->snapshot->head);
    if (!hn_hash_equal(&snapshot_hash, &block->hash)) {
        complain(self, "%s: the snapshot at block %" PRIu64 " belongs to another chain", ledger->name,
                 block->header.number);
        return;
    }
    hn_err err = hn_state_trie_create(&trie, 0);
    if (err == HN_OK)
        err = hn_state_trie_build(trie, &root, ledger->snapshot_flat);
    if (err != HN_OK || !hn_hash_equal(&root, &block->header.state_root))
        complain(self, "%s: the state in the snapshot at block %" PRIu64 " has another root", ledger->name,
                 block->header.number);
    hn_state_trie_destroy(trie);
}

static hn_err take_part(void *context, const hn_replayed_part *part)
{
    audit *self = context;
    audited_ledger *ledger = &self->ledgers[part->ledger];
    tell_progress(self, part->frame_index);
    ledger->skipped += part->transaction_count - part->block->transaction_count;
    if (part->block->is_empty)
        return HN_OK;
    ledger->blocks++;
    ledger->transactions += part->block->transaction_count;
    compare_history(self, part->ledger, part->block);
    compare_snapshot(self, part->ledger, part->block);
    return HN_OK;
}

static void warn(void *self, const char *text)
{
    audit *owner = self;
    fprintf(stderr, "hanse verify: %s\n", text);
    owner->differences++;
}

static hn_err open_ledger(audit *self, hn_data_problem *problem, const hn_node_ledger_options *options)
{
    audited_ledger *ledger = &self->ledgers[self->ledger_count];
    hn_replay_ledger *replayed = &self->replayed[self->ledger_count];
    ledger->name = options->name;
    HN_TRY(options->genesis_json.size == 0
               ? hn_genesis_development(&ledger->genesis, &self->arena)
               : hn_genesis_read(&ledger->genesis, NULL, &self->arena, options->genesis_json));
    hn_ledger_options executor_options = {.profile = options->is_strict ? HN_PROFILE_STRICT : HN_PROFILE_FAST,
                                          .imports_own_blocks = true};
    HN_TRY(hn_ledger_create(&replayed->executor, &ledger->genesis, &executor_options));
    self->ledger_count++;
    HN_TRY(hn_sealer_create(&replayed->sealer, &ledger->genesis, 0));
    const hn_header *genesis = hn_sealer_head(replayed->sealer, &ledger->genesis_hash);
    hn_ledger_note_sealed(replayed->executor, 0, &ledger->genesis_hash);
    if (self->history != NULL)
        HN_TRY(hn_history_add_ledger(self->history, self->ledger_count - 1, ledger->name, genesis,
                                     &ledger->genesis_hash));
    ledger->snapshot = hn_arena_calloc(&self->arena, 1, sizeof *ledger->snapshot);
    if (ledger->snapshot == NULL)
        return HN_ERR_NO_MEMORY;
    hn_snapshot_problem why = {.text = ""};
    hn_err err = hn_snapshot_load_newest(&self->io, &why, ledger->snapshot, &ledger->snapshot_flat,
                                         &self->arena, ledger->name, UINT64_MAX, 0, warn, self);
    if (err == HN_ERR_NOT_FOUND) {
        ledger->snapshot = NULL;
        return HN_OK;
    }
    if (err != HN_OK)
        snprintf(problem->text, sizeof problem->text, "%s", why.text);
    return err;
}

static hn_err open_stores(audit *self, hn_data_problem *problem)
{
    hn_io_problem io_why = {.text = ""};
    hn_uring_io_options io_options = {.read_only = true};
    hn_err err = hn_uring_io_open(&self->uring, &io_why, self->directory, &io_options);
    if (err != HN_OK) {
        snprintf(problem->text, sizeof problem->text, "%.480s", io_why.text);
        return err;
    }
    self->io = hn_uring_io_face(self->uring);
    hn_log_problem log_why = {.text = ""};
    hn_log_options log_options = {0};
    err = hn_log_open(&self->log, &log_why, &self->io, &log_options);
    if (err != HN_OK) {
        snprintf(problem->text, sizeof problem->text, "%.480s", log_why.text);
        return err;
    }
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/history", self->directory);
    if (access(path, F_OK) != 0)
        return HN_OK;
    hn_history_options history_options = {.directory = path};
    bool was_wiped = false;
    if (hn_history_open(&self->history, NULL, &was_wiped, &history_options) == HN_OK)
        HN_TRY(hn_history_reader_create(&self->reader, self->history));
    return HN_OK;
}

static hn_err open_all(audit *self, hn_data_problem *problem)
{
    const hn_node_ledger_options *ledgers;
    uint32_t count;
    HN_TRY(hn_data_directory_list(&ledgers, &count, problem, &self->arena, self->directory));
    if (count == 0) {
        snprintf(problem->text, sizeof problem->text, "%.400s: there is no ledger here", self->directory);
        return HN_ERR_NOT_FOUND;
    }
    HN_TRY(open_stores(self, problem));
    HN_TRY(hn_signature_context_create(&self->signatures));
    HN_TRY(hn_precompile_context_create(&self->precompiles));
    HN_TRY(hn_evm_create(&self->evm, self->precompiles, EVM_MEMORY_BYTES));
    for (uint32_t i = 0; i < count; i++)
        HN_TRY(open_ledger(self, problem, &ledgers[i]));
    return hn_replay_create(&self->replay, self->replayed, self->ledger_count, self->evm, self->signatures,
                            take_part, self);
}

static hn_err replay_all(audit *self, hn_data_problem *problem)
{
    hn_log_problem why = {.text = ""};
    hn_err err = hn_log_replay(self->log, &why, 1, true, hn_replay_frame, self->replay);
    if (err != HN_OK)
        snprintf(problem->text, sizeof problem->text, "%s%s%s",
                 why.text[0] != '\0' ? why.text : hn_err_text(err),
                 hn_replay_why(self->replay)[0] != '\0' ? ": " : "", hn_replay_why(self->replay));
    for (uint32_t i = 0; err == HN_OK && i < self->ledger_count; i++) {
        audited_ledger *ledger = &self->ledgers[i];
        if (ledger->snapshot != NULL && !ledger->is_snapshot_checked && ledger->snapshot->head.number != 0)
            complain(self, "%s: the snapshot is at block %" PRIu64 ", which the log does not reach",
                     ledger->name, ledger->snapshot->head.number);
    }
    return err;
}

static void print_summary(const audit *self)
{
    hn_replay_counts counts = hn_replay_count(self->replay);
    printf("log: %" PRIu64 " frames, %" PRIu64 " transactions: checksums and chain are good\n", counts.frames,
           counts.transactions);
    for (uint32_t i = 0; i < self->ledger_count; i++) {
        const audited_ledger *ledger = &self->ledgers[i];
        printf("ledger %s: %" PRIu64 " blocks, %" PRIu64 " transactions (%" PRIu64 " skipped), %" PRIu64
               " blocks compared with the history, %s\n",
               ledger->name, ledger->blocks, ledger->transactions, ledger->skipped, ledger->compared,
               ledger->snapshot == NULL ? "no snapshot" : "newest snapshot compared");
    }
    if (self->differences == 0)
        printf("Everything agrees.\n");
    else
        printf("%" PRIu64 " differences.\n", self->differences);
}

static void close_all(audit *self)
{
    hn_replay_destroy(self->replay);
    for (uint32_t i = 0; i < self->ledger_count; i++) {
        hn_sealer_destroy(self->replayed[i].sealer);
        hn_ledger_destroy(self->replayed[i].executor);
        hn_flat_destroy(self->ledgers[i].snapshot_flat);
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
    hn_arena_destroy(&self->arena);
}

static int run(const char *directory)
{
    audit *self = calloc(1, sizeof *self);
    hn_data_problem problem = {.text = ""};
    if (self == NULL)
        return HN_EXIT_FAILED;
    self->directory = directory;
    self->started_ns = self->told_ns = hn_clock_monotonic_ns();
    hn_arena_init(&self->arena, 0, 0);
    hn_err err = open_all(self, &problem);
    if (err == HN_OK)
        err = replay_all(self, &problem);
    if (err != HN_OK)
        fprintf(stderr, "hanse verify: %s\n", problem.text[0] != '\0' ? problem.text : hn_err_text(err));
    else
        print_summary(self);
    int status = err == HN_OK && self->differences == 0 ? HN_EXIT_OK : HN_EXIT_FAILED;
    close_all(self);
    free(self);
    return status;
}

int hn_cli_verify(int argc, char **argv)
{
    const char *directory = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            printf("usage: hanse verify --data DIRECTORY\n\nAudits the data directory of a node that is not "
                   "running: "
                   "every checksum and chain hash of the\nlog, every root of every block by replaying all of "
                   "it from "
                   "genesis, the block history and the\nnewest snapshots against what comes out. Changes "
                   "nothing; exit "
                   "status 1 when anything differs.\n");
            return HN_EXIT_OK;
        }
        if (strcmp(argv[i], "--data") == 0 && i + 1 < argc) {
            directory = argv[++i];
        } else {
            fprintf(stderr, "hanse verify: unexpected \"%s\"; --help says more\n", argv[i]);
            return HN_EXIT_USAGE;
        }
    }
    if (directory == NULL) {
        fprintf(stderr, "hanse verify: --data DIRECTORY is needed\n");
        return HN_EXIT_USAGE;
    }
    return run(directory);
}
