/* Rings and wakers under concurrency: nothing is lost, duplicated or reordered, and no wake-up is missed.
 * Built plainly and under TSan. */
#include "pipeline/ring/ring.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRODUCERS = 3, ITEMS = 60000, CAPACITY = 256, BURST = 17 };

static hn_ring *ring;
static hn_waker waker;

static void *produce(void *argument)
{
    uint64_t producer = (uint64_t)(uintptr_t)argument;
    uint64_t burst[BURST];
    for (uint64_t next = 0; next < ITEMS;) {
        unsigned count = 0;
        while (count < BURST && next + count < ITEMS) {
            burst[count] = producer << 32 | (next + count);
            count++;
        }
        next += hn_ring_push(ring, burst, count);
    }
    return NULL;
}

/* Sleeps whenever the ring is empty; a missed wake-up shows as a time-out. */
static int consume(void)
{
    uint64_t expected[PRODUCERS] = {0}, total = 0, items[BURST];
    while (total < (uint64_t)PRODUCERS * ITEMS) {
        unsigned count = hn_ring_pop(ring, items, BURST);
        if (count == 0) {
            hn_waker_announce(&waker);
            count = hn_ring_pop(ring, items, BURST);
            if (count != 0) {
                hn_waker_cancel(&waker);
            } else {
                struct pollfd wait = {.fd = waker.event_fd, .events = POLLIN};
                if (poll(&wait, 1, 20000) == 0) {
                    printf("a wake-up was missed after %llu items\n", (unsigned long long)total);
                    return 1;
                }
                hn_waker_drain(&waker);
            }
        }
        for (unsigned i = 0; i < count; i++) {
            uint64_t producer = items[i] >> 32, sequence = items[i] & UINT32_MAX;
            if (producer >= PRODUCERS || sequence != expected[producer]++) {
                printf("out of order: producer %llu, item %llu\n", (unsigned long long)producer,
                       (unsigned long long)sequence);
                return 1;
            }
        }
        total += count;
    }
    return 0;
}

int main(void)
{
    pthread_t threads[PRODUCERS];
    if (hn_waker_open(&waker) != HN_OK ||
        hn_ring_create(&ring, sizeof(uint64_t), CAPACITY, HN_RING_MANY_PRODUCERS, &waker) != HN_OK)
        return 1;
    for (uintptr_t i = 0; i < PRODUCERS; i++)
        pthread_create(&threads[i], NULL, produce, (void *)i);
    int result = consume();
    if (result != 0)
        exit(result);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    hn_ring_destroy(ring);
    hn_waker_close(&waker);
    printf("%d passed, 0 failed\n", PRODUCERS * ITEMS == 0 ? 0 : 1);
    return 0;
}
