#include "pipeline/query/sealed.h"

#include "engine/base/check.h"

#include <stdlib.h>

/* --- copying the tables --- */

static hn_err copy_account(void *self, const hn_address *address, const hn_account *account)
{
    return hn_flat_put_account(self, address, account);
}

static hn_err copy_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    return hn_flat_put_slot(self, address, key, value);
}

static hn_err copy_code(void *self, const hn_code *code)
{
    const hn_code *copy;
    return hn_flat_put_code(self, &copy, code->bytes);
}

/* The hashes of head, its parent, ... as far as they are given. */
static hn_err keep_hashes(hn_sealed *sealed, uint64_t head, const hn_hash *hashes, size_t hash_count)
{
    sealed->hash_capacity = 4 * HN_SEALED_ANCESTORS;
    sealed->hashes = calloc(sealed->hash_capacity, sizeof *sealed->hashes);
    if (sealed->hashes == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < hash_count && i <= head && i < HN_SEALED_ANCESTORS; i++) {
        sealed->hash_first = head - i;
        sealed->hashes[sealed->hash_first % sealed->hash_capacity] = hashes[i];
    }
    return HN_OK;
}

hn_err hn_sealed_create(hn_sealed *out, const hn_chain_config *config, const hn_flat *flat,
                        const hn_header *head, const hn_hash *hashes, size_t hash_count,
                        uint32_t window_blocks, size_t window_bytes, uint64_t table_seed)
{
    HN_CHECK(hash_count != 0);
    memset(out, 0, sizeof *out);
    out->config = config;
    for (size_t i = 0; i < HN_SEALED_READERS_MAX; i++)
        atomic_init(&out->pinned[i], HN_SEALED_UNPINNED);
    HN_TRY(hn_flat_create(&out->flat, table_seed, hn_flat_account_count(flat)));
    hn_flat_visitor visitor = {
        .account = copy_account, .slot = copy_slot, .code = copy_code, .self = out->flat};
    hn_err err = hn_flat_visit(flat, &visitor);
    if (err == HN_OK)
        err = keep_hashes(out, head->number, hashes, hash_count);
    if (err == HN_OK)
        err = hn_window_create(&out->window, window_blocks, window_bytes, head, &hashes[0], table_seed);
    if (err != HN_OK) {
        hn_flat_destroy(out->flat);
        free(out->hashes);
        return err;
    }
    HN_CHECK(pthread_rwlock_init(&out->lock, NULL) == 0);
    return HN_OK;
}

void hn_sealed_destroy(hn_sealed *sealed)
{
    hn_flat_destroy(sealed->flat);
    hn_window_destroy(&sealed->window);
    free(sealed->hashes);
    pthread_rwlock_destroy(&sealed->lock);
}

/* A view is of a const ledger: its lock is none of what it promises not to change. */
static void begin_reading(const hn_sealed *sealed)
{
    HN_CHECK(pthread_rwlock_rdlock((pthread_rwlock_t *)(uintptr_t)&sealed->lock) == 0);
}

static void end_reading(const hn_sealed *sealed)
{
    HN_CHECK(pthread_rwlock_unlock((pthread_rwlock_t *)(uintptr_t)&sealed->lock) == 0);
}

/* --- taking in --- */

/* A diff whose accounts may be written to: hn_flat_apply notes the slots that it cleared there, and the
 * original's owner goes on using his. */
static hn_err copy_diff(hn_state_diff *out, hn_arena *arena, const hn_state_diff *diff)
{
    *out = *diff;
    out->accounts = hn_arena_calloc(arena, diff->account_count, sizeof *out->accounts);
    if (out->accounts == NULL)
        return HN_ERR_NO_MEMORY;
    memcpy(out->accounts, diff->accounts, diff->account_count * sizeof *diff->accounts);
    return HN_OK;
}

static bool clears_storage(const hn_state_diff *diff)
{
    for (uint32_t i = 0; i < diff->account_count; i++)
        if (diff->accounts[i].storage_cleared)
            return true;
    return false;
}

/* The hashes of the window's blocks and of 256 before the oldest stay. */
static hn_err note_hash(hn_sealed *sealed, uint64_t number, const hn_hash *hash)
{
    uint64_t oldest =
        sealed->window.first < HN_SEALED_ANCESTORS ? 0 : sealed->window.first - HN_SEALED_ANCESTORS;
    if (sealed->hash_first < oldest)
        sealed->hash_first = oldest;
    if (number - sealed->hash_first == sealed->hash_capacity) {
        uint64_t capacity = 2 * sealed->hash_capacity;
        hn_hash *hashes = calloc(capacity, sizeof *hashes);
        if (hashes == NULL)
            return HN_ERR_NO_MEMORY;
        for (uint64_t i = sealed->hash_first; i < number; i++)
            hashes[i % capacity] = sealed->hashes[i % sealed->hash_capacity];
        free(sealed->hashes);
        sealed->hashes = hashes;
        sealed->hash_capacity = capacity;
    }
    sealed->hashes[number % sealed->hash_capacity] = *hash;
    return HN_OK;
}

static uint64_t oldest_pinned(const hn_sealed *sealed)
{
    uint64_t oldest = HN_SEALED_UNPINNED;
    for (size_t i = 0; i < HN_SEALED_READERS_MAX; i++) {
        uint64_t pinned = atomic_load_explicit(&sealed->pinned[i], memory_order_relaxed);
        oldest = pinned < oldest ? pinned : oldest;
    }
    return oldest;
}

static hn_err push(hn_sealed *sealed, hn_arena *scratch, const hn_header *header, const hn_hash *hash,
                   const hn_state_diff *diff)
{
    hn_state_diff applied = *diff;
    if (clears_storage(diff))
        HN_TRY(copy_diff(&applied, scratch, diff));
    HN_TRY(hn_flat_apply(sealed->flat, scratch, &applied));
    HN_TRY(hn_window_push(&sealed->window, header, hash, &applied, oldest_pinned(sealed)));
    return note_hash(sealed, header->number, hash);
}

hn_err hn_sealed_push(hn_sealed *sealed, hn_arena *scratch, const hn_header *header, const hn_hash *hash,
                      const hn_state_diff *diff)
{
    HN_CHECK(pthread_rwlock_wrlock(&sealed->lock) == 0);
    hn_err err = push(sealed, scratch, header, hash, diff);
    if (err != HN_OK)
        sealed->has_failed = true;
    HN_CHECK(pthread_rwlock_unlock(&sealed->lock) == 0);
    return err;
}

static void block_hash(const hn_sealed *sealed, hn_hash *out, uint64_t number)
{
    if (number < sealed->hash_first || number > sealed->window.last)
        memset(out, 0, sizeof *out);
    else
        *out = sealed->hashes[number % sealed->hash_capacity];
}

void hn_sealed_block_hash(const hn_sealed *sealed, hn_hash *out, uint64_t number)
{
    begin_reading(sealed);
    block_hash(sealed, out, number);
    end_reading(sealed);
}

hn_sealed_counts hn_sealed_count(const hn_sealed *sealed)
{
    begin_reading(sealed);
    hn_sealed_counts counts = {
        .oldest = sealed->window.first,
        .newest = sealed->window.last,
        .window_bytes = hn_window_bytes(&sealed->window),
        .flat_bytes = hn_flat_memory_bytes(sealed->flat),
    };
    end_reading(sealed);
    return counts;
}

uint64_t hn_sealed_oldest_within(const hn_sealed *sealed, size_t changes)
{
    begin_reading(sealed);
    const hn_window *window = &sealed->window;
    uint64_t number = window->last;
    for (size_t sum = 0; number > window->first; number--) {
        const hn_sealed_block *block = hn_window_block(window, number);
        sum += block->account_count + block->slot_count;
        if (sum > changes)
            break;
    }
    end_reading(sealed);
    return number;
}

/* --- choosing a block --- */

static const hn_sealed_block *find_hash(const hn_sealed *sealed, const hn_hash *hash)
{
    const hn_window *window = &sealed->window;
    for (uint64_t number = window->last + 1; number-- > window->first;)
        if (hn_hash_equal(&sealed->hashes[number % sealed->hash_capacity], hash))
            return hn_window_block(window, number);
    return NULL;
}

/* NULL with the reason in *err. */
static const hn_sealed_block *select_block(const hn_sealed *sealed, hn_err *err,
                                           const hn_block_selector *selector)
{
    const hn_window *window = &sealed->window;
    switch (selector->kind) {
    case HN_BLOCK_NUMBER:
        *err = selector->number > window->last ? HN_ERR_NOT_FOUND : HN_ERR_LIMIT;
        return hn_window_block(window, selector->number);
    case HN_BLOCK_HASH:
        *err = HN_ERR_NOT_FOUND;
        return find_hash(sealed, &selector->hash);
    case HN_BLOCK_LATEST:
    default:
        return hn_window_block(window, window->last);
    }
}

static hn_err pin(hn_sealed *sealed, hn_sealed_pin *out, hn_arena *arena, uint32_t reader,
                  const hn_block_selector *selector)
{
    hn_err err = HN_OK;
    if (sealed->has_failed)
        return HN_ERR_NO_MEMORY;
    const hn_sealed_block *block = select_block(sealed, &err, selector);
    if (block == NULL)
        return err;
    out->header = block->header;
    out->hash = block->hash;
    out->oldest = sealed->window.first;
    HN_TRY(hn_arena_copy(&out->header.extra_data, arena, block->header.extra_data));
    atomic_store_explicit(&sealed->pinned[reader], block->header.number, memory_order_relaxed);
    return HN_OK;
}

hn_err hn_sealed_pin_block(hn_sealed *sealed, hn_sealed_pin *out, hn_arena *arena, uint32_t reader,
                           const hn_block_selector *selector)
{
    HN_CHECK(reader < HN_SEALED_READERS_MAX);
    begin_reading(sealed);
    hn_err err = pin(sealed, out, arena, reader, selector);
    end_reading(sealed);
    return err;
}

void hn_sealed_unpin(hn_sealed *sealed, uint32_t reader)
{
    atomic_store_explicit(&sealed->pinned[reader], HN_SEALED_UNPINNED, memory_order_relaxed);
}

/* --- the view --- */

/* Between begin and end nothing is written. */
static void begin_view(hn_sealed_at *at)
{
    begin_reading(at->sealed);
    if (at->number < at->sealed->window.first)
        at->is_lost = true;
}

static bool read_account(const hn_sealed_at *at, hn_account *out, const hn_address *address)
{
    bool existed;
    hn_account account;
    if (!hn_window_account(&at->sealed->window, &existed, &account, at->number, address))
        return hn_flat_account(at->sealed->flat, out, address);
    if (existed)
        *out = account;
    return existed;
}

static bool view_account(void *self, hn_account *out, const hn_address *address)
{
    hn_sealed_at *at = self;
    begin_view(at);
    bool exists = read_account(at, out, address);
    end_reading(at->sealed);
    return exists;
}

static void view_storage(void *self, hn_u256 *out, const hn_address *address, const hn_u256 *key)
{
    hn_sealed_at *at = self;
    begin_view(at);
    if (!hn_window_slot(&at->sealed->window, out, at->number, address, key))
        hn_flat_storage(at->sealed->flat, out, address, key);
    end_reading(at->sealed);
}

static bool read_has_storage(const hn_sealed_at *at, const hn_address *address)
{
    hn_state_view newest = hn_flat_view(at->sealed->flat);
    if (at->number == at->sealed->window.last)
        return newest.operations->has_storage(newest.self, address);
    if (hn_window_had_storage(&at->sealed->window, at->number, address))
        return true;
    /* Slots that did not change since count too; those made since do not. Only an account with neither code
     * nor nonce is asked about, and such a one got its storage, if any, before EIP-161: it cannot be new. */
    hn_account account;
    return read_account(at, &account, address) && newest.operations->has_storage(newest.self, address);
}

static bool view_has_storage(void *self, const hn_address *address)
{
    hn_sealed_at *at = self;
    begin_view(at);
    bool has = read_has_storage(at, address);
    end_reading(at->sealed);
    return has;
}

/* A code stays where it is, whatever is written later. */
static const hn_code *view_code(void *self, const hn_hash *code_hash)
{
    hn_sealed_at *at = self;
    begin_view(at);
    const hn_code *code = hn_flat_code(at->sealed->flat, code_hash);
    end_reading(at->sealed);
    return code;
}

static void view_block_hash(void *self, hn_hash *out, uint64_t block_number)
{
    const hn_sealed_at *at = self;
    hn_sealed_block_hash(at->sealed, out, block_number);
}

static const hn_state_view_operations view_operations = {
    .account = view_account,
    .storage = view_storage,
    .has_storage = view_has_storage,
    .code = view_code,
    .block_hash = view_block_hash,
};

hn_state_view hn_sealed_view(hn_sealed_at *at, const hn_sealed *sealed, uint64_t number)
{
    *at = (hn_sealed_at){.sealed = sealed, .number = number};
    return (hn_state_view){.operations = &view_operations, .self = at};
}
