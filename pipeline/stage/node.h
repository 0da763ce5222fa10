/* A node: the ledgers of one data directory, running.
 *
 * create opens the data directory and brings every ledger to the end of the log; start puts the stages on
 * their cores and opens the packet port; stop drains, makes everything durable, writes snapshots, and closes.
 * The main thread calls all of them; rte_eal_init has been called before.
 */
#ifndef HN_PIPELINE_STAGE_NODE_H
#define HN_PIPELINE_STAGE_NODE_H

#include "engine/types/genesis.h"
#include "shard/log/log.h"
#include "shard/order/pool.h"

typedef struct hn_node hn_node;
struct hn_backend;

typedef struct hn_node_problem {
    char text[512];
} hn_node_problem;

/* One ledger to host; the order is that of the data directory and never changes. */
typedef struct hn_node_ledger_options {
    const char *name;
    hn_bytes genesis_json; /* empty: the development ledger */
    bool is_strict;
    int32_t shard; /* negative: placed by the map */
} hn_node_ledger_options;

typedef struct hn_node_options {
    const char *data_directory;
    const hn_node_ledger_options *ledgers;
    uint32_t ledger_count;
    uint32_t cores;  /* worker cores, at least 1 */
    uint32_t shards; /* at least 1, at most cores */
    bool is_polling; /* cores never sleep */
    hn_pool_limits pool;
    uint32_t known_senders; /* whose keys are kept for quicker checks, 8 KB each; 0: none */
    uint64_t log_segment_bytes;
    uint32_t log_in_flight;
    /* Segments of the log that no way back needs are given up, but for so many newest bytes of it. The block
     * history is synced then, for it is the only place of old blocks. */
    bool is_log_recycled;
    uint64_t log_keep_bytes;
    uint64_t snapshot_after_frames; /* replayed frames after which a snapshot is written at start; 0: never */
    /* While the node runs, a snapshot of each ledger is written when the log has grown by so much since the
     * last time, or that long ago and something was written since; 0: not for this reason. */
    uint64_t snapshot_every_frames;
    uint64_t snapshot_every_bytes;
    uint64_t snapshot_every_minutes;
    uint64_t snapshot_bytes_per_second; /* at most; 0: as fast as the log allows */
    uint32_t snapshots_kept;            /* of each ledger, at least 2 */
    const char *udp_address;            /* "127.0.0.1:8546" of the packet port; NULL: none */
    const char *ethdev; /* DPDK device that has this address, with its arguments; NULL: a kernel socket */
    uint64_t history_rebuild_bytes; /* of the log, up to which a start makes a lost history whole again */
    uint64_t history_map_bytes;
    uint32_t state_window_blocks; /* state at so many past blocks can be asked for; 0: 10,000 */
    uint64_t state_window_bytes;  /* of memory that this may take, per ledger; older ones are read from the
                                     history; 0: 1 GiB */
    bool is_archive;              /* state at every block: what the history has of it is never given up */
    uint32_t query_workers;       /* threads for calls and traces, at most 64; 0: 2 */
    uint64_t call_gas_cap;
    bool avoids_fast_paths;       /* see hn_block_context */
    const char *signature_kernel; /* see hn_signature_context_create_named; NULL: the best */
    bool is_quiet;                /* no progress on standard error */
} hn_node_options;

/* Sane values for everything but the directory and the ledgers. */
void hn_node_options_default(hn_node_options *options);

HN_MUST_USE hn_err hn_node_create(hn_node **out, hn_node_problem *problem, const hn_node_options *options);

/* Launches the cores. From now on transactions are taken. */
HN_MUST_USE hn_err hn_node_start(hn_node *node, hn_node_problem *problem);

/* Takes no more transactions, and says so to who submits some; all else goes on. */
void hn_node_begin_stop(hn_node *node);

/* True when what is on its way can only go on when there is room on the disk. Any thread. */
bool hn_node_waits_for_room(const hn_node *node);

/* Takes no more transactions, lets those on their way finish (at most `timeout_ms`, and no longer than there
 * is room on the disk for them), ends the cores, writes a snapshot of each ledger. False when something was
 * left on its way: nothing acknowledged, that is. What is left undone is told on standard error. */
bool hn_node_stop(hn_node *node, uint32_t timeout_ms);
void hn_node_destroy(hn_node *node);

/* True once the log has failed: the node must be ended. */
bool hn_node_failed(const hn_node *node);

/* The way in for JSON-RPC. Lives as long as the node. */
const struct hn_backend *hn_node_backend(hn_node *node);

/* What recovers signatures: see hn_signature_kernel. */
const char *hn_node_signature_kernel(const hn_node *node);

/* The UDP port in use (when 0 was asked for); 0 without one. */
uint16_t hn_node_udp_port(const hn_node *node);

#endif
