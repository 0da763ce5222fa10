#include "pipeline/history/key_filter.h"

enum {
    LINE_BYTES = 64,
    BITS_A_KEY = 10,
    PROBES = 6,
    PROBE_BITS = 9, /* one of a line's 512 bits */
};

size_t hn_key_filter_bytes(uint64_t key_count)
{
    uint64_t lines = (key_count * BITS_A_KEY + 8 * LINE_BYTES - 1) / (8 * LINE_BYTES);
    return (size_t)(lines != 0 ? lines : 1) * LINE_BYTES;
}

static uint64_t mix(uint64_t key, uint64_t factor)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(key ^ factor) * factor;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static size_t line_of(uint64_t key, size_t size)
{
    uint64_t lines = size / LINE_BYTES;
    return (size_t)((mix(key, UINT64_C(0x9e3779b97f4a7c15)) >> 32) * lines >> 32) * LINE_BYTES;
}

static uint64_t probes_of(uint64_t key)
{
    return mix(key, UINT64_C(0xd1342543de82ef95));
}

void hn_key_filter_add(uint8_t *filter, size_t size, uint64_t key)
{
    uint8_t *line = filter + line_of(key, size);
    uint64_t probes = probes_of(key);
    for (unsigned i = 0; i < PROBES; i++, probes >>= PROBE_BITS)
        line[probes >> 3 & (LINE_BYTES - 1)] |= (uint8_t)(1u << (probes & 7));
}

bool hn_key_filter_has(hn_bytes filter, uint64_t key)
{
    if (filter.size == 0 || filter.size % LINE_BYTES != 0)
        return true;
    const uint8_t *line = filter.data + line_of(key, filter.size);
    uint64_t probes = probes_of(key);
    for (unsigned i = 0; i < PROBES; i++, probes >>= PROBE_BITS)
        if ((line[probes >> 3 & (LINE_BYTES - 1)] >> (probes & 7) & 1) == 0)
            return false;
    return true;
}
