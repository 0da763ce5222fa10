/* How fast the work on a backup goes, and how far it came: a bound of bytes a second, one line on a terminal
 * with the remaining time, and whether somebody wants it to end. One thread.
 */
#ifndef HN_PIPELINE_BACKUP_PACE_H
#define HN_PIPELINE_BACKUP_PACE_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hn_backup_pace {
    uint64_t rate;                /* bytes a second; 0: no bound */
    const volatile int *is_ended; /* set by a signal handler; may be NULL */
    const char *what;             /* "hanse backup: copying" */
    uint64_t total;               /* bytes that will pass; 0: unknown */
    uint64_t done;
    uint64_t begun_ns;
    uint64_t told_ns;
    bool is_shown;
    bool has_line;
} hn_backup_pace;

/* A new piece of work: `what`, of so many bytes. */
void hn_backup_pace_begin(hn_backup_pace *pace, const char *what, uint64_t total);

/* So many bytes are handled next; waits until that is allowed. HN_ERR_CLOSED: it is to end. Made for
 * hn_snapshot_pace, too. */
HN_MUST_USE hn_err hn_backup_pace_pass(void *pace, size_t bytes);

/* Somebody wants it to end; false without a pace. */
bool hn_backup_pace_is_ended(const hn_backup_pace *pace);

/* Ends the line, before anything else is written. */
void hn_backup_pace_end(hn_backup_pace *pace);

#endif
