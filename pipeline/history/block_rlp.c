/* A stored block as it goes over the wire and into files: put together again from its record. */
#include "pipeline/history/reader.h"

static hn_err read_transactions(hn_block *out, hn_arena *arena, const hn_history_block *block)
{
    hn_transaction *transactions =
        hn_arena_calloc(arena, block->transaction_count + (size_t)1, sizeof *transactions);
    if (transactions == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        hn_history_transaction found;
        HN_TRY(hn_history_transaction_at(&found, arena, block, i, false));
        if (found.raw.size == 0)
            return HN_ERR_CORRUPT;
        /* Encoding a block takes the bytes of a transaction as they are and asks for nothing else. */
        transactions[i].type = found.receipt.type;
        transactions[i].raw = found.raw;
    }
    out->transactions = transactions;
    out->transaction_count = block->transaction_count;
    return HN_OK;
}

static hn_err read_uncles(hn_block *out, hn_arena *arena, const hn_history_block *block)
{
    hn_header *uncles = hn_arena_calloc(arena, block->uncle_count + (size_t)1, sizeof *uncles);
    if (uncles == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->uncle_count; i++)
        HN_TRY(hn_history_uncle(&uncles[i], block, i));
    out->uncles = uncles;
    out->uncle_count = block->uncle_count;
    return HN_OK;
}

static hn_err read_withdrawals(hn_block *out, hn_arena *arena, const hn_history_block *block)
{
    hn_withdrawal *withdrawals =
        hn_arena_calloc(arena, block->withdrawal_count + (size_t)1, sizeof *withdrawals);
    if (withdrawals == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->withdrawal_count; i++)
        HN_TRY(hn_history_withdrawal(&withdrawals[i], block, i));
    out->has_withdrawals = block->header.form >= HN_HEADER_SHANGHAI;
    out->withdrawals = withdrawals;
    out->withdrawal_count = block->withdrawal_count;
    return HN_OK;
}

hn_err hn_history_block_rlp(hn_bytes *out, hn_arena *arena, const hn_history_block *block)
{
    hn_block whole = {.header = block->header};
    hn_bytes rlp;
    HN_TRY(read_transactions(&whole, arena, block));
    HN_TRY(read_uncles(&whole, arena, block));
    HN_TRY(read_withdrawals(&whole, arena, block));
    HN_TRY(hn_block_encode(&rlp, arena, &whole));
    if (rlp.size != block->rlp_size)
        return HN_ERR_CORRUPT;
    *out = rlp;
    return HN_OK;
}
