/* The Internet checksum (RFC 1071). Pure. */
#ifndef HN_PIPELINE_PORT_CHECKSUM_H
#define HN_PIPELINE_PORT_CHECKSUM_H

#include "engine/base/bytes.h"

/* The running one's complement sum over big-endian 16-bit words; an odd last byte is padded with zero, so
 * only the last piece may be odd. */
static inline uint64_t hn_checksum_add(uint64_t sum, const uint8_t *data, size_t size)
{
    size_t i = 0;
    for (; i + 4 <= size; i += 4)
        sum += hn_load_be32(data + i);
    if (i + 2 <= size) {
        sum += hn_load_be16(data + i);
        i += 2;
    }
    if (i < size)
        sum += (uint64_t)data[i] << 8;
    return sum;
}

/* The sum folded to 16 bits, not complemented. */
static inline uint16_t hn_checksum_fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* The sum over the pseudo header of UDP and ICMPv6: addresses (4 or 16 bytes each), protocol, length. */
static inline uint64_t hn_checksum_pseudo(const uint8_t *source, const uint8_t *destination,
                                          size_t address_size, uint8_t protocol, size_t length)
{
    uint64_t sum = hn_checksum_add(0, source, address_size);
    sum = hn_checksum_add(sum, destination, address_size);
    return sum + protocol + length;
}

#endif
