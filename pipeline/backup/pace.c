#include "pipeline/backup/pace.h"

#include "pipeline/core/core.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define TELL_NS   UINT64_C(250000000)
#define WAIT_NS   UINT64_C(100000000) /* at once, so that a signal is heard */

void hn_backup_pace_begin(hn_backup_pace *pace, const char *what, uint64_t total)
{
    hn_backup_pace_end(pace);
    pace->what = what;
    pace->total = total;
    pace->done = 0;
    pace->begun_ns = pace->told_ns = hn_clock_monotonic_ns();
    pace->is_shown = isatty(STDERR_FILENO) == 1;
}

static void tell(hn_backup_pace *pace, uint64_t now_ns)
{
    if (!pace->is_shown || now_ns - pace->told_ns < TELL_NS)
        return;
    double seconds = (double)(now_ns - pace->begun_ns) / 1e9, mebibytes = (double)pace->done / 1048576.0;
    fprintf(stderr, "\r%s: %.0f MiB, %.1f MiB/s", pace->what, mebibytes, mebibytes / seconds);
    if (pace->total > pace->done && pace->done != 0)
        fprintf(stderr, ", %.0f s left", seconds * (double)(pace->total - pace->done) / (double)pace->done);
    fputs(" \033[K", stderr);
    pace->has_line = true;
    pace->told_ns = now_ns;
}

bool hn_backup_pace_is_ended(const hn_backup_pace *pace)
{
    return pace != NULL && pace->is_ended != NULL && *pace->is_ended != 0;
}

hn_err hn_backup_pace_pass(void *self, size_t bytes)
{
    hn_backup_pace *pace = self;
    pace->done += bytes;
    for (;;) {
        uint64_t now_ns = hn_clock_monotonic_ns();
        tell(pace, now_ns);
        if (hn_backup_pace_is_ended(pace))
            return HN_ERR_CLOSED;
        if (pace->rate == 0)
            return HN_OK;
        uint64_t due_ns =
            pace->begun_ns + (uint64_t)((double)pace->done * (double)SECOND_NS / (double)pace->rate);
        if (now_ns >= due_ns)
            return HN_OK;
        uint64_t wait_ns = due_ns - now_ns < WAIT_NS ? due_ns - now_ns : WAIT_NS;
        const struct timespec wait = {.tv_nsec = (long)wait_ns};
        (void)nanosleep(&wait, NULL);
    }
}

void hn_backup_pace_end(hn_backup_pace *pace)
{
    if (pace->has_line)
        fputc('\n', stderr);
    pace->has_line = false;
}
