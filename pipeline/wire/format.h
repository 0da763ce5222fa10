/* The datagrams of the protocol: layout, reading and writing. README.md in this folder is the description for
 * people; this is the one for compilers. All numbers are big-endian.
 *
 * Pure. Readers check every length before they use it; writers are given buffers of
 * HN_WIRE_DATAGRAM_BYTES_MAX.
 */
#ifndef HN_PIPELINE_WIRE_FORMAT_H
#define HN_PIPELINE_WIRE_FORMAT_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

enum {
    HN_WIRE_MAGIC = 0xb5, /* no signed transaction begins so: those begin below 0x80 or from 0xc0 on */
    HN_WIRE_VERSION = 1,

    HN_WIRE_WINDOW = 64,           /* submit frames of a session that may be unfinished */
    HN_WIRE_TRANSACTIONS_MAX = 32, /* of one submit frame */
    HN_WIRE_TRANSACTION_BYTES_MIN =
        16,                     /* shorter ones make a frame malformed; the shortest real one has about 70 */
    HN_WIRE_SENDER_NONE = 0xff, /* in place of a sender's number: not told */
    HN_WIRE_CREDIT_MAX = HN_WIRE_WINDOW * HN_WIRE_TRANSACTIONS_MAX,
    HN_WIRE_LEDGER_NONE = 0xffff, /* in place of a ledger: the transaction is for none here, or not known */

    HN_WIRE_HEADER_BYTES = 8,
    HN_WIRE_HELLO_BYTES = 24,
    HN_WIRE_COOKIE_BYTES = 24,
    HN_WIRE_SUBMIT_BYTES = 28, /* before the transactions */
    HN_WIRE_ACK_BYTES = 36,    /* before the results */
    HN_WIRE_RESULT_BYTES = 16,
    HN_WIRE_ERROR_BYTES = 24,
    HN_WIRE_RECEIPT_BYTES = 48,
    HN_WIRE_RECEIPT_SHORT_BYTES = 16,

    HN_WIRE_RESULTS_MAX = 72, /* of one acknowledgement, which stays below 1,232 bytes: safe on IPv6 */
    HN_WIRE_ANSWER_BYTES_MAX = HN_WIRE_ACK_BYTES + HN_WIRE_RESULTS_MAX * HN_WIRE_RESULT_BYTES,
};

_Static_assert(HN_WIRE_ANSWER_BYTES_MAX <= 1232, "an answer fits into every packet");
_Static_assert(HN_WIRE_COOKIE_BYTES <= HN_WIRE_HELLO_BYTES, "no answer is larger than its request");

typedef enum hn_wire_type {
    HN_WIRE_HELLO = 1,
    HN_WIRE_COOKIE = 2,
    HN_WIRE_SUBMIT = 3,
    HN_WIRE_ACK = 4,
    HN_WIRE_ERROR = 5,
    HN_WIRE_RECEIPT = 6,
    HN_WIRE_RECEIPT_SHORT = 7,
} hn_wire_type;

/* name, text. The order is part of the protocol: only append. */
#define HN_WIRE_ERROR_LIST(X)                                                                                \
    X(NONE, "")                                                                                              \
    X(COOKIE, "the cookie is wrong or has expired: say hello again")                                         \
    X(WINDOW, "the sequence is outside of the window")                                                       \
    X(FULL, "no room for another session: try again later")                                                  \
    X(MALFORMED, "the frame is cut or its lengths do not add up")                                            \
    X(VERSION, "this version of the protocol is not spoken here")

typedef enum hn_wire_error {
#define HN_WIRE_ERROR_ENUM(name, text) HN_WIRE_ERROR_##name,
    HN_WIRE_ERROR_LIST(HN_WIRE_ERROR_ENUM)
#undef HN_WIRE_ERROR_ENUM
        HN_WIRE_ERROR_COUNT
} hn_wire_error;

const char *hn_wire_error_text(unsigned error);

/* The first eight bytes of every framed datagram. */
typedef struct hn_wire_header {
    uint8_t version;
    uint8_t type;
    uint8_t count;    /* SUBMIT: transactions; ACK: results; else 0 */
    uint32_t session; /* chosen by the client at random */
} hn_wire_header;

typedef struct hn_wire_cookie {
    uint64_t cookie;
    uint16_t window;
    uint16_t transactions_max;
    uint16_t credit;
    bool takes_senders; /* submit frames may tell senders */
} hn_wire_cookie;

typedef struct hn_wire_submit {
    uint64_t cookie;
    uint64_t sequence;
    uint8_t ahead; /* of the oldest sequence that the client has not all results of; below HN_WIRE_WINDOW */
    uint8_t level; /* hn_reply_level */
    uint8_t count;
    uint8_t sender_count; /* at most HN_WIRE_TRANSACTIONS_MAX; 0: none is told, sender_of means nothing */
    const hn_address *senders;                   /* untrusted */
    uint8_t sender_of[HN_WIRE_TRANSACTIONS_MAX]; /* below sender_count, or HN_WIRE_SENDER_NONE */
    hn_bytes transactions[HN_WIRE_TRANSACTIONS_MAX];
} hn_wire_submit;

/* What became of some transactions of one frame. */
typedef struct hn_wire_result {
    uint8_t ahead;         /* of the acknowledgement's oldest */
    uint8_t verdict;       /* hn_verdict */
    uint8_t detail;        /* REJECTED, SKIPPED: hn_reject; EXECUTED: hn_evm_status; else 0 */
    uint32_t items;        /* bit i: the i-th transaction of the frame */
    uint16_t ledger;       /* or HN_WIRE_LEDGER_NONE */
    uint64_t block_number; /* below 2^48; EXECUTED only */
} hn_wire_result;

typedef struct hn_wire_ack {
    uint64_t cookie;
    uint64_t oldest;   /* every frame before it is finished, as the client said */
    uint64_t received; /* bit i: frame oldest + i has arrived */
    uint16_t credit;   /* transactions that the client may have unanswered */
    uint8_t count;
    hn_wire_result results[HN_WIRE_RESULTS_MAX];
} hn_wire_ack;

typedef struct hn_wire_receipt {
    uint8_t verdict;
    uint8_t detail;
    uint8_t level;
    bool is_short;   /* only the first eight bytes of the hash, neither ledger nor block */
    uint16_t ledger; /* or HN_WIRE_LEDGER_NONE */
    uint64_t block_number;
    hn_hash hash;
} hn_wire_receipt;

/* HN_ERR_TRUNCATED, HN_ERR_INVALID (magic), HN_ERR_VERSION (*out is set then, too). */
HN_MUST_USE hn_err hn_wire_read_header(hn_wire_header *out, hn_bytes datagram);

/* Each reads a whole datagram whose header says so. HN_ERR_TRUNCATED, HN_ERR_TRAILING, HN_ERR_RANGE.
 * Transactions and senders are views into the datagram. */
HN_MUST_USE hn_err hn_wire_read_cookie(hn_wire_cookie *out, hn_bytes datagram);
HN_MUST_USE hn_err hn_wire_read_submit(hn_wire_submit *out, hn_bytes datagram);
HN_MUST_USE hn_err hn_wire_read_ack(hn_wire_ack *out, hn_bytes datagram);
HN_MUST_USE hn_err hn_wire_read_error(hn_wire_error *error, uint64_t *sequence, hn_bytes datagram);
HN_MUST_USE hn_err hn_wire_read_receipt(hn_wire_receipt *out, hn_bytes datagram);

/* Each returns how many bytes it wrote. */
size_t hn_wire_write_hello(uint8_t *to, uint32_t session);
size_t hn_wire_write_cookie(uint8_t *to, uint32_t session, const hn_wire_cookie *cookie);
size_t hn_wire_write_submit(uint8_t *to, uint32_t session,
                            const hn_wire_submit *submit); /* room: the caller's care */
size_t hn_wire_write_ack(uint8_t *to, uint32_t session, const hn_wire_ack *ack);
size_t hn_wire_write_error(uint8_t *to, uint32_t session, hn_wire_error error, uint64_t sequence);
size_t hn_wire_write_receipt(uint8_t *to, const hn_wire_receipt *receipt);

/* Is it one transaction by its shape: a known type byte and an RLP list, or a list alone, that is exactly as
 * long as it says? Contents are not looked at. HN_ERR_UNSUPPORTED: another type byte. */
HN_MUST_USE hn_err hn_wire_check_transaction(hn_bytes raw);

#endif
