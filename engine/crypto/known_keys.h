/* Senders that were seen before: an exact check against a hinted key instead of recovery.
 *
 * Who submits a transaction may say from whom it is. Of keys that were recovered and hinted rightly a few
 * times there is a table, with which a signature is checked in a third of the time that recovery takes. A
 * hint is never believed: what the check does not prove is recovered, so every result is the one of
 * hn_signature_recover_batch, whatever the hints. A wrong one costs a little and is counted.
 *
 * Any number of readers share the keys, each with a number of its own: none of them waits for another. New
 * keys are taken in by whoever comes by when nobody else does that; they become visible when their tables are
 * complete, and a table is overwritten only when every reader has left since it was taken out of the index. A
 * word of memory has one writer at a time: its reader's, or whoever takes keys in.
 *
 * Without a kernel for this machine everything is recovered.
 */
#ifndef HN_ENGINE_CRYPTO_KNOWN_KEYS_H
#define HN_ENGINE_CRYPTO_KNOWN_KEYS_H

#include "engine/crypto/signature.h"

enum {
    HN_KNOWN_KEYS_MAX = 1 << 20,
    HN_KNOWN_KEY_READERS_MAX = 64,
    HN_KNOWN_KEY_BYTES = 8 * 1024, /* of the table of each */
    HN_KNOWN_KEY_SIGHTINGS = 2,    /* until a key gets a table, which pays after four more */
};

typedef struct hn_known_keys hn_known_keys;

typedef struct hn_known_keys_options {
    uint32_t keys_max; /* 1 to HN_KNOWN_KEYS_MAX; their memory is reserved, and used as keys come */
    uint32_t readers;  /* 1 to HN_KNOWN_KEY_READERS_MAX */
    uint64_t seed;     /* secret: keys share places by it */
} hn_known_keys_options;

/* Sums over all readers. Hints of signatures out of range count as wrong. */
typedef struct hn_known_keys_counts {
    uint64_t proven;  /* checked instead of recovered */
    uint64_t unknown; /* the hint was right, but there was no table (yet), or the check could not tell */
    uint64_t wrong;   /* the hint was wrong */
    uint64_t made;    /* tables */
    uint64_t evicted; /* keys that gave theirs to others */
    uint64_t refused; /* keys for which there was no room: all others are in use */
} hn_known_keys_counts;

/* `context` outlives the keys. HN_ERR_RANGE, HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_known_keys_create(hn_known_keys **out, const hn_signature_context *context,
                                        const hn_known_keys_options *options);
void hn_known_keys_destroy(hn_known_keys *keys);

/* What checks: "avx512ifma", or "none". */
const char *hn_known_keys_kernel(const hn_known_keys *keys);

/* As hn_signature_recover_batch. hints[i] is the supposed signer of items[i]; zero: none is known. Each
 * reader is one core at a time. */
void hn_known_keys_recover(hn_known_keys *keys, uint32_t reader, hn_recovery *items, const hn_address *hints,
                           size_t count);

/* Any core. */
hn_known_keys_counts hn_known_keys_count(const hn_known_keys *keys);

#endif
