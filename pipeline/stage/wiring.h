/* What the stages of one node share: its ledgers, its rings, its counters. Private to pipeline/stage.
 *
 * Everything here has one writer, named in the comments: `front` is the core that receives, orders, commits
 * and replies; each shard has its core (the first shard shares front's); `back` is the core that seals and
 * answers queries. With one core, all of them are the same.
 */
#ifndef HN_PIPELINE_STAGE_WIRING_H
#define HN_PIPELINE_STAGE_WIRING_H

#include "engine/crypto/known_keys.h"
#include "pipeline/core/core.h"
#include "pipeline/history/history.h"
#include "pipeline/port/port.h"
#include "pipeline/query/lane.h"
#include "pipeline/ring/ring.h"
#include "pipeline/stage/cut_pace.h"
#include "pipeline/stage/limits.h"
#include "pipeline/stage/log_view.h"
#include "pipeline/stage/node.h"
#include "pipeline/stage/node_ledger.h"
#include "pipeline/stats/histogram.h"
#include "pipeline/wire/server.h"
#include "shard/log/log.h"
#include "shard/map/map.h"
#include "shard/order/recent.h"

/* One shard's part of one frame. Order fills it, the shard empties it and gives it back. */
typedef struct hn_frame_work {
    uint64_t frame_index;
    uint64_t timestamp_ns;
    uint32_t count;
    uint32_t next; /* shard: the first item not executed yet */
    hn_pending *items[HN_FRAME_TRANSACTIONS_MAX];
} hn_frame_work;

/* One ledger's part of one frame, executed. The shard fills it, back seals and publishes it and gives it
 * back. */
typedef struct hn_block_slot {
    hn_arena arena;
    hn_executed_block block;
    hn_node_ledger *ledger;
    uint64_t frame_index;
    uint32_t count;
    hn_pending *items[HN_FRAME_TRANSACTIONS_MAX];
    const hn_signed_transaction *contents[HN_FRAME_TRANSACTIONS_MAX];
} hn_block_slot;

typedef struct hn_shard_lane {
    struct hn_node *node;
    uint32_t index;
    hn_core *core;
    hn_ring *admit;      /* verify -> shard: hn_pending * */
    hn_ring *ready;      /* shard -> order: hn_pending * */
    hn_ring *execute;    /* order -> shard: hn_frame_work * */
    hn_ring *free_works; /* shard -> order: hn_frame_work * */
    hn_ring *queries;    /* RPC -> shard: hn_query * (pool questions) */
    /* shard core */
    hn_evm *evm;
    hn_frame_work *current_work;
    uint32_t next_pool; /* round robin over the shard's ledgers */
    /* front core: the next transaction to order, taken from `ready` and not fitting the last frame */
    hn_pending *held;
    hn_frame_work *open_work;
    _Atomic uint64_t gapped; /* in its pools, waiting for an earlier nonce; shard core */
    /* Transactions that were put into frames for this shard (front, before the frame is appended), and those
     * whose blocks have been published since (back), the last ones being of this frame. */
    _Atomic uint64_t ordered;
    uint64_t published, published_frame;
} hn_shard_lane;

/* A verifier: one on each core that verifies. */
typedef struct hn_verifier {
    struct hn_node *node;
    uint32_t index; /* among the verifiers */
    hn_arena arena;
    _Atomic uint64_t verified;
    _Atomic uint64_t refused;
} hn_verifier;

/* Why no transactions are taken. Each has one owner, who sets and clears its bit. */
typedef enum hn_intake_obstacle {
    HN_INTAKE_STOPPING = 1 << 0,     /* main thread */
    HN_INTAKE_LOG_FULL = 1 << 1,     /* front */
    HN_INTAKE_LOG_FAILED = 1 << 2,   /* front */
    HN_INTAKE_HISTORY_FULL = 1 << 3, /* back: no more blocks can wait for room in the history */
} hn_intake_obstacle;

typedef struct hn_node_counters {
    /* front */
    _Atomic uint64_t received;
    _Atomic uint64_t duplicates;
    _Atomic uint64_t busy;
    _Atomic uint64_t frames;
    _Atomic uint64_t replies;
    _Atomic uint64_t verdicts[HN_VERDICT_COUNT];
    _Atomic uint64_t rejects[HN_REJECT_COUNT];
    /* back */
    _Atomic uint64_t sealed;
    _Atomic uint64_t queries;        /* answered on the back core */
    _Atomic uint64_t queries_here;   /* answered by JSON-RPC's own thread */
    hn_histogram reply_ns;           /* front: from receive to reply, executed and durable */
    hn_histogram frame_transactions; /* front: batch sizes */
} hn_node_counters;

struct hn_node {
    hn_node_options options;
    atomic_bool stop_front;         /* front ends last: the others read its log */
    atomic_bool stop;               /* cores end */
    _Atomic uint32_t intake_closed; /* hn_intake_obstacle bits; 0: transactions are taken */
    atomic_bool recovery_failed;    /* executors need not wait for hashes any more */
    atomic_bool failed;             /* the log failed: nothing is acknowledged any more */

    hn_map map;
    hn_node_ledger *ledgers[HN_LEDGERS_MAX];
    uint32_t ledger_count;
    hn_shard_lane *shards[HN_SHARDS_MAX];
    uint32_t shard_count;
    hn_core *cores[HN_CORES_MAX];
    unsigned lcores[HN_CORES_MAX]; /* of EAL, by core */
    uint32_t core_count;
    hn_core *front;
    hn_core *back;
    hn_verifier *verifiers[HN_CORES_MAX];
    uint32_t verifier_count;

    hn_signature_context *signatures;
    hn_known_keys *known_keys; /* of senders; verifiers read it by their numbers; NULL: none */
    hn_precompile_context *precompiles;
    hn_arena boot_arena; /* genesis and whatever else lives as long as the node */

    /* slots */
    hn_pending *pending_slots;
    hn_ring *free_pending; /* everybody: hn_pending * */
    hn_block_slot **block_slots;
    hn_ring *free_blocks; /* back -> shards: hn_block_slot * */

    /* rings; the topology table (topology.c) makes them */
    hn_ring *submit;               /* RPC -> receive: hn_pending * */
    hn_ring *verify;               /* receive -> verifiers: hn_pending * */
    hn_ring *reply;                /* shards, verifiers -> reply: hn_reply */
    hn_ring *seal;                 /* shards -> seal: hn_block_slot * */
    hn_ring *query;                /* RPC -> query: hn_query * */
    hn_ring *errands;              /* threads for calls -> query: hn_query_errand * */
    hn_ring *rpc_replies;          /* reply, seal -> RPC: hn_reply */
    hn_ring *rpc_answers;          /* query, its lane, shards -> RPC: hn_query * */
    hn_ring *rpc_notices;          /* shards -> RPC: hn_pending_notice */
    _Atomic uint64_t notice_bytes; /* of raw transactions in it */
    hn_waker rpc_waker;
    uint32_t unflushed;                 /* submissions that front has not been woken for; RPC's */
    struct hn_backend_storage *backend; /* backend.c */

    /* front core */
    struct hn_uring_io *uring;
    hn_io io;
    hn_log *log;
    uint64_t closed_log_index;  /* last index of the log when front closed it */
    uint32_t snapshots_refused; /* at the start: those that did not fit, or were damaged */
    hn_recent *recent;
    hn_port *port;
    uint32_t port_empty, port_rest; /* looks in a row that found nothing; loops until the next look */
    hn_wire_server *wire;
    /* received, and not yet looked for among the known ones: none between two bursts */
    hn_pending *taken[HN_RECEIVE_BURST];
    uint32_t taken_count;
    _Atomic uint64_t last_timestamp_ns; /* of the newest batch */
    bool has_lost_end;                  /* at the start: the history knew more than the log */
    bool is_clock_behind;               /* and that was said */
    hn_cut_pace cut_pace;
    hn_reply held_replies[HN_STAGE_BURST]; /* read from the ring, not durable yet */
    uint32_t held_reply_count, held_reply_next;
    uint32_t next_shard; /* round robin of the order stage */
    hn_log_view log_view;
    /* back core */
    hn_query_engine *query_engine;
    hn_query_engine *rpc_queries;                /* JSON-RPC's own reader; from start to the end */
    hn_query_lane *query_lane;                   /* has threads of its own; from start to stop */
    struct hn_snapshot_writer_thread *snapshots; /* snapshot_writer.c; from start to stop */
    hn_history *history;
    hn_block_slot *sealed_waiting[HN_BLOCK_SLOTS]; /* sealed, not durable yet; a ring by position */
    uint32_t sealed_waiting_first, sealed_waiting_count;
    bool is_history_behind;      /* told so */
    uint64_t history_retry_ns;   /* when to try again to commit what waits */
    uint64_t history_retry_step; /* and how long to wait after that */

    hn_node_counters counters;
};

/* pending->token of a JSON-RPC submission whose one answer has been given: what becomes of it later is told
 * to nobody, and its old token may belong to another by then. */
#define HN_TOKEN_ANSWERED UINT64_MAX

/* A counter with one writer. */
static inline void hn_count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

/* Closes the intake for a reason, or takes the reason back; wakes nobody. The reason's owner. */
void hn_node_close_intake(hn_node *node, hn_intake_obstacle why);
void hn_node_reopen_intake(hn_node *node, hn_intake_obstacle why);

/* Why the intake is closed, in a word for operators ("open" when it is not), and in words for submitters. The
 * gravest reason counts. Any thread. */
const char *hn_node_intake_state(const hn_node *node);
const char *hn_node_intake_words(const hn_node *node);

/* A slot's way back. Any core. */
void hn_node_free_pending(hn_node *node, hn_pending *pending);

/* Answers a transaction that goes no further, and frees its slot. Any core. */
void hn_node_refuse(hn_node *node, hn_pending *pending, hn_verdict verdict, hn_reject reject);
/* The same, with the reply's `bound`. */
void hn_node_refuse_bound(hn_node *node, hn_pending *pending, hn_verdict verdict, hn_reject reject,
                          const hn_u256 *bound);

/* Sends an answer on its way to the reply stage. Any core. */
void hn_node_answer(hn_node *node, const hn_reply *reply);

/* A reply about a pending transaction, all but the outcome filled. */
hn_reply hn_node_reply_to(const hn_pending *pending, hn_verdict verdict);

/* Wakes the cores of all shards: something that execute may be waiting for has become free. */
void hn_node_wake_shards(hn_node *node);

/* The executor's port: waits until back has sealed the block. `self` is the hn_node_ledger. */
void hn_node_await_block_hash(void *self, hn_hash *out, uint64_t block_number);

/* Tells JSON-RPC that a transaction can be ordered, once, if somebody wants to know. Its ledger's shard. */
void hn_node_announce(hn_node_ledger *ledger, hn_pending *pending);
/* Counts what waits in the lane's pools. Shard core, before what left them can be freed. */
void hn_node_count_gapped(hn_shard_lane *lane);
/* Answers one of the query kinds about a pool, on its shard's core. */
void hn_node_answer_pool_query(hn_node *node, hn_query *query);

/* Lets the wire server send what it owes. Front. */
void hn_node_flush_port(hn_node *node);

/* The wire server's callbacks; context is the node. Front. */
hn_verdict hn_node_submit_datagram(void *node, hn_bytes raw, const hn_address *sender, hn_reply_level level,
                                   uint64_t token);
void hn_node_send_datagrams(void *node, const hn_datagram_out *datagrams, size_t count);

/* The stages: one file each. All take the object named. */
unsigned hn_stage_receive(void *node);
unsigned hn_stage_verify(void *verifier);
unsigned hn_stage_admit(void *shard_lane);
unsigned hn_stage_order(void *node);
unsigned hn_stage_execute(void *shard_lane);
unsigned hn_stage_commit(void *node);
unsigned hn_stage_seal(void *node);
unsigned hn_stage_reply(void *node);
unsigned hn_stage_query(void *node);

/* Makes cores and rings and places stages on cores, from the table in topology.c. */
HN_MUST_USE hn_err hn_topology_build(hn_node *node);
void hn_topology_destroy(hn_node *node);

/* Brings every ledger to the end of the log. */
HN_MUST_USE hn_err hn_recover(hn_node *node, hn_node_problem *problem);

/* Registers the stats commands. */
HN_MUST_USE hn_err hn_node_register_stats(hn_node *node);

#endif
