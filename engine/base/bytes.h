/* Byte strings and the fixed-width values of Ethereum.
 *
 * hn_bytes is a borrowed view: it owns nothing, and whoever makes one says how long it lives. An empty view
 * may have a NULL pointer.
 */
#ifndef HN_ENGINE_BASE_BYTES_H
#define HN_ENGINE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct hn_bytes {
    const uint8_t *data;
    size_t size;
} hn_bytes;

typedef struct hn_address {
    uint8_t b[20];
} hn_address;

/* A 256-bit hash, root or storage key in the byte order of the wire (big-endian). */
typedef struct hn_hash {
    uint8_t b[32];
} hn_hash;

static inline hn_bytes hn_bytes_of(const void *data, size_t size)
{
    return (hn_bytes){.data = data, .size = size};
}

static inline bool hn_bytes_equal(hn_bytes left, hn_bytes right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

static inline bool hn_address_equal(const hn_address *left, const hn_address *right)
{
    return memcmp(left->b, right->b, sizeof left->b) == 0;
}

static inline bool hn_hash_equal(const hn_hash *left, const hn_hash *right)
{
    return memcmp(left->b, right->b, sizeof left->b) == 0;
}

static inline bool hn_address_is_zero(const hn_address *address)
{
    static const hn_address zero;
    return hn_address_equal(address, &zero);
}

static inline bool hn_hash_is_zero(const hn_hash *hash)
{
    static const hn_hash zero;
    return hn_hash_equal(hash, &zero);
}

/* Unaligned loads and stores. Big-endian is the wire's order, little-endian the log's. */
static inline uint64_t hn_load_be64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return __builtin_bswap64(value);
}

static inline uint32_t hn_load_be32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return __builtin_bswap32(value);
}

static inline uint16_t hn_load_be16(const uint8_t *from)
{
    return (uint16_t)((from[0] << 8) | from[1]);
}

static inline void hn_store_be64(uint8_t *to, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(to, &value, sizeof value);
}

static inline void hn_store_be32(uint8_t *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(to, &value, sizeof value);
}

static inline void hn_store_be16(uint8_t *to, uint16_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static inline uint64_t hn_load_le64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline uint32_t hn_load_le32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void hn_store_le64(uint8_t *to, uint64_t value)
{
    memcpy(to, &value, sizeof value);
}

static inline void hn_store_le32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

/* Overwrites a secret so that the compiler cannot leave the write out. */
void hn_wipe(void *secret, size_t size);

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a little-endian machine is assumed throughout");

#endif
