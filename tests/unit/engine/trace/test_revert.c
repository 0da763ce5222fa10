#include "engine/trace/revert.h"

#include "engine/codec/hex.h"

#include <criterion/criterion.h>

static void check(const char *output_hex, const char *expected)
{
    uint8_t output[512];
    size_t size = 0;
    cr_assert_eq(hn_hex_read_data(output, &size, sizeof output, output_hex), HN_OK);
    char text[HN_REVERT_TEXT_MAX];
    hn_revert_text(text, hn_bytes_of(output, size));
    cr_assert_str_eq(text, expected);
}

#define WORD_32   "0000000000000000000000000000000000000000000000000000000000000020"
#define WORD_10   "000000000000000000000000000000000000000000000000000000000000000a"
#define WORD_HUGE "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* Both from execution-apis' exchanges. */
Test(revert, reads_reasons)
{
    check("0x08c379a0" WORD_32 WORD_10 "75736572206572726f72", "execution reverted: user error");
    check("0x4e487b710000000000000000000000000000000000000000000000000000000000000001",
          "execution reverted: assert(false)");
    check("0x4e487b7100000000000000000000000000000000000000000000000000000000000000ff",
          "execution reverted: unknown panic code: 0xff");
}

Test(revert, is_plain_about_anything_else)
{
    check("0x", "execution reverted");
    check("0x08c379a0", "execution reverted");
    check("0x08c379a0" WORD_32, "execution reverted");
    check("0x08c379a0" WORD_HUGE WORD_10, "execution reverted");
    check("0x08c379a0" WORD_32 WORD_HUGE, "execution reverted");
    check("0x08c379a0" WORD_32 WORD_10 "757365", "execution reverted");
    check("0x4e487b71", "execution reverted");
    check("0x77726f6e672d63616c6c6461746173697a65", "execution reverted");
}
