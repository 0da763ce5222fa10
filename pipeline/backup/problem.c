#include "pipeline/backup/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

hn_err hn_backup_report(hn_backup_problem *problem, hn_err err, const char *format, ...)
{
    if (problem == NULL)
        return err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return err;
}

hn_err hn_backup_report_errno(hn_backup_problem *problem, const char *what, int error)
{
    hn_err err = HN_ERR_IO;
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        err = HN_ERR_NO_SPACE;
    else if (error == ENOENT)
        err = HN_ERR_NOT_FOUND;
    else if (error == EEXIST || error == ENOTEMPTY)
        err = HN_ERR_EXISTS;
    return hn_backup_report(problem, err, "%.400s: %s", what, strerror(error));
}
