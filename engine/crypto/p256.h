/* ECDSA verification over P-256 (secp256r1), bound to OpenSSL.
 *
 * Sources: SEC 1 version 2, section 4.1.4; FIPS 186-5; EIP-7951. A context is read-only after creation: any
 * number of cores may verify with it at once.
 */
#ifndef HN_ENGINE_CRYPTO_P256_H
#define HN_ENGINE_CRYPTO_P256_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct hn_p256_context hn_p256_context;

HN_MUST_USE hn_err hn_p256_context_create(hn_p256_context **out);
void hn_p256_context_destroy(hn_p256_context *context);

/* True when (r, s) signs `digest` under the key (x, y), all 32 bytes big-endian. False for r or s outside 1
 * to n-1, coordinates not below p, and a point off the curve or at infinity. High s is accepted. */
bool hn_p256_verify(const hn_p256_context *context, const uint8_t digest[32], const uint8_t r[32],
                    const uint8_t s[32], const uint8_t x[32], const uint8_t y[32]);

#endif
