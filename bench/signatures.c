/* Signers recovered in batches, by each kernel that this machine has, and checked against known keys, against
 * libsecp256k1 one by one.
 *
 *   bench_signatures [ROUNDS]
 *
 * Both take turns; the least time of each is compared, because others disturb a shared machine and nobody
 * speeds it up. Every signer is compared, too.
 */
#include "engine/base/check.h"
#include "engine/base/prng.h"
#include "engine/crypto/known_keys.h"
#include "engine/crypto/recovery_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIGNATURES = 1024, ALONE = 16 };

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double time_of(const hn_signature_context *context, hn_recovery *items, size_t count)
{
    const double began = now_us();
    hn_signature_recover_batch(context, items, count);
    return (now_us() - began) / (double)count;
}

static void compare(const hn_signature_context *alone, const hn_recovery_kernel *kernel, hn_recovery *items,
                    size_t batch, int rounds)
{
    hn_signature_context *context;
    HN_CHECK(hn_signature_context_create_with(&context, kernel) == HN_OK);
    double least_alone = 1e9, least = 1e9;
    for (int i = 0; i < rounds; i++) {
        const size_t first = (size_t)i * 64 % (SIGNATURES - batch);
        const double one = time_of(alone, items + (size_t)i * ALONE % (SIGNATURES - ALONE), ALONE);
        hn_address before = items[first].signer;
        items[first].signer = (hn_address){{0}};
        const double many = time_of(context, items + first, batch);
        HN_CHECK(items[first].status == HN_OK && hn_address_equal(&items[first].signer, &before));
        least_alone = one < least_alone ? one : least_alone;
        least = many < least ? many : least;
    }
    printf("%-12s batches of %3zu: %6.2f us a signature, libsecp256k1 %6.2f us, ratio %5.2f\n", kernel->name,
           batch, least, least_alone, least_alone / least);
    hn_signature_context_destroy(context);
}

/* A signature of each of `count` senders. */
static void make_senders(const hn_signature_context *context, hn_recovery *items, hn_address *hints,
                         size_t count)
{
    hn_prng prng;
    hn_prng_init(&prng, 8);
    for (size_t i = 0; i < count; i++) {
        uint8_t key[32];
        hn_prng_fill(&prng, key, sizeof key);
        hn_prng_fill(&prng, items[i].digest.b, sizeof items[i].digest.b);
        HN_CHECK(hn_signature_sign(context, &items[i].signature, &items[i].digest, key) == HN_OK);
    }
    hn_signature_recover_batch(context, items, count);
    for (size_t i = 0; i < count; i++)
        hints[i] = items[i].signer;
}

/* The hints are right, and the keys are known. */
static void check_known(const hn_signature_context *alone, const hn_signature_context *context,
                        hn_recovery *items, const hn_address *hints, size_t senders, int rounds)
{
    static const size_t batches[] = {16, 64, 128, 256};
    const hn_known_keys_options options = {.keys_max = (uint32_t)senders, .readers = 1, .seed = 1};
    hn_known_keys *keys;
    HN_CHECK(hn_known_keys_create(&keys, context, &options) == HN_OK);
    double began = now_us();
    size_t turns = 0;
    while (turns++ < 12 && hn_known_keys_count(keys).made < senders)
        for (size_t i = 0; i < senders; i += 8)
            hn_known_keys_recover(keys, 0, items + i, hints + i, 8);
    printf("%-12s %zu of %zu keys known after %.0f ms\n", hn_known_keys_kernel(keys),
           (size_t)hn_known_keys_count(keys).made, senders, (now_us() - began) / 1e3);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        const size_t batch = batches[i], before = hn_known_keys_count(keys).proven;
        double least_alone = 1e9, least = 1e9, sum = 0;
        for (int round = 0; round < rounds; round++) {
            const size_t first = (size_t)round * 4096 % (senders - batch + 1);
            const double one = time_of(alone, items + (size_t)round * ALONE % (senders - ALONE), ALONE);
            began = now_us();
            hn_known_keys_recover(keys, 0, items + first, hints + first, batch);
            const double many = (now_us() - began) / (double)batch;
            for (size_t j = 0; j < batch; j++)
                HN_CHECK(hn_address_equal(&items[first + j].signer, &hints[first + j]));
            least_alone = one < least_alone ? one : least_alone;
            least = many < least ? many : least;
            sum += many;
        }
        printf(
            "%-12s %zu known keys, batches of %3zu: %6.2f us a signature (mean %.2f), libsecp256k1 %6.2f us, "
            "ratio %5.2f, %.1f %% proven\n",
            hn_known_keys_kernel(keys), senders, batch, least, sum / rounds, least_alone, least_alone / least,
            100.0 * (double)(hn_known_keys_count(keys).proven - before) / (double)batch / rounds);
    }
    hn_known_keys_destroy(keys);
}

static void check_senders(const hn_signature_context *alone, int rounds)
{
    enum { MOST = 65536 };
    hn_signature_context *context;
    hn_recovery *items = calloc(MOST, sizeof *items);
    hn_address *hints = calloc(MOST, sizeof *hints);
    HN_CHECK(items != NULL && hints != NULL && hn_signature_context_create(&context) == HN_OK);
    make_senders(context, items, hints, MOST);
    check_known(alone, context, items, hints, 256, rounds);
    check_known(alone, context, items, hints, MOST, rounds);
    hn_signature_context_destroy(context);
    free(items);
    free(hints);
}

int main(int argc, char **argv)
{
    const long asked = argc > 1 ? strtol(argv[1], NULL, 10) : 300;
    const int rounds = asked > 0 && asked < 1000000 ? (int)asked : 300;
    hn_signature_context *alone;
    hn_recovery *items = calloc(SIGNATURES, sizeof *items);
    HN_CHECK(items != NULL && hn_signature_context_create_with(&alone, NULL) == HN_OK);
    hn_prng prng;
    hn_prng_init(&prng, 7);
    for (size_t i = 0; i < SIGNATURES; i++) {
        uint8_t key[32];
        hn_prng_fill(&prng, key, sizeof key);
        hn_prng_fill(&prng, items[i].digest.b, sizeof items[i].digest.b);
        HN_CHECK(hn_signature_sign(alone, &items[i].signature, &items[i].digest, key) == HN_OK);
    }
    hn_signature_recover_batch(alone, items, SIGNATURES);
    for (const hn_recovery_kernel *const *kernel = hn_recovery_kernels; *kernel != NULL; kernel++) {
        static const size_t batches[] = {8, 16, 64, 128, 256};
        if (!(*kernel)->available())
            printf("%-12s this machine cannot\n", (*kernel)->name);
        for (size_t i = 0; (*kernel)->available() && i < sizeof batches / sizeof *batches; i++)
            compare(alone, *kernel, items, batches[i], rounds);
    }
    check_senders(alone, rounds);
    hn_signature_context_destroy(alone);
    free(items);
    return 0;
}
