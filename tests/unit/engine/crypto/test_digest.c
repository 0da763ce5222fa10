/* SHA-256 and RIPEMD-160 against the answers of their standards; BLAKE2's F by building BLAKE2b-512 from it
 * and comparing with OpenSSL. */
#include "engine/base/prng.h"
#include "engine/crypto/blake2f.h"
#include "engine/crypto/digest.h"
#include "tests/unit/engine/crypto/hex.h"

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <string.h>

Test(digest, known_answers)
{
    static const struct {
        const char *text, *sha256, *ripemd160;
    } known[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         "9c1185a5c5e9fc54612808977ee8f548b2258d31"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
         "12a053384a9c0c88e405a06c27dcf49ada62eb2b"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint8_t want[32];
        hn_hash got;
        hn_sha256(&got, known[i].text, strlen(known[i].text));
        from_hex(want, known[i].sha256);
        cr_expect_arr_eq(got.b, want, 32);
        hn_ripemd160(got.b, known[i].text, strlen(known[i].text));
        from_hex(want, known[i].ripemd160);
        cr_expect_arr_eq(got.b, want, 20);
    }
}

/* BLAKE2b-512 without a key (RFC 7693, section 3.3). */
static void blake2b(uint8_t out[64], const uint8_t *data, size_t size)
{
    uint64_t h[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                     0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
    h[0] ^= 0x01010040;
    uint64_t offset[2] = {0, 0};
    do {
        size_t taken = size < 128 ? size : 128;
        uint64_t block[16] = {0};
        memcpy(block, data, taken);
        offset[0] += taken;
        data += taken;
        size -= taken;
        hn_blake2f(h, block, offset, size == 0, 12);
    } while (size != 0);
    memcpy(out, h, 64);
}

Test(digest, blake2_compression_makes_blake2b)
{
    hn_prng prng;
    hn_prng_init(&prng, 21);
    static uint8_t message[1000];
    hn_prng_fill(&prng, message, sizeof message);
    for (size_t size = 0; size <= sizeof message; size += 37) {
        uint8_t want[64], got[64];
        EVP_Digest(message, size, want, NULL, EVP_blake2b512(), NULL);
        blake2b(got, message, size);
        cr_expect_arr_eq(got, want, 64, "size %zu", size);
    }
}

/* EIP-152's fifth example has one round and its fourth twelve; the public vectors run them. Here: no round at
 * all. */
Test(digest, blake2_without_rounds)
{
    uint64_t h[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const uint64_t block[16] = {0};
    const uint64_t offset[2] = {3, 0};
    hn_blake2f(h, block, offset, true, 0);
    /* v is h and the initial values: h ^ h ^ initial, with the counter and the flag mixed in */
    cr_expect_eq(h[0], 0x6a09e667f3bcc908u);
    cr_expect_eq(h[4], 0x510e527fade682d1u ^ 3);
    cr_expect_eq(h[5], 0x9b05688c2b3e6c1fu);
    cr_expect_eq(h[6], ~0x1f83d9abfb41bd6bu);
}
