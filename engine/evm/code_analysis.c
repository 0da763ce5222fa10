#include "engine/evm/code_analysis.h"

#include "engine/base/check.h"
#include "engine/evm/instruction.h"

/* Between blocks: nothing can get here except by a jump, or what follows opens a block. */
typedef enum decoding {
    UNREACHABLE,
    BEFORE_BLOCK,
    IN_BLOCK,
} decoding;

/* A block is cut when its gas gets here, so that it fits the header. */
enum { BLOCK_GAS_MAX = 1 << 30, PAIR_GAS_MAX = 64, STACK_NEVER = HN_EVM_STACK_MAX + 1 };

typedef struct decoder {
    hn_bytes code;
    const hn_gas_table *gas;
    const void *const *handlers;
    uint32_t *targets;
    hn_decoded_instruction *instructions;
    size_t capacity; /* in instructions */
    size_t count;    /* may pass capacity: then it did not fit */
    decoding state;
    uint32_t unresolved; /* the newest jump to a fixed place */
    hn_decoded_instruction *header;
    uint32_t block_gas;
    int32_t height, lowest, highest; /* of the stack, against the block's begin */
} decoder;

static const uint8_t fast_opcode_of[256] = {
#define FAST_OPCODE(name) [HN_OP_##name] = HN_FAST_##name,
    HN_FAST_OPCODE_LIST(FAST_OPCODE)
#undef FAST_OPCODE
};

/* Room for one more instruction. When there is none, writing goes on over the first ones, which are lost
 * anyway. */
static hn_decoded_instruction *append(decoder *d, hn_fast_opcode opcode)
{
    hn_decoded_instruction *instruction = &d->instructions[d->count < d->capacity ? d->count : 0];
    d->count++;
    instruction->handler = d->handlers[opcode];
    instruction->number = 0;
    return instruction;
}

static void close_block(decoder *d, decoding next)
{
    if (d->state == IN_BLOCK) {
        int32_t required = -d->lowest, growth = d->highest;
        d->header->block.gas = d->block_gas;
        d->header->block.required = (uint16_t)(required < STACK_NEVER ? required : STACK_NEVER);
        d->header->block.growth = (uint16_t)(growth < STACK_NEVER ? growth : STACK_NEVER);
    }
    d->state = next;
}

static void open_block(decoder *d)
{
    close_block(d, IN_BLOCK);
    d->header = append(d, HN_FAST_BLOCK);
    d->block_gas = 0;
    d->height = d->lowest = d->highest = 0;
}

/* Counts one opcode into the block that is open, or opens one. */
static void count_opcode(decoder *d, uint8_t opcode)
{
    const hn_instruction *instruction = &hn_instructions[opcode];
    if (d->state == BEFORE_BLOCK || d->block_gas >= BLOCK_GAS_MAX)
        open_block(d);
    d->block_gas += (uint32_t)d->gas->constant[opcode];
    d->height -= instruction->in;
    if (d->height < d->lowest)
        d->lowest = d->height;
    d->height += instruction->out;
    if (d->height > d->highest)
        d->highest = d->height;
}

static void append_constant(decoder *d, const hn_u256 *value)
{
    if (hn_u256_fits_64(value)) {
        append(d, HN_FAST_PUSH_SMALL)->number = value->w[0];
        return;
    }
    _Static_assert(sizeof *value == 2 * sizeof(hn_decoded_instruction), "");
    append(d, HN_FAST_PUSH_WORD);
    size_t at = d->count + 2 <= d->capacity ? d->count : 0;
    d->count += 2;
    if (at != 0)
        memcpy(&d->instructions[at], value, sizeof *value);
}

static void append_jump(decoder *d, hn_fast_opcode opcode, const hn_u256 *destination)
{
    hn_decoded_instruction *jump = append(d, opcode);
    bool inside = hn_u256_fits_64(destination) && destination->w[0] < d->code.size;
    jump->unresolved.pc = inside ? (uint32_t)destination->w[0] : UINT32_MAX;
    jump->unresolved.previous = d->unresolved;
    d->unresolved = (uint32_t)(d->count - 1);
}

/* A PUSH, together with a jump that follows it. Returns how many bytes that took. */
static size_t decode_push(decoder *d, size_t pc)
{
    uint8_t opcode = d->code.data[pc];
    size_t size = hn_opcode_immediate(opcode), next = pc + 1 + size;
    uint8_t word[32] = {0};
    for (size_t i = 0; i < size && pc + 1 + i < d->code.size; i++)
        word[32 - size + i] = d->code.data[pc + 1 + i];
    hn_u256 value = hn_u256_from_be(word);
    uint8_t follower = next < d->code.size ? d->code.data[next] : (uint8_t)HN_OP_STOP;
    if (d->block_gas >= BLOCK_GAS_MAX - PAIR_GAS_MAX)
        close_block(d, BEFORE_BLOCK); /* a pair must not be cut */
    count_opcode(d, opcode);
    if (follower != HN_OP_JUMP && follower != HN_OP_JUMPI) {
        append_constant(d, &value);
        return 1 + size;
    }
    count_opcode(d, follower);
    append_jump(d, follower == HN_OP_JUMP ? HN_FAST_JUMP_TO : HN_FAST_JUMPI_TO, &value);
    close_block(d, follower == HN_OP_JUMP ? UNREACHABLE : BEFORE_BLOCK);
    return 2 + size;
}

/* What comes after an opcode: the same block, another, or nothing. */
static decoding state_after(uint8_t opcode)
{
    switch (opcode) {
    case HN_OP_STOP:
    case HN_OP_JUMP:
    case HN_OP_RETURN:
    case HN_OP_REVERT:
    case HN_OP_SELFDESTRUCT:
        return UNREACHABLE;
    case HN_OP_JUMPI:
    case HN_OP_GAS:
    case HN_OP_SSTORE:
    case HN_OP_CREATE:
    case HN_OP_CREATE2:
    case HN_OP_CALL:
    case HN_OP_CALLCODE:
    case HN_OP_DELEGATECALL:
    case HN_OP_STATICCALL:
        return BEFORE_BLOCK;
    default:
        return IN_BLOCK;
    }
}

/* One opcode, neither JUMPDEST nor PUSH. */
static void decode_opcode(decoder *d, size_t pc)
{
    uint8_t opcode = d->code.data[pc];
    if (d->gas->constant[opcode] < 0) {
        append(d, HN_FAST_INVALID);
        close_block(d, UNREACHABLE);
        return;
    }
    count_opcode(d, opcode);
    if (opcode == HN_OP_PC || opcode == HN_OP_CODESIZE) {
        append(d, HN_FAST_PUSH_SMALL)->number = opcode == HN_OP_PC ? pc : d->code.size;
    } else if (opcode == HN_OP_STOP || fast_opcode_of[opcode] != 0) {
        append(d, opcode == HN_OP_STOP ? HN_FAST_STOP : (hn_fast_opcode)fast_opcode_of[opcode]);
    } else {
        hn_decoded_instruction *instruction = append(d, HN_FAST_GENERIC);
        instruction->generic.pc = (uint32_t)pc;
        instruction->generic.opcode = opcode;
    }
    decoding after = state_after(opcode);
    if (after != IN_BLOCK)
        close_block(d, after);
}

static void decode_all(decoder *d)
{
    append(d, HN_FAST_BAD_JUMP);
    d->state = BEFORE_BLOCK;
    for (size_t pc = 0; pc < d->code.size && d->count <= d->capacity;) {
        uint8_t opcode = d->code.data[pc];
        bool is_push = opcode >= HN_OP_PUSH0 && opcode <= HN_OP_PUSH32 && d->gas->constant[opcode] >= 0;
        if (opcode == HN_OP_JUMPDEST) {
            d->targets[pc] = (uint32_t)d->count;
            open_block(d);
            count_opcode(d, opcode);
            pc++;
        } else if (d->state == UNREACHABLE) {
            pc += 1 + hn_opcode_immediate(opcode);
        } else if (is_push) {
            pc += decode_push(d, pc);
        } else {
            decode_opcode(d, pc);
            pc++;
        }
    }
    if (d->state != UNREACHABLE) {
        append(d, HN_FAST_STOP);
        close_block(d, UNREACHABLE);
    }
}

static void resolve_jumps(decoder *d)
{
    for (uint32_t index = d->unresolved; index != 0;) {
        hn_decoded_instruction *jump = &d->instructions[index];
        uint32_t target = jump->unresolved.pc < d->code.size ? d->targets[jump->unresolved.pc] : 0;
        uint32_t previous = jump->unresolved.previous;
        if (target <= index && target != 0) {
            bool conditional = jump->handler == d->handlers[HN_FAST_JUMPI_TO];
            jump->handler = d->handlers[conditional ? HN_FAST_JUMPI_BACK : HN_FAST_JUMP_BACK];
        }
        jump->target = &d->instructions[target];
        index = previous;
    }
}

static size_t head_bytes(size_t code_size)
{
    size_t bytes = sizeof(hn_decoded) + code_size * sizeof(uint32_t);
    return (bytes + 15) / 16 * 16;
}

/* The densest code has two instructions a byte: a header and one that ends its block. */
size_t hn_decode_room(size_t code_size)
{
    return head_bytes(code_size) + (2 * code_size + 3) * sizeof(hn_decoded_instruction);
}

size_t hn_decode(void *to, size_t room, hn_bytes code, const hn_gas_table *gas, const void *const *handlers)
{
    size_t head = head_bytes(code.size);
    HN_CHECK(code.size != 0 && code.size < UINT32_MAX / 4);
    if (room < head + sizeof(hn_decoded_instruction))
        return 0;
    decoder d = {
        .code = code,
        .gas = gas,
        .handlers = handlers,
        .targets = (uint32_t *)(void *)((uint8_t *)to + sizeof(hn_decoded)),
        .instructions = (hn_decoded_instruction *)(void *)((uint8_t *)to + head),
        .capacity = (room - head) / sizeof(hn_decoded_instruction),
    };
    memset(d.targets, 0, code.size * sizeof *d.targets);
    decode_all(&d);
    if (d.count > d.capacity)
        return 0;
    resolve_jumps(&d);
    *(hn_decoded *)to = (hn_decoded){
        .code_size = (uint32_t)code.size,
        .count = (uint32_t)d.count,
        .targets = d.targets,
        .instructions = d.instructions,
    };
    return head + d.count * sizeof(hn_decoded_instruction);
}
