/* Bounded queues between stages: DPDK's rte_ring, with the consumer's waker beside it.
 *
 * Elements have a fixed size and are copied: pointers to slots (ownership goes with them) or small values.
 * Moving is done in bursts. One line of cache per side is written by one core only when the ring has a single
 * producer or consumer; both kinds may be shared where the topology says so.
 */
#ifndef HN_PIPELINE_RING_RING_H
#define HN_PIPELINE_RING_RING_H

#include "engine/base/err.h"
#include "pipeline/ring/waker.h"

#include <stddef.h>
#include <stdint.h>

typedef struct hn_ring hn_ring;

typedef enum hn_ring_sharing {
    HN_RING_ONE_TO_ONE = 0,
    HN_RING_MANY_PRODUCERS = 1,
    HN_RING_MANY_CONSUMERS = 2,
    HN_RING_MANY_TO_MANY = 3,
} hn_ring_sharing;

/* `capacity` elements (rounded up to a power of two, less one) of `element_bytes` (a multiple of 4).
 * `consumer` (may be NULL) is woken by pushes. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_ring_create(hn_ring **out, size_t element_bytes, uint32_t capacity,
                                  hn_ring_sharing sharing, hn_waker *consumer);
void hn_ring_destroy(hn_ring *ring);

/* Moves up to `count` elements; returns how many. */
unsigned hn_ring_push(hn_ring *ring, const void *elements, unsigned count);
unsigned hn_ring_pop(hn_ring *ring, void *elements, unsigned count);

/* As push, without waking the consumer: for a shared consumer who is only needed when there is much to do. */
unsigned hn_ring_push_quietly(hn_ring *ring, const void *elements, unsigned count);

/* Exact only when the other side stands still; a lower bound of the room for the only producer, and of the
 * elements for the only consumer. */
unsigned hn_ring_count(const hn_ring *ring);
unsigned hn_ring_room(const hn_ring *ring);
unsigned hn_ring_capacity(const hn_ring *ring);

#endif
