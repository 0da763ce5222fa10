/* Finding the block that a call names in the history. */
#ifndef HN_PIPELINE_RPC_FIND_BLOCK_H
#define HN_PIPELINE_RPC_FIND_BLOCK_H

#include "pipeline/rpc/call.h"

/* HN_ERR_NOT_FOUND; HN_ERR_PRUNED: there was such a block, and the history has it no more. */
HN_MUST_USE hn_err hn_rpc_find_block(hn_history_block *out, hn_history_reader *reader, uint32_t ledger,
                                     const hn_block_selector *selector);

/* The same where its header is enough. */
HN_MUST_USE hn_err hn_rpc_find_header(hn_history_block *out, hn_history_reader *reader, uint32_t ledger,
                                      const hn_block_selector *selector);

#endif
