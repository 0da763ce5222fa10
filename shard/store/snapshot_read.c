#include "shard/store/snapshot_read.h"

#include "engine/crypto/keccak.h"
#include "shard/log/frame.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct reading {
    const hn_io *io;
    hn_snapshot_problem *problem;
    const char *name;
    const hn_snapshot_taker *taker;
    const hn_snapshot_pace *pace;
    hn_io_file file;
    uint64_t file_size;
    uint64_t offset; /* of the block in memory */
    uint8_t *block;
    hn_snapshot_block_head head;
    hn_bytes content;
    uint32_t number;
    uint64_t previous_low;
    hn_address account; /* whose slots come */
    bool has_account;
    bool is_delta;
    hn_snapshot_block_end read;
} reading;

static hn_err corrupt(const reading *r, const char *what)
{
    return hn_snapshot_report(r->problem, HN_ERR_CORRUPT, "%s: offset %" PRIu64 ": %s", r->name, r->offset,
                              what);
}

static hn_err read_at(reading *r, void *to, uint64_t offset, size_t size)
{
    hn_err err = r->io->operations->read(r->io->self, to, r->file, offset, size);
    if (err == HN_ERR_TRUNCATED)
        return corrupt(r, "the file ends too early");
    if (err != HN_OK)
        return hn_snapshot_report(r->problem, err, "%s: offset %" PRIu64 ": reading: %s", r->name, offset,
                                  hn_err_text(err));
    return HN_OK;
}

/* Reads and checks the block at r->offset. */
static hn_err read_block(reading *r)
{
    HN_TRY(read_at(r, r->block, r->offset, sizeof r->head));
    memcpy(&r->head, r->block, sizeof r->head);
    if (r->head.magic != HN_SNAPSHOT_MAGIC)
        return corrupt(r, "no block begins here");
    if (r->head.size > HN_SNAPSHOT_BLOCK_MAX - sizeof r->head)
        return corrupt(r, "the block is too large");
    if (r->pace != NULL)
        HN_TRY(r->pace->before(r->pace->self, sizeof r->head + r->head.size));
    HN_TRY(read_at(r, r->block + sizeof r->head, r->offset + sizeof r->head, r->head.size));
    hn_checksum sum = hn_snapshot_block_checksum(r->block, r->head.size);
    if (sum.low != r->head.checksum.low || sum.high != r->head.checksum.high)
        return corrupt(r, "the block does not match its checksum");
    if (r->head.version == 0 || r->head.version > HN_SNAPSHOT_VERSION)
        return hn_snapshot_report(r->problem, HN_ERR_VERSION,
                                  "%s: offset %" PRIu64 ": written by a newer version", r->name, r->offset);
    if (r->head.number != r->number || r->head.previous_low != r->previous_low)
        return corrupt(r, "the block does not follow the one before");
    r->number++;
    r->previous_low = sum.low;
    r->content = hn_bytes_of(r->block + sizeof r->head, r->head.size);
    return HN_OK;
}

static hn_err take_info(reading *r, hn_snapshot_info *info, hn_snapshot_block_info *counts,
                        const char *ledger_name, uint64_t log_index)
{
    hn_snapshot_block_info block;
    hn_snapshot_block_base base = {.depth = 0};
    size_t chain_size = r->head.version == 1 ? 0 : sizeof info->chain;
    size_t base_size = r->head.version < 3 ? 0 : sizeof base;
    if (r->head.kind != HN_SNAPSHOT_BLOCK_INFO || r->content.size < sizeof block)
        return corrupt(r, "the file does not begin with its description");
    memcpy(&block, r->content.data, sizeof block);
    size_t hashes_size = (size_t)block.hash_count * sizeof info->recent_hashes[0];
    if (block.hash_count > HN_SNAPSHOT_HASHES_MAX ||
        r->content.size != sizeof block + chain_size + base_size + hashes_size + block.header_size ||
        memchr(block.ledger_name, 0, sizeof block.ledger_name) == NULL)
        return corrupt(r, "the description is malformed");
    if (strcmp(block.ledger_name, ledger_name) != 0 || block.log_index != log_index)
        return corrupt(r, "the file is another snapshot than its name says");
    const uint8_t *next = r->content.data + sizeof block;
    memset(info, 0, sizeof *info);
    memcpy(info->ledger_name, block.ledger_name, sizeof info->ledger_name);
    info->chain_id = block.chain_id;
    info->log_index = block.log_index;
    info->genesis_hash = block.genesis_hash;
    info->recent_hash_count = block.hash_count;
    memcpy(&info->chain, next, chain_size);
    info->has_chain = !hn_bytes_are_zero(hn_bytes_of(info->chain.b, sizeof info->chain.b));
    next += chain_size;
    memcpy(&base, next, base_size);
    next += base_size;
    if (base.reserved != 0 || (base.depth != 0 && base.log_index >= block.log_index))
        return corrupt(r, "the description of its base is malformed");
    info->base = (hn_snapshot_base){.log_index = base.log_index, .end = base.end, .depth = base.depth};
    r->is_delta = base.depth != 0;
    memcpy(info->recent_hashes, next, hashes_size);
    if (hn_header_decode(&info->head, hn_bytes_of(next + hashes_size, block.header_size)) != HN_OK)
        return corrupt(r, "the block header is malformed");
    *counts = block;
    return HN_OK;
}

static hn_err take_code(reading *r, hn_bytes *rest)
{
    size_t size = rest->size >= HN_SNAPSHOT_CODE_HEAD ? hn_load_le32(rest->data + 1) : SIZE_MAX;
    if (size > rest->size - HN_SNAPSHOT_CODE_HEAD)
        return corrupt(r, "a code is cut off");
    HN_TRY(r->taker->code(r->taker->self, hn_bytes_of(rest->data + HN_SNAPSHOT_CODE_HEAD, size)));
    r->read.code_count++;
    size += HN_SNAPSHOT_CODE_HEAD;
    *rest = hn_bytes_of(rest->data + size, rest->size - size);
    return HN_OK;
}

static hn_err take_account(reading *r, hn_bytes *rest)
{
    if (rest->size < HN_SNAPSHOT_ACCOUNT_BYTES)
        return corrupt(r, "an account is cut off");
    hn_account account = {.nonce = hn_load_le64(rest->data + 21),
                          .balance = hn_u256_from_be(rest->data + 29)};
    memcpy(r->account.b, rest->data + 1, sizeof r->account.b);
    memcpy(account.code_hash.b, rest->data + 61, sizeof account.code_hash.b);
    if (!hn_hash_equal(&account.code_hash, &hn_keccak256_of_nothing) &&
        !r->taker->has_code(r->taker->self, &account.code_hash))
        return corrupt(r, "the code of an account is missing");
    HN_TRY(r->taker->account(r->taker->self, &r->account, &account));
    r->has_account = true;
    r->read.account_count++;
    *rest = hn_bytes_of(rest->data + HN_SNAPSHOT_ACCOUNT_BYTES, rest->size - HN_SNAPSHOT_ACCOUNT_BYTES);
    return HN_OK;
}

static hn_err take_owner(reading *r, hn_bytes *rest)
{
    if (rest->size < HN_SNAPSHOT_OWNER_BYTES)
        return corrupt(r, "an owner is cut off");
    memcpy(r->account.b, rest->data + 1, sizeof r->account.b);
    r->has_account = true;
    *rest = hn_bytes_of(rest->data + HN_SNAPSHOT_OWNER_BYTES, rest->size - HN_SNAPSHOT_OWNER_BYTES);
    return HN_OK;
}

static hn_err take_gone(reading *r, hn_bytes *rest)
{
    hn_address address;
    if (rest->size < HN_SNAPSHOT_OWNER_BYTES || !r->is_delta)
        return corrupt(r, "an account that is gone is cut off, or there is nothing below");
    memcpy(address.b, rest->data + 1, sizeof address.b);
    hn_err err = r->taker->gone(r->taker->self, &address);
    if (err == HN_ERR_NOT_FOUND)
        return corrupt(r, "an account that is gone was never there");
    r->has_account = false;
    r->read.account_count++;
    *rest = hn_bytes_of(rest->data + HN_SNAPSHOT_OWNER_BYTES, rest->size - HN_SNAPSHOT_OWNER_BYTES);
    return err;
}

static hn_err take_slot(reading *r, hn_bytes *rest)
{
    if (rest->size < HN_SNAPSHOT_SLOT_BYTES || !r->has_account)
        return corrupt(r, "a slot is cut off, or has no account");
    hn_u256 key = hn_u256_from_be(rest->data + 1);
    hn_u256 value = hn_u256_from_be(rest->data + 33);
    if (hn_u256_is_zero(&value) && !r->is_delta)
        return corrupt(r, "a slot is zero");
    hn_err err = r->taker->slot(r->taker->self, &r->account, &key, &value);
    if (err == HN_ERR_NOT_FOUND)
        return corrupt(r, "the account of a slot is missing");
    r->read.slot_count++;
    *rest = hn_bytes_of(rest->data + HN_SNAPSHOT_SLOT_BYTES, rest->size - HN_SNAPSHOT_SLOT_BYTES);
    return err;
}

static hn_err take_records(reading *r)
{
    hn_bytes rest = r->content;
    while (rest.size != 0) {
        switch (rest.data[0]) {
        case HN_SNAPSHOT_CODE:
            HN_TRY(take_code(r, &rest));
            break;
        case HN_SNAPSHOT_ACCOUNT:
            HN_TRY(take_account(r, &rest));
            break;
        case HN_SNAPSHOT_SLOT:
            HN_TRY(take_slot(r, &rest));
            break;
        case HN_SNAPSHOT_OWNER:
            HN_TRY(take_owner(r, &rest));
            break;
        case HN_SNAPSHOT_GONE:
            HN_TRY(take_gone(r, &rest));
            break;
        default:
            return corrupt(r, "unknown kind of record");
        }
    }
    return HN_OK;
}

static hn_err take_end(reading *r)
{
    hn_snapshot_block_end end;
    if (r->content.size != sizeof end)
        return corrupt(r, "the end is malformed");
    memcpy(&end, r->content.data, sizeof end);
    if (memcmp(&end, &r->read, sizeof end) != 0)
        return corrupt(r, "the numbers of accounts, slots and codes are not those that were written");
    if (r->offset + sizeof r->head + r->head.size != r->file_size)
        return corrupt(r, "something follows the end");
    return HN_OK;
}

static hn_err read_records(reading *r)
{
    for (;;) {
        r->offset += sizeof r->head + r->head.size;
        HN_TRY(read_block(r));
        if (r->head.kind == HN_SNAPSHOT_BLOCK_END)
            return take_end(r);
        if (r->head.kind != HN_SNAPSHOT_BLOCK_RECORDS)
            return corrupt(r, "unknown kind of block");
        HN_TRY(take_records(r));
    }
}

static hn_err read_all(reading *r, hn_snapshot_info *info, const char *ledger_name, uint64_t log_index)
{
    hn_snapshot_block_info counts = {.account_count = 0};
    HN_TRY(read_block(r));
    HN_TRY(take_info(r, info, &counts, ledger_name, log_index));
    HN_TRY(r->taker->begin(r->taker->self, info, counts.account_count, counts.slot_count,
                           r->file_size / HN_SNAPSHOT_ACCOUNT_BYTES));
    return read_records(r);
}

/* --- what it says of itself
 * ---------------------------------------------------------------------------------- */

/* The last block stands at a known place; whether it follows what is before is not known here. */
static hn_err describe(reading *r, hn_snapshot_description *out, const char *ledger_name, uint64_t log_index)
{
    hn_snapshot_block_info counts = {.account_count = 0};
    const size_t end_size = sizeof r->head + sizeof out->records;
    HN_TRY(read_block(r));
    HN_TRY(take_info(r, &out->info, &counts, ledger_name, log_index));
    out->info.head.extra_data = hn_bytes_of(NULL, 0);
    out->account_count = counts.account_count;
    out->slot_count = counts.slot_count;
    out->bytes = r->file_size;
    if (r->file_size < sizeof r->head + r->head.size + end_size)
        return corrupt(r, "the file ends too early");
    r->offset = r->file_size - end_size;
    HN_TRY(read_at(r, r->block, r->offset, sizeof r->head));
    memcpy(&r->head, r->block, sizeof r->head);
    r->number = r->head.number;
    r->previous_low = r->head.previous_low;
    HN_TRY(read_block(r));
    if (r->head.kind != HN_SNAPSHOT_BLOCK_END || r->content.size != sizeof out->records)
        return corrupt(r, "the file does not end with its end");
    memcpy(&out->records, r->content.data, sizeof out->records);
    out->end = r->head.checksum;
    return HN_OK;
}

static hn_err open_file(reading *r)
{
    const hn_io *io = r->io;
    r->block = malloc(HN_SNAPSHOT_BLOCK_MAX);
    if (r->block == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = io->operations->open(io->self, &r->file, r->name, HN_IO_READ);
    if (err == HN_OK)
        err = io->operations->size(io->self, &r->file_size, r->file);
    if (err != HN_OK)
        (void)hn_snapshot_report(r->problem, err, "%s: cannot be opened: %s", r->name, hn_err_text(err));
    return err;
}

static void close_file(reading *r)
{
    if (r->file >= 0)
        r->io->operations->close(r->io->self, r->file);
    free(r->block);
}

hn_err hn_snapshot_read(const hn_io *io, hn_snapshot_problem *problem, const char *file_name,
                        const char *ledger_name, uint64_t log_index, const hn_snapshot_taker *taker,
                        const hn_snapshot_pace *pace, hn_checksum *end)
{
    reading r = {.io = io, .problem = problem, .name = file_name, .taker = taker, .pace = pace, .file = -1};
    hn_snapshot_info *info = malloc(sizeof *info);
    hn_err err = info != NULL ? open_file(&r) : HN_ERR_NO_MEMORY;
    if (err == HN_OK)
        err = read_all(&r, info, ledger_name, log_index);
    if (err == HN_OK && end != NULL)
        *end = r.head.checksum;
    close_file(&r);
    free(info);
    return err;
}

hn_err hn_snapshot_describe(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_description *out,
                            const char *ledger_name, uint64_t log_index, bool is_temporary)
{
    char name[HN_SNAPSHOT_NAME_MAX];
    HN_TRY(is_temporary ? hn_snapshot_temporary_name(name, ledger_name, log_index)
                        : hn_snapshot_name(name, ledger_name, log_index));
    reading r = {.io = io, .problem = problem, .name = name, .file = -1};
    hn_err err = open_file(&r);
    if (err == HN_OK)
        err = describe(&r, out, ledger_name, log_index);
    close_file(&r);
    return err;
}
