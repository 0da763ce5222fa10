/* Known answers, a group of opcodes at a time, in both interpreters. Sources: the tables in EIP-145,
 * EIP-7939, EIP-5656, EIP-1014, EIP-1344, EIP-211; the rest follows from the yellow paper's appendix H by
 * hand. */
#include "tests/unit/engine/evm/world.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { CODE_BYTES = 4096 };

static evm_world world;

static void begin(void)
{
    evm_world_create(&world, HN_FORK_OSAKA, 16 << 20);
}

static void end(void)
{
    evm_world_destroy(&world);
}

TestSuite(known, .init = begin, .fini = end);

static evm_outcome run_code(hn_bytes code, hn_bytes input, evm_way way)
{
    hn_address contract = evm_world_contract(0);
    evm_world_put(&world, &contract, code, 0, 1);
    hn_message message = evm_world_call(1000000, input);
    return evm_world_run(&world, &message, way);
}

#define MAX  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define MIN  "8000000000000000000000000000000000000000000000000000000000000000"
#define TOP  "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define LESS "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe"

/* An opcode on up to three operands, the first on top; shorter texts are filled with zeroes from the left. */
typedef struct word_case {
    uint8_t opcode;
    const char *operands[3];
    const char *result;
} word_case;

static hn_u256 word_of(const char *text)
{
    uint8_t bytes[32];
    char even[65];
    snprintf(even, sizeof even, "%s%s", strlen(text) % 2 == 0 ? "" : "0", text);
    hn_bytes value = evm_bytes_of_hex(bytes, sizeof bytes, even);
    return hn_u256_from_be_short(value.data, value.size);
}

static size_t push_word(uint8_t *to, const char *text)
{
    hn_u256 word = word_of(text);
    to[0] = HN_OP_PUSH32;
    hn_u256_to_be(to + 1, &word);
    return 33;
}

static void check_word(const word_case *c)
{
    static const uint8_t ending[] = {HN_OP_PUSH0, HN_OP_MSTORE, HN_OP_PUSH1, 32, HN_OP_PUSH0, HN_OP_RETURN};
    uint8_t code[CODE_BYTES];
    size_t size = 0;
    for (unsigned i = 3; i-- > 0;)
        if (c->operands[i] != NULL)
            size += push_word(code + size, c->operands[i]);
    code[size++] = c->opcode;
    memcpy(code + size, ending, sizeof ending);
    size += sizeof ending;
    hn_u256 want = word_of(c->result);
    for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
        evm_outcome outcome = run_code(hn_bytes_of(code, size), hn_bytes_of(NULL, 0), way);
        cr_assert_eq(outcome.status, HN_EVM_SUCCESS);
        cr_assert_eq(outcome.output.size, 32);
        hn_u256 got = hn_u256_from_be(outcome.output.data);
        cr_expect(hn_u256_equal(&got, &want), "%s(%s, %s) in way %d", hn_opcode_name(c->opcode),
                  c->operands[0], c->operands[1] != NULL ? c->operands[1] : "", (int)way);
    }
}

#define CHECK_WORDS(cases)                                                                                   \
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)                                              \
    check_word(&cases[i])

Test(known, shifts_of_eip_145)
{
    static const word_case cases[] = {
        {HN_OP_SHL, {"0", "1"}, "1"},
        {HN_OP_SHL, {"1", "1"}, "2"},
        {HN_OP_SHL, {"ff", "1"}, MIN},
        {HN_OP_SHL, {"100", "1"}, "0"},
        {HN_OP_SHL, {"101", "1"}, "0"},
        {HN_OP_SHL, {"0", MAX}, MAX},
        {HN_OP_SHL, {"1", MAX}, LESS},
        {HN_OP_SHL, {"ff", MAX}, MIN},
        {HN_OP_SHL, {"100", MAX}, "0"},
        {HN_OP_SHL, {"1", "0"}, "0"},
        {HN_OP_SHL, {"1", TOP}, LESS},
        {HN_OP_SHR, {"0", "1"}, "1"},
        {HN_OP_SHR, {"1", "1"}, "0"},
        {HN_OP_SHR, {"ff", MIN}, "1"},
        {HN_OP_SHR, {"100", MIN}, "0"},
        {HN_OP_SHR, {"101", MIN}, "0"},
        {HN_OP_SHR, {"0", MAX}, MAX},
        {HN_OP_SHR, {"1", MAX}, TOP},
        {HN_OP_SHR, {"ff", MAX}, "1"},
        {HN_OP_SHR, {"100", MAX}, "0"},
        {HN_OP_SHR, {"1", "0"}, "0"},
        {HN_OP_SAR, {"0", "1"}, "1"},
        {HN_OP_SAR, {"1", "1"}, "0"},
        {HN_OP_SAR, {"ff", MIN}, MAX},
        {HN_OP_SAR, {"100", MIN}, MAX},
        {HN_OP_SAR, {"101", MIN}, MAX},
        {HN_OP_SAR, {"0", MAX}, MAX},
        {HN_OP_SAR, {"1", MAX}, MAX},
        {HN_OP_SAR, {"ff", MAX}, MAX},
        {HN_OP_SAR, {"100", MAX}, MAX},
        {HN_OP_SAR, {"1", "0"}, "0"},
        {HN_OP_SAR, {"f8", TOP}, "7f"},
        {HN_OP_SAR, {"fe", TOP}, "1"},
        {HN_OP_SAR, {"ff", TOP}, "0"},
        {HN_OP_SAR, {"100", TOP}, "0"},
        {HN_OP_SHL, {MAX, "1"}, "0"},
        {HN_OP_SHR, {MAX, MAX}, "0"},
        {HN_OP_SAR, {MAX, MIN}, MAX},
        {HN_OP_SHL, {"40", "1"}, "10000000000000000"},
        {HN_OP_SHR, {"c0", MIN}, "8000000000000000"},
        {HN_OP_SHL,
         {"44", "123456789abcdef0fedcba9876543210"},
         "123456789abcdef0fedcba987654321000000000000000000"},
    };
    CHECK_WORDS(cases);
}

Test(known, leading_zeroes_of_eip_7939)
{
    static const word_case cases[] = {
        {HN_OP_CLZ, {"0"}, "100"},
        {HN_OP_CLZ, {MIN}, "0"},
        {HN_OP_CLZ, {MAX}, "0"},
        {HN_OP_CLZ, {"4000000000000000000000000000000000000000000000000000000000000000"}, "1"},
        {HN_OP_CLZ, {TOP}, "1"},
        {HN_OP_CLZ, {"1"}, "ff"},
    };
    CHECK_WORDS(cases);
}

Test(known, arithmetic)
{
    static const word_case cases[] = {
        {HN_OP_ADD, {MAX, "1"}, "0"},
        {HN_OP_ADD, {"ffffffffffffffff", "1"}, "10000000000000000"},
        {HN_OP_SUB, {"0", "1"}, MAX},
        {HN_OP_SUB, {"5", "3"}, "2"},
        {HN_OP_MUL, {MAX, MAX}, "1"},
        {HN_OP_MUL, {"ffffffffffffffff", "ffffffffffffffff"}, "fffffffffffffffe0000000000000001"},
        {HN_OP_MUL, {"100000000000000000000000000000000", "100000000000000000000000000000000"}, "0"},
        {HN_OP_DIV, {"7", "2"}, "3"},
        {HN_OP_DIV, {"7", "0"}, "0"},
        {HN_OP_DIV, {"10000000000000000", "3"}, "5555555555555555"},
        {HN_OP_DIV, {MAX, "100000000000000000000000000000000"}, "ffffffffffffffffffffffffffffffff"},
        {HN_OP_SDIV, {MIN, MAX}, MIN},
        {HN_OP_SDIV, {LESS, "2"}, MAX},
        {HN_OP_SDIV, {"1", "0"}, "0"},
        {HN_OP_MOD, {"a", "3"}, "1"},
        {HN_OP_MOD, {MAX, "0"}, "0"},
        {HN_OP_MOD, {MAX, "5"}, "0"},
        {HN_OP_SMOD, {"fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8", "3"}, LESS},
        {HN_OP_SMOD, {"8", "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd"}, "2"},
        {HN_OP_ADDMOD, {MAX, "2", "2"}, "1"},
        {HN_OP_ADDMOD, {MAX, MAX, "0"}, "0"},
        {HN_OP_MULMOD, {MAX, MAX, "c"}, "9"},
        {HN_OP_MULMOD, {"a", "a", "8"}, "4"},
        {HN_OP_MULMOD, {"a", "a", "0"}, "0"},
        {HN_OP_EXP, {"2", "ff"}, MIN},
        {HN_OP_EXP, {"0", "0"}, "1"},
        {HN_OP_EXP, {"3", "100"}, "c7adeeb80d4fff81fed242815e55bc8375a205de07597d51d2105f2f0730f401"},
        {HN_OP_SIGNEXTEND, {"0", "ff"}, MAX},
        {HN_OP_SIGNEXTEND, {"0", "17f"}, "7f"},
        {HN_OP_SIGNEXTEND, {"1", "8000"}, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff8000"},
        {HN_OP_SIGNEXTEND,
         {"7", "8000000000000000"},
         "ffffffffffffffffffffffffffffffffffffffffffffffff8000000000000000"},
        {HN_OP_SIGNEXTEND, {"1f", MIN}, MIN},
        {HN_OP_SIGNEXTEND, {MAX, "80"}, "80"},
    };
    CHECK_WORDS(cases);
}

Test(known, comparisons_and_bits)
{
    static const word_case cases[] = {
        {HN_OP_LT, {"9", "a"}, "1"},        {HN_OP_LT, {"a", "a"}, "0"},
        {HN_OP_GT, {MAX, "0"}, "1"},        {HN_OP_SLT, {MAX, "0"}, "1"},
        {HN_OP_SLT, {MIN, TOP}, "1"},       {HN_OP_SGT, {"0", MAX}, "1"},
        {HN_OP_SGT, {TOP, TOP}, "0"},       {HN_OP_EQ, {MAX, MAX}, "1"},
        {HN_OP_EQ, {MIN, "0"}, "0"},        {HN_OP_ISZERO, {"0"}, "1"},
        {HN_OP_ISZERO, {MIN}, "0"},         {HN_OP_NOT, {"0"}, MAX},
        {HN_OP_AND, {"ff0", "0ff"}, "f0"},  {HN_OP_OR, {"f00", "00f"}, "f0f"},
        {HN_OP_XOR, {MAX, "1"}, LESS},      {HN_OP_BYTE, {"1f", "1234"}, "34"},
        {HN_OP_BYTE, {"1e", "1234"}, "12"}, {HN_OP_BYTE, {"0", MIN}, "80"},
        {HN_OP_BYTE, {"20", MAX}, "0"},     {HN_OP_BYTE, {MAX, MAX}, "0"},
    };
    CHECK_WORDS(cases);
}

/* Whole programs. `output` NULL: anything. */
typedef struct program_case {
    const char *what;
    const char *code;
    const char *input;
    hn_evm_status status; /* SUCCESS, REVERT, or any failure: OUT_OF_GAS */
    const char *output;
} program_case;

#define RETURN_TOP "5f5260205ff3"
#define WORD0      "00000000000000000000000000000000000000000000000000000000000000"

static const program_case program_cases[] = {
    {"calldataload pads", "6001355f5260205ff3", "aabbcc", HN_EVM_SUCCESS,
     "bbcc000000000000000000000000000000000000000000000000000000000000"},
    {"calldataload far away",
     "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff35" RETURN_TOP, "aa", HN_EVM_SUCCESS,
     WORD0 "00"},
    {"calldatacopy pads",
     "60046001600037"
     "60045ff3",
     "aabb", HN_EVM_SUCCESS, "bb000000"},
    {"codecopy pads",
     "6004600a5f39"
     "60045ff3"
     "00",
     "", HN_EVM_SUCCESS, "00000000"},
    {"codesize", "38" RETURN_TOP, "", HN_EVM_SUCCESS, WORD0 "07"},
    {"pc", "5b5b58" RETURN_TOP, "", HN_EVM_SUCCESS, WORD0 "02"},
    {"push past the end", "61ff", "", HN_EVM_SUCCESS, ""},
    {"mstore8",
     "61abcd600153"
     "60025ff3",
     "", HN_EVM_SUCCESS, "00cd"},
    {"msize counts words", "60016020535959" RETURN_TOP, "", HN_EVM_SUCCESS, WORD0 "40"},
    {"mload grows", "602151505960005260206000f3", "", HN_EVM_SUCCESS, WORD0 "60"},
    {"keccak of nothing", "5f5f20" RETURN_TOP, "", HN_EVM_SUCCESS,
     "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
    {"mcopy of EIP-5656",
     "7f000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f602052"
     "602060205f5e"
     "60205ff3",
     "", HN_EVM_SUCCESS, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"},
    {"mcopy overlaps",
     "7f000102030405060708"
     "0000000000000000000000000000000000000000000000"
     "5f52"
     "600860015f5e"
     "60085ff3",
     "", HN_EVM_SUCCESS, "0102030405060708"},
    {"jump",
     "6004"
     "56"
     "fe"
     "5b"
     "602a" RETURN_TOP,
     "", HN_EVM_SUCCESS, WORD0 "2a"},
    {"jump into a push",
     "6004"
     "56"
     "605b"
     "00",
     "", HN_EVM_OUT_OF_GAS, ""},
    {"jump to no destination",
     "600356"
     "01",
     "", HN_EVM_OUT_OF_GAS, ""},
    {"jump past the end", "60ff56", "", HN_EVM_OUT_OF_GAS, ""},
    {"jump far away",
     "7fffffffffffffffffffffffffffffffffffffffffffffffff000000000000000056"
     "5b",
     "", HN_EVM_OUT_OF_GAS, ""},
    {"computed jump",
     "6003600301"
     "56"
     "5b"
     "602a" RETURN_TOP,
     "", HN_EVM_SUCCESS, WORD0 "2a"},
    {"jumpi not taken may be bad",
     "5f60ff57"
     "602a" RETURN_TOP,
     "", HN_EVM_SUCCESS, WORD0 "2a"},
    {"jumpi taken",
     "60016005575bfe"
     "5b"
     "602a" RETURN_TOP,
     "", HN_EVM_OUT_OF_GAS, NULL},
    {"loop", "60055b60019003806002575f5260205ff3", "", HN_EVM_SUCCESS, WORD0 "00"},
    {"dup and swap",
     "6001600260036004"
     "83"
     "92"
     "5f5260205ff3",
     "", HN_EVM_SUCCESS, WORD0 "02"},
    {"underflow",
     "6001"
     "01",
     "", HN_EVM_OUT_OF_GAS, ""},
    {"undefined opcode", "0c", "", HN_EVM_OUT_OF_GAS, ""},
    {"designated invalid opcode", "fe", "", HN_EVM_OUT_OF_GAS, ""},
    {"revert keeps its data", "602a5f5260205ffd", "", HN_EVM_REVERT, WORD0 "2a"},
    {"returndatacopy out of bounds", "60015f5f3e", "", HN_EVM_OUT_OF_GAS, ""},
    {"returndatacopy of nothing at 0",
     "5f5f5f3e"
     "602a" RETURN_TOP,
     "", HN_EVM_SUCCESS, WORD0 "2a"},
    {"returndatacopy of nothing past the end", "5f60015f3e", "", HN_EVM_OUT_OF_GAS, ""},
    {"chainid", "46" RETURN_TOP, "", HN_EVM_SUCCESS, WORD0 "01"},
    {"basefee", "48" RETURN_TOP, "", HN_EVM_SUCCESS, WORD0 "07"},
    {"blobbasefee", "4a" RETURN_TOP, "", HN_EVM_SUCCESS, WORD0 "01"},
    {"blobhash", "600149" RETURN_TOP, "", HN_EVM_SUCCESS,
     "0104050000000000000000000000000000000000000000000000000000000000"},
    {"blobhash past the end", "600249" RETURN_TOP, "", HN_EVM_SUCCESS, WORD0 "00"},
    {"prevrandao", "44" RETURN_TOP, "", HN_EVM_SUCCESS,
     "7700000000000000000000000000000000000000000000000000000000000099"},
    {"gasprice", "3a" RETURN_TOP, "", HN_EVM_SUCCESS, WORD0 "0a"},
    {"number", "43" RETURN_TOP, "", HN_EVM_SUCCESS,
     "00000000000000000000000000000000000000000000000000000000000003e8"},
    {"caller", "33" RETURN_TOP, "", HN_EVM_SUCCESS,
     "0000000000000000000000000000000000000000000000000000000000002000"},
    {"address", "30" RETURN_TOP, "", HN_EVM_SUCCESS,
     "0000000000000000000000000000000000000000000000000000000000001000"},
    {"extcodehash of nobody", "6199993f" RETURN_TOP, "", HN_EVM_SUCCESS, WORD0 "00"},
    {"transient storage",
     "602a60015d"
     "60015c" RETURN_TOP,
     "", HN_EVM_SUCCESS, WORD0 "2a"},
    {"storage",
     "602a600155"
     "600154" RETURN_TOP,
     "", HN_EVM_SUCCESS, WORD0 "2a"},
};

Test(known, programs)
{
    uint8_t code[CODE_BYTES], input[CODE_BYTES], output[CODE_BYTES];
    for (size_t i = 0; i < sizeof program_cases / sizeof program_cases[0]; i++) {
        const program_case *c = &program_cases[i];
        for (evm_way way = EVM_FAST; way <= EVM_TRACED; way++) {
            evm_outcome outcome = run_code(evm_bytes_of_hex(code, sizeof code, c->code),
                                           evm_bytes_of_hex(input, sizeof input, c->input), way);
            bool is_failure = outcome.status != HN_EVM_SUCCESS && outcome.status != HN_EVM_REVERT;
            hn_evm_status got = is_failure ? HN_EVM_OUT_OF_GAS : outcome.status;
            cr_expect_eq(got, c->status, "%s: %s", c->what, hn_evm_status_text(outcome.status));
            if (is_failure)
                cr_expect_eq(outcome.gas_left, 0, "%s", c->what);
            if (c->output != NULL)
                cr_expect(hn_bytes_equal(outcome.output, evm_bytes_of_hex(output, sizeof output, c->output)),
                          "%s", c->what);
        }
    }
}

/* 1,024 words fit, 1,025 do not; however they get there. */
Test(known, stack_is_bounded)
{
    static uint8_t code[CODE_BYTES];
    for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
        memset(code, HN_OP_PUSH0, sizeof code);
        code[1024] = HN_OP_POP;
        cr_expect_eq(run_code(hn_bytes_of(code, 1025), hn_bytes_of(NULL, 0), way).status, HN_EVM_SUCCESS);
        cr_expect_eq(run_code(hn_bytes_of(code, 1024), hn_bytes_of(NULL, 0), way).status, HN_EVM_SUCCESS);
        for (unsigned last = 0; last < 3; last++) {
            static const uint8_t growing[] = {HN_OP_PUSH0, HN_OP_DUP16, HN_OP_ADDRESS};
            code[1024] = growing[last];
            cr_expect_eq(run_code(hn_bytes_of(code, 1025), hn_bytes_of(NULL, 0), way).status,
                         HN_EVM_STACK_OVERFLOW);
            /* The same at the beginning of a block of its own. */
            code[1023] = HN_OP_JUMPDEST;
            cr_expect_eq(run_code(hn_bytes_of(code, 1025), hn_bytes_of(NULL, 0), way).status, HN_EVM_SUCCESS);
            code[1025] = HN_OP_PUSH0;
            cr_expect_eq(run_code(hn_bytes_of(code, 1026), hn_bytes_of(NULL, 0), way).status,
                         HN_EVM_STACK_OVERFLOW);
            code[1023] = HN_OP_PUSH0;
        }
        /* One word too few for the deepest reach of each. */
        for (unsigned depth = 1; depth <= 16; depth++) {
            memset(code, HN_OP_PUSH0, depth);
            code[depth] = (uint8_t)(HN_OP_DUP1 - 1 + depth);
            cr_expect_eq(run_code(hn_bytes_of(code, depth + 1), hn_bytes_of(NULL, 0), way).status,
                         HN_EVM_SUCCESS);
            cr_expect_eq(run_code(hn_bytes_of(code + 1, depth), hn_bytes_of(NULL, 0), way).status,
                         HN_EVM_STACK_UNDERFLOW);
            code[depth] = (uint8_t)(HN_OP_SWAP1 - 1 + depth);
            cr_expect_eq(run_code(hn_bytes_of(code, depth + 1), hn_bytes_of(NULL, 0), way).status,
                         HN_EVM_STACK_UNDERFLOW);
        }
    }
}

/* Each opcode exists from its fork on, in both interpreters. */
Test(known, opcodes_appear_with_their_fork)
{
    static const struct {
        uint8_t opcode;
        hn_fork since;
    } cases[] = {
        {HN_OP_DELEGATECALL, HN_FORK_HOMESTEAD},
        {HN_OP_REVERT, HN_FORK_BYZANTIUM},
        {HN_OP_RETURNDATASIZE, HN_FORK_BYZANTIUM},
        {HN_OP_STATICCALL, HN_FORK_BYZANTIUM},
        {HN_OP_SHL, HN_FORK_CONSTANTINOPLE},
        {HN_OP_EXTCODEHASH, HN_FORK_CONSTANTINOPLE},
        {HN_OP_CREATE2, HN_FORK_CONSTANTINOPLE},
        {HN_OP_CHAINID, HN_FORK_ISTANBUL},
        {HN_OP_SELFBALANCE, HN_FORK_ISTANBUL},
        {HN_OP_BASEFEE, HN_FORK_LONDON},
        {HN_OP_PUSH0, HN_FORK_SHANGHAI},
        {HN_OP_MCOPY, HN_FORK_CANCUN},
        {HN_OP_TLOAD, HN_FORK_CANCUN},
        {HN_OP_TSTORE, HN_FORK_CANCUN},
        {HN_OP_BLOBHASH, HN_FORK_CANCUN},
        {HN_OP_BLOBBASEFEE, HN_FORK_CANCUN},
        {HN_OP_CLZ, HN_FORK_OSAKA},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int fork = 0; fork < HN_FORK_COUNT; fork++)
            for (evm_way way = EVM_FAST; way <= EVM_EXACT; way++) {
                uint8_t code[16];
                memset(code, HN_OP_CALLDATASIZE, sizeof code);
                code[10] = cases[i].opcode;
                code[11] = HN_OP_STOP;
                evm_world_set_fork(&world, (hn_fork)fork);
                hn_evm_status status = run_code(hn_bytes_of(code, 12), hn_bytes_of(NULL, 0), way).status;
                bool exists = status == HN_EVM_SUCCESS || status == HN_EVM_REVERT;
                cr_expect_eq(exists, fork >= (int)cases[i].since, "%s under %s",
                             hn_opcode_name(cases[i].opcode), hn_fork_name((hn_fork)fork));
            }
}

/* The examples of EIP-1014; CREATE's from a well-known deployer. */
Test(known, created_addresses)
{
    static const struct {
        const char *sender, *salt, *code, *address;
    } second[] = {
        {"0000000000000000000000000000000000000000", "00", "00", "4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"},
        {"deadbeef00000000000000000000000000000000", "00", "00", "B928f69Bb1D91Cd65274e3c79d8986362984fDA3"},
        {"deadbeef00000000000000000000000000000000",
         "000000000000000000000000feed000000000000000000000000000000000000", "00",
         "D04116cDd17beBE565EB2422F2497E06cC1C9833"},
        {"0000000000000000000000000000000000000000", "00", "deadbeef",
         "70f2b2914A2a4b783FaEFb75f459A580616Fcb5e"},
        {"00000000000000000000000000000000deadbeef", "cafebabe", "deadbeef",
         "60f3f640a8508fC6a86d45DF051962668E1e8AC7"},
        {"0000000000000000000000000000000000000000", "00", "", "E33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0"},
    };
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
        uint8_t code[64], bytes[32];
        hn_address sender, want, got;
        hn_hash salt;
        char lower[41] = {0};
        for (size_t j = 0; j < 40; j++)
            lower[j] = second[i].address[j] >= 'A' && second[i].address[j] <= 'F'
                           ? (char)(second[i].address[j] + 32)
                           : second[i].address[j];
        evm_bytes_of_hex(sender.b, sizeof sender.b, second[i].sender);
        evm_bytes_of_hex(want.b, sizeof want.b, lower);
        hn_bytes short_salt = evm_bytes_of_hex(bytes, sizeof bytes, second[i].salt);
        hn_u256 word = hn_u256_from_be_short(short_salt.data, short_salt.size);
        hn_u256_to_be(salt.b, &word);
        hn_create2_address(&got, &sender, &salt, evm_bytes_of_hex(code, sizeof code, second[i].code));
        cr_expect(hn_address_equal(&got, &want), "%zu", i);
    }
    static const char *const first[] = {
        "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d", "343c43a37d37dff08ae8c4a11544c718abb4fcf8",
        "f778b86fa74e846c4f0a1fbd1335fe81c00a0c91", "fffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c"};
    hn_address sender, want, got;
    evm_bytes_of_hex(sender.b, sizeof sender.b, "6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
    for (size_t nonce = 0; nonce < sizeof first / sizeof first[0]; nonce++) {
        evm_bytes_of_hex(want.b, sizeof want.b, first[nonce]);
        hn_create_address(&got, &sender, nonce);
        cr_expect(hn_address_equal(&got, &want), "%zu", nonce);
    }
}
