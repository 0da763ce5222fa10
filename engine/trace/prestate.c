/* prestateTracer: the accounts and slots that a transaction needs, as they were before it; in diff mode what
 * it changed, before and after. */
#include "engine/crypto/keccak.h"
#include "engine/trace/accounts.h"

/* What changed of an account: the members of "post". */
typedef struct change {
    bool is_any, balance, nonce, code_hash, code;
    hn_u256 new_balance;
    uint64_t new_nonce;
    hn_hash new_code_hash;
    hn_bytes new_code;
} change;

typedef struct prestate {
    hn_accounts accounts;
    bool diff;
    bool without_code;
    bool include_empty;
    change *changes; /* as many as accounts, in diff mode */
} prestate;

static void on_step(void *context, const hn_trace_step *step)
{
    hn_trace *trace = context;
    prestate *self = trace->self;
    hn_accounts_step(trace, &self->accounts, step);
}

static hn_err create(hn_trace *trace, const hn_json *config)
{
    prestate *self = hn_trace_calloc(trace, 1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_trace_option(&self->diff, config, "diffMode"));
    HN_TRY(hn_trace_option(&self->without_code, config, "disableCode"));
    HN_TRY(hn_trace_option(&self->accounts.without_storage, config, "disableStorage"));
    HN_TRY(hn_trace_option(&self->include_empty, config, "includeEmpty"));
    if (self->diff && self->include_empty)
        return hn_json_fail(config, HN_ERR_INVALID, "cannot use diffMode with includeEmpty");
    trace->self = self;
    trace->hooks = (hn_tracer){.step = on_step};
    return HN_OK;
}

static void see_authorities(hn_trace *trace, hn_accounts *accounts, const hn_transaction *transaction)
{
    for (uint32_t i = 0; i < transaction->authorization_count; i++) {
        const hn_authorization *item = &transaction->authorizations[i];
        hn_hash digest;
        hn_address authority;
        hn_authorization_signing_hash(&digest, item);
        if (item->signature.y_parity <= 1 && hn_signature_in_range(&item->signature, true) &&
            hn_signature_recover(trace->environment.signatures, &authority, &digest, &item->signature) ==
                HN_OK)
            (void)hn_accounts_see(trace, accounts, &authority);
    }
}

static void begin(hn_trace *trace, hn_state *state, const hn_signed_transaction *transaction)
{
    prestate *self = trace->self;
    hn_accounts *accounts = &self->accounts;
    accounts->state = state;
    if (transaction->transaction.is_create) {
        hn_address created;
        hn_create_address(&created, &transaction->sender,
                          hn_state_get(state, &transaction->sender)->current.nonce);
        hn_seen_account *account = hn_accounts_see(trace, accounts, &created);
        if (account != NULL)
            account->is_created = true;
    } else {
        hn_accounts_see_called(trace, accounts, &transaction->transaction.to);
    }
    (void)hn_accounts_see(trace, accounts, &transaction->sender);
    (void)hn_accounts_see(trace, accounts, &trace->environment.block->beneficiary);
    see_authorities(trace, accounts, &transaction->transaction);
}

/* Fills what changed, and hides an account of which nothing did. */
static void compare(hn_trace *trace, change *out, hn_seen_account *before)
{
    prestate *self = trace->self;
    hn_state *state = self->accounts.state;
    hn_state_account *now = hn_state_get(state, &before->address);
    const hn_code *code = hn_state_code(state, now);
    hn_bytes new_code = code != NULL ? code->bytes : hn_bytes_of(NULL, 0);
    if (before->is_deleted) {
        for (uint32_t i = 0; i < before->slot_count; i++)
            before->slots[i]->after = before->slots[i]->before;
        return;
    }
    out->balance = !hn_u256_equal(&now->current.balance, &before->balance);
    out->new_balance = now->current.balance;
    out->nonce = now->current.nonce != before->nonce;
    out->new_nonce = now->current.nonce;
    /* As geth has it, the hash of what does not exist is zero afterwards, but that of no code before. */
    out->new_code_hash = now->exists ? now->current.code_hash : (hn_hash){.b = {0}};
    out->code_hash = !hn_hash_equal(&out->new_code_hash, &before->code_hash);
    out->code = !self->without_code && !hn_bytes_equal(new_code, before->code);
    if (out->code)
        out->new_code = hn_trace_copy(trace, new_code);
    out->is_any = out->balance || out->nonce || out->code_hash || out->code;
    for (uint32_t i = 0; i < before->slot_count; i++) {
        hn_seen_slot *slot = before->slots[i];
        hn_u256 key = hn_u256_from_be(slot->key.b);
        slot->after = hn_state_get_slot(state, now, &key)->current;
        if (!hn_u256_equal(&slot->after, &slot->before))
            out->is_any = true;
    }
    before->is_hidden = !out->is_any;
}

static void end(hn_trace *trace, const hn_transaction_result *result)
{
    prestate *self = trace->self;
    hn_accounts *accounts = &self->accounts;
    (void)result;
    hn_accounts_sort(accounts);
    if (self->diff) {
        self->changes = hn_trace_calloc(trace, (size_t)accounts->count + 1, sizeof *self->changes);
        for (uint32_t i = 0; self->changes != NULL && i < accounts->count; i++)
            compare(trace, &self->changes[i], accounts->items[i]);
    }
    for (uint32_t i = 0; i < accounts->count && !self->include_empty; i++)
        if (accounts->items[i]->is_empty)
            accounts->items[i]->is_hidden = true;
}

/* --- writing
 * -------------------------------------------------------------------------------------------------- */

/* "storage", when there is a slot to show: before the transaction all that were seen, or in diff mode those
 * that changed and are not zero; after it the changed ones that are not zero. */
static void write_storage(hn_json_writer *writer, const hn_seen_account *account, bool diff, bool after)
{
    bool is_first = true;
    for (uint32_t i = 0; i < account->slot_count; i++) {
        const hn_seen_slot *slot = account->slots[i];
        const hn_u256 *value = after ? &slot->after : &slot->before;
        bool is_changed = !hn_u256_equal(&slot->after, &slot->before) || account->is_deleted;
        if (diff && !account->is_deleted && (!is_changed || hn_u256_is_zero(value)))
            continue;
        if (is_first) {
            hn_json_key(writer, "storage");
            hn_json_begin_object(writer);
            is_first = false;
        }
        hn_trace_key(writer, slot->key.b, sizeof slot->key.b);
        hn_trace_word(writer, value);
    }
    if (!is_first)
        hn_json_end_object(writer);
}

static void write_before(const prestate *self, hn_json_writer *writer, const hn_seen_account *account)
{
    hn_trace_key(writer, account->address.b, sizeof account->address.b);
    hn_json_begin_object(writer);
    hn_json_key(writer, "balance");
    hn_json_u256(writer, &account->balance);
    if (account->code.size != 0 && !self->without_code) {
        hn_json_key(writer, "code");
        hn_json_data(writer, account->code.data, account->code.size);
    }
    if (!hn_hash_equal(&account->code_hash, &hn_keccak256_of_nothing)) {
        hn_json_key(writer, "codeHash");
        hn_json_hash(writer, &account->code_hash);
    }
    if (account->nonce != 0) {
        hn_json_key(writer, "nonce");
        hn_json_decimal(writer, account->nonce);
    }
    write_storage(writer, account, self->diff, false);
    hn_json_end_object(writer);
}

static void write_after(hn_json_writer *writer, const hn_seen_account *account, const change *item)
{
    hn_trace_key(writer, account->address.b, sizeof account->address.b);
    hn_json_begin_object(writer);
    if (item->balance) {
        hn_json_key(writer, "balance");
        hn_json_u256(writer, &item->new_balance);
    }
    if (item->code) {
        hn_json_key(writer, "code");
        hn_json_data(writer, item->new_code.data, item->new_code.size);
    }
    if (item->code_hash) {
        hn_json_key(writer, "codeHash");
        hn_json_hash(writer, &item->new_code_hash);
    }
    if (item->nonce && item->new_nonce != 0) {
        hn_json_key(writer, "nonce");
        hn_json_decimal(writer, item->new_nonce);
    }
    write_storage(writer, account, true, true);
    hn_json_end_object(writer);
}

static void write(const hn_trace *trace, hn_json_writer *writer)
{
    const prestate *self = trace->self;
    const hn_accounts *accounts = &self->accounts;
    hn_json_begin_object(writer);
    if (self->diff) {
        hn_json_key(writer, "post");
        hn_json_begin_object(writer);
        for (uint32_t i = 0; i < accounts->count && self->changes != NULL; i++)
            if (self->changes[i].is_any)
                write_after(writer, accounts->items[i], &self->changes[i]);
        hn_json_end_object(writer);
        hn_json_key(writer, "pre");
        hn_json_begin_object(writer);
    }
    for (uint32_t i = 0; i < accounts->count; i++)
        if (!accounts->items[i]->is_hidden)
            write_before(self, writer, accounts->items[i]);
    if (self->diff)
        hn_json_end_object(writer);
    hn_json_end_object(writer);
}

const hn_trace_kind hn_trace_prestate_kind = {
    .name = "prestateTracer", .create = create, .begin = begin, .end = end, .write = write};
