#include "shard/store/snapshot_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CANDIDATES_MAX = 64, KEEP_MIN = 2 };

/* --- reading one file into tables
 * ---------------------------------------------------------------------------------------- */

typedef struct loader {
    hn_snapshot_info *info;
    hn_arena *arena;
    hn_flat *flat;
    uint64_t table_seed;
    uint64_t account_count;
    uint64_t slot_count;
} loader;

static hn_err begin(void *self, const hn_snapshot_info *info, uint64_t account_count, uint64_t slot_count,
                    uint64_t accounts_max)
{
    loader *l = self;
    *l->info = *info;
    l->account_count = account_count;
    l->slot_count = slot_count;
    HN_TRY(hn_arena_copy(&l->info->head.extra_data, l->arena, info->head.extra_data));
    return hn_flat_create(&l->flat, l->table_seed,
                          account_count < accounts_max ? account_count : accounts_max);
}

static hn_err take_code(void *self, hn_bytes bytes)
{
    const hn_code *code;
    return hn_flat_put_code(((loader *)self)->flat, &code, bytes);
}

static bool has_code(void *self, const hn_hash *code_hash)
{
    return hn_flat_code(((const loader *)self)->flat, code_hash) != NULL;
}

static hn_err take_account(void *self, const hn_address *address, const hn_account *account)
{
    return hn_flat_put_account(((loader *)self)->flat, address, account);
}

static hn_err take_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    return hn_flat_put_slot(((loader *)self)->flat, address, key, value);
}

static hn_err load_file(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_info *info, hn_flat **flat,
                        hn_arena *arena, const char *ledger_name, uint64_t log_index, uint64_t table_seed)
{
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    HN_TRY(hn_snapshot_name(name, ledger_name, log_index));
    loader l = {.info = info, .arena = arena, .table_seed = table_seed};
    const hn_snapshot_taker taker = {.begin = begin,
                                     .code = take_code,
                                     .has_code = has_code,
                                     .account = take_account,
                                     .slot = take_slot,
                                     .self = &l};
    hn_err err = hn_snapshot_read(io, problem, name, ledger_name, log_index, &taker, NULL);
    if (err == HN_OK &&
        (hn_flat_account_count(l.flat) != l.account_count || hn_flat_slot_count(l.flat) != l.slot_count))
        err = hn_snapshot_report(problem, HN_ERR_CORRUPT,
                                 "%s: the numbers of accounts and slots are not those of the state", name);
    if (err != HN_OK)
        hn_flat_destroy(l.flat);
    else
        *flat = l.flat;
    return err;
}

/* --- which files there are
 * ------------------------------------------------------------------------------------ */

/* The newest snapshots of a ledger, newest first. */
typedef struct candidates {
    const char *ledger_name;
    uint64_t indexes[CANDIDATES_MAX];
    unsigned count;
} candidates;

static void note_index(candidates *found, uint64_t index)
{
    unsigned at = found->count;
    while (at > 0 && found->indexes[at - 1] < index)
        at--;
    if (at == CANDIDATES_MAX)
        return;
    unsigned kept = found->count < CANDIDATES_MAX ? found->count++ : CANDIDATES_MAX - 1;
    memmove(&found->indexes[at + 1], &found->indexes[at], (kept - at) * sizeof found->indexes[0]);
    found->indexes[at] = index;
}

static void note_name(void *context, const char *name)
{
    candidates *found = context;
    uint64_t index;
    if (hn_snapshot_name_parse(&index, name, found->ledger_name))
        note_index(found, index);
}

static void note_temporary_name(void *context, const char *name)
{
    static const char ending[] = ".tmp";
    size_t size = strlen(name);
    char final_name[HN_SNAPSHOT_NAME_MAX];
    if (size < sizeof ending || size >= sizeof final_name || strcmp(name + size - 4, ending) != 0)
        return;
    snprintf(final_name, sizeof final_name, "%.*s", (int)(size - 4), name);
    note_name(context, final_name);
}

hn_err hn_snapshot_clean(const hn_io *io, const char *ledger_name)
{
    candidates found = {.ledger_name = ledger_name};
    HN_TRY(io->operations->list(io->self, note_temporary_name, &found));
    for (unsigned i = 0; i < found.count; i++)
        hn_snapshot_discard(io, ledger_name, found.indexes[i]);
    return HN_OK;
}

hn_err hn_snapshot_list(const hn_io *io, uint64_t *indexes, unsigned *count, unsigned capacity,
                        const char *ledger_name)
{
    candidates found = {.ledger_name = ledger_name};
    HN_TRY(io->operations->list(io->self, note_name, &found));
    *count = found.count < capacity ? found.count : capacity;
    memcpy(indexes, found.indexes, *count * sizeof *indexes);
    return HN_OK;
}

hn_err hn_snapshot_load_newest(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_info *info,
                               hn_flat **flat, hn_arena *arena, const char *ledger_name,
                               uint64_t log_index_max, uint64_t table_seed,
                               void (*warn)(void *self, const char *text), void *warn_self)
{
    hn_snapshot_problem local;
    problem = problem != NULL ? problem : &local;
    (void)hn_snapshot_report(problem, HN_OK, "%s", "");
    candidates found = {.ledger_name = ledger_name};
    hn_err err = io->operations->list(io->self, note_name, &found);
    if (err != HN_OK)
        return hn_snapshot_report(problem, err, "the data directory cannot be listed: %s", hn_err_text(err));
    for (unsigned i = 0; i < found.count; i++) {
        if (found.indexes[i] > log_index_max)
            continue;
        hn_arena_mark mark = hn_arena_mark_now(arena);
        hn_snapshot_info loaded;
        err = load_file(io, problem, &loaded, flat, arena, ledger_name, found.indexes[i], table_seed);
        if (err == HN_OK) {
            *info = loaded;
            return hn_snapshot_report(problem, HN_OK, "%s", "");
        }
        hn_arena_release(arena, mark);
        if (err == HN_ERR_NO_MEMORY)
            return hn_snapshot_report(problem, err, "snapshot of %s at frame %" PRIu64 ": %s", ledger_name,
                                      found.indexes[i], hn_err_text(err));
        if (warn != NULL)
            warn(warn_self, problem->text);
    }
    return hn_snapshot_report(problem, HN_ERR_NOT_FOUND, "there is no good snapshot of %s", ledger_name);
}

hn_err hn_snapshot_load(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_info *info, hn_flat **flat,
                        hn_arena *arena, const char *ledger_name, uint64_t log_index, uint64_t table_seed)
{
    return load_file(io, problem, info, flat, arena, ledger_name, log_index, table_seed);
}

hn_err hn_snapshot_retire(const hn_io *io, const char *ledger_name, unsigned keep)
{
    keep = keep > KEEP_MIN ? keep : KEEP_MIN;
    candidates found = {.ledger_name = ledger_name};
    HN_TRY(io->operations->list(io->self, note_name, &found));
    for (unsigned i = keep; i < found.count; i++) {
        char name[HN_SNAPSHOT_FILE_NAME_MAX];
        HN_TRY(hn_snapshot_name(name, ledger_name, found.indexes[i]));
        HN_TRY(io->operations->remove(io->self, name));
    }
    return found.count > keep ? io->operations->sync_directory(io->self) : HN_OK;
}
