#include "pipeline/cli/copy_check.h"

#include "pipeline/cli/data_directory.h"
#include "pipeline/io/uring_io.h"
#include "shard/log/frame.h"
#include "shard/store/ways_back.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERIFY_BYTES = 128 * 1024 * 1024 };

static hn_err interrupted(hn_backup_problem *problem)
{
    return hn_backup_report(problem, HN_ERR_CLOSED, "interrupted");
}

/* --- the log
 * --------------------------------------------------------------------------------------------------- */

typedef struct frame_reader {
    hn_backup_pace *pace;
    uint64_t first_index;
    hn_hash chain;
    uint32_t begin_note; /* hn_log_begin_note */
} frame_reader;

static hn_err pass_frame(void *context, const hn_frame *frame)
{
    frame_reader *self = context;
    if (self->first_index == 0)
        self->first_index = frame->index;
    self->chain = frame->chain;
    return hn_backup_pace_pass(self->pace, HN_FRAME_HEADER_BYTES + frame->payload.size);
}

static hn_err replay_log(frame_reader *reader, uint64_t *last_index, hn_backup_problem *problem,
                         const hn_io *io, uint64_t first_index)
{
    hn_log *log;
    hn_log_problem why = {.text = ""};
    const hn_log_options options = {0};
    hn_err err = hn_log_open(&log, &why, io, &options);
    if (err == HN_OK) {
        err = hn_log_replay(log, &why, first_index, true, pass_frame, reader);
        *last_index = hn_log_last_index(log);
        reader->begin_note = hn_log_begin_note(log);
        hn_log_close(log);
    }
    if (err == HN_ERR_CLOSED)
        return interrupted(problem);
    return err == HN_OK
               ? HN_OK
               : hn_backup_report(problem, err, "%s", why.text[0] != '\0' ? why.text : hn_err_text(err));
}

/* *begin_note: how many ledgers there were when the log gave up its beginning. */
static hn_err check_log(uint32_t *begin_note, hn_backup_problem *problem, const hn_io *io,
                        const hn_manifest *manifest, hn_backup_pace *pace)
{
    frame_reader reader = {.pace = pace};
    uint64_t last_index = 0;
    HN_TRY(replay_log(&reader, &last_index, problem, io, manifest->first_index));
    *begin_note = reader.begin_note;
    bool is_same = last_index == manifest->last_index && hn_hash_equal(&reader.chain, &manifest->chain) &&
                   (last_index == 0 || reader.first_index == manifest->first_index);
    return is_same ? HN_OK
                   : hn_backup_report(problem, HN_ERR_MISMATCH,
                                      "the log ends with frame %" PRIu64
                                      ", but not as the manifest says, with frame %" PRIu64,
                                      last_index, manifest->last_index);
}

/* --- snapshots
 * ----------------------------------------------------------------------------------------------- */

hn_err hn_copy_check_snapshot(hn_backup_problem *problem, const hn_io *io, const char *ledger,
                              uint64_t log_index, hn_backup_pace *pace)
{
    hn_snapshot_problem why = {.text = ""};
    const hn_snapshot_pace before = {.before = hn_backup_pace_pass, .self = pace};
    hn_err err = hn_snapshot_verify(io, &why, ledger, log_index, false, VERIFY_BYTES, &before);
    if (err == HN_ERR_CLOSED)
        return interrupted(problem);
    return err == HN_OK ? HN_OK
                        : hn_backup_report(problem, err, "snapshot of %s at frame %" PRIu64 ": %s", ledger,
                                           log_index, why.text[0] != '\0' ? why.text : hn_err_text(err));
}

/* It belongs to this log. */
static hn_err check_place(hn_backup_problem *problem, const hn_io *io, const hn_manifest_ledger *ledger)
{
    hn_ways_back ways;
    hn_log *log;
    const hn_log_options options = {0};
    char file[HN_LOG_FILE_NAME_MAX];
    hn_hash chain;
    HN_TRY(hn_ways_back_list(&ways, io, ledger->name, NULL, NULL));
    hn_err err = hn_log_open(&log, NULL, io, &options);
    if (err != HN_OK) {
        hn_ways_back_free(&ways);
        return err;
    }
    const hn_way_back *way = hn_ways_back_find(&ways, ledger->log_index);
    if (way == NULL || !way->is_whole || way->block_number != ledger->block)
        err =
            hn_backup_report(problem, HN_ERR_CORRUPT, "the snapshot of %s at frame %" PRIu64 " is not whole",
                             ledger->name, ledger->log_index);
    else if (way->has_chain && hn_log_find_chain(log, &chain, file, way->log_index) == HN_OK &&
             !hn_hash_equal(&chain, &way->chain))
        err = hn_backup_report(problem, HN_ERR_MISMATCH,
                               "the snapshot of %s at frame %" PRIu64 " belongs to another log", ledger->name,
                               ledger->log_index);
    hn_log_close(log);
    hn_ways_back_free(&ways);
    return err;
}

static hn_err check_ledger(hn_backup_problem *problem, const hn_io *io, const hn_manifest *manifest,
                           uint32_t at, uint32_t begin_note, hn_backup_pace *pace)
{
    const hn_manifest_ledger *ledger = &manifest->ledgers[at];
    if (!ledger->has_snapshot && at < begin_note)
        return hn_backup_report(problem, HN_ERR_CORRUPT,
                                "there is no snapshot of %s, and the log begins with frame %" PRIu64,
                                ledger->name, manifest->first_index);
    if (!ledger->has_snapshot)
        return HN_OK;
    if (ledger->log_index > manifest->last_index || ledger->log_index + 1 < manifest->first_index)
        return hn_backup_report(problem, HN_ERR_CORRUPT,
                                "the snapshot of %s at frame %" PRIu64 " does not fit to the log",
                                ledger->name, ledger->log_index);
    HN_TRY(check_place(problem, io, ledger));
    return hn_copy_check_snapshot(problem, io, ledger->name, ledger->log_index, pace);
}

/* --- all of it
 * ------------------------------------------------------------------------------------------------- */

typedef struct ledger_list {
    const hn_manifest *manifest;
    uint32_t count;
} ledger_list;

static hn_err compare_name(void *context, const char *file_name, const hn_node_ledger_options *ledger)
{
    ledger_list *self = context;
    (void)file_name;
    bool is_same = self->count < self->manifest->ledger_count &&
                   strcmp(self->manifest->ledgers[self->count].name, ledger->name) == 0;
    self->count++;
    return is_same ? HN_OK : HN_ERR_MISMATCH;
}

static hn_err check_ledger_files(hn_backup_problem *problem, const char *directory,
                                 const hn_manifest *manifest)
{
    ledger_list list = {.manifest = manifest};
    hn_data_problem why = {.text = ""};
    unsigned version = 0;
    hn_err err = hn_data_directory_visit(&why, &version, directory, compare_name, &list);
    if (err == HN_OK && list.count != manifest->ledger_count)
        err = HN_ERR_MISMATCH;
    if (err == HN_ERR_MISMATCH)
        return hn_backup_report(problem, err, "the ledgers are not those that the manifest says");
    return err == HN_OK
               ? HN_OK
               : hn_backup_report(problem, err, "%.480s", why.text[0] != '\0' ? why.text : hn_err_text(err));
}

hn_err hn_copy_check(hn_backup_problem *problem, const char *directory, const hn_manifest *manifest,
                     hn_backup_pace *pace)
{
    hn_uring_io *uring = NULL;
    hn_io_problem why = {.text = ""};
    const hn_uring_io_options options = {.read_only = true};
    HN_TRY(check_ledger_files(problem, directory, manifest));
    hn_err err = hn_uring_io_open(&uring, &why, directory, &options);
    if (err != HN_OK)
        return hn_backup_report(problem, err, "%s", why.text);
    hn_io io = hn_uring_io_face(uring);
    uint32_t begin_note = 0;
    err = check_log(&begin_note, problem, &io, manifest, pace);
    for (uint32_t i = 0; err == HN_OK && i < manifest->ledger_count; i++)
        err = check_ledger(problem, &io, manifest, i, begin_note, pace);
    hn_uring_io_close(uring);
    return err;
}
