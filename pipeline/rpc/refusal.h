/* Why a transaction was refused, in the words that geth's users know, numbers included. */
#ifndef HN_PIPELINE_RPC_REFUSAL_H
#define HN_PIPELINE_RPC_REFUSAL_H

#include "engine/base/arena.h"
#include "engine/types/fork.h"
#include "shard/order/verdict.h"

enum { HN_REFUSAL_TEXT_MAX = 512 };

/* `raw` is the transaction that the reply is about, `config` the ledger's that it was sent to; `arena` is
 * scratch space. NUL-terminated. */
void hn_refusal_text(char out[HN_REFUSAL_TEXT_MAX], hn_arena *arena, const hn_reply *reply, hn_bytes raw,
                     const hn_chain_config *config);

#endif
