#include "shard/map/map.h"

#include <criterion/criterion.h>

Test(map, ledgers_go_round_unless_placed)
{
    static hn_map map;
    uint32_t ledger;
    cr_assert_eq(hn_map_init(&map, 0), HN_ERR_RANGE);
    cr_assert_eq(hn_map_init(&map, HN_MAP_SHARDS_MAX + 1), HN_ERR_RANGE);
    cr_assert_eq(hn_map_init(&map, 3), HN_OK);
    static const uint32_t expected[] = {0, 1, 2, 0, 2, 2};
    for (uint32_t i = 0; i < 6; i++) {
        if (i == 4)
            cr_assert_eq(hn_map_add_on(&map, &ledger, 2), HN_OK);
        else
            cr_assert_eq(hn_map_add(&map, &ledger), HN_OK);
        cr_assert_eq(ledger, i);
    }
    cr_assert_eq(hn_map_add_on(&map, &ledger, 3), HN_ERR_RANGE);
    for (uint32_t i = 0; i < 6; i++)
        cr_assert_eq(hn_map_shard(&map, i), expected[i]);
    while (map.ledger_count < HN_MAP_LEDGERS_MAX)
        cr_assert_eq(hn_map_add(&map, &ledger), HN_OK);
    cr_assert_eq(hn_map_add(&map, &ledger), HN_ERR_LIMIT);
}
