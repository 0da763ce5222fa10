/* How often each opcode was executed in a state transition, system calls included. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_COUNT_H
#define HN_PIPELINE_CLI_EVM_T8N_COUNT_H

#include "engine/evm/tracer.h"

#include <stdio.h>

typedef struct hn_t8n_count {
    bool is_wanted;
    uint64_t counts[256];
    const hn_tracer *listener; /* is told everything, too; NULL: nobody */
    hn_tracer tracer;
} hn_t8n_count;

/* The tracer to run with: `listener` itself (it may be NULL) when nothing is to be counted. Good until the
 * next call. */
hn_tracer *hn_t8n_count_tracer(hn_t8n_count *count, hn_tracer *listener);

/* {"ADD":3,...}, by name. */
void hn_t8n_count_print(const hn_t8n_count *count, FILE *file);

#endif
