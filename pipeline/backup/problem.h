/* What is wrong and where, for people: filled by whatever fails in this module. */
#ifndef HN_PIPELINE_BACKUP_PROBLEM_H
#define HN_PIPELINE_BACKUP_PROBLEM_H

#include "engine/base/err.h"

typedef struct hn_backup_problem {
    char text[512];
} hn_backup_problem;

/* printf into a problem that may be NULL; returns `err`. */
__attribute__((format(printf, 3, 4))) hn_err hn_backup_report(hn_backup_problem *problem, hn_err err,
                                                              const char *format, ...);

/* "WHAT: " and the system's text of `error`; HN_ERR_NO_SPACE, HN_ERR_NOT_FOUND, HN_ERR_EXISTS or HN_ERR_IO.
 */
hn_err hn_backup_report_errno(hn_backup_problem *problem, const char *what, int error);

#endif
