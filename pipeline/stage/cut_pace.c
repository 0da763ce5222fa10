#include "pipeline/stage/cut_pace.h"
#include "pipeline/stage/limits.h"

void hn_cut_pace_note_cut(hn_cut_pace *pace, uint64_t now_ns)
{
    pace->last_cut_ns = now_ns;
}

void hn_cut_pace_note_write(hn_cut_pace *pace, uint64_t took_ns)
{
    pace->write_ns = (7 * pace->write_ns + took_ns) / 8;
}

uint64_t hn_cut_pace_due_ns(const hn_cut_pace *pace, unsigned in_flight, uint64_t ready, uint64_t coming)
{
    if (in_flight == 0 || ready >= HN_FRAME_WORTHWHILE)
        return 0;
    uint64_t disk_ns = pace->write_ns / pace->write_max;
    uint64_t least_ns = coming > HN_FEW_COMING ? HN_CUT_SPACING_NS_BUSY : HN_CUT_SPACING_NS_MIN;
    return pace->last_cut_ns + (disk_ns > least_ns ? disk_ns : least_ns);
}
