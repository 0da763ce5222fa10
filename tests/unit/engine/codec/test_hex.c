#include "engine/codec/hex.h"

#include "engine/base/prng.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <gmp.h>
#include <stdio.h>

Test(hex, bytes_there_and_back)
{
    hn_prng prng;
    hn_prng_init(&prng, 1);
    for (size_t size = 0; size < 100; size++) {
        uint8_t data[100], back[101];
        char text[201], want[201];
        hn_prng_fill(&prng, data, size);
        for (size_t i = 0; i < size; i++)
            snprintf(want + 2 * i, 3, "%02x", data[i]);
        cr_assert_eq(hn_hex_encode(text, data, size), text + 2 * size);
        cr_assert_eq(memcmp(text, want, 2 * size), 0);
        for (size_t i = 0; i < 2 * size; i += 3)
            text[i] = (char)toupper(text[i]);
        back[size] = 0xee;
        cr_assert_eq(hn_hex_decode(back, text, 2 * size), HN_OK);
        cr_assert_eq(memcmp(back, data, size), 0);
        cr_assert_eq(back[size], 0xee);
    }
}

Test(hex, every_character_that_is_no_digit_is_refused)
{
    for (int c = -128; c < 256; c++) {
        char text[2] = {(char)c, '0'}, turned[2] = {'0', (char)c};
        uint8_t byte;
        bool is_digit = c >= 0 && c < 128 && isxdigit(c);
        cr_assert_eq(hn_hex_decode(&byte, text, 2), is_digit ? HN_OK : HN_ERR_INVALID, "%d", c);
        cr_assert_eq(hn_hex_decode(&byte, turned, 2), is_digit ? HN_OK : HN_ERR_INVALID, "%d", c);
    }
    uint8_t byte;
    cr_assert_eq(hn_hex_decode(&byte, "0", 1), HN_ERR_INVALID);
}

Test(hex, data)
{
    uint8_t out[4] = {9, 9, 9, 9};
    size_t size = 99;
    cr_assert_eq(hn_hex_read_data(out, &size, 3, "0x0aFf01"), HN_OK);
    cr_assert_eq(size, 3u);
    cr_assert_eq(memcmp(out, "\x0a\xff\x01\x09", 4), 0);
    cr_assert_eq(hn_hex_read_data(out, &size, 3, "0x"), HN_OK);
    cr_assert_eq(size, 0u);
    cr_assert_eq(hn_hex_read_data(out, &size, 3, "0x01020304"), HN_ERR_LIMIT);
    static const char *const bad[] = {"",    "0",    "x",    "01",        "0X01",
                                      "0x1", "0x0g", "0x 1", "0x0102030", "\"0x01\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(hn_hex_read_data(out, &size, 3, bad[i]), HN_ERR_INVALID, "%s", bad[i]);
    cr_assert_eq(size, 0u);
    cr_assert_eq(out[0], 0x0a);
}

Test(hex, fixed_width)
{
    uint8_t out[2] = {7, 7};
    cr_assert_eq(hn_hex_read_fixed(out, 2, "0x1234"), HN_OK);
    cr_assert_eq(memcmp(out, "\x12\x34", 2), 0);
    cr_assert_eq(hn_hex_read_fixed(out, 2, "0x12"), HN_ERR_RANGE);
    cr_assert_eq(hn_hex_read_fixed(out, 2, "0x123456"), HN_ERR_RANGE);
    cr_assert_eq(hn_hex_read_fixed(out, 2, "0x12zz"), HN_ERR_INVALID);
    cr_assert_eq(hn_hex_read_fixed(out, 2, "1234"), HN_ERR_INVALID);
    cr_assert_eq(memcmp(out, "\x12\x34", 2), 0);
}

Test(hex, quantities_against_gmp)
{
    hn_prng prng;
    mpz_t number;
    hn_prng_init(&prng, 2);
    mpz_init(number);
    for (int i = 0; i < 20000; i++) {
        hn_u256 value = hn_prng_u256(&prng), back;
        if (i < 40)
            value = hn_u256_of((uint64_t)i);
        mpz_import(number, 4, -1, 8, 0, 0, value.w);
        char want[80], got[HN_HEX_QUANTITY_MAX];
        gmp_snprintf(want, sizeof want, "0x%Zx", number);
        cr_assert_eq(hn_hex_write_u256(got, &value), strlen(want));
        cr_assert_str_eq(got, want);
        cr_assert_eq(hn_hex_read_u256(&back, want), HN_OK);
        cr_assert(hn_u256_equal(&back, &value));
        gmp_snprintf(want, sizeof want, "%Zd", number);
        cr_assert_eq(hn_hex_read_u256_lenient(&back, want), HN_OK);
        cr_assert(hn_u256_equal(&back, &value));
        uint64_t narrow;
        cr_assert_eq(hn_hex_read_u64(&narrow, got), hn_u256_fits_64(&value) ? HN_OK : HN_ERR_RANGE);
        cr_assert_eq(hn_hex_read_u64_lenient(&narrow, want), hn_u256_fits_64(&value) ? HN_OK : HN_ERR_RANGE);
        if (hn_u256_fits_64(&value)) {
            cr_assert_eq(narrow, value.w[0]);
            char again[HN_HEX_QUANTITY_MAX];
            hn_hex_write_u64(again, narrow);
            cr_assert_str_eq(again, got);
        }
    }
    mpz_clear(number);
}

Test(hex, quantities_that_the_strict_form_refuses)
{
    static const char *const bad[] = {"",    "0",  "1",   "0x",   "0x01", "0x00",
                                      "0X1", "x1", "0xg", "0x-1", "0x1 ", " 0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t narrow = 5;
        hn_u256 wide;
        cr_assert_eq(hn_hex_read_u64(&narrow, bad[i]), HN_ERR_INVALID, "%s", bad[i]);
        cr_assert_eq(hn_hex_read_u256(&wide, bad[i]), HN_ERR_INVALID, "%s", bad[i]);
        cr_assert_eq(narrow, 5u);
    }
    hn_u256 wide;
    static const char beyond[] = "0x10000000000000000000000000000000000000000000000000000000000000000";
    cr_assert_eq(hn_hex_read_u256(&wide, beyond), HN_ERR_RANGE);
}

Test(hex, quantities_in_the_lenient_form)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0x", 0},
                {"0x0", 0},
                {"0x0001", 1},
                {"0XfF", 255},
                {"0010", 10},
                {"0", 0},
                {"18446744073709551615", UINT64_MAX},
                {"0x0000000000000000000000000000000000000000000000000000000000000000000000000000ff", 255}};
    uint64_t narrow;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert_eq(hn_hex_read_u64_lenient(&narrow, good[i].text), HN_OK, "%s", good[i].text);
        cr_assert_eq(narrow, good[i].value, "%s", good[i].text);
    }
    static const char *const bad[] = {"", "-1", "ff", "0x1g", "1e3", "1.0", " 1", "0x:bigint 0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(hn_hex_read_u64_lenient(&narrow, bad[i]), HN_ERR_INVALID, "%s", bad[i]);
    cr_assert_eq(hn_hex_read_u64_lenient(&narrow, "18446744073709551616"), HN_ERR_RANGE);
    cr_assert_eq(hn_hex_read_u64_lenient(&narrow, "0x10000000000000000"), HN_ERR_RANGE);
}

/* The examples of EIP-55. */
Test(hex, addresses_with_checksum)
{
    static const char *const addresses[] = {
        "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        hn_address address;
        char text[HN_HEX_ADDRESS_MAX];
        cr_assert_eq(hn_hex_read_fixed(address.b, sizeof address.b, addresses[i]), HN_OK);
        hn_hex_write_address(text, &address);
        cr_assert_str_eq(text, addresses[i]);
    }
}
