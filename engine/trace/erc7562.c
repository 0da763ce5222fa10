/* erc7562Tracer: the tree of calls with what each frame did that the validation rules of account abstraction
 * (ERC-7562) ask about: opcodes, slots, code sizes, and the preimages of hashes. */
#include "engine/evm/machine.h"
#include "engine/evm/opcode.h"
#include "engine/trace/frames.h"
#include "engine/trace/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* One slot: what was read first, or how often it was written or read. */
typedef struct slot_use {
    hn_hash key;
    hn_u256 value;
    uint64_t count;
    struct slot_use *next;
} slot_use;

enum { READS, WRITES, TRANSIENT_READS, TRANSIENT_WRITES, USES };

typedef struct code_use {
    hn_address address;
    size_t size;
    uint8_t opcode; /* the first that asked */
    struct code_use *next;
} code_use;

/* hn_call_frame.extra */
typedef struct frame_use {
    slot_use *slots[USES];
    code_use *sizes;                  /* EXTCODE* and calls, each address once */
    code_use *accesses, *last_access; /* EXTCODE*, all of them */
    uint64_t opcodes[256];
    bool out_of_gas;
} frame_use;

typedef struct preimage {
    hn_bytes bytes;
    struct preimage *next;
} preimage;

typedef struct erc7562 {
    hn_frames frames; /* first: hn_frames_hooks */
    bool is_ignored[256];
    bool has_last;
    uint8_t last_opcode;
    hn_address last_address; /* its topmost operand */
    preimage *preimages;
    size_t preimage_count;
} erc7562;

/* What a frame's code may do without being counted: stack, arithmetic, comparison. */
static const uint8_t ignored_by_default[] = {
    HN_OP_POP, HN_OP_ADD, HN_OP_SUB, HN_OP_MUL, HN_OP_DIV, HN_OP_EQ, HN_OP_LT,  HN_OP_GT,
    HN_OP_SLT, HN_OP_SGT, HN_OP_SHL, HN_OP_SHR, HN_OP_AND, HN_OP_OR, HN_OP_NOT, HN_OP_ISZERO,
};

static bool reads_code(uint8_t opcode)
{
    return opcode == HN_OP_EXTCODEHASH || opcode == HN_OP_EXTCODESIZE || opcode == HN_OP_EXTCODECOPY;
}

static bool is_call(uint8_t opcode)
{
    return opcode == HN_OP_CALL || opcode == HN_OP_CALLCODE || opcode == HN_OP_DELEGATECALL ||
           opcode == HN_OP_STATICCALL;
}

static frame_use *use_of(hn_trace *trace, hn_call_frame *frame)
{
    if (frame->extra == NULL)
        frame->extra = hn_trace_calloc(trace, 1, sizeof(frame_use));
    return frame->extra;
}

static slot_use *find_slot(slot_use *first, const hn_hash *key)
{
    while (first != NULL && !hn_hash_equal(&first->key, key))
        first = first->next;
    return first;
}

static void use_slot(hn_trace *trace, frame_use *use, const hn_trace_step *step)
{
    static const struct {
        uint8_t opcode, use;
    } kinds[] = {{HN_OP_SLOAD, READS},
                 {HN_OP_SSTORE, WRITES},
                 {HN_OP_TLOAD, TRANSIENT_READS},
                 {HN_OP_TSTORE, TRANSIENT_WRITES}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].opcode != step->opcode)
            continue;
        const hn_u256 *key = &step->stack[step->stack_size - 1];
        hn_hash bytes;
        hn_u256_to_be(bytes.b, key);
        slot_use *slot = find_slot(use->slots[kinds[i].use], &bytes);
        bool is_read = kinds[i].use == READS;
        if (slot == NULL && (!is_read || find_slot(use->slots[WRITES], &bytes) == NULL)) {
            slot = hn_trace_calloc(trace, 1, sizeof *slot);
            if (slot == NULL)
                return;
            slot->key = bytes;
            slot->next = use->slots[kinds[i].use];
            use->slots[kinds[i].use] = slot;
            if (is_read)
                slot->value =
                    hn_state_get_slot(step->state, hn_state_get(step->state, step->address), key)->current;
        }
        if (slot != NULL)
            slot->count++;
    }
}

static void use_size(hn_trace *trace, frame_use *use, const hn_trace_step *step)
{
    if (!reads_code(step->opcode) && !is_call(step->opcode))
        return;
    const hn_u256 *top = &step->stack[step->stack_size - 1];
    hn_address address = hn_address_of_u256(is_call(step->opcode) ? top - 1 : top);
    for (code_use *item = use->sizes; item != NULL; item = item->next)
        if (hn_address_equal(&item->address, &address))
            return;
    code_use *item = hn_trace_calloc(trace, 1, sizeof *item);
    if (item == NULL)
        return;
    const hn_code *code = hn_state_code(step->state, hn_state_get(step->state, &address));
    *item = (code_use){.address = address,
                       .size = code != NULL ? code->bytes.size : 0,
                       .opcode = step->opcode,
                       .next = use->sizes};
    use->sizes = item;
}

/* The instruction before read code; EXTCODESIZE right before ISZERO only asks whether there is any. */
static void use_access(hn_trace *trace, const erc7562 *self, frame_use *use, uint8_t opcode)
{
    if (!reads_code(self->last_opcode) || (self->last_opcode == HN_OP_EXTCODESIZE && opcode == HN_OP_ISZERO))
        return;
    code_use *item = hn_trace_calloc(trace, 1, sizeof *item);
    if (item == NULL)
        return;
    item->address = self->last_address;
    if (use->accesses == NULL)
        use->accesses = item;
    else
        use->last_access->next = item;
    use->last_access = item;
}

static void keep_preimage(hn_trace *trace, erc7562 *self, const hn_trace_step *step)
{
    hn_bytes bytes;
    const hn_u256 *top = &step->stack[step->stack_size - 1];
    if (!hn_trace_memory(trace, &bytes, step, &top[0], &top[-1]))
        return;
    for (const preimage *item = self->preimages; item != NULL; item = item->next)
        if (hn_bytes_equal(item->bytes, bytes))
            return;
    preimage *item = hn_trace_calloc(trace, 1, sizeof *item);
    if (item == NULL)
        return;
    *item = (preimage){.bytes = bytes, .next = self->preimages};
    self->preimages = item;
    self->preimage_count++;
}

static void on_step(void *context, const hn_trace_step *step)
{
    hn_trace *trace = context;
    erc7562 *self = trace->self;
    hn_failure_watch_step(&self->frames.watch, step);
    frame_use *use = self->frames.current != NULL ? use_of(trace, self->frames.current) : NULL;
    uint8_t opcode = step->opcode;
    if (use == NULL || trace->has_failed || !hn_trace_has_operands(step))
        return;
    if (opcode == HN_OP_REVERT || opcode == HN_OP_RETURN)
        self->has_last = false;
    if (self->has_last)
        use_access(trace, self, use, opcode);
    use_size(trace, use, step);
    if (self->has_last && self->last_opcode == HN_OP_GAS && !is_call(opcode))
        use->opcodes[HN_OP_GAS]++;
    if (opcode != HN_OP_GAS && !self->is_ignored[opcode])
        use->opcodes[opcode]++;
    use_slot(trace, use, step);
    if (opcode == HN_OP_KECCAK256)
        keep_preimage(trace, self, step);
    self->has_last = true;
    self->last_opcode = opcode;
    if (step->stack_size != 0)
        self->last_address = hn_address_of_u256(&step->stack[step->stack_size - 1]);
}

static void on_exit_frame(void *context, const hn_message *message, const hn_evm_result *result,
                          uint64_t gas_used)
{
    hn_trace *trace = context;
    erc7562 *self = trace->self;
    frame_use *use = self->frames.current != NULL ? use_of(trace, self->frames.current) : NULL;
    if (use != NULL && message->depth != 0)
        use->out_of_gas = result->status == HN_EVM_OUT_OF_GAS || result->status == HN_EVM_CODE_STORE_GAS;
    hn_frames_exit(trace, &self->frames, message, result, gas_used);
}

static hn_err create(hn_trace *trace, const hn_json *config)
{
    erc7562 *self = hn_trace_calloc(trace, 1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_trace_option(&self->frames.with_logs, config, "withLog"));
    hn_json list;
    if (config != NULL && hn_json_find(&list, config, "ignoredOpcodes")) {
        for (size_t i = 0; i < hn_json_size(&list); i++) {
            hn_json item = hn_json_at(&list, i);
            uint64_t opcode;
            HN_TRY(hn_json_read_number_u64(&opcode, &item));
            self->is_ignored[opcode & 0xff] = true;
        }
    } else {
        for (unsigned opcode = HN_OP_PUSH0; opcode <= HN_OP_SWAP16; opcode++)
            self->is_ignored[opcode] = true;
        for (size_t i = 0; i < sizeof ignored_by_default; i++)
            self->is_ignored[ignored_by_default[i]] = true;
    }
    trace->self = self;
    trace->hooks = hn_frames_hooks();
    trace->hooks.step = on_step;
    trace->hooks.exit = on_exit_frame;
    return HN_OK;
}

static void begin(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction)
{
    erc7562 *self = trace->self;
    hn_frames_begin(&self->frames, state, transaction);
}

static void end(hn_trace *trace, const hn_transaction_result *result)
{
    erc7562 *self = trace->self;
    hn_frames_end(&self->frames, result);
}

/* --- writing
 * -------------------------------------------------------------------------------------------------- */

static void write_slots(hn_json_writer *writer, const frame_use *use)
{
    static const char *const names[USES] = {"reads", "writes", "transientReads", "transientWrites"};
    hn_json_key(writer, "accessedSlots");
    hn_json_begin_object(writer);
    for (size_t i = 0; i < USES; i++) {
        hn_json_key(writer, names[i]);
        hn_json_begin_object(writer);
        for (const slot_use *slot = use->slots[i]; slot != NULL; slot = slot->next) {
            hn_trace_key(writer, slot->key.b, sizeof slot->key.b);
            if (i == READS) {
                hn_json_begin_array(writer);
                hn_trace_word(writer, &slot->value);
                hn_json_end_array(writer);
            } else {
                hn_json_decimal(writer, slot->count);
            }
        }
        hn_json_end_object(writer);
    }
    hn_json_end_object(writer);
}

static void write_codes(hn_json_writer *writer, const frame_use *use)
{
    hn_json_key(writer, "extCodeAccessInfo");
    hn_json_begin_array(writer);
    for (const code_use *item = use->accesses; item != NULL; item = item->next)
        hn_json_address(writer, &item->address);
    hn_json_end_array(writer);
    hn_json_key(writer, "usedOpcodes");
    hn_json_begin_object(writer);
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        char key[8];
        snprintf(key, sizeof key, "0x%x", opcode);
        if (use->opcodes[opcode] == 0)
            continue;
        hn_json_key(writer, key);
        hn_json_decimal(writer, use->opcodes[opcode]);
    }
    hn_json_end_object(writer);
    hn_json_key(writer, "contractSize");
    hn_json_begin_object(writer);
    for (const code_use *item = use->sizes; item != NULL; item = item->next) {
        hn_trace_key(writer, item->address.b, sizeof item->address.b);
        hn_json_begin_object(writer);
        hn_json_key(writer, "contractSize");
        hn_json_decimal(writer, item->size);
        hn_json_key(writer, "opcode");
        hn_json_decimal(writer, item->opcode);
        hn_json_end_object(writer);
    }
    hn_json_end_object(writer);
    hn_json_key(writer, "outOfGas");
    hn_json_bool(writer, use->out_of_gas);
}

static int compare_preimages(const void *left, const void *right)
{
    const hn_bytes *one = left, *other = right;
    size_t size = one->size < other->size ? one->size : other->size;
    int order = size != 0 ? memcmp(one->data, other->data, size) : 0;
    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

static void write_preimages(const hn_trace *trace, hn_json_writer *writer)
{
    const erc7562 *self = trace->self;
    hn_bytes *sorted = hn_arena_calloc(trace->environment.arena, self->preimage_count + 1, sizeof *sorted);
    size_t count = 0;
    if (sorted == NULL) {
        writer->has_failed = true;
        return;
    }
    for (const preimage *item = self->preimages; item != NULL; item = item->next)
        sorted[count++] = item->bytes;
    if (count == 0)
        return;
    qsort(sorted, count, sizeof *sorted, compare_preimages);
    hn_json_key(writer, "keccak");
    hn_json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        hn_json_data(writer, sorted[i].data, sorted[i].size);
    hn_json_end_array(writer);
}

static void write_head(const hn_trace *trace, hn_json_writer *writer, const hn_call_frame *frame)
{
    static const frame_use nothing;
    const frame_use *use = frame->extra != NULL ? frame->extra : &nothing;
    hn_json_begin_object(writer);
    hn_frames_write_head(frame, writer);
    hn_frames_write_logs(frame, writer);
    write_slots(writer, use);
    write_codes(writer, use);
    if (frame->parent == NULL)
        write_preimages(trace, writer);
}

static void close_frame(hn_json_writer *writer, const hn_call_frame *frame)
{
    if (frame->calls != NULL)
        hn_json_end_array(writer);
    hn_frames_write_tail(frame, writer);
    hn_json_end_object(writer);
}

static void write(const hn_trace *trace, hn_json_writer *writer)
{
    const erc7562 *self = trace->self;
    const hn_call_frame *frame = self->frames.root;
    if (frame == NULL) {
        hn_json_null(writer);
        return;
    }
    for (;;) {
        write_head(trace, writer, frame);
        if (frame->calls != NULL) {
            hn_json_key(writer, "calls");
            hn_json_begin_array(writer);
            frame = frame->calls;
            continue;
        }
        close_frame(writer, frame);
        while (frame->next == NULL && frame->parent != NULL) {
            frame = frame->parent;
            close_frame(writer, frame);
        }
        if (frame->next == NULL)
            return;
        frame = frame->next;
    }
}

const hn_trace_kind hn_trace_erc7562_kind = {
    .name = "erc7562Tracer", .create = create, .begin = begin, .end = end, .write = write};
