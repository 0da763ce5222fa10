/* Which shard a ledger lives on: decided when the ledger is added, and the same for as long as the process
 * runs.
 *
 * Ledgers go round the shards in the order of their index, unless one is placed explicitly. Where a ledger
 * lives has no influence on any result, so a node may be started with another number of shards at any time.
 * Pure; written at start by one thread, then read by any core.
 */
#ifndef HN_SHARD_MAP_MAP_H
#define HN_SHARD_MAP_MAP_H

#include "engine/base/err.h"

#include <stdint.h>

enum { HN_MAP_LEDGERS_MAX = 1024, HN_MAP_SHARDS_MAX = 64 };

typedef struct hn_map {
    uint32_t shard_count;
    uint32_t ledger_count;
    uint8_t shard_of[HN_MAP_LEDGERS_MAX];
} hn_map;

/* No ledgers yet. HN_ERR_RANGE: shard_count is not in 1 .. HN_MAP_SHARDS_MAX. */
HN_MUST_USE hn_err hn_map_init(hn_map *map, uint32_t shard_count);

/* Adds the next ledger (*ledger: 0, 1, 2, ...) on the shard that is its turn. HN_ERR_LIMIT when there are
 * HN_MAP_LEDGERS_MAX. */
HN_MUST_USE hn_err hn_map_add(hn_map *map, uint32_t *ledger);

/* The same on a shard of the caller's choice; HN_ERR_RANGE when there is no such shard. */
HN_MUST_USE hn_err hn_map_add_on(hn_map *map, uint32_t *ledger, uint32_t shard);

/* `ledger` has been added. */
uint32_t hn_map_shard(const hn_map *map, uint32_t ledger);

#endif
