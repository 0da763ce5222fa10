/* What the ledger must say after a run. */
#ifndef HN_BENCH_LOAD_EXPECT_H
#define HN_BENCH_LOAD_EXPECT_H

#include "bench/load/pacer.h"
#include "bench/load/plan.h"
#include "bench/load/state.h"

/* Before the run: reads the balances that it will change. */
HN_MUST_USE hn_err hn_load_expect_begin(hn_load_state *out, const hn_load_plan *plan, hn_load_rpc *rpc);

/* After it: computes what they must be now from what became of each transaction. */
void hn_load_expect_end(hn_load_state *state, const hn_load_plan *plan, const hn_load_pacer *pacer);

/* swap, whose outcome depends on the order: no token may have appeared or gone, and the exchange may not have
 * lost. Adds the balances found to the state. Says on standard error what is wrong: HN_ERR_MISMATCH. */
HN_MUST_USE hn_err hn_load_expect_conserved(hn_load_state *state, const hn_load_plan *plan, hn_load_rpc *rpc);

#endif
