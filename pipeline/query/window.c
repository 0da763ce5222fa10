#include "pipeline/query/window.h"

#include "engine/base/check.h"

#include <stdlib.h>

enum {
    CAPACITY_AT_FIRST = 256,
    DROPS_MAX = 8, /* at once: after a long query many may be due, and readers wait */
};

static hn_sealed_block **place(const hn_window *window, uint64_t number)
{
    return &window->blocks[number % window->capacity];
}

static void free_block(hn_sealed_block *block)
{
    if (block == NULL)
        return;
    free(block->accounts);
    free(block->slots);
    free(block->extra_data);
    free(block);
}

/* A block without before-images. */
static hn_sealed_block *make_block(const hn_header *header, const hn_hash *hash)
{
    hn_sealed_block *block = calloc(1, sizeof *block);
    if (block == NULL)
        return NULL;
    block->header = *header;
    block->hash = *hash;
    block->bytes = sizeof *block + header->extra_data.size;
    if (header->extra_data.size != 0) {
        block->extra_data = malloc(header->extra_data.size);
        if (block->extra_data == NULL) {
            free(block);
            return NULL;
        }
        memcpy(block->extra_data, header->extra_data.data, header->extra_data.size);
        block->header.extra_data.data = block->extra_data;
    }
    return block;
}

hn_err hn_window_create(hn_window *out, uint32_t blocks_max, size_t bytes_max, const hn_header *head,
                        const hn_hash *hash, uint64_t table_seed)
{
    hn_window window = {.capacity = CAPACITY_AT_FIRST,
                        .first = head->number,
                        .last = head->number,
                        .blocks_max = blocks_max,
                        .bytes_max = bytes_max};
    HN_TRY(hn_versions_create(&window.versions, table_seed));
    window.blocks = calloc(window.capacity, sizeof(hn_sealed_block *));
    hn_sealed_block *block = make_block(head, hash);
    if (window.blocks == NULL || block == NULL) {
        free(window.blocks);
        free_block(block);
        hn_versions_destroy(window.versions);
        return HN_ERR_NO_MEMORY;
    }
    *place(&window, head->number) = block;
    window.bytes = block->bytes;
    *out = window;
    return HN_OK;
}

void hn_window_destroy(hn_window *window)
{
    for (size_t i = 0; i < window->capacity; i++)
        free_block(window->blocks[i]);
    free(window->blocks);
    hn_versions_destroy(window->versions);
    *window = (hn_window){0};
}

/* --- taking in --- */

static void copy_slots(hn_sealed_block *block, const hn_account_change *account,
                       const hn_slot_change *changes, uint32_t change_count)
{
    for (uint32_t i = 0; i < change_count; i++) {
        hn_slot_before *slot = &block->slots[block->slot_count++];
        slot->address = account->address;
        hn_u256_to_be(slot->key.b, &changes[i].key);
        hn_u256_to_be(slot->value.b, &changes[i].before);
    }
}

static hn_err copy_images(hn_sealed_block *block, const hn_state_diff *diff)
{
    size_t slot_count = 0;
    for (uint32_t i = 0; i < diff->account_count; i++)
        slot_count += (size_t)diff->accounts[i].slot_count + diff->accounts[i].cleared_slot_count;
    block->accounts = malloc(((size_t)diff->account_count + 1) * sizeof *block->accounts);
    block->slots = malloc((slot_count + 1) * sizeof *block->slots);
    if (block->accounts == NULL || block->slots == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < diff->account_count; i++) {
        const hn_account_change *change = &diff->accounts[i];
        block->accounts[block->account_count++] = (hn_account_before){
            .address = change->address, .existed = change->existed, .account = change->before};
        copy_slots(block, change, change->cleared_slots, change->cleared_slot_count);
        copy_slots(block, change, change->slots, change->slot_count);
    }
    block->bytes += block->account_count * sizeof *block->accounts + slot_count * sizeof *block->slots;
    return HN_OK;
}

static hn_err note_versions(hn_window *window, const hn_sealed_block *block)
{
    uint64_t number = block->header.number;
    for (uint32_t i = 0; i < block->account_count; i++)
        HN_TRY(hn_versions_add_account(window->versions, number, &block->accounts[i]));
    for (size_t i = 0; i < block->slot_count; i++)
        HN_TRY(hn_versions_add_slot(window->versions, number, &block->slots[i]));
    return HN_OK;
}

static void drop_versions(hn_window *window, const hn_sealed_block *block)
{
    uint64_t number = block->header.number;
    for (size_t i = 0; i < block->slot_count; i++)
        hn_versions_drop_slot(window->versions, number, &block->slots[i].address, &block->slots[i].key);
    for (uint32_t i = 0; i < block->account_count; i++)
        hn_versions_drop_account(window->versions, number, &block->accounts[i].address);
}

/* Gives up the state before the oldest block but one; that block becomes the oldest. */
static void drop_oldest(hn_window *window)
{
    hn_sealed_block **oldest = place(window, window->first);
    window->bytes -= (*oldest)->bytes;
    free_block(*oldest);
    *oldest = NULL;
    window->first++;
    hn_sealed_block *block = *place(window, window->first);
    window->bytes -= block->bytes;
    drop_versions(window, block);
    free(block->accounts);
    free(block->slots);
    block->accounts = NULL;
    block->slots = NULL;
    block->account_count = 0;
    block->slot_count = 0;
    block->bytes = sizeof *block + block->header.extra_data.size;
    window->bytes += block->bytes;
}

static hn_err grow(hn_window *window)
{
    hn_window grown = *window;
    grown.capacity = 2 * window->capacity;
    grown.blocks = calloc(grown.capacity, sizeof(hn_sealed_block *));
    if (grown.blocks == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint64_t number = window->first; number <= window->last; number++)
        *place(&grown, number) = *place(window, number);
    free(window->blocks);
    *window = grown;
    return HN_OK;
}

static bool must_drop(const hn_window *window, const hn_window_leave *leave)
{
    if (window->first == window->last || window->first >= leave->through)
        return false;
    size_t bytes = hn_window_bytes(window);
    bool is_beyond =
        (window->last - window->first > window->blocks_max && window->blocks_max != UINT32_MAX) ||
        bytes > window->bytes_max;
    return is_beyond && (window->first < leave->pinned || bytes / 2 > window->bytes_max);
}

hn_err hn_window_push(hn_window *window, const hn_header *header, const hn_hash *hash,
                      const hn_state_diff *diff, const hn_window_leave *leave)
{
    HN_CHECK(header->number == window->last + 1);
    if (window->last - window->first + 1 == window->capacity)
        HN_TRY(grow(window));
    hn_sealed_block *block = make_block(header, hash);
    if (block == NULL)
        return HN_ERR_NO_MEMORY;
    if (copy_images(block, diff) != HN_OK) {
        free_block(block);
        return HN_ERR_NO_MEMORY;
    }
    window->last = header->number;
    *place(window, header->number) = block;
    window->bytes += block->bytes;
    HN_TRY(note_versions(window, block));
    for (int i = 0; i < DROPS_MAX && must_drop(window, leave); i++)
        drop_oldest(window);
    return HN_OK;
}

/* --- looking up --- */

const hn_sealed_block *hn_window_block(const hn_window *window, uint64_t number)
{
    return number < window->first || number > window->last ? NULL : *place(window, number);
}

bool hn_window_account(const hn_window *window, bool *existed, hn_account *out, uint64_t number,
                       const hn_address *address)
{
    const hn_account_before *found =
        number == window->last ? NULL : hn_versions_account(window->versions, number, address);
    if (found == NULL)
        return false;
    *existed = found->existed;
    *out = found->account;
    return true;
}

bool hn_window_slot(const hn_window *window, hn_u256 *out, uint64_t number, const hn_address *address,
                    const hn_u256 *key)
{
    if (number == window->last)
        return false;
    hn_hash key_bytes;
    hn_u256_to_be(key_bytes.b, key);
    const hn_slot_before *found = hn_versions_slot(window->versions, number, address, &key_bytes);
    if (found == NULL)
        return false;
    *out = hn_u256_from_be(found->value.b);
    return true;
}

bool hn_window_had_storage(const hn_window *window, uint64_t number, const hn_address *address)
{
    return hn_versions_had_storage(window->versions, number, address);
}

size_t hn_window_bytes(const hn_window *window)
{
    return window->bytes + hn_versions_bytes(window->versions);
}
