/* Any bytes as a snapshot file. The first byte of input chooses whether checksums are put right, so that what
 * lies behind them is reached. A snapshot that loads must load again after it was written anew.
 */
#include "engine/base/check.h"
#include "shard/store/snapshot_format.h"
#include "tests/sim/disk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_checksums_right(uint8_t *bytes, size_t size)
{
    enum { HEAD = sizeof(hn_snapshot_block_head) };
    uint64_t previous_low = 0;
    for (size_t at = 0; size - at >= HEAD;) {
        uint32_t content = hn_load_le32(bytes + at + offsetof(hn_snapshot_block_head, size));
        if (content > size - at - HEAD)
            return;
        hn_store_le64(bytes + at + offsetof(hn_snapshot_block_head, previous_low), previous_low);
        hn_checksum sum = hn_snapshot_block_checksum(bytes + at, content);
        memcpy(bytes + at + offsetof(hn_snapshot_block_head, checksum), &sum, sizeof sum);
        previous_low = sum.low;
        at += HEAD + content;
    }
}

static void make_file(const hn_io *io, const uint8_t *data, size_t size)
{
    if (size == 0)
        return;
    uint8_t *bytes = malloc(size);
    HN_CHECK(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] & 1) != 0)
        put_checksums_right(bytes, size - 1);
    hn_io_file file;
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    HN_CHECK(hn_snapshot_name(name, "main", 42) == HN_OK);
    HN_CHECK(io->operations->open(io->self, &file, name, HN_IO_CREATE) == HN_OK);
    HN_CHECK(io->operations->write(io->self, file, 0, hn_bytes_of(bytes, size - 1)) == HN_OK);
    io->operations->close(io->self, file);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1024 * 1024)
        return 0;
    hn_sim_disk *disk = hn_sim_disk_create(1, 512);
    hn_io io = hn_sim_disk_io(disk);
    make_file(&io, data, size);
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_snapshot_problem problem;
    hn_snapshot_info info;
    hn_flat *flat, *again;
    if (hn_snapshot_load_newest(&io, &problem, &info, &flat, &arena, "main", UINT64_MAX, 1, NULL, NULL) ==
        HN_OK) {
        info.log_index++;
        HN_CHECK(hn_snapshot_write(&io, &problem, &info, flat) == HN_OK);
        HN_CHECK(hn_snapshot_load_newest(&io, &problem, &info, &again, &arena, "main", UINT64_MAX, 2, NULL,
                                         NULL) == HN_OK);
        HN_CHECK(info.log_index == 43 && hn_flat_account_count(again) == hn_flat_account_count(flat));
        hn_flat_destroy(again);
        hn_flat_destroy(flat);
    }
    hn_arena_destroy(&arena);
    hn_sim_disk_destroy(disk);
    return 0;
}
