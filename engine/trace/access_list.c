#include "engine/trace/access_list.h"

#include "engine/evm/opcode.h"
#include "engine/evm/precompile.h"
#include "engine/evm/tracer.h"

#include <stdlib.h>

enum {
    ROUNDS_MAX = 64,
    FIRST_CAPACITY = 16,
};

/* One account, or one slot of it. */
typedef struct touched {
    hn_address address;
    bool is_slot;
    hn_hash key;
} touched;

typedef struct collector {
    hn_arena *arena;
    touched *items;
    size_t count;
    size_t capacity;
    bool has_failed;
    hn_fork fork;
    hn_address sender;
    hn_address recipient;
    const hn_authorization *authorizations;
    uint32_t authorization_count;
    const hn_address *authorities; /* who signed them; zero: nobody */
} collector;

/* Which of its operands, from the top, an instruction takes for an address; 0: none. */
static const uint8_t address_operand[256] = {
    [HN_OP_BALANCE] = 1,     [HN_OP_EXTCODESIZE] = 1,  [HN_OP_EXTCODECOPY] = 1,
    [HN_OP_EXTCODEHASH] = 1, [HN_OP_SELFDESTRUCT] = 1, [HN_OP_CALL] = 2,
    [HN_OP_CALLCODE] = 2,    [HN_OP_DELEGATECALL] = 2, [HN_OP_STATICCALL] = 2,
};

static int compare(const void *left, const void *right)
{
    const touched *a = left, *b = right;
    int order = memcmp(a->address.b, b->address.b, sizeof a->address.b);
    if (order != 0 || a->is_slot != b->is_slot)
        return order != 0 ? order : (int)a->is_slot - (int)b->is_slot;
    return memcmp(a->key.b, b->key.b, sizeof a->key.b);
}

static void add(collector *self, const touched *item)
{
    for (size_t i = 0; i < self->count; i++)
        if (compare(&self->items[i], item) == 0)
            return;
    if (self->count == self->capacity) {
        size_t capacity = self->capacity == 0 ? FIRST_CAPACITY : 2 * self->capacity;
        touched *items = hn_arena_alloc(self->arena, capacity * sizeof *items);
        if (items == NULL) {
            self->has_failed = true;
            return;
        }
        if (self->count != 0)
            memcpy(items, self->items, self->count * sizeof *items);
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->count++] = *item;
}

static bool is_warm_anyway(const collector *self, const hn_address *address)
{
    if (hn_address_equal(address, &self->sender) || hn_address_equal(address, &self->recipient) ||
        hn_precompile_find(address, self->fork) != NULL)
        return true;
    for (uint32_t i = 0; i < self->authorization_count; i++)
        if (hn_address_equal(address, &self->authorities[i]))
            return true;
    return false;
}

static void on_step(void *context, const hn_trace_step *step)
{
    collector *self = context;
    touched item = {.is_slot = step->opcode == HN_OP_SLOAD || step->opcode == HN_OP_SSTORE};
    unsigned operand = address_operand[step->opcode];
    if (self->has_failed)
        return;
    if (item.is_slot && step->stack_size != 0) {
        item.address = *step->address;
        hn_u256_to_be(item.key.b, &step->stack[step->stack_size - 1]);
        add(self, &item);
    } else if (operand != 0 && step->stack_size >= operand) {
        hn_hash word;
        hn_u256_to_be(word.b, &step->stack[step->stack_size - operand]);
        memcpy(item.address.b, word.b + sizeof word.b - sizeof item.address.b, sizeof item.address.b);
        if (!is_warm_anyway(self, &item.address))
            add(self, &item);
    }
}

/* What was touched, as an access list. */
static hn_err make_list(hn_access_list *out, collector *self)
{
    hn_access_entry *entries = hn_arena_calloc(self->arena, self->count + 1, sizeof *entries);
    hn_hash *keys = hn_arena_calloc(self->arena, self->count + 1, sizeof *keys);
    if (self->has_failed || entries == NULL || keys == NULL)
        return HN_ERR_NO_MEMORY;
    if (self->count != 0)
        qsort(self->items, self->count, sizeof *self->items, compare);
    uint32_t count = 0;
    for (size_t i = 0; i < self->count; i++) {
        const touched *item = &self->items[i];
        if (count == 0 || !hn_address_equal(&entries[count - 1].address, &item->address))
            entries[count++] = (hn_access_entry){.address = item->address, .keys = keys};
        if (item->is_slot) {
            *keys++ = item->key;
            entries[count - 1].key_count++;
        }
    }
    *out = (hn_access_list){.entries = entries, .count = count};
    return HN_OK;
}

static bool lists_equal(const hn_access_list *left, const hn_access_list *right)
{
    if (left->count != right->count)
        return false;
    for (uint32_t i = 0; i < left->count; i++) {
        const hn_access_entry *a = &left->entries[i], *b = &right->entries[i];
        if (!hn_address_equal(&a->address, &b->address) || a->key_count != b->key_count ||
            (a->key_count != 0 && memcmp(a->keys, b->keys, a->key_count * sizeof *a->keys) != 0))
            return false;
    }
    return true;
}

/* What the caller brought is kept, but for what is warm anyway. */
static void add_given(collector *self, const hn_call *call)
{
    for (uint32_t i = 0; i < call->access_list_count; i++) {
        const hn_access_entry *entry = &call->access_list[i];
        touched item = {.address = entry->address};
        if (!is_warm_anyway(self, &item.address))
            add(self, &item);
        item.is_slot = true;
        for (uint32_t k = 0; k < entry->key_count; k++) {
            item.key = entry->keys[k];
            add(self, &item);
        }
    }
}

static hn_err find_authorities(hn_block_context *context, collector *self)
{
    hn_address *authorities =
        hn_arena_calloc(context->arena, self->authorization_count + (size_t)1, sizeof *authorities);
    if (authorities == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < self->authorization_count; i++) {
        const hn_signature *signature = &self->authorizations[i].signature;
        hn_hash digest;
        hn_authorization_signing_hash(&digest, &self->authorizations[i]);
        if (signature->y_parity > 1 || !hn_signature_in_range(signature, true) ||
            hn_signature_recover(context->signatures, &authorities[i], &digest, signature) != HN_OK)
            authorities[i] = (hn_address){{0}};
    }
    self->authorities = authorities;
    return HN_OK;
}

static hn_err begin(hn_block_context *context, collector *self, const hn_call *call)
{
    *self = (collector){
        .arena = context->arena,
        .fork = context->block.fork,
        .sender = call->from,
        .recipient = call->to,
        .authorizations = call->authorizations,
        .authorization_count = call->authorization_count,
    };
    if (call->is_create)
        hn_create_address(&self->recipient, &call->from,
                          hn_state_get(context->state, &call->from)->current.nonce);
    HN_TRY(find_authorities(context, self));
    add_given(self, call);
    return HN_OK;
}

/* A run with `list`, whose effects are taken back; *next is what it touched. */
static hn_err run_once(hn_block_context *context, hn_access_list *next, hn_transaction_result *result,
                       collector *self, const hn_call *call, const hn_access_list *list)
{
    hn_call with_list = *call;
    with_list.access_list = list->entries;
    with_list.access_list_count = list->count;
    hn_tracer tracer = {.self = self, .step = on_step};
    hn_tracer *before = context->tracer;
    hn_state_checkpoint checkpoint = hn_state_checkpoint_now(context->state);
    context->tracer = &tracer;
    hn_err err = hn_call_run(context, result, &with_list);
    context->tracer = before;
    hn_state_revert(context->state, checkpoint);
    if (err == HN_OK && result->reject == HN_REJECT_NONE && result->status == HN_EVM_INTERRUPTED)
        return HN_ERR_TIMEOUT;
    return err == HN_OK ? make_list(next, self) : err;
}

hn_err hn_access_list_of_call(hn_block_context *context, hn_access_list *out, hn_transaction_result *result,
                              const hn_call *call)
{
    collector self;
    hn_access_list list;
    hn_err err = HN_ERR_LIMIT;
    hn_state_keep_block_journal(context->state, true);
    HN_TRY(begin(context, &self, call));
    HN_TRY(make_list(&list, &self));
    for (unsigned round = 0; round < ROUNDS_MAX && err == HN_ERR_LIMIT; round++) {
        hn_access_list next;
        HN_TRY(begin(context, &self, call));
        hn_err run_err = run_once(context, &next, result, &self, call, &list);
        if (run_err != HN_OK)
            err = run_err;
        else if (result->reject != HN_REJECT_NONE || lists_equal(&list, &next))
            err = HN_OK;
        else
            list = next;
    }
    hn_state_keep_block_journal(context->state, false);
    if (err == HN_OK)
        *out = list;
    return err;
}
