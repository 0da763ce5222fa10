/* The logs of a simulated call, and on demand a log for each transfer of ether, as eth_simulateV1 shows them:
 * as if ether were a token at the address 0xeee...e. Logs of frames that failed are left out.
 */
#ifndef HN_PIPELINE_QUERY_TRANSFERS_H
#define HN_PIPELINE_QUERY_TRANSFERS_H

#include "engine/evm/tracer.h"
#include "pipeline/query/simulation.h"

typedef struct hn_transfers {
    hn_tracer hooks;
    hn_arena *arena;
    bool with_ether;
    bool has_failed;     /* out of memory */
    uint32_t next_index; /* of a log in its block; those left out are counted */
    hn_log *logs;
    uint32_t *indexes;
    uint32_t count;
    uint32_t capacity;
    uint32_t *frames; /* how many logs there were when each open frame began */
    uint32_t depth;
    uint32_t depth_capacity;
} hn_transfers;

void hn_transfers_init(hn_transfers *self, hn_arena *arena, bool with_ether);
void hn_transfers_begin_block(hn_transfers *self);
void hn_transfers_begin(hn_transfers *self);

/* Puts the call's logs into *out. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_transfers_take(hn_transfers *self, hn_simulated_outcome *out);

#endif
