#include "engine/evm/reciprocal.h"

#include "engine/evm/word.h"

/* z += x * y over `limbs` limbs; returns what is carried past them. With a constant count it is unrolled. */
static inline __attribute__((always_inline)) uint64_t add_row(uint64_t *z, const uint64_t *x, size_t limbs,
                                                              uint64_t y)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < limbs; i++)
        carry = hn_word_multiply_limb(&z[i], x[i], y, carry);
    return carry;
}

static inline void multiply_full(uint64_t product[8], const hn_u256 *x, const hn_u256 *y)
{
    uint64_t z[8] = {0};
    z[4] = add_row(z, y->w, 4, x->w[0]);
    z[5] = add_row(z + 1, y->w, 4, x->w[1]);
    z[6] = add_row(z + 2, y->w, 4, x->w[2]);
    z[7] = add_row(z + 3, y->w, 4, x->w[3]);
    memcpy(product, z, sizeof z);
}

/* x mod m, by the reciprocal of m, whose highest limb is not zero. */
static inline void reduce(hn_u256 *to, const uint64_t x[8], const hn_u256 *m, const uint64_t mu[5])
{
    /* The quotient is estimated as x / 2^192 * mu / 2^320. What is left out of the product, below 2^258, can
     * make it one less. */
    uint64_t q[10] = {0}, r[5] = {0}, rest[5];
    q[5] = add_row(q + 3, mu + 3, 2, x[3]);
    q[6] = add_row(q + 3, mu + 2, 3, x[4]);
    q[7] = add_row(q + 3, mu + 1, 4, x[5]);
    q[8] = add_row(q + 3, mu, 5, x[6]);
    q[9] = add_row(q + 4, mu, 5, x[7]);
    /* The estimate times m, modulo 2^320. */
    r[4] = add_row(r, m->w, 4, q[5]);
    (void)add_row(r + 1, m->w, 4, q[6]);
    (void)add_row(r + 2, m->w, 3, q[7]);
    (void)add_row(r + 3, m->w, 2, q[8]);
    (void)add_row(r + 4, m->w, 1, q[9]);
    unsigned char borrow = 0;
    for (size_t i = 0; i < 5; i++)
        rest[i] = hn_sub_limb(x[i], r[i], &borrow);
    /* It was at most four too low. */
    hn_u256 value = {{rest[0], rest[1], rest[2], rest[3]}};
    uint64_t high = rest[4];
    for (;;) {
        bool below;
        hn_u256 less = hn_u256_sub_borrow(&value, m, &below);
        if (below && high == 0)
            break;
        high -= below;
        value = less;
    }
    hn_word_copy(to, &value);
}

/* Modulo 2^256 - 1, the high half simply counts as much as the low one. */
static void reduce_by_ones(hn_u256 *to, const uint64_t x[8])
{
    const hn_u256 low = {{x[0], x[1], x[2], x[3]}}, high = {{x[4], x[5], x[6], x[7]}};
    const hn_u256 one = {{1, 0, 0, 0}}, zero = {{0, 0, 0, 0}};
    bool carry;
    hn_u256 sum = hn_u256_add_carry(&low, &high, &carry);
    if (carry)
        sum = hn_u256_add(&sum, &one);
    if ((sum.w[0] & sum.w[1] & sum.w[2] & sum.w[3]) == UINT64_MAX)
        sum = zero;
    hn_word_copy(to, &sum);
}

/* The entry of m, which is made now or was; NULL: m is seen for the first time. */
static hn_reciprocal *find(hn_reciprocals *kept, const hn_u256 *m)
{
    static const uint64_t ones[8] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                     UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    for (uint32_t i = 0; i < HN_RECIPROCALS; i++) {
        hn_reciprocal *entry = &kept->entries[(kept->newest + i) % HN_RECIPROCALS];
        if (!hn_u256_equal(&entry->modulus, m))
            continue;
        kept->newest = (kept->newest + i) % HN_RECIPROCALS;
        if (!entry->is_known) {
            uint64_t quotient[8];
            hn_u256 rest;
            hn_u256_divide_512(quotient, &rest, ones, m);
            memcpy(entry->mu, quotient, sizeof entry->mu);
            entry->is_known = true;
        }
        return entry;
    }
    kept->entries[kept->next] = (hn_reciprocal){.modulus = *m};
    kept->next = (kept->next + 1) % HN_RECIPROCALS;
    return NULL;
}

void hn_reciprocal_mulmod(hn_reciprocals *kept, hn_u256 *to, const hn_u256 *x, const hn_u256 *y,
                          const hn_u256 *m)
{
    uint64_t product[8];
    if (m->w[3] == 0) { /* also m == 0: operands are small as a rule */
        hn_u256 r = hn_u256_mulmod(x, y, m);
        hn_word_copy(to, &r);
        return;
    }
    if ((m->w[0] & m->w[1] & m->w[2] & m->w[3]) == UINT64_MAX) {
        multiply_full(product, x, y);
        reduce_by_ones(to, product);
        return;
    }
    const hn_reciprocal *entry = find(kept, m);
    if (entry == NULL) {
        hn_u256 r = hn_u256_mulmod(x, y, m);
        hn_word_copy(to, &r);
        return;
    }
    multiply_full(product, x, y);
    reduce(to, product, m, entry->mu);
}
