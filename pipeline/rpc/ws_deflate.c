#include "pipeline/rpc/ws_deflate.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

enum {
    WINDOW_BITS_MIN = 8, /* that may be asked for; zlib has no compressor for it */
    WINDOW_BITS_COMPRESSOR_MIN = 9,
    WINDOW_BITS_MAX = 15,
    TAIL_BYTES = 4,
    FIRST_BYTES = 1024,
    AT_BLOCK_BOUNDARY = 128, /* in z_stream.data_type */
    BITS_LEFT = 7,
};

/* What the sender leaves out of each payload (RFC 7692, 7.2.1): the end of an empty stored block. */
static const uint8_t tail[TAIL_BYTES] = {0x00, 0x00, 0xff, 0xff};

struct hn_ws_deflate {
    z_stream inflater;
    z_stream compressors[WINDOW_BITS_MAX + 1]; /* by window bits, made when they are needed */
    bool has_compressor[WINDOW_BITS_MAX + 1];
};

/* --- the handshake --- */

typedef struct word {
    const char *text;
    size_t size;
} word;

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The text up to a separator, without spaces around it; *rest is what follows the separator. A header has few
 * bytes: strings in quotes, which may not have separators here, need no care. */
static word take_until(word *rest, char separator)
{
    const char *end = memchr(rest->text, separator, rest->size);
    word found = {rest->text, end != NULL ? (size_t)(end - rest->text) : rest->size};
    size_t taken = end != NULL ? found.size + 1 : found.size;
    rest->text += taken;
    rest->size -= taken;
    for (; found.size != 0 && is_space(*found.text); found.text++)
        found.size--;
    while (found.size != 0 && is_space(found.text[found.size - 1]))
        found.size--;
    return found;
}

static bool is_word(word it, const char *text)
{
    return it.size == strlen(text) && strncasecmp(it.text, text, it.size) == 0;
}

/* 8 to 15, perhaps in quotes; 0: it is none. */
static unsigned window_bits_of(word value)
{
    if (value.size >= 2 && value.text[0] == '"' && value.text[value.size - 1] == '"') {
        value.text++;
        value.size -= 2;
    }
    if (value.size == 1 && value.text[0] >= '8' && value.text[0] <= '9')
        return (unsigned)(value.text[0] - '0');
    if (value.size == 2 && value.text[0] == '1' && value.text[1] >= '0' && value.text[1] <= '5')
        return 10u + (unsigned)(value.text[1] - '0');
    return 0;
}

enum { SERVER_TAKEOVER, CLIENT_TAKEOVER, SERVER_BITS, CLIENT_BITS, PARAMETERS };

static const char *const parameter_names[PARAMETERS] = {
    [SERVER_TAKEOVER] = "server_no_context_takeover",
    [CLIENT_TAKEOVER] = "client_no_context_takeover",
    [SERVER_BITS] = "server_max_window_bits",
    [CLIENT_BITS] = "client_max_window_bits",
};

/* One offer: true when it can be taken. RFC 7692, 7.1: parameters come once, with the values that they may
 * have; an offer with anything else is declined. */
static bool read_offer(unsigned *server_bits, word offer)
{
    bool is_seen[PARAMETERS] = {false};
    *server_bits = 0;
    if (!is_word(take_until(&offer, ';'), "permessage-deflate"))
        return false;
    while (offer.size != 0) {
        word value = take_until(&offer, ';');
        bool has_value = memchr(value.text, '=', value.size) != NULL;
        word name = take_until(&value, '=');
        unsigned which = 0;
        while (which < PARAMETERS && !is_word(name, parameter_names[which]))
            which++;
        if (which == PARAMETERS || is_seen[which])
            return false;
        is_seen[which] = true;
        unsigned bits = has_value ? window_bits_of(take_until(&value, ';')) : 0;
        bool may_have_value = which == SERVER_BITS || which == CLIENT_BITS;
        if (has_value ? !may_have_value || bits == 0 : which == SERVER_BITS)
            return false;
        if (which == SERVER_BITS)
            *server_bits = bits;
    }
    return *server_bits != WINDOW_BITS_MIN;
}

bool hn_ws_deflate_agree(char answer[HN_WS_DEFLATE_TEXT_MAX], uint8_t *window_bits, const char *offers,
                         size_t size)
{
    word rest = {offers, size};
    while (rest.size != 0) {
        unsigned bits;
        if (!read_offer(&bits, take_until(&rest, ',')))
            continue;
        int at = snprintf(answer, HN_WS_DEFLATE_TEXT_MAX,
                          "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        if (bits != 0)
            snprintf(answer + at, HN_WS_DEFLATE_TEXT_MAX - (size_t)at, "; server_max_window_bits=%u", bits);
        *window_bits = (uint8_t)(bits != 0 ? bits : WINDOW_BITS_MAX);
        return true;
    }
    return false;
}

/* --- life --- */

hn_err hn_ws_deflate_create(hn_ws_deflate **out)
{
    hn_ws_deflate *self = calloc(1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    if (inflateInit2(&self->inflater, -WINDOW_BITS_MAX) != Z_OK) {
        free(self);
        return HN_ERR_NO_MEMORY;
    }
    *out = self;
    return HN_OK;
}

void hn_ws_deflate_destroy(hn_ws_deflate *self)
{
    if (self == NULL)
        return;
    inflateEnd(&self->inflater);
    for (unsigned bits = 0; bits <= WINDOW_BITS_MAX; bits++)
        if (self->has_compressor[bits])
            deflateEnd(&self->compressors[bits]);
    free(self);
}

/* --- inflating --- */

typedef struct growing {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    size_t most; /* one more may come, which tells that it is too large */
} growing;

static hn_err grow(growing *self)
{
    if (self->size > self->most)
        return HN_ERR_LIMIT;
    if (self->size < self->capacity)
        return HN_OK;
    size_t capacity = self->capacity == 0 ? FIRST_BYTES : 2 * self->capacity;
    capacity = capacity > self->most + 1 ? self->most + 1 : capacity;
    uint8_t *bytes = realloc(self->bytes, capacity);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    self->bytes = bytes;
    self->capacity = capacity;
    return HN_OK;
}

/* Takes all of the input. A final block ends a stream, behind which another one may follow (7.2.3.4). */
static hn_err inflate_part(z_stream *stream, growing *out, const uint8_t *data, size_t size)
{
    stream->next_in = (z_const Bytef *)(uintptr_t)data;
    stream->avail_in = (uInt)size;
    for (;;) {
        HN_TRY(grow(out));
        stream->next_out = out->bytes + out->size;
        stream->avail_out = (uInt)(out->capacity - out->size);
        int result = inflate(stream, Z_SYNC_FLUSH);
        out->size = out->capacity - stream->avail_out;
        if (result == Z_MEM_ERROR)
            return HN_ERR_NO_MEMORY;
        if (result == Z_STREAM_END)
            result = inflateReset(stream);
        if (result != Z_OK && result != Z_BUF_ERROR)
            return HN_ERR_INVALID;
        if (stream->avail_in == 0 && stream->avail_out != 0)
            return HN_OK;
    }
}

static hn_err inflate_message(z_stream *stream, growing *out, hn_bytes payload)
{
    if (inflateReset(stream) != Z_OK)
        return HN_ERR_INVALID;
    HN_TRY(inflate_part(stream, out, payload.data, payload.size));
    HN_TRY(inflate_part(stream, out, tail, sizeof tail));
    /* Whatever was cut off ends in the middle of a block. */
    bool is_whole = (stream->data_type & AT_BLOCK_BOUNDARY) != 0 && (stream->data_type & BITS_LEFT) == 0;
    return !is_whole ? HN_ERR_INVALID : out->size > out->most ? HN_ERR_LIMIT : HN_OK;
}

hn_err hn_ws_inflate(hn_ws_deflate *self, uint8_t **out, size_t *out_size, size_t *out_capacity,
                     hn_bytes payload, size_t most)
{
    growing found = {.most = most};
    if (payload.size > UINT32_MAX || most >= UINT32_MAX)
        return HN_ERR_LIMIT;
    hn_err err = inflate_message(&self->inflater, &found, payload);
    if (err != HN_OK) {
        free(found.bytes);
        return err;
    }
    *out = found.bytes;
    *out_size = found.size;
    *out_capacity = found.capacity;
    return HN_OK;
}

/* --- compressing --- */

static z_stream *compressor_of(hn_ws_deflate *self, uint8_t window_bits)
{
    enum { MEMORY_LEVEL = 8 };
    z_stream *stream = &self->compressors[window_bits];
    if (self->has_compressor[window_bits])
        return deflateReset(stream) == Z_OK ? stream : NULL;
    if (deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, -window_bits, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return NULL;
    self->has_compressor[window_bits] = true;
    return stream;
}

hn_err hn_ws_compress(hn_ws_deflate *self, uint8_t *out, size_t *out_size, size_t capacity,
                      uint8_t window_bits, const hn_bytes *parts, size_t count)
{
    if (capacity > UINT32_MAX || window_bits < WINDOW_BITS_COMPRESSOR_MIN || window_bits > WINDOW_BITS_MAX)
        return HN_ERR_LIMIT;
    z_stream *stream = compressor_of(self, window_bits);
    if (stream == NULL)
        return HN_ERR_NO_MEMORY;
    stream->next_out = out;
    stream->avail_out = (uInt)capacity;
    for (size_t i = 0; i <= count; i++) {
        bool is_end = i == count;
        if (!is_end && parts[i].size > UINT32_MAX)
            return HN_ERR_LIMIT;
        stream->next_in = is_end ? NULL : (z_const Bytef *)(uintptr_t)parts[i].data;
        stream->avail_in = is_end ? 0 : (uInt)parts[i].size;
        int result = deflate(stream, is_end ? Z_SYNC_FLUSH : Z_NO_FLUSH);
        if ((result != Z_OK && result != Z_BUF_ERROR) || stream->avail_in != 0 || stream->avail_out == 0)
            return HN_ERR_LIMIT;
    }
    size_t size = capacity - stream->avail_out;
    if (size < TAIL_BYTES || memcmp(out + size - TAIL_BYTES, tail, TAIL_BYTES) != 0)
        return HN_ERR_LIMIT;
    *out_size = size - TAIL_BYTES;
    return HN_OK;
}
