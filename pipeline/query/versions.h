/* Which blocks of a window changed an account or a slot: for each of them the blocks in order, with what they
 * replaced. So the state at any block costs one search, however many blocks there are since.
 *
 * The images belong to the window's blocks. One writer; readers only while it does not write.
 */
#ifndef HN_PIPELINE_QUERY_VERSIONS_H
#define HN_PIPELINE_QUERY_VERSIONS_H

#include "engine/base/err.h"
#include "engine/state/account.h"
#include "pipeline/history/undo_chunk.h"

#include <stddef.h>
#include <stdint.h>

typedef struct hn_versions hn_versions;

/* `seed` keys the hash function; any value is correct. */
HN_MUST_USE hn_err hn_versions_create(hn_versions **out, uint64_t seed);
void hn_versions_destroy(hn_versions *versions);

/* What block `number` replaced; it is the newest. A block's accounts come before its slots, and a slot needs
 * its account. Of two images of one slot (it was cleared and written again) the one that is not zero counts:
 * it is what the block found. After HN_ERR_NO_MEMORY only destroying is allowed. */
HN_MUST_USE hn_err hn_versions_add_account(hn_versions *versions, uint64_t number,
                                           const hn_account_before *image);
HN_MUST_USE hn_err hn_versions_add_slot(hn_versions *versions, uint64_t number, const hn_slot_before *image);

/* Takes back what block `number` brought; it is the oldest. Its slots go before its accounts. */
void hn_versions_drop_account(hn_versions *versions, uint64_t number, const hn_address *address);
void hn_versions_drop_slot(hn_versions *versions, uint64_t number, const hn_address *address,
                           const hn_hash *key);

/* What the oldest block above `number` that changed it has replaced; NULL: none did. */
const hn_account_before *hn_versions_account(const hn_versions *versions, uint64_t number,
                                             const hn_address *address);
const hn_slot_before *hn_versions_slot(const hn_versions *versions, uint64_t number,
                                       const hn_address *address, const hn_hash *key);

/* Some slot of the account was changed above `number` and was not zero then. */
bool hn_versions_had_storage(const hn_versions *versions, uint64_t number, const hn_address *address);

size_t hn_versions_bytes(const hn_versions *versions);

#endif
