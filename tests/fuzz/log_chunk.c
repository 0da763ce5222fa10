/* Any bytes as a chunk of the log index: entries stay within their bounds and rise by key, and what is read
 * can be written and read again. The first byte is the chunk's base.
 */
#include "pipeline/history/log_chunk.h"
#include "engine/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint64_t base = data[0];
    hn_log_entry entries[ENTRIES_MAX];
    size_t count = 0;
    hn_log_chunk_cursor cursor = hn_log_chunk_cursor_of(hn_bytes_of(data + 1, size - 1), base);
    while (count < ENTRIES_MAX && hn_log_chunk_next(&cursor) == HN_OK) {
        HN_CHECK(cursor.last.key >> HN_LOG_KEY_BITS == 0);
        HN_CHECK(cursor.last.location >> HN_LOG_INDEX_BITS >= base);
        HN_CHECK(count == 0 || entries[count - 1].key <= cursor.last.key);
        if (count == 0 || !hn_log_entry_equal(&entries[count - 1], &cursor.last))
            entries[count++] = cursor.last;
    }
    for (size_t done = 0; done < count;) {
        uint8_t chunk[HN_LOG_CHUNK_BYTES];
        size_t written;
        size_t taken = hn_log_chunk_write(chunk, &written, base, entries + done, count - done);
        HN_CHECK(taken != 0);
        hn_log_chunk_cursor again = hn_log_chunk_cursor_of(hn_bytes_of(chunk, written), base);
        for (size_t i = 0; i < taken; i++) {
            HN_CHECK(hn_log_chunk_next(&again) == HN_OK);
            HN_CHECK(hn_log_entry_equal(&again.last, &entries[done + i]));
        }
        HN_CHECK(hn_log_chunk_next(&again) == HN_ERR_NOT_FOUND);
        done += taken;
    }
    return 0;
}
