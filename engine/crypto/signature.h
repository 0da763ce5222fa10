/* secp256k1 signatures: public-key recovery, address derivation, signing.
 *
 * Source: SEC 1 version 2, section 4.1.6; yellow paper, appendix F; EIP-2 for low s. A context is read-only
 * after creation: any number of cores may recover with it at once.
 */
#ifndef HN_ENGINE_CRYPTO_SIGNATURE_H
#define HN_ENGINE_CRYPTO_SIGNATURE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/u256.h"

typedef struct hn_signature {
    hn_hash r;        /* big-endian */
    hn_hash s;        /* big-endian */
    uint8_t y_parity; /* 0 or 1 */
} hn_signature;

typedef struct hn_signature_context hn_signature_context;

/* One work item of a batch: the digest and signature in, the signer and status out. */
typedef struct hn_recovery {
    hn_hash digest;
    hn_signature signature;
    hn_address signer; /* written when status is HN_OK */
    hn_err status;     /* HN_OK or HN_ERR_SIGNATURE */
} hn_recovery;

/* With the fastest kernel that this machine has and that recovers a few signatures as libsecp256k1 does. */
HN_MUST_USE hn_err hn_signature_context_create(hn_signature_context **out);

enum { HN_SIGNATURE_FAILURES_MAX = 4 };

/* Kernels that this machine has, but that recovered something else than libsecp256k1: somebody must be told.
 */
typedef struct hn_signature_failures {
    const char *names[HN_SIGNATURE_FAILURES_MAX]; /* static */
    unsigned count;
} hn_signature_failures;

/* The same with the kernel of this name (see hn_signature_kernel), or with any: NULL or "auto". `failures`
 * may be NULL. HN_ERR_NOT_FOUND: there is no such kernel; HN_ERR_UNSUPPORTED: not on this machine;
 * HN_ERR_MISMATCH: it does not recover as libsecp256k1 does. */
HN_MUST_USE hn_err hn_signature_context_create_named(hn_signature_context **out,
                                                     hn_signature_failures *failures, const char *name);
void hn_signature_context_destroy(hn_signature_context *context);

/* What recovers batches: "avx512ifma", "avx2", or "libsecp256k1", one by one. */
const char *hn_signature_kernel(const hn_signature_context *context);

/* How many signatures the kernel gave up and libsecp256k1 recovered. Nobody can choose one that it gives up;
 * any core may ask. */
uint64_t hn_signature_exceptional(const hn_signature_context *context);

/* 0 < r < n and 0 < s < n; with `require_low_s` also s <= n/2 (EIP-2; all transactions since Homestead). */
bool hn_signature_in_range(const hn_signature *signature, bool require_low_s);

/* Address of the key that signed `digest`. HN_ERR_SIGNATURE when there is none. Any s in range is accepted
 * here: the caller decides on low s by hn_signature_in_range. */
HN_MUST_USE hn_err hn_signature_recover(const hn_signature_context *context, hn_address *signer,
                                        const hn_hash *digest, const hn_signature *signature);

/* The same for `count` items at once, with a kernel that recovers several side by side where the machine has
 * one. hn_signature_batch is how many take less than about 0.4 ms. */
enum { HN_SIGNATURE_GROUP = 8 }; /* how many are recovered side by side at most */
size_t hn_signature_batch(const hn_signature_context *context);
void hn_signature_recover_batch(const hn_signature_context *context, hn_recovery *items, size_t count);

/* Uncompressed public key (64 bytes, x then y) instead of the address: the ECRECOVER precompile and tests. */
HN_MUST_USE hn_err hn_signature_recover_public_key(const hn_signature_context *context,
                                                   uint8_t public_key[64], const hn_hash *digest,
                                                   const hn_signature *signature);

/* Deterministic (RFC 6979) low-s signature. HN_ERR_RANGE when the key is 0 or not below n. */
HN_MUST_USE hn_err hn_signature_sign(const hn_signature_context *context, hn_signature *out,
                                     const hn_hash *digest, const uint8_t secret_key[32]);

/* Address that belongs to a secret key. HN_ERR_RANGE as above. */
HN_MUST_USE hn_err hn_signature_address_of(const hn_signature_context *context, hn_address *out,
                                           const uint8_t secret_key[32]);

#endif
