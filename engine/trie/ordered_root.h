/* Root of the trie that maps rlp(0), rlp(1), ... to a list of byte strings: transactions, receipts,
 * withdrawals (yellow paper, section 4.3.2). Built at once, hashed in batches, nothing kept.
 */
#ifndef HN_ENGINE_TRIE_ORDERED_ROOT_H
#define HN_ENGINE_TRIE_ORDERED_ROOT_H

#include "engine/base/arena.h"
#include "engine/base/err.h"

/* `arena` is scratch space: released to where it was. */
HN_MUST_USE hn_err hn_ordered_root(hn_hash *out, hn_arena *arena, const hn_bytes *values, size_t value_count);

#endif
