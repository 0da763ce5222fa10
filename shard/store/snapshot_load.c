#include "shard/store/snapshot_read.h"
#include "shard/store/ways_back.h"

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
    if (l->flat != NULL)
        return HN_OK; /* a delta goes into what is below it */
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

static hn_err take_gone(void *self, const hn_address *address)
{
    loader *l = self;
    hn_account_change change = {.address = *address, .existed = true};
    hn_state_diff diff = {.accounts = &change, .account_count = 1, .account_capacity = 1};
    if (!hn_flat_account(l->flat, &change.before, address))
        return HN_ERR_NOT_FOUND;
    return hn_flat_apply(l->flat, NULL, &diff);
}

/* --- a file and all that it stands on
 * --------------------------------------------------------------------------- */

static hn_err load_file(loader *l, const hn_io *io, hn_snapshot_problem *problem, const char *ledger_name,
                        const hn_way_back *way)
{
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    hn_checksum end;
    HN_TRY(hn_snapshot_name(name, ledger_name, way->log_index));
    const hn_snapshot_taker taker = {.begin = begin,
                                     .code = take_code,
                                     .has_code = has_code,
                                     .account = take_account,
                                     .gone = take_gone,
                                     .slot = take_slot,
                                     .self = l};
    HN_TRY(hn_snapshot_read(io, problem, name, ledger_name, way->log_index, &taker, NULL, &end));
    if (end.low != way->end.low || end.high != way->end.high)
        return hn_snapshot_report(problem, HN_ERR_CORRUPT, "%s: it is not what it was a moment ago", name);
    if (hn_flat_account_count(l->flat) != l->account_count || hn_flat_slot_count(l->flat) != l->slot_count)
        return hn_snapshot_report(problem, HN_ERR_CORRUPT,
                                  "%s: the numbers of accounts and slots are not those of the state", name);
    return HN_OK;
}

/* From the full one up to the one at `at`. *bad: the file that the error came from. */
static hn_err load_chain(loader *l, unsigned *bad, const hn_io *io, hn_snapshot_problem *problem,
                         const char *ledger_name, const hn_ways_back *ways, unsigned at)
{
    for (unsigned below = ways->items[at].base.depth + 1; below-- > 0;) {
        const hn_way_back *each = &ways->items[at];
        for (unsigned i = 0; i < below; i++)
            each = hn_ways_back_find(ways, each->base.log_index);
        *bad = (unsigned)(each - ways->items);
        HN_TRY(load_file(l, io, problem, ledger_name, each));
    }
    return HN_OK;
}

hn_err hn_snapshot_load_way(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_info *info,
                            hn_flat **flat, hn_arena *arena, const char *ledger_name, hn_ways_back *ways,
                            unsigned at, uint64_t table_seed)
{
    hn_snapshot_info *loaded = malloc(sizeof *loaded);
    if (loaded == NULL)
        return HN_ERR_NO_MEMORY;
    hn_arena_mark mark = hn_arena_mark_now(arena);
    loader l = {.info = loaded, .arena = arena, .table_seed = table_seed};
    unsigned bad = at;
    hn_err err =
        ways->items[at].is_whole
            ? load_chain(&l, &bad, io, problem, ledger_name, ways, at)
            : hn_snapshot_report(problem, HN_ERR_CORRUPT,
                                 "snapshot of %s at frame %" PRIu64
                                 ": it says the changes since frame %" PRIu64 ", which is not there whole",
                                 ledger_name, ways->items[at].log_index, ways->items[at].base.log_index);
    if (err == HN_OK) {
        *info = *loaded;
        *flat = l.flat;
    } else {
        hn_flat_destroy(l.flat);
        hn_arena_release(arena, mark);
        if (err != HN_ERR_NO_MEMORY)
            hn_ways_back_mark_bad(ways, bad);
    }
    free(loaded);
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
    hn_ways_back ways;
    hn_err err = hn_ways_back_list(&ways, io, ledger_name, warn, warn_self);
    if (err != HN_OK)
        return hn_snapshot_report(problem, err, "the data directory cannot be listed: %s", hn_err_text(err));
    err = HN_ERR_NOT_FOUND;
    for (unsigned i = 0; i < ways.count && err != HN_OK && err != HN_ERR_NO_MEMORY; i++) {
        if (ways.items[i].log_index > log_index_max || ways.items[i].is_bad)
            continue;
        err = hn_snapshot_load_way(io, problem, info, flat, arena, ledger_name, &ways, i, table_seed);
        if (err != HN_OK && err != HN_ERR_NO_MEMORY && warn != NULL)
            warn(warn_self, problem->text);
    }
    hn_ways_back_free(&ways);
    if (err == HN_OK)
        return hn_snapshot_report(problem, HN_OK, "%s", "");
    if (err == HN_ERR_NO_MEMORY)
        return hn_snapshot_report(problem, err, "snapshot of %s: %s", ledger_name, hn_err_text(err));
    return hn_snapshot_report(problem, HN_ERR_NOT_FOUND, "there is no good snapshot of %s", ledger_name);
}

hn_err hn_snapshot_load(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_info *info, hn_flat **flat,
                        hn_arena *arena, const char *ledger_name, uint64_t log_index, uint64_t table_seed)
{
    hn_snapshot_description *description = malloc(sizeof *description);
    if (description == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = hn_snapshot_describe(io, problem, description, ledger_name, log_index, false);
    free(description);
    hn_ways_back ways;
    if (err == HN_OK)
        err = hn_ways_back_list(&ways, io, ledger_name, NULL, NULL);
    if (err != HN_OK)
        return err;
    const hn_way_back *way = hn_ways_back_find(&ways, log_index);
    err = way == NULL ? HN_ERR_NOT_FOUND
                      : hn_snapshot_load_way(io, problem, info, flat, arena, ledger_name, &ways,
                                             (unsigned)(way - ways.items), table_seed);
    hn_ways_back_free(&ways);
    return err;
}

/* --- retiring
 * ------------------------------------------------------------------------------------------------ */

static hn_err ignore_begin(void *self, const hn_snapshot_info *info, uint64_t account_count,
                           uint64_t slot_count, uint64_t accounts_max)
{
    (void)self, (void)info, (void)account_count, (void)slot_count, (void)accounts_max;
    return HN_OK;
}

static hn_err ignore_code(void *self, hn_bytes code)
{
    (void)self, (void)code;
    return HN_OK;
}

static bool every_code(void *self, const hn_hash *code_hash)
{
    (void)self, (void)code_hash;
    return true;
}

static hn_err ignore_account(void *self, const hn_address *address, const hn_account *account)
{
    (void)self, (void)address, (void)account;
    return HN_OK;
}

static hn_err ignore_gone(void *self, const hn_address *address)
{
    (void)self, (void)address;
    return HN_OK;
}

static hn_err ignore_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    (void)self, (void)address, (void)key, (void)value;
    return HN_OK;
}

/* Every checksum of one file. */
static hn_err read_through(const hn_io *io, const char *ledger_name, uint64_t log_index,
                           const hn_snapshot_pace *pace)
{
    static const hn_snapshot_taker taker = {.begin = ignore_begin,
                                            .code = ignore_code,
                                            .has_code = every_code,
                                            .account = ignore_account,
                                            .gone = ignore_gone,
                                            .slot = ignore_slot};
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    HN_TRY(hn_snapshot_name(name, ledger_name, log_index));
    return hn_snapshot_read(io, NULL, name, ledger_name, log_index, &taker, pace, NULL);
}

/* The full snapshot of the oldest chain that has to stay, so that `keep` of those stay whose files can all be
 * read; HN_ERR_NOT_FOUND: there are not as many. Chains are as old as their full snapshots. */
static hn_err find_oldest_kept(uint64_t *out, hn_ways_back *ways, const hn_io *io, const char *ledger_name,
                               unsigned keep, uint64_t known_good, const hn_snapshot_pace *pace)
{
    for (unsigned i = 0; i < ways->count; i++) {
        const hn_way_back *full = &ways->items[i];
        if (!full->is_whole || full->base.depth != 0)
            continue;
        const hn_way_back *known = hn_ways_back_find(ways, known_good);
        if (known == NULL || !known->is_whole || known->full_index != full->log_index) {
            hn_err err = read_through(io, ledger_name, full->log_index, pace);
            if (err == HN_ERR_CLOSED || err == HN_ERR_NO_MEMORY)
                return err;
            if (err != HN_OK)
                continue;
        }
        *out = full->log_index;
        if (--keep == 0)
            return HN_OK;
    }
    return HN_ERR_NOT_FOUND;
}

hn_err hn_snapshot_retire(const hn_io *io, const char *ledger_name, unsigned keep, uint64_t known_good,
                          const hn_snapshot_pace *pace)
{
    hn_ways_back ways;
    uint64_t oldest = 0;
    unsigned removed = 0;
    keep = keep > KEEP_MIN ? keep : KEEP_MIN;
    HN_TRY(hn_ways_back_list(&ways, io, ledger_name, NULL, NULL));
    hn_err err = HN_ERR_NOT_FOUND;
    if (hn_ways_back_independent(&ways) > keep)
        err = find_oldest_kept(&oldest, &ways, io, ledger_name, keep, known_good, pace);
    /* The newest ones first: nothing is left for a moment without what it stands on. */
    for (unsigned i = 0; err == HN_OK && i < ways.count; i++) {
        const hn_way_back *item = &ways.items[i];
        char name[HN_SNAPSHOT_FILE_NAME_MAX];
        bool goes = item->is_whole ? item->full_index < oldest : item->log_index < oldest;
        if (!goes)
            continue;
        err = hn_snapshot_name(name, ledger_name, item->log_index);
        if (err == HN_OK)
            err = io->operations->remove(io->self, name);
        removed++;
    }
    hn_ways_back_free(&ways);
    if (err == HN_OK && removed != 0)
        err = io->operations->sync_directory(io->self);
    return err == HN_ERR_NOT_FOUND ? HN_OK : err;
}
