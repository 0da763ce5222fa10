/* Inside of the query engine: what its files share. */
#ifndef HN_PIPELINE_QUERY_ENGINE_INTERNAL_H
#define HN_PIPELINE_QUERY_ENGINE_INTERNAL_H

#include "engine/evm/tracer.h"
#include "pipeline/query/engine.h"
#include "pipeline/query/sealed.h"

#include <stdatomic.h>

enum { HN_QUERY_LEDGERS_MAX = 1024 };

/* Sealed blocks that queries do not see yet, oldest first. Only on the owner's thread. */
typedef struct hn_ahead {
    uint32_t first;
    uint32_t count;
    const hn_executed_block *blocks[HN_QUERY_AHEAD_MAX]; /* a ring */
} hn_ahead;

static inline const hn_executed_block *hn_ahead_block(const hn_ahead *ahead, uint32_t index)
{
    return ahead->blocks[(ahead->first + index) % HN_QUERY_AHEAD_MAX];
}

/* The ledgers, which the engine that was created and its readers share. All are added before there is a
 * reader. */
typedef struct hn_query_ledgers {
    uint32_t count;
    hn_sealed ledgers[HN_QUERY_LEDGERS_MAX];
    hn_sealer *sealers[HN_QUERY_LEDGERS_MAX];
    hn_ahead ahead[HN_QUERY_LEDGERS_MAX];
} hn_query_ledgers;

/* A reader's way to the owner; it has one errand at a time. */
struct hn_query_errand {
    pthread_mutex_t lock;
    pthread_cond_t is_over;
    bool is_done;
    void (*work)(void *self);
    void *work_self;
};

/* brief.c. A call that runs for as long as it is short. */
typedef struct hn_query_brief {
    hn_tracer hooks;
    hn_evm *evm;
    uint64_t left; /* of its budget */
    bool is_over;  /* it is not short */
} hn_query_brief;

enum { HN_QUERY_BRIEF_TARGETS = 256 };

struct hn_query_engine {
    hn_query_options options;
    uint32_t reader; /* 0: the one that owns the ledgers */
    const hn_precompile_context *precompiles;
    const hn_signature_context *signatures;
    hn_history *history;
    hn_history_reader *past; /* of this engine alone; NULL: there is no history */
    hn_evm *evm;
    hn_state *state;
    hn_arena scratch; /* one block's or one query's */
    hn_query_ledgers *shared;
    hn_sealer **sealers; /* of the ledgers; only on the owner's thread */
    void (*carry)(void *self, hn_query_errand *errand);
    void *carry_self;
    hn_query_errand errand;
    hn_query_brief *brief; /* of the call that runs; NULL: it may take its time */
    /* By a hash of what is called: so many calls to it are not tried, for the last try was in vain. */
    uint8_t brief_rests[HN_QUERY_BRIEF_TARGETS];

    /* The query that runs: its number, which never comes back, and its deadline (0: nothing to interrupt).
     * Who interrupts leaves the number, so that a query hit by an interruption meant for the one before it is
     * run again. */
    atomic_uint_fast64_t run_number;
    atomic_uint_fast64_t run_deadline_ms;
    atomic_uint_fast64_t interrupted_number;
};

/* The running query's deadline has come: for what does not run in the machine. */
static inline bool hn_query_is_late(const hn_query_engine *engine)
{
    return atomic_load(&engine->interrupted_number) == atomic_load(&engine->run_number);
}

/* run.c. Answers a query, once; HN_ERR_TIMEOUT: interrupted, whyever. */
HN_MUST_USE hn_err hn_query_run_once(hn_query_engine *engine, hn_query *query);

/* errand.c. Does something on the owner's thread and waits until it is done. */
void hn_query_on_owner(hn_query_engine *engine, void (*work)(void *self), void *self);

/* What running something at a block needs. */
typedef struct hn_query_place_in_chain {
    const hn_sealed *sealed;
    const hn_state_view *view;
    const hn_header *header;
    const hn_hash *hash;
} hn_query_place_in_chain;

/* call.c. Prepares context and state for query->call: overrides, price, gas. False: query->result says why it
 * cannot start. */
bool hn_query_begin_call(hn_query_engine *engine, hn_block_context *context, hn_query *query,
                         const hn_query_place_in_chain *place);
HN_MUST_USE hn_err hn_query_run_call(hn_query_engine *engine, hn_query *query,
                                     const hn_query_place_in_chain *place);

/* trace.c */
HN_MUST_USE hn_err hn_query_run_trace(hn_query_engine *engine, hn_query *query,
                                      const hn_query_place_in_chain *place);

/* simulate.c */
HN_MUST_USE hn_err hn_query_run_simulation(hn_query_engine *engine, hn_query *query,
                                           const hn_query_place_in_chain *place);

/* call.c */
void hn_query_apply_override(hn_state *state, const hn_account_override *override);
void hn_query_override_block(hn_evm_block *block, const hn_block_override *override);

/* proof.c */
HN_MUST_USE hn_err hn_query_run_proof(hn_query_engine *engine, hn_query *query,
                                      const hn_query_place_in_chain *place);

#endif
