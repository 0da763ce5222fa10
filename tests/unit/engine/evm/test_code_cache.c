/* Decoding, and the bounds of the cache of decoded code. */
#include "engine/evm/code_cache.h"
#include "engine/evm/machine.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const hn_decoded *decode_text(uint8_t *room, size_t size, const uint8_t *code, size_t code_size)
{
    hn_gas_table gas;
    hn_gas_table_make(&gas, HN_FORK_OSAKA);
    size_t used = hn_decode(room, size, hn_bytes_of(code, code_size), &gas, hn_interpreter_handlers());
    cr_assert_leq(used, hn_decode_room(code_size));
    return used != 0 ? (const hn_decoded *)(void *)room : NULL;
}

Test(code_analysis, blocks_carry_gas_and_stack)
{
    /* PUSH1 1, PUSH1 2, ADD, POP, POP: needs one word, grows by two at most. */
    static const uint8_t code[] = {0x60, 1, 0x60, 2, 0x01, 0x50, 0x50};
    static _Alignas(16) uint8_t room[4096];
    const hn_decoded *decoded = decode_text(room, sizeof room, code, sizeof code);
    cr_assert_not_null(decoded);
    cr_expect_eq(decoded->start[0], hn_block_header(3 + 3 + 3 + 2 + 2, 32, 32 * (1024 - 1 - 2)));
    /* Nothing of it is left to do. */
    cr_expect_eq(decoded->start[1], (uint64_t)(uintptr_t)hn_interpreter_handlers()[HN_FAST_STOP]);
}

Test(code_analysis, long_blocks)
{
    /* DUP1 without end. */
    static uint8_t code[2048];
    static _Alignas(16) uint8_t room[1 << 18];
    memset(code, 0x80, 1100);
    const hn_decoded *decoded = decode_text(room, sizeof room, code, 1100);
    cr_assert_not_null(decoded);
    uint64_t header = decoded->start[0];
    cr_expect_eq(header >> 32 & 0xffff, 32, "the first block is cut before it is too long");
}

/* What comes out of the code's constants is known when it is decoded. */
Test(code_analysis, constants)
{
    /* PUSH1 0, PUSH1 1, PUSH1 160, SHL, SUB, PUSH1 0, MSTORE, STOP */
    static const uint8_t code[] = {0x60, 0x01, 0x60, 0x01, 0x60, 0xa0, 0x1b, 0x03, 0x60, 0x00, 0x52, 0x00};
    static _Alignas(16) uint8_t room[4096];
    const hn_decoded *decoded = decode_text(room, sizeof room, code, sizeof code);
    const void *const *handlers = hn_interpreter_handlers();
    cr_assert_not_null(decoded);
    cr_expect_eq(decoded->start[1], (uint64_t)(uintptr_t)handlers[HN_FAST_SET_W]);
    cr_expect_eq(decoded->start[3], UINT64_MAX);
    cr_expect_eq(decoded->start[4], UINT64_MAX);
    cr_expect_eq(decoded->start[5], UINT32_MAX);
    cr_expect_eq(decoded->start[6], 0);
    cr_expect_eq(decoded->start[7], (uint64_t)(uintptr_t)handlers[HN_FAST_MSTORE_IM]);
    cr_expect_eq(decoded->start[10], (uint64_t)(uintptr_t)handlers[HN_FAST_STOP]);
}

/* Stack words that only change places need moving once, at the end. */
Test(code_analysis, shuffles)
{
    /* DUP2, SWAP2, POP, SWAP1, JUMPDEST, STOP: in all, two words exchanged. */
    static const uint8_t code[] = {0x81, 0x91, 0x50, 0x90, 0x5b, 0x00};
    static _Alignas(16) uint8_t room[4096];
    const hn_decoded *decoded = decode_text(room, sizeof room, code, sizeof code);
    const void *const *handlers = hn_interpreter_handlers();
    cr_assert_not_null(decoded);
    cr_expect_eq(decoded->start[1], (uint64_t)(uintptr_t)handlers[HN_FAST_EXCHANGE]);
    cr_expect_eq(decoded->start[3], (uint64_t)(uintptr_t)handlers[HN_FAST_FALL]);
}

Test(code_analysis, only_real_destinations)
{
    /* JUMPDEST, PUSH1 (JUMPDEST), STOP, unreachable PUSH2 (JUMPDEST JUMPDEST), JUMPDEST. */
    static const uint8_t code[] = {0x5b, 0x60, 0x5b, 0x00, 0x61, 0x5b, 0x5b, 0x5b};
    static _Alignas(16) uint8_t room[4096];
    const hn_decoded *decoded = decode_text(room, sizeof room, code, sizeof code);
    cr_assert_not_null(decoded);
    for (size_t pc = 0; pc < sizeof code; pc++)
        cr_expect_eq(decoded->targets[pc] != 0, pc == 0 || pc == 7, "%zu", pc);
}

/* Whatever the code, the promised room is enough, and less is refused without writing past it. */
Test(code_analysis, room)
{
    static const uint8_t fillings[] = {0x5b, 0x5a, 0x55, 0x60, 0x7f, 0x00, 0x01, 0xfe, 0x57, 0xf1};
    enum { CODE_BYTES = 200 };
    uint8_t code[CODE_BYTES];
    for (size_t i = 0; i < sizeof fillings; i++) {
        memset(code, fillings[i], sizeof code);
        for (size_t size = 0; size <= hn_decode_room(sizeof code); size += 16) {
            uint8_t *room = aligned_alloc(16, size + 16); /* AddressSanitizer watches its end */
            cr_assert_not_null(room);
            memset(room + size, 0xa5, 16);
            const hn_decoded *decoded = decode_text(room, size, code, sizeof code);
            for (size_t j = 0; j < 16; j++)
                cr_assert_eq(room[size + j], 0xa5);
            if (size == hn_decode_room(sizeof code))
                cr_expect_not_null(decoded);
            free(room);
        }
    }
}

/* More entries than fit: the rest is refused until the cache settles, then there is room and the newest half
 * is kept. */
Test(code_cache, forgets_half_by_half)
{
    enum { CAPACITY = HN_CODE_CACHE_HALF_ENTRIES / 4 * 3 };
    hn_code_cache cache;
    hn_gas_table gas;
    hn_gas_table_make(&gas, HN_FORK_OSAKA);
    cr_assert_eq(hn_code_cache_create(&cache), HN_OK);
    static const uint8_t code[] = {0x5b, 0x00};
    const void *const *handlers = hn_interpreter_handlers();
    hn_hash hash = {.b = {0}};
    const hn_decoded *first = NULL;
    for (uint32_t i = 0; i < CAPACITY; i++) {
        hn_store_le32(hash.b, i * 8); /* collides a lot */
        const hn_decoded *decoded =
            hn_code_cache_get(&cache, &hash, hn_bytes_of(code, sizeof code), &gas, handlers);
        cr_assert_not_null(decoded, "%u", i);
        if (i == 0)
            first = decoded;
    }
    hn_hash other = {.b = {[31] = 1}};
    cr_expect_null(hn_code_cache_get(&cache, &other, hn_bytes_of(code, sizeof code), &gas, handlers), "full");
    hn_code_cache_settle(&cache);
    cr_expect_not_null(hn_code_cache_get(&cache, &other, hn_bytes_of(code, sizeof code), &gas, handlers));
    hn_store_le32(hash.b, 0);
    cr_expect_eq(hn_code_cache_get(&cache, &hash, hn_bytes_of(code, sizeof code), &gas, handlers), first,
                 "still known from the other half");
    hn_gas_table older;
    hn_gas_table_make(&older, HN_FORK_LONDON);
    cr_expect_neq(hn_code_cache_get(&cache, &hash, hn_bytes_of(code, sizeof code), &older, handlers), first,
                  "another fork has other blocks");
    hn_code_cache_destroy(&cache);
}
