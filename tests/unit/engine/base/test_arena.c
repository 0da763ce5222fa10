#include "engine/base/arena.h"
#include "engine/base/prng.h"

#include <criterion/criterion.h>

Test(arena, allocations_are_aligned_and_apart)
{
    enum { COUNT = 2000 };
    static uint8_t *blocks[COUNT];
    static size_t sizes[COUNT];
    hn_arena arena;
    hn_prng prng;
    hn_arena_init(&arena, 4096, 0);
    hn_prng_init(&prng, 1);
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = hn_prng_below(&prng, i % 50 == 0 ? 20000 : 300);
        blocks[i] = hn_arena_alloc(&arena, sizes[i]);
        cr_assert_not_null(blocks[i]);
        cr_assert_eq((uintptr_t)blocks[i] % 16, 0u);
        memset(blocks[i], (int)(i & 255), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            cr_assert_eq(blocks[i][j], i & 255, "block %zu byte %zu", i, j);
    hn_arena_destroy(&arena);
}

Test(arena, reset_keeps_the_chunks)
{
    hn_arena arena;
    hn_arena_init(&arena, 1024, 0);
    size_t reserved = 0;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++)
            cr_assert_not_null(hn_arena_alloc(&arena, 100));
        cr_assert_not_null(hn_arena_alloc(&arena, 5000));
        if (round == 0)
            reserved = arena.reserved_bytes;
        cr_assert_eq(arena.reserved_bytes, reserved, "round %d", round);
        hn_arena_reset(&arena);
    }
    hn_arena_destroy(&arena);
    cr_assert_eq(arena.reserved_bytes, 0u);
}

Test(arena, limit_holds_and_small_requests_still_fit)
{
    hn_arena arena;
    hn_arena_init(&arena, 4096, 10000);
    cr_assert_null(hn_arena_alloc(&arena, 10001));
    cr_assert_null(hn_arena_alloc(&arena, SIZE_MAX));
    cr_assert_null(hn_arena_alloc(&arena, SIZE_MAX - 8));
    cr_assert_null(hn_arena_calloc(&arena, SIZE_MAX / 2, 3));
    cr_assert_not_null(hn_arena_alloc(&arena, 4096));
    cr_assert_not_null(hn_arena_alloc(&arena, 4096));
    cr_assert_null(hn_arena_alloc(&arena, 4096));
    cr_assert_not_null(hn_arena_alloc(&arena, 1024));
    cr_assert_leq(arena.reserved_bytes, 10000u);
    hn_arena_destroy(&arena);
}

Test(arena, calloc_is_zero_after_reuse)
{
    hn_arena arena;
    hn_arena_init(&arena, 4096, 0);
    memset(hn_arena_alloc(&arena, 4000), 0xff, 4000);
    hn_arena_reset(&arena);
    const uint8_t *zeroes = hn_arena_calloc(&arena, 400, 10);
    for (size_t i = 0; i < 4000; i++)
        cr_assert_eq(zeroes[i], 0);
    hn_arena_destroy(&arena);
}

Test(arena, marks_nest)
{
    hn_arena arena;
    hn_arena_init(&arena, 256, 0);
    hn_arena_mark start = hn_arena_mark_now(&arena);
    uint8_t *first = hn_arena_alloc(&arena, 64);
    memset(first, 1, 64);
    hn_arena_mark outer = hn_arena_mark_now(&arena);
    void *second = hn_arena_alloc(&arena, 64);
    hn_arena_mark inner = hn_arena_mark_now(&arena);
    cr_assert_not_null(hn_arena_alloc(&arena, 1000)); /* in another chunk */
    hn_arena_release(&arena, inner);
    cr_assert_neq(hn_arena_alloc(&arena, 16), second);
    hn_arena_release(&arena, outer);
    cr_assert_eq(hn_arena_alloc(&arena, 64), second);
    for (size_t i = 0; i < 64; i++)
        cr_assert_eq(first[i], 1);
    hn_arena_release(&arena, start); /* of the time before the first chunk */
    cr_assert_eq((void *)hn_arena_alloc(&arena, 64), (void *)first);
    hn_arena_destroy(&arena);
}

Test(arena, copies)
{
    hn_arena arena;
    hn_bytes copy;
    hn_arena_init(&arena, 0, 0);
    cr_assert_eq(hn_arena_copy(&copy, &arena, hn_bytes_of("hanse", 5)), HN_OK);
    cr_assert(hn_bytes_equal(copy, hn_bytes_of("hanse", 5)));
    cr_assert_eq(hn_arena_copy(&copy, &arena, hn_bytes_of(NULL, 0)), HN_OK);
    cr_assert_eq(copy.size, 0u);
    hn_arena_destroy(&arena);
    hn_arena_init(&arena, 64, 64);
    cr_assert_eq(hn_arena_copy(&copy, &arena, hn_bytes_of((uint8_t[100]){0}, 100)), HN_ERR_NO_MEMORY);
    hn_arena_destroy(&arena);
}
