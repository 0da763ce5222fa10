#include "engine/codec/hex.h"

#include "engine/crypto/keccak.h"

char *hn_hex_encode(char *to, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = data;
    for (size_t i = 0; i < size; i++) {
        *to++ = digits[from[i] >> 4];
        *to++ = digits[from[i] & 15];
    }
    return to;
}

/* One more than the value of a digit of either case; 0 for anything else. */
static const uint8_t digit_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* The value of a digit; above 15 for anything else. */
static inline unsigned digit_value(char digit)
{
    return digit_values[(unsigned char)digit] - 1u;
}

hn_err hn_hex_decode(uint8_t *to, const char *text, size_t text_size)
{
    if (text_size % 2 != 0)
        return HN_ERR_INVALID;
    for (size_t i = 0; i < text_size / 2; i++) {
        unsigned high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);
        if ((high | low) > 15)
            return HN_ERR_INVALID;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return HN_OK;
}

static bool has_prefix(const char *text)
{
    return text[0] == '0' && text[1] == 'x';
}

/* Nothing is decoded before all digits are known to be good: the caller's buffer stays as it is on errors. */
static hn_err check_digits(const char *text, size_t text_size)
{
    for (size_t i = 0; i < text_size; i++)
        if (digit_value(text[i]) > 15)
            return HN_ERR_INVALID;
    return text_size % 2 == 0 ? HN_OK : HN_ERR_INVALID;
}

hn_err hn_hex_read_data(uint8_t *out, size_t *size, size_t capacity, const char *text)
{
    if (!has_prefix(text))
        return HN_ERR_INVALID;
    size_t text_size = strlen(text + 2);
    HN_TRY(check_digits(text + 2, text_size));
    if (text_size / 2 > capacity)
        return HN_ERR_LIMIT;
    HN_TRY(hn_hex_decode(out, text + 2, text_size));
    *size = text_size / 2;
    return HN_OK;
}

hn_err hn_hex_read_fixed(void *out, size_t size, const char *text)
{
    if (!has_prefix(text))
        return HN_ERR_INVALID;
    size_t text_size = strlen(text + 2);
    HN_TRY(check_digits(text + 2, text_size));
    if (text_size != 2 * size)
        return HN_ERR_RANGE;
    return hn_hex_decode(out, text + 2, text_size);
}

/* Hexadecimal digits without prefix; no digits at all are 0. */
static hn_err read_digits(hn_u256 *out, const char *digits)
{
    hn_u256 value = {{0, 0, 0, 0}};
    bool overflowed = false;
    for (; *digits != '\0'; digits++) {
        unsigned digit = digit_value(*digits);
        if (digit > 15)
            return HN_ERR_INVALID;
        overflowed = overflowed || value.w[3] >> 60 != 0;
        value = hn_u256_shl(&value, 4);
        value.w[0] |= digit;
    }
    if (overflowed)
        return HN_ERR_RANGE;
    *out = value;
    return HN_OK;
}

hn_err hn_hex_read_u256(hn_u256 *out, const char *text)
{
    if (!has_prefix(text) || text[2] == '\0' || (text[2] == '0' && text[3] != '\0'))
        return HN_ERR_INVALID;
    return read_digits(out, text + 2);
}

hn_err hn_hex_read_u256_lenient(hn_u256 *out, const char *text)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return read_digits(out, text + 2);
    size_t size = strlen(text);
    if (size == 0 || strspn(text, "0123456789") != size)
        return HN_ERR_INVALID;
    return hn_u256_from_decimal(out, text, size) ? HN_OK : HN_ERR_RANGE;
}

static hn_err narrow(uint64_t *out, const hn_u256 *value)
{
    if (!hn_u256_fits_64(value))
        return HN_ERR_RANGE;
    *out = value->w[0];
    return HN_OK;
}

hn_err hn_hex_read_u64(uint64_t *out, const char *text)
{
    hn_u256 value;
    HN_TRY(hn_hex_read_u256(&value, text));
    return narrow(out, &value);
}

hn_err hn_hex_read_u64_lenient(uint64_t *out, const char *text)
{
    hn_u256 value;
    HN_TRY(hn_hex_read_u256_lenient(&value, text));
    return narrow(out, &value);
}

size_t hn_hex_write_u256(char out[HN_HEX_QUANTITY_MAX], const hn_u256 *value)
{
    uint8_t bytes[32];
    char digits[64];
    hn_u256_to_be(bytes, value);
    hn_hex_encode(digits, bytes, sizeof bytes);
    unsigned bits = hn_u256_bit_length(value);
    size_t count = bits == 0 ? 1 : (bits + 3) / 4;
    out[0] = '0';
    out[1] = 'x';
    memcpy(out + 2, digits + sizeof digits - count, count);
    out[2 + count] = '\0';
    return 2 + count;
}

size_t hn_hex_write_u64(char out[HN_HEX_QUANTITY_MAX], uint64_t value)
{
    hn_u256 wide = hn_u256_of(value);
    return hn_hex_write_u256(out, &wide);
}

void hn_hex_write_address(char out[HN_HEX_ADDRESS_MAX], const hn_address *address)
{
    hn_hash hash;
    memcpy(out, "0x", 2);
    *hn_hex_encode(out + 2, address->b, sizeof address->b) = '\0';
    hn_keccak256(&hash, out + 2, 40);
    for (size_t i = 0; i < 40; i++) {
        uint8_t nibble = i % 2 == 0 ? hash.b[i / 2] >> 4 : hash.b[i / 2] & 15;
        if (out[2 + i] >= 'a' && nibble >= 8)
            out[2 + i] = (char)(out[2 + i] - 'a' + 'A');
    }
}
