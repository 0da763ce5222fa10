/* SHA-256 (FIPS 180-4) and RIPEMD-160 (Dobbertin, Bosselaers, Preneel 1996), bound to OpenSSL. Pure; any
 * core. */
#ifndef HN_ENGINE_CRYPTO_DIGEST_H
#define HN_ENGINE_CRYPTO_DIGEST_H

#include "engine/base/bytes.h"

void hn_sha256(hn_hash *out, const void *data, size_t size);

void hn_ripemd160(uint8_t out[20], const void *data, size_t size);

#endif
