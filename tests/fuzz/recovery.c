/* Any digests and signatures, side by side in every order: each kernel says what libsecp256k1 says, and
 * gives nothing up. An item
 * is a byte of flags, then digest, r and s. Flags: 1 the parity; 2 makes r that of a signature, so that there
 * is a point at all; 4 makes R a small multiple of the generator and the digest such that the two sums of the
 * recovery are opposite, the same, or nearly so; 8 takes a recovery id of 0 to 7 from the upper bits. */
#include "engine/base/check.h"
#include "engine/crypto/recovery_kernels.h"

#include <secp256k1.h>
#include <stdlib.h>

enum { ITEM_BYTES = 97, ITEMS_MAX = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* R = k G and e = s k + r off, or its opposite: the key is off G, or 2 (e / r) G. */
static void make_meeting(hn_recovery *item, const secp256k1_context *curve, unsigned k, unsigned off,
                         bool opposite)
{
    static const hn_u256 order = {
        {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};
    const uint8_t key[32] = {[31] = (uint8_t)k};
    uint8_t point[33];
    size_t size = sizeof point;
    secp256k1_pubkey r_point;
    HN_CHECK(secp256k1_ec_pubkey_create(curve, &r_point, key));
    secp256k1_ec_pubkey_serialize(curve, point, &size, &r_point, SECP256K1_EC_COMPRESSED);
    memcpy(item->signature.r.b, point + 1, 32);
    item->signature.y_parity = point[0] & 1;
    const hn_u256 s = hn_u256_from_be(item->signature.s.b), r = hn_u256_from_be(point + 1);
    const hn_u256 times = hn_u256_of(k), apart = hn_u256_of(off), one = hn_u256_of(1);
    const hn_u256 first = hn_u256_mulmod(&s, &times, &order), second = hn_u256_mulmod(&r, &apart, &order);
    hn_u256 digest = hn_u256_sub(&order, &first);
    if (!opposite)
        digest = first;
    digest = hn_u256_mulmod(&digest, &one, &order);
    hn_u256 rest = hn_u256_sub(&order, &digest); /* digest + second modulo the order */
    digest = hn_u256_less(&second, &rest) ? hn_u256_add(&digest, &second) : hn_u256_sub(&second, &rest);
    hn_u256_to_be(item->digest.b, &digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static hn_signature_context *alone, *contexts[8];
    static size_t context_count;
    static secp256k1_context *curve;
    if (alone == NULL) {
        curve = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
        HN_CHECK(hn_signature_context_create_with(&alone, NULL) == HN_OK);
        for (const hn_recovery_kernel *const *kernel = hn_recovery_kernels; *kernel != NULL; kernel++)
            if ((*kernel)->available())
                HN_CHECK(hn_signature_context_create_with(&contexts[context_count++], *kernel) == HN_OK);
    }
    hn_recovery want[ITEMS_MAX] = {0}, got[ITEMS_MAX];
    size_t count = 0;
    for (; count < ITEMS_MAX && size >= ITEM_BYTES; count++, data += ITEM_BYTES, size -= ITEM_BYTES) {
        hn_recovery *item = &want[count];
        memcpy(item->digest.b, data + 1, 32);
        memcpy(item->signature.r.b, data + 33, 32);
        memcpy(item->signature.s.b, data + 65, 32);
        if (data[0] & 2) {
            const uint8_t key[32] = {[31] = (uint8_t)(data[33] % 16 + 1)};
            hn_signature made;
            HN_CHECK(hn_signature_sign(alone, &made, &item->digest, key) == HN_OK);
            item->signature.r = made.r;
        }
        item->signature.y_parity = data[0] & 8 ? data[0] >> 4 & 7 : data[0] & 1;
        if (data[0] & 4)
            make_meeting(item, curve, data[33] % 16 + 1, data[34] % 4, data[35] & 1);
    }
    memcpy(got, want, sizeof got);
    hn_signature_recover_batch(alone, want, count);
    for (size_t i = 0; i < context_count; i++) {
        hn_signature_recover_batch(contexts[i], got, count);
        for (size_t j = 0; j < count; j++)
            HN_CHECK(got[j].status == want[j].status && hn_address_equal(&got[j].signer, &want[j].signer));
        HN_CHECK(hn_signature_exceptional(contexts[i]) == 0);
    }
    return 0;
}
