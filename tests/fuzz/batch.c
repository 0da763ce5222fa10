/* Any bytes as a payload; one that reads to its end comes out the same when written again. */
#include "shard/log/batch.h"
#include "engine/base/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hn_batch_reader reader;
    hn_batch_item item;
    hn_batch_writer writer;
    if (hn_batch_reader_begin(&reader, hn_bytes_of(data, size)) != HN_OK)
        return 0;
    uint8_t *again = malloc(size);
    HN_CHECK(again != NULL);
    hn_batch_writer_begin(&writer, again, size, reader.timestamp_ns);
    hn_err err;
    while ((err = hn_batch_reader_next(&reader, &item)) == HN_OK)
        HN_CHECK(hn_batch_writer_add(&writer, item.ledger, &item.sender, item.raw));
    if (err == HN_ERR_NOT_FOUND)
        HN_CHECK(hn_batch_writer_end(&writer) == size && memcmp(again, data, size) == 0);
    else
        HN_CHECK(err == HN_ERR_CORRUPT);
    free(again);
    return 0;
}
