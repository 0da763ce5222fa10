#include "pipeline/rpc/revert.h"

#include "engine/base/u256.h"

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

static bool read_panic(uint64_t *out, hn_bytes output)
{
    if (output.size != 36 || memcmp(output.data, panic_selector, 4) != 0)
        return false;
    hn_u256 code = hn_u256_from_be(output.data + 4);
    *out = code.w[0];
    return hn_u256_fits_64(&code);
}

void hn_revert_text(char out[HN_REVERT_TEXT_MAX], hn_bytes output)
{
    hn_bytes text;
    uint64_t code;
    if (read_error(&text, output)) {
        int size = text.size < HN_REVERT_TEXT_MAX ? (int)text.size : HN_REVERT_TEXT_MAX;
        snprintf(out, HN_REVERT_TEXT_MAX, "execution reverted: %.*s", size, (const char *)text.data);
        return;
    }
    if (read_panic(&code, output)) {
        for (size_t i = 0; i < sizeof panics / sizeof panics[0]; i++) {
            if (panics[i].code == code) {
                snprintf(out, HN_REVERT_TEXT_MAX, "execution reverted: %s", panics[i].text);
                return;
            }
        }
        snprintf(out, HN_REVERT_TEXT_MAX, "execution reverted: unknown panic code: 0x%llx",
                 (unsigned long long)code);
        return;
    }
    snprintf(out, HN_REVERT_TEXT_MAX, "execution reverted");
}
