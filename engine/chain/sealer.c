/* Sealing: an executed block gets its roots, its bloom, its parent's hash, and so its own. */
#include "engine/chain/genesis_state.h"
#include "engine/chain/ledger_internal.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/ordered_root.h"

#include <stdlib.h>

struct hn_sealer {
    hn_state_trie *trie;
    uint64_t table_seed;
    hn_header head; /* extra_data points to extra */
    hn_hash head_hash;
    uint8_t extra[HN_EXTRA_DATA_MAX];
};

static void set_head(hn_sealer *sealer, const hn_header *header)
{
    size_t size = header->extra_data.size <= HN_EXTRA_DATA_MAX ? header->extra_data.size : 0;
    if (size != 0)
        memcpy(sealer->extra, header->extra_data.data, size);
    sealer->head = *header;
    sealer->head.extra_data = hn_bytes_of(sealer->extra, size);
}

/* --- life --- */

static hn_err build_genesis(hn_sealer *sealer, const hn_genesis *genesis)
{
    hn_flat *flat;
    HN_TRY(hn_flat_create(&flat, sealer->table_seed, genesis->account_count));
    hn_err err = hn_genesis_fill(flat, genesis->accounts, genesis->account_count);
    hn_header header = genesis->header;
    if (err == HN_OK)
        err = hn_state_trie_build(sealer->trie, &header.state_root, flat);
    hn_flat_destroy(flat);
    if (err != HN_OK)
        return err;
    hn_header_hash(&sealer->head_hash, &header); /* with the whole extra data, however long */
    set_head(sealer, &header);
    return HN_OK;
}

static hn_err create_empty(hn_sealer **out, uint64_t table_seed)
{
    hn_sealer *sealer = calloc(1, sizeof *sealer);
    if (sealer == NULL)
        return HN_ERR_NO_MEMORY;
    sealer->table_seed = table_seed;
    hn_err err = hn_state_trie_create(&sealer->trie, table_seed);
    if (err != HN_OK) {
        free(sealer);
        return err;
    }
    *out = sealer;
    return HN_OK;
}

hn_err hn_sealer_create(hn_sealer **out, const hn_genesis *genesis, uint64_t table_seed)
{
    hn_sealer *sealer;
    HN_TRY(create_empty(&sealer, table_seed));
    hn_err err = build_genesis(sealer, genesis);
    if (err != HN_OK) {
        hn_sealer_destroy(sealer);
        return err;
    }
    *out = sealer;
    return HN_OK;
}

hn_err hn_sealer_create_bare(hn_sealer **out, const hn_header *genesis, uint64_t table_seed)
{
    HN_TRY(create_empty(out, table_seed));
    hn_header_hash(&(*out)->head_hash, genesis);
    set_head(*out, genesis);
    return HN_OK;
}

void hn_sealer_destroy(hn_sealer *sealer)
{
    if (sealer == NULL)
        return;
    hn_state_trie_destroy(sealer->trie);
    free(sealer);
}

const hn_header *hn_sealer_head(const hn_sealer *sealer, hn_hash *hash)
{
    *hash = sealer->head_hash;
    return &sealer->head;
}

const hn_state_trie *hn_sealer_trie(const hn_sealer *sealer)
{
    return sealer->trie;
}

hn_err hn_sealer_root_after(hn_sealer *sealer, hn_hash *root, const hn_state_diff *diff)
{
    hn_hash before;
    HN_TRY(hn_state_trie_apply(sealer->trie, root, diff));
    return hn_state_trie_undo(sealer->trie, &before, diff);
}

hn_err hn_sealer_look_back(hn_sealer *sealer, hn_hash *root, const hn_state_diff *diff)
{
    return hn_state_trie_undo(sealer->trie, root, diff);
}

hn_err hn_sealer_look_forward(hn_sealer *sealer, hn_hash *root, const hn_state_diff *diff)
{
    return hn_state_trie_apply(sealer->trie, root, diff);
}

hn_err hn_sealer_restore(hn_sealer *sealer, const hn_flat *flat, const hn_header *head)
{
    hn_state_trie *trie;
    HN_TRY(hn_state_trie_create(&trie, sealer->table_seed));
    hn_hash root;
    hn_err err = hn_state_trie_build(trie, &root, flat);
    if (err == HN_OK && !hn_hash_equal(&root, &head->state_root))
        err = HN_ERR_MISMATCH;
    if (err != HN_OK) {
        hn_state_trie_destroy(trie);
        return err;
    }
    hn_state_trie_destroy(sealer->trie);
    sealer->trie = trie;
    hn_header_hash(&sealer->head_hash, head);
    set_head(sealer, head);
    return HN_OK;
}

/* --- the roots --- */

static hn_err transactions_root(hn_executed_block *block)
{
    hn_bytes *values = hn_arena_calloc(block->arena, block->transaction_count + (size_t)1, sizeof *values);
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->transaction_count; i++)
        values[i] = block->transactions[i]->transaction.raw;
    return hn_ordered_root(&block->header.transactions_root, block->arena, values, block->transaction_count);
}

static hn_err receipts_root(hn_executed_block *block)
{
    hn_bytes *values = hn_arena_calloc(block->arena, block->transaction_count + (size_t)1, sizeof *values);
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    block->header.bloom = (hn_bloom){.b = {0}};
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        HN_TRY(hn_receipt_encode(&values[i], block->arena, &block->receipts[i]));
        hn_bloom_merge(&block->header.bloom, &block->receipts[i].bloom);
    }
    return hn_ordered_root(&block->header.receipts_root, block->arena, values, block->transaction_count);
}

static hn_err withdrawals_root(hn_executed_block *block)
{
    hn_bytes *values = hn_arena_calloc(block->arena, block->withdrawal_count + (size_t)1, sizeof *values);
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->withdrawal_count; i++)
        HN_TRY(hn_withdrawal_encode(&values[i], block->arena, &block->withdrawals[i]));
    return hn_ordered_root(&block->header.withdrawals_root, block->arena, values, block->withdrawal_count);
}

/* Before Byzantium a receipt carries the state root after its transaction (EIP-658). */
static hn_err running_roots(hn_sealer *sealer, hn_executed_block *block)
{
    if (block->running_diffs == NULL)
        return HN_OK;
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        hn_hash before;
        const hn_state_diff *diff = &block->running_diffs[i];
        HN_TRY(hn_state_trie_apply(sealer->trie, &block->receipts[i].state_root, diff));
        HN_TRY(hn_state_trie_undo(sealer->trie, &before, diff));
    }
    return HN_OK;
}

hn_err hn_sealer_compute(hn_sealer *sealer, hn_executed_block *block)
{
    HN_CHECK(!block->is_empty && block->header.number == sealer->head.number + 1);
    hn_header *header = &block->header;
    header->parent_hash = sealer->head_hash;
    if (block->parent_hash_slot != NULL)
        block->parent_hash_slot->after = hn_u256_from_be(sealer->head_hash.b);
    HN_TRY(running_roots(sealer, block));
    hn_arena_mark mark = hn_arena_mark_now(block->arena);
    HN_TRY(transactions_root(block));
    HN_TRY(receipts_root(block));
    if (header->form >= HN_HEADER_SHANGHAI)
        HN_TRY(withdrawals_root(block));
    hn_arena_release(block->arena, mark);
    HN_TRY(hn_state_trie_apply(sealer->trie, &header->state_root, &block->diff));
    hn_header_hash(&block->hash, header);
    return HN_OK;
}

hn_err hn_sealer_take_back(hn_sealer *sealer, const hn_executed_block *block)
{
    hn_hash root;
    return hn_state_trie_undo(sealer->trie, &root, &block->diff);
}

void hn_sealer_advance(hn_sealer *sealer, const hn_executed_block *block)
{
    sealer->head_hash = block->hash;
    set_head(sealer, &block->header);
}

hn_err hn_sealer_seal(hn_sealer *sealer, hn_executed_block *block)
{
    HN_TRY(hn_sealer_compute(sealer, block));
    hn_sealer_advance(sealer, block);
    return HN_OK;
}

hn_err hn_sealer_follow(hn_sealer *sealer, hn_executed_block *block, const hn_header *known,
                        const hn_hash *known_hash)
{
    HN_CHECK(!block->is_empty && block->header.number == sealer->head.number + 1 &&
             block->running_diffs == NULL);
    hn_header header = block->header;
    hn_hash hash;
    header.parent_hash = sealer->head_hash;
    header.state_root = known->state_root;
    header.transactions_root = known->transactions_root;
    header.receipts_root = known->receipts_root;
    header.withdrawals_root = known->withdrawals_root;
    header.bloom = known->bloom;
    hn_header_hash(&hash, &header);
    if (!hn_hash_equal(&hash, known_hash))
        return HN_ERR_MISMATCH;
    if (block->parent_hash_slot != NULL)
        block->parent_hash_slot->after = hn_u256_from_be(sealer->head_hash.b);
    HN_TRY(hn_state_trie_bring_in(sealer->trie, &block->diff));
    block->header = header;
    block->hash = hash;
    hn_sealer_advance(sealer, block);
    return HN_OK;
}

hn_err hn_sealer_settle(hn_sealer *sealer)
{
    hn_hash root;
    HN_TRY(hn_state_trie_settle(sealer->trie, &root));
    return hn_hash_equal(&root, &sealer->head.state_root) ? HN_OK : HN_ERR_MISMATCH;
}
