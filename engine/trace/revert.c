#include "engine/trace/revert.h"

#include "engine/codec/hex.h"

#include <stdio.h>

/* Solidity's panic codes (https://docs.soliditylang.org/en/latest/control-structures.html), in geth's words.
 */
static const struct {
    uint64_t code;
    const char *text;
} panics[] = {
    {0x00, "generic panic"},
    {0x01, "assert(false)"},
    {0x11, "arithmetic underflow or overflow"},
    {0x12, "division or modulo by zero"},
    {0x21, "enum overflow"},
    {0x22, "invalid encoded storage byte array accessed"},
    {0x31, "out-of-bounds array access; popping on an empty array"},
    {0x32, "out-of-bounds access of an array or bytesN"},
    {0x41, "out of memory"},
    {0x51, "uninitialized function"},
};

static const uint8_t error_selector[4] = {0x08, 0xc3, 0x79, 0xa0}; /* Error(string) */
static const uint8_t panic_selector[4] = {0x4e, 0x48, 0x7b, 0x71}; /* Panic(uint256) */

/* The string of an ABI-encoded Error(string). False: it is no such thing. */
static bool read_error(hn_bytes *out, hn_bytes output)
{
    if (output.size < 4 || memcmp(output.data, error_selector, 4) != 0)
        return false;
    hn_bytes body = hn_bytes_of(output.data + 4, output.size - 4);
    if (body.size < 64)
        return false;
    hn_u256 offset = hn_u256_from_be(body.data);
    if (!hn_u256_fits_64(&offset) || offset.w[0] > body.size - 32)
        return false;
    const uint8_t *text = body.data + offset.w[0] + 32;
    hn_u256 size = hn_u256_from_be(text - 32);
    if (!hn_u256_fits_64(&size) || size.w[0] > body.size - offset.w[0] - 32)
        return false;
    *out = hn_bytes_of(text, size.w[0]);
    return true;
}

/* The words for a panic, into `out`. */
static void panic_text(char out[HN_REVERT_SCRATCH_MAX], const hn_u256 *code)
{
    for (size_t i = 0; i < sizeof panics / sizeof panics[0]; i++) {
        if (hn_u256_fits_64(code) && panics[i].code == code->w[0]) {
            snprintf(out, HN_REVERT_SCRATCH_MAX, "%s", panics[i].text);
            return;
        }
    }
    char digits[HN_HEX_QUANTITY_MAX];
    size_t size = hn_hex_write_u256(digits, code);
    snprintf(out, HN_REVERT_SCRATCH_MAX, "unknown panic code: %.*s", (int)size, digits);
}

bool hn_revert_reason(hn_bytes *out, char scratch[HN_REVERT_SCRATCH_MAX], hn_bytes output)
{
    if (read_error(out, output))
        return true;
    if (output.size < 36 || memcmp(output.data, panic_selector, 4) != 0)
        return false;
    hn_u256 code = hn_u256_from_be(output.data + 4);
    panic_text(scratch, &code);
    *out = hn_bytes_of(scratch, strlen(scratch));
    return true;
}

void hn_revert_text(char out[HN_REVERT_TEXT_MAX], hn_bytes output)
{
    char scratch[HN_REVERT_SCRATCH_MAX];
    hn_bytes reason;
    if (!hn_revert_reason(&reason, scratch, output)) {
        snprintf(out, HN_REVERT_TEXT_MAX, "execution reverted");
        return;
    }
    int size = reason.size < HN_REVERT_TEXT_MAX ? (int)reason.size : HN_REVERT_TEXT_MAX;
    snprintf(out, HN_REVERT_TEXT_MAX, "execution reverted: %.*s", size, (const char *)reason.data);
}
