#include "engine/evm/code_cache.h"

#include <stdlib.h>

hn_err hn_code_cache_create(hn_code_cache *out)
{
    hn_code_cache cache = {0};
    for (size_t i = 0; i < 2; i++) {
        hn_code_cache_half *half = &cache.halves[i];
        half->region = malloc(HN_CODE_CACHE_HALF_BYTES);
        half->entries = calloc(HN_CODE_CACHE_HALF_ENTRIES, sizeof *half->entries);
        half->generation = 1;
        if (half->region == NULL || half->entries == NULL) {
            hn_code_cache_destroy(&cache);
            return HN_ERR_NO_MEMORY;
        }
    }
    *out = cache;
    return HN_OK;
}

void hn_code_cache_destroy(hn_code_cache *cache)
{
    for (size_t i = 0; i < 2; i++) {
        free(cache->halves[i].region);
        free(cache->halves[i].entries);
    }
}

static void clear_half(hn_code_cache_half *half)
{
    half->used = 0;
    half->count = 0;
    if (++half->generation == 0) { /* old entries would come back to life */
        memset(half->entries, 0, HN_CODE_CACHE_HALF_ENTRIES * sizeof *half->entries);
        half->generation = 1;
    }
}

void hn_code_cache_clear(hn_code_cache *cache)
{
    clear_half(&cache->halves[0]);
    clear_half(&cache->halves[1]);
    cache->is_full = false;
}

void hn_code_cache_settle(hn_code_cache *cache)
{
    if (!cache->is_full)
        return;
    cache->is_full = false;
    cache->filling ^= 1;
    clear_half(&cache->halves[cache->filling]);
}

static bool is_free(const hn_code_cache_half *half, const hn_code_cache_entry *entry)
{
    return entry->generation != half->generation;
}

/* The entry of a code, or the free one where it belongs. */
static hn_code_cache_entry *find(const hn_code_cache_half *half, const hn_hash *hash, hn_fork fork)
{
    uint32_t at = hn_load_le32(hash->b);
    for (;; at++) {
        hn_code_cache_entry *entry = &half->entries[at % HN_CODE_CACHE_HALF_ENTRIES];
        if (is_free(half, entry) || (entry->fork == fork && hn_hash_equal(&entry->hash, hash)))
            return entry;
    }
}

/* Takes a free entry; NULL: too many are taken. */
static hn_code_cache_entry *take(hn_code_cache_half *half, hn_code_cache_entry *entry, const hn_hash *hash,
                                 hn_fork fork)
{
    if (half->count >= HN_CODE_CACHE_HALF_ENTRIES / 4 * 3)
        return NULL;
    half->count++;
    *entry = (hn_code_cache_entry){.hash = *hash, .fork = fork, .generation = half->generation};
    return entry;
}

bool hn_code_cache_knows(hn_code_cache *cache, const hn_hash *hash, hn_fork fork)
{
    hn_code_cache_half *half = &cache->halves[cache->filling], *other = &cache->halves[cache->filling ^ 1];
    hn_code_cache_entry *entry = find(half, hash, fork);
    if (!is_free(half, entry) || !is_free(other, find(other, hash, fork)))
        return true;
    if (take(half, entry, hash, fork) == NULL)
        cache->is_full = true;
    return false;
}

const hn_decoded *hn_code_cache_get(hn_code_cache *cache, const hn_hash *hash, hn_bytes code,
                                    const hn_gas_table *gas, const void *const *handlers)
{
    hn_code_cache_half *half = &cache->halves[cache->filling];
    hn_code_cache_entry *entry = find(half, hash, gas->fork);
    if (!is_free(half, entry) && entry->decoded != NULL)
        return entry->decoded;
    const hn_code_cache_half *other = &cache->halves[cache->filling ^ 1];
    const hn_code_cache_entry *older = find(other, hash, gas->fork);
    if (!is_free(other, older) && older->decoded != NULL)
        return older->decoded;
    if (cache->is_full || hn_decode_room(code.size) > HN_CODE_CACHE_HALF_BYTES)
        return NULL;
    uint8_t *to = half->region + half->used;
    if (is_free(half, entry))
        entry = take(half, entry, hash, gas->fork);
    size_t bytes = 0;
    if (entry != NULL)
        bytes = hn_decode(to, HN_CODE_CACHE_HALF_BYTES - half->used, code, gas, handlers);
    if (bytes == 0) {
        cache->is_full = true;
        return NULL;
    }
    half->used += bytes;
    entry->decoded = (const hn_decoded *)(const void *)to;
    return entry->decoded;
}
