/* The executor's life, its view of the state, and what it answers about itself. */
#include "engine/chain/genesis_state.h"
#include "engine/chain/ledger_internal.h"
#include "engine/chain/system_calls.h"

#include "engine/base/check.h"

#include <stdlib.h>

hn_err hn_ledger_create(hn_ledger **out, const hn_genesis *genesis, const hn_ledger_options *options)
{
    hn_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return HN_ERR_NO_MEMORY;
    ledger->config = genesis->config;
    ledger->options = *options;
    ledger->gas_limit = options->block_gas_limit != 0 ? options->block_gas_limit : genesis->header.gas_limit;
    hn_recent_hashes_init(&ledger->recent, &options->port, genesis->header.number);
    hn_ledger_set_head(ledger, &genesis->header);
    size_t expected = options->expected_accounts > genesis->account_count ? options->expected_accounts
                                                                          : genesis->account_count;
    hn_err err = hn_flat_create(&ledger->flat, options->table_seed, expected);
    if (err == HN_OK)
        err = hn_genesis_fill(ledger->flat, genesis->accounts, genesis->account_count);
    if (err == HN_OK)
        err = hn_state_create(&ledger->state, options->table_seed);
    if (err != HN_OK) {
        hn_ledger_destroy(ledger);
        return err;
    }
    *out = ledger;
    return HN_OK;
}

void hn_ledger_destroy(hn_ledger *ledger)
{
    if (ledger == NULL)
        return;
    hn_state_destroy(ledger->state);
    hn_flat_destroy(ledger->flat);
    free(ledger);
}

void hn_ledger_set_head(hn_ledger *ledger, const hn_header *header)
{
    HN_CHECK(header->extra_data.size <= HN_EXTRA_DATA_MAX || header->number == 0);
    size_t size = header->extra_data.size <= HN_EXTRA_DATA_MAX ? header->extra_data.size : 0;
    if (size != 0)
        memcpy(ledger->head_extra, header->extra_data.data, size);
    ledger->head = *header;
    ledger->head.extra_data = hn_bytes_of(ledger->head_extra, size);
}

hn_err hn_ledger_restore(hn_ledger *ledger, hn_flat *flat, const hn_header *head,
                         const hn_hash *recent_hashes, size_t recent_hash_count)
{
    if (recent_hash_count == 0 || recent_hash_count > HN_RECENT_HASHES ||
        recent_hash_count > head->number + 1 || head->extra_data.size > HN_EXTRA_DATA_MAX)
        return HN_ERR_INVALID;
    hn_flat_destroy(ledger->flat);
    ledger->flat = flat;
    hn_ledger_set_head(ledger, head);
    hn_recent_hashes_init(&ledger->recent, &ledger->options.port, head->number + 1 - recent_hash_count);
    ledger->ancestry = (hn_ancestry){.count = 0};
    for (size_t back = recent_hash_count; back > 0; back--)
        (void)hn_recent_hashes_add(&ledger->recent, head->number - (back - 1), &recent_hashes[back - 1]);
    return HN_OK;
}

void hn_ledger_note_sealed(hn_ledger *ledger, uint64_t block_number, const hn_hash *hash)
{
    if (!hn_recent_hashes_add(&ledger->recent, block_number, hash))
        return;
    hn_u256 key = hn_u256_of(block_number % HN_HISTORY_SLOTS);
    hn_u256 value = hn_u256_from_be(hash->b);
    /* A table that cannot grow would lose the slot silently: nothing sensible can follow. */
    HN_CHECK(hn_flat_put_slot(ledger->flat, &hn_history_contract, &key, &value) == HN_OK);
}

/* --- the state as a view --- */

static bool view_account(void *self, hn_account *out, const hn_address *address)
{
    const hn_ledger *ledger = self;
    return hn_flat_account(ledger->flat, out, address);
}

static void view_storage(void *self, hn_u256 *out, const hn_address *address, const hn_u256 *key)
{
    const hn_ledger *ledger = self;
    uint64_t block_number;
    if (HN_UNLIKELY(hn_address_equal(address, &hn_history_contract)) &&
        hn_recent_hashes_open_slot(&ledger->recent, &block_number, key)) {
        hn_hash hash;
        hn_recent_hashes_get(&ledger->recent, &hash, block_number);
        *out = hn_u256_from_be(hash.b);
        return;
    }
    hn_flat_storage(ledger->flat, out, address, key);
}

static bool view_has_storage(void *self, const hn_address *address)
{
    hn_ledger *ledger = self;
    hn_state_view view = hn_flat_view(ledger->flat);
    return view.operations->has_storage(view.self, address);
}

static const hn_code *view_code(void *self, const hn_hash *code_hash)
{
    const hn_ledger *ledger = self;
    return hn_flat_code(ledger->flat, code_hash);
}

static void view_block_hash(void *self, hn_hash *out, uint64_t block_number)
{
    const hn_ledger *ledger = self;
    hn_recent_hashes_get(&ledger->recent, out, block_number);
}

hn_state_view hn_ledger_view(hn_ledger *ledger)
{
    static const hn_state_view_operations operations = {
        .account = view_account,
        .storage = view_storage,
        .has_storage = view_has_storage,
        .code = view_code,
        .block_hash = view_block_hash,
    };
    return (hn_state_view){.operations = &operations, .self = ledger};
}

/* --- answers --- */

bool hn_ledger_account(const hn_ledger *ledger, hn_account *out, const hn_address *address)
{
    return hn_flat_account(ledger->flat, out, address);
}

void hn_ledger_prefetch(const hn_ledger *ledger, const hn_address *address)
{
    hn_flat_prefetch_account(ledger->flat, address);
}

const hn_chain_config *hn_ledger_config(const hn_ledger *ledger)
{
    return &ledger->config;
}

const hn_header *hn_ledger_head(const hn_ledger *ledger)
{
    return &ledger->head;
}

hn_fork hn_ledger_next_fork(const hn_ledger *ledger, uint64_t timestamp)
{
    return hn_fork_at(&ledger->config, ledger->head.number + 1, timestamp);
}

hn_u256 hn_ledger_next_base_fee(const hn_ledger *ledger)
{
    return hn_next_base_fee(&ledger->config, &ledger->head);
}

hn_flat *hn_ledger_flat(hn_ledger *ledger)
{
    return ledger->flat;
}
