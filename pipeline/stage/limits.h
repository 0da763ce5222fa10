/* The bounds of every queue and buffer between the stages, and how they relate. */
#ifndef HN_PIPELINE_STAGE_LIMITS_H
#define HN_PIPELINE_STAGE_LIMITS_H

enum {
    HN_LEDGERS_MAX = 256,
    HN_SHARDS_MAX = 16,
    HN_CORES_MAX = 32,

    HN_PENDING_SLOTS = 64 * 1024, /* transactions anywhere between receive and sealed */
    HN_POOLED_MAX = 48 * 1024,    /* of them in the pools of all ledgers together */
    HN_RECENT_OUTCOMES = 1024 * 1024,

    HN_SUBMIT_RING = 8 * 1024,              /* RPC to receive */
    HN_VERIFY_RING = 4 * 1024,              /* receive to verify: some 0.1 s of signatures on two cores */
    HN_ADMIT_RING = 16 * 1024,              /* verify to a shard's pool */
    HN_READY_RING = 8 * 1024,               /* a shard's pool to order */
    HN_REPLY_RING = 64 * 1024,              /* everybody to reply */
    HN_RPC_REPLY_RING = 64 * 1024,          /* reply and seal to RPC */
    HN_QUERY_RING = 8 * 1024,               /* RPC to the query stage, and back */
    HN_ERRAND_RING = 256,                   /* calls' threads to the query stage: one errand each */
    HN_NOTICE_RING = 16 * 1024,             /* shards to RPC: pending transactions for subscribers */
    HN_NOTICE_BYTES_MAX = 64 * 1024 * 1024, /* of raw transactions in it */

    HN_FRAME_TRANSACTIONS_MAX = 4096,
    HN_FRAME_WORTHWHILE = 1024, /* so many do not wait for more */
    HN_FEW_COMING = 128,        /* no more than those are not waited for */
    HN_FRAME_PAYLOAD_BYTES_MAX = 1024 * 1024,
    HN_FRAME_WORKS = 8,                              /* frames handed to one shard and not executed yet */
    HN_BLOCK_SLOTS = 64,                             /* executed blocks not yet sealed and published */
    HN_HISTORY_PENDING_BYTES_MAX = 64 * 1024 * 1024, /* blocks that wait for room on the history's disk */
    HN_LOG_WRITES_SEEN = 256,                        /* of whose latencies others can see */
    HN_REPLAY_FRAMES = 64,   /* executed and not yet sealed, while the log is replayed */
    HN_SEALED_HASHES = 1024, /* block hashes kept for executors that wait for them */

    HN_RECEIVE_BURST = 64,
    HN_SUBMIT_BURST = 32,  /* submissions by RPC that are worth waking front for before all are there */
    HN_PORT_REST_MAX = 8,  /* loops at most between two looks at the packet port */
    HN_VERIFY_BURST = 64,  /* signatures in a row at most, before the core looks at its other stages */
    HN_VERIFY_WAKE_AT = 4, /* waiting transactions that are worth waking another core for */
    HN_STAGE_BURST = 256,
};

/* A frame's replies must fit beside those of the frames before it that are not durable yet. */
_Static_assert(HN_REPLY_RING >= 4 * HN_FRAME_TRANSACTIONS_MAX, "replies of all frames in flight fit");
/* An executor may run ahead of its sealer by every block slot there is. */
_Static_assert(HN_SEALED_HASHES >= 4 * HN_BLOCK_SLOTS, "a hash is not overwritten before it is read");
_Static_assert(HN_REPLAY_FRAMES <= HN_BLOCK_SLOTS, "a replay neither");
/* What is on its way has an entry from receive until reply has seen its outcome. */
_Static_assert(HN_RECENT_OUTCOMES / 2 >= HN_PENDING_SLOTS + HN_REPLY_RING,
               "outcomes are remembered beside them");
_Static_assert(HN_PENDING_SLOTS >= HN_POOLED_MAX + HN_VERIFY_RING + 2 * HN_FRAME_TRANSACTIONS_MAX,
               "full pools leave room for what is on its way");

#endif
