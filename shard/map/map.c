#include "shard/map/map.h"

#include "engine/base/check.h"

_Static_assert(HN_MAP_SHARDS_MAX <= UINT8_MAX, "a shard's number fits its field");

hn_err hn_map_init(hn_map *map, uint32_t shard_count)
{
    if (shard_count == 0 || shard_count > HN_MAP_SHARDS_MAX)
        return HN_ERR_RANGE;
    *map = (hn_map){.shard_count = shard_count};
    return HN_OK;
}

hn_err hn_map_add(hn_map *map, uint32_t *ledger)
{
    return hn_map_add_on(map, ledger, map->ledger_count % map->shard_count);
}

hn_err hn_map_add_on(hn_map *map, uint32_t *ledger, uint32_t shard)
{
    if (shard >= map->shard_count)
        return HN_ERR_RANGE;
    if (map->ledger_count == HN_MAP_LEDGERS_MAX)
        return HN_ERR_LIMIT;
    map->shard_of[map->ledger_count] = (uint8_t)shard;
    *ledger = map->ledger_count++;
    return HN_OK;
}

uint32_t hn_map_shard(const hn_map *map, uint32_t ledger)
{
    HN_CHECK(ledger < map->ledger_count);
    return map->shard_of[ledger];
}
