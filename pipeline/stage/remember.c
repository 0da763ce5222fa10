/* Remember: the outcomes of the newest transactions of each ledger, read back from the block history.
 *
 * A client that never heard its answer submits again, perhaps after the node was stopped and started; it must
 * hear what became of its transaction. Replaying the log gives that for what lies behind the snapshots, and
 * this for what they contain.
 */
#include "pipeline/history/reader.h"
#include "pipeline/stage/ledgers.h"

/* Over all ledgers: about a fifth of a second. */
enum { REMEMBERED_TRANSACTIONS = HN_RECENT_OUTCOMES / 2 };
_Static_assert((int)REMEMBERED_TRANSACTIONS <= (int)HN_RECENT_OUTCOMES, "they do not push each other out");

static hn_err remember_block(hn_node *node, hn_arena *arena, uint32_t ledger, const hn_history_block *block)
{
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        hn_history_transaction found;
        hn_arena_reset(arena);
        HN_TRY(hn_history_transaction_at(&found, arena, block, i, false));
        hn_recent_outcome outcome = {
            .verdict = HN_VERDICT_EXECUTED,
            /* The history has no more about a failure. */
            .status =
                found.receipt.succeeded || found.receipt.has_state_root ? HN_EVM_SUCCESS : HN_EVM_REVERT,
            .ledger = ledger,
            .block_number = block->header.number,
            .gas_used = found.receipt.gas_used,
        };
        hn_recent_put(node->recent, &found.hash, &outcome);
    }
    return HN_OK;
}

/* The first block of the newest ones that have at most `wanted` transactions. */
static hn_err find_first(hn_history_reader *reader, uint64_t *first, uint32_t ledger, uint64_t last,
                         uint64_t wanted)
{
    hn_history_block block;
    uint64_t number = last;
    for (uint64_t seen = 0; number > 0; number--) {
        hn_err err = hn_history_block_at(reader, &block, ledger, number);
        if (err == HN_ERR_NOT_FOUND)
            break; /* older ones were dropped */
        HN_TRY(err);
        seen += block.transaction_count;
        if (seen > wanted)
            break;
    }
    *first = number + 1;
    return HN_OK;
}

static hn_err remember_ledger(hn_node *node, hn_history_reader *reader, hn_arena *arena, uint32_t ledger)
{
    uint64_t last = atomic_load(&node->ledgers[ledger]->executed_number), number;
    HN_TRY(find_first(reader, &number, ledger, last, REMEMBERED_TRANSACTIONS / node->ledger_count));
    for (; number <= last; number++) {
        hn_history_block block;
        HN_TRY(hn_history_block_at(reader, &block, ledger, number));
        HN_TRY(remember_block(node, arena, ledger, &block));
    }
    return HN_OK;
}

hn_err hn_node_remember_history(hn_node *node)
{
    hn_history_reader *reader;
    HN_TRY(hn_history_reader_create(&reader, node->history));
    hn_err err = hn_history_read_begin(reader);
    if (err == HN_OK) {
        hn_arena arena;
        hn_arena_init(&arena, 0, 0);
        for (uint32_t i = 0; err == HN_OK && i < node->ledger_count; i++)
            err = remember_ledger(node, reader, &arena, i);
        hn_arena_destroy(&arena);
        hn_history_read_end(reader);
    }
    hn_history_reader_destroy(reader);
    return err;
}
