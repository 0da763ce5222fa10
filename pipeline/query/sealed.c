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

hn_err hn_sealed_create(hn_sealed *out, const hn_chain_config *config, const hn_flat *flat,
                        const hn_header *head, const hn_hash *hashes, size_t hash_count,
                        const hn_sealed_options *options)
{
    HN_CHECK(hash_count != 0);
    memset(out, 0, sizeof *out);
    out->config = config;
    out->history = options->history;
    out->ledger = options->ledger;
    for (size_t i = 0; i < HN_SEALED_READERS_MAX; i++)
        atomic_init(&out->pinned[i].number, HN_SEALED_UNPINNED);
    HN_TRY(hn_flat_create(&out->flat, options->table_seed, hn_flat_account_count(flat)));
    hn_flat_visitor visitor = {
        .account = copy_account, .slot = copy_slot, .code = copy_code, .self = out->flat};
    uint64_t known = head->number + 1 < HN_SEALED_ANCESTORS ? head->number + 1 : HN_SEALED_ANCESTORS;
    hn_err err = hn_flat_visit(flat, &visitor);
    if (err == HN_OK)
        err = hn_block_hashes_create(&out->hashes, head->number, hashes,
                                     hash_count < known ? hash_count : (size_t)known);
    if (err == HN_OK)
        err = hn_window_create(&out->window, options->window_blocks, options->window_bytes, head, &hashes[0],
                               options->table_seed);
    if (err != HN_OK) {
        hn_flat_destroy(out->flat);
        hn_block_hashes_destroy(&out->hashes);
        return err;
    }
    HN_CHECK(pthread_rwlock_init(&out->lock, NULL) == 0);
    return HN_OK;
}

void hn_sealed_destroy(hn_sealed *sealed)
{
    hn_flat_destroy(sealed->flat);
    hn_window_destroy(&sealed->window);
    hn_block_hashes_destroy(&sealed->hashes);
    pthread_rwlock_destroy(&sealed->lock);
}

/* A view is of a const ledger: its lock is none of what it promises not to change. */
void hn_sealed_begin_reading(const hn_sealed *sealed)
{
    HN_CHECK(pthread_rwlock_rdlock((pthread_rwlock_t *)(uintptr_t)&sealed->lock) == 0);
}

void hn_sealed_end_reading(const hn_sealed *sealed)
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
static hn_err note_hash(hn_sealed *sealed, const hn_hash *hash)
{
    uint64_t first = sealed->window.first;
    hn_block_hashes_drop_before(&sealed->hashes,
                                first < HN_SEALED_ANCESTORS ? 0 : first - HN_SEALED_ANCESTORS);
    return hn_block_hashes_push(&sealed->hashes, hash);
}

/* The oldest block, of `from` and above, at which a reader works. */
static uint64_t oldest_pinned(const hn_sealed *sealed, uint64_t from)
{
    uint64_t oldest = HN_SEALED_UNPINNED;
    for (size_t i = 0; i < HN_SEALED_READERS_MAX / 64; i++) {
        uint64_t bits = atomic_load_explicit(&sealed->has_read[i], memory_order_relaxed);
        for (; bits != 0; bits &= bits - 1) {
            size_t reader = 64 * i + (size_t)__builtin_ctzll(bits);
            uint64_t pinned = atomic_load_explicit(&sealed->pinned[reader].number, memory_order_relaxed);
            if (pinned >= from && pinned < oldest)
                oldest = pinned;
        }
    }
    return oldest;
}

/* What may leave the window. With a history: the blocks that are found there; and those that never will be,
 * for their undo was written by nobody. Who works at an older block does so without memory. */
static hn_window_leave what_may_leave(const hn_sealed *sealed)
{
    hn_window_leave leave = {.pinned = oldest_pinned(sealed, sealed->window.first), .through = UINT64_MAX};
    if (sealed->history == NULL)
        return leave;
    hn_undo_reach reach = hn_history_undo_reach(sealed->history, sealed->ledger);
    leave.through = reach.indexed > reach.oldest ? reach.indexed : reach.oldest;
    if (reach.oldest == UINT64_MAX)
        leave.through = 0;
    return leave;
}

static hn_err push(hn_sealed *sealed, hn_state_diff *applied, hn_arena *scratch, const hn_header *header,
                   const hn_hash *hash, const hn_state_diff *diff)
{
    *applied = *diff;
    if (clears_storage(diff))
        HN_TRY(copy_diff(applied, scratch, diff));
    HN_TRY(hn_flat_apply(sealed->flat, scratch, applied));
    if (sealed->history != NULL)
        hn_history_hold_undo(sealed->history, sealed->ledger, oldest_pinned(sealed, 0));
    hn_window_leave leave = what_may_leave(sealed);
    HN_TRY(hn_window_push(&sealed->window, header, hash, applied, &leave));
    return note_hash(sealed, hash);
}

hn_err hn_sealed_push(hn_sealed *sealed, hn_state_diff *applied, hn_arena *scratch, const hn_header *header,
                      const hn_hash *hash, const hn_state_diff *diff)
{
    HN_CHECK(pthread_rwlock_wrlock(&sealed->lock) == 0);
    hn_err err = push(sealed, applied, scratch, header, hash, diff);
    if (err != HN_OK)
        sealed->has_failed = true;
    HN_CHECK(pthread_rwlock_unlock(&sealed->lock) == 0);
    return err;
}

static hn_err past_block(hn_history_block *out, hn_history_reader *past, const hn_sealed *sealed,
                         const hn_block_selector *selector)
{
    return selector->kind == HN_BLOCK_HASH
               ? hn_history_block_by_hash(past, out, sealed->ledger, &selector->hash)
               : hn_history_block_at(past, out, sealed->ledger, selector->number);
}

void hn_sealed_block_hash(const hn_sealed *sealed, hn_hash *out, hn_history_reader *past, uint64_t number)
{
    hn_sealed_begin_reading(sealed);
    const hn_hash *known = hn_block_hashes_get(&sealed->hashes, number);
    if (known != NULL)
        *out = *known;
    bool is_past = number < sealed->hashes.first;
    hn_sealed_end_reading(sealed);
    if (known != NULL)
        return;
    memset(out, 0, sizeof *out);
    if (!is_past || past == NULL || hn_history_read_begin(past) != HN_OK)
        return;
    hn_history_block block;
    if (hn_history_block_at(past, &block, sealed->ledger, number) == HN_OK)
        *out = block.hash;
    hn_history_read_end(past);
}

/* The oldest block whose state is kept. While reading. */
static uint64_t oldest_state(const hn_sealed *sealed)
{
    const hn_window *window = &sealed->window;
    if (sealed->history == NULL)
        return window->first;
    hn_undo_reach reach = hn_history_undo_reach(sealed->history, sealed->ledger);
    uint64_t oldest = window->first;
    if (reach.oldest <= oldest && reach.indexed >= oldest)
        oldest = reach.oldest;
    bool is_bounded = window->blocks_max != UINT32_MAX && window->last > window->blocks_max;
    uint64_t bound = is_bounded ? window->last - window->blocks_max : 0;
    return oldest < bound ? bound : oldest;
}

hn_sealed_counts hn_sealed_count(const hn_sealed *sealed)
{
    hn_sealed_begin_reading(sealed);
    hn_sealed_counts counts = {
        .oldest = oldest_state(sealed),
        .oldest_in_memory = sealed->window.first,
        .newest = sealed->window.last,
        .window_bytes = hn_window_bytes(&sealed->window),
        .flat_bytes = hn_flat_memory_bytes(sealed->flat),
    };
    hn_sealed_end_reading(sealed);
    return counts;
}

uint64_t hn_sealed_oldest_within(const hn_sealed *sealed, size_t changes)
{
    hn_sealed_begin_reading(sealed);
    const hn_window *window = &sealed->window;
    uint64_t number = window->last;
    for (size_t sum = 0; number > window->first; number--) {
        const hn_sealed_block *block = hn_window_block(window, number);
        sum += block->account_count + block->slot_count;
        if (sum > changes)
            break;
    }
    hn_sealed_end_reading(sealed);
    return number;
}

/* --- choosing a block --- */

/* The number that a selector stands for, as far as memory knows; HN_ERR_AGAIN: of a hash the history may. */
static hn_err number_of(const hn_sealed *sealed, uint64_t *out, const hn_block_selector *selector)
{
    const hn_window *window = &sealed->window;
    switch (selector->kind) {
    case HN_BLOCK_NUMBER:
        *out = selector->number;
        return selector->number > window->last ? HN_ERR_NOT_FOUND : HN_OK;
    case HN_BLOCK_HASH:
        return hn_block_hashes_find(&sealed->hashes, out, &selector->hash) ? HN_OK : HN_ERR_AGAIN;
    case HN_BLOCK_LATEST:
    default:
        *out = window->last;
        return HN_OK;
    }
}

/* While reading. HN_ERR_AGAIN: the block is to be read from the history; if it has a number, it is pinned. */
static hn_err pin(hn_sealed *sealed, hn_sealed_pin *out, hn_arena *arena, uint32_t reader,
                  const hn_block_selector *selector)
{
    if (sealed->has_failed)
        return HN_ERR_NO_MEMORY;
    uint64_t number;
    HN_TRY(number_of(sealed, &number, selector));
    out->oldest = oldest_state(sealed);
    const hn_sealed_block *block = hn_window_block(&sealed->window, number);
    if (block == NULL && number < out->oldest)
        return HN_ERR_LIMIT;
    atomic_store_explicit(&sealed->pinned[reader].number, number, memory_order_relaxed);
    if (block == NULL)
        return HN_ERR_AGAIN;
    out->is_past = false;
    out->header = block->header;
    out->hash = block->hash;
    return hn_arena_copy(&out->header.extra_data, arena, block->header.extra_data);
}

/* The header of a block that memory does not have. */
static hn_err read_past(const hn_sealed *sealed, hn_sealed_pin *out, hn_arena *arena, hn_history_reader *past,
                        const hn_block_selector *selector)
{
    hn_history_block block;
    HN_TRY(hn_history_read_begin(past));
    hn_err err = past_block(&block, past, sealed, selector);
    if (err == HN_OK) {
        out->is_past = true;
        out->header = block.header;
        out->hash = block.hash;
        err = hn_arena_copy(&out->header.extra_data, arena, block.header.extra_data);
    }
    hn_history_read_end(past);
    return err;
}

static hn_err pin_past(hn_sealed *sealed, hn_sealed_pin *out, hn_arena *arena, uint32_t reader,
                       hn_history_reader *past, const hn_block_selector *selector)
{
    if (past == NULL)
        return selector->kind == HN_BLOCK_HASH ? HN_ERR_NOT_FOUND : HN_ERR_LIMIT;
    HN_TRY(read_past(sealed, out, arena, past, selector));
    if (selector->kind != HN_BLOCK_HASH)
        return HN_OK;
    /* Now the number is known, and whether its state is kept. */
    hn_block_selector by_number = {.kind = HN_BLOCK_NUMBER, .number = out->header.number};
    hn_sealed_begin_reading(sealed);
    hn_err err = pin(sealed, out, arena, reader, &by_number);
    hn_sealed_end_reading(sealed);
    return err == HN_ERR_AGAIN ? HN_OK : err;
}

hn_err hn_sealed_pin_block(hn_sealed *sealed, hn_sealed_pin *out, hn_arena *arena, uint32_t reader,
                           hn_history_reader *past, const hn_block_selector *selector)
{
    HN_CHECK(reader < HN_SEALED_READERS_MAX);
    uint64_t bit = UINT64_C(1) << reader % 64;
    if ((atomic_load_explicit(&sealed->has_read[reader / 64], memory_order_relaxed) & bit) == 0)
        atomic_fetch_or_explicit(&sealed->has_read[reader / 64], bit, memory_order_relaxed);
    hn_sealed_begin_reading(sealed);
    hn_err err = pin(sealed, out, arena, reader, selector);
    hn_sealed_end_reading(sealed);
    if (err == HN_ERR_AGAIN)
        err = pin_past(sealed, out, arena, reader, past, selector);
    if (err != HN_OK)
        hn_sealed_unpin(sealed, reader);
    return err;
}

void hn_sealed_unpin(hn_sealed *sealed, uint32_t reader)
{
    atomic_store_explicit(&sealed->pinned[reader].number, HN_SEALED_UNPINNED, memory_order_relaxed);
}
