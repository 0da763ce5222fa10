#include "pipeline/ring/ring.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdlib.h>

struct hn_ring {
    struct rte_ring *ring;
    hn_waker *consumer;
    uint32_t element_bytes;
};

enum { CACHE_LINE = 64 };

/* What one of several producers wrote before a push is visible after the pop: DPDK's rings promise it, but by
 * a chain of tail updates that ThreadSanitizer cannot follow. It is told here; tests/race/suppressions leaves
 * out the slots. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HN_RING_TELL_SANITIZER 1
#endif
#endif
#ifdef HN_RING_TELL_SANITIZER
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#else
#define __tsan_acquire(address) ((void)(address))
#define __tsan_release(address) ((void)(address))
#endif

hn_err hn_ring_create(hn_ring **out, size_t element_bytes, uint32_t capacity, hn_ring_sharing sharing,
                      hn_waker *consumer)
{
    uint32_t count = 2;
    while (count <= capacity)
        count *= 2;
    ssize_t size = rte_ring_get_memsize_elem((unsigned)element_bytes, count);
    if (size < 0)
        return HN_ERR_NO_MEMORY;
    hn_ring *made = calloc(1, sizeof *made);
    void *memory = aligned_alloc(CACHE_LINE, ((size_t)size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    unsigned flags = 0;
    if ((sharing & HN_RING_MANY_PRODUCERS) == 0)
        flags |= RING_F_SP_ENQ;
    if ((sharing & HN_RING_MANY_CONSUMERS) == 0)
        flags |= RING_F_SC_DEQ;
    if (made == NULL || memory == NULL || rte_ring_init(memory, "hanse", count, flags) != 0) {
        free(memory);
        free(made);
        return HN_ERR_NO_MEMORY;
    }
    made->ring = memory;
    made->consumer = consumer;
    made->element_bytes = (uint32_t)element_bytes;
    *out = made;
    return HN_OK;
}

void hn_ring_destroy(hn_ring *ring)
{
    if (ring == NULL)
        return;
    free(ring->ring);
    free(ring);
}

unsigned hn_ring_push_quietly(hn_ring *ring, const void *elements, unsigned count)
{
    __tsan_release(ring);
    return rte_ring_enqueue_burst_elem(ring->ring, elements, ring->element_bytes, count, NULL);
}

unsigned hn_ring_push(hn_ring *ring, const void *elements, unsigned count)
{
    unsigned pushed = hn_ring_push_quietly(ring, elements, count);
    if (pushed != 0 && ring->consumer != NULL)
        hn_waker_wake(ring->consumer);
    return pushed;
}

unsigned hn_ring_pop(hn_ring *ring, void *elements, unsigned count)
{
    unsigned popped = rte_ring_dequeue_burst_elem(ring->ring, elements, ring->element_bytes, count, NULL);
    __tsan_acquire(ring);
    return popped;
}

/* rte_ring_count reads plainly; these words are written by other cores. */
unsigned hn_ring_count(const hn_ring *ring)
{
    uint32_t consumed = __atomic_load_n(&ring->ring->cons.tail, __ATOMIC_RELAXED);
    uint32_t produced = __atomic_load_n(&ring->ring->prod.tail, __ATOMIC_RELAXED);
    uint32_t count = (produced - consumed) & ring->ring->mask;
    return count < ring->ring->capacity ? count : ring->ring->capacity;
}

unsigned hn_ring_room(const hn_ring *ring)
{
    return ring->ring->capacity - hn_ring_count(ring);
}

unsigned hn_ring_capacity(const hn_ring *ring)
{
    return rte_ring_get_capacity(ring->ring);
}
