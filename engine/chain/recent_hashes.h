/* The hashes of the newest blocks as the executor knows them: some are sealed and known, the newest ones
 * perhaps not yet. Also which slots of EIP-2935's contract the flat tables lack because of that.
 */
#ifndef HN_ENGINE_CHAIN_RECENT_HASHES_H
#define HN_ENGINE_CHAIN_RECENT_HASHES_H

#include "engine/chain/ledger.h"

enum { HN_RECENT_HASHES = 256 }; /* as far back as BLOCKHASH sees */

typedef struct hn_recent_hashes {
    hn_hash hashes[HN_RECENT_HASHES]; /* by block number modulo the size */
    uint64_t first;                   /* known are the blocks from `first` ... */
    uint64_t end;                     /* ... to before `end` */
    /* Blocks whose EIP-2935 slots were left open: from open_first to before open_end. They are written into
     * the tables when their hashes become known, in order. */
    uint64_t open_first;
    uint64_t open_end;
    hn_ledger_port port;
} hn_recent_hashes;

/* Nothing is known yet; the first hash to be added is that of block `first`. */
void hn_recent_hashes_init(hn_recent_hashes *recent, const hn_ledger_port *port, uint64_t first);

/* The hash of a block before the one that executes: from memory, or waited for; zero when it is too old. */
void hn_recent_hashes_get(const hn_recent_hashes *recent, hn_hash *out, uint64_t block_number);

static inline bool hn_recent_hashes_knows(const hn_recent_hashes *recent, uint64_t block_number)
{
    return block_number >= recent->first && block_number < recent->end;
}

/* The next hash in order. True when the block's EIP-2935 slot was left open: the caller fills it. */
bool hn_recent_hashes_add(hn_recent_hashes *recent, uint64_t block_number, const hn_hash *hash);

/* Leaves the slot of a block open. */
void hn_recent_hashes_open(hn_recent_hashes *recent, uint64_t block_number);
/* Takes that back: the block that would have filled it turned out empty. */
void hn_recent_hashes_unopen(hn_recent_hashes *recent, uint64_t block_number);

/* True, with the block's number, when a slot of EIP-2935's contract is one that was left open. */
bool hn_recent_hashes_open_slot(const hn_recent_hashes *recent, uint64_t *block_number, const hn_u256 *key);

#endif
