/* Any bytes as a chunk of undo: items stay within the chunk and are numbered one by one, and a block's first
 * chunk that holds all its items is written again byte for byte. The first byte is the first item's number.
 */
#include "pipeline/history/undo_chunk.h"
#include "engine/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ITEMS_MAX = 256 };

typedef struct copy {
    hn_account_change accounts[ITEMS_MAX];
    hn_slot_change slots[ITEMS_MAX];
    hn_state_diff diff;
    uint32_t slot_count;
} copy;

static void keep(copy *to, const hn_undo_cursor *item)
{
    if (item->kind == HN_UNDO_ACCOUNT) {
        to->accounts[to->diff.account_count++] = (hn_account_change){.address = item->account.address,
                                                                     .existed = item->account.existed,
                                                                     .before = item->account.account,
                                                                     .slots = &to->slots[to->slot_count]};
        return;
    }
    HN_CHECK(hn_address_equal(&item->slot.address, &item->account.address));
    to->slots[to->slot_count++] = (hn_slot_change){.key = hn_u256_from_be(item->slot.key.b),
                                                   .before = hn_u256_from_be(item->slot.value.b)};
    if (to->diff.account_count != 0)
        to->accounts[to->diff.account_count - 1].slot_count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static copy to;
    if (size == 0)
        return 0;
    to.diff = (hn_state_diff){.accounts = to.accounts};
    to.slot_count = 0;
    hn_undo_cursor cursor;
    hn_undo_counts counts = {0};
    uint32_t first = data[0], count = 0;
    hn_bytes chunk = hn_bytes_of(data + 1, size - 1);
    if (hn_undo_cursor_begin(&cursor, &counts, chunk, first) != HN_OK)
        return 0;
    hn_err err = HN_OK;
    while (count < ITEMS_MAX && (err = hn_undo_cursor_next(&cursor)) == HN_OK) {
        HN_CHECK(cursor.item == first + count++);
        keep(&to, &cursor);
    }
    HN_CHECK(err == HN_OK || err == HN_ERR_NOT_FOUND || err == HN_ERR_CORRUPT);
    if (err != HN_ERR_NOT_FOUND || first != 0 || chunk.size > HN_UNDO_CHUNK_BYTES / 2 ||
        counts.accounts != to.diff.account_count || counts.slots != to.slot_count)
        return 0;
    uint8_t again[HN_UNDO_CHUNK_BYTES];
    size_t again_size;
    hn_undo_writer writer = hn_undo_writer_of(&to.diff, counts);
    HN_CHECK(hn_undo_chunk_write(again, &again_size, &first, &writer) && first == 0);
    HN_CHECK(hn_bytes_equal(chunk, hn_bytes_of(again, again_size)));
    HN_CHECK(!hn_undo_chunk_write(again, &again_size, &first, &writer));
    return 0;
}
