/* The precompiled contracts, each split into its price and its work.
 *
 * Sources: yellow paper, appendix E; EIP-196, 197, 198, 1108, 2565, 7823, 7883 (modexp, bn254), 152
 * (blake2f), 4844 (point evaluation), 2537 (BLS12-381), 7951 (P-256). Which exist, and their prices, follow
 * from one table by fork. Pure; any core; the context is read-only after creation.
 */
#ifndef HN_ENGINE_EVM_PRECOMPILE_H
#define HN_ENGINE_EVM_PRECOMPILE_H

#include "engine/base/arena.h"
#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/crypto/signature.h"
#include "engine/types/fork.h"

typedef struct hn_precompile hn_precompile;                 /* one line of the table */
typedef struct hn_precompile_context hn_precompile_context; /* what secp256k1, P-256 and KZG prepare once */

/* Prepares the libraries and the embedded point of the KZG trusted setup: less than a millisecond. */
HN_MUST_USE hn_err hn_precompile_context_create(hn_precompile_context **out);
void hn_precompile_context_destroy(hn_precompile_context *context);

/* The precompile at an address under a fork; NULL when there is none. Fast enough for every call. */
const hn_precompile *hn_precompile_find(const hn_address *address, hn_fork fork);

/* A precompile where the table has none, or none (NULL) where it has one: simulations move them. They stay
 * warm where the table has them. */
typedef struct hn_precompile_move {
    hn_address address;
    const hn_precompile *precompile;
} hn_precompile_move;

/* The addresses that are warm from the start of every transaction (EIP-2929): 1 to *count as the last byte
 * or, for P-256, 0x100. Returns how many were written; `capacity` 32 is enough. */
size_t hn_precompile_addresses(hn_address *out, size_t capacity, hn_fork fork);

/* Name for people and eth_config, e.g. "ECREC", "BLS12_G1ADD", "P256VERIFY" (execution-apis' names). */
const char *hn_precompile_name(const hn_precompile *precompile);

/* Gas for this input; UINT64_MAX when no amount is enough. */
uint64_t hn_precompile_gas(const hn_precompile *precompile, hn_fork fork, hn_bytes input);

/* Runs it. True: *output (allocated in `arena`, possibly empty) is the return data. False: the call fails and
 * takes all its gas. `input` is borrowed. The arena must have room for what the gas pays for: a full one is a
 * broken invariant, not a failing call. */
HN_MUST_USE bool hn_precompile_run(const hn_precompile *precompile, const hn_precompile_context *context,
                                   hn_bytes *output, hn_arena *arena, hn_fork fork, hn_bytes input);

#endif
