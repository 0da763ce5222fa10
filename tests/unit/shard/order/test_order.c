/* Slots, verdicts and recent outcomes. */
#include "engine/base/prng.h"
#include "shard/order/recent.h"

#include <criterion/criterion.h>

Test(pending, keeps_small_and_large_raw_bytes)
{
    static uint8_t raw[HN_PENDING_RAW_BYTES_MAX + 1];
    static hn_pending pending;
    hn_prng prng;
    hn_prng_init(&prng, 1);
    hn_prng_fill(&prng, raw, sizeof raw);
    hn_pending_init(&pending);
    static const size_t sizes[] = {0, 1, HN_PENDING_INLINE_BYTES, HN_PENDING_INLINE_BYTES + 1,
                                   HN_PENDING_RAW_BYTES_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        hn_bytes given = hn_bytes_of(raw, sizes[i]);
        cr_assert_eq((int)hn_pending_set_raw(&pending, given), (int)HN_OK);
        cr_assert(hn_bytes_equal(pending.content.transaction.raw, given));
        cr_assert(pending.content.transaction.raw.data != raw);
        pending.token = 9;
        hn_pending_reset(&pending);
        cr_assert_eq(pending.token, 0);
        cr_assert_eq(pending.content.transaction.raw.size, 0);
        cr_assert(pending.arena.reserved_bytes <= 64 * 1024);
    }
    cr_assert_eq((int)hn_pending_set_raw(&pending, hn_bytes_of(raw, sizeof raw)), (int)HN_ERR_LIMIT);
    hn_pending_destroy(&pending);
}

Test(verdict, every_one_has_a_name_and_a_text)
{
    for (int i = 0; i < HN_VERDICT_COUNT; i++) {
        cr_assert(strlen(hn_verdict_name((hn_verdict)i)) > 0);
        cr_assert(strlen(hn_verdict_text((hn_verdict)i)) > 0);
    }
    /* The numbers are part of the datagram protocol. */
    cr_assert_str_eq(hn_verdict_name((hn_verdict)0), "QUEUED");
    cr_assert_str_eq(hn_verdict_name((hn_verdict)5), "KNOWN");
    cr_assert_str_eq(hn_verdict_name((hn_verdict)13), "NO_LEDGER");
    cr_assert_str_eq(hn_verdict_name((hn_verdict)1000), "UNKNOWN");
}

/* Against an array in order of age. */
Test(recent, equals_a_list_by_age)
{
    enum { CAPACITY = 16, KEYS = 40 };
    struct {
        uint64_t key, block;
    } list[CAPACITY];
    size_t count = 0;
    hn_recent *recent;
    hn_prng prng;
    hn_prng_init(&prng, 3);
    cr_assert_eq((int)hn_recent_create(&recent, 12, 1), (int)HN_ERR_INVALID);
    cr_assert_eq((int)hn_recent_create(&recent, CAPACITY, 1), (int)HN_OK);
    for (uint64_t step = 1; step < 20000; step++) {
        hn_hash hash = {{0}};
        uint64_t key = hn_prng_below(&prng, KEYS);
        hash.b[31] = (uint8_t)key;
        size_t at = 0;
        while (at < count && list[at].key != key)
            at++;
        hn_recent_outcome outcome = {.block_number = step};
        bool removes = hn_prng_below(&prng, 4) == 0;
        if (removes)
            hn_recent_remove(recent, &hash, 0);
        else
            hn_recent_put(recent, &hash, &outcome);
        if (at < count) {
            memmove(&list[at], &list[at + 1], (count - at - 1) * sizeof list[0]);
            count--;
        }
        if (!removes) {
            if (count == CAPACITY)
                memmove(&list[0], &list[1], --count * sizeof list[0]);
            list[count].key = key;
            list[count++].block = step;
        }
        for (uint64_t k = 0; k < KEYS; k++) {
            hash.b[31] = (uint8_t)k;
            for (at = 0; at < count && list[at].key != k;)
                at++;
            cr_assert_eq(hn_recent_find(recent, &outcome, &hash, 0), at < count);
            if (at < count)
                cr_assert_eq(outcome.block_number, list[at].block);
        }
    }
    hn_recent_destroy(recent);
}

Test(recent, a_hash_has_an_outcome_on_each_ledger)
{
    hn_recent *recent;
    hn_recent_outcome outcome;
    hn_hash hash = {{7}};
    cr_assert_eq((int)hn_recent_create(&recent, 16, 1), (int)HN_OK);
    for (uint32_t ledger = 0; ledger < 3; ledger++) {
        outcome = (hn_recent_outcome){
            .verdict = HN_VERDICT_EXECUTED, .ledger = ledger, .block_number = 100 + ledger};
        hn_recent_put(recent, &hash, &outcome);
    }
    hn_recent_remove(recent, &hash, 1);
    for (uint32_t ledger = 0; ledger < 4; ledger++) {
        bool is_there = ledger == 0 || ledger == 2;
        cr_assert_eq(hn_recent_find(recent, &outcome, &hash, ledger), is_there);
        if (is_there)
            cr_assert_eq(outcome.block_number, 100 + ledger);
    }
    hn_recent_destroy(recent);
}

/* However many come behind it, what is on its way is known until it has its outcome. */
Test(recent, what_is_on_its_way_is_never_forgotten)
{
    enum { CAPACITY = 16, ON_THEIR_WAY = 8 };
    hn_recent *recent;
    hn_recent_outcome outcome;
    cr_assert_eq((int)hn_recent_create(&recent, CAPACITY, 1), (int)HN_OK);
    for (uint8_t i = 0; i < 200; i++) {
        hn_hash hash = {{i}};
        outcome = (hn_recent_outcome){.verdict = i < ON_THEIR_WAY ? HN_VERDICT_KNOWN : HN_VERDICT_EXECUTED};
        hn_recent_put(recent, &hash, &outcome);
    }
    for (uint8_t i = 0; i < ON_THEIR_WAY; i++) {
        hn_hash hash = {{i}};
        cr_assert(hn_recent_find(recent, &outcome, &hash, 0));
        cr_assert_eq((int)outcome.verdict, (int)HN_VERDICT_KNOWN);
        outcome = (hn_recent_outcome){.verdict = HN_VERDICT_EXECUTED, .block_number = i};
        if (i % 2 == 0)
            hn_recent_put(recent, &hash, &outcome);
        else
            hn_recent_remove(recent, &hash, 0);
    }
    for (unsigned i = 0; i < 200; i++) {
        hn_hash hash = {{(uint8_t)i}};
        bool is_kept = i < ON_THEIR_WAY ? i % 2 == 0 : i >= 200 - (CAPACITY - ON_THEIR_WAY);
        cr_assert_eq(hn_recent_find(recent, &outcome, &hash, 0), is_kept, "%u", i);
    }
    hn_recent_destroy(recent);
}
