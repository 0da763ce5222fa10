#include "engine/evm/reciprocal.h"

#include "engine/evm/word.h"

/* Limbs of a product of which only the higher or lower ones are wanted. */
enum { REST = 5 };

static inline void multiply_full(uint64_t product[8], const hn_u256 *x, const hn_u256 *y)
{
    memset(product, 0, 8 * sizeof *product);
    for (size_t i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < 4; j++)
            carry = hn_word_multiply_limb(&product[i + j], x->w[i], y->w[j], carry);
        product[i + 4] = carry;
    }
}

/* x mod m, by the reciprocal of m, whose highest limb is not zero. */
static inline void reduce(hn_u256 *to, const uint64_t x[8], const hn_u256 *m, const uint64_t mu[REST])
{
    uint64_t q[2 * REST] = {0}, r[REST] = {0}, rest[REST];
    for (size_t i = 0; i < REST; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < REST; j++)
            carry = hn_word_multiply_limb(&q[i + j], x[3 + i], mu[j], carry);
        q[i + REST] = carry;
    }
    /* The estimate of the quotient, q[5..], times m, as far as it matters. */
    for (size_t i = 0; i < REST; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < 4 && i + j < REST; j++)
            carry = hn_word_multiply_limb(&r[i + j], q[REST + i], m->w[j], carry);
        if (i + 4 < REST)
            r[i + 4] = carry;
    }
    unsigned char borrow = 0;
    for (size_t i = 0; i < REST; i++)
        rest[i] = hn_sub_limb(x[i], r[i], &borrow);
    /* It was at most three too low. */
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
