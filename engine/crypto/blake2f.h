/* The compression function F of BLAKE2b with a chosen number of rounds.
 *
 * Pure; any core. Source: RFC 7693, section 3.2; EIP-152.
 */
#ifndef HN_ENGINE_CRYPTO_BLAKE2F_H
#define HN_ENGINE_CRYPTO_BLAKE2F_H

#include <stdbool.h>
#include <stdint.h>

/* Mixes block m into the state h. `offset` is the 128-bit byte counter, low word first. */
void hn_blake2f(uint64_t h[8], const uint64_t m[16], const uint64_t offset[2], bool last, uint32_t rounds);

#endif
