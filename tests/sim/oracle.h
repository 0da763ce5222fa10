/* What must have become of everything: keeps the frames that were handed to the log, executes those that are
 * there for good, serially, by an executor of its own, and compares a node with the outcome.
 *
 * Beside the engine's own transition (serial F), which could be wrong in both places, stands plain
 * arithmetic: what the sinks and the counter contract must hold follows from which transactions were
 * included.
 */
#ifndef HN_TESTS_SIM_ORACLE_H
#define HN_TESTS_SIM_ORACLE_H

#include "engine/engine.h"
#include "pipeline/stage/node.h"
#include "tests/sim/traffic.h"

typedef struct hn_sim_oracle hn_sim_oracle;

typedef struct hn_sim_oracle_options {
    uint32_t ledgers;
    hn_sim_traffic *traffic;
    const hn_signature_context *signatures;
    const hn_precompile_context *precompiles;
    void *self;
    void (*failed)(void *self, const char *what);
} hn_sim_oracle_options;

hn_sim_oracle *hn_sim_oracle_create(const hn_sim_oracle_options *options);
void hn_sim_oracle_destroy(hn_sim_oracle *oracle);

/* A frame went to the log under this index; what had it before was never durable. `durable_index`: of the log
 * at that moment. */
void hn_sim_oracle_note_appended(hn_sim_oracle *oracle, uint64_t index, hn_bytes payload,
                                 uint64_t durable_index);

/* A frame was read back: it must be the one that was appended. */
void hn_sim_oracle_check_frame(hn_sim_oracle *oracle, const hn_frame *frame);

/* The log was read to its end: frames above `last_index` are gone for good, the others stay for good. */
void hn_sim_oracle_settle(hn_sim_oracle *oracle, uint64_t last_index);

/* Executes all frames up to `index`. */
void hn_sim_oracle_advance(hn_sim_oracle *oracle, uint64_t index);

/* Compares a node that has recovered, or stands still, with the outcome of all frames up to `index`: block
 * hashes, roots, receipts, history, balances. */
void hn_sim_oracle_compare(hn_sim_oracle *oracle, hn_node *node, uint64_t index);

/* The blocks that readers see at a node that runs: none that is not durable, and those that must be. */
void hn_sim_oracle_compare_published(hn_sim_oracle *oracle, hn_node *node);

/* Everything acknowledged was included where it was said, in frames up to `index`. */
void hn_sim_oracle_check_acknowledged(hn_sim_oracle *oracle, uint64_t index);

/* The newest frame that any frame up to `last_complete` proves to have been durable, not counting what stands
 * in `lost`. */
uint64_t hn_sim_oracle_proved(const hn_sim_oracle *oracle, uint64_t last_complete, uint64_t lost);

/* A number that stands for all blocks so far. */
uint64_t hn_sim_oracle_digest(const hn_sim_oracle *oracle);

uint64_t hn_sim_oracle_advanced(const hn_sim_oracle *oracle);

#endif
