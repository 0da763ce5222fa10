/* Receipts (yellow paper, section 4.3.1; EIP-658, EIP-2718). */
#ifndef HN_ENGINE_TYPES_RECEIPT_H
#define HN_ENGINE_TYPES_RECEIPT_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/types/bloom.h"
#include "engine/types/transaction.h"

typedef struct hn_receipt {
    hn_transaction_type type;
    bool has_state_root; /* before Byzantium: the intermediate root stands where the status is later */
    bool succeeded;
    hn_hash state_root;
    uint64_t cumulative_gas_used;
    hn_bloom bloom;
    const hn_log *logs;
    uint32_t log_count;
    /* Not encoded; what a node is asked for besides. */
    uint64_t gas_used;
    hn_u256 effective_gas_price;
    uint64_t blob_gas_used;
    hn_address contract_address; /* of a create; zero otherwise */
} hn_receipt;

/* Consensus encoding (type byte before the list for typed ones), as it stands in the receipt trie. */
HN_MUST_USE hn_err hn_receipt_encode(hn_bytes *out, hn_arena *arena, const hn_receipt *receipt);

/* keccak256(rlp(logs)), the "logs hash" of state tests. */
HN_MUST_USE hn_err hn_logs_hash(hn_hash *out, hn_arena *arena, const hn_log *logs, size_t log_count);

#endif
