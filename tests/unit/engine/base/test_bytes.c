#include "engine/base/bytes.h"
#include "engine/base/hash_table.h"

#include <criterion/criterion.h>

Test(bytes, loads_and_stores)
{
    static const uint8_t bytes[] = {0xff, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88};
    cr_assert_eq(hn_load_be64(bytes + 1), 0x0102030405060788u);
    cr_assert_eq(hn_load_be32(bytes + 1), 0x01020304u);
    cr_assert_eq(hn_load_be16(bytes + 7), 0x0788u);
    cr_assert_eq(hn_load_be16(bytes), 0xff01u);
    cr_assert_eq(hn_load_le64(bytes + 1), 0x8807060504030201u);
    cr_assert_eq(hn_load_le32(bytes + 1), 0x04030201u);
    uint8_t to[9] = {0};
    hn_store_be64(to + 1, 0x0102030405060788u);
    cr_assert_eq(memcmp(to + 1, bytes + 1, 8), 0);
    hn_store_le64(to + 1, 0x8807060504030201u);
    cr_assert_eq(memcmp(to + 1, bytes + 1, 8), 0);
    hn_store_be32(to + 1, 0x01020304u);
    hn_store_be16(to + 5, 0x0506u);
    cr_assert_eq(memcmp(to + 1, bytes + 1, 6), 0);
    hn_store_le32(to + 1, 0x04030201u);
    cr_assert_eq(memcmp(to + 1, bytes + 1, 4), 0);
    cr_assert_eq(to[0], 0);
}

Test(bytes, equality)
{
    cr_assert(hn_bytes_equal(hn_bytes_of(NULL, 0), hn_bytes_of("x", 0)));
    cr_assert(hn_bytes_equal(hn_bytes_of("ab", 2), hn_bytes_of("abc", 2)));
    cr_assert_not(hn_bytes_equal(hn_bytes_of("ab", 2), hn_bytes_of("abc", 3)));
    cr_assert_not(hn_bytes_equal(hn_bytes_of("ab", 2), hn_bytes_of("ac", 2)));
    hn_address address = {{0}}, other = {{[19] = 1}};
    cr_assert(hn_address_is_zero(&address));
    cr_assert_not(hn_address_is_zero(&other));
    cr_assert_not(hn_address_equal(&address, &other));
    cr_assert(hn_address_equal(&other, &other));
    hn_hash hash = {{0}}, other_hash = {{[31] = 1}};
    cr_assert(hn_hash_is_zero(&hash));
    cr_assert_not(hn_hash_is_zero(&other_hash));
    cr_assert_not(hn_hash_equal(&hash, &other_hash));
}

Test(bytes, wipe)
{
    uint8_t secret[16];
    memset(secret, 0x55, sizeof secret);
    hn_wipe(secret + 1, sizeof secret - 2);
    cr_assert_eq(secret[0], 0x55);
    cr_assert_eq(secret[15], 0x55);
    for (size_t i = 1; i < 15; i++)
        cr_assert_eq(secret[i], 0);
}

/* XXH3 of the empty input is in xxHash's published sanity checks. */
Test(bytes, checksums)
{
    hn_checksum empty = hn_checksum_of(NULL, 0);
    cr_assert_eq(empty.low, 0x6001c324468d497fu);
    cr_assert_eq(empty.high, 0x99aa06d3014798d8u);
    cr_assert_eq(hn_table_hash(NULL, 0, 0), 0x2d06800538d394c2u);
    cr_assert_neq(hn_table_hash("a", 1, 1), hn_table_hash("a", 1, 2));
}
