/* WebSocket frames, with compression and without: read in one piece and read byte by byte, the same events
 * come with the same contents; nothing passes the bound; and what was delivered as text is text.
 */
#include "pipeline/rpc/ws_frame.h"
#include "engine/base/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 4096, EVENTS_MAX = 4096 };

/* What came out, as numbers. */
typedef struct outcome {
    uint64_t numbers[EVENTS_MAX];
    size_t count;
} outcome;

static uint64_t digest(const uint8_t *bytes, size_t size)
{
    uint64_t sum = 14695981039346656037u ^ size;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ bytes[i]) * 1099511628211u;
    return sum;
}

static void note(outcome *out, const hn_ws_reader *reader, hn_ws_event event)
{
    uint64_t number = (uint64_t)event;
    if (event == HN_WS_EVENT_MESSAGE) {
        HN_CHECK(reader->message_size <= MESSAGE_MAX);
        HN_CHECK(!reader->is_text || hn_ws_is_utf8(reader->message, reader->message_size));
        number ^= digest(reader->message, reader->message_size);
    } else if (event == HN_WS_EVENT_PING || event == HN_WS_EVENT_PONG) {
        HN_CHECK(reader->control_size <= HN_WS_CONTROL_BYTES_MAX);
        number ^= digest(reader->control, reader->control_size);
    } else {
        number ^= (uint64_t)reader->code << 8;
    }
    if (out->count < EVENTS_MAX)
        out->numbers[out->count++] = number;
}

static void read_all(outcome *out, hn_ws_deflate *deflate, const uint8_t *data, size_t size, size_t step)
{
    hn_ws_reader reader;
    hn_ws_reader_init(&reader, MESSAGE_MAX);
    reader.deflate = deflate;
    out->count = 0;
    for (size_t at = 0; at < size;) {
        size_t piece = size - at < step ? size - at : step;
        size_t taken;
        hn_ws_event event = hn_ws_read(&reader, &taken, data + at, piece);
        HN_CHECK(taken <= piece);
        at += taken;
        if (event != HN_WS_EVENT_NONE)
            note(out, &reader, event);
        else if (taken < piece)
            break; /* it reads no more */
    }
    hn_ws_reader_destroy(&reader);
}

static void compare(hn_ws_deflate *deflate, const uint8_t *data, size_t size)
{
    static outcome whole;
    static outcome pieces;
    read_all(&whole, deflate, data, size, size != 0 ? size : 1);
    read_all(&pieces, deflate, data, size, 1);
    HN_CHECK(whole.count == pieces.count &&
             memcmp(whole.numbers, pieces.numbers, whole.count * sizeof whole.numbers[0]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static hn_ws_deflate *deflate;
    if (deflate == NULL)
        HN_CHECK(hn_ws_deflate_create(&deflate) == HN_OK);
    compare(NULL, data, size);
    compare(deflate, data, size);
    return 0;
}
