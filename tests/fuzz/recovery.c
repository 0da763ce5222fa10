/* Any digests and signatures, side by side in every order: each kernel says what libsecp256k1 says. An item
 * is a byte of parity and flags, then digest, r and s; a flag makes r that of a signature, so that there is a
 * point at all. */
#include "engine/base/check.h"
#include "engine/crypto/recovery_kernels.h"

#include <stdlib.h>

enum { ITEM_BYTES = 97, ITEMS_MAX = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static hn_signature_context *alone, *contexts[8];
    static size_t context_count;
    if (alone == NULL) {
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
        item->signature.y_parity = data[0] & 1;
    }
    memcpy(got, want, sizeof got);
    hn_signature_recover_batch(alone, want, count);
    for (size_t i = 0; i < context_count; i++) {
        hn_signature_recover_batch(contexts[i], got, count);
        for (size_t j = 0; j < count; j++)
            HN_CHECK(got[j].status == want[j].status && hn_address_equal(&got[j].signer, &want[j].signer));
    }
    return 0;
}
