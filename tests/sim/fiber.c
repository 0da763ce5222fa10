#include "tests/sim/fiber.h"

#include "engine/base/check.h"

#include <stddef.h>
#include <stdlib.h>
#include <ucontext.h>

enum { STACK_BYTES = 1024 * 1024 };

struct hn_sim_fiber {
    ucontext_t context;
    ucontext_t caller;
    void *(*body)(void *self);
    void *self;
    uint64_t until_ns;
    bool has_ended;
    uint8_t *stack;
};

static hn_sim_fiber *fibers[HN_SIM_FIBERS_MAX];
static hn_sim_fiber *running;

static void run_body(void)
{
    hn_sim_fiber *fiber = running;
    (void)fiber->body(fiber->self);
    fiber->has_ended = true;
}

static hn_sim_fiber *make(void *(*body)(void *self), void *self)
{
    hn_sim_fiber *fiber = calloc(1, sizeof *fiber);
    HN_CHECK(fiber != NULL);
    fiber->stack = malloc(STACK_BYTES);
    fiber->body = body;
    fiber->self = self;
    HN_CHECK(fiber->stack != NULL && getcontext(&fiber->context) == 0);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    fiber->context.uc_link = &fiber->caller;
    makecontext(&fiber->context, run_body, 0);
    return fiber;
}

hn_sim_fiber *hn_sim_fiber_create(void *(*body)(void *self), void *self)
{
    size_t place = 0;
    while (fibers[place] != NULL)
        HN_CHECK(++place < HN_SIM_FIBERS_MAX);
    return fibers[place] = make(body, self);
}

void hn_sim_fiber_destroy(hn_sim_fiber *fiber)
{
    HN_CHECK(fiber->has_ended);
    for (size_t i = 0; i < HN_SIM_FIBERS_MAX; i++)
        if (fibers[i] == fiber)
            fibers[i] = NULL;
    free(fiber->stack);
    free(fiber);
}

bool hn_sim_fiber_is_running(void)
{
    return running != NULL;
}

void hn_sim_fiber_yield(uint64_t until_ns)
{
    hn_sim_fiber *fiber = running;
    fiber->until_ns = until_ns;
    HN_CHECK(swapcontext(&fiber->context, &fiber->caller) == 0);
}

bool hn_sim_fiber_run(hn_sim_fiber *fiber)
{
    if (fiber->has_ended)
        return false;
    HN_CHECK(running == NULL);
    running = fiber;
    HN_CHECK(swapcontext(&fiber->caller, &fiber->context) == 0);
    running = NULL;
    return !fiber->has_ended;
}

bool hn_sim_fibers_run_one(uint64_t now_ns, uint64_t choice)
{
    for (size_t i = 0; i < HN_SIM_FIBERS_MAX; i++) {
        hn_sim_fiber *fiber = fibers[(choice + i) % HN_SIM_FIBERS_MAX];
        if (fiber == NULL || fiber->has_ended || fiber->until_ns > now_ns)
            continue;
        (void)hn_sim_fiber_run(fiber);
        return true;
    }
    return false;
}
