#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "shard/store/snapshot_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CANDIDATES_MAX = 64, KEEP_MIN = 2 };

/* --- reading one file
 * ---------------------------------------------------------------------------------------- */

typedef struct loader {
    const hn_io *io;
    hn_snapshot_problem *problem;
    const char *name;
    hn_io_file file;
    uint64_t file_size;
    uint64_t offset; /* of the block in memory */
    uint8_t *block;
    hn_snapshot_block_head head;
    hn_bytes content;
    uint32_t number;
    uint64_t previous_low;
    hn_flat *flat;
    hn_address account; /* whose slots come */
    bool has_account;
    hn_snapshot_block_end read;
} loader;

static hn_err corrupt(const loader *l, const char *what)
{
    return hn_snapshot_report(l->problem, HN_ERR_CORRUPT, "%s: offset %" PRIu64 ": %s", l->name, l->offset,
                              what);
}

static hn_err read_at(loader *l, void *to, uint64_t offset, size_t size)
{
    hn_err err = l->io->operations->read(l->io->self, to, l->file, offset, size);
    if (err == HN_ERR_TRUNCATED)
        return corrupt(l, "the file ends too early");
    if (err != HN_OK)
        return hn_snapshot_report(l->problem, err, "%s: offset %" PRIu64 ": reading: %s", l->name, offset,
                                  hn_err_text(err));
    return HN_OK;
}

/* Reads and checks the block at l->offset. */
static hn_err read_block(loader *l)
{
    HN_TRY(read_at(l, l->block, l->offset, sizeof l->head));
    memcpy(&l->head, l->block, sizeof l->head);
    if (l->head.magic != HN_SNAPSHOT_MAGIC)
        return corrupt(l, "no block begins here");
    if (l->head.size > HN_SNAPSHOT_BLOCK_MAX - sizeof l->head)
        return corrupt(l, "the block is too large");
    HN_TRY(read_at(l, l->block + sizeof l->head, l->offset + sizeof l->head, l->head.size));
    hn_checksum sum = hn_snapshot_block_checksum(l->block, l->head.size);
    if (sum.low != l->head.checksum.low || sum.high != l->head.checksum.high)
        return corrupt(l, "the block does not match its checksum");
    if (l->head.version != HN_SNAPSHOT_VERSION)
        return hn_snapshot_report(l->problem, HN_ERR_VERSION,
                                  "%s: offset %" PRIu64 ": written by a newer version", l->name, l->offset);
    if (l->head.number != l->number || l->head.previous_low != l->previous_low)
        return corrupt(l, "the block does not follow the one before");
    l->number++;
    l->previous_low = sum.low;
    l->content = hn_bytes_of(l->block + sizeof l->head, l->head.size);
    return HN_OK;
}

static hn_err take_info(loader *l, hn_snapshot_info *info, hn_arena *arena, const char *ledger_name,
                        uint64_t log_index, uint64_t table_seed)
{
    hn_snapshot_block_info block;
    if (l->head.kind != HN_SNAPSHOT_BLOCK_INFO || l->content.size < sizeof block)
        return corrupt(l, "the file does not begin with its description");
    memcpy(&block, l->content.data, sizeof block);
    size_t hashes_size = (size_t)block.hash_count * sizeof info->recent_hashes[0];
    if (block.hash_count > HN_SNAPSHOT_HASHES_MAX ||
        l->content.size != sizeof block + hashes_size + block.header_size ||
        memchr(block.ledger_name, 0, sizeof block.ledger_name) == NULL)
        return corrupt(l, "the description is malformed");
    if (strcmp(block.ledger_name, ledger_name) != 0 || block.log_index != log_index)
        return corrupt(l, "the file is another snapshot than its name says");
    memset(info, 0, sizeof *info);
    memcpy(info->ledger_name, block.ledger_name, sizeof info->ledger_name);
    info->chain_id = block.chain_id;
    info->log_index = block.log_index;
    info->genesis_hash = block.genesis_hash;
    info->recent_hash_count = block.hash_count;
    memcpy(info->recent_hashes, l->content.data + sizeof block, hashes_size);
    hn_bytes header;
    HN_TRY(hn_arena_copy(&header, arena,
                         hn_bytes_of(l->content.data + sizeof block + hashes_size, block.header_size)));
    if (hn_header_decode(&info->head, header) != HN_OK)
        return corrupt(l, "the block header is malformed");
    uint64_t most = l->file_size / HN_SNAPSHOT_ACCOUNT_BYTES;
    return hn_flat_create(&l->flat, table_seed, block.account_count < most ? block.account_count : most);
}

static hn_err take_code(loader *l, hn_bytes *rest)
{
    size_t size = rest->size >= HN_SNAPSHOT_CODE_HEAD ? hn_load_le32(rest->data + 1) : SIZE_MAX;
    if (size > rest->size - HN_SNAPSHOT_CODE_HEAD)
        return corrupt(l, "a code is cut off");
    const hn_code *code;
    HN_TRY(hn_flat_put_code(l->flat, &code, hn_bytes_of(rest->data + HN_SNAPSHOT_CODE_HEAD, size)));
    l->read.code_count++;
    size += HN_SNAPSHOT_CODE_HEAD;
    *rest = hn_bytes_of(rest->data + size, rest->size - size);
    return HN_OK;
}

static hn_err take_account(loader *l, hn_bytes *rest)
{
    if (rest->size < HN_SNAPSHOT_ACCOUNT_BYTES)
        return corrupt(l, "an account is cut off");
    hn_account account = {.nonce = hn_load_le64(rest->data + 21),
                          .balance = hn_u256_from_be(rest->data + 29)};
    memcpy(l->account.b, rest->data + 1, sizeof l->account.b);
    memcpy(account.code_hash.b, rest->data + 61, sizeof account.code_hash.b);
    if (!hn_hash_equal(&account.code_hash, &hn_keccak256_of_nothing) &&
        hn_flat_code(l->flat, &account.code_hash) == NULL)
        return corrupt(l, "the code of an account is missing");
    HN_TRY(hn_flat_put_account(l->flat, &l->account, &account));
    l->has_account = true;
    l->read.account_count++;
    *rest = hn_bytes_of(rest->data + HN_SNAPSHOT_ACCOUNT_BYTES, rest->size - HN_SNAPSHOT_ACCOUNT_BYTES);
    return HN_OK;
}

static hn_err take_slot(loader *l, hn_bytes *rest)
{
    if (rest->size < HN_SNAPSHOT_SLOT_BYTES || !l->has_account)
        return corrupt(l, "a slot is cut off, or has no account");
    hn_u256 key = hn_u256_from_be(rest->data + 1);
    hn_u256 value = hn_u256_from_be(rest->data + 33);
    if (hn_u256_is_zero(&value))
        return corrupt(l, "a slot is zero");
    HN_TRY(hn_flat_put_slot(l->flat, &l->account, &key, &value));
    l->read.slot_count++;
    *rest = hn_bytes_of(rest->data + HN_SNAPSHOT_SLOT_BYTES, rest->size - HN_SNAPSHOT_SLOT_BYTES);
    return HN_OK;
}

static hn_err take_records(loader *l)
{
    hn_bytes rest = l->content;
    while (rest.size != 0) {
        switch (rest.data[0]) {
        case HN_SNAPSHOT_CODE:
            HN_TRY(take_code(l, &rest));
            break;
        case HN_SNAPSHOT_ACCOUNT:
            HN_TRY(take_account(l, &rest));
            break;
        case HN_SNAPSHOT_SLOT:
            HN_TRY(take_slot(l, &rest));
            break;
        default:
            return corrupt(l, "unknown kind of record");
        }
    }
    return HN_OK;
}

static hn_err take_end(loader *l)
{
    hn_snapshot_block_end end;
    if (l->content.size != sizeof end)
        return corrupt(l, "the end is malformed");
    memcpy(&end, l->content.data, sizeof end);
    if (memcmp(&end, &l->read, sizeof end) != 0 || hn_flat_account_count(l->flat) != end.account_count ||
        hn_flat_slot_count(l->flat) != end.slot_count)
        return corrupt(l, "the numbers of accounts, slots and codes are not those that were written");
    if (l->offset + sizeof l->head + l->head.size != l->file_size)
        return corrupt(l, "something follows the end");
    return HN_OK;
}

static hn_err load_blocks(loader *l, hn_snapshot_info *info, hn_arena *arena, const char *ledger_name,
                          uint64_t log_index, uint64_t table_seed)
{
    HN_TRY(read_block(l));
    HN_TRY(take_info(l, info, arena, ledger_name, log_index, table_seed));
    for (;;) {
        l->offset += sizeof l->head + l->head.size;
        HN_TRY(read_block(l));
        if (l->head.kind == HN_SNAPSHOT_BLOCK_END)
            return take_end(l);
        if (l->head.kind != HN_SNAPSHOT_BLOCK_RECORDS)
            return corrupt(l, "unknown kind of block");
        HN_TRY(take_records(l));
    }
}

static hn_err load_file(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_info *info, hn_flat **flat,
                        hn_arena *arena, const char *ledger_name, uint64_t log_index, uint64_t table_seed)
{
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    HN_TRY(hn_snapshot_name(name, ledger_name, log_index));
    loader l = {
        .io = io, .problem = problem, .name = name, .file = -1, .block = malloc(HN_SNAPSHOT_BLOCK_MAX)};
    if (l.block == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = io->operations->open(io->self, &l.file, name, HN_IO_READ);
    if (err == HN_OK)
        err = io->operations->size(io->self, &l.file_size, l.file);
    if (err != HN_OK)
        (void)hn_snapshot_report(problem, err, "%s: cannot be opened: %s", name, hn_err_text(err));
    else
        err = load_blocks(&l, info, arena, ledger_name, log_index, table_seed);
    if (l.file >= 0)
        io->operations->close(io->self, l.file);
    free(l.block);
    if (err != HN_OK)
        hn_flat_destroy(l.flat);
    else
        *flat = l.flat;
    return err;
}

/* --- which files there are
 * ------------------------------------------------------------------------------------ */

/* The newest snapshots of a ledger, newest first. */
typedef struct candidates {
    const char *ledger_name;
    uint64_t indexes[CANDIDATES_MAX];
    unsigned count;
} candidates;

static void note_name(void *context, const char *name)
{
    candidates *found = context;
    uint64_t index;
    if (!hn_snapshot_name_parse(&index, name, found->ledger_name))
        return;
    unsigned at = found->count;
    while (at > 0 && found->indexes[at - 1] < index)
        at--;
    if (at == CANDIDATES_MAX)
        return;
    unsigned kept = found->count < CANDIDATES_MAX ? found->count++ : CANDIDATES_MAX - 1;
    memmove(&found->indexes[at + 1], &found->indexes[at], (kept - at) * sizeof found->indexes[0]);
    found->indexes[at] = index;
}

hn_err hn_snapshot_load_newest(const hn_io *io, hn_snapshot_problem *problem, hn_snapshot_info *info,
                               hn_flat **flat, hn_arena *arena, const char *ledger_name, uint64_t table_seed,
                               void (*warn)(void *self, const char *text), void *warn_self)
{
    hn_snapshot_problem local;
    problem = problem != NULL ? problem : &local;
    (void)hn_snapshot_report(problem, HN_OK, "%s", "");
    candidates found = {.ledger_name = ledger_name};
    hn_err err = io->operations->list(io->self, note_name, &found);
    if (err != HN_OK)
        return hn_snapshot_report(problem, err, "the data directory cannot be listed: %s", hn_err_text(err));
    for (unsigned i = 0; i < found.count; i++) {
        hn_arena_mark mark = hn_arena_mark_now(arena);
        hn_snapshot_info loaded;
        err = load_file(io, problem, &loaded, flat, arena, ledger_name, found.indexes[i], table_seed);
        if (err == HN_OK) {
            *info = loaded;
            return hn_snapshot_report(problem, HN_OK, "%s", "");
        }
        hn_arena_release(arena, mark);
        if (err == HN_ERR_NO_MEMORY)
            return hn_snapshot_report(problem, err, "snapshot of %s at frame %" PRIu64 ": %s", ledger_name,
                                      found.indexes[i], hn_err_text(err));
        if (warn != NULL)
            warn(warn_self, problem->text);
    }
    return hn_snapshot_report(problem, HN_ERR_NOT_FOUND, "there is no good snapshot of %s", ledger_name);
}

hn_err hn_snapshot_retire(const hn_io *io, const char *ledger_name, unsigned keep)
{
    keep = keep > KEEP_MIN ? keep : KEEP_MIN;
    candidates found = {.ledger_name = ledger_name};
    HN_TRY(io->operations->list(io->self, note_name, &found));
    for (unsigned i = keep; i < found.count; i++) {
        char name[HN_SNAPSHOT_FILE_NAME_MAX];
        HN_TRY(hn_snapshot_name(name, ledger_name, found.indexes[i]));
        HN_TRY(io->operations->remove(io->self, name));
    }
    return found.count > keep ? io->operations->sync_directory(io->self) : HN_OK;
}
