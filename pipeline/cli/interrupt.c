#include "pipeline/cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t is_interrupted;
_Static_assert(sizeof(sig_atomic_t) == sizeof(int), "one is the other");

static void interrupt(int number)
{
    (void)number;
    is_interrupted = 1;
}

void hn_interrupt_take(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    struct sigaction none = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigemptyset(&none.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGPIPE, &none, NULL);
    (void)sigaction(SIGXFSZ, &none, NULL);
}

void hn_interrupt_release(void)
{
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
}

const volatile int *hn_interrupt_flag(void)
{
    return &is_interrupted;
}
