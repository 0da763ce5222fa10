/* WebSocket frames (RFC 6455) on the server's side: bytes in, whole messages out; and headers to send.
 *
 * Knows no sockets. Fragments are put together, masks taken off, text is checked to be UTF-8, and everything
 * that the RFC tells a server to refuse ends the reading with the code to close with. Compression is the only
 * extension.
 */
#ifndef HN_PIPELINE_RPC_WS_FRAME_H
#define HN_PIPELINE_RPC_WS_FRAME_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "pipeline/rpc/ws_deflate.h"

enum {
    HN_WS_CONTROL_BYTES_MAX = 125, /* payload of a ping, pong or close */
    HN_WS_HEADER_BYTES_MAX = 10,   /* of a frame from a server: no mask */
    HN_WS_COMPRESSED_BIT = 0x40,   /* of the first byte of a message's first frame (RFC 7692, 7.2.3.1) */
};

typedef enum hn_ws_opcode {
    HN_WS_CONTINUATION = 0,
    HN_WS_TEXT = 1,
    HN_WS_BINARY = 2,
    HN_WS_CLOSE = 8,
    HN_WS_PING = 9,
    HN_WS_PONG = 10,
} hn_ws_opcode;

/* Why a connection is closed. RFC 6455, 7.4.1, and IANA's list. */
typedef enum hn_ws_code {
    HN_WS_NORMAL = 1000,
    HN_WS_GOING_AWAY = 1001,
    HN_WS_PROTOCOL_ERROR = 1002,
    HN_WS_NO_CODE = 1005, /* never sent: a close frame without a code */
    HN_WS_NOT_TEXT = 1007,
    HN_WS_POLICY = 1008,
    HN_WS_TOO_BIG = 1009,
    HN_WS_INTERNAL_ERROR = 1011,
    HN_WS_TRY_AGAIN_LATER = 1013,
} hn_ws_code;

typedef enum hn_ws_event {
    HN_WS_EVENT_NONE,    /* more bytes are needed */
    HN_WS_EVENT_MESSAGE, /* `message` is whole; text and binary are taken alike, as JSON */
    HN_WS_EVENT_PING,    /* to be answered by a pong with `control` */
    HN_WS_EVENT_PONG,
    HN_WS_EVENT_CLOSE, /* `code` is the peer's; nothing is read after it */
    HN_WS_EVENT_FAIL,  /* close with `code`; nothing is read after it */
} hn_ws_event;

typedef struct hn_ws_reader {
    size_t message_bytes_max; /* compressed and not */
    hn_ws_deflate *deflate;   /* NULL: compression was not agreed on */

    /* the message; grows with what has come, not with what was announced */
    uint8_t *message;
    size_t message_size;
    size_t message_capacity;
    bool in_message; /* its first frame was seen, its last one not */
    bool is_text;
    bool is_compressed;

    uint8_t control[HN_WS_CONTROL_BYTES_MAX];
    size_t control_size;
    uint16_t code;

    /* the frame being read */
    uint8_t header[14];
    size_t header_size; /* bytes of it that have come */
    bool in_payload;
    bool is_over;      /* CLOSE or FAIL was given */
    bool is_delivered; /* the message was handed out: the next one begins anew */
    uint64_t payload_left;
    uint32_t mask_at;
} hn_ws_reader;

void hn_ws_reader_init(hn_ws_reader *reader, size_t message_bytes_max);
void hn_ws_reader_destroy(hn_ws_reader *reader);

/* Reads up to the next event; *taken is how many of the bytes were used. Message and control stay until the
 * next call. Memory that a large message needed is given back when the next one begins. */
hn_ws_event hn_ws_read(hn_ws_reader *reader, size_t *taken, const uint8_t *data, size_t size);

/* The header of a last (and only) frame; returns its size. */
size_t hn_ws_write_header(uint8_t out[HN_WS_HEADER_BYTES_MAX], hn_ws_opcode opcode, uint64_t payload_size);

/* The payload of a close frame: code and reason, cut to fit; returns its size. */
size_t hn_ws_write_close(uint8_t out[HN_WS_CONTROL_BYTES_MAX], uint16_t code, const char *reason);

/* Well-formed UTF-8 (RFC 3629): no surrogates, nothing longer than needed, nothing above U+10FFFF. */
bool hn_ws_is_utf8(const uint8_t *text, size_t size);

#endif
