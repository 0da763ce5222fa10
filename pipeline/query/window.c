#include "pipeline/query/window.h"

#include "engine/base/check.h"

#include <stdlib.h>

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
                        const hn_hash *hash)
{
    hn_window window = {.capacity = (size_t)blocks_max + 2,
                        .first = head->number,
                        .last = head->number,
                        .blocks_max = blocks_max,
                        .bytes_max = bytes_max};
    window.blocks = calloc(window.capacity, sizeof(hn_sealed_block *));
    hn_sealed_block *block = make_block(head, hash);
    if (window.blocks == NULL || block == NULL) {
        free(window.blocks);
        free_block(block);
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
    free(block->accounts);
    free(block->slots);
    block->accounts = NULL;
    block->slots = NULL;
    block->account_count = 0;
    block->slot_count = 0;
    block->bytes = sizeof *block + block->header.extra_data.size;
    window->bytes += block->bytes;
}

hn_err hn_window_push(hn_window *window, const hn_header *header, const hn_hash *hash,
                      const hn_state_diff *diff)
{
    HN_CHECK(header->number == window->last + 1);
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
    while (window->first < window->last &&
           (window->last - window->first > window->blocks_max || window->bytes > window->bytes_max))
        drop_oldest(window);
    return HN_OK;
}

/* --- looking up --- */

hn_sealed_block *hn_window_block(const hn_window *window, uint64_t number)
{
    return number < window->first || number > window->last ? NULL : *place(window, number);
}

hn_sealed_block *hn_window_block_by_hash(const hn_window *window, const hn_hash *hash)
{
    for (uint64_t number = window->last; number >= window->first; number--) {
        hn_sealed_block *block = *place(window, number);
        if (hn_hash_equal(&block->hash, hash))
            return block;
        if (number == 0)
            break;
    }
    return NULL;
}

static int compare_accounts(const void *left, const void *right)
{
    const hn_account_before *x = left;
    const hn_account_before *y = right;
    return memcmp(&x->address, &y->address, sizeof x->address);
}

/* By address and key; of two with the same key (a slot that was cleared and written again) the one that was
 * not zero comes first: it is what the block found. */
static int compare_slots(const void *left, const void *right)
{
    const hn_slot_before *x = left;
    const hn_slot_before *y = right;
    int order = memcmp(&x->address, &y->address, sizeof x->address);
    if (order == 0)
        order = memcmp(&x->key, &y->key, sizeof x->key);
    return order != 0 ? order : memcmp(&y->value, &x->value, sizeof x->value);
}

static void sort_block(hn_sealed_block *block)
{
    if (block->is_sorted)
        return;
    qsort(block->accounts, block->account_count, sizeof *block->accounts, compare_accounts);
    qsort(block->slots, block->slot_count, sizeof *block->slots, compare_slots);
    block->is_sorted = true;
}

bool hn_window_account(const hn_window *window, bool *existed, hn_account *out, uint64_t number,
                       const hn_address *address)
{
    for (uint64_t above = number + 1; above <= window->last; above++) {
        hn_sealed_block *block = *place(window, above);
        sort_block(block);
        hn_account_before wanted = {.address = *address};
        const hn_account_before *found = bsearch(&wanted, block->accounts, block->account_count,
                                                 sizeof *block->accounts, compare_accounts);
        if (found != NULL) {
            *existed = found->existed;
            *out = found->account;
            return true;
        }
    }
    return false;
}

/* The first slot of a sorted block that is not before address and key. */
static size_t lower_bound(const hn_sealed_block *block, const hn_address *address, const hn_hash *key)
{
    size_t low = 0;
    size_t high = block->slot_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(&block->slots[middle].address, address, sizeof *address);
        if (order == 0)
            order = memcmp(&block->slots[middle].key, key, sizeof *key);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool hn_window_slot(const hn_window *window, hn_u256 *out, uint64_t number, const hn_address *address,
                    const hn_u256 *key)
{
    hn_hash key_bytes;
    hn_u256_to_be(key_bytes.b, key);
    for (uint64_t above = number + 1; above <= window->last; above++) {
        hn_sealed_block *block = *place(window, above);
        sort_block(block);
        size_t at = lower_bound(block, address, &key_bytes);
        if (at < block->slot_count && hn_address_equal(&block->slots[at].address, address) &&
            hn_hash_equal(&block->slots[at].key, &key_bytes)) {
            *out = hn_u256_from_be(block->slots[at].value.b);
            return true;
        }
    }
    return false;
}

bool hn_window_had_storage(const hn_window *window, uint64_t number, const hn_address *address)
{
    static const hn_hash zero;
    for (uint64_t above = number + 1; above <= window->last; above++) {
        hn_sealed_block *block = *place(window, above);
        sort_block(block);
        for (size_t at = lower_bound(block, address, &zero);
             at < block->slot_count && hn_address_equal(&block->slots[at].address, address); at++) {
            /* Only the oldest change of a slot tells what it was then. */
            hn_u256 key = hn_u256_from_be(block->slots[at].key.b);
            hn_u256 value;
            if (hn_window_slot(window, &value, number, address, &key) && !hn_u256_is_zero(&value))
                return true;
        }
    }
    return false;
}
