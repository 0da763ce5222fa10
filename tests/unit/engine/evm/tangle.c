#include "tests/unit/engine/evm/tangle.h"

#include "engine/evm/instruction.h"

enum {
    MARGIN = 1300,
    HEIGHT_USUAL = 48,
    NESTING_MAX = 3,
    OBSERVED_WORDS_MAX = 56,
    COUNTERS_AT = 0x7c0, /* of loops; other addresses stay below */
};

typedef struct weaver {
    uint8_t *out;
    size_t size;
    const hn_gas_table *gas;
    const uint8_t *choices;
    size_t count, at;
    int height, floor; /* of the stack, and how much of it must not be touched */
    unsigned nesting;
} weaver;

static void step(weaver *w);

static unsigned choose(weaver *w, unsigned bound)
{
    return w->at < w->count ? w->choices[w->at++] % bound : 0;
}

static bool goes_on(const weaver *w)
{
    return w->at < w->count && w->size < PROGRAM_BYTES_MAX - MARGIN;
}

static void put(weaver *w, unsigned byte)
{
    HN_CHECK(w->size < PROGRAM_BYTES_MAX);
    w->out[w->size++] = (uint8_t)byte;
}

static void push_bytes(weaver *w, const hn_u256 *value, unsigned size)
{
    uint8_t bytes[32];
    hn_u256_to_be(bytes, value);
    put(w, (unsigned)HN_OP_PUSH0 + size);
    for (unsigned i = 32 - size; i < 32; i++)
        put(w, bytes[i]);
    w->height++;
}

static void push(weaver *w, uint64_t number)
{
    const hn_u256 value = hn_u256_of(number);
    push_bytes(w, &value, number == 0 ? 1 : hn_u256_byte_length(&value));
}

/* An opcode, or something of the same effect on the stack when the fork does not know it. */
static void perform(weaver *w, unsigned opcode)
{
    const hn_instruction *instruction = &hn_instructions[opcode];
    w->height -= instruction->in;
    if (w->gas->constant[opcode] >= 0) {
        put(w, opcode);
        w->height += instruction->out;
        return;
    }
    for (unsigned i = 0; i < instruction->in; i++)
        put(w, HN_OP_POP);
    for (unsigned i = 0; i < instruction->out; i++)
        push(w, opcode);
}

/* --- words --------------------------------------------------------------------------------------------- */

/* Numbers where arithmetic has its limits. */
static void push_constant(weaver *w)
{
    const hn_u256 one = {{1, 0, 0, 0}};
    hn_u256 value = {{choose(w, 256), 0, 0, 0}};
    hn_u256 power = hn_u256_shl(&one, (unsigned)value.w[0]);
    switch (choose(w, 10)) {
    case 0:
        value = power;
        break;
    case 1:
        value = hn_u256_sub(&power, &one);
        break;
    case 2:
        value = hn_u256_negate(&power);
        break;
    case 3:
        value = hn_u256_negate(&value);
        break;
    case 4:
        value.w[0] %= 3;
        break;
    case 5:
        for (unsigned i = 0; i < 4; i++)
            value.w[i] = (value.w[0] + i) * UINT64_C(0x9e3779b97f4a7c15);
        break;
    case 6:
        value.w[0] %= 34;
        break;
    case 7:
        perform(w, value.w[0] % 3 == 0 ? HN_OP_PUSH0 : value.w[0] % 3 == 1 ? HN_OP_PC : HN_OP_CODESIZE);
        return;
    default:
        break;
    }
    unsigned least = hn_u256_byte_length(&value);
    push_bytes(w, &value, choose(w, 4) == 0 ? 32 : least == 0 ? 1 : least);
}

/* How many words may be touched, but not more than `most`. */
static unsigned reach(const weaver *w, int most)
{
    int words = w->height - w->floor;
    return (unsigned)(words < most ? words : most);
}

static void push_word(weaver *w)
{
    static const uint8_t questions[] = {
        HN_OP_ADDRESS, HN_OP_CALLER, HN_OP_CALLVALUE, HN_OP_CALLDATASIZE, HN_OP_MSIZE, HN_OP_RETURNDATASIZE,
        HN_OP_GAS,     HN_OP_ORIGIN, HN_OP_TIMESTAMP, HN_OP_SELFBALANCE,  HN_OP_MSIZE, HN_OP_CALLER};
    unsigned kind = choose(w, 12);
    if (kind < 5 && reach(w, 16) > 0) {
        perform(w, (unsigned)HN_OP_DUP1 + choose(w, reach(w, 16)));
    } else if (kind < 8) {
        push_constant(w);
    } else if (kind < 10) {
        push(w, choose(w, 110));
        perform(w, HN_OP_CALLDATALOAD);
    } else {
        perform(w, questions[choose(w, sizeof questions)]);
    }
}

static void need(weaver *w, int words)
{
    while (w->height - w->floor < words)
        push_word(w);
}

/* Brings the stack to a height. */
static void balance(weaver *w, int height)
{
    while (w->height > height)
        perform(w, HN_OP_POP);
    while (w->height < height)
        push_word(w);
}

static void move_words(weaver *w)
{
    need(w, 3);
    unsigned kind = choose(w, 8);
    if (kind < 3)
        perform(w, (unsigned)HN_OP_DUP1 + choose(w, reach(w, 16)));
    else if (kind < 7)
        perform(w, (unsigned)HN_OP_SWAP1 + choose(w, reach(w, 17) - 1));
    else
        perform(w, HN_OP_POP);
}

/* A word masked, to be an offset in memory, a key or a size. */
static void push_masked(weaver *w, unsigned mask)
{
    unsigned kind = choose(w, 64);
    if (kind < 24) {
        push(w, choose(w, 256) & mask);
        return;
    }
    if (kind == 63) { /* more than can be paid for, as a rule */
        push_constant(w);
        return;
    }
    if (choose(w, 3) != 0 || w->height - w->floor < 8)
        push_word(w);
    push(w, mask);
    perform(w, HN_OP_AND);
}

/* --- what only computes -------------------------------------------------------------------------------- */

static const uint8_t binaries[] = {HN_OP_ADD,  HN_OP_MUL,        HN_OP_SUB, HN_OP_DIV, HN_OP_SDIV, HN_OP_MOD,
                                   HN_OP_SMOD, HN_OP_SIGNEXTEND, HN_OP_LT,  HN_OP_GT,  HN_OP_SLT,  HN_OP_SGT,
                                   HN_OP_EQ,   HN_OP_AND,        HN_OP_OR,  HN_OP_XOR, HN_OP_SHL,  HN_OP_SHR,
                                   HN_OP_SAR,  HN_OP_BYTE,       HN_OP_EXP};

/* A word just computed, moved away, and taken twice. */
static void push_fresh_pair(weaver *w)
{
    push_word(w);
    push_word(w);
    perform(w, binaries[choose(w, sizeof binaries)]);
    unsigned depth = choose(w, reach(w, 15));
    if (depth != 0)
        perform(w, (unsigned)HN_OP_SWAP1 + depth - 1);
    perform(w, (unsigned)HN_OP_DUP1 + depth);
    if (choose(w, 3) != 0)
        perform(w, HN_OP_DUP1);
    else
        push_word(w);
}

/* The operands of a comparison or an operation: from anywhere, and often twice the same. */
static void push_pair(weaver *w)
{
    switch (choose(w, 9)) {
    case 0:
        push_word(w);
        perform(w, HN_OP_DUP1);
        break;
    case 8:
        push_fresh_pair(w);
        break;
    case 1:
        push_word(w);
        push_constant(w);
        break;
    case 2:
        push_constant(w);
        push_word(w);
        break;
    case 3:
        need(w, 1);
        perform(w, HN_OP_DUP1);
        break;
    case 4:
        need(w, 1);
        push_constant(w);
        if (choose(w, 2) == 0)
            perform(w, HN_OP_SWAP1);
        break;
    case 5:
        need(w, 1);
        push_word(w);
        break;
    default:
        need(w, 2);
        if (choose(w, 2) == 0)
            perform(w, HN_OP_SWAP1);
    }
}

static void compute(weaver *w)
{
    push_pair(w);
    perform(w, binaries[choose(w, sizeof binaries)]);
}

static void compute_one(weaver *w)
{
    static const uint8_t unaries[] = {HN_OP_NOT, HN_OP_ISZERO, HN_OP_CLZ, HN_OP_ISZERO};
    need(w, 1);
    perform(w, unaries[choose(w, sizeof unaries)]);
}

static void compute_modulo(weaver *w)
{
    if (choose(w, 2) == 0)
        push_constant(w);
    push_pair(w);
    need(w, 3);
    perform(w, choose(w, 2) == 0 ? HN_OP_ADDMOD : HN_OP_MULMOD);
}

/* --- effects ------------------------------------------------------------------------------------------- */

static void use_memory(weaver *w)
{
    switch (choose(w, 6)) {
    case 0:
        need(w, 1);
        push_masked(w, 0x1ff);
        perform(w, HN_OP_MSTORE8);
        break;
    case 1:
        push_masked(w, 0x7f);
        push_masked(w, 0x3ff);
        perform(w, HN_OP_KECCAK256);
        break;
    case 2:
        need(w, 1);
        push_masked(w, 0x3ff);
        perform(w, HN_OP_MSTORE);
        break;
    case 3:
        push_masked(w, 0x3ff);
        perform(w, HN_OP_DUP1); /* address and word at once */
        perform(w, HN_OP_MSTORE);
        break;
    default:
        push_masked(w, 0x3ff);
        perform(w, HN_OP_MLOAD);
    }
    if (choose(w, 6) == 0) {
        need(w, 1);
        perform(w, HN_OP_POP); /* what nobody reads costs all the same */
    }
}

static void use_state(weaver *w)
{
    static const uint8_t opcodes[] = {HN_OP_SLOAD, HN_OP_SSTORE, HN_OP_TLOAD, HN_OP_TSTORE, HN_OP_SLOAD};
    unsigned opcode = opcodes[choose(w, sizeof opcodes)];
    if (hn_instructions[opcode].in == 2) {
        need(w, 1);
        if (choose(w, 2) == 0)
            perform(w, HN_OP_DUP1);
        else
            push(w, choose(w, 3));
    }
    push_masked(w, 3);
    perform(w, opcode);
    if (hn_instructions[opcode].out != 0 && choose(w, 6) == 0)
        perform(w, HN_OP_POP);
}

static void copy(weaver *w)
{
    static const uint8_t copies[] = {HN_OP_CALLDATACOPY, HN_OP_CODECOPY, HN_OP_MCOPY, HN_OP_CALLDATACOPY,
                                     HN_OP_RETURNDATACOPY};
    unsigned opcode = copies[choose(w, sizeof copies)];
    push_masked(w, opcode == HN_OP_RETURNDATACOPY ? 7 : 0x7f);
    push_masked(w, opcode == HN_OP_RETURNDATACOPY ? 7 : 0x1ff);
    push_masked(w, 0x3ff);
    perform(w, opcode);
}

static void write_log(weaver *w)
{
    unsigned topics = choose(w, 5);
    need(w, (int)topics);
    push_masked(w, 0x7f);
    push_masked(w, 0x3ff);
    perform(w, (unsigned)HN_OP_LOG0 + topics);
}

static void look_at_account(weaver *w)
{
    static const uint8_t opcodes[] = {HN_OP_BALANCE, HN_OP_EXTCODESIZE, HN_OP_EXTCODEHASH, HN_OP_BLOCKHASH};
    push(w, 0x1000 + choose(w, 6));
    perform(w, opcodes[choose(w, sizeof opcodes)]);
}

/* With little gas as a rule: the frame below fails in the middle of a block. */
static void call(weaver *w)
{
    static const uint8_t kinds[] = {HN_OP_CALL, HN_OP_CALLCODE, HN_OP_DELEGATECALL, HN_OP_STATICCALL,
                                    HN_OP_CALL};
    unsigned kind = kinds[choose(w, sizeof kinds)], gas = choose(w, 256);
    push_masked(w, 0x3f);
    push_masked(w, 0x1ff);
    push_masked(w, 0x7f);
    push_masked(w, 0x1ff);
    if (kind == HN_OP_CALL || kind == HN_OP_CALLCODE)
        push(w, choose(w, 8) == 0);
    push(w, choose(w, 6) == 0 ? 4 : 0x1000 + choose(w, 4));
    if (gas < 40)
        perform(w, HN_OP_GAS);
    else
        push(w, gas % 4 == 0 ? gas * 64 : gas * 8);
    perform(w, kind);
}

/* From whatever is in memory: code, after copies. */
static void create(weaver *w)
{
    unsigned opcode = choose(w, 2) == 0 ? HN_OP_CREATE : HN_OP_CREATE2;
    if (opcode == HN_OP_CREATE2)
        push(w, choose(w, 3));
    push_masked(w, 0x7f);
    push_masked(w, 0x1ff);
    push(w, choose(w, 8) == 0);
    perform(w, opcode);
}

/* --- control ------------------------------------------------------------------------------------------- */

static void push_condition(weaver *w)
{
    static const uint8_t comparisons[] = {HN_OP_EQ, HN_OP_LT, HN_OP_GT, HN_OP_SLT, HN_OP_SGT};
    unsigned kind = choose(w, 16);
    if (kind < 10) {
        push_pair(w);
        perform(w, comparisons[kind / 2]);
    } else if (kind < 13) {
        compute(w);
    } else {
        push_word(w);
    }
    for (unsigned i = choose(w, 4); i > 0; i--)
        perform(w, HN_OP_ISZERO);
    if (choose(w, 5) == 0)
        perform(w, HN_OP_DUP1);
    if (choose(w, 8) == 0) { /* it is not the last that was computed */
        push_word(w);
        push_word(w);
        perform(w, HN_OP_ADD);
        perform(w, HN_OP_SWAP1);
    }
}

/* Pushes a destination, a constant as a rule; returns where it is to be filled in. */
static size_t push_destination(weaver *w)
{
    unsigned kind = choose(w, 8);
    if (kind == 0) {
        put(w, HN_OP_PUSH1);
        put(w, 0);
        put(w, HN_OP_CALLVALUE);
        put(w, HN_OP_MUL);
    }
    put(w, HN_OP_PUSH2);
    size_t at = w->size;
    put(w, 0);
    put(w, 0);
    if (kind == 0)
        put(w, HN_OP_ADD);
    if (kind == 1) {
        put(w, HN_OP_PUSH2);
        put(w, 0x03);
        put(w, 0xe0);
        put(w, HN_OP_MSTORE);
        put(w, HN_OP_PUSH2);
        put(w, 0x03);
        put(w, 0xe0);
        put(w, HN_OP_MLOAD);
    }
    w->height++;
    return at;
}

/* Where a jump arrives, at one of several JUMPDESTs now and then. */
static void land(weaver *w, size_t patch)
{
    unsigned run = choose(w, 8) == 0 ? 1 + choose(w, 4) : 1;
    hn_store_be16(w->out + patch, (uint16_t)(w->size + choose(w, 16) % run));
    for (unsigned i = 0; i < run; i++)
        put(w, HN_OP_JUMPDEST);
}

static void end_here(weaver *w)
{
    static const uint8_t ends[] = {HN_OP_STOP, HN_OP_RETURN,       HN_OP_REVERT,
                                   0xfe,       HN_OP_SELFDESTRUCT, HN_OP_JUMP};
    unsigned opcode = ends[choose(w, sizeof ends)];
    for (unsigned i = 0; i < hn_instructions[opcode].in; i++)
        push_masked(w, 0x7f);
    put(w, opcode);
}

static void body(weaver *w, int height)
{
    w->nesting++;
    for (unsigned i = choose(w, 8); i > 0 && goes_on(w); i--)
        step(w);
    w->nesting--;
    if (choose(w, 24) == 1)
        end_here(w);
    balance(w, height);
}

static void branch(weaver *w)
{
    push_condition(w);
    size_t otherwise = push_destination(w);
    perform(w, HN_OP_JUMPI);
    int before = w->height, after = before + (int)choose(w, 3);
    if (choose(w, 3) == 0) {
        body(w, before);
        land(w, otherwise);
        return;
    }
    body(w, after);
    size_t end = push_destination(w);
    perform(w, HN_OP_JUMP);
    w->height = before;
    land(w, otherwise);
    body(w, after);
    land(w, end);
}

static void loop(weaver *w)
{
    uint64_t counter = COUNTERS_AT + 32 * w->nesting;
    push(w, 0);
    push(w, counter);
    perform(w, HN_OP_MSTORE);
    size_t begin = w->size;
    put(w, HN_OP_JUMPDEST);
    body(w, w->height);
    push(w, counter);
    perform(w, HN_OP_MLOAD);
    push(w, 1);
    perform(w, HN_OP_ADD);
    perform(w, HN_OP_DUP1);
    push(w, counter);
    perform(w, HN_OP_MSTORE);
    push(w, 1 + choose(w, 4));
    perform(w, HN_OP_GT);
    push(w, begin);
    perform(w, HN_OP_JUMPI);
}

/* A subroutine that is called once: its return address lies below its words. */
static void subroutine(weaver *w)
{
    int base = w->height, floor = w->floor;
    size_t end = push_destination(w);
    if (choose(w, 2) == 0) {
        size_t begin = push_destination(w);
        perform(w, HN_OP_JUMP);
        land(w, begin);
    }
    w->floor = base + 1;
    int results = (int)choose(w, 5);
    body(w, base + 1 + results);
    if (results != 0)
        perform(w, (unsigned)HN_OP_SWAP1 + (unsigned)results - 1);
    put(w, HN_OP_JUMP);
    w->floor = floor;
    w->height = base + results;
    land(w, end);
}

/* So many moves and computations that the block is cut. */
static void storm(weaver *w)
{
    for (unsigned i = choose(w, 250); i > 0 && goes_on(w); i--) {
        if (choose(w, 3) != 0 || w->height - w->floor < 4)
            move_words(w);
        else
            perform(w, binaries[choose(w, sizeof binaries - 1)]);
    }
}

/* A whole stack but for a few words, which are all zero or of any kind. */
static void fill(weaver *w)
{
    int height = 985 + (int)choose(w, 42);
    bool is_zero = choose(w, 2) == 0;
    if (w->height > 900 || w->size > PROGRAM_BYTES_MAX / 2 || w->nesting != 0)
        return;
    need(w, 1);
    if (is_zero)
        push(w, 0);
    while (w->height < height)
        perform(w, (unsigned)HN_OP_DUP1 + (is_zero ? 0 : choose(w, reach(w, 16))));
}

/* Goes deep below where the block began. */
static void drain(weaver *w)
{
    static const uint8_t takers[] = {HN_OP_LOG4, HN_OP_CALLDATACOPY, HN_OP_ADDMOD, HN_OP_MSTORE,
                                     HN_OP_CALLDATACOPY};
    for (unsigned i = choose(w, 200); i > 0 && goes_on(w) && w->height - w->floor > 20; i--) {
        if (choose(w, 4) == 0)
            move_words(w);
        else
            perform(w, takers[choose(w, sizeof takers)]);
    }
}

static void spoil(weaver *w)
{
    if (choose(w, 8) == 1)
        put(w, choose(w, 256));
}

static void step(weaver *w)
{
    typedef void part(weaver *);
    static part *const plain[] = {move_words, move_words,  move_words, push_word,     compute,
                                  compute,    compute,     move_words, use_memory,    use_memory,
                                  use_state,  compute_one, move_words, compute_modulo};
    static part *const seldom[] = {copy, write_log, look_at_account, call, use_state, call, spoil, create};
    static part *const control[] = {branch, branch, subroutine, branch, loop};
    unsigned kind = choose(w, 32);
    int most = w->floor + HEIGHT_USUAL;
    if (w->nesting == 0 && w->height > most && w->height < 900 && w->size < PROGRAM_BYTES_MAX / 2)
        balance(w, most - 8);
    if (kind < 22)
        plain[choose(w, sizeof plain / sizeof plain[0])](w);
    else if (kind < 26)
        seldom[choose(w, sizeof seldom / sizeof seldom[0])](w);
    else if (kind < 31 && w->nesting < NESTING_MAX)
        control[choose(w, sizeof control / sizeof control[0])](w);
    else if (kind == 31 && choose(w, 8) == 7)
        (choose(w, 4) == 3 ? fill : storm)(w);
    else if (kind == 31 && w->height > 300 && w->nesting == 0)
        drain(w);
}

size_t tangle_make(uint8_t out[PROGRAM_BYTES_MAX], const hn_gas_table *gas, const uint8_t *choices,
                   size_t count)
{
    weaver w = {.out = out, .gas = gas, .choices = choices, .count = count};
    for (unsigned i = choose(&w, 24); i > 0; i--) { /* words that no block knows */
        push(&w, choose(&w, 110));
        perform(&w, HN_OP_CALLDATALOAD);
    }
    while (goes_on(&w))
        step(&w);
    unsigned words = 0;
    for (; w.height > 0 && words < OBSERVED_WORDS_MAX; words++) {
        push(&w, 32 * words);
        perform(&w, HN_OP_MSTORE);
    }
    push(&w, COUNTERS_AT);
    push(&w, 0);
    put(&w, HN_OP_RETURN);
    return w.size;
}
