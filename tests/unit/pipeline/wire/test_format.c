/* The layout of the datagrams, byte by byte as README.md has it, and SipHash against its authors' vectors. */
#include "pipeline/wire/format.h"
#include "pipeline/wire/siphash.h"
#include "tests/unit/pipeline/wire/model.h"

#include <criterion/criterion.h>

/* From the appendix of the SipHash paper: key 00..0f, messages 00, 00 01, ... */
Test(wire_format, siphash_vectors)
{
    static const uint64_t expected[] = {
        UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
        UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
        UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462)};
    const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    uint8_t message[16];
    for (uint8_t i = 0; i < sizeof message; i++)
        message[i] = i;
    for (size_t size = 0; size < sizeof expected / sizeof expected[0]; size++)
        cr_assert_eq(hn_siphash(key, message, size), expected[size], "length %zu", size);
    /* The paper's own example: 15 bytes. */
    cr_assert_eq(hn_siphash(key, message, 15), UINT64_C(0xa129ca6149be45e5));
}

static size_t make_submit(uint8_t *to, unsigned count)
{
    static uint8_t transactions[HN_WIRE_TRANSACTIONS_MAX][MODEL_TRANSACTION_BYTES];
    hn_wire_submit submit = {.cookie = UINT64_C(0x1122334455667788),
                             .sequence = 70,
                             .ahead = 5,
                             .level = 2,
                             .count = (uint8_t)count};
    for (unsigned i = 0; i < count; i++) {
        model_transaction(transactions[i], i);
        submit.transactions[i] = hn_bytes_of(transactions[i], MODEL_TRANSACTION_BYTES);
    }
    return hn_wire_write_submit(to, 0xaabbccdd, &submit);
}

Test(wire_format, submit_layout)
{
    uint8_t bytes[8192];
    size_t size = make_submit(bytes, 2);
    static const uint8_t header[] = {0xb5, 1,    3,    2,    0xaa, 0xbb, 0xcc, 0xdd, 0x11, 0x22,
                                     0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0,    0,    0,    0,
                                     0,    0,    0,    70,   5,    2,    0,    0,    0,    110};
    cr_assert_eq(size, 28 + 2 * 112);
    cr_assert_eq(memcmp(bytes, header, sizeof header), 0);
    hn_wire_submit submit;
    cr_assert_eq(hn_wire_read_submit(&submit, hn_bytes_of(bytes, size)), HN_OK);
    cr_assert_eq(submit.count, 2);
    cr_assert_eq(submit.sequence, 70);
    cr_assert_eq(model_number(submit.transactions[1]), 1);
}

Test(wire_format, submit_cut_anywhere_is_refused)
{
    uint8_t bytes[8192];
    size_t size = make_submit(bytes, HN_WIRE_TRANSACTIONS_MAX);
    hn_wire_submit submit;
    cr_assert_eq(hn_wire_read_submit(&submit, hn_bytes_of(bytes, size)), HN_OK);
    for (size_t cut = 8; cut < size; cut++)
        cr_assert_neq(hn_wire_read_submit(&submit, hn_bytes_of(bytes, cut)), HN_OK, "cut at %zu", cut);
    cr_assert_eq(hn_wire_read_submit(&submit, hn_bytes_of(bytes, size + 1)), HN_ERR_TRAILING);
}

Test(wire_format, submit_bad_fields)
{
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
    } cases[] = {
        {"no transactions", 3, 0}, {"too many", 3, 33},     {"ahead beyond the window", 24, 64},
        {"ahead of zero", 24, 63}, {"level sealed", 25, 3}, {"more senders than there are bytes", 26, 32},
        {"reserved", 27, 1},       {"tiny item", 29, 15}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[8192];
        size_t size = make_submit(bytes, 2);
        hn_store_be64(bytes + 16, 20);
        bytes[cases[i].at] = cases[i].value;
        hn_wire_submit submit;
        cr_assert_neq(hn_wire_read_submit(&submit, hn_bytes_of(bytes, size)), HN_OK, "%s", cases[i].what);
    }
}

static size_t make_told(uint8_t *to, const hn_address *senders)
{
    static uint8_t transactions[3][MODEL_TRANSACTION_BYTES];
    hn_wire_submit submit = {.sequence = 70,
                             .level = 2,
                             .count = 3,
                             .sender_count = 2,
                             .senders = senders,
                             .sender_of = {1, HN_WIRE_SENDER_NONE, 0}};
    for (unsigned i = 0; i < 3; i++) {
        model_transaction(transactions[i], i);
        submit.transactions[i] = hn_bytes_of(transactions[i], MODEL_TRANSACTION_BYTES);
    }
    return hn_wire_write_submit(to, 1, &submit);
}

Test(wire_format, submit_with_senders)
{
    const hn_address senders[2] = {{{1, 2, 3}}, {{4, 5, 6}}};
    uint8_t bytes[8192];
    const size_t size = make_told(bytes, senders);
    cr_assert_eq(size, 28 + 2 * 20 + 3 * 113);
    cr_assert_eq(bytes[26], 2);
    cr_assert_eq(memcmp(bytes + 28, senders, sizeof senders), 0);
    static const uint8_t item[] = {0, 110, 1};
    cr_assert_eq(memcmp(bytes + 68, item, sizeof item), 0);
    hn_wire_submit submit;
    cr_assert_eq(hn_wire_read_submit(&submit, hn_bytes_of(bytes, size)), HN_OK);
    cr_assert_eq(submit.sender_count, 2);
    cr_assert_eq(memcmp(submit.senders, senders, sizeof senders), 0);
    cr_assert_eq(submit.sender_of[0], 1);
    cr_assert_eq(submit.sender_of[1], HN_WIRE_SENDER_NONE);
    cr_assert_eq(submit.sender_of[2], 0);
    cr_assert_eq(model_number(submit.transactions[2]), 2);
    for (size_t cut = 8; cut < size; cut++)
        cr_assert_neq(hn_wire_read_submit(&submit, hn_bytes_of(bytes, cut)), HN_OK, "cut at %zu", cut);
    bytes[70] = 2; /* a sender that is not there */
    cr_assert_eq(hn_wire_read_submit(&submit, hn_bytes_of(bytes, size)), HN_ERR_RANGE);
    bytes[26] = 33;
    cr_assert_eq(hn_wire_read_submit(&submit, hn_bytes_of(bytes, size)), HN_ERR_RANGE);
}

Test(wire_format, abilities_of_a_server)
{
    hn_wire_cookie cookie = {
        .cookie = 1, .window = 64, .transactions_max = 32, .credit = 9, .takes_senders = true};
    uint8_t bytes[HN_WIRE_COOKIE_BYTES];
    const size_t size = hn_wire_write_cookie(bytes, 1, &cookie);
    cr_assert_eq(hn_load_be16(bytes + 22), 1);
    cr_assert_eq(hn_wire_read_cookie(&cookie, hn_bytes_of(bytes, size)), HN_OK);
    cr_assert(cookie.takes_senders);
    hn_store_be16(bytes + 22, 0); /* an older one */
    cr_assert_eq(hn_wire_read_cookie(&cookie, hn_bytes_of(bytes, size)), HN_OK);
    cr_assert(!cookie.takes_senders);
}

Test(wire_format, ack_layout)
{
    hn_wire_ack ack = {
        .cookie = 7, .oldest = 0x0102, .received = UINT64_C(0x8000000000000001), .credit = 300, .count = 1};
    ack.results[0] = (hn_wire_result){.ahead = 9,
                                      .verdict = 2,
                                      .detail = 1,
                                      .items = 0x80000003,
                                      .ledger = 0x0a0b,
                                      .block_number = 0x010203040506};
    uint8_t bytes[HN_WIRE_ANSWER_BYTES_MAX];
    size_t size = hn_wire_write_ack(bytes, 1, &ack);
    static const uint8_t expected[] = {0xb5, 1, 4, 1, 0,    0, 0,    1, 0,    0,    0, 0, 0, 0, 0, 7,  0, 0,
                                       0,    0, 0, 0, 1,    2, 0x80, 0, 0,    0,    0, 0, 0, 1, 1, 44, 0, 0,
                                       9,    2, 1, 0, 0x80, 0, 0,    3, 0x0a, 0x0b, 1, 2, 3, 4, 5, 6};
    cr_assert_eq(size, sizeof expected);
    cr_assert_eq(memcmp(bytes, expected, size), 0);
    hn_wire_ack read;
    cr_assert_eq(hn_wire_read_ack(&read, hn_bytes_of(bytes, size)), HN_OK);
    cr_assert_eq(read.results[0].block_number, UINT64_C(0x010203040506));
    cr_assert_eq(read.results[0].ledger, 0x0a0b);
    cr_assert_eq(read.results[0].items, 0x80000003);
    for (size_t cut = 8; cut < size; cut++)
        cr_assert_neq(hn_wire_read_ack(&read, hn_bytes_of(bytes, cut)), HN_OK);
    bytes[3] = 2;
    cr_assert_eq(hn_wire_read_ack(&read, hn_bytes_of(bytes, size)), HN_ERR_TRUNCATED);
}

Test(wire_format, receipt_layout)
{
    hn_wire_receipt receipt = {
        .verdict = 3, .detail = 5, .level = 2, .ledger = 0x0102, .block_number = 0x0304};
    memset(receipt.hash.b, 0xee, 32);
    uint8_t bytes[64];
    cr_assert_eq(hn_wire_write_receipt(bytes, &receipt), 48);
    static const uint8_t front[] = {0xb5, 1, 6, 3, 5, 2, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 0xee};
    cr_assert_eq(memcmp(bytes, front, sizeof front), 0);
    receipt.is_short = true;
    cr_assert_eq(hn_wire_write_receipt(bytes, &receipt), 16);
    static const uint8_t brief[] = {0xb5, 1,    7,    3,    5,    2,    0,    0,
                                    0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee};
    cr_assert_eq(memcmp(bytes, brief, sizeof brief), 0);
    hn_wire_receipt read;
    cr_assert_eq(hn_wire_read_receipt(&read, hn_bytes_of(bytes, 16)), HN_OK);
    cr_assert(read.is_short);
    cr_assert_eq(read.verdict, 3);
}

Test(wire_format, shape_of_transactions)
{
    static const uint8_t typed[] = {2, 0xc2, 1, 2};
    static const uint8_t list[] = {0xc2, 1, 2};
    static const uint8_t trailing[] = {0xc2, 1, 2, 3};
    static const uint8_t cut[] = {0xc3, 1, 2};
    static const uint8_t type_zero[] = {0, 0xc2, 1, 2};
    static const uint8_t type_five[] = {5, 0xc2, 1, 2};
    static const uint8_t string[] = {1, 0x82, 1, 2};
    static const uint8_t long_form[] = {0xf8, 2, 1, 2}; /* must be the short form */
    cr_assert_eq(hn_wire_check_transaction(hn_bytes_of(typed, sizeof typed)), HN_OK);
    cr_assert_eq(hn_wire_check_transaction(hn_bytes_of(list, sizeof list)), HN_OK);
    cr_assert_eq(hn_wire_check_transaction(hn_bytes_of(trailing, sizeof trailing)), HN_ERR_TRAILING);
    cr_assert_eq(hn_wire_check_transaction(hn_bytes_of(cut, sizeof cut)), HN_ERR_TRUNCATED);
    cr_assert_eq(hn_wire_check_transaction(hn_bytes_of(type_zero, sizeof type_zero)), HN_ERR_UNSUPPORTED);
    cr_assert_eq(hn_wire_check_transaction(hn_bytes_of(type_five, sizeof type_five)), HN_ERR_UNSUPPORTED);
    cr_assert_neq(hn_wire_check_transaction(hn_bytes_of(string, sizeof string)), HN_OK);
    cr_assert_neq(hn_wire_check_transaction(hn_bytes_of(long_form, sizeof long_form)), HN_OK);
    cr_assert_eq(hn_wire_check_transaction(hn_bytes_of(typed, 1)), HN_ERR_TRUNCATED);
    cr_assert_eq(hn_wire_check_transaction(hn_bytes_of(typed, 0)), HN_ERR_TRUNCATED);
}
