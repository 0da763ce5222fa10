/* The bytes of undo: what is written is read again, from whichever chunk it is in, and what no chunk has is
 * refused. Then the filter that says which runs need not be searched. */
#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"
#include "pipeline/history/key_filter.h"
#include "pipeline/history/undo_chunk.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { ACCOUNTS = 300, SLOTS_MAX = 200 };

static hn_u256 random_word(hn_prng *prng)
{
    uint8_t bytes[32] = {0};
    size_t size = (size_t)hn_prng_below(prng, 33);
    hn_prng_fill(prng, bytes + 32 - size, size);
    return hn_u256_from_be(bytes);
}

static const hn_slot_change *random_slots(hn_prng *prng, uint32_t count)
{
    hn_slot_change *slots = calloc(count + 1, sizeof *slots);
    cr_assert_not_null(slots);
    for (uint32_t i = 0; i < count; i++)
        slots[i] = (hn_slot_change){.key = random_word(prng), .before = random_word(prng)};
    return slots;
}

static hn_state_diff random_diff(hn_prng *prng, uint32_t account_count)
{
    hn_state_diff diff = {.account_count = account_count};
    diff.accounts = calloc(account_count + 1, sizeof *diff.accounts);
    cr_assert_not_null(diff.accounts);
    for (uint32_t i = 0; i < account_count; i++) {
        hn_account_change *change = &diff.accounts[i];
        hn_prng_fill(prng, change->address.b, sizeof change->address);
        change->existed = hn_prng_below(prng, 4) != 0;
        if (change->existed) {
            change->before.nonce = hn_prng_next(prng) >> hn_prng_below(prng, 64);
            change->before.balance = random_word(prng);
            change->before.code_hash = hn_keccak256_of_nothing;
            if (hn_prng_below(prng, 2) == 0)
                hn_prng_fill(prng, change->before.code_hash.b, sizeof(hn_hash));
        }
        change->cleared_slot_count = hn_prng_below(prng, 10) == 0 ? (uint32_t)hn_prng_below(prng, 20) : 0;
        change->slot_count = hn_prng_below(prng, 3) == 0 ? (uint32_t)hn_prng_below(prng, SLOTS_MAX) : 0;
        change->cleared_slots = random_slots(prng, change->cleared_slot_count);
        change->slots = random_slots(prng, change->slot_count);
    }
    return diff;
}

static void free_diff(hn_state_diff *diff)
{
    for (uint32_t i = 0; i < diff->account_count; i++) {
        free((void *)(uintptr_t)diff->accounts[i].cleared_slots);
        free((void *)(uintptr_t)diff->accounts[i].slots);
    }
    free(diff->accounts);
}

/* Reads on in the chunks one by one. */
typedef struct chunk_reader {
    hn_undo_writer writer;
    uint8_t chunk[HN_UNDO_CHUNK_BYTES];
    hn_undo_cursor cursor;
    unsigned chunks;
} chunk_reader;

static hn_err next_item(chunk_reader *reader)
{
    hn_err err = reader->chunks == 0 ? HN_ERR_NOT_FOUND : hn_undo_cursor_next(&reader->cursor);
    while (err == HN_ERR_NOT_FOUND) {
        size_t size;
        uint32_t first;
        hn_undo_counts counts = {0};
        if (!hn_undo_chunk_write(reader->chunk, &size, &first, &reader->writer))
            return HN_ERR_NOT_FOUND;
        cr_assert_leq(size, HN_UNDO_CHUNK_BYTES);
        cr_assert_eq(hn_undo_cursor_begin(&reader->cursor, &counts, hn_bytes_of(reader->chunk, size), first),
                     HN_OK);
        if (reader->chunks++ == 0) {
            cr_assert_eq(counts.accounts, reader->writer.counts.accounts);
            cr_assert_eq(counts.slots, reader->writer.counts.slots);
        }
        err = hn_undo_cursor_next(&reader->cursor);
    }
    return err;
}

static void expect_slots(chunk_reader *reader, uint32_t *item, const hn_account_change *change,
                         const hn_slot_change *slots, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_eq(next_item(reader), HN_OK);
        const hn_undo_cursor *got = &reader->cursor;
        hn_u256 key = hn_u256_from_be(got->slot.key.b), value = hn_u256_from_be(got->slot.value.b);
        cr_assert_eq(got->kind, HN_UNDO_SLOT);
        cr_assert_eq(got->item, (*item)++);
        cr_assert(hn_address_equal(&got->slot.address, &change->address));
        cr_assert(hn_u256_equal(&key, &slots[i].key));
        cr_assert(hn_u256_equal(&value, &slots[i].before));
    }
}

Test(undo_chunk, gives_back_what_was_written)
{
    hn_prng prng;
    hn_prng_init(&prng, 11);
    unsigned chunks = 0;
    for (unsigned round = 0; round < 40; round++) {
        hn_state_diff diff = random_diff(&prng, round == 0 ? 0 : (uint32_t)hn_prng_below(&prng, ACCOUNTS));
        chunk_reader *reader = calloc(1, sizeof *reader);
        hn_undo_counts counts;
        cr_assert_eq(hn_undo_count(&counts, &diff), HN_OK);
        reader->writer = hn_undo_writer_of(&diff, counts);
        uint32_t item = 0;
        for (uint32_t i = 0; i < diff.account_count; i++) {
            const hn_account_change *change = &diff.accounts[i];
            cr_assert_eq(next_item(reader), HN_OK);
            const hn_account_before *got = &reader->cursor.account;
            cr_assert_eq(reader->cursor.kind, HN_UNDO_ACCOUNT);
            cr_assert_eq(reader->cursor.item, item++);
            cr_assert(hn_address_equal(&got->address, &change->address));
            cr_assert_eq(got->existed, change->existed);
            if (got->existed) {
                cr_assert_eq(got->account.nonce, change->before.nonce);
                cr_assert(hn_u256_equal(&got->account.balance, &change->before.balance));
                cr_assert(hn_hash_equal(&got->account.code_hash, &change->before.code_hash));
            }
            expect_slots(reader, &item, change, change->cleared_slots, change->cleared_slot_count);
            expect_slots(reader, &item, change, change->slots, change->slot_count);
        }
        cr_assert_eq(next_item(reader), HN_ERR_NOT_FOUND);
        cr_assert_eq(item, counts.accounts + counts.slots);
        chunks += reader->chunks;
        free(reader);
        free_diff(&diff);
    }
    cr_assert_gt(chunks, 400);
}

/* Reads a chunk to its end. */
static hn_err read_all(const void *bytes, size_t size, uint32_t first)
{
    hn_undo_cursor cursor;
    hn_undo_counts counts;
    /* A copy of its own size, so that a read behind it is seen by the sanitizer. */
    uint8_t *copy = malloc(size + 1);
    memcpy(copy, bytes, size);
    hn_err err = hn_undo_cursor_begin(&cursor, &counts, hn_bytes_of(copy, size), first);
    while (err == HN_OK)
        err = hn_undo_cursor_next(&cursor);
    free(copy);
    return err;
}

#define A20                       "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23\24"
#define EXPECT(want, first, text) cr_expect_eq(read_all(text, sizeof text - 1, first), want, "%s", #text)

Test(undo_chunk, refuses_what_no_chunk_has)
{
    EXPECT(HN_ERR_NOT_FOUND, 0, "\1\1\1" A20 "\2\1\7\0");      /* an account that was not, a slot */
    EXPECT(HN_ERR_NOT_FOUND, 0, "\1\0\5" A20 "\x80\1\1\7");    /* nonce 128, balance 7 */
    EXPECT(HN_ERR_NOT_FOUND, 9, "\3" A20 "\2\0\0\2\1\7\1\1");  /* two slots of an account before */
    EXPECT(HN_ERR_NOT_FOUND, 0, "\0\0");                       /* nothing changed */
    EXPECT(HN_ERR_CORRUPT, 0, "");                             /* no counts */
    EXPECT(HN_ERR_CORRUPT, 0, "\1");                           /* one of them */
    EXPECT(HN_ERR_CORRUPT, 0, "\xff\xff\xff\xff\xff\xff\1\0"); /* more items than there can be */
    EXPECT(HN_ERR_CORRUPT, 0, "\0\x80\x80\x80\10");            /* with slots */
    EXPECT(HN_ERR_CORRUPT, 0, "\x80\0\0");                     /* a count that could be shorter */
    EXPECT(HN_ERR_CORRUPT, 0, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\2\0"); /* beyond 64 bits */
    EXPECT(HN_ERR_CORRUPT, 9, "\0");                                       /* no such kind */
    EXPECT(HN_ERR_CORRUPT, 9, "\4" A20);                                   /* bits of an account, but none */
    EXPECT(HN_ERR_CORRUPT, 9, "\x11" A20);                                 /* a bit that there is not */
    EXPECT(HN_ERR_CORRUPT, 9, "\x09" A20);                                 /* code of what did not exist */
    EXPECT(HN_ERR_CORRUPT, 9, "\1\1\2\3");                                 /* an address that is cut off */
    EXPECT(HN_ERR_CORRUPT, 9, "\5" A20);                                   /* no nonce */
    EXPECT(HN_ERR_CORRUPT, 9, "\5" A20 "\1");                              /* no balance */
    EXPECT(HN_ERR_CORRUPT, 9, "\5" A20 "\1\2\1");                          /* cut off */
    EXPECT(HN_ERR_CORRUPT, 9, "\5" A20 "\1\2\0\1");                        /* could be shorter */
    EXPECT(HN_ERR_CORRUPT, 9, "\5" A20 "\1\41" A20 A20);                   /* 33 bytes */
    EXPECT(HN_ERR_CORRUPT, 9, "\x0d" A20 "\1\1\1" A20);                    /* a code's hash that is cut off */
    EXPECT(HN_ERR_CORRUPT, 9, "\2\0\0");                                   /* a slot of nobody */
    EXPECT(HN_ERR_CORRUPT, 0, "\1\1\3" A20 "\2\0\0");      /* an owner in a block's first chunk */
    EXPECT(HN_ERR_CORRUPT, 9, "\3" A20);                   /* an owner without slots */
    EXPECT(HN_ERR_CORRUPT, 9, "\3" A20 "\1" A20);          /* the same */
    EXPECT(HN_ERR_CORRUPT, 9, "\1" A20 "\3" A20 "\2\0\0"); /* an owner behind others */
    EXPECT(HN_ERR_CORRUPT, 9, "\3" A20 "\2");              /* no key */
    EXPECT(HN_ERR_CORRUPT, 9, "\3" A20 "\2\1\1");          /* no value */
    EXPECT(HN_ERR_CORRUPT, 9, "\3" A20 "\2\1\0\0");        /* a key that could be shorter */
    EXPECT(HN_ERR_CORRUPT, 9, "\3" A20 "\2\1\1\2\0\1");    /* a value that could be shorter */
}

Test(undo_chunk, writes_the_hash_of_no_code_as_none)
{
    uint8_t bytes[21 + 2 + 32] = {0x0d, [21] = 1};
    memcpy(bytes + 23, hn_keccak256_of_nothing.b, 32);
    cr_assert_eq(read_all(bytes, sizeof bytes, 9), HN_ERR_CORRUPT);
    bytes[30] ^= 1;
    cr_assert_eq(read_all(bytes, sizeof bytes, 9), HN_ERR_NOT_FOUND);
}

Test(undo_chunk, counts_no_more_than_can_be_told_apart)
{
    hn_account_change change = {.slot_count = HN_UNDO_ITEMS_MAX - 2};
    hn_state_diff diff = {.accounts = &change, .account_count = 1};
    hn_undo_counts counts;
    cr_assert_eq(hn_undo_count(&counts, &diff), HN_OK);
    cr_assert_eq(counts.slots, HN_UNDO_ITEMS_MAX - 2);
    change.cleared_slot_count = 1;
    cr_assert_eq(hn_undo_count(&counts, &diff), HN_ERR_LIMIT);
    change.cleared_slot_count = UINT32_MAX;
    cr_assert_eq(hn_undo_count(&counts, &diff), HN_ERR_LIMIT);
}

Test(key_filter, misses_nothing_and_is_seldom_wrong)
{
    enum { KEYS = 50000 };
    hn_prng prng;
    hn_prng_init(&prng, 12);
    size_t size = hn_key_filter_bytes(KEYS);
    uint8_t *filter = calloc(1, size);
    uint64_t *keys = calloc(KEYS, sizeof *keys);
    for (unsigned i = 0; i < KEYS; i++) {
        keys[i] = hn_prng_next(&prng) >> 24;
        hn_key_filter_add(filter, size, keys[i]);
    }
    hn_bytes whole = hn_bytes_of(filter, size);
    unsigned wrong = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        cr_assert(hn_key_filter_has(whole, keys[i]));
        wrong += hn_key_filter_has(whole, hn_prng_next(&prng) >> 24);
    }
    cr_assert_lt(wrong, KEYS / 50);
    cr_assert(hn_key_filter_has(hn_bytes_of(filter, 0), keys[0]));
    cr_assert(hn_key_filter_has(hn_bytes_of(filter, size - 1), keys[0] + 1));
    cr_assert_eq(hn_key_filter_bytes(0), 64);
    cr_assert_eq(hn_key_filter_bytes(51), 64);
    cr_assert_eq(hn_key_filter_bytes(52), 128);
    free(keys);
    free(filter);
}
