/* Both checksums of a backup's files, computed as the bytes pass: XXH3-128, which finds accidents, and
 * SHA-256, which finds intent as well.
 */
#ifndef HN_PIPELINE_BACKUP_DIGEST_H
#define HN_PIPELINE_BACKUP_DIGEST_H

#include "engine/base/hash_table.h"

typedef struct hn_digest {
    hn_checksum sum;
    hn_hash sha256;
} hn_digest;

typedef struct hn_digest_state hn_digest_state;

/* NULL: no memory. */
hn_digest_state *hn_digest_create(void);
void hn_digest_destroy(hn_digest_state *state);

/* Forgets what was added. */
void hn_digest_begin(hn_digest_state *state);
void hn_digest_add(hn_digest_state *state, hn_bytes bytes);
hn_digest hn_digest_end(hn_digest_state *state);

bool hn_digest_equal(const hn_digest *left, const hn_digest *right);

#endif
