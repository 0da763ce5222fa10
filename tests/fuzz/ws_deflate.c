/* Compressed WebSocket messages: whatever comes is refused or inflated within the bound, and what was
 * inflated comes back the same after it was compressed. The same bytes are read as an offer of a handshake.
 */
#include "pipeline/rpc/ws_deflate.h"
#include "engine/base/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 16384 };

static void inflate_and_back(hn_ws_deflate *deflate, hn_bytes payload)
{
    static uint8_t packed[2 * MESSAGE_MAX];
    uint8_t *message, *again;
    size_t message_size, again_size, packed_size, capacity;
    if (hn_ws_inflate(deflate, &message, &message_size, &capacity, payload, MESSAGE_MAX) != HN_OK)
        return;
    HN_CHECK(message_size <= MESSAGE_MAX && capacity <= MESSAGE_MAX + 1);
    hn_bytes parts[] = {hn_bytes_of(message, message_size / 2),
                        hn_bytes_of(message + message_size / 2, message_size - message_size / 2)};
    HN_CHECK(hn_ws_compress(deflate, packed, &packed_size, sizeof packed, (uint8_t)(9 + message_size % 7),
                            parts, 2) == HN_OK);
    HN_CHECK(hn_ws_inflate(deflate, &again, &again_size, &capacity, hn_bytes_of(packed, packed_size),
                           MESSAGE_MAX) == HN_OK);
    HN_CHECK(again_size == message_size && memcmp(again, message, message_size) == 0);
    free(again);
    free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static hn_ws_deflate *deflate;
    if (deflate == NULL)
        HN_CHECK(hn_ws_deflate_create(&deflate) == HN_OK);
    inflate_and_back(deflate, hn_bytes_of(data, size));
    char answer[HN_WS_DEFLATE_TEXT_MAX];
    uint8_t window_bits = 0;
    if (hn_ws_deflate_agree(answer, &window_bits, (const char *)data, size))
        HN_CHECK(window_bits >= 9 && window_bits <= 15 && strlen(answer) < sizeof answer);
    return 0;
}
