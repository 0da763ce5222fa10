/* prestateTracerLegacy: as geth's first, a script, which looked when the transaction had begun and reckoned
 * back what it had paid. */
#include "engine/evm/opcode.h"
#include "engine/trace/accounts.h"

typedef struct legacy_prestate {
    hn_accounts accounts;
    hn_transaction transaction; /* the members that are reckoned back */
    hn_address from, to;
    bool has_begun;
} legacy_prestate;

static void on_step(void *context, const hn_trace_step *step)
{
    hn_trace *trace = context;
    legacy_prestate *self = trace->self;
    if (!self->has_begun)
        (void)hn_accounts_see(trace, &self->accounts, step->address);
    self->has_begun = true;
    if (step->opcode != HN_OP_SELFDESTRUCT)
        hn_accounts_step(trace, &self->accounts, step);
}

static void on_enter(void *context, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    hn_trace *trace = context;
    legacy_prestate *self = trace->self;
    (void)opcode;
    (void)code;
    if (message->depth == 0)
        self->to = message->recipient;
}

static hn_err create(hn_trace *trace, const hn_json *config)
{
    (void)config;
    trace->self = hn_trace_calloc(trace, 1, sizeof(legacy_prestate));
    trace->hooks = (hn_tracer){.step = on_step, .enter = on_enter};
    return trace->self != NULL ? HN_OK : HN_ERR_NO_MEMORY;
}

static void begin(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction)
{
    legacy_prestate *self = trace->self;
    self->accounts.state = state;
    self->transaction = transaction->transaction;
    self->from = transaction->sender;
}

static void end(hn_trace *trace, const hn_transaction_result *result)
{
    legacy_prestate *self = trace->self;
    hn_seen_account *to = hn_accounts_see(trace, &self->accounts, &self->to);
    hn_seen_account *from = hn_accounts_see(trace, &self->accounts, &self->from);
    if (to == NULL || from == NULL)
        return;
    const hn_u256 *base_fee = &trace->environment.block->base_fee;
    hn_u256 price = hn_transaction_effective_gas_price(&self->transaction, base_fee);
    hn_u256 gas = hn_u256_of(result->gas_used);
    hn_u256 fee = hn_u256_mul(&gas, &price);
    to->balance = hn_u256_sub(&to->balance, &self->transaction.value);
    from->balance = hn_u256_add(&from->balance, &self->transaction.value);
    from->balance = hn_u256_add(&from->balance, &fee);
    from->nonce--;
    to->is_hidden = self->transaction.is_create;
    hn_accounts_sort(&self->accounts);
}

static void write_account(hn_json_writer *writer, const hn_seen_account *account)
{
    hn_trace_key(writer, account->address.b, sizeof account->address.b);
    hn_json_begin_object(writer);
    hn_json_key(writer, "balance");
    hn_json_u256(writer, &account->balance);
    hn_json_key(writer, "nonce");
    hn_json_decimal(writer, account->nonce);
    hn_json_key(writer, "code");
    hn_json_data(writer, account->code.data, account->code.size);
    hn_json_key(writer, "storage");
    hn_json_begin_object(writer);
    for (uint32_t i = 0; i < account->slot_count; i++) {
        hn_trace_key(writer, account->slots[i]->key.b, sizeof account->slots[i]->key.b);
        hn_trace_word(writer, &account->slots[i]->before);
    }
    hn_json_end_object(writer);
    hn_json_end_object(writer);
}

static void write(const hn_trace *trace, hn_json_writer *writer)
{
    const legacy_prestate *self = trace->self;
    hn_json_begin_object(writer);
    for (uint32_t i = 0; i < self->accounts.count; i++)
        if (!self->accounts.items[i]->is_hidden)
            write_account(writer, self->accounts.items[i]);
    hn_json_end_object(writer);
}

const hn_trace_kind hn_trace_legacy_prestate_kind = {
    .name = "prestateTracerLegacy", .create = create, .begin = begin, .end = end, .write = write};
