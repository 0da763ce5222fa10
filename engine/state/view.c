#include "engine/state/view.h"

static bool no_account(void *self, hn_account *out, const hn_address *address)
{
    (void)self, (void)out, (void)address;
    return false;
}

static void no_storage(void *self, hn_u256 *out, const hn_address *address, const hn_u256 *key)
{
    (void)self, (void)address, (void)key;
    *out = hn_u256_of(0);
}

static bool has_no_storage(void *self, const hn_address *address)
{
    (void)self, (void)address;
    return false;
}

static const hn_code *no_code(void *self, const hn_hash *code_hash)
{
    (void)self, (void)code_hash;
    return NULL;
}

static void no_block_hash(void *self, hn_hash *out, uint64_t block_number)
{
    (void)self, (void)block_number;
    *out = (hn_hash){{0}};
}

static const hn_state_view_operations nothing = {
    .account = no_account,
    .storage = no_storage,
    .has_storage = has_no_storage,
    .code = no_code,
    .block_hash = no_block_hash,
};

const hn_state_view hn_state_view_empty = {.operations = &nothing};
