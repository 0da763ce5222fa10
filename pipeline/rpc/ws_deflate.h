/* Compression of WebSocket messages: the extension permessage-deflate (RFC 7692), on zlib.
 *
 * It is agreed on without context takeover in both directions, always: each message is compressed by itself,
 * so one state serves all connections of a thread and a connection costs no memory between its messages.
 */
#ifndef HN_PIPELINE_RPC_WS_DEFLATE_H
#define HN_PIPELINE_RPC_WS_DEFLATE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

enum { HN_WS_DEFLATE_TEXT_MAX = 128 };

typedef struct hn_ws_deflate hn_ws_deflate;

/* Looks for the first offer in the value of a Sec-WebSocket-Extensions header that can be taken. Writes the
 * answer's header value and the bits of the window to compress with (9 to 15). False: there is none, the
 * header is to be left out. */
bool hn_ws_deflate_agree(char answer[HN_WS_DEFLATE_TEXT_MAX], uint8_t *window_bits, const char *offers,
                         size_t size);

/* HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_ws_deflate_create(hn_ws_deflate **out);
void hn_ws_deflate_destroy(hn_ws_deflate *self);

/* The message that a compressed payload stands for, of at most `most` bytes; *out is the caller's to free,
 * and never much larger than what was found in it. HN_ERR_INVALID: it is no such payload. HN_ERR_LIMIT,
 * HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_ws_inflate(hn_ws_deflate *self, uint8_t **out, size_t *out_size, size_t *out_capacity,
                                 hn_bytes payload, size_t most);

/* Compresses the parts, one behind the other, into `capacity` bytes. HN_ERR_LIMIT: it does not fit.
 * HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_ws_compress(hn_ws_deflate *self, uint8_t *out, size_t *out_size, size_t capacity,
                                  uint8_t window_bits, const hn_bytes *parts, size_t count);

#endif
