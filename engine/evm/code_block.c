#include "engine/evm/code_block.h"

#include "engine/base/check.h"
#include "engine/evm/instruction.h"

void hn_block_open(hn_block *block, const hn_gas_table *gas)
{
    block->gas_table = gas;
    block->opcode_count = 0;
    block->gas = 0;
    block->height = block->lowest = block->highest = block->touched = 0;
    block->node_count = block->constant_count = 0;
    block->value_count = 1;
    block->end = HN_END_FALL;
    block->last = (hn_block_node){.count = 0};
}

/* --- values -------------------------------------------------------------------------------------------- */

static hn_value_id new_value(hn_block *block, hn_value_kind kind)
{
    HN_CHECK(block->value_count < HN_BLOCK_VALUES_MAX);
    block->values[block->value_count] =
        (hn_block_value){.kind = (uint8_t)kind, .home = HN_NO_POSITION, .final = HN_NO_POSITION};
    return (hn_value_id)block->value_count++;
}

static hn_value_id new_constant(hn_block *block, const hn_u256 *value)
{
    HN_CHECK(block->constant_count < HN_BLOCK_CONSTANTS_MAX);
    hn_value_id id = new_value(block, HN_VALUE_CONSTANT);
    block->values[id].constant = (uint16_t)block->constant_count;
    block->constants[block->constant_count++] = *value;
    return id;
}

/* The slot of a position, which may be one that the block finds. */
static hn_value_id *slot_at(hn_block *block, int32_t position)
{
    while (block->touched > position) {
        hn_value_id id = new_value(block, HN_VALUE_ENTRY);
        block->touched--;
        block->values[id].home = (int16_t)block->touched;
        block->stack[block->touched + HN_BLOCK_POSITION_BIAS] = id;
        block->found[-1 - block->touched] = id;
    }
    return &block->stack[position + HN_BLOCK_POSITION_BIAS];
}

static hn_value_id pop(hn_block *block)
{
    block->height--;
    return *slot_at(block, block->height);
}

static void push(hn_block *block, hn_value_id id)
{
    *slot_at(block, block->height) = id;
    block->height++;
}

void hn_block_push(hn_block *block, const hn_u256 *value)
{
    push(block, new_constant(block, value));
}

static bool is_number(const hn_block *block, hn_value_id id, uint64_t number)
{
    if (!hn_block_is_constant(block, id))
        return false;
    const hn_u256 *value = hn_block_constant(block, id);
    return hn_u256_fits_64(value) && value->w[0] == number;
}

/* n when the value is the constant 2^n, else -1. */
static int power_of_two(const hn_block *block, hn_value_id id)
{
    if (!hn_block_is_constant(block, id))
        return -1;
    const hn_u256 *value = hn_block_constant(block, id);
    int bits = 0;
    for (int i = 0; i < 4; i++)
        bits += __builtin_popcountll(value->w[i]);
    return bits == 1 ? (int)hn_u256_bit_length(value) - 1 : -1;
}

/* --- nodes --------------------------------------------------------------------------------------------- */

static hn_block_node *new_node(hn_block *block, uint8_t opcode)
{
    HN_CHECK(block->node_count < HN_BLOCK_NODES_MAX);
    hn_block_node *node = &block->nodes[block->node_count++];
    *node = (hn_block_node){.opcode = opcode, .is_pure = true};
    return node;
}

static void take(hn_block *block, hn_block_node *node, hn_value_id operand)
{
    node->operands[node->count++] = operand;
    block->values[operand].uses++;
}

/* Gives a node its result and pushes that. */
static void give(hn_block *block, hn_block_node *node)
{
    hn_value_id result = new_value(block, HN_VALUE_RESULT);
    node->result = result;
    node->position = (int16_t)block->height;
    block->values[result].node = (uint16_t)(node - block->nodes);
    push(block, result);
}

static void add_unary(hn_block *block, uint8_t opcode, hn_value_id x, uint8_t amount)
{
    hn_block_node *node = new_node(block, opcode);
    node->amount = amount;
    take(block, node, x);
    give(block, node);
}

static void add_binary(hn_block *block, uint8_t opcode, hn_value_id x, hn_value_id y)
{
    hn_block_node *node = new_node(block, opcode);
    take(block, node, x);
    take(block, node, y);
    give(block, node);
}

/* --- what each opcode becomes -------------------------------------------------------------------------- */

/* An opcode whose operands are all constants is done now. */
static bool fold(hn_block *block, uint8_t opcode)
{
    const hn_instruction *instruction = &hn_instructions[opcode];
    hn_u256 operands[3];
    for (int i = 0; i < instruction->in; i++) {
        hn_value_id id = *slot_at(block, block->height - 1 - i);
        if (!hn_block_is_constant(block, id))
            return false;
        operands[instruction->in - 1 - i] = *hn_block_constant(block, id);
    }
    (void)instruction->run(NULL, NULL, operands + instruction->in - 1);
    block->height -= instruction->in;
    hn_block_push(block, operands);
    return true;
}

/* EQ, LT and the like: 0 or 1. */
static bool is_truth(const hn_block *block, hn_value_id id)
{
    if (block->values[id].kind != HN_VALUE_RESULT)
        return false;
    uint8_t opcode = block->nodes[block->values[id].node].opcode;
    return opcode == HN_OP_EQ || opcode == HN_OP_LT || opcode == HN_OP_SLT || opcode == HN_OP_ISZERO;
}

static void shift(hn_block *block, uint8_t opcode, hn_value_id x, unsigned amount)
{
    if (amount == 0)
        push(block, x);
    else
        add_unary(block, opcode, x, (uint8_t)amount);
}

static void build_commutative(hn_block *block, uint8_t opcode)
{
    hn_value_id x = pop(block), y = pop(block);
    if (hn_block_is_constant(block, x)) {
        hn_value_id constant = x;
        x = y;
        y = constant;
    }
    if (opcode == HN_OP_EQ && is_number(block, y, 0))
        add_unary(block, HN_OP_ISZERO, x, 0);
    else if (opcode == HN_OP_MUL && power_of_two(block, y) >= 0)
        shift(block, HN_NODE_SHL_BY, x, (unsigned)power_of_two(block, y));
    else if (opcode != HN_OP_MUL && opcode != HN_OP_EQ && opcode != HN_OP_AND && is_number(block, y, 0))
        push(block, x);
    else
        add_binary(block, opcode, x, y);
}

static void build_ordered(hn_block *block, uint8_t opcode)
{
    hn_value_id x = pop(block), y = pop(block);
    if (opcode == HN_OP_SUB && is_number(block, y, 0))
        push(block, x);
    else if (opcode == HN_OP_LT && is_number(block, y, 1))
        add_unary(block, HN_OP_ISZERO, x, 0);
    else if (opcode == HN_OP_GT || opcode == HN_OP_SGT)
        add_binary(block, opcode == HN_OP_GT ? HN_OP_LT : HN_OP_SLT, y, x);
    else
        add_binary(block, opcode, x, y);
}

static void build_unary(hn_block *block, uint8_t opcode)
{
    hn_value_id x = pop(block);
    const hn_block_node *node = &block->nodes[block->values[x].node];
    if (opcode == HN_OP_ISZERO && block->values[x].kind == HN_VALUE_RESULT && node->opcode == HN_OP_ISZERO &&
        is_truth(block, node->operands[0]))
        push(block, node->operands[0]);
    else
        add_unary(block, opcode, x, 0);
}

/* Shifts count from the top: SHL, SHR by a constant become nodes of one operand. */
static void build_shift(hn_block *block, uint8_t opcode)
{
    hn_value_id count = pop(block), x = pop(block);
    bool is_known = hn_block_is_constant(block, count) && opcode != HN_OP_SAR;
    const hn_u256 zero = {{0, 0, 0, 0}};
    if (!is_known)
        add_binary(block, opcode, count, x);
    else if (!hn_u256_fits_64(hn_block_constant(block, count)) || hn_block_constant(block, count)->w[0] > 255)
        hn_block_push(block, &zero);
    else
        shift(block, opcode == HN_OP_SHL ? HN_NODE_SHL_BY : HN_NODE_SHR_BY, x,
              (unsigned)hn_block_constant(block, count)->w[0]);
}

static void build_byte(hn_block *block, uint8_t opcode)
{
    hn_value_id index = pop(block), x = pop(block);
    const hn_u256 mask = {{0xff, 0, 0, 0}};
    if (!hn_block_is_constant(block, index) || !hn_u256_fits_64(hn_block_constant(block, index)) ||
        hn_block_constant(block, index)->w[0] > 31) {
        add_binary(block, opcode, index, x);
        return;
    }
    unsigned place = (unsigned)hn_block_constant(block, index)->w[0];
    shift(block, HN_NODE_SHR_BY, x, 248 - 8 * place);
    if (place != 0) {
        hn_value_id shifted = pop(block);
        add_binary(block, HN_OP_AND, shifted, new_constant(block, &mask));
    }
}

static void build_division(hn_block *block, uint8_t opcode)
{
    hn_value_id x = pop(block), y = pop(block);
    int power = power_of_two(block, y);
    if (opcode == HN_OP_DIV && power >= 0) {
        shift(block, HN_NODE_SHR_BY, x, (unsigned)power);
    } else if (opcode == HN_OP_MOD && power >= 0) {
        const hn_u256 one = {{1, 0, 0, 0}};
        hn_u256 mask = hn_u256_sub(hn_block_constant(block, y), &one);
        add_binary(block, HN_OP_AND, x, new_constant(block, &mask));
    } else {
        add_binary(block, opcode, x, y);
    }
}

static void build_modular(hn_block *block, uint8_t opcode)
{
    hn_block_node *node = new_node(block, opcode);
    for (int i = 0; i < 3; i++)
        take(block, node, pop(block));
    give(block, node);
}

/* An opcode without operands that pushes something. */
static void build_question(hn_block *block, uint8_t opcode)
{
    hn_block_node *node = new_node(block, opcode);
    give(block, node);
}

static void build_dup(hn_block *block, uint8_t opcode)
{
    push(block, *slot_at(block, block->height - 1 - (opcode - HN_OP_DUP1)));
}

static void build_swap(hn_block *block, uint8_t opcode)
{
    int32_t other = block->height - 2 - (opcode - HN_OP_SWAP1);
    hn_value_id deep = *slot_at(block, other), top = *slot_at(block, block->height - 1);
    *slot_at(block, other) = top;
    *slot_at(block, block->height - 1) = deep;
}

static void build_pop(hn_block *block, uint8_t opcode)
{
    (void)opcode;
    block->height--;
}

/* What does more than compute keeps its place in the order. */
static void build_effect(hn_block *block, uint8_t opcode)
{
    const hn_instruction *instruction = &hn_instructions[opcode];
    hn_block_node *node = new_node(block, opcode);
    node->is_pure = false;
    for (int i = 0; i < instruction->in; i++)
        take(block, node, pop(block));
    if (instruction->out != 0)
        give(block, node);
}

/* EXP's price depends on the exponent: with constants it is known. */
static void build_exp(hn_block *block, uint8_t opcode)
{
    hn_value_id exponent = *slot_at(block, block->height - 2);
    uint64_t bytes =
        hn_block_is_constant(block, exponent) ? hn_u256_byte_length(hn_block_constant(block, exponent)) : 0;
    if (fold(block, opcode))
        block->gas += (uint32_t)bytes * block->gas_table->exp_byte;
    else
        build_effect(block, opcode);
}

static void build_end(hn_block *block, uint8_t opcode)
{
    const hn_instruction *instruction = &hn_instructions[opcode];
    block->last.opcode = opcode;
    for (int i = 0; i < instruction->in; i++)
        take(block, &block->last, pop(block));
    if (instruction->out != 0) { /* the value of a word that the end writes where it belongs */
        block->last.position = (int16_t)block->height;
        hn_value_id result = new_value(block, HN_VALUE_ENTRY);
        block->values[result].home = block->last.position;
        block->last.result = result;
        push(block, result);
    }
}

typedef void build_function(hn_block *block, uint8_t opcode);

typedef struct plan {
    build_function *build; /* NULL: build_effect */
    bool folds;
} plan;

/* clang-format off */
#define PLAN_DUP(n, X)  [HN_OP_DUP##n] = {build_dup, false},
#define PLAN_SWAP(n, X) [HN_OP_SWAP##n] = {build_swap, false},
static const plan plans[256] = {
    [HN_OP_ADD] = {build_commutative, true}, [HN_OP_MUL] = {build_commutative, true},
    [HN_OP_AND] = {build_commutative, true}, [HN_OP_OR] = {build_commutative, true},
    [HN_OP_XOR] = {build_commutative, true}, [HN_OP_EQ] = {build_commutative, true},
    [HN_OP_SUB] = {build_ordered, true}, [HN_OP_LT] = {build_ordered, true},
    [HN_OP_GT] = {build_ordered, true}, [HN_OP_SLT] = {build_ordered, true},
    [HN_OP_SGT] = {build_ordered, true}, [HN_OP_ISZERO] = {build_unary, true},
    [HN_OP_NOT] = {build_unary, true}, [HN_OP_SHL] = {build_shift, true},
    [HN_OP_SHR] = {build_shift, true}, [HN_OP_SAR] = {build_shift, true},
    [HN_OP_BYTE] = {build_byte, true}, [HN_OP_DIV] = {build_division, true},
    [HN_OP_SDIV] = {build_division, true}, [HN_OP_MOD] = {build_division, true},
    [HN_OP_SMOD] = {build_division, true}, [HN_OP_SIGNEXTEND] = {build_division, true},
    [HN_OP_ADDMOD] = {build_modular, true}, [HN_OP_MULMOD] = {build_modular, true},
    [HN_OP_EXP] = {build_exp, false}, [HN_OP_POP] = {build_pop, false},
    [HN_OP_ADDRESS] = {build_question, false}, [HN_OP_CALLER] = {build_question, false},
    [HN_OP_CALLVALUE] = {build_question, false}, [HN_OP_CALLDATASIZE] = {build_question, false},
    HN_OPCODE_LIST_16(PLAN_DUP, ) HN_OPCODE_LIST_16(PLAN_SWAP, )
};
/* clang-format on */

/* How a block ends with an opcode; HN_END_FALL: not at all. */
static hn_block_end end_of(uint8_t opcode)
{
    switch (opcode) {
    case HN_OP_STOP:
        return HN_END_STOP;
    case HN_OP_JUMP:
        return HN_END_JUMP;
    case HN_OP_JUMPI:
        return HN_END_JUMPI;
    case HN_OP_RETURN:
    case HN_OP_REVERT:
    case HN_OP_SELFDESTRUCT:
        return HN_END_LEAVE;
    case HN_OP_GAS:
        return HN_END_GAS;
    case HN_OP_SSTORE:
    case HN_OP_CREATE:
    case HN_OP_CREATE2:
    case HN_OP_CALL:
    case HN_OP_CALLCODE:
    case HN_OP_DELEGATECALL:
    case HN_OP_STATICCALL:
        return HN_END_GENERIC;
    default:
        return HN_END_FALL;
    }
}

bool hn_block_add(hn_block *block, uint8_t opcode, uint32_t pc)
{
    const plan *p = &plans[opcode];
    hn_block_count(block, opcode);
    uint32_t node_count = block->node_count;
    hn_block_end end = end_of(opcode);
    block->last.pc = pc;
    if (end != HN_END_FALL) {
        block->end = end;
        build_end(block, opcode);
        return true;
    }
    if (p->folds && fold(block, opcode))
        return false;
    if (p->build != NULL)
        p->build(block, opcode);
    else
        build_effect(block, opcode);
    if (block->node_count != node_count)
        block->nodes[block->node_count - 1].pc = pc;
    return false;
}

/* --- finishing ----------------------------------------------------------------------------------------- */

/* A jump on a comparison that nobody else needs does the comparison itself. `amount` of the end's node: 1
 * when it jumps where the comparison fails. */
static void join_condition(hn_block *block)
{
    hn_block_node *last = &block->last;
    last->opcode = HN_OP_JUMPI;
    for (;;) {
        hn_value_id condition = last->operands[1];
        const hn_block_value *value = &block->values[condition];
        if (value->kind != HN_VALUE_RESULT || value->uses != 1 || value->last == HN_LAST_FINAL)
            return;
        hn_block_node *node = &block->nodes[value->node];
        bool is_comparison =
            node->opcode == HN_OP_EQ || node->opcode == HN_OP_LT || node->opcode == HN_OP_SLT;
        if (node->opcode != HN_OP_ISZERO && !is_comparison)
            return;
        node->is_dead = true;
        node->count = 0; /* its operands are the end's now */
        last->operands[1] = node->operands[0];
        if (is_comparison) {
            last->operands[2] = node->operands[1];
            last->count = 3;
            last->opcode = node->opcode;
            return;
        }
        last->amount ^= 1;
    }
}

static void mark_uses(hn_block *block, const hn_block_node *node, uint16_t index)
{
    for (unsigned i = 0; i < node->count; i++) {
        hn_block_value *value = &block->values[node->operands[i]];
        if (value->last < index)
            value->last = index;
    }
}

void hn_block_finish(hn_block *block)
{
    bool leaves = block->end == HN_END_STOP || block->end == HN_END_INVALID || block->end == HN_END_LEAVE;
    for (int32_t p = block->touched; p < block->height && !leaves; p++) {
        hn_block_value *value = &block->values[hn_block_at(block, p)];
        value->last = HN_LAST_FINAL;
        if (value->kind == HN_VALUE_RESULT && value->final == HN_NO_POSITION)
            value->final = (int16_t)p;
    }
    if (block->end == HN_END_JUMPI && hn_block_is_constant(block, block->last.operands[0]))
        join_condition(block);
    mark_uses(block, &block->last, (uint16_t)(block->node_count + 1));
    for (uint32_t i = block->node_count; i-- > 0;) {
        hn_block_node *node = &block->nodes[i];
        const hn_block_value *result = &block->values[node->result];
        if (node->result != 0 && node->is_pure && result->last == 0)
            node->is_dead = true;
        if (node->is_dead) {
            for (unsigned j = 0; j < node->count; j++)
                block->values[node->operands[j]].uses--;
            continue;
        }
        mark_uses(block, node, (uint16_t)(i + 1));
    }
}
