/* Blocks, transactions, receipts and logs as JSON, field by field as the execution-apis specification and
 * geth have them. */
#ifndef HN_PIPELINE_RPC_SHOW_H
#define HN_PIPELINE_RPC_SHOW_H

#include "engine/codec/json_writer.h"
#include "pipeline/history/reader.h"

/* Where a transaction is; NULL members when it is pending. */
typedef struct hn_transaction_place {
    const hn_history_block *block; /* NULL: pending */
    uint32_t index;
} hn_transaction_place;

/* `effective_gas_price` NULL while pending. */
void hn_show_transaction(hn_json_writer *writer, const hn_transaction *transaction, const hn_hash *hash,
                         const hn_address *sender, const hn_u256 *effective_gas_price,
                         const hn_transaction_place *place);

/* The transaction at an index of a block. `arena` is scratch space. HN_ERR_CORRUPT, HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_show_block_transaction(hn_json_writer *writer, hn_arena *arena,
                                             const hn_history_block *block, uint32_t index);

/* Whole block, with transaction hashes or (`full`) transactions. */
HN_MUST_USE hn_err hn_show_block(hn_json_writer *writer, hn_arena *arena, const hn_history_block *block,
                                 bool full);

/* The header's members up to its transactions' root, in two parts: whoever has members of its own puts them
 * between, so that all are sorted by name. */
void hn_show_header_fees(hn_json_writer *writer, const hn_history_block *block);
void hn_show_header_rest(hn_json_writer *writer, const hn_history_block *block);

/* The uncle at an index < block->uncle_count: its header, and a size as if it were a block of its own. */
HN_MUST_USE hn_err hn_show_uncle(hn_json_writer *writer, hn_arena *arena, const hn_history_block *block,
                                 uint32_t index);

void hn_show_withdrawal(hn_json_writer *writer, const hn_withdrawal *withdrawal);

/* The header alone, as "newHeads" has it. */
void hn_show_head(hn_json_writer *writer, const hn_history_block *block);

HN_MUST_USE hn_err hn_show_receipt(hn_json_writer *writer, hn_arena *arena, const hn_chain_config *config,
                                   const hn_history_block *block, uint32_t index);

void hn_show_log(hn_json_writer *writer, const hn_found_log *found);

#endif
