/* Runs the public vectors of the precompiled contracts: output and gas, or that the call must fail.
 *
 * The vectors are found in HANSE_FIXTURES_UNPACKED/precompiles, or in HANSE_FIXTURES (default:
 * ../shared/fixtures beside the sources) as precompiles/ or precompiles.tar.xz, which is then unpacked into a
 * temporary folder. Without them the test says so and exits with 77, which test runners count as skipped. A
 * line per failure, and totals.
 */
#include "engine/evm/precompile.h"

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_SKIPPED = 77 };

/* Which precompile a file tests, and from which fork its prices are. */
typedef struct vector_file {
    const char *path;
    uint16_t number;
    hn_fork fork;
} vector_file;

static const vector_file files[] = {
    {"ecRecover.json", 0x01, HN_FORK_OSAKA},
    {"modexp.json", 0x05, HN_FORK_BYZANTIUM},
    {"modexp_eip2565.json", 0x05, HN_FORK_BERLIN},
    {"modexp_eip7883.json", 0x05, HN_FORK_OSAKA},
    {"bn256Add.json", 0x06, HN_FORK_ISTANBUL},
    {"bn256ScalarMul.json", 0x07, HN_FORK_ISTANBUL},
    {"bn256Pairing.json", 0x08, HN_FORK_ISTANBUL},
    {"blake2F.json", 0x09, HN_FORK_ISTANBUL},
    {"fail-blake2f.json", 0x09, HN_FORK_ISTANBUL},
    {"pointEvaluation.json", 0x0a, HN_FORK_CANCUN},
    {"fail-blsG1Add.json", 0x0b, HN_FORK_PRAGUE},
    {"blsG1Add.json", 0x0b, HN_FORK_PRAGUE},
    {"blsG1Mul.json", 0x0c, HN_FORK_PRAGUE},
    {"fail-blsG1Mul.json", 0x0c, HN_FORK_PRAGUE},
    {"blsG1MultiExp.json", 0x0c, HN_FORK_PRAGUE},
    {"fail-blsG1MultiExp.json", 0x0c, HN_FORK_PRAGUE},
    {"blsG2Add.json", 0x0d, HN_FORK_PRAGUE},
    {"fail-blsG2Add.json", 0x0d, HN_FORK_PRAGUE},
    {"blsG2Mul.json", 0x0e, HN_FORK_PRAGUE},
    {"fail-blsG2Mul.json", 0x0e, HN_FORK_PRAGUE},
    {"blsG2MultiExp.json", 0x0e, HN_FORK_PRAGUE},
    {"fail-blsG2MultiExp.json", 0x0e, HN_FORK_PRAGUE},
    {"blsPairing.json", 0x0f, HN_FORK_PRAGUE},
    {"fail-blsPairing.json", 0x0f, HN_FORK_PRAGUE},
    {"blsMapG1.json", 0x10, HN_FORK_PRAGUE},
    {"fail-blsMapG1.json", 0x10, HN_FORK_PRAGUE},
    {"blsMapG2.json", 0x11, HN_FORK_PRAGUE},
    {"fail-blsMapG2.json", 0x11, HN_FORK_PRAGUE},
    {"p256Verify.json", 0x100, HN_FORK_OSAKA},
    {"eip-2537/add_G1_bls.json", 0x0b, HN_FORK_PRAGUE},
    {"eip-2537/fail-add_G1_bls.json", 0x0b, HN_FORK_PRAGUE},
    {"eip-2537/mul_G1_bls.json", 0x0c, HN_FORK_PRAGUE},
    {"eip-2537/fail-mul_G1_bls.json", 0x0c, HN_FORK_PRAGUE},
    {"eip-2537/msm_G1_bls.json", 0x0c, HN_FORK_PRAGUE},
    {"eip-2537/fail-msm_G1_bls.json", 0x0c, HN_FORK_PRAGUE},
    {"eip-2537/add_G2_bls.json", 0x0d, HN_FORK_PRAGUE},
    {"eip-2537/fail-add_G2_bls.json", 0x0d, HN_FORK_PRAGUE},
    {"eip-2537/mul_G2_bls.json", 0x0e, HN_FORK_PRAGUE},
    {"eip-2537/fail-mul_G2_bls.json", 0x0e, HN_FORK_PRAGUE},
    {"eip-2537/msm_G2_bls.json", 0x0e, HN_FORK_PRAGUE},
    {"eip-2537/fail-msm_G2_bls.json", 0x0e, HN_FORK_PRAGUE},
    {"eip-2537/pairing_check_bls.json", 0x0f, HN_FORK_PRAGUE},
    {"eip-2537/fail-pairing_check_bls.json", 0x0f, HN_FORK_PRAGUE},
    {"eip-2537/map_fp_to_G1_bls.json", 0x10, HN_FORK_PRAGUE},
    {"eip-2537/fail-map_fp_to_G1_bls.json", 0x10, HN_FORK_PRAGUE},
    {"eip-2537/map_fp2_to_G2_bls.json", 0x11, HN_FORK_PRAGUE},
    {"eip-2537/fail-map_fp2_to_G2_bls.json", 0x11, HN_FORK_PRAGUE},
    {"eip-7951/p256_verify.json", 0x100, HN_FORK_OSAKA},
    {"eip-7951/test-vectors.json", 0x100, HN_FORK_OSAKA},
};

typedef struct totals {
    unsigned passed, failed, skipped_files;
} totals;

/* Bytes of a hexadecimal string of the caller's, in memory of the caller's to free. */
static hn_bytes decode_hex(const char *text)
{
    size_t size = strlen(text) / 2;
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        if (bytes == NULL || sscanf(text + 2 * i, "%2x", &byte) != 1) {
            fprintf(stderr, "cannot decode a vector\n");
            exit(EXIT_FAILURE);
        }
        bytes[i] = (uint8_t)byte;
    }
    return hn_bytes_of(bytes, size);
}

static const char *run_vector(const hn_precompile *precompile, const hn_precompile_context *context,
                              hn_arena *arena, hn_fork fork, json_t *vector)
{
    const char *expected = json_string_value(json_object_get(vector, "Expected"));
    const char *input_text = json_string_value(json_object_get(vector, "Input"));
    if (input_text == NULL)
        return "the vector has no input";
    hn_bytes input = decode_hex(input_text);
    hn_bytes output = {NULL, 0};
    bool good = hn_precompile_run(precompile, context, &output, arena, fork, input);
    uint64_t gas = hn_precompile_gas(precompile, fork, input);
    free((void *)(uintptr_t)input.data);
    if (expected == NULL)
        return good ? "succeeded, must fail" : NULL;
    if (!good)
        return "failed, must succeed";
    hn_bytes want = decode_hex(expected);
    bool equal = hn_bytes_equal(output, want);
    free((void *)(uintptr_t)want.data);
    if (!equal)
        return "wrong output";
    if ((json_int_t)gas != json_integer_value(json_object_get(vector, "Gas")))
        return "wrong gas";
    return NULL;
}

static void run_file(totals *sum, const hn_precompile_context *context, hn_arena *arena, const char *folder,
                     const vector_file *file)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, file->path);
    json_error_t error;
    json_t *vectors = json_load_file(path, 0, &error);
    if (vectors == NULL) {
        if (access(path, F_OK) == 0) {
            printf("FAIL %s: %s\n", file->path, error.text);
            sum->failed++;
        } else {
            printf("skipped %s: not there\n", file->path);
            sum->skipped_files++;
        }
        return;
    }
    hn_address address = {{0}};
    hn_store_be16(address.b + 18, file->number);
    const hn_precompile *precompile = hn_precompile_find(&address, file->fork);
    size_t index;
    json_t *vector;
    json_array_foreach(vectors, index, vector)
    {
        const char *wrong = precompile == NULL ? "there is no such precompile"
                                               : run_vector(precompile, context, arena, file->fork, vector);
        hn_arena_reset(arena);
        if (wrong == NULL) {
            sum->passed++;
            continue;
        }
        const char *name = json_string_value(json_object_get(vector, "Name"));
        printf("FAIL %s #%zu %s: %s\n", file->path, index, name != NULL ? name : "", wrong);
        sum->failed++;
    }
    json_decref(vectors);
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool unpack(const char *archive, const char *into)
{
    char command[3 * PATH_MAX];
    snprintf(command, sizeof command, "tar -xJf '%s' -C '%s'", archive, into);
    return system(command) == 0;
}

/* The folder with the vectors; `temporary` is filled when it was unpacked for this run. */
static bool find_vectors(char folder[PATH_MAX], char temporary[PATH_MAX])
{
    const char *unpacked = getenv("HANSE_FIXTURES_UNPACKED");
    if (unpacked != NULL) {
        snprintf(folder, PATH_MAX, "%s/precompiles", unpacked);
        if (is_folder(folder))
            return true;
    }
    const char *fixtures = getenv("HANSE_FIXTURES");
    if (fixtures == NULL)
        fixtures = HN_FIXTURES_DEFAULT;
    snprintf(folder, PATH_MAX, "%s/precompiles", fixtures);
    if (is_folder(folder))
        return true;
    char archive[PATH_MAX];
    snprintf(archive, sizeof archive, "%s/precompiles.tar.xz", fixtures);
    if (access(archive, R_OK) != 0)
        return false;
    snprintf(temporary, PATH_MAX, "/tmp/hanse-precompiles-XXXXXX");
    if (mkdtemp(temporary) == NULL || !unpack(archive, temporary))
        return false;
    snprintf(folder, PATH_MAX, "%.4000s/precompiles", temporary);
    return is_folder(folder);
}

static void remove_folder(const char *folder)
{
    char command[PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (folder[0] != '\0' && system(command) != 0)
        fprintf(stderr, "cannot remove %s\n", folder);
}

int main(void)
{
    char folder[PATH_MAX] = "";
    char temporary[PATH_MAX] = "";
    if (!find_vectors(folder, temporary)) {
        printf("skipped: no precompile vectors; name their folder in HANSE_FIXTURES\n");
        remove_folder(temporary);
        return EXIT_SKIPPED;
    }
    hn_precompile_context *context;
    if (hn_precompile_context_create(&context) != HN_OK) {
        printf("FAIL the context cannot be created\n");
        remove_folder(temporary);
        return EXIT_FAILURE;
    }
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    totals sum = {0};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        run_file(&sum, context, &arena, folder, &files[i]);
    hn_arena_destroy(&arena);
    hn_precompile_context_destroy(context);
    remove_folder(temporary);
    printf("%u passed, %u failed, %u files skipped\n", sum.passed, sum.failed, sum.skipped_files);
    return sum.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
