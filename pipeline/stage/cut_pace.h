/* When frames are cut: group commit that adapts to the load and to the disk.
 *
 * With no write of the log on its way a frame is cut at once, so that a lone transaction waits for nobody.
 * Else what comes is gathered, for each frame costs a write, a block and its roots, however little it holds:
 * frames follow each other at the pace at which the disk completes them, spread evenly over the writes it may
 * have at once, and no faster than a frame is worth. While so many are still being checked that the cores are
 * busy with them anyway, frames wait longer for them. As many as make a large frame are not kept waiting.
 *
 * A plain value; times are monotonic nanoseconds. Front.
 */
#ifndef HN_PIPELINE_STAGE_CUT_PACE_H
#define HN_PIPELINE_STAGE_CUT_PACE_H

#include <stdint.h>

enum {
    HN_CUT_SPACING_NS_MIN = 600 * 1000,
    HN_CUT_SPACING_NS_BUSY = 2500 * 1000, /* the same, while more than a few are on their way */
};

typedef struct hn_cut_pace {
    uint64_t last_cut_ns;
    uint64_t write_ns;  /* how long a write of the log takes; smoothed over the last ones */
    uint32_t write_max; /* writes that the log may have on their way; at least 1 */
} hn_cut_pace;

/* A frame was cut, and another is durable after so long. */
void hn_cut_pace_note_cut(hn_cut_pace *pace, uint64_t now_ns);
void hn_cut_pace_note_write(hn_cut_pace *pace, uint64_t took_ns);

/* When the next frame is due: 0, that is now, or a time. `in_flight` are the log's writes on their way and
 * `ready` the transactions that wait; `coming` are those that are still being checked. */
uint64_t hn_cut_pace_due_ns(const hn_cut_pace *pace, unsigned in_flight, uint64_t ready, uint64_t coming);

#endif
