/* Public-key recovery, eight signatures side by side with AVX-512 IFMA.
 *
 * SEC 1 version 2, section 4.1.6: the key is (s R - e G) / r. For a batch of up to 128 signatures: 1 / r of
 * all of them by one inversion; R by a square root; the multiples R, 2 R, ... 8 R of each, made affine by one
 * inversion; then one interleaved sum per eight signatures (Strauss): s / r is split in two halves by the
 * curve's endomorphism and taken in signed digits of four bits, e / r is split in two halves by position and
 * taken in digits of twelve bits, whose multiples of G and 2^128 G are in a table; and one inversion more for
 * the keys' affine form.
 *
 * Point addition here does not know the point at infinity, so a sum begins with a point `offset` and ends
 * with the subtraction of its multiple. Nobody knows that point's discrete logarithm (its x is the SHA-256 of
 * "Hanse offset point 0"), so nobody can make signatures whose sums meet an exception of the formulas on
 * purpose.
 */
#include "engine/crypto/recovery_kernels.h"
#include "engine/crypto/secp256k1_ifma_point.h"
#include "engine/crypto/secp256k1_ifma_scalar.h"

#include <string.h>

enum {
    GROUPS = 16, /* of LANES signatures: what shares an inversion */
    ROW_LIMBS = 2 * LIMBS,
    FIXED_MULTIPLES = 1 << (FIXED_WINDOW_BITS - 1),
    MULTIPLES = 1 << (WINDOW_BITS - 1),
    PER_LANE = FIXED_MULTIPLES / LANES, /* rows of the fixed table that a lane makes */
};

/* Rows i - 1: x and y of i G, then of i 2^128 G. */
typedef struct tables {
    uint64_t fixed[2][FIXED_MULTIPLES][ROW_LIMBS];
} tables;

static const uint64_t beta_limbs[LIMBS] = {0x96c28719501ee, 0x7512f58995c13, 0xc3434e99cf049, 0x7106e64479ea,
                                           0x7ae96a2b657c};
static const uint64_t generator_x[LIMBS] = {0x2815b16f81798, 0xdb2dce28d959f, 0xe870b07029bfc,
                                            0xbbac55a06295c, 0x79be667ef9dc};
static const uint64_t generator_y[LIMBS] = {0x7d08ffb10d4b8, 0x48a68554199c4, 0xe1108a8fd17b4,
                                            0xc4655da4fbfc0, 0x483ada7726a3};
static const uint64_t offset_x[LIMBS] = {0x17103423c99ad, 0x1f3cbe226627a, 0x9f05f4a0cef83, 0x27a941df4422d,
                                         0xc10fe9411b11};
static const uint64_t offset_y[LIMBS] = {0xf7794326ef524, 0x350f0b88ca3d7, 0xc8677bdaee21c, 0xd96d7846ee232,
                                         0x8f0e5dc722ee};
/* -2^128 times the offset: what is left of it after 128 doublings. */
static const uint64_t rest_x[LIMBS] = {0x60e9a9a800199, 0xc72665bd00ffa, 0x9f1175574346a, 0x3ed36124b2167,
                                       0x3a1bf8aa367a};
static const uint64_t rest_y[LIMBS] = {0x141650d58f4ba, 0x739df25e31750, 0xcc7011978e113, 0x1db2a0cebdb98,
                                       0x5e343d67b823};

typedef struct group {
    element x[MULTIPLES], y[MULTIPLES];
    element other[MULTIPLES];     /* z, then beta x: the multiples of lambda R have the same y */
    element prefix[MULTIPLES];    /* products of z */
    element s, inverse_r, digest; /* scalars */
    point sum;
    __mmask8 no_key;
    int16_t digits[2][WINDOWS][LANES];
    int16_t fixed_digits[2][FIXED_WINDOWS][LANES];
} group;

typedef uint64_t lane_limbs[LIMBS][LANES] __attribute__((aligned(64)));

static void put_number(lane_limbs out, size_t lane, const uint8_t number[32])
{
    const uint64_t a = hn_load_be64(number + 24), b = hn_load_be64(number + 16), c = hn_load_be64(number + 8),
                   d = hn_load_be64(number);
    out[0][lane] = a & LIMB_MASK;
    out[1][lane] = (a >> 52 | b << 12) & LIMB_MASK;
    out[2][lane] = (b >> 40 | c << 24) & LIMB_MASK;
    out[3][lane] = (c >> 28 | d << 36) & LIMB_MASK;
    out[4][lane] = d >> 16;
}

static void take_number(uint8_t number[32], lane_limbs in, size_t lane)
{
    hn_store_be64(number + 24, in[0][lane] | in[1][lane] << 52);
    hn_store_be64(number + 16, in[1][lane] >> 12 | in[2][lane] << 40);
    hn_store_be64(number + 8, in[2][lane] >> 24 | in[3][lane] << 28);
    hn_store_be64(number, in[3][lane] >> 36 | in[4][lane] << 16);
}

static element load(lane_limbs in)
{
    element result;
    EACH_LIMB(i)
    result.limb[i] = _mm512_load_si512(in[i]);
    return result;
}

static void store(lane_limbs out, const element *a)
{
    EACH_LIMB(i)
    _mm512_store_si512(out[i], a->limb[i]);
}

/* R of each lane, from x = r: r is below n, so below p. Lanes without such a point go on with the generator.
 */
static void lift(group *g, const element *x, __mmask8 is_odd)
{
    const element seven = element_small(7);
    element squared = square(x);
    squared = multiply(&squared, x);
    EACH_LIMB(i)
    squared.limb[i] = _mm512_add_epi64(squared.limb[i], seven.limb[i]);
    carry(&squared);
    element root = square_root(&squared);
    const element again = square(&root);
    const element want = canonical(&squared), got = canonical(&again);
    g->no_key = (__mmask8)~equal(&want, &got);
    root = canonical(&root);
    element opposite;
    EACH_LIMB(i)
    opposite.limb[i] = _mm512_sub_epi64(word_of(field_prime[i]), root.limb[i]);
    carry(&opposite);
    const __mmask8 root_is_odd = _mm512_test_epi64_mask(root.limb[0], word_of(1));
    root = element_select(root_is_odd ^ is_odd, &opposite, &root);
    const element gx = element_of(generator_x), gy = element_of(generator_y);
    g->x[0] = element_select(g->no_key, &gx, x);
    g->y[0] = element_select(g->no_key, &gy, &root);
}

/* Eight signatures into lanes; lanes beyond `count` repeat the first one. */
static void take_items(group *g, hn_recovery *const *items, size_t count)
{
    lane_limbs r, s, digest;
    __mmask8 is_odd = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        const hn_recovery *item = items[lane < count ? lane : 0];
        put_number(r, lane, item->signature.r.b);
        put_number(s, lane, item->signature.s.b);
        put_number(digest, lane, item->digest.b);
        is_odd |= (__mmask8)((item->signature.y_parity & 1u) << lane);
    }
    g->s = load(s);
    g->digest = load(digest);
    const element x = load(r), convert = element_of(scalar_square);
    g->inverse_r = scalar_multiply(&x, &convert); /* not yet inverted */
    lift(g, &x, is_odd);
}

static void invert_scalars(group *groups, size_t count)
{
    element before[GROUPS];
    element product = groups[0].inverse_r;
    for (size_t i = 1; i < count; i++) {
        before[i] = product;
        product = scalar_multiply(&product, &groups[i].inverse_r);
    }
    element inverse_product = scalar_inverse(&product);
    for (size_t i = count - 1; i > 0; i--) {
        const element r = groups[i].inverse_r;
        groups[i].inverse_r = scalar_multiply(&inverse_product, &before[i]);
        inverse_product = scalar_multiply(&inverse_product, &r);
    }
    groups[0].inverse_r = inverse_product;
}

static void make_digits(group *g)
{
    const element u1 = scalar_multiply(&g->digest, &g->inverse_r), u2 = scalar_multiply(&g->s, &g->inverse_r);
    const element of_generator = scalar_canonical(&u1), of_r = scalar_canonical(&u2);
    half halves[2];
    split_by_lambda(&halves[0], &halves[1], &of_r);
    for (int i = 0; i < 2; i++)
        digits_of(g->digits[i], WINDOWS, WINDOW_BITS, &halves[i]);
    split_by_position(&halves[0], &halves[1], &of_generator);
    for (int i = 0; i < 2; i++) {
        halves[i].negative = (__mmask8)~halves[i].negative; /* e G is subtracted */
        digits_of(g->fixed_digits[i], FIXED_WINDOWS, FIXED_WINDOW_BITS, &halves[i]);
    }
}

/* 2 R to 8 R in Jacobian form, and the products of their z up to each. `product` is that of all before. */
static void make_multiples(group *g, element *product)
{
    const affine r = {g->x[0], g->y[0]};
    point multiple[MULTIPLES];
    multiple[0] = (point){r.x, r.y, element_small(1)};
    for (int i = 1; i < MULTIPLES; i++) {
        multiple[i] = i % 2 != 0 ? twice(&multiple[i / 2]) : add_affine(&multiple[i - 1], &r, 0);
        g->x[i] = multiple[i].x;
        g->y[i] = multiple[i].y;
        g->other[i] = multiple[i].z;
        g->prefix[i] = *product;
        *product = multiply(product, &multiple[i].z);
    }
}

static void make_affine(group *g, element *inverse_product)
{
    const element beta = element_of(beta_limbs);
    for (int i = MULTIPLES - 1; i > 0; i--) {
        const point multiple = {g->x[i], g->y[i], g->other[i]};
        const element z_inverse = multiply(inverse_product, &g->prefix[i]);
        *inverse_product = multiply(inverse_product, &multiple.z);
        const affine flat = to_affine(&multiple, &z_inverse);
        g->x[i] = flat.x;
        g->y[i] = flat.y;
        g->other[i] = multiply(&flat.x, &beta);
    }
    g->other[0] = multiply(&g->x[0], &beta);
}

static word digits_at(const int16_t digits[LANES])
{
    return _mm512_cvtepi16_epi64(_mm_loadu_si128((const __m128i *)(const void *)digits));
}

/* sum += digit * point, where the multiples 1 to MULTIPLES of the point are in x and y. */
static inline void add_digit(point *sum, const element *x, const element *y, const int16_t digits[LANES])
{
    const word digit = digits_at(digits), size = _mm512_abs_epi64(digit);
    affine chosen = {x[0], y[0]};
    for (int i = 1; i < MULTIPLES; i++) {
        const __mmask8 here = _mm512_cmpeq_epi64_mask(size, word_of((uint64_t)i + 1));
        EACH_LIMB(j)
        {
            chosen.x.limb[j] = _mm512_mask_mov_epi64(chosen.x.limb[j], here, x[i].limb[j]);
            chosen.y.limb[j] = _mm512_mask_mov_epi64(chosen.y.limb[j], here, y[i].limb[j]);
        }
    }
    const point next = add_affine(sum, &chosen, _mm512_movepi64_mask(digit));
    *sum = point_select(_mm512_test_epi64_mask(digit, digit), &next, sum);
}

static inline void add_fixed_digit(point *sum, const uint64_t rows[FIXED_MULTIPLES][ROW_LIMBS],
                                   const int16_t digits[LANES])
{
    const word digit = digits_at(digits);
    const __mmask8 is_there = _mm512_test_epi64_mask(digit, digit);
    const word row = _mm512_sub_epi64(_mm512_abs_epi64(digit), word_of(1));
    const word at = _mm512_add_epi64(_mm512_slli_epi64(row, 3), _mm512_slli_epi64(row, 1)); /* ROW_LIMBS */
    const word zero = _mm512_setzero_si512();
    affine chosen;
    EACH_LIMB(j)
    {
        chosen.x.limb[j] = _mm512_mask_i64gather_epi64(zero, is_there, at, &rows[0][j], 8);
        chosen.y.limb[j] = _mm512_mask_i64gather_epi64(zero, is_there, at, &rows[0][LIMBS + j], 8);
    }
    const point next = add_affine(sum, &chosen, _mm512_movepi64_mask(digit));
    *sum = point_select(is_there, &next, sum);
}
_Static_assert(ROW_LIMBS == 8 + 2, "rows are addressed by two shifts");

static void sum_up(group *g, const tables *t)
{
    point sum = {element_of(offset_x), element_of(offset_y), element_small(1)};
    for (int window = WINDOWS - 1; window >= 0; window--) {
        if (window != WINDOWS - 1)
            for (int i = 0; i < WINDOW_BITS; i++)
                sum = twice(&sum);
        add_digit(&sum, g->x, g->y, g->digits[0][window]);
        add_digit(&sum, g->other, g->y, g->digits[1][window]);
        if (window * WINDOW_BITS % FIXED_WINDOW_BITS == 0 && window < WINDOWS - 1) {
            const int at = window * WINDOW_BITS / FIXED_WINDOW_BITS;
            add_fixed_digit(&sum, t->fixed[0], g->fixed_digits[0][at]);
            add_fixed_digit(&sum, t->fixed[1], g->fixed_digits[1][at]);
        }
    }
    const affine rest = {element_of(rest_x), element_of(rest_y)};
    g->sum = add_affine(&sum, &rest, 0);
}
_Static_assert((FIXED_WINDOWS - 1) * FIXED_WINDOW_BITS < HALF_BITS, "every fixed window begins in the loop");

static void give_keys(group *groups, size_t group_count, hn_recovery_key *keys, size_t count)
{
    const element one = element_small(1), zero = element_small(0);
    element before[GROUPS], product = one;
    __mmask8 exceptional[GROUPS];
    for (size_t i = 0; i < group_count; i++) {
        const element z = canonical(&groups[i].sum.z);
        exceptional[i] = equal(&z, &zero);
        groups[i].sum.z = element_select(exceptional[i], &one, &z);
        before[i] = product;
        product = multiply(&product, &groups[i].sum.z);
    }
    element inverse_product = inverse(&product);
    for (size_t i = group_count; i-- > 0;) {
        const element z_inverse = multiply(&inverse_product, &before[i]);
        inverse_product = multiply(&inverse_product, &groups[i].sum.z);
        affine key = to_affine(&groups[i].sum, &z_inverse);
        key = (affine){canonical(&key.x), canonical(&key.y)};
        lane_limbs x, y;
        store(x, &key.x);
        store(y, &key.y);
        for (size_t lane = 0; lane < LANES && i * LANES + lane < count; lane++) {
            hn_recovery_key *out = &keys[i * LANES + lane];
            take_number(out->x, x, lane);
            take_number(out->y, y, lane);
            out->outcome = groups[i].no_key >> lane & 1 ? HN_RECOVERY_NO_KEY
                           : exceptional[i] >> lane & 1 ? HN_RECOVERY_EXCEPTIONAL
                                                        : HN_RECOVERY_FOUND;
        }
    }
}

static void recover_batch(const tables *t, hn_recovery_key *keys, hn_recovery *const *items, size_t count)
{
    group groups[GROUPS];
    const size_t group_count = (count + LANES - 1) / LANES;
    for (size_t i = 0; i < group_count; i++)
        take_items(&groups[i], items + i * LANES, count - i * LANES);
    invert_scalars(groups, group_count);
    element product = element_small(1);
    for (size_t i = 0; i < group_count; i++) {
        make_digits(&groups[i]);
        make_multiples(&groups[i], &product);
    }
    element inverse_product = inverse(&product);
    for (size_t i = group_count; i-- > 0;)
        make_affine(&groups[i], &inverse_product);
    for (size_t i = 0; i < group_count; i++)
        sum_up(&groups[i], t);
    give_keys(groups, group_count, keys, count);
}

static void recover(const void *prepared, hn_recovery_key *keys, hn_recovery *const *items, size_t count)
{
    for (size_t i = 0; i < count; i += GROUPS * LANES) {
        const size_t left = count - i;
        recover_batch(prepared, keys + i, items + i, left < GROUPS * LANES ? left : GROUPS * LANES);
    }
}

/* Lane j makes the rows of the multiples j PER_LANE + 1 to (j + 1) PER_LANE, of which it is given the first
 * two. */
static void make_rows(uint64_t rows[FIXED_MULTIPLES][ROW_LIMBS], const affine first[2], const affine *base)
{
    enum { STRETCH = 16 };
    point multiples[STRETCH], last = {first[1].x, first[1].y, element_small(1)};
    element before[STRETCH];
    for (int k = 0; k < PER_LANE; k += STRETCH) {
        element product = element_small(1);
        for (int i = 0; i < STRETCH; i++) {
            if (k + i >= 2)
                last = add_affine(&last, base, 0);
            multiples[i] = k + i == 0 ? (point){first[0].x, first[0].y, element_small(1)} : last;
            before[i] = product;
            product = multiply(&product, &multiples[i].z);
        }
        element inverse_product = inverse(&product);
        for (int i = STRETCH - 1; i >= 0; i--) {
            const element z_inverse = multiply(&inverse_product, &before[i]);
            inverse_product = multiply(&inverse_product, &multiples[i].z);
            affine row = to_affine(&multiples[i], &z_inverse);
            row = (affine){canonical(&row.x), canonical(&row.y)};
            lane_limbs x, y;
            store(x, &row.x);
            store(y, &row.y);
            for (int lane = 0; lane < LANES; lane++)
                EACH_LIMB(j)
                {
                    rows[lane * PER_LANE + k + i][j] = x[j][lane];
                    rows[lane * PER_LANE + k + i][LIMBS + j] = y[j][lane];
                }
        }
    }
}

static affine take_point(uint8_t (*multiples)[64], size_t stride)
{
    lane_limbs x, y;
    for (size_t lane = 0; lane < LANES; lane++) {
        put_number(x, lane, multiples[lane * stride]);
        put_number(y, lane, multiples[lane * stride] + 32);
    }
    return (affine){load(x), load(y)};
}

static void prepare(void *prepared, uint8_t (*multiples)[64])
{
    tables *t = prepared;
    for (int i = 0; i < 2; i++, multiples += 2 * LANES) {
        const affine first[2] = {take_point(multiples, 2), take_point(multiples + 1, 2)};
        const affine base = take_point(multiples, 0);
        make_rows(t->fixed[i], first, &base);
    }
}

static void multiple(uint8_t scalar[32], unsigned i)
{
    const uint64_t small = i / 2 % LANES * PER_LANE + i % 2 + 1;
    memset(scalar, 0, 32);
    hn_store_be64(scalar + (i < 2 * LANES ? 24 : 8), small);
}

static bool is_available(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma");
}

const hn_recovery_kernel hn_recovery_ifma = {
    .name = "avx512ifma",
    .worthwhile = 3,
    .table_bytes = sizeof(tables),
    .multiple_count = 4 * LANES,
    .available = is_available,
    .multiple = multiple,
    .prepare = prepare,
    .recover = recover,
};
