/* The index of block hashes against an array, through growth and while the oldest go. */
#include "pipeline/query/block_hashes.h"

#include "engine/base/prng.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { BLOCKS = 20000 };

/* Hashes of which many have the same home. */
static hn_hash hash_of(const hn_prng *seed, uint64_t number)
{
    hn_hash hash = {{0}};
    hn_prng prng = *seed;
    hn_prng_init(&prng, number);
    hn_store_le64(hash.b, hn_prng_below(&prng, 3000));
    hn_store_le64(hash.b + 8, number);
    return hash;
}

static void check(const hn_block_hashes *hashes, const hn_prng *prng, uint64_t first, uint64_t last,
                  uint64_t number)
{
    hn_hash hash = hash_of(prng, number);
    const hn_hash *got = hn_block_hashes_get(hashes, number);
    uint64_t found;
    bool is_there = number >= first && number <= last;
    cr_assert_eq(got != NULL, is_there);
    cr_assert(!is_there || hn_hash_equal(got, &hash));
    cr_assert_eq(hn_block_hashes_find(hashes, &found, &hash), is_there);
    cr_assert(!is_there || found == number);
}

Test(block_hashes, finds_by_number_and_by_hash)
{
    hn_prng prng;
    hn_prng_init(&prng, 1);
    hn_hash at_first[3] = {hash_of(&prng, 5), hash_of(&prng, 4), hash_of(&prng, 3)};
    hn_block_hashes hashes;
    cr_assert_eq(hn_block_hashes_create(&hashes, 5, at_first, 3), HN_OK);
    uint64_t first = 3, last = 5;
    while (last < BLOCKS) {
        hn_hash hash = hash_of(&prng, ++last);
        cr_assert_eq(hn_block_hashes_push(&hashes, &hash), HN_OK);
        if (hn_prng_below(&prng, 3) == 0) {
            uint64_t number = first + hn_prng_below(&prng, 5);
            hn_block_hashes_drop_before(&hashes, number);
            first = number < last ? number : last;
        }
        check(&hashes, &prng, first, last, first);
        check(&hashes, &prng, first, last, last);
        check(&hashes, &prng, first, last, hn_prng_below(&prng, last + 2));
    }
    cr_assert_gt(hashes.capacity, 4096);
    hn_block_hashes_drop_before(&hashes, UINT64_MAX);
    for (uint64_t number = 0; number <= last; number++)
        check(&hashes, &prng, last, last, number);
    hn_block_hashes_destroy(&hashes);
}
