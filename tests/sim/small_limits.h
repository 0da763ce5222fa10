/* In place of pipeline/stage/limits.h in the simulator's build (its guard is defined here): bounds so small
 * that runs of a few hundred transactions meet all of them, and that a node takes little memory and time to
 * make.
 */
#ifndef HN_TESTS_SIM_SMALL_LIMITS_H
#define HN_TESTS_SIM_SMALL_LIMITS_H
#define HN_PIPELINE_STAGE_LIMITS_H

enum {
    HN_LEDGERS_MAX = 256,
    HN_SHARDS_MAX = 16,
    HN_CORES_MAX = 32,

    HN_PENDING_SLOTS = 512,
    HN_POOLED_MAX = 384,
    HN_RECENT_OUTCOMES = 8192,

    HN_SUBMIT_RING = 31,
    HN_VERIFY_RING = 31,
    HN_ADMIT_RING = 63,
    HN_READY_RING = 31,
    HN_REPLY_RING = 127,
    HN_RPC_REPLY_RING = 1023,
    HN_QUERY_RING = 15,
    HN_ERRAND_RING = 15,
    HN_NOTICE_RING = 15,
    HN_NOTICE_BYTES_MAX = 64 * 1024,

    HN_FRAME_TRANSACTIONS_MAX = 24,
    HN_FRAME_WORTHWHILE = 12,
    HN_FEW_COMING = 4,
    HN_FRAME_PAYLOAD_BYTES_MAX = 6 * 1024,
    HN_FRAME_WORKS = 4,
    HN_BLOCK_SLOTS = 8,
    HN_HISTORY_PENDING_BYTES_MAX = 64 * 1024,
    HN_LOG_WRITES_SEEN = 16,
    HN_REPLAY_FRAMES = 4,
    HN_SEALED_HASHES = 256, /* as many as a snapshot keeps */

    HN_RECEIVE_BURST = 8,
    HN_SUBMIT_BURST = 4,
    HN_PORT_REST_MAX = 2,
    HN_VERIFY_BURST = 8,
    HN_VERIFY_WAKE_AT = 4,
    HN_STAGE_BURST = 16,
};

#endif
