/* Which kernel recovers: chosen by CPUID and a self-test, or by name. */
#include "engine/base/check.h"
#include "engine/base/prng.h"
#include "engine/crypto/recovery_kernels.h"

#include <string.h>

static const char *const library_name = "libsecp256k1";

const hn_recovery_kernel *const hn_recovery_kernels[] = {
#ifdef __x86_64__
    &hn_recovery_ifma,
    &hn_recovery_avx2,
#endif
    NULL,
};

enum { TRIALS = 42 /* vectors of eight and four, the last one not full */ };

/* Of every four: a sound signature, one with another r, which has no point half of the time, one of the other
 * parity, and one of another digest with a high s. */
static void make_trials(const hn_signature_context *context, hn_recovery items[TRIALS])
{
    hn_prng prng;
    hn_prng_init(&prng, 20090103);
    for (unsigned i = 0; i < TRIALS; i++) {
        uint8_t key[32];
        hn_recovery *item = &items[i];
        hn_prng_fill(&prng, key, sizeof key);
        key[0] &= 0x7f; /* below the group's order */
        hn_prng_fill(&prng, item->digest.b, sizeof item->digest.b);
        HN_CHECK(hn_signature_sign(context, &item->signature, &item->digest, key) == HN_OK);
        if (i % 4 == 1)
            item->signature.r.b[31] ^= (uint8_t)(i + 1);
        if (i % 4 == 2)
            item->signature.y_parity ^= 1;
        if (i % 4 == 3)
            item->signature.s.b[0] = item->digest.b[0] = 0xe0;
    }
}

bool hn_signature_passes_self_test(const hn_signature_context *context)
{
    hn_recovery items[TRIALS] = {0};
    make_trials(context, items);
    hn_signature_recover_batch(context, items, TRIALS);
    unsigned found = 0;
    for (unsigned i = 0; i < TRIALS; i++) {
        hn_address signer = {{0}};
        if (hn_signature_recover(context, &signer, &items[i].digest, &items[i].signature) !=
                items[i].status ||
            (items[i].status == HN_OK && !hn_address_equal(&signer, &items[i].signer)))
            return false;
        found += items[i].status == HN_OK;
    }
    HN_CHECK(found > TRIALS / 2 && found < TRIALS);
    return hn_signature_exceptional(context) == 0;
}

/* The context, unless the kernel fails: HN_ERR_MISMATCH. */
static hn_err try_kernel(hn_signature_context **out, const hn_recovery_kernel *kernel)
{
    hn_signature_context *context;
    HN_TRY(hn_signature_context_create_with(&context, kernel));
    if (hn_signature_passes_self_test(context)) {
        *out = context;
        return HN_OK;
    }
    hn_signature_context_destroy(context);
    return HN_ERR_MISMATCH;
}

hn_err hn_signature_context_choose(hn_signature_context **out, hn_signature_failures *failures,
                                   const hn_recovery_kernel *const *kernels, const char *name)
{
    const bool any = name == NULL || strcmp(name, "auto") == 0;
    hn_signature_failures failed = {.count = 0};
    for (; *kernels != NULL && (any || strcmp(name, library_name) != 0); kernels++) {
        if (!any && strcmp(name, (*kernels)->name) != 0)
            continue;
        hn_err err = (*kernels)->available() ? try_kernel(out, *kernels) : HN_ERR_UNSUPPORTED;
        if (err == HN_ERR_MISMATCH && failed.count < HN_SIGNATURE_FAILURES_MAX)
            failed.names[failed.count++] = (*kernels)->name;
        if (err == HN_OK && failures != NULL)
            *failures = failed;
        if (err == HN_OK || !any || (err != HN_ERR_MISMATCH && err != HN_ERR_UNSUPPORTED))
            return err;
    }
    if (!any && strcmp(name, library_name) != 0)
        return HN_ERR_NOT_FOUND;
    HN_TRY(hn_signature_context_create_with(out, NULL));
    if (failures != NULL)
        *failures = failed;
    return HN_OK;
}

hn_err hn_signature_context_create_named(hn_signature_context **out, hn_signature_failures *failures,
                                         const char *name)
{
    return hn_signature_context_choose(out, failures, hn_recovery_kernels, name);
}

hn_err hn_signature_context_create(hn_signature_context **out)
{
    return hn_signature_context_create_named(out, NULL, NULL);
}
