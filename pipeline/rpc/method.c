#include "pipeline/rpc/method.h"

#include "engine/base/check.h"

#include <pthread.h>
#include <stdlib.h>

static hn_rpc_method methods[] = {
/* What a row leaves out is nothing. */
#define TYPES(first, second, third, fourth, ...)                                                             \
    {                                                                                                        \
        HN_RPC_##first, HN_RPC_##second, HN_RPC_##third, HN_RPC_##fourth                                     \
    }
#define METHOD(name, required_count, ...)                                                                    \
    {#name, hn_rpc_##name, TYPES(__VA_ARGS__, NOTHING, NOTHING), required_count},
    HN_RPC_METHOD_LIST(METHOD)
#undef METHOD
#undef TYPES
};

enum { METHOD_COUNT = sizeof methods / sizeof methods[0] };

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const hn_rpc_method *)left)->name, ((const hn_rpc_method *)right)->name);
}

static void sort_methods(void)
{
    qsort(methods, METHOD_COUNT, sizeof methods[0], compare_names);
}

const hn_rpc_method *hn_rpc_methods(size_t *count)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    HN_CHECK(pthread_once(&once, sort_methods) == 0);
    *count = METHOD_COUNT;
    return methods;
}

const hn_rpc_method *hn_rpc_method_find(const char *name)
{
    size_t count;
    const hn_rpc_method *table = hn_rpc_methods(&count);
    hn_rpc_method wanted = {.name = name};
    return bsearch(&wanted, table, count, sizeof *table, compare_names);
}
