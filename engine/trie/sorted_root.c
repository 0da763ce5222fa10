#include "engine/trie/sorted_root.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/node_rlp.h"
#include "engine/trie/trie.h"

enum {
    KEY_BYTES = 32,
    KEY_NIBBLES = 64,
    NODE_MAX = HN_TRIE_BRANCH_RLP_MAX_BESIDES_VALUE + HN_SORTED_VALUE_MAX,
};

/* What a parent has of a node: itself when it is short, else its hash. */
static void refer(hn_sorted_node *out, const uint8_t *rlp, size_t size)
{
    HN_CHECK(size <= NODE_MAX);
    if (size < sizeof(hn_hash)) {
        memcpy(out->bytes, rlp, size);
        out->size = (uint8_t)size;
        return;
    }
    hn_hash hash;
    hn_keccak256(&hash, rlp, size);
    memcpy(out->bytes, hash.b, sizeof hash.b);
    out->size = sizeof hash.b;
}

static unsigned nibble_at(const hn_sorted_leaves *leaves, size_t place, size_t depth)
{
    return hn_trie_nibble(leaves->key(leaves->self, place), depth);
}

/* How many nibbles the keys of a range share, those of its first and its last. */
static size_t shared_nibbles(const hn_sorted_leaves *leaves, size_t first, size_t last, size_t depth)
{
    const uint8_t *a = leaves->key(leaves->self, first), *b = leaves->key(leaves->self, last);
    while (depth < KEY_NIBBLES && hn_trie_nibble(a, depth) == hn_trie_nibble(b, depth))
        depth++;
    HN_CHECK(depth < KEY_NIBBLES); /* all keys are different */
    return depth;
}

static hn_err build_leaf(uint8_t *rlp, size_t *size, const hn_sorted_leaves *leaves, size_t place,
                         size_t depth)
{
    hn_bytes value;
    HN_TRY(leaves->value(leaves->self, &value, place));
    HN_CHECK(value.size != 0 && value.size <= HN_SORTED_VALUE_MAX);
    hn_bytes key = hn_bytes_of(leaves->key(leaves->self, place), KEY_BYTES);
    *size = (size_t)(hn_trie_write_leaf(rlp, key, depth, value) - rlp);
    return HN_OK;
}

static hn_err build(uint8_t *rlp, size_t *size, const hn_sorted_leaves *leaves, size_t first, size_t end,
                    size_t depth);

/* The keys of [first, end) part at this nibble. */
static hn_err build_branch(uint8_t *rlp, size_t *size, const hn_sorted_leaves *leaves, size_t first,
                           size_t end, size_t depth)
{
    hn_sorted_node children[16] = {{.size = 0}};
    while (first < end) {
        unsigned nibble = nibble_at(leaves, first, depth);
        size_t low = first + 1, high = end; /* the first place of another nibble is in [low, high] */
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (nibble_at(leaves, middle, depth) == nibble)
                low = middle + 1;
            else
                high = middle;
        }
        HN_TRY(build(rlp, size, leaves, first, low, depth + 1));
        refer(&children[nibble], rlp, *size);
        first = low;
    }
    hn_trie_ref refs[16];
    for (size_t i = 0; i < 16; i++)
        refs[i] = (hn_trie_ref){.data = children[i].bytes, .size = children[i].size};
    *size = (size_t)(hn_trie_write_branch(rlp, refs, (hn_bytes){0}) - rlp);
    return HN_OK;
}

/* The RLP of the node of [first, end), whose keys share the nibbles before `depth`. At most 64 deep. */
static hn_err build(uint8_t *rlp, size_t *size, const hn_sorted_leaves *leaves, size_t first, size_t end,
                    size_t depth)
{
    if (end - first == 1)
        return build_leaf(rlp, size, leaves, first, depth);
    size_t parting = shared_nibbles(leaves, first, end - 1, depth);
    HN_TRY(build_branch(rlp, size, leaves, first, end, parting));
    if (parting == depth)
        return HN_OK;
    hn_sorted_node child;
    refer(&child, rlp, *size);
    uint8_t nibbles[KEY_NIBBLES];
    for (size_t i = depth; i < parting; i++)
        nibbles[i - depth] = (uint8_t)nibble_at(leaves, first, i);
    const hn_trie_ref ref = {.data = child.bytes, .size = child.size};
    *size = (size_t)(hn_trie_write_extension(rlp, nibbles, parting - depth, ref) - rlp);
    return HN_OK;
}

hn_err hn_sorted_root(hn_hash *root, const hn_sorted_leaves *leaves)
{
    uint8_t rlp[NODE_MAX];
    size_t size = 0;
    if (leaves->count == 0) {
        *root = hn_empty_trie_root;
        return HN_OK;
    }
    HN_TRY(build(rlp, &size, leaves, 0, leaves->count, 0));
    hn_keccak256(root, rlp, size);
    return HN_OK;
}

hn_err hn_sorted_part(hn_sorted_node *out, const hn_sorted_leaves *leaves)
{
    uint8_t rlp[NODE_MAX];
    size_t size = 0;
    out->size = 0;
    if (leaves->count == 0)
        return HN_OK;
    HN_TRY(build(rlp, &size, leaves, 0, leaves->count, 1));
    refer(out, rlp, size);
    return HN_OK;
}

hn_err hn_sorted_join(hn_hash *root, const hn_sorted_node parts[16])
{
    hn_trie_ref refs[16];
    unsigned count = 0;
    for (size_t i = 0; i < 16; i++) {
        refs[i] = (hn_trie_ref){.data = parts[i].bytes, .size = parts[i].size};
        count += parts[i].size != 0;
    }
    if (count < 2)
        return HN_ERR_INVALID;
    uint8_t rlp[NODE_MAX];
    hn_keccak256(root, rlp, (size_t)(hn_trie_write_branch(rlp, refs, (hn_bytes){0}) - rlp));
    return HN_OK;
}
