/* A store that is looked at and not touched: for audits, and for what a store that cannot be trusted still
 * tells. No lock file, no marker, nothing written. */
#include "pipeline/history/store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What LMDB takes for granted does not hold: the pages are damaged. Whoever guards against what else comes of
 * that guards against this. */
static void give_up(MDB_env *environment, const char *words)
{
    (void)environment, (void)words;
    raise(SIGBUS);
}

static int open_tables(hn_history *history)
{
    MDB_txn *transaction;
    int code = mdb_txn_begin(history->environment, NULL, MDB_RDONLY, &transaction);
    if (code != 0)
        return code;
    code = hn_history_open_tables(history, transaction, 0);
    if (code != 0) {
        mdb_txn_abort(transaction);
        return code;
    }
    return mdb_txn_commit(transaction);
}

static int open_environment(hn_history *history)
{
    int code = mdb_env_create(&history->environment);
    if (code == 0)
        code = mdb_env_set_assert(history->environment, give_up);
    if (code == 0)
        code = mdb_env_set_maxdbs(history->environment, HN_HISTORY_TABLES);
    if (code == 0)
        code = mdb_env_open(history->environment, history->directory,
                            MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS | MDB_NORDAHEAD, 0644);
    return code == 0 ? open_tables(history) : code;
}

hn_err hn_history_open_read_only(hn_history **out, hn_history_problem *problem, const char *directory)
{
    hn_history *history = calloc(1, sizeof *history);
    if (history == NULL)
        return HN_ERR_NO_MEMORY;
    history->is_read_only = true;
    hn_arena_init(&history->pending_arena, 0, 0);
    history->directory = strdup(directory);
    int code = history->directory != NULL ? open_environment(history) : ENOMEM;
    if (code != 0) {
        if (problem != NULL)
            snprintf(problem->text, sizeof problem->text, "%.200s/data.mdb: %s", directory,
                     mdb_strerror(code));
        hn_history_close(history);
        return hn_history_err(code);
    }
    *out = history;
    return HN_OK;
}

hn_err hn_history_find_ledger(hn_history *history, uint32_t index, const char *name,
                              const hn_hash *genesis_hash)
{
    size_t name_size = strlen(name);
    if (index >= HN_HISTORY_LEDGERS_MAX || name_size > HN_HISTORY_NAME_MAX || name_size == 0)
        return HN_ERR_RANGE;
    uint8_t name_bytes[HN_HISTORY_NAME_MAX];
    memcpy(name_bytes, name, name_size);
    hn_history_ledger *ledger = &history->by_index[index];
    MDB_txn *transaction;
    int code = mdb_txn_begin(history->environment, NULL, MDB_RDONLY, &transaction);
    if (code != 0)
        return hn_history_err(code);
    MDB_val key = {.mv_size = name_size, .mv_data = name_bytes}, value;
    code = mdb_get(transaction, history->ledgers, &key, &value);
    if (code == 0 && value.mv_size < HN_HISTORY_LEDGER_BYTES)
        code = MDB_CORRUPTED;
    bool is_other = false;
    if (code == 0) {
        const uint8_t *bytes = value.mv_data;
        ledger->id = hn_load_le32(bytes);
        is_other = genesis_hash != NULL && memcmp(bytes + 4, genesis_hash->b, sizeof genesis_hash->b) != 0;
        code = hn_history_load_last(history, transaction, ledger);
    }
    mdb_txn_abort(transaction);
    if (code != 0 || is_other)
        return is_other ? HN_ERR_MISMATCH : hn_history_err(code);
    ledger->is_known = true;
    if (history->ledger_count <= index)
        history->ledger_count = index + 1;
    hn_history_note_newest(history, index);
    return HN_OK;
}
