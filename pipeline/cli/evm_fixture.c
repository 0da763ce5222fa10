#include "pipeline/cli/evm_fixture.h"

#include "engine/crypto/keccak.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void hn_fixture_block_hash(void *self, hn_hash *out, uint64_t number)
{
    (void)self;
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRIu64, number);
    hn_keccak256(out, text, (size_t)size);
}

hn_err hn_fixture_optional_u64(uint64_t *out, const hn_json *object, const char *key)
{
    hn_json member;
    return hn_json_find(&member, object, key) ? hn_json_read_number_u64(out, &member) : HN_OK;
}

hn_err hn_fixture_optional_u256(hn_u256 *out, const hn_json *object, const char *key)
{
    hn_json member;
    return hn_json_find(&member, object, key) ? hn_json_read_number_u256(out, &member) : HN_OK;
}

hn_err hn_fixture_optional_fixed(void *out, size_t size, const hn_json *object, const char *key)
{
    hn_json member;
    return hn_json_find(&member, object, key) ? hn_json_read_padded(out, size, &member) : HN_OK;
}

hn_err hn_fixture_u64(uint64_t *out, const hn_json *object, const char *key)
{
    hn_json member;
    HN_TRY(hn_json_get(&member, object, key));
    return hn_json_read_number_u64(out, &member);
}

hn_err hn_fixture_u256(hn_u256 *out, const hn_json *object, const char *key)
{
    hn_json member;
    HN_TRY(hn_json_get(&member, object, key));
    return hn_json_read_number_u256(out, &member);
}

hn_err hn_fixture_fixed(void *out, size_t size, const hn_json *object, const char *key)
{
    hn_json member;
    HN_TRY(hn_json_get(&member, object, key));
    return hn_json_read_fixed(out, size, &member);
}

hn_err hn_fixture_data(hn_bytes *out, hn_arena *arena, const hn_json *object, const char *key)
{
    hn_json member;
    HN_TRY(hn_json_get(&member, object, key));
    return hn_json_read_data(out, arena, &member);
}

static hn_err read_storage(hn_genesis_account *account, hn_arena *arena, const hn_json *node)
{
    size_t capacity = hn_json_size(node);
    hn_genesis_slot *slots = hn_arena_calloc(arena, capacity + 1, sizeof *slots);
    if (slots == NULL)
        return HN_ERR_NO_MEMORY;
    hn_json member;
    for (void *iterator = NULL; hn_json_next(&member, &iterator, node);) {
        hn_genesis_slot *slot = &slots[account->storage_count];
        HN_TRY(hn_json_parse_padded(slot->key.b, sizeof slot->key.b, member.key, &member));
        HN_TRY(hn_json_read_padded(slot->value.b, sizeof slot->value.b, &member));
        account->storage_count += !hn_hash_is_zero(&slot->value);
    }
    account->storage = slots;
    return HN_OK;
}

static hn_err read_account(hn_genesis_account *account, hn_arena *arena, const hn_json *node)
{
    HN_TRY(hn_json_parse_padded(account->address.b, sizeof account->address.b, node->key, node));
    HN_TRY(hn_fixture_optional_u256(&account->balance, node, "balance"));
    HN_TRY(hn_fixture_optional_u64(&account->nonce, node, "nonce"));
    hn_json member;
    if (hn_json_find(&member, node, "code"))
        HN_TRY(hn_json_read_data(&account->code, arena, &member));
    if (hn_json_find(&member, node, "storage"))
        HN_TRY(read_storage(account, arena, &member));
    return HN_OK;
}

static int compare_accounts(const void *left, const void *right)
{
    const hn_genesis_account *x = left;
    const hn_genesis_account *y = right;
    return memcmp(x->address.b, y->address.b, sizeof x->address.b);
}

hn_err hn_fixture_read_accounts(const hn_genesis_account **accounts, uint32_t *count, hn_arena *arena,
                                const hn_json *node)
{
    size_t size = hn_json_size(node);
    hn_genesis_account *list = hn_arena_calloc(arena, size + 1, sizeof *list);
    if (list == NULL)
        return HN_ERR_NO_MEMORY;
    uint32_t read = 0;
    hn_json member;
    for (void *iterator = NULL; hn_json_next(&member, &iterator, node);)
        HN_TRY(read_account(&list[read++], arena, &member));
    qsort(list, read, sizeof *list, compare_accounts);
    *accounts = list;
    *count = read;
    return HN_OK;
}

static hn_err read_blob_schedule(hn_chain_config *config, const hn_json *schedules)
{
    hn_json member;
    for (void *iterator = NULL; hn_json_next(&member, &iterator, schedules);) {
        hn_fork fork;
        uint64_t target;
        uint64_t most;
        uint64_t fraction;
        if (!hn_fork_from_name(&fork, member.key))
            continue;
        HN_TRY(hn_fixture_u64(&target, &member, "target"));
        HN_TRY(hn_fixture_u64(&most, &member, "max"));
        HN_TRY(hn_fixture_u64(&fraction, &member, "baseFeeUpdateFraction"));
        config->blob_schedule[fork] = (hn_blob_schedule){
            .target = (uint32_t)target, .max = (uint32_t)most, .base_fee_update_fraction = fraction};
    }
    return HN_OK;
}

hn_err hn_fixture_read_config(hn_chain_config *config, const hn_json *test)
{
    hn_json node;
    if (!hn_json_find(&node, test, "config"))
        return HN_OK;
    HN_TRY(hn_fixture_optional_u64(&config->chain_id, &node, "chainid"));
    hn_json schedules;
    if (hn_json_find(&schedules, &node, "blobSchedule"))
        HN_TRY(read_blob_schedule(config, &schedules));
    return HN_OK;
}
