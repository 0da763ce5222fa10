/* Making the backend that JSON-RPC is served from. Private to pipeline/stage. */
#ifndef HN_PIPELINE_STAGE_BACKEND_H
#define HN_PIPELINE_STAGE_BACKEND_H

#include "pipeline/stage/wiring.h"

#if defined(__clang__)
#define HN_COMPILER_NAME "clang" HN_STRING(__clang_major__)
#else
#define HN_COMPILER_NAME "gcc" HN_STRING(__GNUC__)
#endif
#define HN_STRING(value)  HN_STRING_(value)
#define HN_STRING_(value) #value

/* As other nodes write it: name, version, platform, compiler. */
#define HN_CLIENT_VERSION "Hanse/v" HN_VERSION "/linux-x86_64/" HN_COMPILER_NAME

/* The ledgers have been opened. Freed with the node. */
HN_MUST_USE hn_err hn_node_make_backend(hn_node *node);

/* The lane of heavy queries has answered one, or needs the back core. Its threads. */
void hn_node_take_answered(void *node, hn_query *query);
void hn_node_take_errand(void *node, hn_query_errand *errand);

#endif
