/* Any text as hexadecimal: the strict readers take only what the writers write (but for the case of letters),
 * the lenient ones take all that and agree. */
#include "engine/codec/hex.h"
#include "engine/base/check.h"

#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_quantities(const char *text)
{
    hn_u256 wide, lenient;
    uint64_t narrow, narrow_lenient;
    char written[HN_HEX_QUANTITY_MAX];
    hn_err err = hn_hex_read_u256(&wide, text), lenient_err = hn_hex_read_u256_lenient(&lenient, text);
    if (err == HN_OK) {
        HN_CHECK(hn_hex_write_u256(written, &wide) == strlen(text) && strcasecmp(written, text) == 0);
        HN_CHECK(lenient_err == HN_OK && hn_u256_equal(&wide, &lenient));
    }
    HN_CHECK((hn_hex_read_u64(&narrow, text) == HN_OK) == (err == HN_OK && hn_u256_fits_64(&wide)));
    HN_CHECK((hn_hex_read_u64_lenient(&narrow_lenient, text) == HN_OK) ==
             (lenient_err == HN_OK && hn_u256_fits_64(&lenient)));
}

static void check_data(const char *text, size_t text_size)
{
    uint8_t *bytes = malloc(text_size / 2 + 1);
    char *written = malloc(text_size + 2);
    size_t size;
    bytes[text_size / 2] = 0xee;
    if (hn_hex_read_data(bytes, &size, text_size / 2, text) == HN_OK) {
        HN_CHECK(2 * size + 2 == text_size);
        HN_CHECK(hn_hex_encode(written, bytes, size) == written + 2 * size);
        HN_CHECK(strncasecmp(written, text + 2, 2 * size) == 0);
        HN_CHECK(hn_hex_read_fixed(bytes, size, text) == HN_OK);
        HN_CHECK(hn_hex_read_fixed(bytes, size + 1, text) == HN_ERR_RANGE);
        HN_CHECK(size == 0 || hn_hex_read_data(bytes, &size, size - 1, text) == HN_ERR_LIMIT);
    }
    HN_CHECK(bytes[text_size / 2] == 0xee);
    free(bytes);
    free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (size != 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_quantities(text);
    check_data(text, strlen(text));
    free(text);
    return 0;
}
