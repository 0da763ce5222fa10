/* Compares what is stored of a block with the block as the log gives it, for the offline audit. */
#include "pipeline/history/block_record.h"
#include "pipeline/history/store.h"

static hn_err compare_record(hn_history_reader *reader, uint32_t ledger, const hn_executed_block *block,
                             hn_bytes expected)
{
    uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(key_bytes, hn_history_id_of(reader, ledger), block->header.number);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    int code = mdb_get(reader->transaction, reader->history->blocks, &key, &value);
    if (code != 0)
        return hn_history_err(code);
    if (!hn_bytes_equal(hn_bytes_of(value.mv_data, value.mv_size), expected))
        return HN_ERR_MISMATCH;
    code = mdb_get(reader->transaction, reader->history->blooms, &key, &value);
    bool has_logs = false;
    for (uint32_t i = 0; i < block->transaction_count && !has_logs; i++)
        has_logs = block->receipts[i].log_count != 0;
    if (!has_logs)
        return code == MDB_NOTFOUND ? HN_OK : code == 0 ? HN_ERR_MISMATCH : hn_history_err(code);
    if (code != 0 || value.mv_size != sizeof block->header.bloom ||
        memcmp(value.mv_data, &block->header.bloom, value.mv_size) != 0)
        return code == 0 || code == MDB_NOTFOUND ? HN_ERR_MISMATCH : hn_history_err(code);
    return HN_OK;
}

/* Every hash leads to its place. */
static hn_err compare_hashes(hn_history_reader *reader, uint32_t ledger, const hn_executed_block *block)
{
    hn_history_block found;
    hn_err err = hn_history_block_by_hash(reader, &found, ledger, &block->hash);
    if (err == HN_OK && found.header.number != block->header.number)
        err = HN_ERR_MISMATCH;
    for (uint32_t i = 0; err == HN_OK && i < block->transaction_count; i++) {
        uint32_t index = 0;
        err = hn_history_find_transaction(reader, &found, &index, ledger, &block->transactions[i]->hash);
        /* The same bytes may stand in two blocks; the hash leads to one of them. */
        if (err == HN_OK && hn_hash_equal(&found.hash, &block->hash) && index != i)
            err = HN_ERR_MISMATCH;
    }
    return err == HN_ERR_NOT_FOUND ? HN_ERR_MISMATCH : err;
}

hn_err hn_history_compare(hn_history_reader *reader, hn_arena *arena, uint32_t ledger,
                          const hn_executed_block *block)
{
    hn_arena_mark mark = hn_arena_mark_now(arena);
    hn_bytes expected;
    uint32_t log_count;
    HN_TRY(hn_block_record_encode(&expected, &log_count, arena, block));
    hn_err err = hn_history_read_begin(reader);
    if (err == HN_OK) {
        err = compare_record(reader, ledger, block, expected);
        if (err == HN_OK)
            err = compare_hashes(reader, ledger, block);
        hn_history_read_end(reader);
    }
    hn_arena_release(arena, mark);
    return err;
}
