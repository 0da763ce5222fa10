#include "engine/evm/code_analysis.h"

#include "engine/base/check.h"
#include "engine/evm/code_block.h"
#include "engine/evm/instruction.h"

enum {
    CODE_BYTES_MAX = 1 << 30,
    STACK_WORD_BYTES = 32,
    ANY = UINT16_MAX,
    SKIP_WORDS = 3, /* header, handler, place */
    WORDS_A_BYTE = 16,
    WORDS_MORE = 64,
};

typedef struct decoder {
    hn_bytes code;
    const hn_gas_table *gas;
    uint32_t *targets;
    hn_word_stream stream;
    bool is_open;
    size_t header; /* of the open block: index */
    size_t run;    /* destinations right before it, each with a header of its own */
    hn_block block;
} decoder;

static void set_word(decoder *d, size_t index, uint64_t word)
{
    if (index < d->stream.capacity)
        d->stream.words[index] = word;
}

static uint64_t handler(const decoder *d, hn_fast_opcode opcode)
{
    return (uint64_t)(uintptr_t)d->stream.handlers[opcode];
}

static void open_block(decoder *d)
{
    d->is_open = true;
    d->header = d->stream.count;
    d->run = 0;
    hn_append(&d->stream, 0);
    hn_block_open(&d->block, d->gas);
}

static uint64_t header_of(const hn_block *block, uint64_t more_gas)
{
    int32_t required = -block->lowest, range = HN_EVM_STACK_MAX - block->highest - required;
    uint32_t gas = block->gas + (uint32_t)more_gas;
    if (range < 0) /* one byte more than any stack has */
        return hn_block_header(gas, (uint16_t)(required * STACK_WORD_BYTES + 1), 0);
    return hn_block_header(gas, (uint16_t)(required * STACK_WORD_BYTES),
                           (uint16_t)(range * STACK_WORD_BYTES));
}

/* Writes the open block. Destinations in a row before it charge for all that follow them and go straight to
 * its first instruction. */
static void close_block(decoder *d, hn_block_end end)
{
    hn_block *block = &d->block;
    uint64_t price = (uint64_t)(uint32_t)d->gas->constant[HN_OP_JUMPDEST];
    if (end != HN_END_FALL)
        block->end = end;
    hn_block_finish(block);
    set_word(d, d->header, header_of(block, 0));
    for (size_t i = 1; i <= d->run; i++)
        set_word(d, d->header - SKIP_WORDS * i, header_of(block, price * i));
    hn_block_emit(&d->stream, block);
    d->is_open = false;
}

/* JUMPDESTs from pc on; returns how many. The last begins a block, the ones before lead into it. */
static size_t decode_destinations(decoder *d, size_t pc)
{
    size_t count = 1;
    if (d->is_open)
        close_block(d, HN_END_FALL);
    while (pc + count < d->code.size && d->code.data[pc + count] == HN_OP_JUMPDEST)
        count++;
    size_t begin = d->stream.count + SKIP_WORDS * (count - 1);
    for (size_t i = 0; i + 1 < count; i++) {
        d->targets[pc + i] = (uint32_t)d->stream.count;
        hn_append(&d->stream, 0);
        hn_append(&d->stream, handler(d, HN_FAST_SKIP));
        hn_append(&d->stream, (uint64_t)(uintptr_t)(d->stream.words + begin + 1));
    }
    d->targets[pc + count - 1] = (uint32_t)d->stream.count;
    open_block(d);
    d->run = count - 1;
    hn_block_count(&d->block, HN_OP_JUMPDEST);
    return count;
}

/* What a PUSH of `size` bytes finds, when only `there` of them are there. */
static hn_u256 push_value(const uint8_t *from, size_t size, size_t there)
{
    hn_u256 value = {{0, 0, 0, 0}};
    for (size_t i = 0; i < there; i++) {
        size_t place = size - 1 - i;
        value.w[place / 8] |= (uint64_t)from[i] << (place % 8 * 8);
    }
    return value;
}

/* A PUSH; returns how many bytes it takes. What lies past the end of code counts as zero. */
static size_t decode_push(decoder *d, size_t pc)
{
    uint8_t opcode = d->code.data[pc];
    size_t size = hn_opcode_immediate(opcode), there = d->code.size - pc - 1;
    hn_u256 value = {{0, 0, 0, 0}};
    const uint8_t *from = d->code.data + pc + 1;
    if (size != 0 && size <= 8 && there >= 8)
        value.w[0] = hn_load_be64(from) >> (64 - 8 * size);
    else
        value = push_value(from, size, size < there ? size : there);
    hn_block_count(&d->block, opcode);
    hn_block_push(&d->block, &value);
    return 1 + size;
}

/* Any opcode but JUMPDEST, in a block; returns how many bytes it takes. False in *goes_on: nothing gets past
 * it. */
static size_t decode_opcode(decoder *d, size_t pc, bool *goes_on)
{
    uint8_t opcode = d->code.data[pc];
    if (d->gas->constant[opcode] < 0) {
        close_block(d, HN_END_INVALID);
        *goes_on = false;
        return 1;
    }
    if (opcode >= HN_OP_PUSH0 && opcode <= HN_OP_PUSH32)
        return decode_push(d, pc);
    if (opcode == HN_OP_PC || opcode == HN_OP_CODESIZE) {
        const hn_u256 value = {{opcode == HN_OP_PC ? pc : d->code.size, 0, 0, 0}};
        hn_block_count(&d->block, opcode);
        hn_block_push(&d->block, &value);
        return 1;
    }
    if (hn_block_add(&d->block, opcode, (uint32_t)pc)) {
        hn_block_end end = d->block.end;
        *goes_on = end != HN_END_STOP && end != HN_END_LEAVE && end != HN_END_JUMP;
        close_block(d, end);
    }
    return 1;
}

static void decode_all(decoder *d)
{
    bool is_reached = true;
    for (size_t pc = 0; pc < d->code.size && d->stream.count <= d->stream.capacity;) {
        uint8_t opcode = d->code.data[pc];
        if (opcode == HN_OP_JUMPDEST) {
            pc += decode_destinations(d, pc);
            is_reached = true;
            continue;
        }
        if (!is_reached) {
            pc += 1 + hn_opcode_immediate(opcode);
            continue;
        }
        if (d->is_open && hn_block_is_full(&d->block))
            close_block(d, HN_END_FALL);
        if (!d->is_open)
            open_block(d);
        pc += decode_opcode(d, pc, &is_reached);
    }
    if (is_reached) {
        if (!d->is_open)
            open_block(d);
        close_block(d, HN_END_STOP);
    }
}

static void resolve_jumps(decoder *d)
{
    for (uint32_t index = d->stream.unresolved; index != 0;) {
        uint64_t *word = &d->stream.words[index];
        uint32_t pc = (uint32_t)*word, previous = (uint32_t)(*word >> 32);
        *word = (uint64_t)(uintptr_t)(d->stream.words + (pc < d->code.size ? d->targets[pc] : 0));
        index = previous;
    }
}

static size_t head_bytes(size_t code_size)
{
    size_t bytes = sizeof(hn_decoded) + code_size * sizeof(uint32_t);
    return (bytes + 15) / 16 * 16;
}

size_t hn_decode_room(size_t code_size)
{
    return head_bytes(code_size) + (WORDS_A_BYTE * code_size + WORDS_MORE) * sizeof(uint64_t);
}

size_t hn_decode(void *to, size_t room, hn_bytes code, const hn_gas_table *gas, const void *const *handlers)
{
    size_t head = head_bytes(code.size);
    HN_CHECK(code.size != 0 && code.size < CODE_BYTES_MAX);
    if (room < head + WORDS_MORE * sizeof(uint64_t))
        return 0;
    decoder d;
    d.code = code;
    d.gas = gas;
    d.targets = (uint32_t *)(void *)((uint8_t *)to + sizeof(hn_decoded));
    d.stream = (hn_word_stream){
        .words = (uint64_t *)(void *)((uint8_t *)to + head),
        .capacity = (room - head) / sizeof(uint64_t),
        .handlers = handlers,
    };
    d.is_open = false;
    memset(d.targets, 0, code.size * sizeof *d.targets);
    hn_append(&d.stream, hn_block_header(0, 0, ANY)); /* where bad jumps go */
    hn_append(&d.stream, handler(&d, HN_FAST_BAD_JUMP));
    size_t start = d.stream.count;
    decode_all(&d);
    if (d.stream.count > d.stream.capacity)
        return 0;
    resolve_jumps(&d);
    *(hn_decoded *)to = (hn_decoded){
        .code_size = (uint32_t)code.size,
        .count = (uint32_t)d.stream.count,
        .targets = d.targets,
        .words = d.stream.words,
        .start = d.stream.words + start,
    };
    return head + d.stream.count * sizeof(uint64_t);
}
