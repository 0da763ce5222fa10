#include "pipeline/cli/progress.h"

#include "pipeline/core/core.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define TELL_NS UINT64_C(250000000)

void hn_progress_begin(hn_progress *progress)
{
    uint64_t now_ns = hn_clock_monotonic_ns();
    *progress = (hn_progress){.is_shown = isatty(STDERR_FILENO) == 1, .begun_ns = now_ns, .told_ns = now_ns};
}

void hn_progress_tell(hn_progress *progress, const char *command, uint64_t number, uint64_t blocks)
{
    if (!progress->is_shown)
        return;
    uint64_t now_ns = hn_clock_monotonic_ns();
    uint64_t passed_ns = now_ns - progress->told_ns;
    if (passed_ns < TELL_NS)
        return;
    double rate = (double)(blocks - progress->told_blocks) * 1e9 / (double)passed_ns;
    fprintf(stderr, "\rhanse %s: block %" PRIu64 ", %.0f blocks/s, %.0f s \033[K", command, number, rate,
            hn_progress_seconds(progress));
    progress->has_line = true;
    progress->told_ns = now_ns;
    progress->told_blocks = blocks;
}

void hn_progress_end(hn_progress *progress)
{
    if (progress->has_line)
        fputc('\n', stderr);
    progress->has_line = false;
}

double hn_progress_seconds(const hn_progress *progress)
{
    return (double)(hn_clock_monotonic_ns() - progress->begun_ns) / 1e9;
}
