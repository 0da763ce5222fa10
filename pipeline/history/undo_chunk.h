/* What a block replaced (its undo), as it is stored: items in chunks.
 *
 * An item is the before-image of an account or of a slot. Those of a block are numbered from 0: each account
 * that it changed, followed by that account's slots. A storage that was cleared comes first with all it lost;
 * a slot that was then written again is listed once more with the zero it had in between, so the first image
 * of a slot is the one that counts.
 *
 * A chunk holds successive items and is read from its beginning. The one with item 0 begins with how many
 * accounts and slots the block has; one that begins with a slot says first whose it is. The bytes:
 *   account: 1 | bits (4: it existed, 8: it has code) | address | existed: nonce, balance, hash of the code
 *   slot:    2 | key, value
 *   owner:   3 | address
 * in which counts and nonces are written seven bits a byte, lowest first, the top bit saying that more
 * follow; keys, values and balances as a byte that says how many bytes follow, without leading zeroes. What
 * could be written shorter is not read.
 */
#ifndef HN_PIPELINE_HISTORY_UNDO_CHUNK_H
#define HN_PIPELINE_HISTORY_UNDO_CHUNK_H

#include "engine/base/err.h"
#include "engine/state/diff.h"

enum {
    HN_UNDO_CHUNK_BYTES = 4080, /* one page of LMDB but for its header */
    HN_UNDO_ITEMS_MAX = 1 << 24,
};

typedef struct hn_account_before {
    hn_address address;
    bool existed;
    hn_account account; /* valid when it existed */
} hn_account_before;

typedef struct hn_slot_before {
    hn_address address;
    hn_hash key;
    hn_hash value;
} hn_slot_before;

typedef struct hn_undo_counts {
    uint32_t accounts;
    uint32_t slots;
} hn_undo_counts;

/* How many items a diff has (its cleared slots are filled). HN_ERR_LIMIT: HN_UNDO_ITEMS_MAX or more. */
HN_MUST_USE hn_err hn_undo_count(hn_undo_counts *out, const hn_state_diff *diff);

/* --- writing --- */

typedef struct hn_undo_writer {
    const hn_state_diff *diff;
    hn_undo_counts counts;
    uint32_t item;    /* the next one: its number, */
    uint32_t account; /* and where in the diff it is: the account's index */
    uint32_t slot;    /* 0: the account itself; else one behind the index of its slot */
} hn_undo_writer;

/* Writes the next chunk and its first item's number. False: all are written. A diff without changes has one
 * chunk. */
bool hn_undo_chunk_write(uint8_t out[HN_UNDO_CHUNK_BYTES], size_t *size, uint32_t *first_item,
                         hn_undo_writer *writer);
static inline hn_undo_writer hn_undo_writer_of(const hn_state_diff *diff, hn_undo_counts counts)
{
    return (hn_undo_writer){.diff = diff, .counts = counts};
}

/* --- reading --- */

typedef enum hn_undo_kind {
    HN_UNDO_ACCOUNT = 1,
    HN_UNDO_SLOT = 2,
} hn_undo_kind;

typedef struct hn_undo_cursor {
    hn_bytes rest;
    uint32_t next_item;
    bool has_owner;
    /* the item that was read */
    uint32_t item;
    hn_undo_kind kind;
    hn_account_before account; /* of a slot: only its address, the owner's */
    hn_slot_before slot;
} hn_undo_cursor;

/* `counts` is written when first_item is 0. HN_ERR_CORRUPT: there are none. */
HN_MUST_USE hn_err hn_undo_cursor_begin(hn_undo_cursor *out, hn_undo_counts *counts, hn_bytes chunk,
                                        uint32_t first_item);

/* HN_ERR_NOT_FOUND: the chunk's end. HN_ERR_CORRUPT: no chunk has such bytes. */
HN_MUST_USE hn_err hn_undo_cursor_next(hn_undo_cursor *cursor);

#endif
