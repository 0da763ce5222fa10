#include "pipeline/rpc/method.h"

#include "engine/base/check.h"

#include <pthread.h>
#include <stdlib.h>

static hn_rpc_method methods[] = {
#define METHOD(name, required_count, first, second, third)                                                   \
    {#name, hn_rpc_##name, {HN_RPC_##first, HN_RPC_##second, HN_RPC_##third}, required_count},
    HN_RPC_METHOD_LIST(METHOD)
#undef METHOD
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
