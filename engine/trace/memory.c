#include "engine/trace/memory.h"

enum { PADDING_MAX = 1 << 20 };

bool hn_trace_memory(hn_trace *trace, hn_bytes *out, const hn_trace_step *step, const hn_u256 *offset,
                     const hn_u256 *size)
{
    *out = hn_bytes_of(NULL, 0);
    if (hn_u256_is_zero(size))
        return true;
    uint64_t begin = offset->w[0], count = size->w[0], end, there = step->memory.size;
    if (!hn_u256_fits_64(offset) || !hn_u256_fits_64(size) || __builtin_add_overflow(begin, count, &end) ||
        (end > there && end - there > PADDING_MAX))
        return false;
    uint8_t *copy = hn_trace_calloc(trace, count, 1);
    if (copy == NULL)
        return false;
    if (begin < there)
        memcpy(copy, step->memory.data + begin, end < there ? count : there - begin);
    *out = hn_bytes_of(copy, count);
    return true;
}
