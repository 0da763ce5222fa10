/* Hexadecimal text to bytes, for the tests of this folder. */
#ifndef HN_TESTS_CRYPTO_HEX_H
#define HN_TESTS_CRYPTO_HEX_H

#include <stdint.h>
#include <stdlib.h>

/* strlen(hex) / 2 bytes. */
static inline void from_hex(uint8_t *out, const char *hex)
{
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

#endif
