/* One block as it is stored: everything that queries want of it, in one value, addressable by transaction.
 *
 * prefix      = magic u32 | header size u32 | transaction count u32 | withdrawal count u32 | rlp size u64 |
 *               block hash 32 | when it has uncles, which the magic tells: uncle count u32, uncles size u32
 * value       = prefix | header RLP | uncle's header RLP... | withdrawal... | offset u32... | transaction...
 * withdrawal  = index u64 | validator index u64 | amount u64 | address 20
 * transaction = hash 32 | sender 20 | type u8 | flags u8 | price size u8 | 0 u8 | gas used u64 |
 *               cumulative gas u64 | first log u32 | log count u32 | raw size u32 | logs size u32 |
 *               price (big-endian) | blob gas u64, state root 32, contract 20 (each if its flag is set) |
 *               raw bytes | log...
 * log         = address 20 | topic count u32 | data size u32 | topic 32... | data
 *
 * Offsets count from the end of the offset table. Little-endian, nothing aligned.
 */
#ifndef HN_PIPELINE_HISTORY_BLOCK_RECORD_H
#define HN_PIPELINE_HISTORY_BLOCK_RECORD_H

#include "pipeline/history/reader.h"

/* Encodes a sealed block into `arena`. *log_count is the number of its logs. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_block_record_encode(hn_bytes *out, uint32_t *log_count, hn_arena *arena,
                                          const hn_executed_block *block);

/* Views into `record`. HN_ERR_CORRUPT. */
HN_MUST_USE hn_err hn_block_record_decode(hn_history_block *out, hn_bytes record);

/* The block's hash alone. HN_ERR_CORRUPT. */
HN_MUST_USE hn_err hn_block_record_hash(hn_hash *out, hn_bytes record);

/* Hash of a transaction alone; valid as long as the record. HN_ERR_CORRUPT. */
HN_MUST_USE hn_err hn_block_record_transaction_hash(const hn_hash **out, const hn_history_block *block,
                                                    uint32_t index);

#endif
