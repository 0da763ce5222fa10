#include "pipeline/history/reader.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "pipeline/history/block_record.h"
#include "pipeline/history/store.h"

#include <errno.h>
#include <stdlib.h>

hn_err hn_history_reader_create(hn_history_reader **out, hn_history *history)
{
    hn_history_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return HN_ERR_NO_MEMORY;
    reader->history = history;
    int code = mdb_txn_begin(history->environment, NULL, MDB_RDONLY, &reader->transaction);
    if (code != 0) {
        free(reader);
        return code == MDB_READERS_FULL ? HN_ERR_LIMIT : hn_history_err(code);
    }
    mdb_txn_reset(reader->transaction);
    *out = reader;
    return HN_OK;
}

void hn_history_reader_destroy(hn_history_reader *reader)
{
    if (reader == NULL)
        return;
    hn_history_undo_close(reader);
    mdb_txn_abort(reader->transaction);
    free(reader);
}

hn_err hn_history_read_begin(hn_history_reader *reader)
{
    HN_CHECK(!reader->is_open);
    int code = mdb_txn_renew(reader->transaction);
    reader->is_open = code == 0;
    reader->reads++;
    return hn_history_err(code);
}

void hn_history_read_end(hn_history_reader *reader)
{
    HN_CHECK(reader->is_open);
    mdb_txn_reset(reader->transaction);
    reader->is_open = false;
}

/* Written once, before any reader asks about it. */
uint32_t hn_history_id_of(const hn_history_reader *reader, uint32_t ledger)
{
    HN_CHECK(reader->is_open);
    HN_CHECK(ledger < HN_HISTORY_LEDGERS_MAX && reader->history->by_index[ledger].is_known);
    return reader->history->by_index[ledger].id;
}

hn_err hn_history_range(hn_history_reader *reader, uint64_t *first, uint64_t *last, uint32_t ledger)
{
    uint32_t id = hn_history_id_of(reader, ledger);
    uint64_t newest;
    uint64_t oldest;
    int code = hn_history_edge(reader->history, reader->transaction, id, true, &newest);
    if (code == 0)
        code = hn_history_edge(reader->history, reader->transaction, id, false, &oldest);
    if (code != 0)
        return hn_history_err(code);
    *first = oldest;
    *last = newest;
    return HN_OK;
}

hn_err hn_history_block_at(hn_history_reader *reader, hn_history_block *out, uint32_t ledger, uint64_t number)
{
    uint8_t key_bytes[HN_HISTORY_BLOCK_KEY_BYTES];
    hn_history_block_key(key_bytes, hn_history_id_of(reader, ledger), number);
    MDB_val key = {.mv_size = sizeof key_bytes, .mv_data = key_bytes};
    MDB_val value;
    int code = mdb_get(reader->transaction, reader->history->blocks, &key, &value);
    if (code != 0)
        return hn_history_err(code);
    return hn_block_record_decode(out, hn_bytes_of(value.mv_data, value.mv_size));
}

bool hn_history_has_body(const hn_history_block *block)
{
    const hn_header *header = &block->header;
    return (block->transaction_count != 0 ||
            hn_hash_equal(&header->transactions_root, &hn_empty_trie_root)) &&
           (block->uncle_count != 0 || hn_hash_equal(&header->uncles_hash, &hn_no_uncles_hash)) &&
           (block->withdrawal_count != 0 || header->form < HN_HEADER_SHANGHAI ||
            hn_hash_equal(&header->withdrawals_root, &hn_empty_trie_root));
}

hn_err hn_history_oldest(hn_history_reader *reader, uint64_t *out, uint32_t ledger)
{
    uint64_t first = 0, last = 0, second = 1;
    HN_TRY(hn_history_range(reader, &first, &last, ledger));
    int code = hn_history_edge_from(reader->history, reader->transaction, hn_history_id_of(reader, ledger),
                                    first + 1, &second);
    if (code != 0 && code != MDB_NOTFOUND)
        return hn_history_err(code);
    *out = first == 0 && code == 0 && second != 1 ? second : first;
    return HN_OK;
}

/* What a search in the hash index looks for, and what it found. */
typedef struct search {
    hn_history_reader *reader;
    uint32_t ledger;
    const hn_hash *hash;
    bool wants_block;
    hn_history_block *block;
    uint32_t index;
    hn_err err;
} search;

/* An entry has the right prefix: is the whole hash at its place? */
static bool check_candidate(void *self, uint64_t number, uint32_t index)
{
    search *wanted = self;
    if ((index == HN_RUN_BLOCK_ITSELF) != wanted->wants_block)
        return false;
    hn_history_block block;
    if (hn_history_block_at(wanted->reader, &block, wanted->ledger, number) != HN_OK)
        return false;
    const hn_hash *hash = &block.hash;
    if (!wanted->wants_block && hn_block_record_transaction_hash(&hash, &block, index) != HN_OK)
        return false;
    if (!hn_hash_equal(hash, wanted->hash))
        return false;
    *wanted->block = block;
    wanted->index = index;
    wanted->err = HN_OK;
    return true;
}

static hn_err run_search(search *wanted)
{
    wanted->err = HN_ERR_NOT_FOUND;
    hn_history_reader *reader = wanted->reader;
    int code = hn_run_index_find(&reader->history->index, reader->transaction,
                                 hn_history_id_of(reader, wanted->ledger), hn_load_be64(wanted->hash->b),
                                 check_candidate, wanted);
    return code != 0 ? hn_history_err(code) : wanted->err;
}

hn_err hn_history_block_by_hash(hn_history_reader *reader, hn_history_block *out, uint32_t ledger,
                                const hn_hash *hash)
{
    search wanted = {.reader = reader, .ledger = ledger, .hash = hash, .wants_block = true, .block = out};
    return run_search(&wanted);
}

hn_err hn_history_find_transaction(hn_history_reader *reader, hn_history_block *block, uint32_t *index,
                                   uint32_t ledger, const hn_hash *hash)
{
    search wanted = {.reader = reader, .ledger = ledger, .hash = hash, .block = block};
    HN_TRY(run_search(&wanted));
    *index = wanted.index;
    return HN_OK;
}
