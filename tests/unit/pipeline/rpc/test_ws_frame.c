#include "pipeline/rpc/ws_frame.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

/* A client's frame, masked. */
static size_t make_frame(uint8_t *out, unsigned first, const void *payload, size_t size)
{
    size_t at = 0;
    out[at++] = (uint8_t)first;
    if (size < 126) {
        out[at++] = (uint8_t)(0x80 | size);
    } else if (size < 65536) {
        out[at++] = 0x80 | 126;
        out[at++] = (uint8_t)(size >> 8);
        out[at++] = (uint8_t)size;
    } else {
        out[at++] = 0x80 | 127;
        for (int i = 7; i >= 0; i--)
            out[at++] = (uint8_t)((uint64_t)size >> (8 * i));
    }
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < size; i++)
        out[at++] = (uint8_t)(((const uint8_t *)payload)[i] ^ mask[i % 4]);
    return at;
}

/* Reads everything in pieces of `step`, up to the first event. */
static hn_ws_event read_in_steps(hn_ws_reader *reader, const uint8_t *data, size_t size, size_t step)
{
    for (size_t at = 0; at < size;) {
        size_t taken;
        size_t piece = size - at < step ? size - at : step;
        hn_ws_event event = hn_ws_read(reader, &taken, data + at, piece);
        cr_assert_leq(taken, piece);
        at += taken;
        if (event != HN_WS_EVENT_NONE)
            return event;
        cr_assert_eq(taken, piece);
    }
    return HN_WS_EVENT_NONE;
}

static hn_ws_event read_one(uint16_t *code, const void *bytes, size_t size)
{
    hn_ws_reader reader;
    hn_ws_reader_init(&reader, 1000);
    hn_ws_event event = read_in_steps(&reader, bytes, size, size);
    *code = reader.code;
    hn_ws_reader_destroy(&reader);
    return event;
}

/* RFC 6455, 5.7: a single-frame masked text message. */
Test(ws_frame, reads_the_example_of_the_rfc)
{
    static const uint8_t hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    hn_ws_reader reader;
    for (size_t step = 1; step <= sizeof hello; step++) {
        hn_ws_reader_init(&reader, 100);
        cr_assert_eq(read_in_steps(&reader, hello, sizeof hello, step), HN_WS_EVENT_MESSAGE);
        cr_assert_eq(reader.message_size, 5);
        cr_assert_arr_eq(reader.message, "Hello", 5);
        hn_ws_reader_destroy(&reader);
    }
}

Test(ws_frame, reads_every_size)
{
    static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 300000};
    uint8_t *payload = malloc(300000);
    uint8_t *frame = malloc(300020);
    for (size_t i = 0; i < 300000; i++)
        payload[i] = (uint8_t)('a' + i % 23);
    hn_ws_reader reader;
    hn_ws_reader_init(&reader, 300000);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = make_frame(frame, 0x81, payload, sizes[i]);
        for (size_t step = 1000; step <= 300020; step += 299019) {
            cr_assert_eq(read_in_steps(&reader, frame, size, step), HN_WS_EVENT_MESSAGE);
            cr_assert_eq(reader.message_size, sizes[i]);
            cr_assert(sizes[i] == 0 || memcmp(reader.message, payload, sizes[i]) == 0);
        }
    }
    hn_ws_reader_destroy(&reader);
    free(payload);
    free(frame);
}

Test(ws_frame, puts_fragments_together_with_control_frames_between)
{
    uint8_t frames[256];
    size_t at = make_frame(frames, 0x01, "one ", 4);
    at += make_frame(frames + at, 0x89, "ping", 4);
    at += make_frame(frames + at, 0x00, "", 0);
    at += make_frame(frames + at, 0x80, "two", 3);
    at += make_frame(frames + at, 0x82, "\xff", 1);
    at += make_frame(frames + at, 0x8a, NULL, 0);
    hn_ws_reader reader;
    hn_ws_reader_init(&reader, 7);
    size_t from = 0;
    static const hn_ws_event wanted[] = {HN_WS_EVENT_PING, HN_WS_EVENT_MESSAGE, HN_WS_EVENT_MESSAGE,
                                         HN_WS_EVENT_PONG, HN_WS_EVENT_NONE};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        size_t taken;
        cr_assert_eq(hn_ws_read(&reader, &taken, frames + from, at - from), wanted[i], "%zu", i);
        from += taken;
        if (i == 0)
            cr_assert(reader.control_size == 4 && memcmp(reader.control, "ping", 4) == 0);
        if (i == 1)
            cr_assert(reader.message_size == 7 && memcmp(reader.message, "one two", 7) == 0);
        if (i == 2)
            cr_assert(reader.message_size == 1 && reader.message[0] == 0xff);
    }
    cr_assert_eq(from, at);
    hn_ws_reader_destroy(&reader);
}

Test(ws_frame, refuses_what_the_rfc_forbids)
{
    static const struct {
        unsigned first;
        const char *payload;
        size_t size;
        uint16_t code;
    } cases[] = {
        {0xc1, "a", 1, HN_WS_PROTOCOL_ERROR},                                              /* reserved bits */
        {0x91, "a", 1, HN_WS_PROTOCOL_ERROR},        {0x83, "a", 1, HN_WS_PROTOCOL_ERROR}, /* opcodes */
        {0x87, "a", 1, HN_WS_PROTOCOL_ERROR},        {0x8b, "a", 1, HN_WS_PROTOCOL_ERROR},
        {0x80, "a", 1, HN_WS_PROTOCOL_ERROR},        /* nothing to continue */
        {0x09, "a", 1, HN_WS_PROTOCOL_ERROR},        /* a ping in fragments */
        {0x88, "a", 1, HN_WS_PROTOCOL_ERROR},        /* half a code */
        {0x88, "\x03\xed", 2, HN_WS_PROTOCOL_ERROR}, /* 1005 */
        {0x88, "\x00\x00", 2, HN_WS_PROTOCOL_ERROR}, {0x88, "\x03\xe8\xff", 3, HN_WS_NOT_TEXT},
        {0x81, "\xff", 1, HN_WS_NOT_TEXT},
    };
    uint8_t frame[64];
    uint16_t code = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = make_frame(frame, cases[i].first, cases[i].payload, cases[i].size);
        cr_assert_eq(read_one(&code, frame, size), HN_WS_EVENT_FAIL, "%zu", i);
        cr_assert_eq(code, cases[i].code, "%zu: %u", i, code);
    }
    static const uint8_t unmasked[] = {0x81, 0x01, 'a'};
    cr_assert_eq(read_one(&code, unmasked, sizeof unmasked), HN_WS_EVENT_FAIL);
    cr_assert_eq(code, HN_WS_PROTOCOL_ERROR);
    static const uint8_t long_ping[] = {0x89, 0xfe, 0, 126};
    cr_assert_eq(read_one(&code, long_ping, sizeof long_ping), HN_WS_EVENT_FAIL);
    /* A text begun inside of another. */
    size_t size = make_frame(frame, 0x01, "a", 1);
    size += make_frame(frame + size, 0x81, "b", 1);
    cr_assert_eq(read_one(&code, frame, size), HN_WS_EVENT_FAIL);
}

Test(ws_frame, bounds_messages_by_what_is_announced_before_it_comes)
{
    static const uint8_t huge[] = {0x81, 0xff, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4};
    uint16_t code = 0;
    cr_assert_eq(read_one(&code, huge, sizeof huge), HN_WS_EVENT_FAIL);
    cr_assert_eq(code, HN_WS_TOO_BIG);
    static const uint8_t negative[] = {0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4};
    cr_assert_eq(read_one(&code, negative, sizeof negative), HN_WS_EVENT_FAIL);
    cr_assert_eq(code, HN_WS_PROTOCOL_ERROR);
    /* 600 and 600 in fragments pass 1,000. */
    uint8_t payload[600] = {0};
    uint8_t frames[1300];
    size_t size = make_frame(frames, 0x02, payload, sizeof payload);
    size += make_frame(frames + size, 0x80, payload, sizeof payload);
    cr_assert_eq(read_one(&code, frames, size), HN_WS_EVENT_FAIL);
    cr_assert_eq(code, HN_WS_TOO_BIG);
}

Test(ws_frame, gives_the_code_of_a_close_and_reads_nothing_behind)
{
    uint8_t frames[64];
    size_t size = make_frame(frames, 0x88, "\x0f\xa0reason", 8);
    size_t all = size + make_frame(frames + size, 0x81, "{}", 2);
    hn_ws_reader reader;
    hn_ws_reader_init(&reader, 100);
    size_t taken;
    cr_assert_eq(hn_ws_read(&reader, &taken, frames, all), HN_WS_EVENT_CLOSE);
    cr_assert_eq(taken, size);
    cr_assert_eq(reader.code, 4000);
    cr_assert_eq(hn_ws_read(&reader, &taken, frames + size, all - size), HN_WS_EVENT_NONE);
    cr_assert_eq(taken, 0);
    hn_ws_reader_destroy(&reader);
    uint16_t code = 0;
    size = make_frame(frames, 0x88, NULL, 0);
    cr_assert_eq(read_one(&code, frames, size), HN_WS_EVENT_CLOSE);
    cr_assert_eq(code, HN_WS_NO_CODE);
}

Test(ws_frame, tells_utf8)
{
    static const char *const good[] = {
        "", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",         "\xc0\x80",     "\xc1\xbf",         "\xc3",
                                      "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                                      "\xf5",         "\xe2\x82",     "\xe2\x28\xa1",     "\xf0\x9f\x98"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert(hn_ws_is_utf8((const uint8_t *)good[i], strlen(good[i])), "%zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(hn_ws_is_utf8((const uint8_t *)bad[i], strlen(bad[i])), "%zu", i);
}

/* RFC 6455, 5.7: unmasked headers with 7, 16 and 64 bits. */
Test(ws_frame, writes_headers)
{
    uint8_t header[HN_WS_HEADER_BYTES_MAX];
    cr_assert_eq(hn_ws_write_header(header, HN_WS_TEXT, 5), 2);
    cr_assert_arr_eq(header, "\x81\x05", 2);
    cr_assert_eq(hn_ws_write_header(header, HN_WS_BINARY, 256), 4);
    cr_assert_arr_eq(header, "\x82\x7e\x01\x00", 4);
    cr_assert_eq(hn_ws_write_header(header, HN_WS_BINARY, 65536), 10);
    cr_assert_arr_eq(header, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10);
    uint8_t close[HN_WS_CONTROL_BYTES_MAX];
    cr_assert_eq(hn_ws_write_close(close, 1001, "bye"), 5);
    cr_assert_arr_eq(close,
                     "\x03\xe9"
                     "bye",
                     5);
    char reason[300];
    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    cr_assert_eq(hn_ws_write_close(close, 1000, reason), HN_WS_CONTROL_BYTES_MAX);
    cr_assert_eq(hn_ws_write_close(close, HN_WS_NO_CODE, ""), 0);
}
