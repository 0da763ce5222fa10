#include "engine/trie/node_rlp.h"

#include "engine/codec/rlp.h"
#include "engine/trie/trie.h"

enum { ODD = 0x10, LEAF = 0x20, RLP_HASH_PREFIX = 0xa0, RLP_EMPTY_STRING = 0x80 };

uint8_t *hn_trie_write_leaf(uint8_t *to, hn_bytes key, size_t depth, hn_bytes value)
{
    /* Hex-prefix form keeps the nibbles of a key where they are in their bytes: only the byte that the path
     * begins in has to be made. */
    uint8_t path[HN_TRIE_KEY_BYTES_MAX + 1];
    size_t rest = depth / 2;
    if ((depth & 1) != 0) {
        path[0] = (uint8_t)(LEAF | ODD | (key.data[rest] & 15));
        rest++;
    } else {
        path[0] = LEAF;
    }
    if (key.size != rest)
        memcpy(path + 1, key.data + rest, key.size - rest);
    hn_bytes path_bytes = hn_bytes_of(path, 1 + key.size - rest);
    to = hn_rlp_write_list_prefix(to, hn_rlp_size_of_string(path_bytes) + hn_rlp_size_of_string(value));
    to = hn_rlp_write_string(to, path_bytes);
    return hn_rlp_write_string(to, value);
}

static size_t size_of_ref(hn_trie_ref ref)
{
    return ref.size == sizeof(hn_hash) ? 1 + sizeof(hn_hash) : ref.size;
}

static uint8_t *write_ref(uint8_t *to, hn_trie_ref ref)
{
    if (ref.size == sizeof(hn_hash)) {
        *to = RLP_HASH_PREFIX;
        memcpy(to + 1, ref.data, sizeof(hn_hash));
        return to + 1 + sizeof(hn_hash);
    }
    memcpy(to, ref.data, ref.size);
    return to + ref.size;
}

uint8_t *hn_trie_write_extension(uint8_t *to, const uint8_t *nibbles, size_t nibble_count, hn_trie_ref child)
{
    uint8_t path[HN_TRIE_KEY_BYTES_MAX + 1];
    size_t size = 1, i = 0;
    path[0] = 0;
    if ((nibble_count & 1) != 0)
        path[0] = (uint8_t)(ODD | nibbles[i++]);
    for (; i < nibble_count; i += 2)
        path[size++] = (uint8_t)(nibbles[i] << 4 | nibbles[i + 1]);
    hn_bytes path_bytes = hn_bytes_of(path, size);
    to = hn_rlp_write_list_prefix(to, hn_rlp_size_of_string(path_bytes) + size_of_ref(child));
    to = hn_rlp_write_string(to, path_bytes);
    return write_ref(to, child);
}

uint8_t *hn_trie_write_branch(uint8_t *to, const hn_trie_ref children[16], hn_bytes value)
{
    size_t payload = hn_rlp_size_of_string(value);
    for (int i = 0; i < 16; i++)
        payload += children[i].size != 0 ? size_of_ref(children[i]) : 1;
    to = hn_rlp_write_list_prefix(to, payload);
    for (int i = 0; i < 16; i++) {
        if (children[i].size != 0)
            to = write_ref(to, children[i]);
        else
            *to++ = RLP_EMPTY_STRING;
    }
    return hn_rlp_write_string(to, value);
}
