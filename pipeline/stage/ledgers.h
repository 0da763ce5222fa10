/* The ledgers of a node: opened from genesis or snapshot, saved to snapshots. Private to pipeline/stage;
 * single-threaded: called before the cores start and after they have ended. */
#ifndef HN_PIPELINE_STAGE_LEDGERS_H
#define HN_PIPELINE_STAGE_LEDGERS_H

#include "pipeline/stage/wiring.h"
#include "shard/store/snapshot.h"

/* Makes a ledger from its genesis. On an error *problem says why where there is something to say. */
HN_MUST_USE hn_err hn_node_add_ledger(hn_node *node, hn_node_problem *problem,
                                      const hn_node_ledger_options *options, uint64_t table_seed);
void hn_node_remove_ledgers(hn_node *node);

/* Puts it at its newest snapshot when there is one, and makes it known to history and queries. */
HN_MUST_USE hn_err hn_node_open_ledger(hn_node *node, hn_node_problem *problem, hn_node_ledger *ledger,
                                       uint64_t table_seed);

/* Writes a snapshot; everything up to log_index has been executed and sealed. Failing is told and not fatal.
 */
HN_MUST_USE hn_err hn_node_save_ledger(hn_node *node, hn_node_ledger *ledger, uint64_t log_index);

#endif
