/* Which part of the log nobody needs any more.
 *
 * Coming back needs a snapshot and all frames behind it. Snapshots can be damaged, so two independent ones of
 * every ledger must be usable with what stays; a ledger that has fewer needs the log from its first frame on,
 * the genesis being one more way. What was given up can be replayed no more: its blocks are in the history
 * alone, which is synced for that reason.
 */
#include "pipeline/stage/log_recycle.h"

#include "shard/store/ways_back.h"

#include <inttypes.h>
#include <stdio.h>

enum { WAYS_KEPT_MIN = 2 };

/* The first frame that must stay for every ledger. */
static hn_err first_needed(const hn_node *node, uint64_t *out)
{
    uint64_t first = UINT64_MAX;
    uint32_t kept = node->options.snapshots_kept;
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        hn_ways_back ways;
        HN_TRY(hn_ways_back_list(&ways, &node->io, node->ledgers[i]->name, NULL, NULL));
        uint64_t of_ledger = hn_ways_back_first_frame(&ways, kept > WAYS_KEPT_MIN ? kept : WAYS_KEPT_MIN);
        hn_ways_back_free(&ways);
        first = of_ledger < first ? of_ledger : first;
    }
    *out = first;
    return HN_OK;
}

void hn_node_recycle_log(hn_node *node)
{
    uint64_t first = 1;
    if (!node->options.is_log_recycled || hn_history_status_now(node->history).is_behind)
        return;
    hn_log_problem why = {.text = ""};
    hn_err err = first_needed(node, &first);
    const uint64_t before = hn_log_first_index(node->log);
    if (err == HN_OK && first > before)
        err = hn_log_drop_before(node->log, &why, first, node->options.log_keep_bytes, node->ledger_count);
    if (err != HN_OK && err != HN_ERR_CLOSED)
        fprintf(stderr, "hanse: the beginning of the log could not be given up: %s; it goes on\n",
                why.text[0] != '\0' ? why.text : hn_err_text(err));
    if (hn_log_first_index(node->log) != before && !node->options.is_quiet)
        fprintf(stderr, "hanse: the log begins with frame %" PRIu64 " now: what lies before it is given up\n",
                hn_log_first_index(node->log));
}
