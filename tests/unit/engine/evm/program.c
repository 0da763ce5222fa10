#include "tests/unit/engine/evm/program.h"

#include "engine/evm/opcode.h"

enum { LABELS_MAX = 64, PATCHES_MAX = 128, MARGIN = 300, OBSERVED_WORDS = 12 };

typedef struct writer {
    uint8_t *out;
    size_t size;
    hn_prng *prng;
    uint16_t labels[LABELS_MAX];
    unsigned label_count;
    uint16_t patches[PATCHES_MAX]; /* where a jump's two-byte destination stands */
    unsigned patch_count;
} writer;

static uint64_t below(writer *w, uint64_t bound)
{
    return hn_prng_below(w->prng, bound);
}

static bool one_in(writer *w, uint64_t n)
{
    return below(w, n) == 0;
}

static void put(writer *w, unsigned byte)
{
    w->out[w->size++] = (uint8_t)byte;
}

static void push(writer *w, uint64_t value)
{
    unsigned bytes = 1;
    while (bytes < 8 && value >> (8 * bytes) != 0)
        bytes++;
    put(w, (unsigned)HN_OP_PUSH0 + bytes);
    for (unsigned i = bytes; i-- > 0;)
        put(w, (unsigned)(value >> (8 * i)) & 0xff);
}

static void push_word(writer *w)
{
    hn_u256 value = hn_prng_u256(w->prng);
    uint8_t bytes[32];
    hn_u256_to_be(bytes, &value);
    unsigned size = one_in(w, 2) ? 32 : hn_u256_byte_length(&value);
    if (size == 0)
        size = 1;
    put(w, (unsigned)HN_OP_PUSH0 + size);
    for (unsigned i = 32 - size; i < 32; i++)
        put(w, bytes[i]);
}

static void push_any(writer *w)
{
    if (one_in(w, 3))
        push_word(w);
    else
        push(w, below(w, one_in(w, 4) ? 1024 : 40));
    if (one_in(w, 4))
        put(w, HN_OP_NOT); /* negative numbers */
}

/* Puts the top of the stack where the end of the program returns it: a wrong word must not die on the stack.
 */
static void observe(writer *w)
{
    put(w, HN_OP_DUP1);
    push(w, 32 * below(w, OBSERVED_WORDS));
    put(w, HN_OP_MSTORE);
}

static void return_observed(writer *w)
{
    push(w, 32 * OBSERVED_WORDS);
    push(w, 0);
    put(w, HN_OP_RETURN);
}

static void push_offset(writer *w)
{
    if (one_in(w, 60))
        push_word(w);
    else
        push(w, below(w, one_in(w, 8) ? 2000 : 160));
}

static void push_size(writer *w)
{
    push(w, below(w, one_in(w, 8) ? 400 : 70));
}

static void push_key(writer *w)
{
    push(w, below(w, 4));
}

static void push_address(writer *w)
{
    switch (below(w, 8)) {
    case 0:
        push(w, 1 + below(w, 18));
        return;
    case 1:
        push(w, 0x3000 + below(w, 4));
        return;
    case 2:
        put(w, HN_OP_ADDRESS);
        return;
    default:
        push(w, 0x1000 + below(w, 4));
    }
}

static void label(writer *w)
{
    if (w->label_count < LABELS_MAX) {
        w->labels[w->label_count++] = (uint16_t)w->size;
        put(w, HN_OP_JUMPDEST);
    }
}

/* The destination is filled in when all labels are known. */
static void push_label(writer *w)
{
    if (w->patch_count == PATCHES_MAX)
        return;
    put(w, HN_OP_PUSH2);
    w->patches[w->patch_count++] = (uint16_t)w->size;
    put(w, 0);
    put(w, 0);
}

static void arithmetic(writer *w)
{
    static const uint8_t binary[] = {
        HN_OP_ADD,        HN_OP_MUL,  HN_OP_SUB, HN_OP_DIV, HN_OP_SDIV, HN_OP_MOD,      HN_OP_SMOD, HN_OP_EXP,
        HN_OP_SIGNEXTEND, HN_OP_LT,   HN_OP_GT,  HN_OP_SLT, HN_OP_SGT,  HN_OP_EQ,       HN_OP_AND,  HN_OP_OR,
        HN_OP_XOR,        HN_OP_BYTE, HN_OP_SHL, HN_OP_SHR, HN_OP_SAR,  HN_OP_KECCAK256};
    uint8_t opcode = binary[below(w, sizeof binary)];
    if (opcode == HN_OP_KECCAK256) {
        push_size(w);
        push_offset(w);
    } else if (!one_in(w, 3)) {
        push_any(w);
        push_any(w);
    }
    put(w, opcode);
    if (one_in(w, 6)) {
        push_any(w);
        put(w, one_in(w, 2) ? HN_OP_ADDMOD : HN_OP_MULMOD);
    }
    if (one_in(w, 4))
        put(w, one_in(w, 3) ? HN_OP_CLZ : one_in(w, 2) ? HN_OP_ISZERO : HN_OP_NOT);
    if (one_in(w, 2))
        observe(w);
}

static void memory(writer *w)
{
    static const uint8_t copies[] = {HN_OP_CALLDATACOPY, HN_OP_CODECOPY, HN_OP_RETURNDATACOPY, HN_OP_MCOPY};
    switch (below(w, 4)) {
    case 0:
        push_offset(w);
        put(w, HN_OP_MLOAD);
        return;
    case 1:
        push_any(w);
        push_offset(w);
        put(w, one_in(w, 4) ? HN_OP_MSTORE8 : HN_OP_MSTORE);
        return;
    case 2:
        push_size(w);
        push_offset(w);
        push_offset(w);
        put(w, copies[below(w, sizeof copies)]);
        return;
    default:
        push_size(w);
        push_offset(w);
        push_offset(w);
        push_address(w);
        put(w, HN_OP_EXTCODECOPY);
    }
}

static void environment(writer *w)
{
    static const uint8_t plain[] = {
        HN_OP_ADDRESS,  HN_OP_ORIGIN,      HN_OP_CALLER,   HN_OP_CALLVALUE,      HN_OP_CALLDATASIZE,
        HN_OP_CODESIZE, HN_OP_GASPRICE,    HN_OP_COINBASE, HN_OP_RETURNDATASIZE, HN_OP_TIMESTAMP,
        HN_OP_NUMBER,   HN_OP_DIFFICULTY,  HN_OP_GASLIMIT, HN_OP_CHAINID,        HN_OP_SELFBALANCE,
        HN_OP_BASEFEE,  HN_OP_BLOBBASEFEE, HN_OP_PC,       HN_OP_MSIZE,          HN_OP_GAS,
        HN_OP_PUSH0};
    static const uint8_t of_address[] = {HN_OP_BALANCE, HN_OP_EXTCODESIZE, HN_OP_EXTCODEHASH};
    static const uint8_t of_word[] = {HN_OP_CALLDATALOAD, HN_OP_BLOCKHASH, HN_OP_BLOBHASH};
    if (one_in(w, 4)) {
        push_address(w);
        put(w, of_address[below(w, sizeof of_address)]);
    } else if (one_in(w, 4)) {
        push_any(w);
        put(w, of_word[below(w, sizeof of_word)]);
    } else {
        put(w, plain[below(w, sizeof plain)]);
    }
}

static void storage(writer *w)
{
    bool is_transient = one_in(w, 4);
    if (one_in(w, 2)) {
        push_key(w);
        put(w, is_transient ? HN_OP_TLOAD : HN_OP_SLOAD);
        return;
    }
    push(w, below(w, 3));
    push_key(w);
    put(w, is_transient ? HN_OP_TSTORE : HN_OP_SSTORE);
}

static void stack(writer *w)
{
    unsigned first = one_in(w, 2) ? (unsigned)HN_OP_DUP1 : (unsigned)HN_OP_SWAP1;
    put(w, first + (unsigned)below(w, one_in(w, 3) ? 16 : 5));
    if (one_in(w, 4))
        put(w, HN_OP_POP);
    if (one_in(w, 3))
        observe(w);
}

static void jump(writer *w)
{
    bool conditional = !one_in(w, 4), computed = one_in(w, 3);
    if (conditional)
        put(w, one_in(w, 2) ? HN_OP_DUP1 : HN_OP_GAS);
    if (conditional && one_in(w, 2)) {
        push(w, below(w, 4));
        put(w, HN_OP_AND);
    }
    push_label(w);
    if (computed) {
        push(w, one_in(w, 20) ? 1 : 0);
        put(w, HN_OP_ADD);
    }
    put(w, conditional ? HN_OP_JUMPI : HN_OP_JUMP);
}

static void call(writer *w)
{
    static const uint8_t kinds[] = {HN_OP_CALL, HN_OP_CALL, HN_OP_CALLCODE, HN_OP_DELEGATECALL,
                                    HN_OP_STATICCALL};
    uint8_t kind = kinds[below(w, sizeof kinds)];
    push_size(w);
    push_offset(w);
    push_size(w);
    push_offset(w);
    if (kind == HN_OP_CALL || kind == HN_OP_CALLCODE)
        push(w, one_in(w, 3) ? below(w, 100) : 0);
    push_address(w);
    if (one_in(w, 2))
        put(w, HN_OP_GAS);
    else
        push(w, below(w, 50000));
    put(w, kind);
}

/* Stores up to 32 bytes of code to memory and creates from them. */
static void create(writer *w)
{
    static const uint8_t inits[][9] = {
        {HN_OP_PUSH1, 5, HN_OP_PUSH1, 0, HN_OP_RETURN},
        {HN_OP_PUSH1, 1, HN_OP_PUSH1, 0, HN_OP_SSTORE, HN_OP_STOP},
        {HN_OP_PUSH1, 0xef, HN_OP_PUSH1, 0, HN_OP_MSTORE8, HN_OP_PUSH1, 1, HN_OP_PUSH1, HN_OP_RETURN},
        {HN_OP_CALLER, HN_OP_SELFDESTRUCT},
        {HN_OP_PUSH1, 3, HN_OP_PUSH1, 0, HN_OP_REVERT},
        {HN_OP_CALLER, HN_OP_PUSH1, 0, HN_OP_MSTORE, HN_OP_MSIZE, HN_OP_PUSH1, 12, HN_OP_RETURN},
    };
    const uint8_t *init = inits[below(w, sizeof inits / sizeof inits[0])];
    put(w, HN_OP_PUSH1 + 8);
    for (unsigned i = 0; i < 9; i++)
        put(w, init[i]);
    push(w, 0);
    put(w, HN_OP_MSTORE);
    bool is_second = one_in(w, 2);
    if (is_second)
        push(w, below(w, 3));
    push(w, 9);
    push(w, 23);
    push(w, one_in(w, 3) ? below(w, 100) : 0);
    put(w, is_second ? HN_OP_CREATE2 : HN_OP_CREATE);
}

static void ending(writer *w)
{
    static const uint8_t endings[] = {HN_OP_STOP,   HN_OP_RETURN,       HN_OP_RETURN,
                                      HN_OP_REVERT, HN_OP_SELFDESTRUCT, 0xfe};
    uint8_t opcode = endings[below(w, sizeof endings)];
    if (opcode == HN_OP_RETURN || opcode == HN_OP_REVERT) {
        push_size(w);
        push_offset(w);
    } else if (opcode == HN_OP_SELFDESTRUCT) {
        push_address(w);
    }
    put(w, opcode);
}

static void log_out(writer *w)
{
    unsigned topics = (unsigned)below(w, 5);
    for (unsigned i = 0; i < topics; i++)
        push_any(w);
    push_size(w);
    push_offset(w);
    put(w, (unsigned)HN_OP_LOG0 + topics);
}

static void piece(writer *w)
{
    typedef void part(writer *);
    static part *const often[] = {arithmetic, arithmetic, arithmetic, memory, memory, environment, storage,
                                  stack,      stack,      stack,      jump,   call,   push_any};
    static part *const seldom[] = {create, log_out, ending, create, log_out};
    if (one_in(w, 4))
        label(w);
    if (one_in(w, 12))
        seldom[below(w, sizeof seldom / sizeof seldom[0])](w);
    else
        often[below(w, sizeof often / sizeof often[0])](w);
    if (one_in(w, 150))
        put(w, (unsigned)below(w, 256));
}

size_t program_make(uint8_t out[PROGRAM_BYTES_MAX], hn_prng *prng, unsigned pieces)
{
    writer w = {.out = out, .prng = prng};
    for (unsigned i = one_in(&w, 2) ? 18 : 6; i > 0; i--)
        push_any(&w);
    for (unsigned i = 0; i < pieces && w.size < PROGRAM_BYTES_MAX - MARGIN; i++)
        piece(&w);
    label(&w);
    if (one_in(&w, 8))
        ending(&w);
    else
        return_observed(&w);
    for (unsigned i = 0; i < w.patch_count; i++) {
        uint16_t to = w.labels[below(&w, w.label_count)];
        if (one_in(&w, 100))
            to++;
        hn_store_be16(out + w.patches[i], to);
    }
    return w.size;
}
