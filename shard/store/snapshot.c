#include "engine/base/check.h"
#include "shard/log/frame.h"
#include "shard/store/snapshot_format.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CONTENT_MAX = HN_SNAPSHOT_BLOCK_MAX - sizeof(hn_snapshot_block_head),
    OUTPUT_BYTES = 256 * 1024, /* written at once: small, so that the log's writes need not wait long */
};
_Static_assert(OUTPUT_BYTES % HN_LOG_ALIGNMENT_MAX == 0, "written directly");

/* A file being written: one block in memory, and what is complete and not on its way yet. Writes are aligned
 * and pass by the page cache, so that the device gets them when they are made, not in a flood later. */
struct hn_snapshot_writer {
    const hn_io *io;
    const hn_snapshot_pace *pace;
    char ledger_name[64];
    uint64_t log_index;
    hn_io_file file;
    uint8_t *output;
    size_t output_used;
    uint64_t offset; /* of the output in the file */
    uint8_t *block;
    size_t used; /* of the content */
    uint32_t number;
    uint64_t previous_low;
    hn_address owner; /* of the slots that come next */
    bool has_owner;
    hn_snapshot_block_end written;
};

/* --- bytes
 * -------------------------------------------------------------------------------------------------- */

static hn_err flush(hn_snapshot_writer *w, size_t size)
{
    if (w->pace != NULL)
        HN_TRY(w->pace->before(w->pace->self, size));
    HN_TRY(w->io->operations->write(w->io->self, w->file, w->offset, hn_bytes_of(w->output, size)));
    w->offset += size;
    w->output_used = 0;
    return HN_OK;
}

static hn_err put_bytes(hn_snapshot_writer *w, hn_bytes bytes)
{
    while (bytes.size != 0) {
        size_t room = OUTPUT_BYTES - w->output_used;
        size_t size = bytes.size < room ? bytes.size : room;
        memcpy(w->output + w->output_used, bytes.data, size);
        w->output_used += size;
        bytes = hn_bytes_of(bytes.data + size, bytes.size - size);
        if (w->output_used == OUTPUT_BYTES)
            HN_TRY(flush(w, OUTPUT_BYTES));
    }
    return HN_OK;
}

static hn_err end_block(hn_snapshot_writer *w, hn_snapshot_block_kind kind)
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
    w->previous_low = head.checksum.low;
    w->used = 0;
    return put_bytes(w, hn_bytes_of(w->block, size));
}

/* Room for `size` bytes of content in a block of records. */
static hn_err reserve(hn_snapshot_writer *w, uint8_t **out, size_t size)
{
    if (size > CONTENT_MAX)
        return HN_ERR_LIMIT;
    if (size > CONTENT_MAX - w->used)
        HN_TRY(end_block(w, HN_SNAPSHOT_BLOCK_RECORDS));
    *out = w->block + sizeof(hn_snapshot_block_head) + w->used;
    w->used += size;
    return HN_OK;
}

/* --- records
 * ------------------------------------------------------------------------------------------------ */

static hn_err put_code(void *self, const hn_code *code)
{
    hn_snapshot_writer *w = self;
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
    hn_snapshot_writer *w = self;
    uint8_t *to = NULL;
    HN_TRY(reserve(w, &to, HN_SNAPSHOT_ACCOUNT_BYTES));
    to[0] = HN_SNAPSHOT_ACCOUNT;
    memcpy(to + 1, address->b, sizeof address->b);
    hn_store_le64(to + 21, account->nonce);
    hn_u256_to_be(to + 29, &account->balance);
    memcpy(to + 61, account->code_hash.b, sizeof account->code_hash.b);
    w->written.account_count++;
    w->owner = *address;
    w->has_owner = true;
    return HN_OK;
}

static hn_err put_owner(hn_snapshot_writer *w, const hn_address *address)
{
    uint8_t *to = NULL;
    HN_TRY(reserve(w, &to, HN_SNAPSHOT_OWNER_BYTES));
    to[0] = HN_SNAPSHOT_OWNER;
    memcpy(to + 1, address->b, sizeof address->b);
    w->owner = *address;
    w->has_owner = true;
    return HN_OK;
}

static hn_err put_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    hn_snapshot_writer *w = self;
    uint8_t *to = NULL;
    if (!w->has_owner || !hn_address_equal(&w->owner, address))
        HN_TRY(put_owner(w, address));
    HN_TRY(reserve(w, &to, HN_SNAPSHOT_SLOT_BYTES));
    to[0] = HN_SNAPSHOT_SLOT;
    hn_u256_to_be(to + 1, key);
    hn_u256_to_be(to + 33, value);
    w->written.slot_count++;
    return HN_OK;
}

hn_err hn_snapshot_put_gone(hn_snapshot_writer *writer, const hn_address *address)
{
    uint8_t *to = NULL;
    HN_TRY(reserve(writer, &to, HN_SNAPSHOT_OWNER_BYTES));
    to[0] = HN_SNAPSHOT_GONE;
    memcpy(to + 1, address->b, sizeof address->b);
    writer->written.account_count++;
    writer->has_owner = false;
    return HN_OK;
}

hn_flat_visitor hn_snapshot_visitor(hn_snapshot_writer *writer)
{
    return (hn_flat_visitor){.account = put_account, .slot = put_slot, .code = put_code, .self = writer};
}

static hn_err write_info(hn_snapshot_writer *w, const hn_snapshot_info *info, uint64_t account_count,
                         uint64_t slot_count)
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
        .account_count = account_count,
        .slot_count = slot_count,
        .hash_count = info->recent_hash_count,
        .header_size = (uint32_t)header.size,
    };
    hn_hash chain = info->has_chain ? info->chain : (hn_hash){{0}};
    const hn_snapshot_block_base base = {
        .log_index = info->base.log_index, .end = info->base.end, .depth = info->base.depth};
    size_t hashes_size = info->recent_hash_count * sizeof info->recent_hashes[0];
    if (err == HN_OK)
        err = reserve(w, &to, sizeof block + sizeof chain + sizeof base + hashes_size + header.size);
    if (err == HN_OK) {
        snprintf(block.ledger_name, sizeof block.ledger_name, "%s", info->ledger_name);
        memcpy(to, &block, sizeof block);
        to += sizeof block;
        memcpy(to, &chain, sizeof chain);
        to += sizeof chain;
        memcpy(to, &base, sizeof base);
        to += sizeof base;
        memcpy(to, info->recent_hashes, hashes_size);
        memcpy(to + hashes_size, header.data, header.size);
        err = end_block(w, HN_SNAPSHOT_BLOCK_INFO);
    }
    hn_arena_destroy(&arena);
    return err;
}

/* --- a file's life
 * ------------------------------------------------------------------------------------------ */

static hn_err create_file(hn_snapshot_writer *w)
{
    const hn_io_operations *io = w->io->operations;
    char name[HN_SNAPSHOT_NAME_MAX];
    HN_TRY(hn_snapshot_temporary_name(name, w->ledger_name, w->log_index));
    hn_err err = io->remove(w->io->self, name); /* of an attempt that was interrupted */
    if (err != HN_OK && err != HN_ERR_NOT_FOUND)
        return err;
    HN_TRY(io->open(w->io->self, &w->file, name, HN_IO_CREATE));
    io->close(w->io->self, w->file);
    w->file = -1;
    return io->open(w->io->self, &w->file, name, HN_IO_WRITE_DIRECT);
}

hn_err hn_snapshot_begin(hn_snapshot_writer **out, const hn_io *io, hn_snapshot_problem *problem,
                         const hn_snapshot_info *info, uint64_t account_count, uint64_t slot_count,
                         const hn_snapshot_pace *pace)
{
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    (void)hn_snapshot_report(problem, HN_OK, "%s", "");
    if (hn_snapshot_name(name, info->ledger_name, info->log_index) != HN_OK)
        return hn_snapshot_report(problem, HN_ERR_INVALID, "the ledger's name cannot be part of a file name");
    hn_snapshot_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return HN_ERR_NO_MEMORY;
    *w = (hn_snapshot_writer){.io = io, .pace = pace, .log_index = info->log_index, .file = -1};
    snprintf(w->ledger_name, sizeof w->ledger_name, "%s", info->ledger_name);
    w->block = malloc(HN_SNAPSHOT_BLOCK_MAX);
    w->output = aligned_alloc(HN_LOG_ALIGNMENT_MAX, OUTPUT_BYTES);
    hn_err err = w->block != NULL && w->output != NULL ? create_file(w) : HN_ERR_NO_MEMORY;
    if (err == HN_OK)
        err = write_info(w, info, account_count, slot_count);
    if (err != HN_OK) {
        hn_snapshot_abandon(w, problem, err);
        return err;
    }
    *out = w;
    return HN_OK;
}

static void end_writer(hn_snapshot_writer *w)
{
    if (w->file >= 0)
        w->io->operations->close(w->io->self, w->file);
    free(w->output);
    free(w->block);
    free(w);
}

void hn_snapshot_abandon(hn_snapshot_writer *writer, hn_snapshot_problem *problem, hn_err err)
{
    char name[HN_SNAPSHOT_NAME_MAX];
    if (hn_snapshot_temporary_name(name, writer->ledger_name, writer->log_index) == HN_OK) {
        (void)hn_snapshot_report(problem, err, "%s: offset %llu: cannot be written: %s", name,
                                 (unsigned long long)writer->offset, hn_err_text(err));
        (void)writer->io->operations->remove(writer->io->self, name);
    }
    end_writer(writer);
}

/* The last piece is padded to be written, and the padding cut off again. */
static hn_err end_file(hn_snapshot_writer *w, uint64_t *bytes)
{
    uint8_t *to = NULL;
    if (w->used != 0)
        HN_TRY(end_block(w, HN_SNAPSHOT_BLOCK_RECORDS));
    HN_TRY(reserve(w, &to, sizeof w->written));
    memcpy(to, &w->written, sizeof w->written);
    HN_TRY(end_block(w, HN_SNAPSHOT_BLOCK_END));
    *bytes = w->offset + w->output_used;
    size_t alignment = w->io->operations->alignment(w->io->self);
    size_t padded = (w->output_used + alignment - 1) & ~(alignment - 1);
    memset(w->output + w->output_used, 0, padded - w->output_used);
    if (padded != 0)
        HN_TRY(flush(w, padded));
    HN_TRY(w->io->operations->truncate(w->io->self, w->file, *bytes));
    return w->io->operations->sync(w->io->self, w->file);
}

hn_err hn_snapshot_finish(hn_snapshot_writer *writer, hn_snapshot_problem *problem, uint64_t *bytes)
{
    uint64_t size = 0;
    hn_err err = end_file(writer, &size);
    if (err != HN_OK) {
        hn_snapshot_abandon(writer, problem, err);
        return err;
    }
    end_writer(writer);
    *bytes = size;
    return HN_OK;
}

hn_err hn_snapshot_publish(const hn_io *io, hn_snapshot_problem *problem, const char *ledger_name,
                           uint64_t log_index)
{
    char name[HN_SNAPSHOT_FILE_NAME_MAX], temporary[HN_SNAPSHOT_NAME_MAX];
    HN_TRY(hn_snapshot_name(name, ledger_name, log_index));
    HN_TRY(hn_snapshot_temporary_name(temporary, ledger_name, log_index));
    hn_err err = io->operations->rename(io->self, temporary, name);
    if (err == HN_OK)
        err = io->operations->sync_directory(io->self);
    if (err != HN_OK)
        (void)hn_snapshot_report(problem, err, "%s: cannot be renamed: %s", temporary, hn_err_text(err));
    return err;
}

void hn_snapshot_discard(const hn_io *io, const char *ledger_name, uint64_t log_index)
{
    char name[HN_SNAPSHOT_NAME_MAX];
    if (hn_snapshot_temporary_name(name, ledger_name, log_index) == HN_OK)
        (void)io->operations->remove(io->self, name);
}

hn_err hn_snapshot_write(const hn_io *io, hn_snapshot_problem *problem, const hn_snapshot_info *info,
                         const hn_flat *flat)
{
    hn_snapshot_writer *writer = NULL;
    HN_TRY(hn_snapshot_begin(&writer, io, problem, info, hn_flat_account_count(flat),
                             hn_flat_slot_count(flat), NULL));
    HN_CHECK(writer != NULL);
    const hn_flat_visitor visitor = hn_snapshot_visitor(writer);
    hn_err err = hn_flat_visit(flat, &visitor);
    if (err != HN_OK) {
        hn_snapshot_abandon(writer, problem, err);
        return err;
    }
    uint64_t bytes;
    HN_TRY(hn_snapshot_finish(writer, problem, &bytes));
    err = hn_snapshot_publish(io, problem, info->ledger_name, info->log_index);
    if (err != HN_OK)
        hn_snapshot_discard(io, info->ledger_name, info->log_index);
    return err;
}
