/* Whether signatures are of keys that are known, eight side by side with AVX-512 IFMA.
 *
 * The key Q that recovery finds for (r, s, parity) and digest e is the only one with (e G + r Q) / s = R,
 * where R has x = r and that parity of y (SEC 1 version 2, sections 4.1.4 and 4.1.6). So the sum is made with
 * the key in question and compared, x and parity both.
 *
 * Each of the two scalars is written with 264 digits of 1 or -1: digit i is 2 d_i - 1, where d is half of the
 * scalar, made odd by adding n, plus 2^263. Digits COLUMNS apart are the teeth of a comb (Lim, Lee, "More
 * flexible exponentiation with precomputation", CRYPTO 1994). The table of a key has for each of four blocks
 * of six teeth the 32 sums with the highest one taken as it is; the others are their opposites. Since no
 * digit is 0, no sum is of nothing. The generator's table takes the same teeth in two blocks of twelve.
 *
 * Point addition here does not know its exceptions, and whoever knows a key can choose signatures that meet
 * one. Such a sum ends with z = 0 and is not proven. In tables none occurs, whatever the key: the multiples
 * that are added there are always the same, and they were added for the generator.
 */
#include "engine/crypto/known_key_kernels.h"
#include "engine/crypto/secp256k1_ifma_inverse.h"
#include "engine/crypto/secp256k1_ifma_point.h"
#include "engine/crypto/secp256k1_ifma_scalar.h"

enum {
    GROUPS = HN_KNOWN_KEY_CHECKS_MAX / LANES, /* of LANES signatures: what shares an inversion */
    COLUMNS = 11,
    TEETH = 6,
    BLOCKS = 4,
    ROWS = 1 << (TEETH - 1),
    FIXED_TEETH = 12,
    FIXED_BLOCKS = 2,
    FIXED_ROWS = 1 << (FIXED_TEETH - 1),
    KEY_PAIRS = BLOCKS / 2, /* of rows: what is summed first */
    PAIRS = KEY_PAIRS + 1,
    ALL_TEETH = TEETH * BLOCKS,
    FIXED_FREE_TEETH = FIXED_TEETH - 1 - 3, /* three are the number of the lane */
    SCALAR_BYTES = 40,                      /* 264 bits, and room to read eight bytes at once */
    OPPOSITE = 1 << 15,                     /* flag of a row's number */
};
_Static_assert(TEETH *BLOCKS == FIXED_TEETH * FIXED_BLOCKS, "both combs have the same teeth");
_Static_assert(ALL_TEETH *COLUMNS > 256 + 1, "an odd scalar, which may be above n, has so many digits");
_Static_assert(2 * TEETH == FIXED_TEETH, "a digit of the generator is two of a key");
_Static_assert(FIXED_BLOCKS *FIXED_ROWS < OPPOSITE, "rows have numbers below the flag");

/* A point, its numbers in words, the least significant one first: one line of the cache. */
typedef struct row {
    uint64_t x[NUMBER_WORDS], y[NUMBER_WORDS];
} row __attribute__((aligned(64)));

typedef row key_table[BLOCKS * ROWS];
typedef row fixed_table[FIXED_BLOCKS * FIXED_ROWS];

typedef struct group {
    element r, s, digest;
    element inverse_s;
    point sum;
    __mmask8 is_odd;
    const row *tables[LANES];
    element before[COLUMNS][PAIRS]; /* products */
    affine sums[COLUMNS][PAIRS];    /* of two rows each */
    uint16_t rows[COLUMNS][BLOCKS][LANES] __attribute__((aligned(16)));
    uint16_t fixed_rows[COLUMNS][FIXED_BLOCKS][LANES] __attribute__((aligned(16)));
} group;

/* --- scalars to digits --- */

/* Eight signatures into lanes; lanes beyond `count` repeat the first one. */
static void take_checks(group *g, const hn_known_key_check *checks, size_t count)
{
    lane_limbs r, s, digest;
    g->is_odd = 0;
    for (size_t lane = 0; lane < LANES; lane++) {
        const hn_known_key_check *check = &checks[lane < count ? lane : 0];
        put_number(r, lane, check->item->signature.r.b);
        put_number(s, lane, check->item->signature.s.b);
        put_number(digest, lane, check->item->digest.b);
        g->is_odd |= (__mmask8)((check->item->signature.y_parity & 1u) << lane);
        g->tables[lane] = check->table;
    }
    const element convert = element_of(scalar_square);
    g->r = load(r);
    g->digest = load(digest);
    g->s = load(s);
    g->s = scalar_multiply(&g->s, &convert);
}

static void invert_scalars(group *groups, size_t count)
{
    element before[GROUPS], product = element_of(scalar_one);
    for (size_t i = 0; i < count; i++) {
        before[i] = product;
        product = scalar_multiply(&product, &groups[i].s);
    }
    element inverse_product = scalar_inverse_of_all(&product);
    for (size_t i = count; i-- > 0;) {
        groups[i].inverse_s = scalar_multiply(&inverse_product, &before[i]);
        inverse_product = scalar_multiply(&inverse_product, &groups[i].s);
    }
}

/* d of each lane, of a scalar below 2 n. */
static void write_scalar(uint8_t out[LANES][SCALAR_BYTES], const element *scalar)
{
    element a = scalar_canonical(scalar);
    const __mmask8 is_even = _mm512_testn_epi64_mask(a.limb[0], word_of(1));
    EACH_LIMB(i)
    a.limb[i] = _mm512_mask_add_epi64(a.limb[i], is_even, a.limb[i], word_of(group_order[i]));
    carry(&a);
    for (int i = 0; i < LIMBS; i++) {
        a.limb[i] = _mm512_srli_epi64(a.limb[i], 1);
        if (i + 1 < LIMBS)
            a.limb[i] =
                _mm512_or_si512(a.limb[i], _mm512_and_si512(_mm512_slli_epi64(a.limb[i + 1], LIMB_BITS - 1),
                                                            word_of(LIMB_MASK)));
    }
    lane_limbs limbs;
    store(limbs, &a);
    for (size_t lane = 0; lane < LANES; lane++) {
        uint64_t words[NUMBER_WORDS + 1];
        take_words(words, limbs, lane);
        words[NUMBER_WORDS] = UINT64_C(1) << (ALL_TEETH * COLUMNS - 1 - 256);
        memcpy(out[lane], words, SCALAR_BYTES);
    }
}

/* Digits `at`, at + COLUMNS, ... of six teeth. */
static inline unsigned teeth_at(const uint8_t scalar[SCALAR_BYTES], int at)
{
    enum { C = COLUMNS };
    static const uint64_t teeth =
        1 | 1ull << C | 1ull << 2 * C | 1ull << 3 * C | 1ull << 4 * C | 1ull << 5 * C;
    return (unsigned)_pext_u64(hn_load_le64(scalar + at / 8) >> at % 8, teeth);
}
_Static_assert(64 - 7 > (TEETH - 1) * COLUMNS, "eight bytes have all of the teeth wherever they begin");

/* The row for these teeth, in a block of `rows`. */
static inline uint16_t row_of(unsigned teeth, unsigned rows, unsigned block)
{
    const unsigned is_opposite = teeth < rows;
    return (uint16_t)(block * rows + ((is_opposite ? ~teeth : teeth) & (rows - 1)) + is_opposite * OPPOSITE);
}

static void make_digits(group *g)
{
    uint8_t of_generator[LANES][SCALAR_BYTES], of_key[LANES][SCALAR_BYTES];
    const element u1 = scalar_multiply(&g->digest, &g->inverse_s), u2 = scalar_multiply(&g->r, &g->inverse_s);
    write_scalar(of_generator, &u1);
    write_scalar(of_key, &u2);
    for (size_t lane = 0; lane < LANES; lane++)
        for (int column = 0; column < COLUMNS; column++) {
            for (int i = 0; i < BLOCKS; i++)
                g->rows[column][i][lane] =
                    row_of(teeth_at(of_key[lane], i * TEETH * COLUMNS + column), ROWS, (unsigned)i);
            for (int i = 0; i < FIXED_BLOCKS; i++) {
                const int at = i * FIXED_TEETH * COLUMNS + column;
                const unsigned low = teeth_at(of_generator[lane], at);
                const unsigned high = teeth_at(of_generator[lane], at + TEETH * COLUMNS);
                g->fixed_rows[column][i][lane] = row_of(low | high << TEETH, FIXED_ROWS, (unsigned)i);
            }
        }
}

/* --- the sum --- */

/* They are wanted a while later. */
static void fetch_rows(const group *g, const row *fixed)
{
    for (int column = 0; column < COLUMNS; column++)
        for (size_t lane = 0; lane < LANES; lane++) {
            for (int i = 0; i < BLOCKS; i++)
                __builtin_prefetch(&g->tables[lane][g->rows[column][i][lane] & ~OPPOSITE]);
            for (int i = 0; i < FIXED_BLOCKS; i++)
                __builtin_prefetch(&fixed[g->fixed_rows[column][i][lane] & ~OPPOSITE]);
        }
}

/* Eight numbers, one for each lane. */
PART element gather(const uint64_t *const numbers[LANES])
{
    word halves[4], low[2], high[2], words[NUMBER_WORDS];
    static const int order[4] = {0, 1, 4, 5};
    for (int i = 0; i < 4; i++) {
        const __m256i first = _mm256_load_si256((const __m256i *)(const void *)numbers[order[i]]);
        const __m256i second = _mm256_load_si256((const __m256i *)(const void *)numbers[order[i] + 2]);
        halves[i] = _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
    }
    for (int i = 0; i < 2; i++) {
        low[i] = _mm512_unpacklo_epi64(halves[2 * i], halves[2 * i + 1]);
        high[i] = _mm512_unpackhi_epi64(halves[2 * i], halves[2 * i + 1]);
    }
    words[0] = _mm512_shuffle_i64x2(low[0], low[1], 0x88);
    words[1] = _mm512_shuffle_i64x2(high[0], high[1], 0x88);
    words[2] = _mm512_shuffle_i64x2(low[0], low[1], 0xdd);
    words[3] = _mm512_shuffle_i64x2(high[0], high[1], 0xdd);
    return element_of_words(words);
}

/* The rows that a digit chooses. */
typedef struct choice {
    const uint64_t *x[LANES], *y[LANES];
    __mmask8 is_opposite;
} choice;

PART choice choose(const row *const tables[LANES], const uint16_t numbers[LANES])
{
    choice result;
    for (size_t lane = 0; lane < LANES; lane++) {
        const row *chosen = tables[lane] + (numbers[lane] & ~OPPOSITE);
        result.x[lane] = chosen->x;
        result.y[lane] = chosen->y;
    }
    result.is_opposite = _mm_movepi16_mask(_mm_load_si128((const __m128i *)(const void *)numbers));
    return result;
}

/* The two choices of a column that make its sum `which`. */
PART void choose_pair(choice pair[2], const group *g, const row *const generator[LANES], int column,
                      int which)
{
    for (int i = 0; i < 2; i++)
        pair[i] = which < KEY_PAIRS ? choose(g->tables, g->rows[column][2 * which + i])
                                    : choose(generator, g->fixed_rows[column][i]);
}

/* x2 - x1, of sizes below `size` + 0.1. */
PART element difference(const element *x2, const element *x1, unsigned size)
{
    element result;
    EACH_LIMB(i)
    result.limb[i] = _mm512_sub_epi64(x2->limb[i], x1->limb[i]);
    add_primes(&result, size + 1);
    carry(&result);
    return result;
}

/* (x1, y1) + (x2, y2), where `inverse` is 1 / (x2 - x1), x below X_SIZE + 0.1, y between -(Y_SIZE + 0.1) and
 * that, with limbs that need not be carried. The sum has x below 2 X_SIZE + 2.1 and y below 2 Y_SIZE + 2.1.
 */
PART affine add_flat(const affine *p, const affine *q, const element *inverse, unsigned x_size,
                     unsigned y_size)
{
    element slope = difference(&q->y, &p->y, 2 * y_size);
    slope = multiply(&slope, inverse);
    const element squared = square(&slope);
    affine sum;
    element back; /* x1 - x3 = 2 x1 + x2 - slope^2 */
    EACH_LIMB(i)
    {
        const word both = _mm512_add_epi64(p->x.limb[i], q->x.limb[i]);
        sum.x.limb[i] = _mm512_sub_epi64(squared.limb[i], both);
        back.limb[i] = _mm512_sub_epi64(_mm512_add_epi64(both, p->x.limb[i]), squared.limb[i]);
    }
    add_primes(&sum.x, 2 * x_size + 1);
    carry(&sum.x);
    add_primes(&back, 2);
    carry(&back);
    sum.y = multiply(&slope, &back);
    EACH_LIMB(i)
    sum.y.limb[i] = _mm512_sub_epi64(sum.y.limb[i], p->y.limb[i]);
    add_primes(&sum.y, y_size + 1);
    carry(&sum.y);
    return sum;
}

PART affine point_of(const choice *from)
{
    affine result = {gather(from->x), gather(from->y)};
    EACH_LIMB(i)
    result.y.limb[i] =
        _mm512_mask_sub_epi64(result.y.limb[i], from->is_opposite, _mm512_setzero_si512(), result.y.limb[i]);
    return result;
}

/* First steps of all groups' pairs: the products of x2 - x1 up to each. */
static void begin_pairs(group *g, const row *const generator[LANES], element *product)
{
    for (int column = 0; column < COLUMNS; column++)
        for (int which = 0; which < PAIRS; which++) {
            choice pair[2];
            choose_pair(pair, g, generator, column, which);
            const element x1 = gather(pair[0].x), x2 = gather(pair[1].x);
            const element apart = difference(&x2, &x1, 1);
            g->before[column][which] = *product;
            *product = multiply(product, &apart);
        }
}

static void end_pairs(group *g, const row *const generator[LANES], element *inverse_product)
{
    for (int column = COLUMNS - 1; column >= 0; column--)
        for (int which = PAIRS - 1; which >= 0; which--) {
            choice pair[2];
            choose_pair(pair, g, generator, column, which);
            const affine p = point_of(&pair[0]), q = point_of(&pair[1]);
            const element apart = difference(&q.x, &p.x, 1);
            const element inverse_apart = multiply(inverse_product, &g->before[column][which]);
            *inverse_product = multiply(inverse_product, &apart);
            g->sums[column][which] = add_flat(&p, &q, &inverse_apart, 1, 1);
        }
}

/* The same for the two halves of each column's sum of the key. */
static void begin_halves(group *g, element *product)
{
    for (int column = 0; column < COLUMNS; column++) {
        const element apart = difference(&g->sums[column][1].x, &g->sums[column][0].x, 4);
        g->before[column][0] = *product;
        *product = multiply(product, &apart);
    }
}

static void end_halves(group *g, element *inverse_product)
{
    for (int column = COLUMNS - 1; column >= 0; column--) {
        affine *halves = g->sums[column];
        const element apart = difference(&halves[1].x, &halves[0].x, 4);
        const element inverse_apart = multiply(inverse_product, &g->before[column][0]);
        *inverse_product = multiply(inverse_product, &apart);
        halves[0] = add_flat(&halves[0], &halves[1], &inverse_apart, 4, 4);
    }
}

static void sum_columns(group *g)
{
    point sum;
    for (int column = COLUMNS - 1; column >= 0; column--) {
        const affine *of_key = &g->sums[column][0], *of_generator = &g->sums[column][KEY_PAIRS];
        if (column == COLUMNS - 1) {
            sum = (point){canonical(&of_key->x), canonical(&of_key->y), element_small(1)};
        } else {
            sum = twice(&sum);
            sum = add_affine(&sum, of_key, 0);
        }
        sum = add_affine(&sum, of_generator, 0);
    }
    g->sum = sum;
}

static void sum_up(group *groups, size_t count, const row *fixed)
{
    const row *generator[LANES];
    for (size_t lane = 0; lane < LANES; lane++)
        generator[lane] = fixed;
    element product = element_small(1);
    for (size_t i = 0; i < count; i++)
        begin_pairs(&groups[i], generator, &product);
    product = inverse_of_all(&product);
    for (size_t i = count; i-- > 0;)
        end_pairs(&groups[i], generator, &product);
    product = element_small(1);
    for (size_t i = 0; i < count; i++)
        begin_halves(&groups[i], &product);
    product = inverse_of_all(&product);
    for (size_t i = count; i-- > 0;) {
        end_halves(&groups[i], &product);
        sum_columns(&groups[i]);
    }
}

/* R of each lane must have the signature's x and parity. */
static void compare(group *groups, size_t group_count, bool *proven, size_t count)
{
    const element one = element_small(1), zero = element_small(0);
    element before[GROUPS], product = one;
    __mmask8 vanished[GROUPS];
    for (size_t i = 0; i < group_count; i++) {
        const element z = canonical(&groups[i].sum.z);
        vanished[i] = equal(&z, &zero);
        groups[i].sum.z = element_select(vanished[i], &one, &z);
        before[i] = product;
        product = multiply(&product, &groups[i].sum.z);
    }
    element inverse_product = inverse_of_all(&product);
    for (size_t i = group_count; i-- > 0;) {
        const element z_inverse = multiply(&inverse_product, &before[i]);
        inverse_product = multiply(&inverse_product, &groups[i].sum.z);
        affine r = to_affine(&groups[i].sum, &z_inverse);
        r = (affine){canonical(&r.x), canonical(&r.y)};
        const __mmask8 is_odd = _mm512_test_epi64_mask(r.y.limb[0], word_of(1));
        const unsigned same = equal(&r.x, &groups[i].r) & ~(is_odd ^ groups[i].is_odd) & ~vanished[i] & 0xff;
        for (size_t lane = 0; lane < LANES && i * LANES + lane < count; lane++)
            proven[i * LANES + lane] = same >> lane & 1;
    }
}

static void check(const void *fixed, bool *proven, const hn_known_key_check *checks, size_t count)
{
    HN_CHECK(count <= HN_KNOWN_KEY_CHECKS_MAX);
    if (count == 0)
        return;
    group groups[GROUPS];
    const size_t group_count = (count + LANES - 1) / LANES;
    for (size_t i = 0; i < group_count; i++)
        take_checks(&groups[i], checks + i * LANES, count - i * LANES);
    invert_scalars(groups, group_count);
    for (size_t i = 0; i < group_count; i++) {
        make_digits(&groups[i]);
        fetch_rows(&groups[i], fixed);
    }
    sum_up(groups, group_count, fixed);
    compare(groups, group_count, proven, count);
}

/* --- tables --- */

/* The affine form of `count` points, at most FLATTENED_MAX. */
enum { FLATTENED_MAX = 128 };
static void flatten(affine *out, const point *points, size_t count)
{
    element before[FLATTENED_MAX], product = element_small(1);
    for (size_t i = 0; i < count; i++) {
        before[i] = product;
        product = multiply(&product, &points[i].z);
    }
    const element whole = canonical(&product), zero = element_small(0);
    HN_CHECK(equal(&whole, &zero) == 0);
    element inverse_product = inverse_of_all(&product);
    for (size_t i = count; i-- > 0;) {
        const element z_inverse = multiply(&inverse_product, &before[i]);
        inverse_product = multiply(&inverse_product, &points[i].z);
        const affine flat = to_affine(&points[i], &z_inverse);
        out[i] = (affine){canonical(&flat.x), canonical(&flat.y)};
    }
}

/* What a tooth adds, and twice that. */
typedef struct tooth {
    affine once, doubled;
} tooth;

static void make_teeth(tooth teeth[ALL_TEETH], const affine *q)
{
    point chain[2 * ALL_TEETH], next = {q->x, q->y, element_small(1)};
    affine flat[2 * ALL_TEETH];
    for (int i = 0; i < ALL_TEETH; i++) {
        chain[2 * i] = next;
        chain[2 * i + 1] = next = twice(&next);
        for (int j = 1; j < COLUMNS && i + 1 < ALL_TEETH; j++)
            next = twice(&next);
    }
    flatten(flat, chain, 2 * ALL_TEETH);
    for (int i = 0; i < ALL_TEETH; i++)
        teeth[i] = (tooth){flat[2 * i], flat[2 * i + 1]};
}

/* The sums of a block of `count` teeth, of which the lowest `free_count` go through all signs: sums[i] has a
 * plus for those whose bits are set in i. Of the others but the highest, a lane takes the signs that its own
 * number tells. One sum follows from another by turning one sign, in the order of Gray's code. */
static void make_sums(point *sums, const tooth *teeth, int count, int free_count)
{
    const affine *highest = &teeth[count - 1].once;
    point sum = {highest->x, highest->y, element_small(1)};
    for (int i = 0; i + 1 < count; i++) {
        __mmask8 minus = 0xff;
        for (int lane = 0; lane < LANES && i >= free_count; lane++)
            if (lane >> (i - free_count) & 1)
                minus &= (__mmask8) ~(1u << lane);
        sum = add_affine(&sum, &teeth[i].once, minus);
    }
    sums[0] = sum;
    for (unsigned step = 1, at = 0; step < 1u << free_count; step++) {
        const unsigned turned = (unsigned)__builtin_ctz(step);
        at ^= 1u << turned;
        sum = add_affine(&sum, &teeth[turned].doubled, at >> turned & 1 ? 0 : 0xff);
        sums[at] = sum;
    }
}

static void store_rows(row *const out[LANES], const affine *points)
{
    lane_limbs x, y;
    store(x, &points->x);
    store(y, &points->y);
    for (size_t lane = 0; lane < LANES; lane++) {
        take_words(out[lane]->x, x, lane);
        take_words(out[lane]->y, y, lane);
    }
}

static affine take_points(const uint8_t (*points)[64], size_t stride)
{
    lane_limbs x, y;
    for (size_t lane = 0; lane < LANES; lane++) {
        put_number(x, lane, points[lane * stride]);
        put_number(y, lane, points[lane * stride] + 32);
    }
    return (affine){load(x), load(y)};
}

static void make_tables(void *const tables[LANES], const uint8_t (*keys)[64])
{
    tooth teeth[ALL_TEETH];
    point sums[BLOCKS * ROWS];
    affine flat[BLOCKS * ROWS];
    const affine q = take_points(keys, 1);
    make_teeth(teeth, &q);
    for (int i = 0; i < BLOCKS; i++)
        make_sums(sums + i * ROWS, teeth + i * TEETH, TEETH, TEETH - 1);
    flatten(flat, sums, BLOCKS * ROWS);
    for (int i = 0; i < BLOCKS * ROWS; i++) {
        row *rows[LANES];
        for (size_t lane = 0; lane < LANES; lane++)
            rows[lane] = (row *)tables[lane] + i;
        store_rows(rows, &flat[i]);
    }
}
_Static_assert((int)FLATTENED_MAX == (int)(BLOCKS * ROWS), "the sums of a key are flattened together");

static void prepare(void *fixed, const uint8_t generator[64])
{
    enum { PER_LANE = 1 << FIXED_FREE_TEETH };
    tooth teeth[ALL_TEETH];
    point sums[PER_LANE];
    affine flat[FLATTENED_MAX];
    uint8_t point_bytes[1][64];
    memcpy(point_bytes[0], generator, 64);
    const affine q = take_points((const uint8_t(*)[64])point_bytes, 0);
    make_teeth(teeth, &q);
    for (int block = 0; block < FIXED_BLOCKS; block++) {
        make_sums(sums, teeth + block * FIXED_TEETH, FIXED_TEETH, FIXED_FREE_TEETH);
        for (int first = 0; first < PER_LANE; first += FLATTENED_MAX) {
            flatten(flat, sums + first, FLATTENED_MAX);
            for (int i = 0; i < FLATTENED_MAX; i++) {
                row *rows[LANES];
                for (int lane = 0; lane < LANES; lane++)
                    rows[lane] = (row *)fixed + block * FIXED_ROWS + lane * PER_LANE + first + i;
                store_rows(rows, &flat[i]);
            }
        }
    }
}

static bool is_available(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("bmi2");
}

const hn_known_key_kernel hn_known_key_ifma = {
    .name = "avx512ifma",
    .fixed_bytes = sizeof(fixed_table),
    .table_bytes = sizeof(key_table),
    .available = is_available,
    .prepare = prepare,
    .make_tables = make_tables,
    .check = check,
};
