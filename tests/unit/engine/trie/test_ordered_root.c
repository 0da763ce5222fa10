#include "engine/trie/ordered_root.h"

#include "engine/base/prng.h"
#include "tests/unit/engine/trie/reference_trie.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* rlp of a number, plainly. */
static hn_bytes key_of(uint8_t key[5], size_t index)
{
    size_t size = 0;
    if (index >= 0x80 || index == 0) {
        size_t digits = index == 0 ? 0 : index < 0x100 ? 1 : index < 0x10000 ? 2 : 3;
        key[size++] = (uint8_t)(0x80 + digits);
        while (digits-- > 0)
            key[size++] = (uint8_t)(index >> (8 * digits));
    } else {
        key[size++] = (uint8_t)index;
    }
    return hn_bytes_of(key, size);
}

static void check(size_t count, size_t value_max, uint64_t seed)
{
    hn_prng prng;
    hn_prng_init(&prng, seed);
    hn_bytes *values = calloc(count + 1, sizeof *values);
    reference_item *items = calloc(count + 1, sizeof *items);
    uint8_t(*keys)[5] = calloc(count + 1, sizeof *keys);
    hn_arena arena, scratch;
    hn_arena_init(&arena, 0, 0);
    hn_arena_init(&scratch, 0, 0);
    for (size_t i = 0; i < count; i++) {
        size_t size = 1 + hn_prng_below(&prng, value_max);
        uint8_t *data = hn_arena_alloc(&arena, size);
        hn_prng_fill(&prng, data, size);
        values[i] = hn_bytes_of(data, size);
        items[i] = (reference_item){.key = key_of(keys[i], i), .value = values[i]};
    }
    hn_hash want, got;
    reference_root(&want, items, count);
    cr_assert_not_null(hn_arena_alloc(&scratch, 100));
    hn_arena_mark before = hn_arena_mark_now(&scratch);
    cr_assert_eq(hn_ordered_root(&got, &scratch, values, count), HN_OK);
    cr_assert(hn_hash_equal(&want, &got), "%zu values of up to %zu bytes", count, value_max);
    hn_arena_mark after = hn_arena_mark_now(&scratch);
    cr_assert(before.chunk == after.chunk && before.used == after.used, "the arena is as it was");
    hn_arena_destroy(&arena);
    hn_arena_destroy(&scratch);
    free(values);
    free(items);
    free(keys);
}

Test(ordered_root, agrees_with_the_reference)
{
    static const size_t counts[] = {0,   1,   2,   3,   15,  16,  17,  18,  127, 128, 129, 130,
                                    131, 255, 256, 257, 258, 300, 511, 512, 513, 700, 4500};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        check(counts[i], 3, i);
        check(counts[i], 150, i);
    }
    check(70000, 40, 1);
    check(10, 200000, 2);
}

Test(ordered_root, running_out_of_memory_is_reported)
{
    hn_arena arena;
    hn_arena_init(&arena, 4096, 16384);
    hn_bytes values[50];
    for (size_t i = 0; i < 50; i++)
        values[i] = hn_bytes_of("0123456789012345678901234567890123456789", 40);
    hn_hash root;
    cr_assert_eq(hn_ordered_root(&root, &arena, values, 50), HN_ERR_NO_MEMORY);
    hn_arena_destroy(&arena);
}
