/* The kernels that recover many keys at once against libsecp256k1, signature by signature. */
#include "engine/base/check.h"
#include "engine/base/prng.h"
#include "engine/crypto/recovery_kernels.h"

#include <criterion/criterion.h>
#include <secp256k1.h>
#include <stdio.h>
#include <stdlib.h>

static hn_signature_context *alone, *contexts[8]; /* the latter in the order of the kernels; NULL: not here */
static secp256k1_context *curve;
static hn_u256 order;

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
    cr_assert_eq(hn_signature_context_create_with(&alone, NULL), HN_OK);
    cr_assert_str_eq(hn_signature_kernel(alone), "libsecp256k1");
    for (size_t i = 0; hn_recovery_kernels[i] != NULL; i++) {
        contexts[i] = NULL;
        if (hn_recovery_kernels[i]->available())
            cr_assert_eq(hn_signature_context_create_with(&contexts[i], hn_recovery_kernels[i]), HN_OK);
        else
            fprintf(stderr, "skipped: this machine has no %s\n", hn_recovery_kernels[i]->name);
    }
    curve = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    order = number("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
}

static void teardown(void)
{
    hn_signature_context_destroy(alone);
    for (size_t i = 0; hn_recovery_kernels[i] != NULL; i++)
        hn_signature_context_destroy(contexts[i]);
    secp256k1_context_destroy(curve);
}

TestSuite(recovery, .init = setup, .fini = teardown);

/* Every kernel of this machine says of each item what libsecp256k1 says. */
static void expect_agreement(const hn_recovery *items, size_t count)
{
    hn_recovery *want = calloc(count, sizeof *want), *got = calloc(count, sizeof *got);
    cr_assert(want != NULL && got != NULL);
    memcpy(want, items, count * sizeof *want);
    hn_signature_recover_batch(alone, want, count);
    for (size_t k = 0; hn_recovery_kernels[k] != NULL; k++) {
        if (contexts[k] == NULL)
            continue;
        memcpy(got, items, count * sizeof *got);
        hn_signature_recover_batch(contexts[k], got, count);
        for (size_t i = 0; i < count; i++) {
            const char *name = hn_recovery_kernels[k]->name;
            cr_assert_eq(got[i].status, want[i].status, "%s, item %zu of %zu", name, i, count);
            cr_assert(hn_address_equal(&got[i].signer, &want[i].signer), "%s, item %zu of %zu", name, i,
                      count);
        }
    }
    for (size_t k = 0; hn_recovery_kernels[k] != NULL; k++)
        cr_expect(contexts[k] == NULL || hn_signature_exceptional(contexts[k]) == 0);
    free(want);
    free(got);
}

static void sign(hn_prng *prng, hn_recovery *item)
{
    uint8_t key[32];
    hn_prng_fill(prng, key, sizeof key);
    hn_prng_fill(prng, item->digest.b, sizeof item->digest.b);
    cr_assert_eq(hn_signature_sign(alone, &item->signature, &item->digest, key), HN_OK);
}

/* Half of the items are sound, the others damaged in every field. */
static void make_item(hn_prng *prng, hn_recovery *item)
{
    memset(item, 0, sizeof *item);
    sign(prng, item);
    hn_u256 odd = hn_prng_u256(prng);
    switch (hn_prng_below(prng, 12)) {
    case 0:
        hn_u256_to_be(item->signature.r.b, &odd);
        break;
    case 1:
        hn_u256_to_be(item->signature.s.b, &odd);
        break;
    case 2:
        hn_u256_to_be(item->digest.b, &odd);
        break;
    case 3:
        item->signature.y_parity ^= 1;
        break;
    case 4:
        item->signature.y_parity = (uint8_t)hn_prng_below(prng, 256);
        break;
    case 5: /* at and above the order */
        odd = hn_u256_of(hn_prng_below(prng, 4));
        odd = hn_u256_add(&order, &odd);
        hn_u256_to_be(hn_prng_below(prng, 2) ? item->signature.r.b : item->digest.b, &odd);
        break;
    default:
        break;
    }
}

Test(recovery, any_number_of_signatures, .timeout = 120)
{
    enum { MOST = 300 };
    hn_prng prng;
    hn_prng_init(&prng, 1);
    hn_recovery items[MOST];
    for (size_t count = 0; count <= MOST; count += count < 20 ? 1 : 35) {
        for (size_t i = 0; i < count; i++)
            make_item(&prng, &items[i]);
        expect_agreement(items, count);
    }
}

Test(recovery, random_and_damaged_signatures, .timeout = 240)
{
    enum { COUNT = 16384 };
    hn_prng prng;
    hn_prng_init(&prng, 2);
    hn_recovery *items = calloc(COUNT, sizeof *items);
    cr_assert(items != NULL);
    for (size_t i = 0; i < COUNT; i++)
        make_item(&prng, &items[i]);
    expect_agreement(items, COUNT);
    free(items);
}

/* The signature of which recovery makes first * G + second * R, where R = k G. */
static bool make_sum(hn_recovery *item, const hn_u256 *k, const hn_u256 *first, const hn_u256 *second)
{
    uint8_t scalar[32], point[33];
    size_t size = sizeof point;
    secp256k1_pubkey r_point;
    memset(item, 0, sizeof *item);
    hn_u256_to_be(scalar, k);
    if (!secp256k1_ec_pubkey_create(curve, &r_point, scalar))
        return false;
    secp256k1_ec_pubkey_serialize(curve, point, &size, &r_point, SECP256K1_EC_COMPRESSED);
    hn_u256 r = hn_u256_from_be(point + 1);
    hn_u256 s = hn_u256_mulmod(second, &r, &order), digest = hn_u256_mulmod(first, &r, &order);
    const hn_u256 zero = hn_u256_of(0);
    digest = hn_u256_is_zero(&digest) ? zero : hn_u256_sub(&order, &digest);
    memcpy(item->signature.r.b, point + 1, 32);
    hn_u256_to_be(item->signature.s.b, &s);
    hn_u256_to_be(item->digest.b, &digest);
    item->signature.y_parity = point[0] & 1;
    return true;
}

/* Scalars at which digits, halves and point additions have their edges. */
static size_t edges(hn_u256 *out)
{
    const hn_u256 lambda = number("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72");
    const hn_u256 one = hn_u256_of(1);
    size_t count = 0;
    for (uint64_t i = 1; i <= 10; i++)
        out[count++] = hn_u256_of(i);
    for (unsigned bit = 11; bit < 256; bit += bit % 12 == 11 ? 1 : 4) {
        hn_u256 power = one;
        for (unsigned i = 0; i < bit; i++)
            power = hn_u256_add(&power, &power);
        out[count++] = power;
        out[count++] = hn_u256_sub(&power, &one);
    }
    out[count++] = lambda;
    out[count++] = hn_u256_mulmod(&lambda, &lambda, &order);
    for (uint64_t i = 2; i <= 9; i++) {
        const hn_u256 times = hn_u256_of(i);
        out[count++] = hn_u256_mulmod(&lambda, &times, &order);
    }
    size_t positive = count;
    for (size_t i = 0; i < positive; i++)
        out[count++] = hn_u256_sub(&order, &out[i]);
    return count;
}

Test(recovery, edge_scalars, .timeout = 240)
{
    enum { ROUNDS = 24000 };
    hn_u256 scalars[400];
    const size_t count = edges(scalars);
    cr_assert_leq(count, 400);
    hn_prng prng;
    hn_prng_init(&prng, 3);
    hn_recovery *items = calloc(ROUNDS, sizeof *items);
    cr_assert(items != NULL);
    for (size_t i = 0; i < ROUNDS; i++) {
        hn_u256 k = scalars[hn_prng_below(&prng, count)], zero = hn_u256_of(0);
        const hn_u256 *first = &scalars[i % count];
        cr_assert(make_sum(&items[i], &k, hn_prng_below(&prng, 16) ? first : &zero,
                           &scalars[hn_prng_below(&prng, count)]));
    }
    expect_agreement(items, ROUNDS);
    free(items);
}

/* A number at which something may go wrong: tiny, huge, at the order, at p - n, at halves of the order. */
static hn_u256 odd_number(hn_prng *prng, const hn_u256 *scalars, size_t count)
{
    static const char *const limits[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", /* n */
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", /* p */
        "000000000000000000000000000000014551231950b75fc4402da1722fc9baee", /* p - n */
        "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0", /* n / 2 */
    };
    if (hn_prng_below(prng, 2) == 0)
        return scalars[hn_prng_below(prng, count)];
    const hn_u256 limit = number(limits[hn_prng_below(prng, sizeof limits / sizeof *limits)]);
    const hn_u256 distance = hn_u256_of(hn_prng_below(prng, 40));
    return hn_prng_below(prng, 2) ? hn_u256_add(&limit, &distance) : hn_u256_sub(&limit, &distance);
}

/* Sums of multiples of G and R = k G that meet each other, vanish, or nearly so. */
static void make_meeting(hn_prng *prng, hn_recovery *item, const hn_u256 *scalars, size_t count)
{
    hn_u256 k = scalars[hn_prng_below(prng, count)], second = scalars[hn_prng_below(prng, count)];
    if (hn_prng_below(prng, 2)) {
        const hn_u256 random = hn_prng_u256(prng), one = hn_u256_of(1);
        second = hn_u256_mulmod(&random, &one, &order);
    }
    const hn_u256 off = hn_u256_of(hn_prng_below(prng, 4));
    hn_u256 first = hn_u256_mulmod(&second, &k, &order);
    if (hn_prng_below(prng, 2))
        first = hn_u256_sub(&order, &first);
    first = hn_u256_add(&first, &off);
    const hn_u256 one = hn_u256_of(1);
    first = hn_u256_mulmod(&first, &one, &order);
    if (!make_sum(item, &k, &first, &second))
        memset(item, 0, sizeof *item);
}

static void make_adversarial(hn_prng *prng, hn_recovery *item, const hn_u256 *scalars, size_t count)
{
    hn_u256 numbers[3];
    switch (hn_prng_below(prng, 4)) {
    case 0:
        make_item(prng, item);
        return;
    case 1:
        make_meeting(prng, item, scalars, count);
        return;
    case 2:
        if (make_sum(item, &scalars[hn_prng_below(prng, count)], &scalars[hn_prng_below(prng, count)],
                     &scalars[hn_prng_below(prng, count)]))
            return;
        break;
    default:
        break;
    }
    make_item(prng, item);
    for (size_t i = 0; i < 3; i++)
        numbers[i] = odd_number(prng, scalars, count);
    const uint64_t which = hn_prng_below(prng, 8);
    if (which & 1)
        hn_u256_to_be(item->signature.r.b, &numbers[0]);
    if (which & 2)
        hn_u256_to_be(item->signature.s.b, &numbers[1]);
    if (which & 4)
        hn_u256_to_be(item->digest.b, &numbers[2]);
    item->signature.y_parity = (uint8_t)hn_prng_below(prng, hn_prng_below(prng, 4) ? 2 : 8);
}

/* HANSE_RECOVERIES=1000000 in the environment makes this a long test. */
Test(recovery, random_and_adversarial_signatures, .timeout = 1800)
{
    enum { MOST = 512 };
    const char *asked = getenv("HANSE_RECOVERIES");
    const size_t wanted = asked != NULL ? strtoul(asked, NULL, 10) : 16384;
    hn_u256 scalars[400];
    hn_recovery items[MOST];
    const size_t count = edges(scalars);
    hn_prng prng;
    hn_prng_init(&prng, 5);
    for (size_t done = 0; done < wanted;) {
        size_t now = hn_prng_below(&prng, 4) ? MOST : hn_prng_below(&prng, MOST) + 1;
        for (size_t i = 0; i < now; i++)
            make_adversarial(&prng, &items[i], scalars, count);
        expect_agreement(items, now);
        done += now;
    }
}

/* first + second k = 0 modulo n: the sum ends at infinity, which is no key. */
Test(recovery, sums_that_vanish)
{
    enum { ROUNDS = 512 };
    hn_prng prng;
    hn_prng_init(&prng, 4);
    hn_recovery items[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++) {
        const hn_u256 k = hn_u256_of(hn_prng_below(&prng, 1000) + 1);
        hn_u256 second = hn_prng_u256(&prng);
        const hn_u256 one = hn_u256_of(1);
        second = hn_u256_mulmod(&second, &one, &order);
        if (hn_u256_is_zero(&second))
            second = one;
        const hn_u256 product = hn_u256_mulmod(&second, &k, &order), first = hn_u256_sub(&order, &product);
        cr_assert(make_sum(&items[i], &k, &first, &second));
        if (i % 3 == 0) /* between sound ones */
            sign(&prng, &items[i]);
    }
    expect_agreement(items, ROUNDS);
    hn_signature_recover_batch(alone, items, ROUNDS);
    cr_expect_eq(items[1].status, HN_ERR_SIGNATURE);
    cr_expect_eq(items[0].status, HN_OK);
}

Test(recovery, the_best_kernel_is_chosen)
{
    hn_signature_context *context;
    hn_signature_failures failures;
    cr_assert_eq(hn_signature_context_create_named(&context, &failures, NULL), HN_OK);
    const hn_recovery_kernel *const *kernel = hn_recovery_kernels;
    while (*kernel != NULL && !(*kernel)->available())
        kernel++;
    cr_expect_str_eq(hn_signature_kernel(context), *kernel != NULL ? (*kernel)->name : "libsecp256k1");
    cr_expect_eq(failures.count, 0);
    cr_expect_eq(hn_signature_exceptional(context), 0);
    hn_signature_context_destroy(context);
}

Test(recovery, every_kernel_can_be_forced)
{
    hn_signature_context *context;
    for (size_t k = 0; hn_recovery_kernels[k] != NULL; k++) {
        const hn_err want = contexts[k] != NULL ? HN_OK : HN_ERR_UNSUPPORTED;
        cr_assert_eq(hn_signature_context_create_named(&context, NULL, hn_recovery_kernels[k]->name), want);
        if (want != HN_OK)
            continue;
        cr_expect_str_eq(hn_signature_kernel(context), hn_recovery_kernels[k]->name);
        hn_signature_context_destroy(context);
    }
    cr_assert_eq(hn_signature_context_create_named(&context, NULL, "libsecp256k1"), HN_OK);
    cr_expect_str_eq(hn_signature_kernel(context), "libsecp256k1");
    hn_signature_context_destroy(context);
    cr_expect_eq(hn_signature_context_create_named(&context, NULL, "abacus"), HN_ERR_NOT_FOUND);
}

/* Kernels made up for the tests below. */
static bool is_here(void)
{
    return true;
}

static void no_tables(void *tables, uint8_t (*multiples)[64])
{
    (void)tables;
    (void)multiples;
}

static void give_wrong_keys(const void *tables, hn_recovery_key *keys, hn_recovery *const *items,
                            size_t count)
{
    (void)tables;
    for (size_t i = 0; i < count; i++) {
        memset(&keys[i], 7, sizeof keys[i]);
        memcpy(keys[i].public_key, items[i]->signature.r.b, 32);
        keys[i].outcome = HN_RECOVERY_FOUND;
    }
}

static void give_up(const void *tables, hn_recovery_key *keys, hn_recovery *const *items, size_t count)
{
    give_wrong_keys(tables, keys, items, count);
    for (size_t i = 0; i < count; i++)
        keys[i].outcome = HN_RECOVERY_EXCEPTIONAL;
}

static const hn_recovery_kernel wrong_kernel = {.name = "wrong",
                                                .worthwhile = 2,
                                                .table_bytes = 64,
                                                .available = is_here,
                                                .prepare = no_tables,
                                                .recover = give_wrong_keys};
static const hn_recovery_kernel idle_kernel = {.name = "idle",
                                               .worthwhile = 2,
                                               .table_bytes = 64,
                                               .available = is_here,
                                               .prepare = no_tables,
                                               .recover = give_up};

Test(recovery, a_kernel_that_fails_its_self_test_is_not_used)
{
    const hn_recovery_kernel *const kernels[] = {&wrong_kernel, &idle_kernel, NULL};
    hn_signature_context *context;
    hn_signature_failures failures;
    cr_assert_eq(hn_signature_context_choose(&context, &failures, kernels, "auto"), HN_OK);
    cr_expect_str_eq(hn_signature_kernel(context), "libsecp256k1");
    cr_assert_eq(failures.count, 2);
    cr_expect_str_eq(failures.names[0], "wrong");
    cr_expect_str_eq(failures.names[1], "idle");
    hn_signature_context_destroy(context);
    cr_expect_eq(hn_signature_context_choose(&context, &failures, kernels, "wrong"), HN_ERR_MISMATCH);
}

Test(recovery, what_a_kernel_gives_up_is_recovered_and_counted)
{
    enum { COUNT = 150 };
    hn_signature_context *context;
    hn_recovery items[COUNT], want[COUNT];
    hn_prng prng;
    hn_prng_init(&prng, 6);
    cr_assert_eq(hn_signature_context_create_with(&context, &idle_kernel), HN_OK);
    for (size_t i = 0; i < COUNT; i++) {
        memset(&items[i], 0, sizeof items[i]);
        sign(&prng, &items[i]);
    }
    memcpy(want, items, sizeof want);
    hn_signature_recover_batch(alone, want, COUNT);
    hn_signature_recover_batch(context, items, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        cr_expect(items[i].status == HN_OK && hn_address_equal(&items[i].signer, &want[i].signer));
    cr_expect_eq(hn_signature_exceptional(context), COUNT);
    hn_signature_context_destroy(context);
}
