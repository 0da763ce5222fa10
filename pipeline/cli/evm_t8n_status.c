#include "pipeline/cli/evm_t8n_status.h"

#include <stdarg.h>
#include <stdio.h>

hn_t8n_status hn_t8n_fail(hn_t8n_problem *problem, hn_t8n_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return status;
}
