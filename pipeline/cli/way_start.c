#include "pipeline/cli/way_start.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool fits_log(const hn_log *log, const hn_way_back *way)
{
    char file[HN_LOG_FILE_NAME_MAX];
    hn_hash chain;
    return way->log_index + 1 >= hn_log_first_index(log) &&
           (!way->has_chain || hn_log_find_chain(log, &chain, file, way->log_index) != HN_OK ||
            hn_hash_equal(&chain, &way->chain));
}

static hn_err restore(hn_way_start *out, hn_snapshot_problem *problem, hn_replay_ledger *ledger,
                      hn_arena *arena, const hn_io *io, const char *name, hn_ways_back *ways, unsigned at)
{
    hn_flat *flat = NULL;
    hn_snapshot_info *info = calloc(1, sizeof *info);
    if (info == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = hn_snapshot_load_way(io, problem, info, &flat, arena, name, ways, at, 0);
    if (err == HN_OK) {
        err = hn_sealer_restore(ledger->sealer, flat, &info->head);
        if (err == HN_ERR_MISMATCH)
            snprintf(problem->text, sizeof problem->text,
                     "%.64s: the state in the snapshot at frame %" PRIu64 " is not that of its block", name,
                     ways->items[at].log_index);
        if (err != HN_OK)
            hn_flat_destroy(flat);
    }
    if (err == HN_OK)
        err = hn_ledger_restore(ledger->executor, flat, &info->head, info->recent_hashes,
                                info->recent_hash_count);
    if (err == HN_OK) {
        *out = (hn_way_start){.log_index = info->log_index, .number = info->head.number};
        hn_header_hash(&out->hash, &info->head);
        ledger->skip_index = info->log_index;
    }
    free(info);
    return err;
}

hn_err hn_way_start_find(hn_way_start *out, hn_snapshot_problem *problem, hn_replay_ledger *ledger,
                         hn_arena *arena, const hn_io *io, const hn_log *log, uint32_t index,
                         const char *name, void (*tell)(void *self, const char *text), void *self)
{
    *out = (hn_way_start){0};
    problem->text[0] = '\0';
    if (index >= hn_log_begin_note(log))
        return HN_OK;
    hn_ways_back ways;
    HN_TRY(hn_ways_back_list(&ways, io, name, NULL, NULL));
    hn_err err = HN_ERR_NOT_FOUND;
    for (unsigned i = ways.count; err != HN_OK && err != HN_ERR_NO_MEMORY && i-- > 0;) {
        if (ways.items[i].is_bad || !fits_log(log, &ways.items[i]))
            continue;
        err = restore(out, problem, ledger, arena, io, name, &ways, i);
        if (err != HN_OK && err != HN_ERR_NO_MEMORY && problem->text[0] != '\0')
            tell(self, problem->text);
    }
    hn_ways_back_free(&ways);
    if (err == HN_OK || err == HN_ERR_NO_MEMORY)
        return err;
    snprintf(problem->text, sizeof problem->text,
             "%.64s: no snapshot is good, and the log gave up what lies before frame %" PRIu64
             ": restore a backup",
             name, hn_log_first_index(log));
    return HN_ERR_CORRUPT;
}
