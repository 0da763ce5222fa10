/* MULMOD by way of kept reciprocals: programs that compute on elliptic curves reduce by one modulus thousands
 * of times, and a multiplication by its reciprocal is much faster than a division (P. Barrett, 1986; Handbook
 * of Applied Cryptography, algorithm 14.42).
 *
 * A reciprocal is made when a modulus is seen for the second time. Results do not depend on what is kept.
 */
#ifndef HN_ENGINE_EVM_RECIPROCAL_H
#define HN_ENGINE_EVM_RECIPROCAL_H

#include "engine/base/u256.h"

enum { HN_RECIPROCALS = 8 };

typedef struct hn_reciprocal {
    hn_u256 modulus; /* 0: free */
    uint64_t mu[5];  /* 2^512 / modulus, rounded down; one less for powers of two */
    bool is_known;   /* else the modulus was seen once */
} hn_reciprocal;

/* Belongs to one machine; all zero to begin with. */
typedef struct hn_reciprocals {
    hn_reciprocal entries[HN_RECIPROCALS];
    uint32_t newest; /* where to look first */
    uint32_t next;   /* to be replaced */
} hn_reciprocals;

/* *to = x * y mod m, 0 when m is 0. */
void hn_reciprocal_mulmod(hn_reciprocals *kept, hn_u256 *to, const hn_u256 *x, const hn_u256 *y,
                          const hn_u256 *m);

#endif
