/* Memory, copying, hashing, logs. */
#include "engine/crypto/keccak.h"
#include "engine/evm/instruction.h"
#include "engine/evm/mapping_slots.h"

void hn_memory_copy_in(hn_frame *frame, const hn_u256 *offset, hn_bytes source, const hn_u256 *source_offset,
                       const hn_u256 *size)
{
    if (hn_u256_is_zero(size))
        return;
    uint8_t *to = frame->memory + offset->w[0];
    size_t copied = 0;
    if (hn_u256_fits_64(source_offset) && source_offset->w[0] < source.size) {
        copied = source.size - source_offset->w[0];
        if (copied > size->w[0])
            copied = size->w[0];
        memcpy(to, source.data + source_offset->w[0], copied);
    }
    memset(to + copied, 0, size->w[0] - copied);
}

/* Growth for `size` bytes at `offset`, plus `word_cost` for each word of them. */
static uint64_t range_cost(hn_frame *frame, const hn_u256 *offset, const hn_u256 *size, uint64_t word_cost)
{
    uint64_t growth = hn_memory_growth_cost(frame, hn_memory_end(offset, size));
    return growth == UINT64_MAX ? growth : growth + hn_words_of(size->w[0]) * word_cost;
}

HN_COST(memory_word)
{
    (void)evm;
    const hn_u256 size = hn_u256_of(32);
    return range_cost(frame, &top[0], &size, 0);
}

HN_COST(memory_byte)
{
    (void)evm;
    const hn_u256 size = hn_u256_of(1);
    return range_cost(frame, &top[0], &size, 0);
}

HN_COST(memory_range)
{
    (void)evm;
    return range_cost(frame, &top[0], &top[-1], 0);
}

HN_COST(keccak256)
{
    (void)evm;
    return range_cost(frame, &top[0], &top[-1], HN_GAS_KECCAK_WORD);
}

HN_COST(copy)
{
    (void)evm;
    return range_cost(frame, &top[0], &top[-2], HN_GAS_COPY_WORD);
}

HN_COST(mcopy)
{
    (void)evm;
    const hn_u256 *further = hn_u256_less(&top[0], &top[-1]) ? &top[-1] : &top[0];
    return range_cost(frame, further, &top[-2], HN_GAS_COPY_WORD);
}

HN_COST(log)
{
    (void)evm;
    uint64_t growth = hn_memory_growth_cost(frame, hn_memory_end(&top[0], &top[-1]));
    return growth == UINT64_MAX ? growth : growth + top[-1].w[0] * HN_GAS_LOG_BYTE;
}

HN_RUN(mload)
{
    (void)evm;
    top[0] = hn_u256_from_be(frame->memory + top[0].w[0]);
    return HN_OUTCOME_NEXT;
}

HN_RUN(mstore)
{
    (void)evm;
    hn_u256_to_be(frame->memory + top[0].w[0], &top[-1]);
    return HN_OUTCOME_NEXT;
}

HN_RUN(mstore8)
{
    (void)evm;
    frame->memory[top[0].w[0]] = (uint8_t)top[-1].w[0];
    return HN_OUTCOME_NEXT;
}

HN_RUN(mcopy)
{
    (void)evm;
    if (!hn_u256_is_zero(&top[-2]))
        memmove(frame->memory + top[0].w[0], frame->memory + top[-1].w[0], top[-2].w[0]);
    return HN_OUTCOME_NEXT;
}

/* Two words that a mapping's entry may be at: perhaps they were foreseen. */
static bool is_foreseen(hn_evm *evm, hn_u256 *out, hn_bytes input)
{
    const hn_hash *hash = hn_mapping_slots_find(evm->mapping_slots, input.data);
    if (hash != NULL) {
        *out = hn_u256_from_be(hash->b);
        return true;
    }
    const hn_message *message = &evm->frames[0].message;
    hn_evm_call call = {
        .sender = &message->sender, .recipient = &message->recipient, .input = message->input};
    hn_mapping_slots_learn(evm->mapping_slots, &call, input.data);
    return false;
}

HN_RUN(keccak256)
{
    hn_bytes range = hn_memory_range(frame, &top[0], &top[-1]);
    if (range.size == HN_MAPPING_INPUT_BYTES && evm->mapping_slots != NULL &&
        is_foreseen(evm, &top[-1], range))
        return HN_OUTCOME_NEXT;
    hn_hash hash;
    hn_keccak256(&hash, range.data, range.size);
    top[-1] = hn_u256_from_be(hash.b);
    return HN_OUTCOME_NEXT;
}

HN_RUN(calldatacopy)
{
    (void)evm;
    hn_memory_copy_in(frame, &top[0], frame->call_data, &top[-1], &top[-2]);
    return HN_OUTCOME_NEXT;
}

HN_RUN(codecopy)
{
    (void)evm;
    hn_memory_copy_in(frame, &top[0], frame->code, &top[-1], &top[-2]);
    return HN_OUTCOME_NEXT;
}

/* EIP-211: unlike the other copies, reading past the end fails. */
HN_RUN(returndatacopy)
{
    const hn_u256 *from = &top[-1], *size = &top[-2];
    if (!hn_u256_fits_64(from) || !hn_u256_fits_64(size) || from->w[0] > evm->return_data.size ||
        size->w[0] > evm->return_data.size - from->w[0])
        return HN_EVM_RETURN_DATA_BOUNDS;
    hn_memory_copy_in(frame, &top[0], evm->return_data, from, size);
    return HN_OUTCOME_NEXT;
}

HN_RUN(log)
{
    if (frame->message.is_static)
        return HN_EVM_STATIC_VIOLATION;
    hn_log log = {
        .address = frame->message.recipient,
        .topic_count = (uint32_t)(frame->code.data[frame->pc] - HN_OP_LOG0),
        .data = hn_memory_range(frame, &top[0], &top[-1]),
    };
    for (uint32_t i = 0; i < log.topic_count; i++)
        hn_u256_to_be(log.topics[i].b, &top[-2 - (int)i]);
    hn_state_emit_log(evm->state, &log);
    if (evm->tracer != NULL && evm->tracer->log != NULL)
        evm->tracer->log(evm->tracer->self, &log);
    return HN_OUTCOME_NEXT;
}
