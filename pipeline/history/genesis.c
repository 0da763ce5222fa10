/* The genesis block of a ledger and what it was made from. */
#include "pipeline/history/block_record.h"
#include "pipeline/history/store.h"

static void put_source(uint8_t *to, const hn_history_source *source)
{
    for (size_t i = 0; i < sizeof source->words / sizeof source->words[0]; i++)
        hn_store_le64(to + 8 * i, source->words[i]);
}

static MDB_val key_of(uint8_t bytes[HN_HISTORY_NAME_MAX], const char *name)
{
    size_t size = strlen(name);
    memcpy(bytes, name, size);
    return (MDB_val){.mv_size = size, .mv_data = bytes};
}

/* The record of the genesis block that was made from this source. */
static int find_record(const hn_history *history, MDB_txn *transaction, MDB_val *record, hn_hash *hash,
                       const char *name, const hn_history_source *source)
{
    uint8_t name_bytes[HN_HISTORY_NAME_MAX], wanted[HN_HISTORY_LEDGER_SOURCE_BYTES - HN_HISTORY_LEDGER_BYTES];
    uint8_t block_key[HN_HISTORY_BLOCK_KEY_BYTES];
    MDB_val key = key_of(name_bytes, name), value;
    int code = mdb_get(transaction, history->ledgers, &key, &value);
    if (code != 0)
        return code;
    put_source(wanted, source);
    const uint8_t *bytes = value.mv_data;
    if (value.mv_size != HN_HISTORY_LEDGER_SOURCE_BYTES ||
        memcmp(bytes + HN_HISTORY_LEDGER_BYTES, wanted, sizeof wanted) != 0)
        return MDB_NOTFOUND;
    memcpy(hash->b, bytes + 4, sizeof hash->b);
    hn_history_block_key(block_key, hn_load_le32(bytes), 0);
    key = (MDB_val){.mv_size = sizeof block_key, .mv_data = block_key};
    return mdb_get(transaction, history->blocks, &key, record);
}

static hn_err decode(hn_header *genesis, hn_arena *arena, const MDB_val *record, const hn_hash *hash)
{
    hn_history_block block;
    hn_hash computed;
    HN_TRY(hn_block_record_decode(&block, hn_bytes_of(record->mv_data, record->mv_size)));
    hn_header_hash(&computed, &block.header);
    if (block.header.number != 0 || !hn_hash_equal(&computed, hash))
        return HN_ERR_NOT_FOUND;
    hn_header found = block.header;
    HN_TRY(hn_arena_copy(&found.extra_data, arena, block.header.extra_data));
    *genesis = found;
    return HN_OK;
}

hn_err hn_history_find_genesis(hn_history *history, hn_header *genesis, hn_hash *genesis_hash,
                               hn_arena *arena, const char *name, const hn_history_source *source)
{
    if (strlen(name) > HN_HISTORY_NAME_MAX || name[0] == '\0')
        return HN_ERR_NOT_FOUND;
    MDB_txn *transaction;
    int code = mdb_txn_begin(history->environment, NULL, MDB_RDONLY, &transaction);
    if (code != 0)
        return hn_history_err(code);
    MDB_val record = {.mv_size = 0};
    hn_hash hash;
    hn_err err = hn_history_err(find_record(history, transaction, &record, &hash, name, source));
    if (err == HN_OK)
        err = decode(genesis, arena, &record, &hash);
    mdb_txn_abort(transaction);
    if (err == HN_OK)
        *genesis_hash = hash;
    return err == HN_OK || err == HN_ERR_NO_MEMORY ? err : HN_ERR_NOT_FOUND;
}

void hn_history_distrust(hn_history *history)
{
    hn_history_marker_remove(history->directory);
    history->is_distrusted = true;
}

hn_err hn_history_note_source(hn_history *history, uint32_t index, const char *name,
                              const hn_history_source *source)
{
    MDB_txn *transaction;
    int code = mdb_txn_begin(history->environment, NULL, 0, &transaction);
    if (code != 0)
        return hn_history_err(code);
    uint8_t name_bytes[HN_HISTORY_NAME_MAX], bytes[HN_HISTORY_LEDGER_SOURCE_BYTES];
    MDB_val key = key_of(name_bytes, name), value;
    code = mdb_get(transaction, history->ledgers, &key, &value);
    if (code == 0 && (value.mv_size < HN_HISTORY_LEDGER_BYTES ||
                      hn_load_le32(value.mv_data) != history->by_index[index].id))
        code = MDB_CORRUPTED;
    if (code == 0) {
        memcpy(bytes, value.mv_data, HN_HISTORY_LEDGER_BYTES);
        put_source(bytes + HN_HISTORY_LEDGER_BYTES, source);
        value = (MDB_val){.mv_size = sizeof bytes, .mv_data = bytes};
        code = mdb_put(transaction, history->ledgers, &key, &value, 0);
    }
    if (code != 0) {
        mdb_txn_abort(transaction);
        return hn_history_err(code);
    }
    return hn_history_err(mdb_txn_commit(transaction));
}
