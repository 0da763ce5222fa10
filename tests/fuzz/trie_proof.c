/* Any bytes as a Merkle proof. The input is a key (one byte of length, then the key) and nodes (two bytes of
 * length each, then the node). The root and all references in between are taken from the nodes themselves
 * where that is possible, so that checking gets past the hashes; whatever is found must lie in the last node.
 */
#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/trie.h"

enum { NODES_MAX = 64, HASH_BYTES = 32 };

/* Puts the hash of each node into the one before it, at the place that the node before names by four bytes
 * of 0xee; from the last node to the first. */
static void tie(uint8_t *const nodes[], const size_t sizes[], size_t count)
{
    for (size_t i = count; i-- > 1;) {
        hn_hash hash;
        hn_keccak256(&hash, nodes[i], sizes[i]);
        for (size_t at = 0; at + HASH_BYTES <= sizes[i - 1]; at++) {
            if (memcmp(nodes[i - 1] + at, "\xee\xee\xee\xee", 4) != 0)
                continue;
            memcpy(nodes[i - 1] + at, hash.b, sizeof hash.b);
            break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t input[1 << 16];
    if (size == 0 || size > sizeof input || (size_t)(data[0] & 63) + 1 > size)
        return 0;
    memcpy(input, data, size);
    hn_bytes key = hn_bytes_of(input + 1, input[0] & 63);
    uint8_t *nodes[NODES_MAX];
    size_t sizes[NODES_MAX], count = 0;
    for (size_t at = 1 + key.size; at + 2 <= size && count < NODES_MAX;) {
        size_t wanted = hn_load_be16(input + at), rest = size - at - 2;
        nodes[count] = input + at + 2;
        sizes[count] = wanted < rest ? wanted : rest;
        at += 2 + sizes[count];
        count++;
    }
    tie(nodes, sizes, count);
    hn_bytes proof[NODES_MAX], value = {NULL, 0};
    for (size_t i = 0; i < count; i++)
        proof[i] = hn_bytes_of(nodes[i], sizes[i]);
    hn_hash root = hn_empty_trie_root;
    if (count != 0)
        hn_keccak256(&root, proof[0].data, proof[0].size);
    hn_err err = hn_trie_verify_proof(&value, &root, key, proof, count);
    HN_CHECK(err == HN_OK || err == HN_ERR_MISMATCH);
    if (err == HN_OK && value.size != 0)
        HN_CHECK(value.data >= proof[count - 1].data &&
                 value.data + value.size <= proof[count - 1].data + proof[count - 1].size);
    /* One byte more, and it is no proof of that root. */
    root.b[0] ^= 1;
    HN_CHECK(hn_trie_verify_proof(&value, &root, key, proof, count) == HN_ERR_MISMATCH);
    return 0;
}
