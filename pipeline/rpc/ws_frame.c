#include "pipeline/rpc/ws_frame.h"

#include <stdlib.h>

enum {
    FINAL_BIT = 0x80,
    RESERVED_BITS = 0x70,
    OPCODE_BITS = 0x0f,
    MASK_BIT = 0x80,
    SIZE_BITS = 0x7f,
    SIZE_16 = 126, /* a size of 16 bits follows */
    SIZE_64 = 127,
    CONTROL_BIT = 0x08,            /* of the opcode */
    KEPT_BYTES = 64 * 1024,        /* a message's buffer that is kept for the next one */
    FIRST_BYTES = 1024,            /* of the buffer */
    CODES_OF_APPLICATIONS = 3000,  /* first of them */
    CODES_END = 5000,              /* first that means nothing */
    CODES_OF_PROTOCOL_LAST = 1014, /* IANA's list */
    CODE_RESERVED = 1004,
    CODE_ABNORMAL = 1006,
};

void hn_ws_reader_init(hn_ws_reader *reader, size_t message_bytes_max)
{
    *reader = (hn_ws_reader){.message_bytes_max = message_bytes_max};
}

void hn_ws_reader_destroy(hn_ws_reader *reader)
{
    free(reader->message);
    reader->message = NULL;
}

/* --- UTF-8 --- */

/* Lead bytes by range: how many bytes follow, and what the first of them may be. RFC 3629, section 4. */
static const struct {
    uint8_t first, last;
    uint8_t more;
    uint8_t low, high;
} lead_bytes[] = {
    {0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

/* Size of the character at the beginning; 0 when there is none. */
static size_t character_size(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < sizeof lead_bytes / sizeof lead_bytes[0]; i++) {
        if (text[0] < lead_bytes[i].first || text[0] > lead_bytes[i].last)
            continue;
        size_t more = lead_bytes[i].more;
        if (more >= size)
            return 0;
        if (more != 0 && (text[1] < lead_bytes[i].low || text[1] > lead_bytes[i].high))
            return 0;
        for (size_t j = 2; j <= more; j++)
            if ((text[j] & 0xc0) != 0x80)
                return 0;
        return more + 1;
    }
    return 0;
}

bool hn_ws_is_utf8(const uint8_t *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        if (text[at] < 0x80) {
            at++;
            continue;
        }
        size_t step = character_size(text + at, size - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

/* --- reading --- */

static hn_ws_event fail(hn_ws_reader *reader, hn_ws_code code)
{
    reader->is_over = true;
    reader->code = (uint16_t)code;
    return HN_WS_EVENT_FAIL;
}

static unsigned opcode_of(const hn_ws_reader *reader)
{
    return reader->header[0] & OPCODE_BITS;
}

static bool is_control(const hn_ws_reader *reader)
{
    return (opcode_of(reader) & CONTROL_BIT) != 0;
}

/* How long the header is, as far as its first bytes tell. */
static size_t header_wanted(const hn_ws_reader *reader)
{
    if (reader->header_size < 2)
        return 2;
    unsigned size = reader->header[1] & SIZE_BITS;
    return 2 + (size == SIZE_16 ? 2 : size == SIZE_64 ? 8 : 0) + 4;
}

static uint64_t payload_size(const hn_ws_reader *reader)
{
    const uint8_t *header = reader->header;
    unsigned size = header[1] & SIZE_BITS;
    if (size == SIZE_16)
        return (uint64_t)header[2] << 8 | header[3];
    return size == SIZE_64 ? hn_load_be64(header + 2) : size;
}

/* What can be refused when two bytes have come. */
static bool is_header_good(const hn_ws_reader *reader)
{
    unsigned opcode = opcode_of(reader);
    bool is_final = (reader->header[0] & FINAL_BIT) != 0;
    unsigned reserved = reader->header[0] & RESERVED_BITS;
    bool may_be_compressed = reader->deflate != NULL && !is_control(reader) && opcode != HN_WS_CONTINUATION;
    if (reserved != 0 && (reserved != HN_WS_COMPRESSED_BIT || !may_be_compressed))
        return false; /* extensions, which nobody agreed on */
    if ((reader->header[1] & MASK_BIT) == 0)
        return false;
    if (is_control(reader))
        return opcode <= HN_WS_PONG && is_final && (reader->header[1] & SIZE_BITS) <= HN_WS_CONTROL_BYTES_MAX;
    if (opcode == HN_WS_CONTINUATION)
        return reader->in_message;
    return opcode <= HN_WS_BINARY && !reader->in_message;
}

static void begin_message(hn_ws_reader *reader)
{
    if (reader->message_capacity > KEPT_BYTES) {
        free(reader->message);
        reader->message = NULL;
        reader->message_capacity = 0;
    }
    reader->message_size = 0;
}

/* The header is whole. */
static hn_ws_event begin_payload(hn_ws_reader *reader)
{
    uint64_t size = payload_size(reader);
    if (size >> 63 != 0)
        return fail(reader, HN_WS_PROTOCOL_ERROR);
    if (is_control(reader)) {
        reader->control_size = 0;
    } else {
        if (!reader->in_message) {
            reader->message_size = 0;
            reader->is_text = opcode_of(reader) == HN_WS_TEXT;
            reader->is_compressed = (reader->header[0] & HN_WS_COMPRESSED_BIT) != 0;
            reader->in_message = true;
        }
        if (size > reader->message_bytes_max - reader->message_size)
            return fail(reader, HN_WS_TOO_BIG);
    }
    reader->payload_left = size;
    reader->mask_at = 0;
    reader->in_payload = true;
    return HN_WS_EVENT_NONE;
}

static hn_ws_event read_header(hn_ws_reader *reader, size_t *taken, const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (reader->header_size < header_wanted(reader)) {
        if (at == size) {
            *taken = at;
            return HN_WS_EVENT_NONE;
        }
        reader->header[reader->header_size++] = data[at++];
        if (reader->header_size == 2 && !is_header_good(reader)) {
            *taken = at;
            return fail(reader, HN_WS_PROTOCOL_ERROR);
        }
    }
    *taken = at;
    return begin_payload(reader);
}

/* Room for what has come; HN_ERR_NO_MEMORY. */
static hn_err reserve(hn_ws_reader *reader, size_t more)
{
    size_t wanted = reader->message_size + more;
    if (wanted <= reader->message_capacity)
        return HN_OK;
    size_t capacity = reader->message_capacity != 0 ? reader->message_capacity : FIRST_BYTES;
    while (capacity < wanted)
        capacity *= 2;
    uint8_t *grown = realloc(reader->message, capacity);
    if (grown == NULL)
        return HN_ERR_NO_MEMORY;
    reader->message = grown;
    reader->message_capacity = capacity;
    return HN_OK;
}

static void unmask(hn_ws_reader *reader, uint8_t *out, const uint8_t *data, size_t size)
{
    const uint8_t *mask = reader->header + reader->header_size - 4;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(data[i] ^ mask[(reader->mask_at + i) & 3]);
    reader->mask_at = (uint32_t)((reader->mask_at + size) & 3);
}

static bool is_code_good(unsigned code)
{
    if (code >= CODES_OF_APPLICATIONS)
        return code < CODES_END;
    return code >= HN_WS_NORMAL && code <= CODES_OF_PROTOCOL_LAST && code != CODE_RESERVED &&
           code != HN_WS_NO_CODE && code != CODE_ABNORMAL;
}

static hn_ws_event end_close(hn_ws_reader *reader)
{
    if (reader->control_size == 1)
        return fail(reader, HN_WS_PROTOCOL_ERROR);
    unsigned code = HN_WS_NO_CODE;
    if (reader->control_size != 0) {
        code = (unsigned)reader->control[0] << 8 | reader->control[1];
        if (!is_code_good(code))
            return fail(reader, HN_WS_PROTOCOL_ERROR);
        if (!hn_ws_is_utf8(reader->control + 2, reader->control_size - 2))
            return fail(reader, HN_WS_NOT_TEXT);
    }
    reader->is_over = true;
    reader->code = (uint16_t)code;
    return HN_WS_EVENT_CLOSE;
}

/* Puts the message in the place of what it was compressed to. */
static hn_err unpack(hn_ws_reader *reader)
{
    uint8_t *message;
    size_t size, capacity;
    HN_TRY(hn_ws_inflate(reader->deflate, &message, &size, &capacity,
                         hn_bytes_of(reader->message, reader->message_size), reader->message_bytes_max));
    free(reader->message);
    reader->message = message;
    reader->message_size = size;
    reader->message_capacity = capacity;
    return HN_OK;
}

static hn_ws_event end_message(hn_ws_reader *reader)
{
    reader->in_message = false;
    reader->is_delivered = true;
    hn_err err = reader->is_compressed ? unpack(reader) : HN_OK;
    if (err != HN_OK)
        return fail(reader, err == HN_ERR_LIMIT     ? HN_WS_TOO_BIG
                            : err == HN_ERR_INVALID ? HN_WS_NOT_TEXT
                                                    : HN_WS_INTERNAL_ERROR);
    if (reader->is_text && !hn_ws_is_utf8(reader->message, reader->message_size))
        return fail(reader, HN_WS_NOT_TEXT);
    return HN_WS_EVENT_MESSAGE;
}

/* The frame is whole. */
static hn_ws_event end_frame(hn_ws_reader *reader)
{
    bool is_final = (reader->header[0] & FINAL_BIT) != 0;
    unsigned opcode = opcode_of(reader);
    reader->in_payload = false;
    reader->header_size = 0;
    switch (opcode) {
    case HN_WS_PING:
        return HN_WS_EVENT_PING;
    case HN_WS_PONG:
        return HN_WS_EVENT_PONG;
    case HN_WS_CLOSE:
        return end_close(reader);
    default:
        break;
    }
    return is_final ? end_message(reader) : HN_WS_EVENT_NONE;
}

static hn_ws_event read_payload(hn_ws_reader *reader, size_t *taken, const uint8_t *data, size_t size)
{
    size_t count = reader->payload_left < size ? (size_t)reader->payload_left : size;
    if (count != 0 && is_control(reader)) {
        unmask(reader, reader->control + reader->control_size, data, count);
        reader->control_size += count;
    } else if (count != 0) {
        if (reserve(reader, count) != HN_OK)
            return fail(reader, HN_WS_INTERNAL_ERROR);
        unmask(reader, reader->message + reader->message_size, data, count);
        reader->message_size += count;
    }
    reader->payload_left -= count;
    *taken = count;
    return reader->payload_left == 0 ? end_frame(reader) : HN_WS_EVENT_NONE;
}

hn_ws_event hn_ws_read(hn_ws_reader *reader, size_t *taken, const uint8_t *data, size_t size)
{
    *taken = 0;
    if (reader->is_delivered) {
        begin_message(reader);
        reader->is_delivered = false;
    }
    hn_ws_event event = HN_WS_EVENT_NONE;
    while (event == HN_WS_EVENT_NONE && !reader->is_over && *taken < size) {
        size_t used = 0;
        const uint8_t *rest = data + *taken;
        if (!reader->in_payload)
            event = read_header(reader, &used, rest, size - *taken);
        else
            event = read_payload(reader, &used, rest, size - *taken);
        *taken += used;
        /* A frame without payload ends with its header. */
        if (event == HN_WS_EVENT_NONE && reader->in_payload && reader->payload_left == 0)
            event = end_frame(reader);
    }
    return event;
}

/* --- writing --- */

size_t hn_ws_write_header(uint8_t out[HN_WS_HEADER_BYTES_MAX], hn_ws_opcode opcode, uint64_t payload_bytes)
{
    out[0] = (uint8_t)(FINAL_BIT | opcode);
    if (payload_bytes < SIZE_16) {
        out[1] = (uint8_t)payload_bytes;
        return 2;
    }
    if (payload_bytes <= UINT16_MAX) {
        out[1] = SIZE_16;
        out[2] = (uint8_t)(payload_bytes >> 8);
        out[3] = (uint8_t)payload_bytes;
        return 4;
    }
    out[1] = SIZE_64;
    hn_store_be64(out + 2, payload_bytes);
    return 10;
}

size_t hn_ws_write_close(uint8_t out[HN_WS_CONTROL_BYTES_MAX], uint16_t code, const char *reason)
{
    if (code == HN_WS_NO_CODE)
        return 0;
    size_t size = strlen(reason);
    if (size > HN_WS_CONTROL_BYTES_MAX - 2)
        size = HN_WS_CONTROL_BYTES_MAX - 2;
    out[0] = (uint8_t)(code >> 8);
    out[1] = (uint8_t)code;
    memcpy(out + 2, reason, size);
    return size + 2;
}
