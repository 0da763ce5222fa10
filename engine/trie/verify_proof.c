/* Checking proofs from anywhere: every byte is untrusted until its hash is the one that the node above names.
 */
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/node_rlp.h"
#include "engine/trie/trie.h"

enum { BRANCH_ITEMS = 17, TERMINATOR_FLAG = 2, ODD_FLAG = 1 };

/* What a node says about the next step towards the key. */
typedef enum outcome {
    REFUSED, /* no node of a trie */
    ABSENT,
    FOUND,
    DESCEND,
} outcome;

typedef struct checker {
    hn_bytes key;
    size_t depth;   /* nibbles of the key that are behind */
    hn_bytes value; /* FOUND */
    hn_bytes child; /* DESCEND: the reference as an RLP item */
} checker;

/* Follows the hex-prefix path of a leaf or an extension. */
static outcome follow_path(checker *self, hn_bytes path, bool *is_leaf)
{
    if (path.size == 0 || (path.data[0] >> 4) > (TERMINATOR_FLAG | ODD_FLAG))
        return REFUSED;
    unsigned flags = path.data[0] >> 4;
    size_t first = (flags & ODD_FLAG) != 0 ? 1 : 2;
    if (first == 2 && (path.data[0] & 15) != 0)
        return REFUSED;
    *is_leaf = (flags & TERMINATOR_FLAG) != 0;
    if (!*is_leaf && first == 2 * path.size)
        return REFUSED; /* an extension by nothing */
    for (size_t i = first; i < 2 * path.size; i++, self->depth++)
        if (self->depth == 2 * self->key.size ||
            hn_trie_nibble(path.data, i) != hn_trie_nibble(self->key.data, self->depth))
            return ABSENT;
    return DESCEND;
}

static outcome read_short_node(checker *self, hn_bytes path_item, hn_bytes second)
{
    hn_rlp_cursor cursor = hn_rlp_cursor_of(path_item);
    hn_bytes path;
    bool is_leaf;
    if (hn_rlp_read_string(&path, &cursor) != HN_OK)
        return REFUSED;
    outcome followed = follow_path(self, path, &is_leaf);
    if (followed != DESCEND)
        return followed;
    if (!is_leaf) {
        self->child = second;
        return DESCEND;
    }
    if (self->depth != 2 * self->key.size)
        return ABSENT;
    cursor = hn_rlp_cursor_of(second);
    if (hn_rlp_read_string(&self->value, &cursor) != HN_OK || self->value.size == 0)
        return REFUSED;
    return FOUND;
}

static outcome read_branch(checker *self, const hn_bytes items[BRANCH_ITEMS])
{
    if (self->depth == 2 * self->key.size) {
        hn_rlp_cursor cursor = hn_rlp_cursor_of(items[BRANCH_ITEMS - 1]);
        if (hn_rlp_read_string(&self->value, &cursor) != HN_OK)
            return REFUSED;
        return self->value.size != 0 ? FOUND : ABSENT;
    }
    self->child = items[hn_trie_nibble(self->key.data, self->depth)];
    self->depth++;
    return self->child.size == 1 && self->child.data[0] == 0x80 ? ABSENT : DESCEND;
}

/* One step into a node. */
static outcome read_node(checker *self, hn_bytes node)
{
    hn_rlp_cursor outer = hn_rlp_cursor_of(node), list;
    if (hn_rlp_read_list(&list, &outer) != HN_OK || !hn_rlp_at_end(&outer))
        return REFUSED;
    hn_bytes items[BRANCH_ITEMS];
    size_t count = 0;
    while (!hn_rlp_at_end(&list)) {
        if (count == BRANCH_ITEMS || hn_rlp_read_raw(&items[count], &list) != HN_OK)
            return REFUSED;
        count++;
    }
    if (count == 2)
        return read_short_node(self, items[0], items[1]);
    return count == BRANCH_ITEMS ? read_branch(self, items) : REFUSED;
}

/* Goes on as long as the nodes lie inside one another. */
static outcome read_nodes(checker *self, hn_bytes node)
{
    for (;;) {
        outcome result = read_node(self, node);
        if (result != DESCEND)
            return result;
        hn_rlp_cursor cursor = hn_rlp_cursor_of(self->child);
        if (!hn_rlp_next_is_list(&cursor))
            return DESCEND;
        if (self->child.size >= sizeof(hn_hash))
            return REFUSED;
        node = self->child;
    }
}

hn_err hn_trie_verify_proof(hn_bytes *value, const hn_hash *root, hn_bytes key, const hn_bytes *nodes,
                            size_t node_count)
{
    checker self = {.key = key};
    hn_hash expected = *root;
    outcome result = DESCEND;
    if (node_count == 0 && hn_hash_equal(root, &hn_empty_trie_root))
        result = ABSENT;
    for (size_t i = 0; i < node_count; i++) {
        hn_hash hash;
        hn_keccak256(&hash, nodes[i].data, nodes[i].size);
        if (result != DESCEND || !hn_hash_equal(&hash, &expected))
            return HN_ERR_MISMATCH;
        result = read_nodes(&self, nodes[i]);
        if (result == DESCEND) {
            hn_rlp_cursor cursor = hn_rlp_cursor_of(self.child);
            if (hn_rlp_read_fixed(expected.b, &cursor, sizeof expected) != HN_OK)
                return HN_ERR_MISMATCH;
        }
    }
    if (result == FOUND)
        *value = self.value;
    else if (result == ABSENT)
        *value = (hn_bytes){0};
    else
        return HN_ERR_MISMATCH;
    return HN_OK;
}
