/* How fast a snapshot is written: no faster than a byte rate, and slower whenever the log's own writes
 * suffer. Private to pipeline/stage; the snapshot thread's. */
#ifndef HN_PIPELINE_STAGE_SNAPSHOT_PACE_H
#define HN_PIPELINE_STAGE_SNAPSHOT_PACE_H

#include "pipeline/stage/wiring.h"
#include "shard/store/snapshot.h"

typedef struct hn_pace {
    const hn_log_view *log;
    const atomic_bool *stop;
    uint64_t bytes_per_second;  /* 0: as fast as the log allows */
    uint64_t next_ns;           /* when the next piece may be written, by the rate */
    uint64_t seen_writes;       /* of the log, at the last look */
    uint64_t usual_ns;          /* p99 of the log's writes while no snapshot was written; 0: unknown */
    uint64_t pause_ns;          /* before each piece, because the log suffers */
    _Atomic uint64_t slowed_ns; /* all such pauses together */
} hn_pace;

void hn_pace_init(hn_pace *pace, const hn_log_view *log, const atomic_bool *stop, uint64_t bytes_per_second);

/* Learns what is usual: call it now and then while no snapshot is written. */
void hn_pace_learn(hn_pace *pace);

/* For hn_snapshot_pace. HN_ERR_CLOSED: the node stops. */
hn_err hn_pace_before(void *pace, size_t bytes);

/* p99 of the log's newest writes since `*seen_writes` writes in all (which moves on), of at most the newest
 * HN_LOG_WRITES_SEEN; 0 when there are fewer than `least`, and then *seen_writes stays. */
uint64_t hn_pace_log_p99(const hn_log_view *log, uint64_t *seen_writes, unsigned least);

#endif
