/* The public vectors of the precompiled contracts: output and gas, or that the call must fail. */
#include "engine/codec/hex.h"
#include "engine/evm/precompile.h"
#include "tests/support/vectors.h"

#include <stdlib.h>

/* Which precompile a file tests, and under which fork. */
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

static const vector_file *find_file(const char *path)
{
    size_t size = strlen(path);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t tail = strlen(files[i].path);
        if (size > tail && path[size - tail - 1] == '/' && strcmp(path + size - tail, files[i].path) == 0)
            return &files[i];
    }
    return NULL;
}

/* A member of hexadecimal digits without prefix, in the arena. */
static bool read_bytes(hn_bytes *out, hn_arena *arena, const hn_json *vector, const char *key)
{
    hn_json node;
    const char *text;
    if (!hn_json_find(&node, vector, key) || hn_json_read_string(&text, &node) != HN_OK)
        return false;
    size_t size = strlen(text);
    uint8_t *bytes = hn_arena_alloc(arena, size / 2 + 1);
    if (bytes == NULL || hn_hex_decode(bytes, text, size) != HN_OK)
        return false;
    *out = hn_bytes_of(bytes, size / 2);
    return true;
}

static uint64_t read_gas(const hn_json *vector)
{
    hn_json node;
    uint64_t gas;
    if (!hn_json_find(&node, vector, "Gas") || hn_json_read_number_u64(&gas, &node) != HN_OK)
        return UINT64_MAX;
    return gas;
}

/* NULL, or what is wrong. */
static const char *run_vector(vectors *set, const vector_file *file, const hn_json *vector)
{
    hn_address address = {{0}};
    hn_store_be16(address.b + 18, file->number);
    const hn_precompile *precompile = hn_precompile_find(&address, file->fork);
    hn_bytes input;
    if (precompile == NULL)
        return "there is no such precompile";
    if (!read_bytes(&input, &set->arena, vector, "Input"))
        return "the vector has no input";
    hn_bytes output = {NULL, 0};
    bool good = hn_precompile_run(precompile, set->context, &output, &set->arena, file->fork, input);
    hn_json expected_error;
    if (hn_json_find(&expected_error, vector, "ExpectedError"))
        return good ? "succeeded, must fail" : NULL;
    hn_bytes expected;
    if (!read_bytes(&expected, &set->arena, vector, "Expected"))
        return "the vector has no output";
    if (!good)
        return "failed, must succeed";
    if (!hn_bytes_equal(output, expected))
        return "wrong output";
    return hn_precompile_gas(precompile, file->fork, input) == read_gas(vector) ? NULL : "wrong gas";
}

static void run_file(vectors *set, const char *path, const hn_json *root)
{
    const vector_file *file = find_file(path);
    if (file == NULL) {
        vectors_skip(set, path, "no precompile is known for this file");
        return;
    }
    for (size_t i = 0; i < hn_json_size(root); i++) {
        hn_json vector = hn_json_at(root, i);
        hn_json name_node;
        const char *name = "";
        if (hn_json_find(&name_node, &vector, "Name") && hn_json_read_string(&name, &name_node) != HN_OK)
            name = "";
        const char *wrong = run_vector(set, file, &vector);
        if (wrong == NULL)
            vectors_pass(set);
        else
            vectors_fail(set, path, "#%zu %s: %s", i, name, wrong);
    }
}

int main(void)
{
    static vectors set;
    hn_precompile_context *context;
    if (!vectors_open(&set, "precompiles"))
        return VECTORS_EXIT_SKIPPED;
    if (hn_precompile_context_create(&context) != HN_OK)
        return EXIT_FAILURE;
    set.context = context;
    vectors_each_json(&set, "", run_file);
    hn_precompile_context_destroy(context);
    return vectors_close(&set);
}
