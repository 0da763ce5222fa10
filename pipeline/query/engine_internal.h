/* Inside of the query engine: what its files share. */
#ifndef HN_PIPELINE_QUERY_ENGINE_INTERNAL_H
#define HN_PIPELINE_QUERY_ENGINE_INTERNAL_H

#include "pipeline/query/engine.h"
#include "pipeline/query/sealed.h"

enum { HN_QUERY_LEDGERS_MAX = 1024 };

struct hn_query_engine {
    hn_query_options options;
    const hn_signature_context *signatures;
    hn_history *history;
    hn_evm *evm;
    hn_state *state;
    hn_arena scratch; /* one block's or one query's */
    uint32_t ledger_count;
    hn_sealed ledgers[HN_QUERY_LEDGERS_MAX];
};

#endif
