/* Any digests, signatures and hints, side by side in every order, against keys that are known: the results
 * are libsecp256k1's. An item is a byte of parity and flags, one that chooses the key, then digest, r and s;
 * flags make it a signature of the key, which the rest then damages. */
#include "engine/crypto/known_keys.h"
#include "engine/base/check.h"
#include "engine/crypto/recovery_kernels.h"

#include <stdlib.h>

enum { ITEM_BYTES = 98, ITEMS_MAX = 24, KEYS = 16 };

static hn_signature_context *alone, *best;
static hn_known_keys *keys;
static hn_address addresses[KEYS];

static void secret_of(uint8_t secret[32], size_t key)
{
    memset(secret, 0, 32);
    secret[31] = (uint8_t)(key + 1);
}

static void prepare(void)
{
    const hn_known_keys_options options = {.keys_max = KEYS, .readers = 1, .seed = 1};
    HN_CHECK(hn_signature_context_create_with(&alone, NULL) == HN_OK);
    HN_CHECK(hn_signature_context_create(&best) == HN_OK);
    HN_CHECK(hn_known_keys_create(&keys, best, &options) == HN_OK);
    for (int round = 0; round < 8; round++) {
        hn_recovery items[KEYS] = {0};
        for (size_t i = 0; i < KEYS; i++) {
            uint8_t secret[32];
            secret_of(secret, i);
            HN_CHECK(hn_signature_address_of(alone, &addresses[i], secret) == HN_OK);
            HN_CHECK(hn_signature_sign(alone, &items[i].signature, &items[i].digest, secret) == HN_OK);
        }
        hn_known_keys_recover(keys, 0, items, addresses, KEYS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (keys == NULL)
        prepare();
    hn_recovery want[ITEMS_MAX] = {0}, got[ITEMS_MAX];
    hn_address hints[ITEMS_MAX] = {0};
    size_t count = 0;
    for (; count < ITEMS_MAX && size >= ITEM_BYTES; count++, data += ITEM_BYTES, size -= ITEM_BYTES) {
        hn_recovery *item = &want[count];
        memcpy(item->digest.b, data + 2, 32);
        memcpy(item->signature.r.b, data + 34, 32);
        memcpy(item->signature.s.b, data + 66, 32);
        item->signature.y_parity = data[0] & 1;
        if (data[0] & 2) {
            uint8_t secret[32];
            secret_of(secret, data[1] % KEYS);
            HN_CHECK(hn_signature_sign(alone, &item->signature, &item->digest, secret) == HN_OK);
            item->signature.y_parity ^= data[0] >> 2 & 1;
            if (data[0] & 8)
                item->digest.b[data[34] % 32] ^= data[35];
        }
        if ((data[0] & 16) == 0)
            hints[count] = addresses[data[1] / KEYS];
    }
    memcpy(got, want, sizeof got);
    hn_signature_recover_batch(alone, want, count);
    hn_known_keys_recover(keys, 0, got, hints, count);
    for (size_t i = 0; i < count; i++)
        HN_CHECK(got[i].status == want[i].status &&
                 (want[i].status != HN_OK || hn_address_equal(&got[i].signer, &want[i].signer)));
    return 0;
}
