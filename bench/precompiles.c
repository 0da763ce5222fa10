/* Time of every precompiled contract in nanoseconds per gas, on inputs that do all their work.
 *
 * A block of 60 million gas that should execute in two seconds leaves 33 ns per gas: lines above 30 are
 * marked.
 *
 *   bench_precompiles [--peer LIBRARY]... [NAME]
 *
 * NAME: only those whose name contains it. LIBRARY: a shared library with another implementation, measured in
 * turn with ours on the same inputs, and checked to give the same answers. It has one function,
 *
 *   long hanse_bench_precompile(unsigned number, const uint8_t *input, size_t size, uint8_t *output,
 *                               size_t capacity);
 *
 * which writes the output of the precompile `number` and returns its size, or -1 for one it does not have.
 */
#include "engine/base/check.h"
#include "engine/base/prng.h"
#include "engine/crypto/bls12_381.h"
#include "engine/crypto/bn254.h"
#include "engine/evm/precompile.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { INPUT_MAX = 128 * HN_BLS12_PAIR_BYTES, OUTPUT_MAX = 16384, PEERS_MAX = 4, ROUNDS = 5 };

static const double limit_ns_per_gas = 30;
static const double round_ns = 4e6;

static const char p256_input[] =
    "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4da73bd4903f0ce3b639bbbf6e8e80d169"
    "31ff4bcf5993d58468e8fb19086e8cac36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
    "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff37618b065f9832de4ca6ca971a7a1adc8"
    "26d0f7c00181a5fb2ddf79ae00b4e10e";

static const char point_evaluation_input[] =
    "01e798154708fe7789429634053cbf9f99b619f9f084048927333fce637f549b564c0a11a0f704f4fc3e8acfe0f8245f"
    "0ad1347b378fbf96e206da11a5d3630624d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1"
    "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7"
    "873033e038326e87ed3e1276fd140253fa08e9fc25fb2d9a98527fc22a2c9612fbeafdad446cbc7bcdbdcd780af2c16a";

/* EIP-197's P2. */
static const char bn254_g2_generator[] =
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479"
    "674322d4f75edadd46debd5cd992f6ed090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";

typedef long peer_function(unsigned number, const uint8_t *input, size_t size, uint8_t *output,
                           size_t capacity);

typedef struct bench {
    hn_precompile_context *context;
    hn_arena arena;
    hn_prng prng;
    const char *only;
    peer_function *peers[PEERS_MAX];
    size_t peer_count;
    uint8_t input[INPUT_MAX];
    size_t size;
} bench;

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* What is measured: our precompile, or a peer's of the same number. */
typedef struct subject {
    const hn_precompile *precompile;
    hn_fork fork;
    peer_function *peer; /* NULL: ours */
    uint16_t number;
} subject;

typedef struct answer {
    uint8_t bytes[OUTPUT_MAX]; /* ours only when kept: copying is no part of the work */
    long size;
    bool kept;
} answer;

static void run_ours(bench *b, const subject *s, answer *out)
{
    hn_bytes output = {NULL, 0};
    hn_bytes input = hn_bytes_of(b->input, b->size);
    HN_CHECK(hn_precompile_run(s->precompile, b->context, &output, &b->arena, s->fork, input));
    HN_CHECK(output.size != 0 && output.size <= sizeof out->bytes);
    if (out->kept)
        memcpy(out->bytes, output.data, output.size);
    out->size = (long)output.size;
    hn_arena_reset(&b->arena);
}

/* Nanoseconds a run. */
static double run_times(bench *b, const subject *s, answer *out, unsigned times)
{
    double start = now_ns();
    for (unsigned i = 0; i < times; i++) {
        if (s->peer == NULL)
            run_ours(b, s, out);
        else
            out->size = s->peer(s->number, b->input, b->size, out->bytes, sizeof out->bytes);
    }
    return (now_ns() - start) / times;
}

/* The best of a few rounds; what is measured beside it takes turns with it. */
static void run_rounds(bench *b, double *best, const subject *subjects, size_t count)
{
    unsigned times[1 + PEERS_MAX];
    static answer out;
    for (size_t i = 0; i < count; i++) {
        best[i] = run_times(b, &subjects[i], &out, 1);
        times[i] = best[i] > round_ns ? 1 : (unsigned)(round_ns / best[i]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            double ns = run_times(b, &subjects[i], &out, times[i]);
            if (ns < best[i])
                best[i] = ns;
        }
    }
}

/* Ours, and those peers that have this precompile and agree with it. */
static size_t find_subjects(bench *b, subject *subjects, uint16_t number, hn_fork fork)
{
    hn_address address = {{0}};
    hn_store_be16(address.b + 18, number);
    subject ours = {hn_precompile_find(&address, fork), fork, NULL, number};
    HN_CHECK(ours.precompile != NULL);
    static answer expected = {.kept = true};
    run_ours(b, &ours, &expected);
    size_t count = 0;
    subjects[count++] = ours;
    for (size_t i = 0; i < b->peer_count; i++) {
        subject theirs = {ours.precompile, fork, b->peers[i], number};
        static answer other;
        run_times(b, &theirs, &other, 1);
        if (other.size < 0)
            continue;
        HN_CHECK(other.size == expected.size && memcmp(other.bytes, expected.bytes, (size_t)other.size) == 0);
        subjects[count++] = theirs;
    }
    return count;
}

/* Measures the input at hand and prints a line; a peer's time stands behind ours as a multiple of it. */
static void measure(bench *b, uint16_t number, hn_fork fork, const char *what)
{
    hn_address address = {{0}};
    hn_store_be16(address.b + 18, number);
    const char *name = hn_precompile_name(hn_precompile_find(&address, fork));
    if (b->only != NULL && strstr(name, b->only) == NULL)
        return;
    subject subjects[1 + PEERS_MAX];
    double best[1 + PEERS_MAX];
    size_t count = find_subjects(b, subjects, number, fork);
    run_rounds(b, best, subjects, count);
    uint64_t gas = hn_precompile_gas(subjects[0].precompile, fork, hn_bytes_of(b->input, b->size));
    double per_gas = best[0] / (double)gas;
    printf("%-20s %-34s %9" PRIu64 " %11.0f %7.2f", name, what, gas, best[0], per_gas);
    for (size_t i = 1; i < count; i++)
        printf(" %11.0f (%.2f)", best[i], best[i] / best[0]);
    printf("%s\n", per_gas > limit_ns_per_gas ? "  above the limit" : "");
}

static void fill_hex(bench *b, const char *hex)
{
    b->size = strlen(hex) / 2;
    for (size_t i = 0; i < b->size; i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        b->input[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

static void fill_random(bench *b, size_t size)
{
    hn_prng_fill(&b->prng, b->input, size);
    b->size = size;
}

static void measure_basic(bench *b)
{
    hn_signature_context *signer;
    HN_CHECK(hn_signature_context_create(&signer) == HN_OK);
    const uint8_t key[32] = {[31] = 7};
    hn_hash digest = {{1, 2, 3}};
    hn_signature signature;
    HN_CHECK(hn_signature_sign(signer, &signature, &digest, key) == HN_OK);
    hn_signature_context_destroy(signer);
    memset(b->input, 0, 128);
    memcpy(b->input, digest.b, 32);
    b->input[63] = (uint8_t)(27 + signature.y_parity);
    memcpy(b->input + 64, signature.r.b, 32);
    memcpy(b->input + 96, signature.s.b, 32);
    b->size = 128;
    measure(b, 0x01, HN_FORK_OSAKA, "");
    for (size_t size = 32; size <= 16384; size *= 512) {
        char what[32];
        snprintf(what, sizeof what, "%zu bytes", size);
        fill_random(b, size);
        measure(b, 0x02, HN_FORK_OSAKA, what);
        measure(b, 0x03, HN_FORK_OSAKA, what);
        measure(b, 0x04, HN_FORK_OSAKA, what);
    }
    fill_random(b, 213);
    b->input[212] = 1;
    hn_store_be32(b->input, 12);
    measure(b, 0x09, HN_FORK_OSAKA, "12 rounds");
    hn_store_be32(b->input, 100000);
    measure(b, 0x09, HN_FORK_OSAKA, "100000 rounds");
    fill_hex(b, point_evaluation_input);
    measure(b, 0x0a, HN_FORK_OSAKA, "");
    fill_hex(b, p256_input);
    measure(b, 0x100, HN_FORK_OSAKA, "");
}

/* Operands of a modular exponentiation; the modulus is odd, even, or a power of two times an odd number. */
typedef struct modexp_case {
    uint32_t operand_bytes, exponent_bytes;
    uint8_t exponent_first; /* its first byte; all others are 0xff, or 0x00 before a last 1 */
    bool sparse;
    unsigned modulus_zero_bytes; /* at its low end */
} modexp_case;

static void fill_modexp(bench *b, const modexp_case *c)
{
    fill_random(b, 96 + 2 * c->operand_bytes + c->exponent_bytes);
    memset(b->input, 0, 96);
    hn_store_be32(b->input + 28, c->operand_bytes);
    hn_store_be32(b->input + 60, c->exponent_bytes);
    hn_store_be32(b->input + 92, c->operand_bytes);
    uint8_t *exponent = b->input + 96 + c->operand_bytes;
    memset(exponent, c->sparse ? 0 : 0xff, c->exponent_bytes);
    if (c->sparse)
        exponent[c->exponent_bytes - 1] = 1;
    exponent[0] = c->exponent_first;
    uint8_t *modulus = exponent + c->exponent_bytes;
    modulus[0] |= 0x80;
    modulus[c->operand_bytes - 1] |= 1;
    memset(modulus + c->operand_bytes - c->modulus_zero_bytes, 0, c->modulus_zero_bytes);
}

/* Each case at the prices of EIP-198, 2565 and 7883. The short ones are the worst that a search over random
 * operands found. */
static void measure_modexp(bench *b)
{
    static const modexp_case cases[] = {
        {1, 1024, 0xff, false, 0},      {3, 2048, 0xff, false, 0},  {4, 1377, 0xff, false, 0},
        {5, 79, 0xff, false, 3},        {8, 64, 0xff, false, 0},    {8, 78, 0xff, false, 0},
        {8, 106, 0x00, true, 0},        {8, 1024, 0xff, false, 4},  {8, 1024, 0xff, false, 0},
        {16, 40, 0xff, false, 0},       {16, 1024, 0xff, false, 0}, {32, 32, 0xff, false, 0},
        {32, 32, 0xff, false, 16},      {64, 32, 0xff, false, 0},   {64, 64, 0xff, false, 0},
        {128, 3, 0x01, true, 0},        {128, 128, 0xff, false, 0}, {128, 128, 0xff, false, 64},
        {256, 1, 0x02, false, 0},       {256, 3, 0x01, true, 0},    {256, 256, 0xff, false, 0},
        {256, 256, 0xff, false, 127},   {512, 512, 0xff, false, 0}, {1024, 1, 0x02, false, 0},
        {1024, 3, 0x01, true, 0},       {1024, 32, 0xff, false, 0}, {1024, 1024, 0xff, false, 0},
        {1024, 1024, 0xff, false, 512},
    };
    static const hn_fork forks[] = {HN_FORK_BYZANTIUM, HN_FORK_BERLIN, HN_FORK_OSAKA};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const modexp_case *c = &cases[i];
        fill_modexp(b, c);
        for (size_t j = 0; j < sizeof forks / sizeof forks[0]; j++) {
            char what[80];
            snprintf(what, sizeof what, "%s %u^%u%s, %u zero bytes", hn_fork_name(forks[j]), c->operand_bytes,
                     c->exponent_bytes, c->sparse ? " sparse" : "", c->modulus_zero_bytes);
            if (c->exponent_bytes <= 1024 || forks[j] != HN_FORK_OSAKA) /* EIP-7823 */
                measure(b, 0x05, forks[j], what);
        }
    }
}

static void measure_bn254(bench *b)
{
    memset(b->input, 0, 128);
    b->input[31] = 1;
    b->input[63] = 2;
    memset(b->input + 64, 0xff, 32);
    uint8_t point[64];
    HN_CHECK(hn_bn254_mul(point, b->input, b->input + 64));
    b->size = 96;
    measure(b, 0x07, HN_FORK_OSAKA, "");
    memcpy(b->input + 64, point, 64);
    b->size = 128;
    measure(b, 0x06, HN_FORK_OSAKA, "");
    static const size_t counts[] = {1, 2, 4, 32};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        fill_hex(b, bn254_g2_generator);
        uint8_t g2[128];
        memcpy(g2, b->input, 128);
        for (size_t j = 0; j < counts[i]; j++) {
            memcpy(b->input + 192 * j, point, 64);
            memcpy(b->input + 192 * j + 64, g2, 128);
        }
        b->size = 192 * counts[i];
        char what[32];
        snprintf(what, sizeof what, "%zu pairs", counts[i]);
        measure(b, 0x08, HN_FORK_OSAKA, what);
    }
}

/* Distinct points of both groups, by the maps. */
static void bls12_points(uint8_t g1[HN_BLS12_G1_BYTES], uint8_t g2[HN_BLS12_G2_BYTES], size_t seed)
{
    uint8_t element[2 * HN_BLS12_FP_BYTES] = {0};
    hn_store_be64(element + 56, seed + 1);
    hn_store_be64(element + 120, seed + 2);
    HN_CHECK(hn_bls12_map_to_g1(g1, element) && hn_bls12_map_to_g2(g2, element));
}

static void measure_bls12(bench *b)
{
    uint8_t g1[HN_BLS12_G1_BYTES];
    uint8_t g2[HN_BLS12_G2_BYTES];
    for (size_t i = 0; i < 2; i++) {
        bls12_points(g1, g2, i);
        memcpy(b->input + i * sizeof g1, g1, sizeof g1);
    }
    b->size = 2 * sizeof g1;
    measure(b, 0x0b, HN_FORK_OSAKA, "");
    for (size_t i = 0; i < 2; i++) {
        bls12_points(g1, g2, i);
        memcpy(b->input + i * sizeof g2, g2, sizeof g2);
    }
    b->size = 2 * sizeof g2;
    measure(b, 0x0d, HN_FORK_OSAKA, "");
    static const size_t counts[] = {1, 2, 3, 8, 32, 128};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        size_t n = counts[i];
        char what[32];
        snprintf(what, sizeof what, "%zu points", n);
        fill_random(b, n * HN_BLS12_G1_TERM_BYTES);
        for (size_t j = 0; j < n; j++) {
            bls12_points(g1, g2, j);
            memcpy(b->input + j * HN_BLS12_G1_TERM_BYTES, g1, sizeof g1);
        }
        measure(b, 0x0c, HN_FORK_OSAKA, what);
        fill_random(b, n * HN_BLS12_G2_TERM_BYTES);
        for (size_t j = 0; j < n; j++) {
            bls12_points(g1, g2, j);
            memcpy(b->input + j * HN_BLS12_G2_TERM_BYTES, g2, sizeof g2);
        }
        measure(b, 0x0e, HN_FORK_OSAKA, what);
        for (size_t j = 0; j < n; j++) {
            bls12_points(b->input + j * HN_BLS12_PAIR_BYTES,
                         b->input + j * HN_BLS12_PAIR_BYTES + HN_BLS12_G1_BYTES, j);
        }
        b->size = n * HN_BLS12_PAIR_BYTES;
        snprintf(what, sizeof what, "%zu pairs", n);
        measure(b, 0x0f, HN_FORK_OSAKA, what);
    }
    memset(b->input, 0, 128);
    memset(b->input + 24, 0x5a, 40);
    memset(b->input + 88, 0x3c, 40);
    b->size = HN_BLS12_FP_BYTES;
    measure(b, 0x10, HN_FORK_OSAKA, "");
    b->size = 2 * HN_BLS12_FP_BYTES;
    measure(b, 0x11, HN_FORK_OSAKA, "");
}

static void add_peer(bench *b, const char *path)
{
    HN_CHECK(b->peer_count < PEERS_MAX);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *function = library != NULL ? dlsym(library, "hanse_bench_precompile") : NULL;
    if (function == NULL) {
        fprintf(stderr, "bench_precompiles: %s\n", dlerror());
        exit(EXIT_FAILURE);
    }
    memcpy(&b->peers[b->peer_count++], &function, sizeof function); /* POSIX: the same representation */
}

int main(int count, char **arguments)
{
    static bench b;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--peer") == 0 && i + 1 < count)
            add_peer(&b, arguments[++i]);
        else
            b.only = arguments[i];
    }
    hn_prng_init(&b.prng, 1);
    hn_arena_init(&b.arena, 0, 0);
    double start = now_ns();
    HN_CHECK(hn_precompile_context_create(&b.context) == HN_OK);
    printf("context created in %.2f ms\n", (now_ns() - start) / 1e6);
    printf("%-20s %-34s %9s %11s %7s%s\n", "precompile", "input", "gas", "ns", "ns/gas",
           b.peer_count != 0 ? "  peers' ns (multiple of ours)" : "");
    measure_basic(&b);
    measure_modexp(&b);
    measure_bn254(&b);
    measure_bls12(&b);
    hn_precompile_context_destroy(b.context);
    hn_arena_destroy(&b.arena);
    return EXIT_SUCCESS;
}
