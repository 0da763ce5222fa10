/* Calls that are run where they are asked, as long as they are short.
 *
 * Such a call runs in the exact interpreter, where a tracer sees each instruction before it is carried out,
 * and takes its price from a budget. A call that comes to the end of it is interrupted and begins anew
 * elsewhere. The gas that contracts see is not touched. */
#include "engine/evm/opcode.h"
#include "engine/evm/precompile.h"
#include "pipeline/query/engine_internal.h"

enum {
    BUDGET = 50000, /* in units of 1 to 8 ns */
    STEP_COST = 5,  /* on top of the gas: of an instruction */
    FRAME_COST = 1000,
    CODE_BYTES_A_UNIT = 4, /* looked through for jump destinations */
    KECCAK_FACTOR = 6,     /* its gas buys more time than others' */
    CALL_COST = 3000,
    STORE_COST = 1000,
    SIGNATURE_COST = 20000,
    HASH_COST = 2000,
    INPUT_BYTES_MAX = 4096,
    PRECOMPILE_INPUT_BYTES_MAX = 512,
    MEMORY_BYTES_MAX = 64 * 1024, /* that a call of a call reaches */
    RESTS = 64,
};

static void give_up(hn_query_brief *brief)
{
    brief->is_over = true;
    hn_evm_interrupt(brief->evm);
}

static void pay(hn_query_brief *brief, uint64_t cost)
{
    if (cost > brief->left)
        give_up(brief);
    else
        brief->left -= cost;
}

static bool is_far(const hn_u256 *offset, const hn_u256 *size)
{
    if (hn_u256_is_zero(size))
        return false;
    return !hn_u256_fits_64(offset) || !hn_u256_fits_64(size) || offset->w[0] > MEMORY_BYTES_MAX ||
           size->w[0] > MEMORY_BYTES_MAX;
}

/* The price of a call is mostly the gas that it hands on, so what it does to memory is looked at by itself.
 * Its four last operands are where its input and output are. */
static void pay_call_step(hn_query_brief *brief, const hn_trace_step *step, uint32_t operands)
{
    const hn_u256 *last = &step->stack[step->stack_size - operands];
    if (is_far(&last[3], &last[2]) || is_far(&last[1], &last[0]))
        give_up(brief);
    else
        pay(brief, CALL_COST);
}

static void note_step(void *self, const hn_trace_step *step)
{
    hn_query_brief *brief = self;
    if (step->status != HN_EVM_SUCCESS)
        return; /* it does nothing, and ends the frame */
    switch (step->opcode) {
    case HN_OP_CALL:
    case HN_OP_CALLCODE:
        pay_call_step(brief, step, 7);
        break;
    case HN_OP_DELEGATECALL:
    case HN_OP_STATICCALL:
        pay_call_step(brief, step, 6);
        break;
    case HN_OP_CREATE:
    case HN_OP_CREATE2:
        give_up(brief);
        break;
    case HN_OP_SSTORE: /* its gas stands for what it does to a disk */
        pay(brief, STORE_COST);
        break;
    case HN_OP_KECCAK256:
        pay(brief, STEP_COST + step->gas_cost * KECCAK_FACTOR);
        break;
    default:
        pay(brief, STEP_COST + step->gas_cost);
    }
}

static void note_enter(void *self, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    hn_query_brief *brief = self;
    (void)opcode;
    pay(brief, FRAME_COST + code.size / CODE_BYTES_A_UNIT);
    if (hn_precompile_find(&message->code_address, HN_FORK_COUNT - 1) == NULL)
        return;
    /* Signature, hashes and identity are short; the others need not be. */
    uint8_t number = message->code_address.b[sizeof message->code_address.b - 1];
    if (number == 0 || number > 4 || message->input.size > PRECOMPILE_INPUT_BYTES_MAX)
        give_up(brief);
    else
        pay(brief, number == 1 ? SIGNATURE_COST : HASH_COST);
}

static bool looks_short(const hn_query *query)
{
    const hn_call *call = &query->call;
    return query->kind == HN_QUERY_CALL && !call->is_create && call->input.size <= INPUT_BYTES_MAX &&
           call->access_list_count == 0 && call->authorization_count == 0 && query->override_count == 0 &&
           query->block_override == NULL;
}

/* What is called: a function of a contract. */
static uint8_t *rest_of(hn_query_engine *engine, const hn_query *query)
{
    const hn_call *call = &query->call;
    uint64_t hash = query->ledger;
    for (size_t i = 0; i < sizeof call->to.b; i++)
        hash = hash * UINT64_C(0x100000001b3) + call->to.b[i];
    for (size_t i = 0; i < 4 && i < call->input.size; i++)
        hash = hash * UINT64_C(0x100000001b3) + call->input.data[i];
    return &engine->brief_rests[(hash * UINT64_C(0x9e3779b97f4a7c15)) >> 56];
}

bool hn_query_run_brief(hn_query_engine *engine, hn_query *query)
{
    if (!looks_short(query))
        return false;
    uint8_t *rest = rest_of(engine, query);
    if (*rest != 0) {
        --*rest;
        return false;
    }
    hn_query_brief brief = {
        .hooks = {.self = &brief, .step = note_step, .enter = note_enter},
        .evm = engine->evm,
        .left = BUDGET,
    };
    const hn_call call = query->call;
    engine->brief = &brief;
    query->err = hn_query_run_once(engine, query);
    engine->brief = NULL;
    if (!brief.is_over)
        return true;
    *rest = RESTS;
    query->call = call;
    query->result = (hn_transaction_result){.reject = HN_REJECT_NONE};
    query->err = HN_OK;
    return false;
}
