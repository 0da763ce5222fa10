/* OpenSSL's plain functions are used although version 3 discourages them: they need no provider to be found,
 * loaded and configured (RIPEMD-160 is in another one from version to version), allocate nothing, and cost
 * half a microsecond less per digest. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "engine/crypto/digest.h"

#include <openssl/ripemd.h>
#include <openssl/sha.h>

void hn_sha256(hn_hash *out, const void *data, size_t size)
{
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, data, size);
    SHA256_Final(out->b, &state);
}

void hn_ripemd160(uint8_t out[20], const void *data, size_t size)
{
    RIPEMD160_CTX state;
    RIPEMD160_Init(&state);
    RIPEMD160_Update(&state, data, size);
    RIPEMD160_Final(out, &state);
}
