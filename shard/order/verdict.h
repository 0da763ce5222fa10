/* What the engine answers to a submitted transaction. One list; the wire protocol and JSON-RPC are made from
 * it. */
#ifndef HN_SHARD_ORDER_VERDICT_H
#define HN_SHARD_ORDER_VERDICT_H

#include "engine/chain/reject.h"
#include "shard/order/pending.h"

/* name, text. The order is part of the datagram protocol: only append. */
#define HN_VERDICT_LIST(X)                                                                                   \
    X(QUEUED, "accepted into the pool")                                                                      \
    X(DURABLE, "ordered and durable")                                                                        \
    X(EXECUTED, "executed and durable")                                                                      \
    X(REJECTED, "invalid")                          /* see reject */                                         \
    X(SKIPPED, "ordered, but invalid at its place") /* see reject; no effect */                              \
    X(KNOWN, "already known")                       /* in the pool or on its way */                          \
    X(UNDERPRICED, "replacement transaction underpriced")                                                    \
    X(REPLACED, "replaced by another transaction of the same nonce")                                         \
    X(POOL_FULL, "the pool is full")                                                                         \
    X(SENDER_FULL, "too many pending transactions of this sender")                                           \
    X(TOO_LARGE, "oversized data")                                                                           \
    X(BUSY, "the node is at its limit; try again later")                                                     \
    X(STOPPED, "the node takes no transactions at the moment")                                               \
    X(NO_LEDGER, "no ledger has this chain id")

typedef enum hn_verdict {
#define HN_VERDICT_ENUM(name, text) HN_VERDICT_##name,
    HN_VERDICT_LIST(HN_VERDICT_ENUM)
#undef HN_VERDICT_ENUM
        HN_VERDICT_COUNT
} hn_verdict;

const char *hn_verdict_name(hn_verdict verdict);
const char *hn_verdict_text(hn_verdict verdict);

/* One answer. Small and copied. */
typedef struct hn_reply {
    hn_origin origin;
    uint64_t token;
    hn_hash hash;
    uint32_t ledger; /* or HN_LEDGER_NONE */
    hn_verdict verdict;
    hn_reject reject; /* REJECTED, SKIPPED */
    /* What a refused one failed against, 0 where there is no such number. NONCE_TOO_LOW, NONCE_TOO_HIGH: the
     * sender's next nonce; FUNDS: its balance; INTRINSIC_GAS, FLOOR_GAS: the gas needed;
     * FEE_CAP_BELOW_BASE_FEE: the base fee; UNDERPRICED: what the fee (or else the tip) must be at least. */
    hn_u256 bound;
    hn_address sender;     /* zero when it is not known yet */
    hn_evm_status status;  /* EXECUTED: SUCCESS or why it reverted */
    uint64_t block_number; /* EXECUTED */
    uint64_t gas_used;     /* EXECUTED */
    uint64_t frame_index;  /* the reply waits until this frame is durable; 0: at once */
    uint64_t received_ns;
    hn_reply_level level;
    bool is_answered; /* to be remembered only: the submitter has its answer */
} hn_reply;

#endif
