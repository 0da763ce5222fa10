#include "pipeline/cli/signals.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

typedef enum phase { STARTING, RUNNING, STOPPING } phase;

/* Signals belong to the process, and so does this. */
static _Atomic phase now = STARTING;
static sem_t was_asked;
static const char *_Atomic temporary;

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    (void)remove(path);
    return 0;
}

void hn_remove_tree(const char *directory)
{
    (void)nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void end_at_once(int signal_number, phase in)
{
    static const char starting[] = "hanse: stopping at once, before it ran; nothing is lost\n";
    static const char running[] = "hanse: stopping at once; everything acknowledged is in the log\n";
    /* Not if that would wait for who reads it. */
    struct pollfd output = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&output, 1, 0) == 1)
        (void)!(in == STARTING ? write(STDERR_FILENO, starting, sizeof starting - 1)
                               : write(STDERR_FILENO, running, sizeof running - 1));
    const char *directory = atomic_load(&temporary);
    if (directory != NULL)
        hn_remove_tree(directory);
    _exit(128 + signal_number);
}

static void *take_signals(void *self)
{
    sigset_t signals;
    (void)self;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    for (;;) {
        int signal_number;
        if (sigwait(&signals, &signal_number) != 0)
            continue;
        phase expected = RUNNING;
        if (atomic_compare_exchange_strong(&now, &expected, STOPPING))
            sem_post(&was_asked);
        else
            end_at_once(signal_number, expected);
    }
    return NULL;
}

hn_err hn_signals_start(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_t thread;
    if (sem_init(&was_asked, 0, 0) != 0 || pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0 ||
        pthread_create(&thread, NULL, take_signals, NULL) != 0)
        return HN_ERR_SYSTEM;
    pthread_setname_np(thread, "hanse-signals");
    pthread_detach(thread);
    return HN_OK;
}

void hn_signals_remove_at_end(const char *directory)
{
    atomic_store(&temporary, directory);
}

void hn_signals_now_running(void)
{
    atomic_store(&now, RUNNING);
}

bool hn_signals_wait(unsigned milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (sem_timedwait(&was_asked, &until) != 0)
        if (errno != EINTR)
            return false;
    return true;
}
