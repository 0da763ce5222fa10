/* Entering and leaving frames: depth, value, precompiles, delegation, contract creation (yellow paper,
 * sections 7 and 8). The driver at the end runs frames until the first has ended. */
#include "engine/crypto/keccak.h"
#include "engine/evm/memory.h"

/* Decoding a byte costs about what the exact interpreter loses on so much gas. */
enum { GAS_A_CODE_BYTE = 4 };

/* A frame that ended, or never began, for a reason that leaves its gas alone. */
static hn_evm_result ended(const hn_frame *frame, hn_evm_status status)
{
    return (hn_evm_result){.status = status, .gas_left = frame->message.gas};
}

/* The host gave up, not the program: no frame may go on. */
static bool is_host_trouble(hn_evm_status status)
{
    return status == HN_EVM_INTERRUPTED || status == HN_EVM_MEMORY;
}

/* --- entering
 * ------------------------------------------------------------------------------------------------ */

static void trace_enter(hn_evm *evm, const hn_message *message, hn_bytes code)
{
    static const uint8_t opcode_of[] = {
        [HN_MESSAGE_CALL] = HN_OP_CALL,
        [HN_MESSAGE_CALLCODE] = HN_OP_CALLCODE,
        [HN_MESSAGE_DELEGATECALL] = HN_OP_DELEGATECALL,
        [HN_MESSAGE_STATICCALL] = HN_OP_STATICCALL,
        [HN_MESSAGE_CREATE] = HN_OP_CREATE,
        [HN_MESSAGE_CREATE2] = HN_OP_CREATE2,
    };
    if (evm->tracer != NULL && evm->tracer->enter != NULL)
        evm->tracer->enter(evm->tracer->self, message, opcode_of[message->kind], code);
}

/* The frame goes on in the fast interpreter, if there is room for its code to be decoded. */
static void decode(hn_evm *evm, hn_frame *frame)
{
    frame->decoded = hn_code_cache_get(&evm->code_cache, frame->code_hash, frame->code, evm->gas,
                                       hn_interpreter_handlers());
}

/* Code that was never seen waits until it has run for about as long as decoding it takes. */
static void choose_interpreter(hn_evm *evm, hn_frame *frame)
{
    uint64_t patience = evm->patience;
    if (patience == HN_EVM_PATIENCE_USUAL)
        patience = frame->code.size * GAS_A_CODE_BYTE;
    if (patience != 0 && !hn_code_cache_knows(&evm->code_cache, frame->code_hash, evm->fork)) {
        frame->patient_until = frame->gas > patience ? frame->gas - patience : 0;
        return;
    }
    decode(evm, frame);
    if (frame->decoded != NULL)
        frame->next = frame->decoded->start;
}

/* In the middle of a frame, before the JUMPDEST at its pc. */
static void switch_interpreter(hn_evm *evm, hn_frame *frame)
{
    frame->patient_until = 0;
    decode(evm, frame);
    if (frame->decoded != NULL)
        frame->next = frame->decoded->words + frame->decoded->targets[frame->pc];
}

/* Gives the frame its place in the regions and makes it the running one. `hash` is the code's; NULL for code
 * that initialises a contract, which seldom runs twice and is not worth decoding. */
static bool begin_code(hn_evm *evm, hn_frame *frame, hn_bytes code, const hn_hash *hash)
{
    uint32_t depth = frame->message.depth;
    const hn_frame *caller = depth != 0 ? frame - 1 : NULL;
    frame->code = code;
    frame->gas = frame->message.gas;
    frame->stack = caller != NULL ? caller->stack + caller->stack_size : evm->stack_region + 1;
    frame->stack_size = 0;
    frame->memory = caller != NULL ? caller->memory + caller->memory_size : evm->memory_region;
    frame->memory_size = 0;
    frame->output = hn_bytes_of(NULL, 0);
    frame->pc = 0;
    frame->decoded = NULL;
    frame->code_hash = hash;
    frame->patient_until = 0;
    if (hash != NULL && evm->tracer == NULL && !evm->exact_only)
        choose_interpreter(evm, frame);
    if (frame->decoded == NULL) {
        uint64_t bitmap_bytes = (code.size + 255) / 256 * 32;
        if (bitmap_bytes > (uint64_t)(evm->memory_end - frame->memory))
            return false;
        frame->jump_destinations = (uint64_t *)(void *)frame->memory;
        frame->jump_destinations_known = false;
        frame->memory += bitmap_bytes;
    }
    evm->depth = depth;
    return true;
}

static hn_state_account *sender_of(hn_evm *evm, const hn_frame *frame)
{
    return frame->message.depth != 0 ? (frame - 1)->self : hn_state_get(evm->state, &frame->message.sender);
}

/* DELEGATECALL hands on its caller's value without moving any; STATICCALL has none. */
static bool moves_value(hn_message_kind kind)
{
    return kind != HN_MESSAGE_DELEGATECALL && kind != HN_MESSAGE_STATICCALL;
}

/* What refuses a message before anything happens. */
static hn_evm_status check_entry(hn_evm *evm, const hn_frame *frame)
{
    const hn_message *message = &frame->message;
    if (message->depth > HN_CALL_DEPTH_MAX)
        return HN_EVM_CALL_DEPTH;
    if (atomic_load_explicit(&evm->interrupted, memory_order_relaxed))
        return HN_EVM_INTERRUPTED;
    if (moves_value(message->kind) && !hn_u256_is_zero(&message->value) &&
        hn_u256_less(&sender_of(evm, frame)->current.balance, &message->value))
        return HN_EVM_BALANCE;
    return HN_EVM_SUCCESS;
}

static void transfer(hn_evm *evm, hn_state_account *from, hn_state_account *to, const hn_u256 *value)
{
    if (!hn_u256_is_zero(value)) {
        hn_state_subtract_balance(evm->state, from, value);
        hn_state_add_balance(evm->state, to, value);
    }
}

/* Moves a call's value. A call without any touches its recipient; before EIP-161 it even brings it into
 * being. */
static void pay_call(hn_evm *evm, const hn_frame *frame)
{
    const hn_message *message = &frame->message;
    static const hn_u256 nothing;
    if (message->kind != HN_MESSAGE_CALL && message->kind != HN_MESSAGE_STATICCALL)
        return;
    if (!hn_u256_is_zero(&message->value))
        transfer(evm, sender_of(evm, frame), frame->self, &message->value);
    else if (frame->self->exists || evm->fork < HN_FORK_SPURIOUS_DRAGON)
        hn_state_add_balance(evm->state, frame->self, &nothing);
}

static hn_evm_result run_precompile(hn_evm *evm, const hn_frame *frame, const hn_precompile *precompile)
{
    hn_evm_result result = ended(frame, HN_EVM_SUCCESS);
    uint64_t cost = hn_precompile_gas(precompile, evm->fork, frame->message.input);
    if (cost > result.gas_left || cost == UINT64_MAX) {
        result = (hn_evm_result){.status = HN_EVM_OUT_OF_GAS};
    } else if (!hn_precompile_run(precompile, evm->precompiles, &result.output, &evm->scratch, evm->fork,
                                  frame->message.input)) {
        result = (hn_evm_result){.status = HN_EVM_PRECOMPILE};
    } else {
        result.gas_left -= cost;
    }
    if (result.status != HN_EVM_SUCCESS)
        hn_state_revert(evm->state, frame->checkpoint);
    return result;
}

static const hn_precompile *precompile_at(const hn_evm *evm, const hn_address *address)
{
    const hn_evm_block *block = evm->block;
    for (uint32_t i = 0; i < block->precompile_move_count; i++)
        if (hn_address_equal(&block->precompile_moves[i].address, address))
            return block->precompile_moves[i].precompile;
    return hn_precompile_find(address, evm->fork);
}

/* True: the frame has code to run. False: *result says how it ended already. */
static bool enter_call(hn_evm *evm, hn_evm_result *result, hn_frame *frame)
{
    const hn_message *message = &frame->message;
    const hn_precompile *precompile = precompile_at(evm, &message->code_address);
    const hn_code *code = NULL;
    if (precompile == NULL) {
        hn_state_account *target;
        code = hn_code_to_run(evm, &target, hn_state_get(evm->state, &message->code_address));
        if (target != NULL && message->depth == 0)
            (void)hn_state_warm(evm->state, target); /* EIP-7702: calls by opcode have paid for it instead */
    }
    trace_enter(evm, message, code != NULL ? code->bytes : hn_bytes_of(NULL, 0));
    hn_evm_status status = check_entry(evm, frame);
    if (status != HN_EVM_SUCCESS) {
        *result = ended(frame, status);
        return false;
    }
    frame->self = hn_state_get(evm->state, &message->recipient);
    frame->checkpoint = hn_state_checkpoint_now(evm->state);
    pay_call(evm, frame);
    if (precompile != NULL) {
        *result = run_precompile(evm, frame, precompile);
        return false;
    }
    if (code == NULL || code->bytes.size == 0) {
        *result = ended(frame, HN_EVM_SUCCESS);
        return false;
    }
    frame->call_data = message->input;
    if (!begin_code(evm, frame, code->bytes, &code->hash)) {
        *result = ended(frame, HN_EVM_MEMORY);
        return false;
    }
    return true;
}

/* The creator's nonce, unless the transaction did that already. */
static hn_evm_status raise_nonce(hn_evm *evm, const hn_frame *frame)
{
    if (frame->message.depth == 0)
        return HN_EVM_SUCCESS;
    hn_state_account *creator = sender_of(evm, frame);
    if (creator->current.nonce == UINT64_MAX)
        return HN_EVM_NONCE_OVERFLOW; /* EIP-2681 */
    hn_state_set_nonce(evm->state, creator, creator->current.nonce + 1);
    return HN_EVM_SUCCESS;
}

/* EIP-684 and EIP-7610: something is there already. */
static bool is_occupied(hn_evm *evm, hn_state_account *account)
{
    return account->current.nonce != 0 ||
           !hn_hash_equal(&account->current.code_hash, &hn_keccak256_of_nothing) ||
           hn_state_has_storage(evm->state, account);
}

static bool enter_create(hn_evm *evm, hn_evm_result *result, hn_frame *frame)
{
    const hn_message *message = &frame->message;
    trace_enter(evm, message, message->input);
    hn_evm_status status = check_entry(evm, frame);
    if (status == HN_EVM_SUCCESS)
        status = raise_nonce(evm, frame);
    if (status != HN_EVM_SUCCESS) {
        *result = ended(frame, status);
        return false;
    }
    frame->self = hn_state_get(evm->state, &message->recipient);
    if (evm->fork >= HN_FORK_BERLIN)
        (void)hn_state_warm(evm->state, frame->self); /* stays, even when the creation fails */
    if (is_occupied(evm, frame->self)) {
        *result = (hn_evm_result){.status = HN_EVM_COLLISION};
        return false;
    }
    frame->checkpoint = hn_state_checkpoint_now(evm->state);
    hn_state_create_contract(evm->state, frame->self, evm->fork >= HN_FORK_SPURIOUS_DRAGON ? 1 : 0);
    transfer(evm, sender_of(evm, frame), frame->self, &message->value);
    if (message->input.size == 0) {
        *result = ended(frame, HN_EVM_SUCCESS);
        result->created = message->recipient;
        return false;
    }
    frame->call_data = hn_bytes_of(NULL, 0);
    if (!begin_code(evm, frame, message->input, NULL)) {
        *result = ended(frame, HN_EVM_MEMORY);
        return false;
    }
    return true;
}

static bool enter(hn_evm *evm, hn_evm_result *result, hn_frame *frame)
{
    evm->return_data = hn_bytes_of(NULL, 0);
    return hn_is_create(frame->message.kind) ? enter_create(evm, result, frame)
                                             : enter_call(evm, result, frame);
}

/* --- leaving
 * ------------------------------------------------------------------------------------------------- */

/* Makes a creation's output the contract's code, for a price. */
static hn_evm_status deploy(hn_evm *evm, hn_frame *frame)
{
    hn_bytes code = frame->output;
    uint64_t cost = code.size * HN_GAS_CODE_BYTE;
    if (evm->fork >= HN_FORK_SPURIOUS_DRAGON && code.size > evm->block->config->contract_size_limit)
        return HN_EVM_CODE_SIZE; /* EIP-170 */
    if (evm->fork >= HN_FORK_LONDON && code.size != 0 && code.data[0] == 0xef)
        return HN_EVM_CODE_PREFIX; /* EIP-3541 */
    if (cost > frame->gas)         /* Frontier left a contract without code (EIP-2) */
        return evm->fork < HN_FORK_HOMESTEAD ? HN_EVM_SUCCESS : HN_EVM_CODE_STORE_GAS;
    frame->gas -= cost;
    if (code.size != 0)
        hn_state_set_code(evm->state, frame->self, code);
    return HN_EVM_SUCCESS;
}

static hn_evm_result leave(hn_evm *evm, hn_frame *frame, hn_outcome outcome)
{
    hn_evm_status status = outcome == HN_OUTCOME_RETURN ? HN_EVM_SUCCESS : (hn_evm_status)outcome;
    bool is_create = hn_is_create(frame->message.kind);
    if (status == HN_EVM_SUCCESS && is_create)
        status = deploy(evm, frame);
    hn_evm_result result = {.status = status};
    if (status == HN_EVM_SUCCESS || status == HN_EVM_REVERT) {
        result.gas_left = frame->gas;
        result.output = frame->output;
    }
    if (status != HN_EVM_SUCCESS)
        hn_state_revert(evm->state, frame->checkpoint);
    else if (is_create)
        result.created = frame->message.recipient;
    return result;
}

static void trace_exit(hn_evm *evm, const hn_message *message, const hn_evm_result *result)
{
    if (evm->tracer != NULL && evm->tracer->exit != NULL)
        evm->tracer->exit(evm->tracer->self, message, result, message->gas - result->gas_left);
}

/* Keeps what the call returned for RETURNDATACOPY: its memory is about to be reused. False: too large. */
static bool keep_return_data(hn_evm *evm, hn_bytes output)
{
    if (output.size > (size_t)(evm->memory_end - evm->memory_region))
        return false;
    if (output.size != 0)
        memcpy(evm->return_buffer, output.data, output.size);
    evm->return_data = hn_bytes_of(evm->return_buffer, output.size);
    hn_arena_reset(&evm->scratch);
    return true;
}

/* Gives a call's result to the frame that made it. */
static bool deliver(hn_evm *evm, hn_frame *caller, const hn_message *message, const hn_evm_result *result)
{
    bool is_success = result->status == HN_EVM_SUCCESS, is_create = hn_is_create(message->kind);
    hn_u256 *answer = &caller->stack[caller->stack_size - 1];
    caller->gas += result->gas_left;
    *answer = hn_u256_of(is_success);
    if (is_create && is_success)
        *answer = hn_u256_of_address(&result->created);
    if (!keep_return_data(evm, is_create && is_success ? hn_bytes_of(NULL, 0) : result->output))
        return false;
    size_t size = evm->return_data.size < caller->output_size ? evm->return_data.size : caller->output_size;
    if (size != 0)
        memcpy(caller->memory + caller->output_offset, evm->return_data.data, size);
    return true;
}

/* --- driving
 * ------------------------------------------------------------------------------------------------- */

/* Ends all frames that are still there, from the running one down, with the host's trouble. */
static void abandon(hn_evm *evm, hn_evm_result *result, hn_evm_status status)
{
    *result = (hn_evm_result){.status = status};
    for (uint32_t depth = evm->depth + 1; depth-- > 0;) {
        const hn_frame *frame = &evm->frames[depth];
        hn_state_revert(evm->state, frame->checkpoint);
        trace_exit(evm, &frame->message, result);
    }
}

void hn_run_frames(hn_evm *evm, hn_evm_result *result)
{
    hn_evm_result ending;
    if (!enter(evm, &ending, &evm->frames[0])) {
        if (is_host_trouble(ending.status)) {
            hn_state_revert(evm->state, evm->frames[0].checkpoint);
            ending.gas_left = 0;
        }
        trace_exit(evm, &evm->frames[0].message, &ending);
        *result = ending;
        return;
    }
    for (;;) {
        hn_frame *frame = hn_current_frame(evm);
        const hn_frame *done = frame;
        hn_outcome outcome =
            frame->decoded != NULL ? hn_interpret(evm, frame) : hn_interpret_exactly(evm, frame);
        if (outcome == HN_OUTCOME_DECODE) {
            switch_interpreter(evm, frame);
            continue;
        }
        if (outcome == HN_OUTCOME_CALL) {
            if (enter(evm, &ending, frame + 1))
                continue;
            done = frame + 1;
        } else if (is_host_trouble((hn_evm_status)outcome)) {
            abandon(evm, result, (hn_evm_status)outcome);
            return;
        } else {
            ending = leave(evm, frame, outcome);
        }
        trace_exit(evm, &done->message, &ending);
        if (is_host_trouble(ending.status)) {
            abandon(evm, result, ending.status);
            return;
        }
        if (done->message.depth == 0) {
            *result = ending;
            return;
        }
        evm->depth = done->message.depth - 1;
        if (!deliver(evm, hn_current_frame(evm), &done->message, &ending)) {
            abandon(evm, result, HN_EVM_MEMORY);
            return;
        }
    }
}
