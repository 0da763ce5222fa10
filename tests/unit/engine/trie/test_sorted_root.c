#include "engine/trie/sorted_root.h"

#include "engine/base/prng.h"
#include "tests/unit/engine/trie/reference_trie.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { LEAVES_MAX = 3000 };

typedef struct sample {
    uint8_t keys[LEAVES_MAX][32];
    uint8_t values[LEAVES_MAX][HN_SORTED_VALUE_MAX];
    size_t sizes[LEAVES_MAX];
    size_t count;
    size_t first; /* of the part */
} sample;

static const uint8_t *key_at(const void *self, size_t place)
{
    const sample *s = self;
    return s->keys[s->first + place];
}

static hn_err value_at(void *self, hn_bytes *out, size_t place)
{
    sample *s = self;
    *out = hn_bytes_of(s->values[s->first + place], s->sizes[s->first + place]);
    return HN_OK;
}

static int compare(const void *left, const void *right)
{
    return memcmp(left, right, 32);
}

/* `alike`: keys that share long beginnings, so that there are extensions and short leaves. */
static void fill(sample *s, size_t count, bool alike, hn_prng *prng)
{
    for (size_t i = 0; i < count; i++) {
        hn_prng_fill(prng, s->keys[i], 32);
        if (alike && i % 3 != 0) {
            memcpy(s->keys[i], s->keys[hn_prng_below(prng, i)], 32);
            s->keys[i][hn_prng_below(prng, 32)] ^= (uint8_t)(1 << hn_prng_below(prng, 8));
        }
    }
    qsort(s->keys, count, 32, compare);
    s->count = 0;
    for (size_t i = 0; i < count; i++)
        if (s->count == 0 || memcmp(s->keys[s->count - 1], s->keys[i], 32) != 0)
            memmove(s->keys[s->count++], s->keys[i], 32);
    for (size_t i = 0; i < s->count; i++) {
        s->sizes[i] = 1 + hn_prng_below(prng, i % 2 != 0 ? 3 : HN_SORTED_VALUE_MAX);
        hn_prng_fill(prng, s->values[i], s->sizes[i]);
    }
}

static void check(sample *s)
{
    reference_item *items = calloc(s->count + 1, sizeof *items);
    for (size_t i = 0; i < s->count; i++)
        items[i] = (reference_item){.key = hn_bytes_of(s->keys[i], 32),
                                    .value = hn_bytes_of(s->values[i], s->sizes[i])};
    hn_hash want, got;
    reference_root(&want, items, s->count);
    free(items);
    hn_sorted_leaves leaves = {.self = s, .count = s->count, .key = key_at, .value = value_at};
    s->first = 0;
    cr_assert_eq(hn_sorted_root(&got, &leaves), HN_OK);
    cr_assert(hn_hash_equal(&want, &got), "%zu leaves", s->count);
    hn_sorted_node parts[16];
    unsigned used = 0;
    for (unsigned nibble = 0; nibble < 16; nibble++) {
        leaves.count = 0;
        while (s->first + leaves.count < s->count && s->keys[s->first + leaves.count][0] >> 4 == nibble)
            leaves.count++;
        cr_assert_eq(hn_sorted_part(&parts[nibble], &leaves), HN_OK);
        cr_assert_eq(parts[nibble].size != 0, leaves.count != 0);
        used += leaves.count != 0;
        s->first += leaves.count;
    }
    if (used < 2) {
        cr_assert_eq(hn_sorted_join(&got, parts), HN_ERR_INVALID);
        return;
    }
    got = (hn_hash){{0}};
    cr_assert_eq(hn_sorted_join(&got, parts), HN_OK);
    cr_assert(hn_hash_equal(&want, &got), "%zu leaves in parts", s->count);
}

Test(sorted_root, agrees_with_the_reference, .timeout = 60)
{
    static const size_t counts[] = {0, 1, 2, 3, 5, 16, 17, 40, 257, 900, LEAVES_MAX};
    static sample s;
    hn_prng prng;
    hn_prng_init(&prng, 11);
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            fill(&s, counts[i], round % 2 != 0, &prng);
            check(&s);
        }
    }
}
