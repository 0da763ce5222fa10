/* One line on a terminal that is written again and again while a command works; nothing elsewhere. */
#ifndef HN_PIPELINE_CLI_PROGRESS_H
#define HN_PIPELINE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct hn_progress {
    bool is_shown;
    bool has_line;
    uint64_t begun_ns;
    uint64_t told_ns;
    uint64_t told_blocks;
} hn_progress;

/* Standard error. */
void hn_progress_begin(hn_progress *progress);

/* At most a few times a second: "COMMAND: block N, R blocks/s". `blocks` counts those done so far. */
void hn_progress_tell(hn_progress *progress, const char *command, uint64_t number, uint64_t blocks);

/* Ends the line, before anything else is written. */
void hn_progress_end(hn_progress *progress);

/* Since the beginning. */
double hn_progress_seconds(const hn_progress *progress);

#endif
