/* The 2048-bit log filter of receipts and headers (yellow paper, section 4.3.1, function M). */
#ifndef HN_ENGINE_TYPES_BLOOM_H
#define HN_ENGINE_TYPES_BLOOM_H

#include "engine/types/log.h"

typedef struct hn_bloom {
    uint8_t b[256];
} hn_bloom;

/* Adds one item (an address or a topic). */
void hn_bloom_add(hn_bloom *bloom, hn_bytes item);
/* Adds the addresses and topics of logs. */
void hn_bloom_add_logs(hn_bloom *bloom, const hn_log *logs, size_t log_count);
/* Adds all bits of another filter. */
void hn_bloom_merge(hn_bloom *bloom, const hn_bloom *other);
/* False: certainly absent. True: perhaps present. */
bool hn_bloom_may_contain(const hn_bloom *bloom, hn_bytes item);

/* What an item sets, for asking many filters about it: numbers of three bits. */
typedef struct hn_bloom_bits {
    uint16_t numbers[3];
} hn_bloom_bits;

void hn_bloom_bits_of(hn_bloom_bits *out, hn_bytes item);
bool hn_bloom_has_bits(const hn_bloom *bloom, const hn_bloom_bits *bits);

#endif
