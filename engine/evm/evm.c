#include "engine/evm/evm.h"

#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "engine/evm/machine.h"
#include "engine/evm/mapping_slots.h"

#include <stdlib.h>

enum {
    ALIGNMENT = 64,
    MEMORY_BYTES_LEAST = 1 << 16,
    FRAME_COUNT = HN_CALL_DEPTH_MAX + 2,
    SCRATCH_CHUNK_BYTES = 1 << 16,
    DELEGATION_BYTES = 23,
};

static const char *const status_texts[HN_EVM_STATUS_COUNT] = {
#define STATUS_TEXT(name, text) [HN_EVM_##name] = text,
    HN_EVM_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
};

const char *hn_evm_status_text(hn_evm_status status)
{
    HN_CHECK(status >= 0 && status < HN_EVM_STATUS_COUNT);
    return status_texts[status];
}

static void *reserve(size_t bytes)
{
    return aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

hn_err hn_evm_create(hn_evm **out, const hn_precompile_context *precompiles, size_t memory_bytes)
{
    /* A frame's stack begins at its caller's top; the deepest may still write past its own, decoded code its
     * temporary words, and one word precedes the first. */
    size_t stack_words = (size_t)(HN_CALL_DEPTH_MAX + 1) * HN_EVM_STACK_MAX + 2 + HN_DECODED_TEMPORARIES_MAX;
    hn_evm *evm = calloc(1, sizeof *evm);
    if (evm == NULL)
        return HN_ERR_NO_MEMORY;
    if (memory_bytes < MEMORY_BYTES_LEAST)
        memory_bytes = MEMORY_BYTES_LEAST;
    memory_bytes = memory_bytes / 32 * 32;
    evm->precompiles = precompiles;
    evm->patience = HN_EVM_PATIENCE_USUAL;
    evm->frames = calloc(FRAME_COUNT, sizeof *evm->frames);
    evm->stack_region = reserve(stack_words * sizeof *evm->stack_region);
    evm->memory_region = reserve(memory_bytes);
    evm->return_buffer = reserve(memory_bytes);
    hn_arena_init(&evm->scratch, SCRATCH_CHUNK_BYTES, 0);
    atomic_init(&evm->interrupted, false);
    hn_err err = hn_code_cache_create(&evm->code_cache);
    if (err != HN_OK || evm->frames == NULL || evm->stack_region == NULL || evm->memory_region == NULL ||
        evm->return_buffer == NULL) {
        hn_evm_destroy(evm);
        return HN_ERR_NO_MEMORY;
    }
    evm->memory_end = evm->memory_region + memory_bytes;
    for (int fork = 0; fork < HN_FORK_COUNT; fork++)
        hn_gas_table_make(&evm->gas_tables[fork], (hn_fork)fork);
    *out = evm;
    return HN_OK;
}

void hn_evm_destroy(hn_evm *evm)
{
    if (evm == NULL)
        return;
    hn_code_cache_destroy(&evm->code_cache);
    hn_mapping_slots_destroy(evm->mapping_slots);
    hn_arena_destroy(&evm->scratch);
    free(evm->frames);
    free(evm->stack_region);
    free(evm->memory_region);
    free(evm->return_buffer);
    free(evm);
}

void hn_evm_execute(hn_evm *evm, hn_evm_result *result, hn_state *state, const hn_evm_block *block,
                    const hn_evm_transaction *transaction, const hn_message *message, hn_tracer *tracer)
{
    HN_CHECK(message->depth == 0);
    evm->state = state;
    evm->block = block;
    evm->transaction = transaction;
    evm->tracer = tracer;
    evm->fork = block->fork;
    evm->gas = &evm->gas_tables[block->fork];
    evm->depth = 0;
    evm->frames[0].message = *message;
    evm->frames[0].checkpoint = hn_state_checkpoint_now(state);
    atomic_store(&evm->interrupted, false);
    hn_code_cache_settle(&evm->code_cache);
    hn_arena_reset(&evm->scratch);
    hn_run_frames(evm, result);
}

size_t hn_evm_foresee(hn_evm *evm, hn_evm_foreseen_slot *out, const hn_evm_call *calls, size_t count)
{
    if (evm->mapping_slots == NULL && hn_mapping_slots_create(&evm->mapping_slots) != HN_OK)
        return 0;
    return hn_mapping_slots_foresee(evm->mapping_slots, out, calls, count);
}

void hn_evm_interrupt(hn_evm *evm)
{
    atomic_store(&evm->interrupted, true);
}

void hn_evm_set_patience(hn_evm *evm, uint32_t gas)
{
    evm->patience = gas;
}

void hn_create_address(hn_address *out, const hn_address *sender, uint64_t nonce)
{
    uint8_t rlp[64];
    hn_bytes address = hn_bytes_of(sender->b, sizeof sender->b);
    uint8_t *end = hn_rlp_write_list_prefix(rlp, hn_rlp_size_of_string(address) + hn_rlp_size_of_u64(nonce));
    end = hn_rlp_write_string(end, address);
    end = hn_rlp_write_u64(end, nonce);
    hn_hash hash;
    hn_keccak256(&hash, rlp, (size_t)(end - rlp));
    memcpy(out->b, hash.b + 12, sizeof out->b);
}

void hn_create2_address(hn_address *out, const hn_address *sender, const hn_hash *salt, hn_bytes init_code)
{
    uint8_t preimage[85] = {0xff};
    hn_hash code_hash, hash;
    hn_keccak256(&code_hash, init_code.data, init_code.size);
    memcpy(preimage + 1, sender->b, sizeof sender->b);
    memcpy(preimage + 21, salt->b, sizeof salt->b);
    memcpy(preimage + 53, code_hash.b, sizeof code_hash.b);
    hn_keccak256(&hash, preimage, sizeof preimage);
    memcpy(out->b, hash.b + 12, sizeof out->b);
}

bool hn_delegation_target(hn_address *target, hn_bytes code)
{
    static const uint8_t prefix[3] = {0xef, 0x01, 0x00};
    if (code.size != DELEGATION_BYTES || memcmp(code.data, prefix, sizeof prefix) != 0)
        return false;
    memcpy(target->b, code.data + sizeof prefix, sizeof target->b);
    return true;
}
