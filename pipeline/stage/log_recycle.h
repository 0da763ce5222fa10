/* Giving up the beginning of the log, by policy. Private to pipeline/stage; the snapshot thread's. */
#ifndef HN_PIPELINE_STAGE_LOG_RECYCLE_H
#define HN_PIPELINE_STAGE_LOG_RECYCLE_H

#include "pipeline/stage/wiring.h"

/* After snapshots were written, and older ones removed: gives up the segments that neither two independent
 * ways back of every ledger need nor the options keep. Nothing without the option, or while the block history
 * is behind. What goes wrong is told; the log goes on. */
void hn_node_recycle_log(hn_node *node);

#endif
