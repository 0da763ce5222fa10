/* From a block's nodes to instructions: where each value stands, and which handler fits. */
#include "engine/evm/code_block.h"

#include "engine/base/check.h"
#include "engine/evm/instruction.h"

typedef enum operand_kind { KIND_M, KIND_A, KIND_I, KIND_W, KINDS } operand_kind;

/* Handlers that differ only in where operands come from. The one without a store follows the one with. */
enum {
    UNARY_ISZERO,
    UNARY_NOT,
    UNARY_SHL0,
    UNARY_SHL1,
    UNARY_SHL2,
    UNARY_SHL3,
    UNARY_SHR0,
    UNARY_SHR1,
    UNARY_SHR2,
    UNARY_SHR3,
    UNARY_MLOAD,
    UNARY_CALLDATALOAD,
    UNARIES
};
#define ROW_BINARY(name, a, b) [HN_OP_##name][KIND_##a][KIND_##b] = HN_FAST_##name##_##a##b##S,
#define ROW_UNARY(name, a)     [UNARY_##name][KIND_##a] = HN_FAST_##name##_##a##S,
#define ROW_STORE(name, a, b)  [KIND_##a][KIND_##b] = HN_FAST_##name##_##a##b,
#define ROW_BRANCH(name, a, b) [HN_OP_##name][KIND_##a][KIND_##b] = HN_FAST_IF_##name##_##a##b,
#define ROW_FAR(name)          [HN_OP_##name] = HN_FAST_##name##_MM,
static const uint16_t binary_handlers[0x20][KINDS][KINDS] = {HN_FAST_BINARY_LIST(ROW_BINARY)};
static const uint16_t unary_handlers[UNARIES][KINDS] = {HN_FAST_UNARY_LIST(ROW_UNARY)};
static const uint16_t store_handlers[KINDS][KINDS] = {HN_FAST_STORE_LIST(ROW_STORE)};
static const uint16_t branch_handlers[0x20][KINDS][KINDS] = {HN_FAST_BRANCH_LIST(ROW_BRANCH)};
static const uint16_t far_handlers[0x20] = {HN_FAST_FAR_LIST(ROW_FAR)};

typedef struct emitter {
    hn_word_stream *stream;
    hn_block *block;
    hn_value_id accumulator; /* the value that it holds; 0: none */
    int32_t next_temporary;
    /* Per position: one past the last node that reads what stands there now; 0: it is free. */
    uint16_t busy[HN_BLOCK_POSITIONS];
} emitter;

static uint16_t *busy_at(emitter *e, int32_t position)
{
    return &e->busy[position + HN_BLOCK_POSITION_BIAS];
}

static int16_t place_of(int32_t position)
{
    return (int16_t)(4 * position);
}

static void append_instruction(emitter *e, unsigned opcode, int16_t f0, int16_t f1, int16_t f2, int16_t f3)
{
    uint64_t fields = (uint64_t)(uint16_t)f0 | (uint64_t)(uint16_t)f1 << 16 | (uint64_t)(uint16_t)f2 << 32 |
                      (uint64_t)(uint16_t)f3 << 48;
    HN_CHECK(opcode != HN_FAST_NONE);
    hn_append(e->stream, (uint64_t)(uintptr_t)e->stream->handlers[opcode]);
    hn_append(e->stream, fields);
}

static void append_constant(emitter *e, operand_kind kind, const hn_u256 *value)
{
    for (unsigned i = 0; i < (kind == KIND_W ? 4U : kind == KIND_I ? 1U : 0U); i++)
        hn_append(e->stream, value->w[i]);
}

static hn_block_value *value_of(emitter *e, hn_value_id id)
{
    return &e->block->values[id];
}

static int16_t home_of(emitter *e, hn_value_id id)
{
    return place_of(value_of(e, id)->home);
}

static int32_t new_temporary(emitter *e)
{
    int32_t position = e->next_temporary++;
    HN_CHECK(position + HN_BLOCK_POSITION_BIAS < HN_BLOCK_POSITIONS);
    *busy_at(e, position) = HN_LAST_FINAL;
    return position;
}

/* --- operands ------------------------------------------------------------------------------------------ */

static void set_constant(emitter *e, int32_t position, const hn_u256 *value)
{
    operand_kind kind = hn_u256_fits_64(value) ? KIND_I : KIND_W;
    append_instruction(e, kind == KIND_I ? HN_FAST_SET_I : HN_FAST_SET_W, place_of(position), 0, 0, 0);
    append_constant(e, kind, value);
}

/* Makes sure that an operand stands somewhere in memory. */
static int16_t in_memory(emitter *e, hn_value_id id)
{
    hn_block_value *value = value_of(e, id);
    if (value->home == HN_NO_POSITION) {
        HN_CHECK(value->kind == HN_VALUE_CONSTANT);
        value->home = (int16_t)new_temporary(e);
        set_constant(e, value->home, hn_block_constant(e->block, id));
    }
    return place_of(value->home);
}

static operand_kind kind_of(emitter *e, hn_value_id id)
{
    if (hn_block_is_constant(e->block, id))
        return hn_u256_fits_64(hn_block_constant(e->block, id)) ? KIND_I : KIND_W;
    return id == e->accumulator ? KIND_A : KIND_M;
}

/* The field of an operand; constants and the accumulator need none. */
static int16_t field_of(emitter *e, hn_value_id id, operand_kind kind)
{
    return kind == KIND_M ? in_memory(e, id) : 0;
}

static const hn_u256 *constant_of(emitter *e, hn_value_id id)
{
    static const hn_u256 none;
    return hn_block_is_constant(e->block, id) ? hn_block_constant(e->block, id) : &none;
}

/* Does this node take that operand from the accumulator, if it can be there? */
static bool takes_accumulator(const hn_block_node *node, const hn_block *block, hn_value_id id)
{
    switch (node->opcode) {
    case HN_OP_MSTORE: /* (W, A) does not exist, but its address never fits memory either */
    case HN_OP_MLOAD:
    case HN_OP_CALLDATALOAD:
    case HN_OP_ISZERO:
    case HN_OP_NOT:
    case HN_NODE_SHL_BY:
    case HN_NODE_SHR_BY:
        return true;
    case HN_OP_JUMP:
        return true;
    case HN_OP_JUMPI:
        return node->operands[1] == id && node->count == 2 && hn_block_is_constant(block, node->operands[0]);
    default:
        return node->opcode < 0x20 && binary_handlers[node->opcode][KIND_A][KIND_M] != HN_FAST_NONE;
    }
}

/* --- results ------------------------------------------------------------------------------------------- */

/* The node after `index` that is not left out; the block's end after the last. */
static const hn_block_node *next_node(const hn_block *block, uint32_t index)
{
    for (index++; index < block->node_count; index++)
        if (!block->nodes[index].is_dead)
            return &block->nodes[index];
    return &block->last;
}

/* A result that only the next instruction takes stays in the accumulator. */
static bool needs_store(emitter *e, uint32_t index)
{
    const hn_block *block = e->block;
    const hn_block_node *node = &block->nodes[index], *next = next_node(block, index);
    const hn_block_value *value = &block->values[node->result];
    if (value->last == HN_LAST_FINAL || value->uses != 1)
        return value->last != 0;
    for (unsigned i = 0; i < next->count; i++)
        if (next->operands[i] == node->result)
            return !takes_accumulator(next, block, node->result);
    return true;
}

/* A place for the result of node `index`: where it ends up, or where the EVM has it, or one of its operands'
 * that is not needed any more, or any. Instructions read all operands before they write. */
static int16_t place_result(emitter *e, uint32_t index)
{
    const hn_block_node *node = &e->block->nodes[index];
    hn_block_value *value = value_of(e, node->result);
    uint16_t now = (uint16_t)(index + 1);
    int32_t position = HN_NO_POSITION;
    if (value->final != HN_NO_POSITION && *busy_at(e, value->final) <= now)
        position = value->final;
    else if (*busy_at(e, node->position) <= now)
        position = node->position;
    for (unsigned i = 0; i < node->count && position == HN_NO_POSITION; i++) {
        int16_t home = value_of(e, node->operands[i])->home;
        if (home != HN_NO_POSITION && *busy_at(e, home) <= now)
            position = home;
    }
    if (position == HN_NO_POSITION)
        position = new_temporary(e);
    value->home = (int16_t)position;
    *busy_at(e, position) = value->last;
    return place_of(position);
}

/* --- nodes --------------------------------------------------------------------------------------------- */

static void emit_binary(emitter *e, uint32_t index)
{
    const hn_block_node *node = &e->block->nodes[index];
    hn_value_id x = node->operands[0], y = node->operands[1];
    bool is_ordered = binary_handlers[node->opcode][KIND_M][KIND_A] != HN_FAST_NONE;
    if (!is_ordered && kind_of(e, x) != KIND_A &&
        (kind_of(e, y) == KIND_A || hn_block_is_constant(e->block, x))) {
        hn_value_id other = x;
        x = y;
        y = other;
    }
    operand_kind a = kind_of(e, x), b = kind_of(e, y);
    if (a == KIND_A && b == KIND_A)
        b = KIND_M;
    if (a >= KIND_I && b >= KIND_I)
        a = KIND_M;
    int16_t first = field_of(e, x, a), second = field_of(e, y, b);
    bool store = needs_store(e, index);
    unsigned opcode = binary_handlers[node->opcode][a][b];
    int16_t to = store ? place_result(e, index) : 0;
    append_instruction(e, store ? opcode : opcode + 1, to, first, second, 0);
    append_constant(e, a, constant_of(e, x));
    append_constant(e, b, constant_of(e, y));
    e->accumulator = node->result;
}

static unsigned unary_of(const hn_block_node *node)
{
    switch (node->opcode) {
    case HN_OP_ISZERO:
        return UNARY_ISZERO;
    case HN_OP_NOT:
        return UNARY_NOT;
    case HN_OP_MLOAD:
        return UNARY_MLOAD;
    case HN_OP_CALLDATALOAD:
        return UNARY_CALLDATALOAD;
    case HN_NODE_SHL_BY:
        return UNARY_SHL0 + node->amount / 64U;
    default:
        return UNARY_SHR0 + node->amount / 64U;
    }
}

static void emit_unary(emitter *e, uint32_t index)
{
    const hn_block_node *node = &e->block->nodes[index];
    hn_value_id x = node->operands[0];
    operand_kind kind = kind_of(e, x);
    unsigned unary = unary_of(node);
    if (unary_handlers[unary][kind] == HN_FAST_NONE)
        kind = KIND_M;
    int16_t from = field_of(e, x, kind);
    bool store = needs_store(e, index);
    unsigned opcode = unary_handlers[unary][kind];
    int16_t to = store ? place_result(e, index) : 0;
    append_instruction(e, store ? opcode : opcode + 1, to, from, node->amount % 64, 0);
    append_constant(e, kind, constant_of(e, x));
    e->accumulator = node->result;
}

static void emit_far(emitter *e, uint32_t index)
{
    const hn_block_node *node = &e->block->nodes[index];
    hn_value_id x = node->operands[0], y = node->operands[1];
    bool first_is_wide = hn_block_is_constant(e->block, x) && !hn_block_is_constant(e->block, y);
    bool second_is_wide = hn_block_is_constant(e->block, y);
    int16_t first = first_is_wide ? 0 : in_memory(e, x), second = second_is_wide ? 0 : in_memory(e, y);
    unsigned kind = first_is_wide ? 2 : second_is_wide ? 1 : 0; /* MM, MW, WM */
    append_instruction(e, far_handlers[node->opcode] + kind, place_result(e, index), first, second, 0);
    if (kind != 0)
        append_constant(e, KIND_W, constant_of(e, first_is_wide ? x : y));
    e->accumulator = node->result;
}

static void emit_modular(emitter *e, uint32_t index)
{
    const hn_block_node *node = &e->block->nodes[index];
    int16_t fields[3];
    for (unsigned i = 0; i < 3; i++)
        fields[i] = in_memory(e, node->operands[i]);
    append_instruction(e, node->opcode == HN_OP_ADDMOD ? HN_FAST_ADDMOD : HN_FAST_MULMOD,
                       place_result(e, index), fields[0], fields[1], fields[2]);
    e->accumulator = node->result;
}

static void emit_memory_store(emitter *e, uint32_t index)
{
    const hn_block_node *node = &e->block->nodes[index];
    hn_value_id address = node->operands[0], word = node->operands[1];
    operand_kind a = kind_of(e, address), b = kind_of(e, word);
    if (a == KIND_W)
        a = KIND_M;
    if (b == KIND_A && a == KIND_A)
        b = KIND_M;
    if (b >= KIND_I && a == KIND_I)
        b = KIND_M;
    if (node->opcode == HN_OP_MSTORE8)
        a = b = KIND_M;
    int16_t first = field_of(e, address, a), second = field_of(e, word, b);
    append_instruction(e, node->opcode == HN_OP_MSTORE8 ? HN_FAST_MSTORE8 : store_handlers[a][b], 0, first,
                       second, 0);
    append_constant(e, a, constant_of(e, address));
    append_constant(e, b, constant_of(e, word));
}

static void append_generic(emitter *e, unsigned handler, const hn_block_node *node, int16_t to)
{
    int16_t fields[8] = {0};
    for (unsigned i = 0; i < node->count; i++)
        fields[i] = in_memory(e, node->operands[i]);
    append_instruction(e, handler, to, fields[0], fields[1], fields[2]);
    hn_append(e->stream, (uint64_t)node->pc << 32 | node->opcode);
    uint64_t more = 0;
    for (unsigned i = 0; i < 4; i++)
        more |= (uint64_t)(uint16_t)fields[3 + i] << (16 * i);
    hn_append(e->stream, more);
}

static void emit_generic(emitter *e, uint32_t index)
{
    const hn_block_node *node = &e->block->nodes[index];
    for (unsigned i = 0; i < node->count; i++) /* before the result gets its place */
        (void)in_memory(e, node->operands[i]);
    append_generic(e, HN_FAST_GENERIC, node, node->result != 0 ? place_result(e, index) : 0);
    e->accumulator = 0;
}

static void emit_load(emitter *e, uint32_t index)
{
    const hn_block_node *node = &e->block->nodes[index];
    int16_t from = in_memory(e, node->operands[0]);
    append_instruction(e, HN_FAST_SLOAD, place_result(e, index), from, 0, 0);
    e->accumulator = node->result;
}

#define QUESTION(name)                                                                                       \
    static void emit_##name(emitter *e, uint32_t index)                                                      \
    {                                                                                                        \
        append_instruction(e, HN_FAST_##name, place_result(e, index), 0, 0, 0);                              \
        e->accumulator = e->block->nodes[index].result;                                                      \
    }
QUESTION(ADDRESS)
QUESTION(CALLER)
QUESTION(CALLVALUE)
QUESTION(CALLDATASIZE)
QUESTION(RETURNDATASIZE)
QUESTION(MSIZE)

typedef void emit_function(emitter *e, uint32_t index);

/* clang-format off */
static emit_function *const emitters[256] = {
    [HN_OP_ADD] = emit_binary, [HN_OP_MUL] = emit_binary, [HN_OP_AND] = emit_binary, [HN_OP_OR] = emit_binary,
    [HN_OP_XOR] = emit_binary, [HN_OP_EQ] = emit_binary, [HN_OP_SUB] = emit_binary, [HN_OP_LT] = emit_binary,
    [HN_OP_SLT] = emit_binary, [HN_OP_ISZERO] = emit_unary, [HN_OP_NOT] = emit_unary,
    [HN_NODE_SHL_BY] = emit_unary, [HN_NODE_SHR_BY] = emit_unary, [HN_OP_MLOAD] = emit_unary,
    [HN_OP_CALLDATALOAD] = emit_unary, [HN_OP_DIV] = emit_far, [HN_OP_SDIV] = emit_far, [HN_OP_MOD] = emit_far,
    [HN_OP_SMOD] = emit_far, [HN_OP_SIGNEXTEND] = emit_far, [HN_OP_BYTE] = emit_far, [HN_OP_SHL] = emit_far,
    [HN_OP_SHR] = emit_far, [HN_OP_SAR] = emit_far, [HN_OP_ADDMOD] = emit_modular,
    [HN_OP_MULMOD] = emit_modular, [HN_OP_MSTORE] = emit_memory_store, [HN_OP_MSTORE8] = emit_memory_store,
    [HN_OP_SLOAD] = emit_load, [HN_OP_ADDRESS] = emit_ADDRESS, [HN_OP_CALLER] = emit_CALLER,
    [HN_OP_CALLVALUE] = emit_CALLVALUE, [HN_OP_CALLDATASIZE] = emit_CALLDATASIZE,
    [HN_OP_RETURNDATASIZE] = emit_RETURNDATASIZE, [HN_OP_MSIZE] = emit_MSIZE,
};
/* clang-format on */

/* --- the end ------------------------------------------------------------------------------------------- */

/* Copies that are left: each position's word comes from another position, all at once. */
typedef struct copies {
    int32_t lowest; /* position that may change */
    int32_t places; /* from there on */
    int32_t count;  /* of copies */
    bool has_constants;
    int16_t from[HN_BLOCK_POSITIONS];     /* HN_NO_POSITION: stays */
    uint16_t readers[HN_BLOCK_POSITIONS]; /* how many copies wait to read it */
    uint16_t ready[HN_BLOCK_POSITIONS];   /* positions that nobody waits to read */
    uint32_t ready_count;
    bool has_pending;
    int16_t pending_to, pending_from; /* a copy to be joined with the next */
} copies;

static void flush_copy(emitter *e, copies *c)
{
    if (c->has_pending)
        append_instruction(e, HN_FAST_COPY, place_of(c->pending_to), place_of(c->pending_from), 0, 0);
    c->has_pending = false;
}

static void append_copy(emitter *e, copies *c, int32_t to, int32_t from)
{
    if (c->has_pending) {
        append_instruction(e, HN_FAST_COPY2, place_of(c->pending_to), place_of(c->pending_from), place_of(to),
                           place_of(from));
        c->has_pending = false;
        return;
    }
    c->pending_to = (int16_t)to;
    c->pending_from = (int16_t)from;
    c->has_pending = true;
}

static void do_copy(emitter *e, copies *c, int32_t to)
{
    int16_t from = c->from[to - c->lowest];
    append_copy(e, c, to, from);
    c->from[to - c->lowest] = HN_NO_POSITION;
    int32_t source = from - c->lowest;
    if (source >= 0 && --c->readers[source] == 0 && c->from[source] != HN_NO_POSITION)
        c->ready[c->ready_count++] = (uint16_t)source;
}

/* What is left are rings of positions that each wait for the next. */
static void break_ring(emitter *e, copies *c, int32_t begin)
{
    int32_t next = c->from[begin - c->lowest];
    flush_copy(e, c);
    if (c->from[next - c->lowest] == begin) {
        append_instruction(e, HN_FAST_EXCHANGE, place_of(begin), place_of(next), 0, 0);
        c->from[begin - c->lowest] = c->from[next - c->lowest] = HN_NO_POSITION;
        return;
    }
    int32_t kept = new_temporary(e), at = begin;
    append_copy(e, c, kept, begin);
    while (next != begin) {
        append_copy(e, c, at, next);
        c->from[at - c->lowest] = HN_NO_POSITION;
        at = next;
        next = c->from[at - c->lowest];
    }
    append_copy(e, c, at, kept);
    c->from[at - c->lowest] = HN_NO_POSITION;
}

/* Brings every word to where the EVM has it. */
static void emit_copies(emitter *e, copies *c)
{
    const hn_block *block = e->block;
    int32_t lowest = c->lowest;
    for (int32_t i = 0; i < c->places && c->count != 0; i++)
        if (c->from[i] != HN_NO_POSITION && c->readers[i] == 0)
            c->ready[c->ready_count++] = (uint16_t)i;
    while (c->ready_count != 0)
        do_copy(e, c, lowest + c->ready[--c->ready_count]);
    for (int32_t i = 0; i < c->places && c->count != 0; i++)
        if (c->from[i] != HN_NO_POSITION)
            break_ring(e, c, lowest + i);
    flush_copy(e, c);
    for (int32_t p = lowest; p < block->height && c->has_constants; p++) {
        hn_value_id id = hn_block_at(block, p);
        if (hn_block_is_constant(block, id))
            set_constant(e, p, hn_block_constant(block, id));
    }
}

static bool is_overwritten(emitter *e, const copies *c, int32_t position)
{
    const hn_block *block = e->block;
    return position >= c->lowest && position < block->height &&
           (c->from[position - c->lowest] != HN_NO_POSITION ||
            hn_block_is_constant(block, hn_block_at(block, position)));
}

/* The end's operands must outlive the copies, but for one that is taken from the accumulator: the same value
 * for the second time comes from memory. */
static void keep_operands(emitter *e, const copies *c)
{
    hn_block_node *last = &e->block->last;
    bool is_twice = last->count == 3 && last->operands[1] == last->operands[2];
    for (unsigned i = 0; i < last->count; i++) {
        hn_block_value *value = value_of(e, last->operands[i]);
        if (last->operands[i] == e->accumulator && !is_twice &&
            takes_accumulator(last, e->block, e->accumulator))
            continue;
        if (value->home == HN_NO_POSITION || !is_overwritten(e, c, value->home))
            continue;
        int32_t kept = new_temporary(e);
        append_instruction(e, HN_FAST_COPY, place_of(kept), place_of(value->home), 0, 0);
        value->home = (int16_t)kept;
    }
}

/* The lowest position whose word is not the one that the block found there. */
static int32_t lowest_change(const hn_block *block)
{
    int32_t p = block->touched;
    while (p < 0 && p < block->height && hn_block_at(block, p) == block->found[-1 - p])
        p++;
    return p;
}

static void gather_copies(emitter *e, copies *c)
{
    const hn_block *block = e->block;
    int32_t lowest = lowest_change(block);
    c->lowest = lowest;
    c->places = e->next_temporary - lowest;
    c->count = 0;
    c->ready_count = 0;
    c->pending_to = c->pending_from = 0;
    c->has_pending = c->has_constants = false;
    for (int32_t i = 0; i < c->places; i++) {
        c->from[i] = HN_NO_POSITION;
        c->readers[i] = 0;
    }
    for (int32_t p = lowest; p < block->height; p++) {
        const hn_block_value *value = value_of(e, hn_block_at(block, p));
        if (value->kind == HN_VALUE_CONSTANT) {
            c->has_constants = true;
        } else if (value->home != p) {
            c->from[p - lowest] = value->home;
            if (value->home >= lowest)
                c->readers[value->home - lowest]++;
            c->count++;
        }
    }
}

/* A return from a function: a jump to where a word tells, with one word left to move. True: it was that. */
static bool emit_return(emitter *e, const copies *c, int16_t shift)
{
    const hn_block *block = e->block;
    hn_value_id destination = block->last.operands[0];
    if (block->end != HN_END_JUMP || c->count != 1 || c->has_constants || destination == e->accumulator ||
        hn_block_is_constant(block, destination))
        return false;
    int32_t to = c->lowest;
    while (c->from[to - c->lowest] == HN_NO_POSITION)
        to++;
    append_instruction(e, HN_FAST_JUMP_COPY, place_of(to), place_of(c->from[to - c->lowest]),
                       home_of(e, destination), shift);
    return true;
}

static void append_target(emitter *e, const hn_u256 *destination)
{
    uint32_t pc = hn_u256_fits_64(destination) && destination->w[0] < UINT32_MAX ? (uint32_t)destination->w[0]
                                                                                 : UINT32_MAX;
    size_t at = e->stream->count;
    hn_append(e->stream, (uint64_t)e->stream->unresolved << 32 | pc);
    e->stream->unresolved = (uint32_t)at;
}

static void emit_jump(emitter *e, int16_t shift)
{
    hn_value_id destination = e->block->last.operands[0];
    if (hn_block_is_constant(e->block, destination)) {
        append_instruction(e, HN_FAST_JUMP_TO, 0, 0, 0, shift);
        append_target(e, hn_block_constant(e->block, destination));
    } else if (destination == e->accumulator) {
        append_instruction(e, HN_FAST_JUMP_A, 0, 0, 0, shift);
    } else {
        append_instruction(e, HN_FAST_JUMP_M, 0, home_of(e, destination), 0, shift);
    }
}

/* The condition is a comparison of its own. */
static void emit_branch(emitter *e, int16_t shift)
{
    const hn_block_node *last = &e->block->last;
    hn_value_id x = last->operands[1], y = last->operands[2];
    if (last->opcode == HN_OP_EQ && kind_of(e, x) != KIND_A &&
        (kind_of(e, y) == KIND_A || hn_block_is_constant(e->block, x))) {
        hn_value_id other = x;
        x = y;
        y = other;
    }
    operand_kind a = kind_of(e, x), b = kind_of(e, y);
    if (a == KIND_A && b == KIND_A)
        b = KIND_M;
    if (a == KIND_W || (a == KIND_I && b == KIND_I))
        a = KIND_M;
    if (b == KIND_W)
        b = KIND_M;
    int16_t first = field_of(e, x, a), second = field_of(e, y, b);
    append_instruction(e, branch_handlers[last->opcode][a][b] + last->amount, 0, first, second, shift);
    append_constant(e, a, constant_of(e, x));
    append_constant(e, b, constant_of(e, y));
    append_target(e, hn_block_constant(e->block, last->operands[0]));
}

static void emit_conditional(emitter *e, int16_t shift)
{
    const hn_block_node *last = &e->block->last;
    hn_value_id destination = last->operands[0], condition = last->operands[1];
    if (last->count == 3) {
        emit_branch(e, shift);
        return;
    }
    if (!hn_block_is_constant(e->block, destination)) {
        append_instruction(e, HN_FAST_IF_FAR, 0, in_memory(e, destination), in_memory(e, condition), shift);
        return;
    }
    if (condition == e->accumulator)
        append_instruction(e, last->amount != 0 ? HN_FAST_UNLESS_A : HN_FAST_IF_A, 0, 0, 0, shift);
    else
        append_instruction(e, last->amount != 0 ? HN_FAST_UNLESS_M : HN_FAST_IF_M, 0, in_memory(e, condition),
                           0, shift);
    append_target(e, hn_block_constant(e->block, destination));
}

/* Constants that the end needs in memory, before copies and shift. */
static void prepare_operands(emitter *e)
{
    const hn_block_node *last = &e->block->last;
    hn_block_end end = e->block->end;
    if (end != HN_END_GENERIC && end != HN_END_LEAVE && end != HN_END_JUMPI)
        return;
    bool is_fixed = end == HN_END_JUMPI && hn_block_is_constant(e->block, last->operands[0]);
    for (unsigned i = is_fixed ? 1 : 0; i < last->count; i++) {
        bool is_constant = hn_block_is_constant(e->block, last->operands[i]);
        if (is_constant && (last->count != 3 || end != HN_END_JUMPI))
            (void)in_memory(e, last->operands[i]);
    }
}

static void emit_end(emitter *e)
{
    hn_block *block = e->block;
    copies c;
    prepare_operands(e);
    if (block->end == HN_END_LEAVE) {
        append_generic(e, HN_FAST_GENERIC, &block->last, 0);
        return;
    }
    if (block->end == HN_END_STOP || block->end == HN_END_INVALID) {
        append_instruction(e, block->end == HN_END_STOP ? HN_FAST_STOP : HN_FAST_INVALID, 0, 0, 0, 0);
        return;
    }
    int16_t shift = place_of(block->height);
    gather_copies(e, &c);
    if (emit_return(e, &c, shift))
        return;
    keep_operands(e, &c);
    emit_copies(e, &c);
    switch (block->end) {
    case HN_END_JUMP:
        emit_jump(e, shift);
        break;
    case HN_END_JUMPI:
        emit_conditional(e, shift);
        break;
    case HN_END_GAS:
        append_instruction(e, HN_FAST_GAS, place_of(block->last.position), 0, 0, shift);
        break;
    case HN_END_GENERIC:
        append_generic(e, HN_FAST_GENERIC_END, &block->last, place_of(block->last.position));
        hn_append(e->stream, (uint64_t)(int64_t)shift);
        break;
    default:
        append_instruction(e, HN_FAST_FALL, 0, 0, 0, shift);
    }
}

void hn_block_emit(hn_word_stream *stream, hn_block *block)
{
    emitter e;
    e.stream = stream;
    e.block = block;
    e.accumulator = 0;
    e.next_temporary = block->highest > 0 ? block->highest : 0;
    for (int32_t p = block->touched; p < 0; p++)
        *busy_at(&e, p) = block->values[block->found[-1 - p]].last;
    for (int32_t p = 0; p < e.next_temporary; p++)
        *busy_at(&e, p) = 0;
    for (uint32_t i = 0; i < block->node_count; i++) {
        if (block->nodes[i].is_dead)
            continue;
        emit_function *emit = emitters[block->nodes[i].opcode];
        if (emit != NULL)
            emit(&e, i);
        else
            emit_generic(&e, i);
    }
    emit_end(&e);
}
