/* SipHash-2-4: a keyed hash that is short, fast and unpredictable without the key. Pure; any core.
 *
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
 */
#ifndef HN_PIPELINE_WIRE_SIPHASH_H
#define HN_PIPELINE_WIRE_SIPHASH_H

#include "engine/base/bytes.h"

uint64_t hn_siphash(const uint64_t key[2], const void *data, size_t size);

#endif
