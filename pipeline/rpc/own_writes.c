#include "pipeline/rpc/own_writes.h"

#include <stdlib.h>
#include <string.h>

/* A call that waits, in its exchange's arena. */
typedef struct waiting_call {
    struct waiting_call *next;
    hn_rpc_call *call;
    const hn_rpc_method *method;
    uint64_t block;
    uint64_t give_up_ms;
} waiting_call;

/* Blocks only grow, so those that wait are in the order in which they can go on. */
typedef struct ledger_writes {
    uint64_t told; /* newest block that somebody was told of */
    uint64_t seen; /* newest block known to be visible */
    waiting_call *first;
    waiting_call **end; /* where the next one comes */
} ledger_writes;

struct hn_rpc_own_writes {
    uint32_t waiting_ledgers; /* that calls wait for */
    ledger_writes ledgers[];
};

hn_err hn_rpc_own_writes_create(hn_rpc_core *core)
{
    uint32_t count = core->backend->ledger_count;
    core->own_writes = calloc(1, sizeof *core->own_writes + count * sizeof core->own_writes->ledgers[0]);
    if (core->own_writes == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        core->own_writes->ledgers[i].end = &core->own_writes->ledgers[i].first;
    return HN_OK;
}

void hn_rpc_own_writes_destroy(hn_rpc_core *core)
{
    free(core->own_writes);
}

void hn_rpc_own_writes_note(hn_rpc_core *core, uint32_t ledger, uint64_t block)
{
    ledger_writes *writes = &core->own_writes->ledgers[ledger];
    if (block > writes->told && core->backend->operations->visible_block != NULL)
        writes->told = block;
}

static bool can_be_seen(const hn_rpc_core *core, uint32_t ledger, uint64_t block)
{
    const hn_backend *backend = core->backend;
    ledger_writes *writes = &core->own_writes->ledgers[ledger];
    if (writes->seen < block)
        writes->seen = backend->operations->visible_block(backend->self, ledger);
    return writes->seen >= block;
}

/* Those that say nothing of blocks, or bring something new. */
static bool is_indifferent(const hn_rpc_method *method)
{
    static const char *const beginnings[] = {"eth_sendRaw", "eth_chainId", "net_", "web3_", "rpc_"};
    for (unsigned i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        if (strncmp(method->name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

void hn_rpc_own_writes_run(hn_rpc_call *call, const hn_rpc_method *method)
{
    hn_rpc_core *core = call->core;
    const hn_backend *backend = core->backend;
    ledger_writes *writes = &core->own_writes->ledgers[call->ledger];
    waiting_call *waiting = NULL;
    if (writes->seen < writes->told && !is_indifferent(method) &&
        !can_be_seen(core, call->ledger, writes->told))
        waiting = hn_arena_calloc(call->arena, 1, sizeof *waiting);
    if (waiting == NULL) {
        method->run(call);
        return;
    }
    *waiting = (waiting_call){.call = call,
                              .method = method,
                              .block = writes->told,
                              .give_up_ms = hn_rpc_now_ms() + core->config.own_writes_timeout_ms};
    hn_rpc_exchange_hold(call->exchange);
    bool is_first = writes->first == NULL;
    *writes->end = waiting;
    writes->end = &waiting->next;
    if (!is_first)
        return;
    core->own_writes->waiting_ledgers++;
    backend->operations->wake_at(backend->self, call->ledger, waiting->block);
}

/* Runs those at the front of the queue that can see what they waited for, or have waited long enough. */
static void run_some(hn_rpc_core *core, uint32_t ledger, uint64_t now_ms)
{
    const hn_backend *backend = core->backend;
    ledger_writes *writes = &core->own_writes->ledgers[ledger];
    while (writes->first != NULL) {
        const waiting_call *next = writes->first;
        if (!can_be_seen(core, ledger, next->block) && next->give_up_ms > now_ms) {
            backend->operations->wake_at(backend->self, ledger, next->block);
            return;
        }
        hn_rpc_call *call = next->call;
        const hn_rpc_method *method = next->method;
        hn_rpc_exchange *exchange = call->exchange;
        writes->first = next->next;
        if (writes->first == NULL) {
            writes->end = &writes->first;
            core->own_writes->waiting_ledgers--;
        }
        if (!hn_rpc_exchange_is_abandoned(exchange))
            method->run(call);
        hn_rpc_exchange_release(exchange);
    }
}

void hn_rpc_own_writes_poll(hn_rpc_core *core)
{
    if (core->own_writes->waiting_ledgers == 0)
        return;
    for (uint32_t i = 0; i < core->backend->ledger_count; i++)
        if (core->own_writes->ledgers[i].first != NULL)
            run_some(core, i, 0);
}

void hn_rpc_own_writes_expire(hn_rpc_core *core, uint64_t now_ms)
{
    if (core->own_writes->waiting_ledgers == 0)
        return;
    for (uint32_t i = 0; i < core->backend->ledger_count; i++)
        if (core->own_writes->ledgers[i].first != NULL)
            run_some(core, i, now_ms);
}
