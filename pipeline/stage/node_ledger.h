/* One ledger of a node, as the stages share it. Private to pipeline/stage.
 *
 * Each part has one writer, named in the comments: the cores are those of wiring.h.
 */
#ifndef HN_PIPELINE_STAGE_NODE_LEDGER_H
#define HN_PIPELINE_STAGE_NODE_LEDGER_H

#include "engine/engine.h"
#include "pipeline/stage/limits.h"
#include "shard/order/pool.h"

#include <stdatomic.h>

/* Hashes of sealed blocks, from back to the executors. number is written after the hash (release). */
typedef struct hn_sealed_hashes {
    _Alignas(64) _Atomic uint64_t number;
    hn_hash hashes[HN_SEALED_HASHES]; /* by number modulo the size */
} hn_sealed_hashes;

typedef struct hn_node_ledger {
    struct hn_node *node;
    char name[64];
    uint32_t index, shard;
    hn_bytes genesis_json; /* borrowed from the options; until the start, as the next */
    bool is_bare;          /* the genesis was read without its accounts */
    hn_genesis genesis;
    hn_hash genesis_hash;
    _Atomic uint64_t block_gas_limit; /* of a frame's part; the shard core, rising */
    bool is_strict;
    /* Of the newest frame with this ledger: the second of its block, and when it was cut by the monotonic
     * clock (block_time.h). Front. */
    _Atomic uint64_t cut_second, cut_ns;

    /* shard core */
    hn_ledger *executor;
    hn_pool *pool;
    uint64_t noted_number; /* newest block whose hash the executor knows */
    /* back core */
    hn_sealer *sealer;
    uint64_t snapshot_index;  /* log position that the start state contained */
    uint64_t published_frame; /* with its newest published block; 0: none since the start */

    hn_sealed_hashes sealed;
    /* counters: the first three by the shard core, the fourth by back */
    _Atomic uint64_t executed_number, transactions, gas_used;
    _Atomic uint64_t published_number;
    _Atomic uint64_t visible_number; /* that, and committed to the history */
    /* JSON-RPC: what it wants to hear (hn_watch bits), and what it could not be told */
    _Atomic uint32_t watched;
    _Atomic uint64_t notices_lost; /* the shard core */
    _Atomic uint64_t wake_number;  /* the block that JSON-RPC waits to see; UINT64_MAX: none */
} hn_node_ledger;

#endif
