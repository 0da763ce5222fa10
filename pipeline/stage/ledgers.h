/* The ledgers of a node: opened from genesis or snapshot, saved to snapshots. Private to pipeline/stage;
 * called before the cores start and after they have ended, except where something else is said. */
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

/* Tells the executor of the block hashes that were sealed since. Its shard's core; the main thread after the
 * cores have ended. */
void hn_node_note_sealed(hn_node_ledger *ledger);

/* A sealed block was executed before the cores started: the ledger's numbers and hashes move on to it. When
 * the executor knows its hash, noted_number is to move on as well. */
void hn_node_note_block(hn_node_ledger *ledger, const hn_executed_block *block);

/* Sets what a frame may hold of the ledger's gas: no more than its next block will allow. Its shard's core;
 * the main thread before the cores have started. */
void hn_node_set_gas_limit(hn_node_ledger *ledger);

/* Outcomes of the newest transactions, from the history, for those who submit again: of what snapshots
 * contain nothing is replayed. */
HN_MUST_USE hn_err hn_node_remember_history(hn_node *node);

/* Writes a snapshot; everything up to log_index has been executed and sealed. Failing is told and not fatal.
 */
HN_MUST_USE hn_err hn_node_save_ledger(hn_node *node, hn_node_ledger *ledger, uint64_t log_index);

#endif
