/* Import: blocks from outside go into one ledger of a node that was created and not started.
 *
 * Each block is checked and executed on the head; then it goes into the log, as it is, many of them in one
 * durable write, and into the history once its frame is durable. What is in the log by then survives whatever
 * happens; the rest is imported again. The main thread calls.
 */
#ifndef HN_PIPELINE_STAGE_IMPORT_H
#define HN_PIPELINE_STAGE_IMPORT_H

#include "engine/base/bytes.h"
#include "pipeline/stage/node.h"

typedef struct hn_importer hn_importer;

/* `ledger` is a number below the node's count of them. The node outlives the importer. */
HN_MUST_USE hn_err hn_importer_create(hn_importer **out, hn_node *node, uint32_t ledger);
void hn_importer_destroy(hn_importer *importer);

/* Number and hash of the newest block, durable or not. */
uint64_t hn_importer_head(const hn_importer *importer, hn_hash *hash);

/* Takes one block, RLP. *is_new false: the ledger had it. Errors with *problem, which names the block as far
 * as it is known: HN_ERR_INVALID (not valid, or it does not follow the head), HN_ERR_EXISTS (another block
 * stands at its number): nothing has changed, and importing can go on. Every other error ends it:
 * HN_ERR_NO_SPACE, HN_ERR_IO, HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_importer_take(hn_importer *importer, bool *is_new, hn_node_problem *problem,
                                    hn_bytes rlp);

/* Makes everything taken durable, and writes snapshots when anything was. After an error that ended importing
 * it does nothing. */
HN_MUST_USE hn_err hn_importer_finish(hn_importer *importer, hn_node_problem *problem);

/* True after an error that ended importing: what hn_importer_head says may then not be on the disk. */
bool hn_importer_has_failed(const hn_importer *importer);

typedef struct hn_import_counts {
    uint64_t blocks;
    uint64_t known; /* blocks that were there */
    uint64_t transactions;
    uint64_t gas_used;
    uint64_t writes; /* of the log, durable */
} hn_import_counts;
hn_import_counts hn_importer_count(const hn_importer *importer);

#endif
