#include "engine/chain/recent_hashes.h"

#include "engine/base/check.h"
#include "engine/chain/system_calls.h"

void hn_recent_hashes_init(hn_recent_hashes *recent, const hn_ledger_port *port, uint64_t first)
{
    *recent = (hn_recent_hashes){.first = first, .end = first, .port = *port};
}

void hn_recent_hashes_get(const hn_recent_hashes *recent, hn_hash *out, uint64_t block_number)
{
    if (block_number >= recent->end) {
        HN_CHECK(recent->port.await_block_hash != NULL);
        recent->port.await_block_hash(recent->port.self, out, block_number);
    } else if (block_number >= recent->first) {
        *out = recent->hashes[block_number % HN_RECENT_HASHES];
    } else {
        *out = (hn_hash){.b = {0}};
    }
}

bool hn_recent_hashes_add(hn_recent_hashes *recent, uint64_t block_number, const hn_hash *hash)
{
    HN_CHECK(block_number == recent->end);
    recent->end = block_number + 1;
    if (recent->end - recent->first > HN_RECENT_HASHES)
        recent->first = recent->end - HN_RECENT_HASHES;
    recent->hashes[block_number % HN_RECENT_HASHES] = *hash;
    bool was_open = recent->open_first != recent->open_end && recent->open_first == block_number;
    recent->open_first += was_open;
    return was_open;
}

void hn_recent_hashes_open(hn_recent_hashes *recent, uint64_t block_number)
{
    HN_CHECK(recent->open_first == recent->open_end || block_number == recent->open_end);
    if (recent->open_first == recent->open_end)
        recent->open_first = block_number;
    recent->open_end = block_number + 1;
}

void hn_recent_hashes_unopen(hn_recent_hashes *recent, uint64_t block_number)
{
    if (recent->open_first != recent->open_end && recent->open_end == block_number + 1)
        recent->open_end = block_number;
}

bool hn_recent_hashes_open_slot(const hn_recent_hashes *recent, uint64_t *block_number, const hn_u256 *key)
{
    if (recent->open_first == recent->open_end || !hn_u256_fits_64(key) || key->w[0] >= HN_HISTORY_SLOTS)
        return false;
    /* The newest open block whose slot this is. */
    uint64_t newest = recent->open_end - 1;
    uint64_t back = (newest % HN_HISTORY_SLOTS + HN_HISTORY_SLOTS - key->w[0]) % HN_HISTORY_SLOTS;
    if (back > newest || newest - back < recent->open_first)
        return false;
    *block_number = newest - back;
    return true;
}
