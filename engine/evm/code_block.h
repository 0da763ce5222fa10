/* One block while it is decoded: what its opcodes compute, as values and the nodes that make them. Only
 * code_analysis.c, code_block.c and code_emit.c include it.
 *
 * Positions on the stack count from the block's begin: what was pushed first in the block is at 0, the top
 * that the block found is at -1.
 */
#ifndef HN_ENGINE_EVM_CODE_BLOCK_H
#define HN_ENGINE_EVM_CODE_BLOCK_H

#include "engine/evm/code_analysis.h"
#include "engine/evm/instruction.h"

enum {
    HN_BLOCK_OPCODES_MAX = 192,
    HN_BLOCK_DEPTH_MAX = 400, /* a block that goes further below its begin is cut */
    HN_BLOCK_OPERANDS_MAX = 7,
    HN_BLOCK_NODES_MAX = 2 * HN_BLOCK_OPCODES_MAX,
    HN_BLOCK_POSITION_BIAS = HN_BLOCK_DEPTH_MAX + 32,
    /* results, constants and operands of the end, each in a place of its own */
    HN_BLOCK_POSITIONS = HN_BLOCK_POSITION_BIAS + 5 * HN_BLOCK_OPCODES_MAX,
    HN_BLOCK_VALUES_MAX = HN_BLOCK_POSITION_BIAS + 4 * HN_BLOCK_OPCODES_MAX,
    HN_BLOCK_CONSTANTS_MAX = 2 * HN_BLOCK_OPCODES_MAX,
};

_Static_assert(HN_BLOCK_POSITIONS - HN_BLOCK_POSITION_BIAS <= HN_DECODED_TEMPORARIES_MAX, "");
_Static_assert(4 * HN_BLOCK_POSITIONS <= INT16_MAX, "places are fields of instructions, in limbs");

typedef uint16_t hn_value_id; /* 0: none */

typedef enum hn_value_kind { HN_VALUE_ENTRY, HN_VALUE_CONSTANT, HN_VALUE_RESULT } hn_value_kind;

enum { HN_NO_POSITION = INT16_MIN, HN_LAST_FINAL = UINT16_MAX };

typedef struct hn_block_value {
    uint8_t kind;
    uint16_t constant; /* CONSTANT: index */
    uint16_t node;     /* RESULT: which makes it */
    uint16_t uses;     /* as operands of nodes and of the end */
    uint16_t last;     /* one past the last node that uses it; HN_LAST_FINAL: it stays on the stack */
    int16_t home;      /* where it stands, or HN_NO_POSITION */
    int16_t final;     /* RESULT: a position where it ends up, or HN_NO_POSITION */
} hn_block_value;

/* Nodes are named by the opcode that they do, and two that no opcode does: shifts by a constant. */
enum { HN_NODE_SHL_BY = 0xb0, HN_NODE_SHR_BY = 0xb1 };

typedef struct hn_block_node {
    uint8_t opcode;
    uint8_t count;  /* of operands; the first is the topmost */
    uint8_t amount; /* of a shift */
    bool is_pure;   /* may be left out when nobody uses the result */
    bool is_dead;
    int16_t position; /* of the result as the EVM has it */
    hn_value_id result;
    hn_value_id operands[HN_BLOCK_OPERANDS_MAX];
    uint32_t pc;
} hn_block_node;

typedef enum hn_block_end {
    HN_END_FALL, /* into the code that follows */
    HN_END_STOP,
    HN_END_INVALID,
    HN_END_LEAVE,   /* RETURN, REVERT, SELFDESTRUCT: the last node, after which nothing matters */
    HN_END_JUMP,    /* operand: destination */
    HN_END_JUMPI,   /* operands: destination, condition */
    HN_END_GAS,     /* pushes the gas that is left */
    HN_END_GENERIC, /* operands of an opcode after which another block must begin */
} hn_block_end;

typedef struct hn_block {
    const hn_gas_table *gas_table;
    uint32_t opcode_count;
    uint32_t gas;
    int32_t height, lowest, highest; /* of the stack; lowest: of what the opcodes need */
    int32_t touched;                 /* values of positions from here on are in `stack` */
    uint32_t node_count, value_count, constant_count;
    hn_value_id stack[HN_BLOCK_POSITION_BIAS + HN_BLOCK_OPCODES_MAX + 2];
    hn_value_id found[HN_BLOCK_POSITION_BIAS]; /* what was at position -1 - i at the begin */
    hn_block_value values[HN_BLOCK_VALUES_MAX];
    hn_block_node nodes[HN_BLOCK_NODES_MAX];
    hn_u256 constants[HN_BLOCK_CONSTANTS_MAX];

    hn_block_end end;
    hn_block_node last; /* the end's operands */
} hn_block;

void hn_block_open(hn_block *block, const hn_gas_table *gas);

/* No room for another opcode: the block must be closed. */
static inline bool hn_block_is_full(const hn_block *block)
{
    return block->opcode_count >= HN_BLOCK_OPCODES_MAX || block->height < -HN_BLOCK_DEPTH_MAX;
}

void hn_block_push(hn_block *block, const hn_u256 *value);

/* Any opcode that the fork defines but JUMPDEST, PUSH, PC and CODESIZE. True: the block ends with it. */
bool hn_block_add(hn_block *block, uint8_t opcode, uint32_t pc);

/* Counts an opcode's gas and stack, for opcodes that are not added otherwise. */
static inline void hn_block_count(hn_block *block, uint8_t opcode)
{
    const hn_instruction *instruction = &hn_instructions[opcode];
    int32_t height = block->height - instruction->in;
    block->opcode_count++;
    block->gas += (uint32_t)block->gas_table->constant[opcode];
    if (height < block->lowest)
        block->lowest = height;
    height += instruction->out;
    if (height > block->highest)
        block->highest = height;
}

/* When nothing more will be added: counts uses, leaves out what nobody uses, joins a conditional jump with
 * its comparison. */
void hn_block_finish(hn_block *block);

static inline hn_value_id hn_block_at(const hn_block *block, int32_t position)
{
    return block->stack[position + HN_BLOCK_POSITION_BIAS];
}

static inline bool hn_block_is_constant(const hn_block *block, hn_value_id id)
{
    return block->values[id].kind == HN_VALUE_CONSTANT;
}

static inline const hn_u256 *hn_block_constant(const hn_block *block, hn_value_id id)
{
    return &block->constants[block->values[id].constant];
}

/* Where instructions are written. Past its capacity it only counts. */
typedef struct hn_word_stream {
    uint64_t *words;
    size_t capacity;
    size_t count;
    const void *const *handlers;
    uint32_t unresolved; /* the newest jump's word with destination | index of the one before << 32 */
} hn_word_stream;

static inline void hn_append(hn_word_stream *stream, uint64_t word)
{
    if (stream->count < stream->capacity)
        stream->words[stream->count] = word;
    stream->count++;
}

/* Appends the instructions of a finished block, its end included, but not the header. Where the next block
 * begins, it must be appended next when the end falls or may fall through. */
void hn_block_emit(hn_word_stream *stream, hn_block *block);

#endif
