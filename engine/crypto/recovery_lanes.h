/* Public-key recovery with a signature in each lane of a vector: the text of all kernels that do so. To be
 * included by the file of a kernel, which names its lanes as secp256k1_lanes.h says.
 *
 * SEC 1 version 2, section 4.1.6: the key is (s R - e G) / r. Up to 128 signatures share eight inversions:
 *
 *  1. 1 / r of all of them, and R by a square root;
 *  2. u2 = s / r is split in two halves by the curve's endomorphism and u1 = -e / r is taken as it is, all as
 *     sums of odd digits, so that there is nothing to be skipped (Joye, Tunstall, "Exponent recoding and
 *     regular exponentiation algorithms", AFRICACRYPT 2009);
 *  3. in five rounds of affine additions, the odd multiples R to 31 R, and u1 G out of 32 points of a table;
 *  4. one round of affine additions: at each of 26 places the multiple of R with that of its image under the
 *     endomorphism;
 *  5. those summed in Jacobian coordinates, five doublings to each, and u1 G added;
 *  6. the affine form of the keys.
 *
 * Affine additions (3 and 4) never meet two points with the same x. Multiples of R: n is prime, and small
 * multiples of R differ from small multiples of lambda R and from each other, since the lattice of all (a, b)
 * with a + b lambda = 0 has no such short vectors. Multiples of G: those of windows above the lowest one
 * stand for sums of at most 255 * 256^i, i > 0, of which the later ones are always larger, and which differ
 * by a multiple of 256, never by the odd n. The lowest window's have a point added of which nobody knows the
 * discrete logarithm.
 *
 * Neither does anybody for the point `offset` that the Jacobian sum begins with, so nobody can make
 * signatures that meet an exception there on purpose: its x is the SHA-256 of "Hanse offset point 0". What
 * the doublings make of it is what is taken away by the lowest window of the table.
 */
#ifndef HN_ENGINE_CRYPTO_RECOVERY_LANES_H
#define HN_ENGINE_CRYPTO_RECOVERY_LANES_H

#include "engine/crypto/recovery_lanes_sums.h"
#include "engine/crypto/recovery_lanes_tables.h"
#include "engine/crypto/secp256k1_lanes_root.h"

/* --- 1 and 2: R, digits --- */

/* Signatures into lanes; lanes beyond `count` repeat the first one. */
static void take_items(group *g, hn_recovery *const *items, size_t count)
{
    lane_limbs r, s, digest;
    unsigned is_odd = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        const hn_recovery *item = items[lane < count ? lane : 0];
        put_number(r, lane, item->signature.r.b);
        put_number(s, lane, item->signature.s.b);
        put_number(digest, lane, item->digest.b);
        is_odd |= (item->signature.y_parity & 1u) << lane;
    }
    g->is_odd = lanes_of(is_odd);
    g->s = load((const uint64_t(*)[LANES])s);
    g->digest = load((const uint64_t(*)[LANES])digest);
    g->x[0] = load((const uint64_t(*)[LANES])r);
    const element convert = element_of(scalar_square), seven = element_small(7);
    g->inverse_r = scalar_multiply(&g->x[0], &convert); /* not yet inverted */
    const element squared_x = square(&g->x[0], LOOSE);
    columns sum = columns_of(&seven);
    add_product(&sum, &squared_x, &g->x[0]);
    g->right = reduce(&sum, 1, TIGHT);
}

/* R of each lane, from x = r: r is below n, so below p. Lanes without such a point go on with the generator.
 */
static void choose_root(group *g, const element *root)
{
    const element again = square(root, TIGHT);
    const element want = canonical(&g->right), got = canonical(&again);
    g->no_key = lanes_not(equal(&want, &got));
    element y = tightened(root), opposite = primes(2);
    y = canonical(&y);
    subtract(&opposite, &y);
    carry(&opposite, TIGHT);
    opposite = canonical(&opposite);
    y = element_select(lanes_xor(word_has(y.limb[0], 1), g->is_odd), &opposite, &y);
    const element other_x = element_of(generator_x), other_y = element_of(generator_y);
    g->x[0] = element_select(g->no_key, &other_x, &g->x[0]);
    g->y[0] = element_select(g->no_key, &other_y, &y);
}

static void find_roots(group *groups, size_t count)
{
    for (size_t i = 0; i < count; i += ROOTS) {
        const size_t last = i + 1 < count ? i + 1 : i;
        elements roots = {{groups[i].right, groups[last].right}};
        roots = square_roots(&roots);
        choose_root(&groups[i], &roots.of[0]);
        if (last != i)
            choose_root(&groups[last], &roots.of[1]);
    }
}

static void invert_scalars(group *groups, size_t count)
{
    element before[GROUPS], product = element_of(scalar_one);
    for (size_t i = 0; i < count; i++) {
        before[i] = product;
        product = scalar_multiply(&product, &groups[i].inverse_r);
    }
    element inverse = scalar_inverses(&product);
    for (size_t i = count; i-- > 0;) {
        const element r = groups[i].inverse_r;
        groups[i].inverse_r = scalar_multiply(&inverse, &before[i]);
        inverse = scalar_multiply(&inverse, &r);
    }
}

static void split_scalars(group *g)
{
    element u1 = scalar_multiply(&g->digest, &g->inverse_r), u2 = scalar_multiply(&g->s, &g->inverse_r);
    u1 = scalar_canonical(&u1);
    g->u1 = scalar_opposite(&u1);
    mark_end(g->u1.limb, FIXED_BITS * FIXED_WINDOWS);
    u2 = scalar_canonical(&u2);
    split_by_lambda(&g->halves[0], &g->halves[1], &u2);
    for (int i = 0; i < 2; i++)
        mark_end(g->halves[i].limb, HALF_BITS);
}

/* --- 6: keys --- */

PART lane_set is_zero(const element *a)
{
    const element smallest = canonical(a), zero = element_small(0);
    return equal(&smallest, &zero);
}

/* Where z = 0 at the end and only there, the last addition was one of opposite points, and the key would be
 * the point at infinity: there is none. Had it been one of equal points, x was 0, too. */
static lane_set find_infinity(const group *g, lane_set vanished)
{
    const element before = tightened(&g->z_before);
    return lanes_and(vanished, lanes_and(lanes_not(is_zero(&before)), lanes_not(is_zero(&g->sum.x))));
}

static void give_keys(group *groups, size_t group_count, bool is_sound, hn_recovery_key *keys, size_t count)
{
    const element one = element_small(1), to_y = element_of(minus_half);
    unsigned exceptional[GROUPS], no_key[GROUPS];
    for (size_t i = 0; i < group_count; i++) {
        const element z = tightened(&groups[i].sum.z);
        const lane_set vanished = is_zero(&z);
        exceptional[i] = lanes_bits(vanished);
        no_key[i] = lanes_bits(groups[i].no_key);
        if (exceptional[i] != 0)
            no_key[i] |= lanes_bits(find_infinity(&groups[i], vanished));
        groups[i].product = element_select(vanished, &one, &z);
    }
    is_sound &= invert_products(groups, group_count);
    for (size_t i = 0; i < group_count; i++) {
        const element squared_inverse = square(&groups[i].product, LOOSE);
        const element cubed = multiply(&squared_inverse, &groups[i].product, LOOSE);
        element x = multiply(&groups[i].sum.x, &squared_inverse, TIGHT);
        element y = multiply(&groups[i].sum.d, &to_y, LOOSE); /* the opposite of d / 2 */
        y = multiply(&y, &cubed, TIGHT);
        x = canonical(&x);
        y = canonical(&y);
        lane_limbs x_lanes, y_lanes;
        store(x_lanes, &x);
        store(y_lanes, &y);
        for (size_t lane = 0; lane < LANES && i * LANES + lane < count; lane++) {
            hn_recovery_key *out = &keys[i * LANES + lane];
            take_number(out->public_key, (const uint64_t(*)[LANES])x_lanes, lane);
            take_number(out->public_key + 32, (const uint64_t(*)[LANES])y_lanes, lane);
            const bool is_exceptional = !is_sound || (exceptional[i] >> lane & 1);
            out->outcome = no_key[i] >> lane & 1 ? HN_RECOVERY_NO_KEY
                           : is_exceptional      ? HN_RECOVERY_EXCEPTIONAL
                                                 : HN_RECOVERY_FOUND;
        }
    }
}

WHOLE void recover_batch(const tables *t, hn_recovery_key *keys, hn_recovery *const *items, size_t count)
{
    group groups[GROUPS];
    const size_t group_count = (count + LANES - 1) / LANES;
    HN_CHECK(count <= HN_RECOVERY_BATCH);
    for (size_t i = 0; i < group_count; i++)
        take_items(&groups[i], items + i * LANES, count - i * LANES);
    find_roots(groups, group_count);
    invert_scalars(groups, group_count);
    for (size_t i = 0; i < group_count; i++)
        split_scalars(&groups[i]);
    const bool has_multiples = make_multiples(groups, t, group_count);
    const bool has_sums = sum_up(groups, group_count);
    give_keys(groups, group_count, has_multiples && has_sums, keys, count);
}

static void recover(const void *prepared, hn_recovery_key *keys, hn_recovery *const *items, size_t count)
{
    if (count == 0)
        return;
    const unsigned entered = lanes_enter();
    recover_batch(prepared, keys, items, count);
    lanes_leave(entered);
}

static void prepare(void *prepared, uint8_t (*multiples)[64])
{
    const unsigned entered = lanes_enter();
    make_tables(prepared, multiples);
    lanes_leave(entered);
}

static void multiple(uint8_t scalar[32], unsigned i)
{
    memset(scalar, 0, 32);
    if (i < FIXED_WINDOWS)
        scalar[31 - i] = 1;
    else
        hn_store_be64(scalar + 24, (i - FIXED_WINDOWS) * LOWEST_PER_LANE + 1);
}

static bool is_available(void)
{
    return lanes_available();
}

#define HN_RECOVERY_LANES_KERNEL(name_text, batch_size)                                                      \
    {                                                                                                        \
        .name = (name_text), .worthwhile = 4, .batch = (batch_size), .table_bytes = sizeof(tables),          \
        .multiple_count = FIXED_WINDOWS + LANES, .available = is_available, .multiple = multiple,            \
        .prepare = prepare, .recover = recover,                                                              \
    }

#endif
