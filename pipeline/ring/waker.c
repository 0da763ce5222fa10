#include "pipeline/ring/waker.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

hn_err hn_waker_open(hn_waker *waker)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return HN_ERR_SYSTEM;
    waker->event_fd = fd;
    atomic_init(&waker->asleep, false);
    return HN_OK;
}

void hn_waker_close(hn_waker *waker)
{
    close(waker->event_fd);
    waker->event_fd = -1;
}

void hn_waker_wake(hn_waker *waker)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&waker->asleep, memory_order_relaxed))
        return;
    if (!atomic_exchange_explicit(&waker->asleep, false, memory_order_relaxed))
        return; /* another producer was first */
    uint64_t one = 1;
    /* It can only fail when the counter is full, and then the consumer is about to wake anyway. */
    ssize_t written = write(waker->event_fd, &one, sizeof one);
    (void)written;
}

void hn_waker_announce(hn_waker *waker)
{
    atomic_store_explicit(&waker->asleep, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

void hn_waker_cancel(hn_waker *waker)
{
    atomic_store_explicit(&waker->asleep, false, memory_order_relaxed);
}

void hn_waker_drain(hn_waker *waker)
{
    atomic_store_explicit(&waker->asleep, false, memory_order_relaxed);
    uint64_t count;
    ssize_t got = read(waker->event_fd, &count, sizeof count);
    (void)got;
}
