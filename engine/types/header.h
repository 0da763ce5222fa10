/* Block headers of every fork (yellow paper, section 4.3; EIP-1559, 4895, 4844, 4788, 7685). */
#ifndef HN_ENGINE_TYPES_HEADER_H
#define HN_ENGINE_TYPES_HEADER_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/u256.h"
#include "engine/types/bloom.h"

/* Bytes of extra data that are taken at all: consensus allows 32, private chains put signatures there. */
enum { HN_HEADER_EXTRA_MAX = 1024 };

/* Which of the later fields a header carries: each form has all those of the forms before it. */
typedef enum hn_header_form {
    HN_HEADER_FRONTIER,
    HN_HEADER_LONDON,   /* base fee */
    HN_HEADER_SHANGHAI, /* withdrawals root */
    HN_HEADER_CANCUN,   /* blob gas used, excess blob gas, parent beacon block root */
    HN_HEADER_PRAGUE,   /* requests hash */
} hn_header_form;

typedef struct hn_header {
    hn_header_form form;
    hn_hash parent_hash;
    hn_hash uncles_hash;
    hn_address beneficiary;
    hn_hash state_root;
    hn_hash transactions_root;
    hn_hash receipts_root;
    hn_bloom bloom;
    hn_u256 difficulty;
    uint64_t number;
    uint64_t gas_limit;
    uint64_t gas_used;
    uint64_t timestamp;  /* seconds */
    hn_bytes extra_data; /* borrowed; at most 32 bytes by consensus */
    hn_hash mix_hash;    /* PREVRANDAO from Paris on */
    uint8_t nonce[8];
    hn_u256 base_fee_per_gas;
    hn_hash withdrawals_root;
    uint64_t blob_gas_used;
    uint64_t excess_blob_gas;
    hn_hash parent_beacon_block_root;
    hn_hash requests_hash;
} hn_header;

/* keccak256 of the empty list of uncles, and of no requests (EIP-7685: sha256 of nothing). */
extern const hn_hash hn_no_uncles_hash;
extern const hn_hash hn_no_requests_hash;

HN_MUST_USE hn_err hn_header_encode(hn_bytes *out, hn_arena *arena, const hn_header *header);

/* The form follows from the number of fields. extra_data points into `rlp`. HN_ERR_RANGE: more than
 * HN_HEADER_EXTRA_MAX of it. Other errors as engine/codec/rlp.h. */
HN_MUST_USE hn_err hn_header_decode(hn_header *out, hn_bytes rlp);

/* keccak256 of the encoding. Never fails: extra_data has at most HN_HEADER_EXTRA_MAX bytes. */
void hn_header_hash(hn_hash *out, const hn_header *header);

#endif
