/* KZG point evaluation over BLS12-381: does a committed polynomial take the value y at z?
 *
 * Needs one number of the ceremony's trusted setup only, the point [s] of G2, which is embedded. A context is
 * read-only after creation: any number of cores may verify with it at once.
 * Source: EIP-4844; consensus-specs, deneb/polynomial-commitments.md, verify_kzg_proof_impl.
 */
#ifndef HN_ENGINE_CRYPTO_KZG_H
#define HN_ENGINE_CRYPTO_KZG_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct hn_kzg_context hn_kzg_context;

/* Takes about a millisecond. */
HN_MUST_USE hn_err hn_kzg_context_create(hn_kzg_context **out);
void hn_kzg_context_destroy(hn_kzg_context *context);

/* True when `proof` shows that the polynomial behind `commitment` is y at z. False also when a point is not
 * the compressed encoding of one in G1, or z or y (big-endian) is not below the group's order. */
bool hn_kzg_verify_point(const hn_kzg_context *context, const uint8_t commitment[48], const uint8_t z[32],
                         const uint8_t y[32], const uint8_t proof[48]);

#endif
