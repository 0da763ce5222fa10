#include "pipeline/cli/backup_work.h"

#include "engine/base/check.h"
#include "pipeline/backup/log_source.h"
#include "pipeline/backup/pinned.h"
#include "pipeline/backup/sink.h"
#include "pipeline/backup/unpack.h"
#include "pipeline/cli/copy_check.h"
#include "pipeline/cli/data_format.h"
#include "pipeline/cli/open_files.h"
#include "pipeline/core/core.h"
#include "shard/store/snapshot_format.h"
#include "shard/store/ways_back.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE_BYTES = 256 * 1024, OPEN_FILES = 1 << 20 };

/* A snapshot file to be copied. */
typedef struct chosen_file {
    uint32_t ledger;
    uint64_t log_index;
} chosen_file;

typedef struct work {
    const hn_backup_options *options;
    hn_backup_pace *pace;
    hn_backup_problem *problem;
    hn_pinned *pinned;
    hn_io io;
    hn_log_source *log;
    hn_sink *sink;
    hn_manifest manifest;
    chosen_file *files;
    size_t file_count;
    uint64_t *first_blocks; /* of hn_backup_result */
    uint32_t ledgers_copied;
    hn_hash digest;
    uint64_t total;
    uint8_t *piece;
} work;

static hn_err interrupted(const work *self)
{
    return hn_backup_report(self->problem, HN_ERR_CLOSED, "interrupted");
}

static void warn(void *context, const char *text)
{
    const work *self = context;
    hn_backup_pace_end(self->pace);
    fprintf(stderr, "hanse backup: warning: %s\n", text);
}

/* --- choosing
 * ------------------------------------------------------------------------------------------------ */

static hn_err note_ledger(void *context, const char *file_name, const hn_node_ledger_options *ledger)
{
    work *self = context;
    (void)file_name;
    if (self->manifest.ledger_count == HN_MANIFEST_LEDGERS_MAX)
        return HN_ERR_LIMIT;
    hn_manifest_ledger *entry = &self->manifest.ledgers[self->manifest.ledger_count];
    if (strlen(ledger->name) >= sizeof entry->name)
        return HN_ERR_LIMIT;
    memcpy(entry->name, ledger->name, strlen(ledger->name) + 1);
    self->manifest.ledger_count++;
    self->total += ledger->genesis_json.size;
    return HN_OK;
}

static hn_err visit(work *self, hn_data_visitor each)
{
    hn_data_problem why = {.text = ""};
    unsigned version = 0;
    hn_err err = hn_data_directory_visit(&why, &version, self->options->directory, each, self);
    if (err != HN_OK && self->problem->text[0] == '\0')
        (void)hn_backup_report(self->problem, err, "%.480s",
                               why.text[0] != '\0' ? why.text : hn_err_text(err));
    self->manifest.data_format = version;
    return err;
}

/* Notes the files of a way back, the newest one first. */
static hn_err add_files(work *self, uint32_t ledger, const hn_ways_back *ways, const hn_way_back *way)
{
    for (; way != NULL; way = way->base.depth != 0 ? hn_ways_back_find(ways, way->base.log_index) : NULL) {
        chosen_file *larger = realloc(self->files, (self->file_count + 1) * sizeof *larger);
        if (larger == NULL)
            return hn_backup_report(self->problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
        self->files = larger;
        self->files[self->file_count++] = (chosen_file){.ledger = ledger, .log_index = way->log_index};
        self->total += way->bytes;
    }
    return HN_OK;
}

static bool reaches(const work *self, const hn_way_back *way)
{
    return way->is_whole && way->log_index <= hn_log_source_last_index(self->log) &&
           way->log_index + 1 >= hn_log_source_first_index(self->log);
}

/* HN_OK: it is good. A damaged one is told, and marked. */
static hn_err try_way(work *self, const char *ledger, hn_ways_back *ways, unsigned at)
{
    hn_backup_problem why = {.text = ""};
    hn_err err = hn_copy_check_snapshot(&why, &self->io, ledger, ways->items[at].log_index, self->pace);
    if (err == HN_OK)
        return HN_OK;
    if (err == HN_ERR_CLOSED || err == HN_ERR_NO_MEMORY)
        return hn_backup_report(self->problem, err, "%s", why.text);
    warn(self, why.text);
    hn_ways_back_mark_bad(ways, at);
    return HN_ERR_CORRUPT;
}

/* The newest good way back that fits to the log, and where there is no genesis to begin with, another one
 * that shares no file with it: what a node keeps for itself, a copy has too. */
static hn_err choose_from(work *self, uint32_t at, hn_ways_back *ways)
{
    hn_manifest_ledger *ledger = &self->manifest.ledgers[at];
    const unsigned wanted = hn_log_source_first_index(self->log) != 1 ? 2 : 1;
    uint64_t full_index = 0;
    for (unsigned i = 0, found = 0; i < ways->count && found < wanted; i++) {
        const hn_way_back *way = &ways->items[i];
        if (!reaches(self, way) || (found != 0 && way->full_index == full_index))
            continue;
        hn_err err = try_way(self, ledger->name, ways, i);
        if (err == HN_ERR_CORRUPT)
            continue;
        HN_TRY(err);
        HN_TRY(add_files(self, at, ways, way));
        self->first_blocks[at] = way->block_number;
        full_index = way->full_index;
        if (found++ != 0)
            continue;
        ledger->has_snapshot = true;
        ledger->log_index = way->log_index;
        ledger->block = way->block_number;
    }
    return HN_OK;
}

static hn_err choose_ways(work *self, uint32_t at)
{
    const hn_manifest_ledger *ledger = &self->manifest.ledgers[at];
    hn_ways_back ways;
    hn_err err = hn_ways_back_list(&ways, &self->io, ledger->name, warn, self);
    if (err != HN_OK)
        return hn_backup_report(self->problem, err, "the snapshots of %s: %s", ledger->name,
                                hn_err_text(err));
    err = choose_from(self, at, &ways);
    hn_ways_back_free(&ways);
    HN_TRY(err);
    if (ledger->has_snapshot || hn_log_source_first_index(self->log) == 1 ||
        at >= hn_log_source_begin_note(self->log))
        return HN_OK;
    return hn_backup_report(self->problem, HN_ERR_NOT_FOUND,
                            "there is no good snapshot of %s, and the log begins with frame %" PRIu64
                            ": it cannot be brought back from what is there",
                            ledger->name, hn_log_source_first_index(self->log));
}

static void forget(void *context, hn_io_file file, uint64_t offset, uint64_t size)
{
    hn_pinned_forget(context, file, offset, size);
}

/* From here on it does not matter what the node removes. */
static hn_err look(work *self)
{
    hn_manifest *manifest = &self->manifest;
    manifest->made_s = hn_clock_realtime_ns() / UINT64_C(1000000000);
    (void)hn_open_files_raise(OPEN_FILES);
    HN_TRY(visit(self, note_ledger));
    HN_TRY(hn_pinned_open(&self->pinned, self->problem, self->options->directory));
    self->io = hn_pinned_face(self->pinned);
    HN_TRY(hn_log_source_open(&self->log, self->problem, &self->io));
    hn_log_source_on_read(self->log, forget, self->pinned);
    manifest->first_index = hn_log_source_first_index(self->log);
    manifest->last_index = hn_log_source_last_index(self->log);
    manifest->chain = hn_log_source_chain(self->log);
    if (manifest->last_index < self->options->durable_index)
        return hn_backup_report(self->problem, HN_ERR_CORRUPT,
                                "the log ends with frame %" PRIu64 ", but the node says that frame %" PRIu64
                                " is durable",
                                manifest->last_index, self->options->durable_index);
    for (size_t i = 0; i < hn_log_source_segments(self->log); i++) {
        char name[HN_SEGMENT_NAME_MAX];
        self->total += hn_log_source_segment(self->log, name, i);
    }
    hn_backup_pace_begin(self->pace, "hanse backup: checking the snapshots", 0);
    for (uint32_t i = 0; i < manifest->ledger_count; i++)
        HN_TRY(choose_ways(self, i));
    hn_backup_pace_end(self->pace);
    return HN_OK;
}

/* --- copying
 * -------------------------------------------------------------------------------------------------- */

static hn_err put(const work *self, hn_bytes bytes)
{
    if (hn_backup_pace_pass(self->pace, bytes.size) != HN_OK)
        return interrupted(self);
    return hn_sink_write(self->sink, self->problem, bytes);
}

static hn_err end_file(work *self, const char *name, uint64_t size)
{
    hn_digest digest;
    HN_TRY(hn_sink_end(self->sink, self->problem, &digest));
    hn_err err = hn_manifest_add_file(&self->manifest, name, size, &digest);
    return err == HN_OK ? HN_OK : hn_backup_report(self->problem, err, "%s: %s", name, hn_err_text(err));
}

static hn_err copy_ledger(void *context, const char *file_name, const hn_node_ledger_options *ledger)
{
    work *self = context;
    char name[HN_BACKUP_NAME_MAX + 1];
    uint64_t size = ledger->genesis_json.size;
    if (self->ledgers_copied == self->manifest.ledger_count)
        return HN_OK; /* it was made meanwhile, and nothing of it is in the log yet */
    self->ledgers_copied++;
    snprintf(name, sizeof name, "ledgers/%s", file_name);
    if (!hn_backup_name_is_allowed(name))
        return hn_backup_report(self->problem, HN_ERR_INVALID, "%s: it cannot be in a backup", name);
    HN_TRY(hn_sink_begin(self->sink, self->problem, name, size));
    for (uint64_t at = 0; at < size;) {
        size_t piece = size - at < PIECE_BYTES ? (size_t)(size - at) : (size_t)PIECE_BYTES;
        HN_TRY(put(self, hn_bytes_of(ledger->genesis_json.data + at, piece)));
        at += piece;
    }
    return end_file(self, name, size);
}

static hn_err copy_segment(work *self, size_t at)
{
    char name[HN_SEGMENT_NAME_MAX];
    uint64_t size = hn_log_source_segment(self->log, name, at);
    HN_TRY(hn_sink_begin(self->sink, self->problem, name, size));
    for (;;) {
        hn_bytes bytes;
        HN_TRY(hn_log_source_next(self->log, &bytes, self->problem, at));
        if (bytes.size == 0)
            return end_file(self, name, size);
        HN_TRY(put(self, bytes));
    }
}

static hn_err copy_snapshot(work *self, const char *name)
{
    const hn_io_operations *io = self->io.operations;
    hn_io_file file;
    uint64_t size = 0;
    hn_err err = io->open(self->io.self, &file, name, HN_IO_READ);
    if (err == HN_OK)
        err = io->size(self->io.self, &size, file);
    if (err != HN_OK)
        return hn_backup_report(self->problem, err, "%s: %s", name, hn_err_text(err));
    HN_TRY(hn_sink_begin(self->sink, self->problem, name, size));
    for (uint64_t at = 0; at < size;) {
        size_t piece = size - at < PIECE_BYTES ? (size_t)(size - at) : (size_t)PIECE_BYTES;
        err = io->read(self->io.self, self->piece, file, at, piece);
        if (err != HN_OK)
            return hn_backup_report(self->problem, err, "%s: offset %" PRIu64 ": %s", name, at,
                                    hn_err_text(err));
        hn_pinned_forget(self->pinned, file, at, piece);
        HN_TRY(put(self, hn_bytes_of(self->piece, piece)));
        at += piece;
    }
    io->close(self->io.self, file);
    return end_file(self, name, size);
}

static hn_err copy_chosen(work *self, const chosen_file *file)
{
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    hn_err err = hn_snapshot_name(name, self->manifest.ledgers[file->ledger].name, file->log_index);
    return err == HN_OK ? copy_snapshot(self, name)
                        : hn_backup_report(self->problem, err, "a snapshot: %s", hn_err_text(err));
}

static hn_err copy(work *self)
{
    hn_backup_pace_begin(self->pace, "hanse backup: copying", self->total);
    HN_TRY(visit(self, copy_ledger));
    for (size_t i = 0; i < self->file_count; i++)
        HN_TRY(copy_chosen(self, &self->files[i]));
    for (size_t i = 0; i < hn_log_source_segments(self->log); i++)
        HN_TRY(copy_segment(self, i));
    hn_backup_pace_end(self->pace);
    return HN_OK;
}

static hn_err finish(work *self)
{
    char *text = NULL;
    size_t size = 0;
    hn_err err = hn_manifest_write(&text, &size, &self->manifest);
    hn_digest_state *digest = err == HN_OK ? hn_digest_create() : NULL;
    if (digest == NULL) {
        free(text);
        return hn_backup_report(self->problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
    }
    hn_digest_add(digest, hn_bytes_of(text, size));
    self->digest = hn_digest_end(digest).sha256;
    hn_digest_destroy(digest);
    err = hn_sink_finish(self->sink, self->problem, hn_bytes_of(text, size));
    free(text);
    return err;
}

/* What was written is read back, as `hanse restore` will. */
static hn_err check(work *self)
{
    char data[PATH_MAX];
    hn_unpacked found;
    if ((size_t)snprintf(data, sizeof data, "%s/%s", self->options->target, HN_BACKUP_DATA) >= sizeof data)
        return hn_backup_report(self->problem, HN_ERR_LIMIT, "the name of the folder is too long");
    hn_backup_pace_begin(self->pace, "hanse backup: reading it back", 0);
    HN_TRY(hn_unpack_folder(&found, self->problem, self->options->target, NULL, self->pace));
    bool is_same = hn_hash_equal(&found.digest, &self->digest);
    hn_manifest_free(&found.manifest);
    if (!is_same)
        return hn_backup_report(self->problem, HN_ERR_CORRUPT, "%.300s: another manifest was read back",
                                self->options->target);
    hn_backup_pace_begin(self->pace, "hanse backup: checking frames and roots", 0);
    hn_err err = hn_copy_check(self->problem, data, &self->manifest, self->pace);
    hn_backup_pace_end(self->pace);
    return err;
}

/* --- all of it
 * ------------------------------------------------------------------------------------------------- */

/* A backup of a folder into that folder would never end, and changes it. */
static hn_err check_target(const work *self)
{
    char data[PATH_MAX], parent[PATH_MAX], above[PATH_MAX];
    snprintf(above, sizeof above, "%s/..", self->options->target);
    if (realpath(self->options->directory, data) == NULL)
        return hn_backup_report(self->problem, HN_ERR_NOT_FOUND, "%.400s: there is no such folder",
                                self->options->directory);
    if (realpath(self->options->target, parent) == NULL) {
        snprintf(above, sizeof above, "%s", self->options->target);
        char *slash = strrchr(above, '/');
        while (slash != NULL && slash != above && slash[1] == '\0') {
            *slash = '\0';
            slash = strrchr(above, '/');
        }
        snprintf(slash != NULL ? slash : above, 3, "%s", slash != NULL ? "/" : ".");
        if (realpath(above, parent) == NULL)
            return hn_backup_report(self->problem, HN_ERR_NOT_FOUND, "%.400s: there is no such folder",
                                    above);
    }
    size_t size = strlen(data);
    if (strncmp(parent, data, size) == 0 && (parent[size] == '\0' || parent[size] == '/'))
        return hn_backup_report(self->problem, HN_ERR_INVALID, "%.400s lies in the data directory itself",
                                self->options->target);
    return HN_OK;
}

static hn_err make(work *self, bool is_stream)
{
    self->piece = malloc(PIECE_BYTES);
    if (self->piece == NULL)
        return hn_backup_report(self->problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
    if (!is_stream)
        HN_TRY(check_target(self));
    HN_TRY(look(self));
    HN_TRY(is_stream ? hn_sink_stream(&self->sink, self->problem, STDOUT_FILENO, self->pace)
                     : hn_sink_folder(&self->sink, self->problem, self->options->target));
    HN_TRY(copy(self));
    HN_TRY(finish(self));
    return is_stream || self->options->without_check ? HN_OK : check(self);
}

hn_err hn_backup_make(hn_backup_result *out, hn_backup_problem *problem, const hn_backup_options *options,
                      hn_backup_pace *pace)
{
    uint64_t begun_ns = hn_clock_monotonic_ns();
    work *self = calloc(1, sizeof *self);
    if (self == NULL)
        return hn_backup_report(problem, HN_ERR_NO_MEMORY, "%s", hn_err_text(HN_ERR_NO_MEMORY));
    self->options = options;
    self->pace = pace;
    self->problem = problem;
    self->first_blocks = out->first_blocks;
    memset(out, 0, sizeof *out);
    problem->text[0] = '\0';
    hn_err err = make(self, strcmp(options->target, "-") == 0);
    hn_backup_pace_end(pace);
    hn_sink_close(self->sink, err == HN_OK);
    hn_log_source_close(self->log);
    hn_pinned_close(self->pinned);
    if (err == HN_OK) {
        out->manifest = self->manifest;
        out->bytes = self->total;
        out->digest = self->digest;
        out->seconds = (double)(hn_clock_monotonic_ns() - begun_ns) / 1e9;
    } else {
        hn_manifest_free(&self->manifest);
    }
    free(self->files);
    free(self->piece);
    free(self);
    return err;
}
