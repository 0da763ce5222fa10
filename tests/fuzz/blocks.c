/* Any bytes as a payload of imported blocks; one that reads to its end comes out the same when written again.
 */
#include "shard/log/blocks.h"
#include "engine/base/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hn_blocks_reader reader;
    hn_blocks_writer writer;
    hn_bytes block;
    if (hn_blocks_reader_begin(&reader, hn_bytes_of(data, size)) != HN_OK)
        return 0;
    HN_CHECK(reader.part < reader.parts && (reader.parts == 1 || reader.remaining == 1));
    uint8_t *again = malloc(size);
    HN_CHECK(again != NULL);
    hn_blocks_writer_begin(&writer, again, size, reader.ledger);
    hn_err err;
    while ((err = hn_blocks_reader_next(&reader, &block)) == HN_OK)
        HN_CHECK(hn_blocks_writer_add(&writer, block));
    if (err == HN_ERR_NOT_FOUND) {
        HN_CHECK(hn_blocks_writer_end(&writer) == size && memcmp(again, data, 8) == 0);
        HN_CHECK(memcmp(again + 16, data + 16, size - 16) == 0); /* between them: part and parts */
    } else {
        HN_CHECK(err == HN_ERR_CORRUPT);
    }
    free(again);
    return 0;
}
