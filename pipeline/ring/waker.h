/* How a core that sleeps is woken.
 *
 * A consumer that finds nothing to do announces that it is about to sleep, looks once more, and blocks on the
 * event descriptor; a producer that has published something writes the descriptor only when the consumer
 * announced sleep. So a busy consumer costs its producers one load, and no wake-up is lost: announcement and
 * second look on one side, publication and load on the other, are ordered by full fences.
 */
#ifndef HN_PIPELINE_RING_WAKER_H
#define HN_PIPELINE_RING_WAKER_H

#include "engine/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>

typedef struct hn_waker {
    _Alignas(64) atomic_bool asleep;
    int event_fd;
} hn_waker;

HN_MUST_USE hn_err hn_waker_open(hn_waker *waker);
void hn_waker_close(hn_waker *waker);

/* Any core, after publishing. */
void hn_waker_wake(hn_waker *waker);

/* The consumer: announce, look once more, then sleep or cancel. */
void hn_waker_announce(hn_waker *waker);
void hn_waker_cancel(hn_waker *waker);
/* Empties the descriptor after waking up. */
void hn_waker_drain(hn_waker *waker);

#endif
