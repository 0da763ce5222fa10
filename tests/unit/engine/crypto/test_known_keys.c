/* Checks against known keys: whatever the hints, every result is libsecp256k1's. */
#include "engine/base/check.h"
#include "engine/base/prng.h"
#include "engine/crypto/known_key_kernels.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIGNERS = 48, BATCH = 200 };

typedef struct signer {
    hn_u256 secret;
    hn_address address;
} signer;

static hn_signature_context *alone;
static secp256k1_context *curve;
static hn_u256 order;
static signer signers[SIGNERS]; /* an odd one has the opposite key of the one before */

static hn_u256 number(const char *hex)
{
    uint8_t bytes[32];
    for (size_t i = 0; i < 32; i++) {
        unsigned byte;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return hn_u256_from_be(bytes);
}

static void setup(void)
{
    hn_prng prng;
    hn_prng_init(&prng, 11);
    cr_assert_eq(hn_signature_context_create(&alone), HN_OK);
    curve = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    order = number("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    for (uint64_t i = 0; i < SIGNERS; i++) {
        hn_u256 secret = i % 4 == 0 ? hn_u256_of(i / 4 + 1) : hn_prng_u256(&prng);
        if (i % 2 != 0)
            secret = hn_u256_sub(&order, &signers[i - 1].secret);
        uint8_t bytes[32];
        hn_u256_to_be(bytes, &secret);
        signers[i].secret = secret;
        cr_assert_eq(hn_signature_address_of(alone, &signers[i].address, bytes), HN_OK);
    }
}

static void teardown(void)
{
    hn_signature_context_destroy(alone);
    secp256k1_context_destroy(curve);
}

TestSuite(known_keys, .init = setup, .fini = teardown);

static hn_known_keys *make_keys(uint32_t keys_max, uint32_t readers)
{
    hn_known_keys *keys;
    const hn_known_keys_options options = {.keys_max = keys_max, .readers = readers, .seed = 5};
    cr_assert_eq(hn_known_keys_create(&keys, alone, &options), HN_OK);
    return keys;
}

static bool has_kernel(const hn_known_keys *keys)
{
    if (strcmp(hn_known_keys_kernel(keys), "none") != 0)
        return true;
    fprintf(stderr, "skipped in part: this machine has no kernel\n");
    return false;
}

static void sign(hn_prng *prng, hn_recovery *item, const signer *by)
{
    uint8_t secret[32];
    memset(item, 0, sizeof *item);
    hn_u256_to_be(secret, &by->secret);
    hn_prng_fill(prng, item->digest.b, sizeof item->digest.b);
    cr_assert_eq(hn_signature_sign(alone, &item->signature, &item->digest, secret), HN_OK);
}

/* Until all signers' keys are known. */
static void make_known(hn_known_keys *keys, hn_prng *prng)
{
    for (int round = 0; round < 40; round++) {
        hn_recovery items[SIGNERS];
        hn_address hints[SIGNERS];
        for (size_t i = 0; i < SIGNERS; i++) {
            sign(prng, &items[i], &signers[i]);
            hints[i] = signers[i].address;
        }
        hn_known_keys_recover(keys, 0, items, hints, SIGNERS);
        for (size_t i = 0; i < SIGNERS; i++)
            cr_assert(items[i].status == HN_OK && hn_address_equal(&items[i].signer, &hints[i]));
    }
    if (has_kernel(keys))
        cr_assert_eq(hn_known_keys_count(keys).made, SIGNERS);
}

static void expect_agreement(hn_known_keys *keys, const hn_recovery *items, const hn_address *hints,
                             size_t count)
{
    hn_recovery *got = calloc(count + 1, sizeof *got);
    cr_assert_not_null(got);
    memcpy(got, items, count * sizeof *got);
    hn_known_keys_recover(keys, 0, got, hints, count);
    for (size_t i = 0; i < count; i++) {
        hn_address want = {{0}};
        const hn_err err = hn_signature_recover(alone, &want, &items[i].digest, &items[i].signature);
        cr_assert_eq(got[i].status, err, "item %zu of %zu", i, count);
        cr_assert(err != HN_OK || hn_address_equal(&got[i].signer, &want), "item %zu of %zu", i, count);
    }
    free(got);
}

/* Sound, or damaged in one field. */
static void damage(hn_prng *prng, hn_recovery *item)
{
    hn_u256 odd = hn_prng_u256(prng), s = hn_u256_from_be(item->signature.s.b);
    switch (hn_prng_below(prng, 20)) {
    case 0:
        hn_u256_to_be(item->signature.r.b, &odd);
        break;
    case 1:
        hn_u256_to_be(item->signature.s.b, &odd);
        break;
    case 2:
        item->digest.b[hn_prng_below(prng, 32)] ^= (uint8_t)(1u << hn_prng_below(prng, 8));
        break;
    case 3: /* the opposite of R: another key */
        item->signature.y_parity ^= 1;
        break;
    case 4:
        item->signature.y_parity = (uint8_t)hn_prng_below(prng, 256);
        break;
    case 5: /* at and above the order */
        odd = hn_u256_of(hn_prng_below(prng, 4));
        odd = hn_u256_add(&order, &odd);
        hn_u256_to_be(hn_prng_below(prng, 2) ? item->signature.r.b : item->signature.s.b, &odd);
        break;
    case 6: /* high s, as the same signature and as another one */
        s = hn_u256_sub(&order, &s);
        hn_u256_to_be(item->signature.s.b, &s);
        item->signature.y_parity ^= (uint8_t)hn_prng_below(prng, 2);
        break;
    case 7:
        memset(hn_prng_below(prng, 2) ? item->signature.r.b : item->signature.s.b, 0, 32);
        break;
    case 8: /* small numbers: r + n is below p */
        memset(item->signature.r.b, 0, 32);
        item->signature.r.b[31] = (uint8_t)hn_prng_below(prng, 200);
        break;
    case 9: /* the same modulo n */
        odd = hn_u256_of(hn_prng_below(prng, 1000));
        hn_u256_to_be(item->digest.b, &odd);
        break;
    default:
        break;
    }
}

static hn_address any_hint(hn_prng *prng, size_t by)
{
    hn_address hint = signers[by].address;
    switch (hn_prng_below(prng, 8)) {
    case 0:
        return signers[by ^ 1].address;
    case 1:
        return signers[hn_prng_below(prng, SIGNERS)].address;
    case 2:
        hn_prng_fill(prng, hint.b, sizeof hint.b);
        return hint;
    case 3:
        return (hn_address){{0}};
    case 4:
        hint.b[hn_prng_below(prng, 20)] ^= 1;
        return hint;
    default:
        return hint;
    }
}

Test(known_keys, any_signatures_with_any_hints)
{
    enum { ROUNDS = 500 };
    hn_prng prng;
    hn_prng_init(&prng, 1);
    hn_known_keys *keys = make_keys(64, 1);
    make_known(keys, &prng);
    const hn_known_keys_counts before = hn_known_keys_count(keys);
    for (size_t round = 0; round < ROUNDS; round++) {
        hn_recovery items[BATCH];
        hn_address hints[BATCH];
        const size_t count = round < 20 ? round : BATCH;
        for (size_t i = 0; i < count; i++) {
            const size_t by = hn_prng_below(&prng, SIGNERS);
            sign(&prng, &items[i], &signers[by]);
            damage(&prng, &items[i]);
            hints[i] = any_hint(&prng, by);
        }
        expect_agreement(keys, items, hints, count);
    }
    const hn_known_keys_counts after = hn_known_keys_count(keys);
    if (has_kernel(keys)) {
        cr_expect_gt(after.proven - before.proven, ROUNDS * BATCH / 6);
        cr_expect_gt(after.wrong - before.wrong, ROUNDS * BATCH / 6);
        cr_expect_eq(after.made, before.made);
    }
    hn_known_keys_destroy(keys);
}

/* The signature with (e G + r Q) / s = first * G + second * Q, which anybody can make for any key. */
static bool make_sum(hn_recovery *item, const secp256k1_pubkey *key, const hn_u256 *first,
                     const hn_u256 *second)
{
    uint8_t scalar[32], bytes[33];
    size_t size = sizeof bytes;
    secp256k1_pubkey sum = *key, other;
    const secp256k1_pubkey *both[2] = {&sum, &other};
    memset(item, 0, sizeof *item);
    hn_u256_to_be(scalar, second);
    if (!secp256k1_ec_pubkey_tweak_mul(curve, &sum, scalar))
        return false;
    secp256k1_pubkey r_point = sum;
    if (!hn_u256_is_zero(first)) {
        hn_u256_to_be(scalar, first);
        if (!secp256k1_ec_pubkey_create(curve, &other, scalar) ||
            !secp256k1_ec_pubkey_combine(curve, &r_point, both, 2))
            return false;
    }
    secp256k1_ec_pubkey_serialize(curve, bytes, &size, &r_point, SECP256K1_EC_COMPRESSED);
    const hn_u256 r = hn_u256_from_be(bytes + 1);
    /* s = r / second, by Fermat */
    hn_u256 power = *second, inverse = hn_u256_of(1);
    const hn_u256 two = hn_u256_of(2);
    const hn_u256 exponent = hn_u256_sub(&order, &two);
    for (unsigned bit = 0; bit < 256; bit++) {
        if (exponent.w[bit / 64] >> bit % 64 & 1)
            inverse = hn_u256_mulmod(&inverse, &power, &order);
        power = hn_u256_mulmod(&power, &power, &order);
    }
    const hn_u256 s = hn_u256_mulmod(&r, &inverse, &order), digest = hn_u256_mulmod(first, &s, &order);
    memcpy(item->signature.r.b, bytes + 1, 32);
    hn_u256_to_be(item->signature.s.b, &s);
    hn_u256_to_be(item->digest.b, &digest);
    item->signature.y_parity = bytes[0] & 1;
    return true;
}

static secp256k1_pubkey key_of(const hn_u256 *secret)
{
    uint8_t bytes[32];
    secp256k1_pubkey key;
    hn_u256_to_be(bytes, secret);
    cr_assert(secp256k1_ec_pubkey_create(curve, &key, bytes));
    return key;
}

/* Scalars at which digits, teeth and columns have their edges. */
static size_t edges(hn_u256 *out)
{
    const hn_u256 one = hn_u256_of(1);
    size_t count = 0;
    for (uint64_t i = 1; i <= 12; i++)
        out[count++] = hn_u256_of(i);
    for (unsigned bit = 4; bit < 256; bit += bit % 11 == 10 ? 1 : 5) {
        hn_u256 power = one;
        for (unsigned i = 0; i < bit; i++)
            power = hn_u256_add(&power, &power);
        out[count++] = power;
        out[count++] = hn_u256_sub(&power, &one);
    }
    const size_t positive = count;
    for (size_t i = 0; i < positive; i++)
        out[count++] = hn_u256_sub(&order, &out[i]);
    return count;
}

/* Keys whose secret is small, and sums that were chosen: additions meet their exceptions. */
Test(known_keys, chosen_sums)
{
    enum { COUNT = 12000 };
    hn_u256 scalars[300];
    const size_t scalar_count = edges(scalars);
    cr_assert_leq(scalar_count, 300);
    hn_prng prng;
    hn_prng_init(&prng, 2);
    hn_known_keys *keys = make_keys(SIGNERS, 1);
    make_known(keys, &prng);
    hn_recovery *items = calloc(COUNT, sizeof *items);
    hn_address *hints = calloc(COUNT, sizeof *hints);
    cr_assert(items != NULL && hints != NULL);
    const hn_known_keys_counts before = hn_known_keys_count(keys);
    size_t count = 0;
    while (count < COUNT) {
        const size_t by = hn_prng_below(&prng, SIGNERS) & ~(size_t)(hn_prng_below(&prng, 4) ? 3 : 0);
        const secp256k1_pubkey key = key_of(&signers[by].secret);
        hn_u256 first = hn_u256_of(0);
        if (hn_prng_below(&prng, 16))
            first = scalars[hn_prng_below(&prng, scalar_count)];
        if (!make_sum(&items[count], &key, &first, &scalars[hn_prng_below(&prng, scalar_count)]))
            continue;
        hints[count++] = signers[by].address;
    }
    expect_agreement(keys, items, hints, COUNT);
    const hn_known_keys_counts after = hn_known_keys_count(keys);
    cr_expect_eq(after.wrong, before.wrong);
    if (has_kernel(keys)) {
        cr_expect_gt(after.proven - before.proven, COUNT / 2);
        cr_expect_gt(after.unknown, before.unknown, "some sums were to meet an exception");
        fprintf(stderr, "%zu of %d sums met an exception\n", (size_t)(after.unknown - before.unknown), COUNT);
    }
    free(items);
    free(hints);
    hn_known_keys_destroy(keys);
}

/* R with x = r + n is the sum that the hinted key gives, but no transaction's: its y parity says x = r. */
Test(known_keys, an_x_above_the_order)
{
    hn_prng prng;
    hn_prng_init(&prng, 3);
    hn_known_keys *keys = make_keys(16, 1);
    unsigned tried = 0;
    for (uint8_t small = 1; small < 60; small++) {
        hn_recovery item = {.digest = {{9}}};
        uint8_t compact[64] = {[31] = small, [63] = 77}, bytes[65];
        size_t size = sizeof bytes;
        secp256k1_ecdsa_recoverable_signature parsed;
        secp256k1_pubkey key;
        cr_assert(secp256k1_ecdsa_recoverable_signature_parse_compact(curve, &parsed, compact, 2));
        if (!secp256k1_ecdsa_recover(curve, &key, &parsed, item.digest.b))
            continue; /* there is no such point */
        tried++;
        hn_recovery items[16];
        hn_address hints[16];
        secp256k1_ec_pubkey_serialize(curve, bytes, &size, &key, SECP256K1_EC_UNCOMPRESSED);
        for (size_t i = 0; i < 16; i++) {
            const hn_u256 first = hn_u256_of(hn_prng_next(&prng)), second = hn_u256_of(hn_prng_next(&prng));
            cr_assert(make_sum(&items[i], &key, &first, &second));
            cr_assert_eq(hn_signature_recover(alone, &hints[i], &items[i].digest, &items[i].signature),
                         HN_OK);
            cr_assert(hn_address_equal(&hints[i], &hints[0]));
        }
        for (int round = 0; round < 6; round++)
            expect_agreement(keys, items, hints, 16);
        const uint64_t before = hn_known_keys_count(keys).proven;
        memcpy(item.signature.r.b, compact, 32);
        memcpy(item.signature.s.b, compact + 32, 32);
        for (uint8_t parity = 0; parity < 2; parity++) {
            item.signature.y_parity = parity;
            expect_agreement(keys, &item, hints, 1);
        }
        cr_expect_eq(hn_known_keys_count(keys).proven, before);
        if (has_kernel(keys))
            cr_expect_gt(before, 16 * (uint64_t)tried);
    }
    cr_expect_gt(tried, 5);
    hn_known_keys_destroy(keys);
}

Test(known_keys, more_senders_than_room)
{
    enum { ROOM = 16, ROUNDS = 120 };
    hn_prng prng;
    hn_prng_init(&prng, 4);
    hn_known_keys *keys = make_keys(ROOM, 1);
    for (size_t round = 0; round < ROUNDS; round++) {
        hn_recovery items[BATCH];
        hn_address hints[BATCH];
        const size_t first = round / 40 * ROOM; /* sixteen signers at a time, then sixteen others */
        for (size_t i = 0; i < BATCH; i++) {
            const size_t by = first + hn_prng_below(&prng, ROOM);
            sign(&prng, &items[i], &signers[by]);
            if (i % 16 == 0)
                damage(&prng, &items[i]);
            hints[i] = signers[by].address;
        }
        const uint64_t before = hn_known_keys_count(keys).proven;
        expect_agreement(keys, items, hints, BATCH);
        if (round % 40 == 39 && has_kernel(keys))
            cr_expect_gt(hn_known_keys_count(keys).proven - before, BATCH / 2, "round %zu", round);
    }
    const hn_known_keys_counts counts = hn_known_keys_count(keys);
    if (has_kernel(keys)) {
        cr_expect_gt(counts.made, 2 * ROOM);
        cr_expect_geq(counts.evicted, counts.made - ROOM);
    }
    hn_known_keys_destroy(keys);
}

Test(known_keys, options_are_checked)
{
    hn_known_keys *keys;
    hn_known_keys_options options = {.keys_max = 0, .readers = 1};
    cr_expect_eq(hn_known_keys_create(&keys, alone, &options), HN_ERR_RANGE);
    options.keys_max = HN_KNOWN_KEYS_MAX + 1;
    cr_expect_eq(hn_known_keys_create(&keys, alone, &options), HN_ERR_RANGE);
    options.keys_max = 1;
    options.readers = 0;
    cr_expect_eq(hn_known_keys_create(&keys, alone, &options), HN_ERR_RANGE);
    options.readers = HN_KNOWN_KEY_READERS_MAX + 1;
    cr_expect_eq(hn_known_keys_create(&keys, alone, &options), HN_ERR_RANGE);
    options.readers = 1;
    cr_assert_eq(hn_known_keys_create(&keys, alone, &options), HN_OK); /* one key */
    hn_known_keys_destroy(keys);
}

/* --- many readers, over a kernel whose tables are the keys, so that a torn or foreign one is seen --- */

enum { PATTERN = 64, COPIES = HN_KNOWN_KEY_BYTES / PATTERN };

static bool is_everywhere(void)
{
    return true;
}

static void prepare_nothing(void *fixed, const uint8_t generator[64])
{
    (void)fixed;
    (void)generator;
}

static void copy_keys(void *const tables[HN_KNOWN_KEYS_AT_ONCE], const uint8_t (*keys)[64])
{
    for (size_t i = 0; i < HN_KNOWN_KEYS_AT_ONCE; i++)
        for (size_t j = 0; j < COPIES; j++)
            memcpy((uint8_t *)tables[i] + j * PATTERN, keys[i], PATTERN);
}

static void compare_keys(const void *fixed, bool *proven, const hn_known_key_check *checks, size_t count)
{
    (void)fixed;
    for (size_t i = 0; i < count; i++) {
        uint8_t key[64];
        const uint8_t *table = checks[i].table;
        for (size_t j = 1; j < COPIES; j++)
            HN_CHECK(memcmp(table, table + j * PATTERN, PATTERN) == 0);
        proven[i] = hn_signature_recover_public_key(alone, key, &checks[i].item->digest,
                                                    &checks[i].item->signature) == HN_OK &&
                    memcmp(key, table, sizeof key) == 0;
    }
}

static const hn_known_key_kernel plain_kernel = {
    .name = "plain",
    .fixed_bytes = 64,
    .table_bytes = HN_KNOWN_KEY_BYTES,
    .available = is_everywhere,
    .prepare = prepare_nothing,
    .make_tables = copy_keys,
    .check = compare_keys,
};

typedef struct racer {
    hn_known_keys *keys;
    uint32_t number;
    const hn_recovery *items; /* one of each signer */
} racer;

static void *race(void *context)
{
    enum { ROUNDS = 150, SOME = 12 };
    const racer *self = context;
    hn_prng prng;
    hn_prng_init(&prng, 100 + self->number);
    for (int round = 0; round < ROUNDS; round++) {
        hn_recovery items[SOME];
        hn_address hints[SOME];
        size_t by[SOME];
        for (size_t i = 0; i < SOME; i++) {
            by[i] = (hn_prng_below(&prng, SIGNERS / 4) + (size_t)round / 4) % SIGNERS;
            items[i] = self->items[by[i]];
            hints[i] = signers[i % 5 == 0 ? by[i] ^ 1 : by[i]].address;
        }
        hn_known_keys_recover(self->keys, self->number, items, hints, SOME);
        for (size_t i = 0; i < SOME; i++)
            HN_CHECK(items[i].status == HN_OK && hn_address_equal(&items[i].signer, &signers[by[i]].address));
    }
    return NULL;
}

Test(known_keys, many_readers)
{
    enum { READERS = 4 };
    hn_prng prng;
    hn_prng_init(&prng, 6);
    hn_recovery items[SIGNERS];
    for (size_t i = 0; i < SIGNERS; i++)
        sign(&prng, &items[i], &signers[i]);
    hn_known_keys *keys;
    const hn_known_keys_options options = {.keys_max = 8, .readers = READERS, .seed = 1};
    cr_assert_eq(hn_known_keys_create_with(&keys, alone, &options, &plain_kernel), HN_OK);
    cr_assert_str_eq(hn_known_keys_kernel(keys), "plain");
    pthread_t threads[READERS];
    racer racers[READERS];
    for (uint32_t i = 0; i < READERS; i++) {
        racers[i] = (racer){keys, i, items};
        cr_assert_eq(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (uint32_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    const hn_known_keys_counts counts = hn_known_keys_count(keys);
    cr_expect_gt(counts.proven, 100);
    cr_expect_gt(counts.evicted, 8);
    hn_known_keys_destroy(keys);
}
