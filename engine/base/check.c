#include "engine/base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void hn_memory_failed(void)
{
    fputs("hanse: out of memory: stopping at once; everything acknowledged is in the log\n", stderr);
    _Exit(EXIT_FAILURE);
}

_Noreturn void hn_check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "hanse: broken invariant at %s:%d: %s\n", file, line, condition);
    abort();
}
