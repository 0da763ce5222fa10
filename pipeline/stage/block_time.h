/* When frames are cut, and when a strict ledger may have its next block, whatever the machine's clock does.
 */
#ifndef HN_PIPELINE_STAGE_BLOCK_TIME_H
#define HN_PIPELINE_STAGE_BLOCK_TIME_H

#include "pipeline/stage/wiring.h"

/* The time of a frame that is cut now: nanoseconds since 1970 that never go back in the log. Tells when the
 * clock is behind it. Front. */
uint64_t hn_node_next_timestamp_ns(hn_node *node);

/* How far the clock is behind the newest frame. Any core. */
uint64_t hn_node_clock_behind_ns(const hn_node *node);

/* Whether the ledger may have a block in a frame of this time: always, but a strict one has at most one a
 * second. Any core. */
bool hn_node_is_period_over(const hn_node_ledger *ledger, uint64_t timestamp_ns, uint64_t monotonic_ns);

/* It has one. Front. */
void hn_node_note_cut(hn_node_ledger *ledger, uint64_t timestamp_ns, uint64_t monotonic_ns);

#endif
