/* Snapshots while the node runs: a thread of its own that writes one ledger after the other, as its state was
 * at one block, checks what it has written, and only then lets it count and removes older ones. Private to
 * pipeline/stage; main thread, except where something else is said. */
#ifndef HN_PIPELINE_STAGE_SNAPSHOT_WRITER_H
#define HN_PIPELINE_STAGE_SNAPSHOT_WRITER_H

#include "pipeline/stage/wiring.h"

/* Needs the back core running, or about to be started. */
HN_MUST_USE hn_err hn_node_start_snapshots(hn_node *node);
/* Gives up what is being written, and ends the thread. The back core runs still. */
void hn_node_stop_snapshots(hn_node *node);
/* After that, when nobody asks for the status any more. Nothing when it was not started. */
void hn_node_destroy_snapshots(hn_node *node);

/* Begins a round over all ledgers as soon as the one that runs is over. Any thread. */
void hn_node_ask_for_snapshots(hn_node *node);

/* Any thread. */
typedef struct hn_snapshot_status {
    const char *state;   /* "idle", "writing", "verifying" */
    const char *ledger;  /* of what is being done; "" */
    uint64_t rounds;     /* over all ledgers, begun by themselves or asked for */
    uint64_t written;    /* snapshots that count */
    uint64_t failed;     /* those that could not be written or did not check out */
    uint64_t bytes;      /* of all written */
    uint64_t last_index; /* log position that every ledger's newest snapshot of the last round reaches */
    uint64_t last_ns;    /* that the last one took, checks included */
    uint64_t slowed_ns;  /* waited because the log was slower than usual */
} hn_snapshot_status;
hn_snapshot_status hn_node_snapshot_status(const hn_node *node);

#endif
