#include "engine/crypto/signature.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "engine/crypto/recovery_kernels.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdatomic.h>
#include <stdlib.h>

struct hn_signature_context {
    secp256k1_context *curve;
    const hn_recovery_kernel *kernel; /* NULL: one by one */
    void *tables;                     /* the kernel's */
    _Atomic uint64_t *exceptional;    /* counted by every core, but hardly ever */
};

enum { BATCH = HN_RECOVERY_BATCH };

/* The group order n and its half, rounded down (SEC 2, section 2.4.1), least significant limb first. */
static const hn_u256 group_order = {
    {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};
static const hn_u256 half_group_order = {
    {0xdfe92f46681b20a0, 0x5d576e7357a4501d, 0xffffffffffffffff, 0x7fffffffffffffff}};

static void public_key_bytes(const hn_signature_context *context, uint8_t out[64],
                             const secp256k1_pubkey *key)
{
    uint8_t uncompressed[65];
    size_t size = sizeof uncompressed;
    secp256k1_ec_pubkey_serialize(context->curve, uncompressed, &size, key, SECP256K1_EC_UNCOMPRESSED);
    memcpy(out, uncompressed + 1, 64);
}

static hn_err prepare_kernel(hn_signature_context *context, const hn_recovery_kernel *kernel)
{
    context->tables = aligned_alloc(64, (kernel->table_bytes + 63) / 64 * 64);
    if (context->tables == NULL)
        return HN_ERR_NO_MEMORY;
    uint8_t multiples[HN_RECOVERY_MULTIPLES_MAX][64];
    for (unsigned i = 0; i < kernel->multiple_count; i++) {
        uint8_t scalar[32];
        secp256k1_pubkey key;
        kernel->multiple(scalar, i);
        HN_CHECK(secp256k1_ec_pubkey_create(context->curve, &key, scalar));
        public_key_bytes(context, multiples[i], &key);
    }
    kernel->prepare(context->tables, multiples);
    context->kernel = kernel;
    return HN_OK;
}

hn_err hn_signature_context_create_with(hn_signature_context **out, const hn_recovery_kernel *kernel)
{
    hn_signature_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return HN_ERR_NO_MEMORY;
    context->curve = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    context->exceptional = calloc(1, sizeof *context->exceptional);
    hn_err err = context->curve == NULL || context->exceptional == NULL ? HN_ERR_NO_MEMORY : HN_OK;
    if (err == HN_OK && kernel != NULL)
        err = prepare_kernel(context, kernel);
    if (err != HN_OK) {
        hn_signature_context_destroy(context);
        return err;
    }
    *out = context;
    return HN_OK;
}

void hn_signature_context_destroy(hn_signature_context *context)
{
    if (context == NULL)
        return;
    if (context->curve != NULL)
        secp256k1_context_destroy(context->curve);
    free(context->tables);
    free(context->exceptional);
    free(context);
}

const char *hn_signature_kernel(const hn_signature_context *context)
{
    return context->kernel != NULL ? context->kernel->name : "libsecp256k1";
}

uint64_t hn_signature_exceptional(const hn_signature_context *context)
{
    return atomic_load_explicit(context->exceptional, memory_order_relaxed);
}

bool hn_signature_in_range(const hn_signature *signature, bool require_low_s)
{
    hn_u256 r = hn_u256_from_be(signature->r.b);
    hn_u256 s = hn_u256_from_be(signature->s.b);
    if (hn_u256_is_zero(&r) || hn_u256_is_zero(&s))
        return false;
    if (!hn_u256_less(&r, &group_order) || !hn_u256_less(&s, &group_order))
        return false;
    return !require_low_s || !hn_u256_less(&half_group_order, &s);
}

hn_err hn_signature_recover_public_key(const hn_signature_context *context, uint8_t public_key[64],
                                       const hn_hash *digest, const hn_signature *signature)
{
    /* The library refuses a recovery id above 3 by aborting, and zero scalars only late. */
    if (signature->y_parity > 1 || !hn_signature_in_range(signature, false))
        return HN_ERR_SIGNATURE;

    uint8_t compact[64];
    memcpy(compact, signature->r.b, 32);
    memcpy(compact + 32, signature->s.b, 32);
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_pubkey key;
    if (!secp256k1_ecdsa_recoverable_signature_parse_compact(context->curve, &parsed, compact,
                                                             signature->y_parity))
        return HN_ERR_SIGNATURE;
    if (!secp256k1_ecdsa_recover(context->curve, &key, &parsed, digest->b))
        return HN_ERR_SIGNATURE;

    public_key_bytes(context, public_key, &key);
    return HN_OK;
}

static void address_of_public_key(hn_address *out, const uint8_t public_key[64])
{
    hn_hash hash;
    hn_keccak256(&hash, public_key, 64);
    memcpy(out->b, hash.b + 12, sizeof out->b);
}

hn_err hn_signature_recover(const hn_signature_context *context, hn_address *signer, const hn_hash *digest,
                            const hn_signature *signature)
{
    uint8_t public_key[64];
    HN_TRY(hn_signature_recover_public_key(context, public_key, digest, signature));
    address_of_public_key(signer, public_key);
    return HN_OK;
}

size_t hn_signature_batch(const hn_signature_context *context)
{
    return context->kernel != NULL ? context->kernel->batch : 8;
}

static void recover_one(const hn_signature_context *context, hn_recovery *item, uint8_t public_key[64])
{
    uint8_t key[64];
    item->status = hn_signature_recover_public_key(context, key, &item->digest, &item->signature);
    if (item->status != HN_OK)
        return;
    address_of_public_key(&item->signer, key);
    if (public_key != NULL)
        memcpy(public_key, key, sizeof key);
}

/* At most BATCH items, all of them in range. */
static void recover_side_by_side(const hn_signature_context *context, hn_recovery *const *items,
                                 uint8_t *const *public_keys, size_t count)
{
    hn_recovery_key keys[BATCH];
    hn_bytes messages[BATCH];
    hn_hash hashes[BATCH];
    context->kernel->recover(context->tables, keys, items, count);
    for (size_t i = 0; i < count; i++)
        messages[i] = hn_bytes_of(keys[i].public_key, sizeof keys[i].public_key);
    hn_keccak256_batch(hashes, messages, count);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].outcome == HN_RECOVERY_EXCEPTIONAL) {
            atomic_fetch_add_explicit(context->exceptional, 1, memory_order_relaxed);
            recover_one(context, items[i], public_keys[i]);
            continue;
        }
        items[i]->status = keys[i].outcome == HN_RECOVERY_FOUND ? HN_OK : HN_ERR_SIGNATURE;
        if (items[i]->status != HN_OK)
            continue;
        memcpy(items[i]->signer.b, hashes[i].b + 12, sizeof items[i]->signer.b);
        if (public_keys[i] != NULL)
            memcpy(public_keys[i], messages[i].data, 64);
    }
}

void hn_signature_recover_keys(const hn_signature_context *context, hn_recovery *items,
                               uint8_t (*public_keys)[64], size_t count)
{
    hn_recovery *sound[BATCH];
    uint8_t *keys[BATCH];
    size_t sound_count = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t *key = public_keys != NULL ? public_keys[i] : NULL;
        if (context->kernel == NULL) {
            recover_one(context, &items[i], key);
        } else if (items[i].signature.y_parity > 1 || !hn_signature_in_range(&items[i].signature, false)) {
            items[i].status = HN_ERR_SIGNATURE;
        } else {
            sound[sound_count] = &items[i];
            keys[sound_count++] = key;
        }
        if (sound_count == 0 || (sound_count < BATCH && i + 1 < count))
            continue;
        if (sound_count >= context->kernel->worthwhile)
            recover_side_by_side(context, sound, keys, sound_count);
        else
            for (size_t j = 0; j < sound_count; j++)
                recover_one(context, sound[j], keys[j]);
        sound_count = 0;
    }
}

void hn_signature_recover_batch(const hn_signature_context *context, hn_recovery *items, size_t count)
{
    hn_signature_recover_keys(context, items, NULL, count);
}

hn_err hn_signature_sign(const hn_signature_context *context, hn_signature *out, const hn_hash *digest,
                         const uint8_t secret_key[32])
{
    secp256k1_ecdsa_recoverable_signature signature;
    if (!secp256k1_ecdsa_sign_recoverable(context->curve, &signature, digest->b, secret_key,
                                          secp256k1_nonce_function_rfc6979, NULL))
        return HN_ERR_RANGE;
    uint8_t compact[64];
    int recovery_id = 0;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context->curve, compact, &recovery_id,
                                                            &signature);
    /* Ids 2 and 3 mean that R.x passed n, which happens once in 2^128 signatures and which no transaction can
     * express. */
    if (recovery_id > 1)
        return HN_ERR_RANGE;
    memcpy(out->r.b, compact, 32);
    memcpy(out->s.b, compact + 32, 32);
    out->y_parity = (uint8_t)recovery_id;
    return HN_OK;
}

hn_err hn_signature_address_of(const hn_signature_context *context, hn_address *out,
                               const uint8_t secret_key[32])
{
    secp256k1_pubkey key;
    if (!secp256k1_ec_pubkey_create(context->curve, &key, secret_key))
        return HN_ERR_RANGE;
    uint8_t bytes[64];
    public_key_bytes(context, bytes, &key);
    address_of_public_key(out, bytes);
    return HN_OK;
}
