/* The kernels behind known_keys.h: whether signatures are of given keys, several side by side. Private to
 * engine/crypto, its tests and benchmarks.
 *
 * A kernel answers for a key by a table that it made of it before. What it calls proven is so: recovery would
 * find this very key. What it does not call proven may be so nevertheless, where a point addition met one of
 * its exceptions; the caller recovers then.
 */
#ifndef HN_ENGINE_CRYPTO_KNOWN_KEY_KERNELS_H
#define HN_ENGINE_CRYPTO_KNOWN_KEY_KERNELS_H

#include "engine/crypto/known_keys.h"

enum {
    HN_KNOWN_KEYS_AT_ONCE = 8, /* tables are made for so many keys side by side */
    HN_KNOWN_KEY_CHECKS_MAX = 128,
};

typedef struct hn_known_key_check {
    const hn_recovery *item; /* r and s in (0, n), y_parity 0 or 1 */
    const void *table;       /* of the key in question */
} hn_known_key_check;

typedef struct hn_known_key_kernel {
    const char *name;
    size_t fixed_bytes;      /* of the generator's table, aligned to 64 */
    size_t table_bytes;      /* of each key's, aligned to 64 */
    bool (*available)(void); /* whether this machine can run it */
    /* The points are x and y, big-endian, and on the curve. */
    void (*prepare)(void *fixed, const uint8_t generator[64]);
    void (*make_tables)(void *const tables[HN_KNOWN_KEYS_AT_ONCE],
                        const uint8_t (*keys)[64]); /* HN_KNOWN_KEYS_AT_ONCE of them */
    /* At most HN_KNOWN_KEY_CHECKS_MAX. */
    void (*check)(const void *fixed, bool *proven, const hn_known_key_check *checks, size_t count);
} hn_known_key_kernel;

/* Every kernel that was compiled in, the fastest first; NULL ends the list. */
extern const hn_known_key_kernel *const hn_known_key_kernels[];

/* Keys that are checked by this kernel, which must be available; NULL: by none. */
HN_MUST_USE hn_err hn_known_keys_create_with(hn_known_keys **out, const hn_signature_context *context,
                                             const hn_known_keys_options *options,
                                             const hn_known_key_kernel *kernel);

extern const hn_known_key_kernel hn_known_key_ifma;

#endif
