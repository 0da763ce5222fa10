#include "engine/crypto/signature.h"

#include "engine/crypto/keccak.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdlib.h>

struct hn_signature_context {
    secp256k1_context *curve;
};

/* The group order n and its half, rounded down (SEC 2, section 2.4.1), least significant limb first. */
static const hn_u256 group_order = {
    {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};
static const hn_u256 half_group_order = {
    {0xdfe92f46681b20a0, 0x5d576e7357a4501d, 0xffffffffffffffff, 0x7fffffffffffffff}};

hn_err hn_signature_context_create(hn_signature_context **out)
{
    hn_signature_context *context = malloc(sizeof *context);
    if (context == NULL)
        return HN_ERR_NO_MEMORY;
    context->curve = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    if (context->curve == NULL) {
        free(context);
        return HN_ERR_NO_MEMORY;
    }
    *out = context;
    return HN_OK;
}

void hn_signature_context_destroy(hn_signature_context *context)
{
    if (context == NULL)
        return;
    secp256k1_context_destroy(context->curve);
    free(context);
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

    uint8_t uncompressed[65];
    size_t size = sizeof uncompressed;
    secp256k1_ec_pubkey_serialize(context->curve, uncompressed, &size, &key, SECP256K1_EC_UNCOMPRESSED);
    memcpy(public_key, uncompressed + 1, 64);
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

void hn_signature_recover_batch(const hn_signature_context *context, hn_recovery *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        items[i].status =
            hn_signature_recover(context, &items[i].signer, &items[i].digest, &items[i].signature);
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
    uint8_t uncompressed[65];
    size_t size = sizeof uncompressed;
    secp256k1_ec_pubkey_serialize(context->curve, uncompressed, &size, &key, SECP256K1_EC_UNCOMPRESSED);
    address_of_public_key(out, uncompressed + 1);
    return HN_OK;
}
