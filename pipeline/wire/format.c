#include "pipeline/wire/format.h"

#include "engine/base/check.h"
#include "engine/codec/rlp.h"
#include "engine/types/transaction.h"
#include "shard/order/pending.h"

/* Offsets behind the header of eight bytes, datagram by datagram. */
enum {
    COOKIE_COOKIE = 8,
    COOKIE_WINDOW = 16,
    COOKIE_TRANSACTIONS = 18,
    COOKIE_CREDIT = 20,
    COOKIE_ABILITIES = 22,
    ABILITY_SENDERS = 1,

    SUBMIT_COOKIE = 8,
    SUBMIT_SEQUENCE = 16,
    SUBMIT_AHEAD = 24,
    SUBMIT_LEVEL = 25,
    SUBMIT_SENDERS = 26,
    SUBMIT_RESERVED = 27,

    ACK_COOKIE = 8,
    ACK_OLDEST = 16,
    ACK_RECEIVED = 24,
    ACK_CREDIT = 32,
    ACK_RESERVED = 34,
    RESULT_AHEAD = 0,
    RESULT_VERDICT = 1,
    RESULT_DETAIL = 2,
    RESULT_ITEMS = 4,
    RESULT_PLACE = 8, /* ledger in the upper 16 bits, block number in the lower 48 */

    ERROR_SEQUENCE = 8,
    ERROR_CODE = 16,

    RECEIPT_VERDICT = 3,
    RECEIPT_DETAIL = 4,
    RECEIPT_LEVEL = 5,
    RECEIPT_LEDGER = 6,
    RECEIPT_BLOCK = 8,
    RECEIPT_HASH = 16,
    RECEIPT_SHORT_HASH = 8,
    RECEIPT_SHORT_HASH_BYTES = 8,
};

_Static_assert(sizeof(hn_address) == 20 && _Alignof(hn_address) == 1,
               "addresses lie in datagrams as they are");

static const uint64_t block_number_mask = (UINT64_C(1) << 48) - 1;

const char *hn_wire_error_text(unsigned error)
{
    static const char *const texts[] = {
#define ERROR_TEXT(name, text) text,
        HN_WIRE_ERROR_LIST(ERROR_TEXT)
#undef ERROR_TEXT
    };
    return error < HN_WIRE_ERROR_COUNT ? texts[error] : "unknown error";
}

hn_err hn_wire_read_header(hn_wire_header *out, hn_bytes datagram)
{
    if (datagram.size < HN_WIRE_HEADER_BYTES)
        return HN_ERR_TRUNCATED;
    if (datagram.data[0] != HN_WIRE_MAGIC)
        return HN_ERR_INVALID;
    *out = (hn_wire_header){.version = datagram.data[1],
                            .type = datagram.data[2],
                            .count = datagram.data[3],
                            .session = hn_load_be32(datagram.data + 4)};
    return out->version == HN_WIRE_VERSION ? HN_OK : HN_ERR_VERSION;
}

static void write_header(uint8_t *to, hn_wire_type type, uint8_t count, uint32_t session)
{
    to[0] = HN_WIRE_MAGIC;
    to[1] = HN_WIRE_VERSION;
    to[2] = (uint8_t)type;
    to[3] = count;
    hn_store_be32(to + 4, session);
}

static hn_err expect_size(hn_bytes datagram, size_t size)
{
    if (datagram.size < size)
        return HN_ERR_TRUNCATED;
    return datagram.size > size ? HN_ERR_TRAILING : HN_OK;
}

size_t hn_wire_write_hello(uint8_t *to, uint32_t session)
{
    memset(to, 0, HN_WIRE_HELLO_BYTES);
    write_header(to, HN_WIRE_HELLO, 0, session);
    return HN_WIRE_HELLO_BYTES;
}

size_t hn_wire_write_cookie(uint8_t *to, uint32_t session, const hn_wire_cookie *cookie)
{
    memset(to, 0, HN_WIRE_COOKIE_BYTES);
    write_header(to, HN_WIRE_COOKIE, 0, session);
    hn_store_be64(to + COOKIE_COOKIE, cookie->cookie);
    hn_store_be16(to + COOKIE_WINDOW, cookie->window);
    hn_store_be16(to + COOKIE_TRANSACTIONS, cookie->transactions_max);
    hn_store_be16(to + COOKIE_CREDIT, cookie->credit);
    hn_store_be16(to + COOKIE_ABILITIES, cookie->takes_senders ? ABILITY_SENDERS : 0);
    return HN_WIRE_COOKIE_BYTES;
}

hn_err hn_wire_read_cookie(hn_wire_cookie *out, hn_bytes datagram)
{
    HN_TRY(expect_size(datagram, HN_WIRE_COOKIE_BYTES));
    *out = (hn_wire_cookie){.cookie = hn_load_be64(datagram.data + COOKIE_COOKIE),
                            .window = hn_load_be16(datagram.data + COOKIE_WINDOW),
                            .transactions_max = hn_load_be16(datagram.data + COOKIE_TRANSACTIONS),
                            .credit = hn_load_be16(datagram.data + COOKIE_CREDIT),
                            .takes_senders =
                                (hn_load_be16(datagram.data + COOKIE_ABILITIES) & ABILITY_SENDERS) != 0};
    return HN_OK;
}

hn_err hn_wire_read_submit(hn_wire_submit *out, hn_bytes datagram)
{
    if (datagram.size < HN_WIRE_SUBMIT_BYTES)
        return HN_ERR_TRUNCATED;
    const uint8_t *data = datagram.data;
    out->count = data[3];
    out->cookie = hn_load_be64(data + SUBMIT_COOKIE);
    out->sequence = hn_load_be64(data + SUBMIT_SEQUENCE);
    out->ahead = data[SUBMIT_AHEAD];
    out->level = data[SUBMIT_LEVEL];
    out->sender_count = data[SUBMIT_SENDERS];
    if (out->count == 0 || out->count > HN_WIRE_TRANSACTIONS_MAX || out->ahead >= HN_WIRE_WINDOW ||
        out->ahead > out->sequence || out->level > HN_REPLY_EXECUTED ||
        out->sender_count > HN_WIRE_TRANSACTIONS_MAX || data[SUBMIT_RESERVED] != 0)
        return HN_ERR_RANGE;
    size_t at = HN_WIRE_SUBMIT_BYTES;
    if (datagram.size - at < out->sender_count * sizeof *out->senders)
        return HN_ERR_TRUNCATED;
    out->senders = (const hn_address *)(const void *)(data + at);
    at += out->sender_count * sizeof *out->senders;
    for (unsigned i = 0; i < out->count; i++) {
        const size_t head = out->sender_count != 0 ? 3 : 2;
        if (datagram.size - at < head)
            return HN_ERR_TRUNCATED;
        size_t size = hn_load_be16(data + at);
        out->sender_of[i] = head == 3 ? data[at + 2] : HN_WIRE_SENDER_NONE;
        if (out->sender_of[i] != HN_WIRE_SENDER_NONE && out->sender_of[i] >= out->sender_count)
            return HN_ERR_RANGE;
        at += head;
        if (size < HN_WIRE_TRANSACTION_BYTES_MIN)
            return HN_ERR_RANGE;
        if (datagram.size - at < size)
            return HN_ERR_TRUNCATED;
        out->transactions[i] = hn_bytes_of(data + at, size);
        at += size;
    }
    return at == datagram.size ? HN_OK : HN_ERR_TRAILING;
}

size_t hn_wire_write_submit(uint8_t *to, uint32_t session, const hn_wire_submit *submit)
{
    write_header(to, HN_WIRE_SUBMIT, submit->count, session);
    hn_store_be64(to + SUBMIT_COOKIE, submit->cookie);
    hn_store_be64(to + SUBMIT_SEQUENCE, submit->sequence);
    to[SUBMIT_AHEAD] = submit->ahead;
    to[SUBMIT_LEVEL] = submit->level;
    to[SUBMIT_SENDERS] = submit->sender_count;
    to[SUBMIT_RESERVED] = 0;
    size_t at = HN_WIRE_SUBMIT_BYTES;
    if (submit->sender_count != 0) {
        memcpy(to + at, submit->senders, submit->sender_count * sizeof *submit->senders);
        at += submit->sender_count * sizeof *submit->senders;
    }
    for (unsigned i = 0; i < submit->count; i++) {
        hn_bytes transaction = submit->transactions[i];
        HN_CHECK(transaction.size <= UINT16_MAX);
        hn_store_be16(to + at, (uint16_t)transaction.size);
        at += 2;
        if (submit->sender_count != 0)
            to[at++] = submit->sender_of[i];
        memcpy(to + at, transaction.data, transaction.size);
        at += transaction.size;
    }
    return at;
}

static void write_result(uint8_t *to, const hn_wire_result *result)
{
    to[RESULT_AHEAD] = result->ahead;
    to[RESULT_VERDICT] = result->verdict;
    to[RESULT_DETAIL] = result->detail;
    to[RESULT_DETAIL + 1] = 0;
    hn_store_be32(to + RESULT_ITEMS, result->items);
    hn_store_be64(to + RESULT_PLACE,
                  (uint64_t)result->ledger << 48 | (result->block_number & block_number_mask));
}

size_t hn_wire_write_ack(uint8_t *to, uint32_t session, const hn_wire_ack *ack)
{
    write_header(to, HN_WIRE_ACK, ack->count, session);
    hn_store_be64(to + ACK_COOKIE, ack->cookie);
    hn_store_be64(to + ACK_OLDEST, ack->oldest);
    hn_store_be64(to + ACK_RECEIVED, ack->received);
    hn_store_be16(to + ACK_CREDIT, ack->credit);
    hn_store_be16(to + ACK_RESERVED, 0);
    size_t at = HN_WIRE_ACK_BYTES;
    for (unsigned i = 0; i < ack->count; i++, at += HN_WIRE_RESULT_BYTES)
        write_result(to + at, &ack->results[i]);
    return at;
}

hn_err hn_wire_read_ack(hn_wire_ack *out, hn_bytes datagram)
{
    if (datagram.size < HN_WIRE_ACK_BYTES)
        return HN_ERR_TRUNCATED;
    const uint8_t *data = datagram.data;
    out->count = data[3];
    if (out->count > HN_WIRE_RESULTS_MAX)
        return HN_ERR_RANGE;
    HN_TRY(expect_size(datagram, HN_WIRE_ACK_BYTES + (size_t)out->count * HN_WIRE_RESULT_BYTES));
    out->cookie = hn_load_be64(data + ACK_COOKIE);
    out->oldest = hn_load_be64(data + ACK_OLDEST);
    out->received = hn_load_be64(data + ACK_RECEIVED);
    out->credit = hn_load_be16(data + ACK_CREDIT);
    data += HN_WIRE_ACK_BYTES;
    for (unsigned i = 0; i < out->count; i++, data += HN_WIRE_RESULT_BYTES) {
        uint64_t place = hn_load_be64(data + RESULT_PLACE);
        out->results[i] = (hn_wire_result){.ahead = data[RESULT_AHEAD],
                                           .verdict = data[RESULT_VERDICT],
                                           .detail = data[RESULT_DETAIL],
                                           .items = hn_load_be32(data + RESULT_ITEMS),
                                           .ledger = (uint16_t)(place >> 48),
                                           .block_number = place & block_number_mask};
        if (out->results[i].ahead >= HN_WIRE_WINDOW)
            return HN_ERR_RANGE;
    }
    return HN_OK;
}

size_t hn_wire_write_error(uint8_t *to, uint32_t session, hn_wire_error error, uint64_t sequence)
{
    memset(to, 0, HN_WIRE_ERROR_BYTES);
    write_header(to, HN_WIRE_ERROR, 0, session);
    hn_store_be64(to + ERROR_SEQUENCE, sequence);
    to[ERROR_CODE] = (uint8_t)error;
    return HN_WIRE_ERROR_BYTES;
}

hn_err hn_wire_read_error(hn_wire_error *error, uint64_t *sequence, hn_bytes datagram)
{
    HN_TRY(expect_size(datagram, HN_WIRE_ERROR_BYTES));
    if (datagram.data[ERROR_CODE] >= HN_WIRE_ERROR_COUNT)
        return HN_ERR_RANGE;
    *error = (hn_wire_error)datagram.data[ERROR_CODE];
    *sequence = hn_load_be64(datagram.data + ERROR_SEQUENCE);
    return HN_OK;
}

size_t hn_wire_write_receipt(uint8_t *to, const hn_wire_receipt *receipt)
{
    to[0] = HN_WIRE_MAGIC;
    to[1] = HN_WIRE_VERSION;
    to[2] = receipt->is_short ? HN_WIRE_RECEIPT_SHORT : HN_WIRE_RECEIPT;
    to[RECEIPT_VERDICT] = receipt->verdict;
    to[RECEIPT_DETAIL] = receipt->detail;
    to[RECEIPT_LEVEL] = receipt->level;
    hn_store_be16(to + RECEIPT_LEDGER, receipt->is_short ? 0 : receipt->ledger);
    if (receipt->is_short) {
        memcpy(to + RECEIPT_SHORT_HASH, receipt->hash.b, RECEIPT_SHORT_HASH_BYTES);
        return HN_WIRE_RECEIPT_SHORT_BYTES;
    }
    hn_store_be64(to + RECEIPT_BLOCK, receipt->block_number);
    memcpy(to + RECEIPT_HASH, receipt->hash.b, sizeof receipt->hash.b);
    return HN_WIRE_RECEIPT_BYTES;
}

hn_err hn_wire_read_receipt(hn_wire_receipt *out, hn_bytes datagram)
{
    if (datagram.size < HN_WIRE_RECEIPT_SHORT_BYTES)
        return HN_ERR_TRUNCATED;
    const uint8_t *data = datagram.data;
    bool is_short = data[2] == HN_WIRE_RECEIPT_SHORT;
    HN_TRY(expect_size(datagram, is_short ? HN_WIRE_RECEIPT_SHORT_BYTES : HN_WIRE_RECEIPT_BYTES));
    hn_wire_receipt receipt = {.verdict = data[RECEIPT_VERDICT],
                               .detail = data[RECEIPT_DETAIL],
                               .level = data[RECEIPT_LEVEL],
                               .is_short = is_short,
                               .ledger =
                                   is_short ? HN_WIRE_LEDGER_NONE : hn_load_be16(data + RECEIPT_LEDGER)};
    if (is_short) {
        memcpy(receipt.hash.b, data + RECEIPT_SHORT_HASH, RECEIPT_SHORT_HASH_BYTES);
    } else {
        receipt.block_number = hn_load_be64(data + RECEIPT_BLOCK);
        memcpy(receipt.hash.b, data + RECEIPT_HASH, sizeof receipt.hash.b);
    }
    *out = receipt;
    return HN_OK;
}

hn_err hn_wire_check_transaction(hn_bytes raw)
{
    if (raw.size == 0)
        return HN_ERR_TRUNCATED;
    if (raw.data[0] < 0xc0) {
        if (raw.data[0] < HN_TRANSACTION_ACCESS_LIST || raw.data[0] > HN_TRANSACTION_SET_CODE)
            return HN_ERR_UNSUPPORTED;
        raw = hn_bytes_of(raw.data + 1, raw.size - 1);
    }
    hn_rlp_cursor cursor = hn_rlp_cursor_of(raw);
    hn_rlp_cursor items;
    HN_TRY(hn_rlp_read_list(&items, &cursor));
    return hn_rlp_expect_end(&cursor);
}
