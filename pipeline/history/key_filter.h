/* Whether a set has a key: "no" is certain, "yes" is wrong about once in a hundred times. A Bloom filter all
 * of whose bits for one key lie in one cache line (Putze, Sanders, Singler 2007). Ten bits a key.
 */
#ifndef HN_PIPELINE_HISTORY_KEY_FILTER_H
#define HN_PIPELINE_HISTORY_KEY_FILTER_H

#include "engine/base/bytes.h"

/* Bytes of a filter for so many keys: whole cache lines, at least one. */
size_t hn_key_filter_bytes(uint64_t key_count);

/* The filter begins as zeroes. Keys are hashes, in any of whose bits they may differ. */
void hn_key_filter_add(uint8_t *filter, size_t size, uint64_t key);

/* A filter of any other size than one from hn_key_filter_bytes has every key. */
bool hn_key_filter_has(hn_bytes filter, uint64_t key);

#endif
