#include "engine/base/check.h"
#include "shard/store/snapshot_format.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONTENT_MAX = HN_SNAPSHOT_BLOCK_MAX - sizeof(hn_snapshot_block_head) };

/* A file being written, one block in memory. */
typedef struct writer {
    const hn_io *io;
    hn_io_file file;
    uint64_t offset;
    uint8_t *block;
    size_t used; /* of the content */
    uint32_t number;
    uint64_t previous_low;
    hn_snapshot_block_end written;
} writer;

static hn_err end_block(writer *w, hn_snapshot_block_kind kind)
{
    hn_snapshot_block_head head = {
        .magic = HN_SNAPSHOT_MAGIC,
        .version = HN_SNAPSHOT_VERSION,
        .kind = kind,
        .number = w->number++,
        .size = (uint32_t)w->used,
        .previous_low = w->previous_low,
    };
    memcpy(w->block, &head, sizeof head);
    head.checksum = hn_snapshot_block_checksum(w->block, w->used);
    memcpy(w->block, &head, sizeof head);
    size_t size = sizeof head + w->used;
    HN_TRY(w->io->operations->write(w->io->self, w->file, w->offset, hn_bytes_of(w->block, size)));
    w->offset += size;
    w->previous_low = head.checksum.low;
    w->used = 0;
    return HN_OK;
}

/* Room for `size` bytes of content in a block of records. */
static hn_err reserve(writer *w, uint8_t **out, size_t size)
{
    if (size > CONTENT_MAX)
        return HN_ERR_LIMIT;
    if (size > CONTENT_MAX - w->used)
        HN_TRY(end_block(w, HN_SNAPSHOT_BLOCK_RECORDS));
    *out = w->block + sizeof(hn_snapshot_block_head) + w->used;
    w->used += size;
    return HN_OK;
}

static hn_err put_code(void *self, const hn_code *code)
{
    writer *w = self;
    uint8_t *to = NULL;
    HN_TRY(reserve(w, &to, HN_SNAPSHOT_CODE_HEAD + code->bytes.size));
    to[0] = HN_SNAPSHOT_CODE;
    hn_store_le32(to + 1, (uint32_t)code->bytes.size);
    if (code->bytes.size != 0)
        memcpy(to + HN_SNAPSHOT_CODE_HEAD, code->bytes.data, code->bytes.size);
    w->written.code_count++;
    return HN_OK;
}

static hn_err put_account(void *self, const hn_address *address, const hn_account *account)
{
    writer *w = self;
    uint8_t *to = NULL;
    HN_TRY(reserve(w, &to, HN_SNAPSHOT_ACCOUNT_BYTES));
    to[0] = HN_SNAPSHOT_ACCOUNT;
    memcpy(to + 1, address->b, sizeof address->b);
    hn_store_le64(to + 21, account->nonce);
    hn_u256_to_be(to + 29, &account->balance);
    memcpy(to + 61, account->code_hash.b, sizeof account->code_hash.b);
    w->written.account_count++;
    return HN_OK;
}

static hn_err put_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    (void)address; /* of the account just before */
    writer *w = self;
    uint8_t *to = NULL;
    HN_TRY(reserve(w, &to, HN_SNAPSHOT_SLOT_BYTES));
    to[0] = HN_SNAPSHOT_SLOT;
    hn_u256_to_be(to + 1, key);
    hn_u256_to_be(to + 33, value);
    w->written.slot_count++;
    return HN_OK;
}

static hn_err write_info(writer *w, const hn_snapshot_info *info, const hn_flat *flat)
{
    HN_CHECK(info->recent_hash_count <= HN_SNAPSHOT_HASHES_MAX);
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_bytes header = {0};
    uint8_t *to = NULL;
    hn_err err = hn_header_encode(&header, &arena, &info->head);
    hn_snapshot_block_info block = {
        .chain_id = info->chain_id,
        .log_index = info->log_index,
        .genesis_hash = info->genesis_hash,
        .account_count = hn_flat_account_count(flat),
        .slot_count = hn_flat_slot_count(flat),
        .hash_count = info->recent_hash_count,
        .header_size = (uint32_t)header.size,
    };
    size_t hashes_size = info->recent_hash_count * sizeof info->recent_hashes[0];
    if (err == HN_OK)
        err = reserve(w, &to, sizeof block + hashes_size + header.size);
    if (err == HN_OK) {
        snprintf(block.ledger_name, sizeof block.ledger_name, "%s", info->ledger_name);
        memcpy(to, &block, sizeof block);
        memcpy(to + sizeof block, info->recent_hashes, hashes_size);
        memcpy(to + sizeof block + hashes_size, header.data, header.size);
        err = end_block(w, HN_SNAPSHOT_BLOCK_INFO);
    }
    hn_arena_destroy(&arena);
    return err;
}

static hn_err write_all(writer *w, const hn_snapshot_info *info, const hn_flat *flat)
{
    HN_TRY(write_info(w, info, flat));
    const hn_flat_visitor visitor = {.account = put_account, .slot = put_slot, .code = put_code, .self = w};
    HN_TRY(hn_flat_visit(flat, &visitor));
    if (w->used != 0)
        HN_TRY(end_block(w, HN_SNAPSHOT_BLOCK_RECORDS));
    uint8_t *to = NULL;
    HN_TRY(reserve(w, &to, sizeof w->written));
    memcpy(to, &w->written, sizeof w->written);
    HN_TRY(end_block(w, HN_SNAPSHOT_BLOCK_END));
    return w->io->operations->sync(w->io->self, w->file);
}

hn_err hn_snapshot_write(const hn_io *io, hn_snapshot_problem *problem, const hn_snapshot_info *info,
                         const hn_flat *flat)
{
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    char temporary[HN_SNAPSHOT_NAME_MAX];
    (void)hn_snapshot_report(problem, HN_OK, "%s", "");
    hn_err err = hn_snapshot_name(name, info->ledger_name, info->log_index);
    if (err != HN_OK)
        return hn_snapshot_report(problem, err, "the ledger's name cannot be part of a file name");
    snprintf(temporary, sizeof temporary, "%s.tmp", name);
    writer w = {.io = io, .file = -1, .block = malloc(HN_SNAPSHOT_BLOCK_MAX)};
    if (w.block == NULL)
        return HN_ERR_NO_MEMORY;
    err = io->operations->remove(io->self, temporary); /* of an attempt that was interrupted */
    if (err == HN_OK || err == HN_ERR_NOT_FOUND)
        err = io->operations->open(io->self, &w.file, temporary, HN_IO_CREATE);
    if (err == HN_OK)
        err = write_all(&w, info, flat);
    if (w.file >= 0)
        io->operations->close(io->self, w.file);
    if (err == HN_OK)
        err = io->operations->rename(io->self, temporary, name);
    if (err == HN_OK)
        err = io->operations->sync_directory(io->self);
    if (err != HN_OK) {
        (void)io->operations->remove(io->self, temporary);
        (void)hn_snapshot_report(problem, err, "%s: offset %llu: cannot be written: %s", temporary,
                                 (unsigned long long)w.offset, hn_err_text(err));
    }
    free(w.block);
    return err;
}
