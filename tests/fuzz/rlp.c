/* Any bytes through every reader; what validates must come out the same when written again. */
#include "engine/base/check.h"
#include "engine/codec/rlp_sink.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Puts the item at the cursor into the sink, as a number where it is one. */
static void copy_item(hn_rlp_sink *sink, hn_rlp_cursor *cursor);

static void copy_items(hn_rlp_sink *sink, hn_rlp_cursor list)
{
    while (!hn_rlp_at_end(&list))
        copy_item(sink, &list);
}

static void copy_item(hn_rlp_sink *sink, hn_rlp_cursor *cursor)
{
    hn_rlp_cursor list, again = *cursor;
    hn_bytes string;
    hn_u256 wide;
    uint64_t narrow;
    if (hn_rlp_next_is_list(cursor)) {
        HN_CHECK(hn_rlp_read_list(&list, cursor) == HN_OK);
        hn_rlp_put_list_prefix(sink, (size_t)(list.end - list.next));
        copy_items(sink, list);
    } else if (hn_rlp_read_u64(&narrow, cursor) == HN_OK) {
        HN_CHECK(hn_rlp_read_u256(&wide, &again) == HN_OK && hn_u256_fits_64(&wide) && wide.w[0] == narrow);
        hn_rlp_put_u64(sink, narrow);
    } else if (hn_rlp_read_u256(&wide, cursor) == HN_OK) {
        HN_CHECK(!hn_u256_fits_64(&wide));
        hn_rlp_put_u256(sink, &wide);
    } else {
        HN_CHECK(hn_rlp_read_string(&string, cursor) == HN_OK);
        hn_rlp_put_string(sink, string.data, string.size);
    }
}

/* Walks bytes that may be no RLP at all: nothing but an error may come of it. */
static void walk(hn_rlp_cursor cursor, unsigned depth)
{
    uint8_t fixed[32];
    while (!hn_rlp_at_end(&cursor)) {
        hn_rlp_cursor list, at = cursor;
        hn_bytes raw;
        size_t count;
        if (hn_rlp_read_fixed(fixed, &at, sizeof fixed) != HN_OK)
            HN_CHECK(at.next == cursor.next);
        if (depth < 64 && hn_rlp_read_list(&list, &at) == HN_OK) {
            if (hn_rlp_count(&count, list) == HN_OK)
                HN_CHECK(count <= (size_t)(list.end - list.next));
            walk(list, depth + 1);
        }
        const uint8_t *before = cursor.next;
        if (hn_rlp_read_raw(&raw, &cursor) != HN_OK)
            return;
        HN_CHECK(raw.data == before && raw.size > 0 && cursor.next == before + raw.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hn_bytes input = hn_bytes_of(data, size);
    hn_rlp_cursor cursor = hn_rlp_cursor_of(input), again = cursor;
    walk(cursor, 0);
    if (hn_rlp_validate(input) != HN_OK)
        return 0;
    hn_rlp_sink measured = hn_rlp_sink_to_measure();
    copy_item(&measured, &cursor);
    HN_CHECK(measured.size == size);
    uint8_t *written = malloc(size);
    hn_rlp_sink sink = hn_rlp_sink_to_write(written);
    copy_item(&sink, &again);
    HN_CHECK(sink.next == written + size && memcmp(written, data, size) == 0);
    free(written);
    return 0;
}
