/* EIP-7685: what a block asks of the consensus layer, and its hash. */
#ifndef HN_ENGINE_CHAIN_REQUESTS_H
#define HN_ENGINE_CHAIN_REQUESTS_H

#include "engine/chain/transition.h"

/* Collects deposits (EIP-6110) from the receipts' logs and takes what the system contracts have queued.
 * Errors as hn_block_end. */
HN_MUST_USE hn_err hn_requests_collect(hn_block_context *context, hn_requests *out,
                                       const hn_receipt *receipts, size_t receipt_count);

#endif
