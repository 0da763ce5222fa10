#ifndef HN_PIPELINE_STAGE_LOG_VIEW_H
#define HN_PIPELINE_STAGE_LOG_VIEW_H

#include "engine/base/bytes.h"
#include "pipeline/stage/limits.h"

#include <stdatomic.h>
#include <stdint.h>

/* The log as others may see it; front writes it after each look at the log. */
typedef struct hn_log_view {
    _Atomic uint32_t state; /* hn_log_state */
    _Atomic uint32_t in_flight;
    _Atomic uint64_t last_index;
    _Atomic uint64_t frames;
    _Atomic uint64_t bytes;
    _Atomic uint64_t segments;
    _Atomic uint64_t dropped; /* segments given up since the start */
    _Atomic uint64_t room_bytes;
    /* What the newest writes took: of write n at n % HN_LOG_WRITES_SEEN, of `writes` in all. */
    _Atomic uint64_t writes;
    _Atomic uint64_t write_ns[HN_LOG_WRITES_SEEN];
    hn_hash closed_chain; /* chain value of its last frame, when it has been closed; zero: unknown */
} hn_log_view;

#endif
