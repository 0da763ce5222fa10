/* Reading the machine's memory from a trace's hooks. */
#ifndef HN_ENGINE_TRACE_MEMORY_H
#define HN_ENGINE_TRACE_MEMORY_H

#include "engine/trace/kind.h"

/* A copy of `size` bytes at `offset`, with zeroes where there is no memory yet. False (and empty) when that
 * would be more than 1 MiB of them, or the trace is out of memory. */
bool hn_trace_memory(hn_trace *trace, hn_bytes *out, const hn_trace_step *step, const hn_u256 *offset,
                     const hn_u256 *size);

#endif
