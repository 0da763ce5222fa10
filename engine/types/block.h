/* Blocks: header, transactions, uncles, withdrawals (yellow paper, section 4.3; EIP-4895). */
#ifndef HN_ENGINE_TYPES_BLOCK_H
#define HN_ENGINE_TYPES_BLOCK_H

#include "engine/types/header.h"
#include "engine/types/transaction.h"

typedef struct hn_withdrawal {
    uint64_t index;
    uint64_t validator_index;
    hn_address address;
    uint64_t amount_gwei;
} hn_withdrawal;

typedef struct hn_block {
    hn_header header;
    const hn_transaction *transactions;
    uint32_t transaction_count;
    const hn_header *uncles;
    uint32_t uncle_count;
    bool has_withdrawals; /* the list is present, even when empty: from Shanghai on */
    const hn_withdrawal *withdrawals;
    uint32_t withdrawal_count;
} hn_block;

/* Views point into `rlp` and `arena`, which must outlive *out. The list of withdrawals must be there exactly
 * when the header has their root: else HN_ERR_TRUNCATED or HN_ERR_TRAILING. Other errors as
 * engine/codec/rlp.h and hn_transaction_decode. */
HN_MUST_USE hn_err hn_block_decode(hn_block *out, hn_arena *arena, hn_bytes rlp);
/* A transaction's `raw` bytes are taken as they are; one that has none is encoded from its fields. */
HN_MUST_USE hn_err hn_block_encode(hn_bytes *out, hn_arena *arena, const hn_block *block);

/* keccak256(rlp(uncles)). */
HN_MUST_USE hn_err hn_uncles_hash(hn_hash *out, hn_arena *arena, const hn_header *uncles, size_t uncle_count);

/* One withdrawal as it stands in the withdrawals trie. */
HN_MUST_USE hn_err hn_withdrawal_encode(hn_bytes *out, hn_arena *arena, const hn_withdrawal *withdrawal);

#endif
