/* Compressed payloads here are RFC 7692's examples and zlib's; how the frames around them are read, too. */
#include "pipeline/rpc/ws_deflate.h"
#include "pipeline/rpc/ws_frame.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <zlib.h>

static hn_ws_deflate *deflater;

static void expect_agreement(const char *offers, const char *answer, unsigned bits)
{
    char text[HN_WS_DEFLATE_TEXT_MAX] = "";
    uint8_t window_bits = 0;
    bool agreed = hn_ws_deflate_agree(text, &window_bits, offers, strlen(offers));
    cr_assert_eq(agreed, answer != NULL, "%s", offers);
    if (answer != NULL) {
        cr_assert_str_eq(text, answer, "%s", offers);
        cr_assert_eq(window_bits, bits);
    }
}

#define AGREED "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

Test(ws_deflate, agrees_on_parameters)
{
    expect_agreement("permessage-deflate", AGREED, 15);
    expect_agreement("permessage-deflate; client_max_window_bits", AGREED, 15);
    expect_agreement("Permessage-Deflate ;\tclient_max_window_bits=8", AGREED, 15);
    expect_agreement("permessage-deflate;server_no_context_takeover;client_no_context_takeover", AGREED, 15);
    expect_agreement("permessage-deflate; server_max_window_bits=10", AGREED "; server_max_window_bits=10",
                     10);
    expect_agreement("permessage-deflate; server_max_window_bits=\"9\"", AGREED "; server_max_window_bits=9",
                     9);
    expect_agreement("permessage-deflate; server_max_window_bits=8, permessage-deflate", AGREED, 15);
    expect_agreement("permessage-bzip2, x-webkit-deflate-frame, permessage-deflate", AGREED, 15);
    static const char *const declined[] = {
        "",
        ",",
        "permessage-deflate2",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=010",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; colour=red",
        "permessage-deflate; ; ",
    };
    for (size_t i = 0; i < sizeof declined / sizeof declined[0]; i++)
        expect_agreement(declined[i], NULL, 0);
}

static hn_err inflate_bytes(const void *payload, size_t size, size_t most, const char *wanted)
{
    uint8_t *out = NULL;
    size_t out_size = 0, capacity = 0;
    hn_err err = hn_ws_inflate(deflater, &out, &out_size, &capacity,
                               hn_bytes_of((const uint8_t *)payload, size), most);
    if (err == HN_OK && wanted != NULL) {
        cr_assert_eq(out_size, strlen(wanted));
        cr_assert_arr_eq(out, wanted, out_size);
    }
    if (err == HN_OK)
        free(out);
    return err;
}

#define INFLATE(payload, most, wanted) inflate_bytes(payload, sizeof payload - 1, most, wanted)

/* RFC 7692, 7.2.3. */
Test(ws_deflate, inflates_the_examples_of_the_rfc)
{
    cr_assert_eq(hn_ws_deflate_create(&deflater), HN_OK);
    cr_assert_eq(INFLATE("\xf2\x48\xcd\xc9\xc9\x07\x00", 5, "Hello"), HN_OK);
    cr_assert_eq(INFLATE("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 5, "Hello"), HN_OK);
    cr_assert_eq(INFLATE("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 5, "Hello"), HN_OK);
    cr_assert_eq(INFLATE("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 5, "Hello"), HN_OK);
    cr_assert_eq(INFLATE("\x00", 0, ""), HN_OK);
    cr_assert_eq(INFLATE("\xf2\x48\xcd\xc9\xc9\x07\x00", 4, NULL), HN_ERR_LIMIT);
    hn_ws_deflate_destroy(deflater);
}

Test(ws_deflate, refuses_what_is_no_stream)
{
    cr_assert_eq(hn_ws_deflate_create(&deflater), HN_OK);
    cr_assert_eq(INFLATE("\xff\xff\xff", 1000, NULL), HN_ERR_INVALID);     /* a block of no kind */
    cr_assert_eq(INFLATE("\xf2\x48\xcd\xc9", 1000, NULL), HN_ERR_INVALID); /* cut off */
    cr_assert_eq(INFLATE("\x00\x06\x00\xf9\xff\x48", 1000, NULL), HN_ERR_INVALID);
    cr_assert_eq(INFLATE("\x00\x05\x00\xfa\xfe", 1000, NULL), HN_ERR_INVALID);
    cr_assert_eq(INFLATE("\x4a\x04\x12\x00", 1000, NULL),
                 HN_ERR_INVALID); /* refers to before its beginning */
    /* The next message is not the worse for it, and does not see the one before. */
    cr_assert_eq(INFLATE("\xf2\x48\xcd\xc9\xc9\x07\x00", 5, "Hello"), HN_OK);
    cr_assert_eq(INFLATE("\xf2\x00\x11\x00\x00", 1000, NULL), HN_ERR_INVALID); /* with context takeover */
    hn_ws_deflate_destroy(deflater);
}

/* 64 MiB of spaces in 64 kB. */
Test(ws_deflate, stops_bombs_at_the_bound)
{
    enum { BOMB = 64 << 20, MOST = 1 << 20 };
    cr_assert_eq(hn_ws_deflate_create(&deflater), HN_OK);
    uint8_t *plain = malloc(BOMB);
    memset(plain, ' ', BOMB);
    uint8_t *packed = malloc(1 << 20);
    size_t size = 0;
    hn_bytes part = hn_bytes_of(plain, BOMB);
    cr_assert_eq(hn_ws_compress(deflater, packed, &size, 1 << 20, 15, &part, 1), HN_OK);
    cr_assert_lt(size, BOMB / 100);
    cr_assert_eq(inflate_bytes(packed, size, MOST, NULL), HN_ERR_LIMIT);
    cr_assert_eq(inflate_bytes(packed, size, BOMB - 1, NULL), HN_ERR_LIMIT);
    cr_assert_eq(inflate_bytes(packed, size, BOMB, NULL), HN_OK);
    free(packed);
    free(plain);
    hn_ws_deflate_destroy(deflater);
}

/* What we compress is inflated by zlib with no larger a window than was asked for. */
Test(ws_deflate, compresses_within_the_window_and_by_itself)
{
    enum { SIZE = 100000 };
    cr_assert_eq(hn_ws_deflate_create(&deflater), HN_OK);
    static uint8_t plain[SIZE], packed[SIZE + 4], again[SIZE];
    for (size_t i = 0; i < SIZE; i++) /* repeats at a distance of 20,000, beyond small windows */
        plain[i] = (uint8_t)((i % 20000) * 2654435761u >> 13);
    for (uint8_t bits = 9; bits <= 15; bits++) {
        for (int round = 0; round < 2; round++) {
            hn_bytes parts[] = {hn_bytes_of(plain, 1), hn_bytes_of(plain + 1, 70000), hn_bytes_of(NULL, 0),
                                hn_bytes_of(plain + 70001, SIZE - 70001)};
            size_t size = 0;
            hn_err err = hn_ws_compress(deflater, packed, &size, SIZE, bits, parts, 4);
            if (err == HN_ERR_LIMIT) {
                cr_assert_lt(bits, 15); /* noise, as far as a small window sees */
                continue;
            }
            cr_assert_eq(err, HN_OK);
            memcpy(packed + size, "\0\0\xff\xff", 4);
            z_stream stream = {
                .next_in = packed, .avail_in = (uInt)size + 4, .next_out = again, .avail_out = SIZE};
            cr_assert_eq(inflateInit2(&stream, -bits), Z_OK);
            cr_assert_eq(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
            cr_assert_eq(stream.avail_out, 0);
            cr_assert_arr_eq(again, plain, SIZE);
            inflateEnd(&stream);
        }
    }
    uint8_t little[4];
    size_t size = 0;
    hn_bytes part = hn_bytes_of(plain, 100);
    cr_assert_eq(hn_ws_compress(deflater, little, &size, sizeof little, 15, &part, 1), HN_ERR_LIMIT);
    hn_ws_deflate_destroy(deflater);
}

/* A masked frame with a mask of zero. */
static hn_ws_event read_frame(hn_ws_reader *reader, uint8_t first, const char *payload, size_t size)
{
    uint8_t bytes[200] = {first, (uint8_t)(0x80 | size)};
    memcpy(bytes + 6, payload, size);
    size_t taken;
    return hn_ws_read(reader, &taken, bytes, size + 6);
}

Test(ws_deflate, frames_are_inflated_where_they_may_be_compressed)
{
    static const char hello[] = "\xf2\x48\xcd\xc9\xc9\x07\x00";
    static const struct {
        uint8_t first;
        const char *payload;
        size_t size;
        hn_ws_event event;
        unsigned code;
        const char *message;
    } cases[] = {
        {0xc1, hello, 7, HN_WS_EVENT_MESSAGE, 0, "Hello"},
        {0x81, "plain", 5, HN_WS_EVENT_MESSAGE, 0, "plain"}, /* who may compress need not */
        {0xc2, hello, 7, HN_WS_EVENT_MESSAGE, 0, "Hello"},
        {0xc1, "\xff\xff", 2, HN_WS_EVENT_FAIL, HN_WS_NOT_TEXT, NULL},
        {0xc1, "\x00\x02\x00\xfd\xff\xff\xfe\x00", 8, HN_WS_EVENT_FAIL, HN_WS_NOT_TEXT, NULL}, /* no UTF-8 */
        {0xc9, "", 0, HN_WS_EVENT_FAIL, HN_WS_PROTOCOL_ERROR, NULL},                           /* a ping */
        {0xe1, hello, 7, HN_WS_EVENT_FAIL, HN_WS_PROTOCOL_ERROR, NULL}, /* another bit */
        {0xa1, hello, 7, HN_WS_EVENT_FAIL, HN_WS_PROTOCOL_ERROR, NULL},
    };
    cr_assert_eq(hn_ws_deflate_create(&deflater), HN_OK);
    hn_ws_reader reader;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hn_ws_reader_init(&reader, 100);
        reader.deflate = deflater;
        cr_assert_eq(read_frame(&reader, cases[i].first, cases[i].payload, cases[i].size), cases[i].event,
                     "%zu", i);
        cr_assert_eq(reader.code, cases[i].code, "%zu", i);
        if (cases[i].message != NULL) {
            cr_assert_eq(reader.message_size, strlen(cases[i].message));
            cr_assert_arr_eq(reader.message, cases[i].message, reader.message_size);
        }
        hn_ws_reader_destroy(&reader);
    }
    /* In pieces; the later ones must not carry the bit. */
    hn_ws_reader_init(&reader, 5);
    reader.deflate = deflater;
    cr_assert_eq(read_frame(&reader, 0x41, hello, 3), HN_WS_EVENT_NONE);
    cr_assert_eq(read_frame(&reader, 0x80, hello + 3, 2), HN_WS_EVENT_FAIL); /* cut off */
    hn_ws_reader_destroy(&reader);
    hn_ws_reader_init(&reader, 7);
    reader.deflate = deflater;
    cr_assert_eq(read_frame(&reader, 0x41, hello, 3), HN_WS_EVENT_NONE);
    cr_assert_eq(read_frame(&reader, 0x80, hello + 3, 4), HN_WS_EVENT_MESSAGE);
    cr_assert_arr_eq(reader.message, "Hello", 5);
    cr_assert_eq(read_frame(&reader, 0x41, hello, 3), HN_WS_EVENT_NONE);
    cr_assert_eq(read_frame(&reader, 0xc0, hello + 3, 4), HN_WS_EVENT_FAIL);
    hn_ws_reader_destroy(&reader);
    hn_ws_deflate_destroy(deflater);
}
