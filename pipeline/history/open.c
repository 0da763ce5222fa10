#include "pipeline/history/block_record.h"
#include "pipeline/history/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4096,
    PENDING_CHUNK_BYTES = 1024 * 1024,
    READERS_DEFAULT = 256,
};

static const uint64_t map_bytes_default = 256ULL << 30;
static const uint64_t pending_bytes_default = 256ULL << 20;

hn_err hn_history_err(int code)
{
    switch (code) {
    case 0:
        return HN_OK;
    case MDB_NOTFOUND:
        return HN_ERR_NOT_FOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return HN_ERR_NO_SPACE;
    case ENOMEM:
        return HN_ERR_NO_MEMORY;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_PANIC:
        return HN_ERR_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return HN_ERR_VERSION;
    case EAGAIN:
    case EBUSY:
        return HN_ERR_BUSY;
    default:
        return HN_ERR_IO;
    }
}

__attribute__((format(printf, 2, 3))) static void say(hn_history_problem *problem, const char *format, ...)
{
    if (problem == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
}

static void remove_file(const char *directory, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    unlink(path);
}

int hn_history_open_tables(hn_history *history, MDB_txn *transaction, unsigned flags)
{
    const struct {
        const char *name;
        MDB_dbi *table;
    } tables[HN_HISTORY_TABLES] = {
        {"ledgers", &history->ledgers},
        {"blocks", &history->blocks},
        {"blooms", &history->blooms},
        {"runs", &history->index.runs},
        {"lists", &history->index.lists},
        {"log runs", &history->log_index.runs},
        {"log chunks", &history->log_index.chunks},
        {"undo", &history->undo},
        {"undo ranges", &history->undo_ranges},
        {"undo runs", &history->undo_index.runs},
        {"undo chunks", &history->undo_index.chunks},
    };
    int code = 0;
    for (unsigned i = 0; i < HN_HISTORY_TABLES && code == 0; i++)
        code = mdb_dbi_open(transaction, tables[i].name, flags, tables[i].table);
    return code;
}

static int open_tables(hn_history *history)
{
    MDB_txn *transaction;
    int code = mdb_txn_begin(history->environment, NULL, 0, &transaction);
    if (code != 0)
        return code;
    code = hn_history_open_tables(history, transaction, MDB_CREATE);
    if (code != 0) {
        mdb_txn_abort(transaction);
        return code;
    }
    return mdb_txn_commit(transaction);
}

static int open_environment(hn_history *history, const hn_history_options *options)
{
    int code = mdb_env_create(&history->environment);
    if (code != 0)
        return code;
    uint64_t map_bytes = options->map_bytes != 0 ? options->map_bytes : map_bytes_default;
    history->view.limit_bytes = map_bytes;
    code = mdb_env_set_mapsize(history->environment, map_bytes);
    if (code == 0)
        code = mdb_env_set_maxdbs(history->environment, HN_HISTORY_TABLES);
    if (code == 0)
        code = mdb_env_set_maxreaders(history->environment,
                                      options->readers_max != 0 ? options->readers_max : READERS_DEFAULT);
    /* No syncing unless wanted: the log is what is durable. No read-ahead: look-ups are scattered. */
    unsigned syncing = options->is_durable ? 0 : MDB_NOSYNC;
    if (code == 0)
        code = mdb_env_open(history->environment, history->directory,
                            syncing | MDB_NOTLS | MDB_NORDAHEAD | MDB_NOMEMINIT, 0644);
    return code == 0 ? open_tables(history) : code;
}

static void free_history(hn_history *history)
{
    if (history->environment != NULL)
        mdb_env_close(history->environment);
    for (uint32_t i = 0; i < HN_HISTORY_LEDGERS_MAX; i++) {
        free(history->by_index[i].entries);
        free(history->by_index[i].log_entries);
        free(history->by_index[i].undo_entries);
    }
    hn_arena_destroy(&history->pending_arena);
    free(history->directory);
    free(history);
}

/* Looks at what is there, wipes it when it cannot be trusted, and marks the store as in use. */
static hn_err prepare_directory(const char *directory, bool is_durable, bool *was_wiped,
                                hn_history_problem *problem)
{
    if (mkdir(directory, 0755) != 0 && errno != EEXIST) {
        say(problem, "cannot make the directory %s: %s", directory, strerror(errno));
        return errno == ENOSPC ? HN_ERR_NO_SPACE : HN_ERR_IO;
    }
    hn_err err = hn_history_inspect(problem, directory);
    *was_wiped = err == HN_ERR_VERSION || err == HN_ERR_CORRUPT || err == HN_ERR_BUSY;
    if (*was_wiped || err == HN_ERR_NOT_FOUND) {
        remove_file(directory, "data.mdb");
        remove_file(directory, "lock.mdb");
        err = HN_OK;
    }
    /* First, for they cover the marker: whatever fails in between, nothing must look damaged. */
    if (err == HN_OK)
        hn_history_checksums_remove(directory);
    if (err == HN_OK)
        err = hn_history_marker_write(directory, is_durable ? HN_HISTORY_DURABLE : HN_HISTORY_OPEN);
    if (err != HN_OK)
        say(problem, "cannot use the directory %s: %s", directory, strerror(errno));
    return err;
}

hn_err hn_history_open(hn_history **out, hn_history_problem *problem, bool *was_wiped,
                       const hn_history_options *options)
{
    bool wiped = false;
    HN_TRY(prepare_directory(options->directory, options->is_durable, &wiped, problem));
    hn_history *history = calloc(1, sizeof *history);
    if (history == NULL)
        return HN_ERR_NO_MEMORY;
    history->pending_bytes_max =
        options->pending_bytes_max != 0 ? options->pending_bytes_max : pending_bytes_default;
    history->undo_index.has_filters = true;
    history->undo_blocks = options->undo_blocks;
    history->undo_run_entries =
        options->undo_run_entries != 0 ? options->undo_run_entries : (uint32_t)HN_LOG_RUN_ENTRIES_MIN;
    hn_arena_init(&history->pending_arena, PENDING_CHUNK_BYTES, 0);
    history->directory = strdup(options->directory);
    int code = history->directory != NULL ? open_environment(history, options) : ENOMEM;
    if (code == MDB_INVALID || code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND ||
        code == MDB_VERSION_MISMATCH) {
        /* Not closed the last time, so without checksums: LMDB itself has found something. */
        say(problem, "history/data.mdb: %s", mdb_strerror(code));
        mdb_env_close(history->environment);
        history->environment = NULL;
        remove_file(history->directory, "data.mdb");
        remove_file(history->directory, "lock.mdb");
        wiped = true;
        code = open_environment(history, options);
    }
    if (code != 0) {
        say(problem, "cannot open the history in %s: %s", options->directory, mdb_strerror(code));
        free_history(history);
        return hn_history_err(code);
    }
    hn_history_note_size(history);
    *was_wiped = wiped;
    *out = history;
    return HN_OK;
}

void hn_history_close(hn_history *history)
{
    if (history == NULL)
        return;
    /* Should one of these fail, the marker goes on saying "open": only the next start on this boot trusts it.
     */
    if (!history->is_read_only && !history->is_distrusted && hn_history_commit(history) == HN_OK &&
        mdb_env_sync(history->environment, 1) == 0 &&
        hn_history_marker_write(history->directory, HN_HISTORY_CLEAN) == HN_OK) {
        /* Only the process that has it open needs LMDB's table of readers. */
        mdb_env_close(history->environment);
        history->environment = NULL;
        remove_file(history->directory, "lock.mdb");
        hn_history_checksums_write(history->directory);
    }
    free_history(history);
}

/* --- ledgers --- */

/* Finds the ledger's id by name, or gives it the next one; *is_other: it had another genesis. What is noted
 * of that one's source goes. */
static int find_or_add_id(hn_history *history, MDB_txn *transaction, uint32_t *id, bool *is_other,
                          const char *name, const hn_hash *genesis_hash)
{
    uint8_t name_bytes[HN_HISTORY_NAME_MAX];
    size_t name_size = strlen(name);
    memcpy(name_bytes, name, name_size);
    MDB_val key = {.mv_size = name_size, .mv_data = name_bytes};
    MDB_val value;
    *is_other = false;
    int code = mdb_get(transaction, history->ledgers, &key, &value);
    if (code == 0) {
        if (value.mv_size != HN_HISTORY_LEDGER_BYTES && value.mv_size != HN_HISTORY_LEDGER_SOURCE_BYTES)
            return MDB_CORRUPTED;
        *id = hn_load_le32(value.mv_data);
        *is_other = memcmp((const uint8_t *)value.mv_data + 4, genesis_hash, sizeof *genesis_hash) != 0;
        if (!*is_other)
            return 0;
    } else if (code == MDB_NOTFOUND) {
        MDB_stat stat;
        code = mdb_stat(transaction, history->ledgers, &stat);
        if (code != 0)
            return code;
        *id = (uint32_t)stat.ms_entries;
    } else {
        return code;
    }
    uint8_t bytes[HN_HISTORY_LEDGER_BYTES];
    hn_store_le32(bytes, *id);
    memcpy(bytes + 4, genesis_hash, sizeof *genesis_hash);
    value = (MDB_val){.mv_size = sizeof bytes, .mv_data = bytes};
    return mdb_put(transaction, history->ledgers, &key, &value, 0);
}

int hn_history_load_last(const hn_history *history, MDB_txn *transaction, hn_history_ledger *ledger)
{
    int code = hn_history_edge(history, transaction, ledger->id, true, &ledger->last_number);
    if (code == MDB_NOTFOUND) {
        ledger->has_blocks = false;
        return 0;
    }
    if (code != 0)
        return code;
    uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(key_bytes, ledger->id, ledger->last_number);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    code = mdb_get(transaction, history->blocks, &key, &value);
    if (code != 0)
        return code;
    if (hn_block_record_hash(&ledger->last_hash, hn_bytes_of(value.mv_data, value.mv_size)) != HN_OK)
        return MDB_CORRUPTED;
    ledger->has_blocks = true;
    return 0;
}

hn_err hn_history_add_ledger(hn_history *history, uint32_t index, const char *name, const hn_header *genesis,
                             const hn_hash *genesis_hash)
{
    if (index >= HN_HISTORY_LEDGERS_MAX || strlen(name) > HN_HISTORY_NAME_MAX || name[0] == '\0')
        return HN_ERR_RANGE;
    hn_history_ledger *ledger = &history->by_index[index];
    if (ledger->is_known)
        return HN_ERR_EXISTS;
    HN_TRY(hn_history_commit(history));

    MDB_txn *transaction;
    int code = mdb_txn_begin(history->environment, NULL, 0, &transaction);
    if (code != 0)
        return hn_history_err(code);
    bool is_other;
    code = find_or_add_id(history, transaction, &ledger->id, &is_other, name, genesis_hash);
    if (code == 0 && is_other)
        code = hn_history_delete_from(history, transaction, ledger->id, 0);
    if (code == 0 && is_other)
        code = hn_run_index_clear(&history->index, transaction, ledger->id);
    if (code == 0)
        code = hn_history_load_last(history, transaction, ledger);
    if (code == 0)
        code = hn_history_log_tail_load(history, transaction, ledger);
    if (code == 0)
        code = hn_history_undo_load(history, transaction, ledger);
    if (code != 0) {
        mdb_txn_abort(transaction);
        return hn_history_err(code);
    }
    code = mdb_txn_commit(transaction);
    if (code != 0)
        return hn_history_err(code);
    ledger->is_known = true;
    if (history->ledger_count <= index)
        history->ledger_count = index + 1;
    hn_history_note_newest(history, index);
    hn_history_note_undo(history, index);
    if (ledger->has_blocks)
        return HN_OK;
    hn_executed_block block = {.header = *genesis, .hash = *genesis_hash};
    HN_TRY(hn_history_put_block(history, index, &block));
    return hn_history_commit(history);
}
