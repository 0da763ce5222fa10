/* The topology as data: which rings there are, who feeds and who drains them, and which stage runs on which
 * core.
 *
 *   port, RPC -> receive -> [verify] -> verifiers -> [admit] -> shard's pool -> [ready] -> order -> log
 *                                                                                            |
 *        reply <- [reply] <- execute on the shard's core <- [execute] <------------------------
 *                               |
 *                            [seal] -> seal, publish to queries and history -> [free slots]
 *
 * With few cores, stages share them: one core runs everything; two are front (everything but sealing and
 * queries) and back; each further core runs a shard or, when there are enough shards, verifies only.
 * Verifiers are on every core. Queries that run code have threads of their own (pipeline/query/lane.h), which
 * no core waits for.
 */
#include "engine/base/check.h"
#include "pipeline/rpc/backend.h"
#include "pipeline/stage/wiring.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum consumer {
    BY_NOBODY, /* polled by whoever needs it, or woken by hand */
    BY_FRONT,
    BY_BACK,
    BY_SHARD,
    BY_RPC,
} consumer;

typedef struct ring_line {
    const char *name;
    size_t offset; /* of the hn_ring * in hn_node or hn_shard_lane */
    size_t element_bytes;
    uint32_t capacity;
    hn_ring_sharing sharing;
    consumer woken;
} ring_line;

#define NODE_RING(name, element, capacity, sharing, woken)                                                   \
    {                                                                                                        \
#name, offsetof(hn_node, name), sizeof(element), capacity, sharing, woken                            \
    }
#define LANE_RING(name, element, capacity, sharing, woken)                                                   \
    {                                                                                                        \
#name, offsetof(hn_shard_lane, name), sizeof(element), capacity, sharing, woken                      \
    }

static const ring_line node_rings[] = {
    NODE_RING(free_pending, hn_pending *, HN_PENDING_SLOTS, HN_RING_MANY_TO_MANY, BY_NOBODY),
    NODE_RING(submit, hn_pending *, HN_SUBMIT_RING, HN_RING_ONE_TO_ONE, BY_FRONT),
    NODE_RING(verify, hn_pending *, HN_VERIFY_RING, HN_RING_MANY_CONSUMERS, BY_NOBODY),
    NODE_RING(reply, hn_reply, HN_REPLY_RING, HN_RING_MANY_PRODUCERS, BY_FRONT),
    NODE_RING(seal, hn_block_slot *, HN_BLOCK_SLOTS, HN_RING_MANY_PRODUCERS, BY_NOBODY),
    NODE_RING(free_blocks, hn_block_slot *, HN_BLOCK_SLOTS, HN_RING_MANY_CONSUMERS, BY_NOBODY),
    NODE_RING(query, hn_query *, HN_QUERY_RING, HN_RING_ONE_TO_ONE, BY_BACK),
    NODE_RING(errands, hn_query_errand *, HN_ERRAND_RING, HN_RING_MANY_PRODUCERS, BY_BACK),
    NODE_RING(rpc_replies, hn_reply, HN_RPC_REPLY_RING, HN_RING_MANY_PRODUCERS, BY_RPC),
    NODE_RING(rpc_answers, hn_query *, HN_QUERY_RING * 2, HN_RING_MANY_PRODUCERS, BY_RPC),
    NODE_RING(rpc_notices, hn_pending_notice, HN_NOTICE_RING, HN_RING_MANY_PRODUCERS, BY_RPC),
};

static const ring_line lane_rings[] = {
    LANE_RING(admit, hn_pending *, HN_ADMIT_RING, HN_RING_MANY_PRODUCERS, BY_SHARD),
    LANE_RING(ready, hn_pending *, HN_READY_RING, HN_RING_ONE_TO_ONE, BY_FRONT),
    LANE_RING(execute, hn_frame_work *, HN_FRAME_WORKS, HN_RING_ONE_TO_ONE, BY_SHARD),
    LANE_RING(free_works, hn_frame_work *, HN_FRAME_WORKS, HN_RING_ONE_TO_ONE, BY_FRONT),
    LANE_RING(queries, hn_query *, HN_QUERY_RING, HN_RING_ONE_TO_ONE, BY_SHARD),
};

typedef enum place {
    ON_FRONT,
    ON_BACK,
    ON_SHARD, /* once for each shard, with its lane */
    ON_EVERY, /* once for each core, with its verifier */
} place;

/* In the order in which a core runs them: what ends work stands before what begins it, signatures last. */
static const struct stage_line {
    const char *name;
    unsigned (*poll)(void *self);
    place place;
} stage_lines[] = {
    {"commit", hn_stage_commit, ON_FRONT},   {"reply", hn_stage_reply, ON_FRONT},
    {"receive", hn_stage_receive, ON_FRONT}, {"admit", hn_stage_admit, ON_SHARD},
    {"order", hn_stage_order, ON_FRONT},     {"execute", hn_stage_execute, ON_SHARD},
    {"seal", hn_stage_seal, ON_BACK},        {"query", hn_stage_query, ON_BACK},
    {"verify", hn_stage_verify, ON_EVERY},
};

static hn_waker *waker_of(hn_node *node, const hn_shard_lane *lane, consumer woken)
{
    switch (woken) {
    case BY_FRONT:
        return &node->front->waker;
    case BY_BACK:
        return &node->back->waker;
    case BY_SHARD:
        HN_CHECK(lane != NULL); /* only a shard's own rings wake it */
        return &lane->core->waker;
    case BY_RPC:
        return &node->rpc_waker;
    case BY_NOBODY:
        break;
    }
    return NULL;
}

static hn_err make_rings(hn_node *node, hn_shard_lane *lane, void *object, const ring_line *lines,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hn_ring **ring = (hn_ring **)(void *)((char *)object + lines[i].offset);
        HN_TRY(hn_ring_create(ring, lines[i].element_bytes, lines[i].capacity, lines[i].sharing,
                              waker_of(node, lane, lines[i].woken)));
    }
    return HN_OK;
}

static void destroy_rings(void *object, const ring_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hn_ring_destroy(*(hn_ring **)(void *)((char *)object + lines[i].offset));
}

static hn_err make_cores(hn_node *node)
{
    static const char *const names[] = {"front", "back"};
    for (uint32_t i = 0; i < node->options.cores; i++) {
        hn_core *core = aligned_alloc(_Alignof(hn_core), sizeof *core);
        if (core == NULL)
            return HN_ERR_NO_MEMORY;
        HN_TRY(hn_core_init(core, i < 2 ? names[i] : "worker", i == 0 ? &node->stop_front : &node->stop));
        core->is_polling = node->options.is_polling;
        node->cores[node->core_count++] = core;
    }
    node->front = node->cores[0];
    node->back = node->cores[node->core_count > 1 ? 1 : 0];
    return HN_OK;
}

/* The first shard is on front; the others take cores of their own behind back, in turn when there are too
 * few. */
static hn_core *core_of_shard(hn_node *node, uint32_t shard)
{
    if (shard == 0 || node->core_count <= 2)
        return shard == 0 || node->core_count == 1 ? node->front : node->cores[shard % 2];
    return node->cores[2 + (shard - 1) % (node->core_count - 2)];
}

static hn_err make_lane(hn_node *node, uint32_t index)
{
    hn_shard_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return HN_ERR_NO_MEMORY;
    node->shards[node->shard_count++] = lane;
    lane->node = node;
    lane->index = index;
    lane->core = core_of_shard(node, index);
    HN_TRY(make_rings(node, lane, lane, lane_rings, sizeof lane_rings / sizeof *lane_rings));
    for (uint32_t i = 0; i < HN_FRAME_WORKS; i++) {
        hn_frame_work *work = calloc(1, sizeof *work);
        if (work == NULL)
            return HN_ERR_NO_MEMORY;
        HN_CHECK(hn_ring_push_quietly(lane->free_works, &work, 1) == 1);
    }
    return HN_OK;
}

static hn_err make_verifiers(hn_node *node)
{
    for (uint32_t i = 0; i < node->core_count; i++) {
        hn_verifier *verifier = calloc(1, sizeof *verifier);
        if (verifier == NULL)
            return HN_ERR_NO_MEMORY;
        verifier->node = node;
        verifier->index = i;
        hn_arena_init(&verifier->arena, 0, HN_PENDING_ARENA_BYTES_MAX);
        node->verifiers[node->verifier_count++] = verifier;
    }
    return HN_OK;
}

static hn_err make_slots(hn_node *node)
{
    node->pending_slots = calloc(HN_PENDING_SLOTS, sizeof *node->pending_slots);
    node->block_slots = calloc(HN_BLOCK_SLOTS, sizeof *node->block_slots);
    if (node->pending_slots == NULL || node->block_slots == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < HN_PENDING_SLOTS; i++) {
        hn_pending *pending = &node->pending_slots[i];
        hn_pending_init(pending);
        HN_CHECK(hn_ring_push_quietly(node->free_pending, &pending, 1) == 1);
    }
    for (uint32_t i = 0; i < HN_BLOCK_SLOTS; i++) {
        hn_block_slot *slot = calloc(1, sizeof *slot);
        if (slot == NULL)
            return HN_ERR_NO_MEMORY;
        hn_arena_init(&slot->arena, 0, 0);
        node->block_slots[i] = slot;
        HN_CHECK(hn_ring_push_quietly(node->free_blocks, &slot, 1) == 1);
    }
    return HN_OK;
}

static void place_stages(hn_node *node)
{
    for (size_t i = 0; i < sizeof stage_lines / sizeof *stage_lines; i++) {
        const struct stage_line *line = &stage_lines[i];
        switch (line->place) {
        case ON_FRONT:
            hn_core_add_stage(node->front, line->name, line->poll, node);
            break;
        case ON_BACK:
            hn_core_add_stage(node->back, line->name, line->poll, node);
            break;
        case ON_SHARD:
            for (uint32_t j = 0; j < node->shard_count; j++)
                hn_core_add_stage(node->shards[j]->core, line->name, line->poll, node->shards[j]);
            break;
        case ON_EVERY:
            for (uint32_t j = 0; j < node->core_count; j++)
                hn_core_add_stage(node->cores[j], line->name, line->poll, node->verifiers[j]);
            break;
        }
    }
}

hn_err hn_topology_build(hn_node *node)
{
    HN_TRY(hn_waker_open(&node->rpc_waker));
    HN_TRY(make_cores(node));
    HN_TRY(make_rings(node, NULL, node, node_rings, sizeof node_rings / sizeof *node_rings));
    for (uint32_t i = 0; i < node->options.shards; i++)
        HN_TRY(make_lane(node, i));
    HN_TRY(make_verifiers(node));
    HN_TRY(make_slots(node));
    place_stages(node);
    return HN_OK;
}

static void destroy_lane(hn_shard_lane *lane)
{
    hn_frame_work *work;
    while (hn_ring_pop(lane->free_works, &work, 1) == 1 || hn_ring_pop(lane->execute, &work, 1) == 1)
        free(work);
    free(lane->current_work);
    free(lane->open_work);
    destroy_rings(lane, lane_rings, sizeof lane_rings / sizeof *lane_rings);
    if (lane->evm != NULL)
        hn_evm_destroy(lane->evm);
    free(lane);
}

/* Nobody took them any more. */
static void free_notices(hn_node *node)
{
    hn_pending_notice notice;
    while (node->rpc_notices != NULL && hn_ring_pop(node->rpc_notices, &notice, 1) == 1)
        free(notice.raw);
}

void hn_topology_destroy(hn_node *node)
{
    for (uint32_t i = 0; i < node->shard_count; i++)
        destroy_lane(node->shards[i]);
    for (uint32_t i = 0; i < node->verifier_count; i++) {
        hn_arena_destroy(&node->verifiers[i]->arena);
        free(node->verifiers[i]);
    }
    for (uint32_t i = 0; node->block_slots != NULL && i < HN_BLOCK_SLOTS && node->block_slots[i] != NULL;
         i++) {
        hn_arena_destroy(&node->block_slots[i]->arena);
        free(node->block_slots[i]);
    }
    free(node->block_slots);
    for (uint32_t i = 0; node->pending_slots != NULL && i < HN_PENDING_SLOTS; i++)
        hn_pending_destroy(&node->pending_slots[i]);
    free(node->pending_slots);
    free_notices(node);
    destroy_rings(node, node_rings, sizeof node_rings / sizeof *node_rings);
    for (uint32_t i = 0; i < node->core_count; i++) {
        hn_core_destroy(node->cores[i]);
        free(node->cores[i]);
    }
    hn_waker_close(&node->rpc_waker);
}
