/* Hexadecimal text. Any core; nothing allocates.
 *
 * Quantities and data follow the execution-apis specification: "0x" always, quantities without leading
 * zeroes.
 */
#ifndef HN_ENGINE_CODEC_HEX_H
#define HN_ENGINE_CODEC_HEX_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/u256.h"

/* Lower-case digits of `size` bytes, 2 * size characters, no prefix, no NUL; returns the place behind. */
char *hn_hex_encode(char *to, const void *data, size_t size);

/* Decodes `text_size` digits (even, no prefix) to text_size / 2 bytes. HN_ERR_INVALID. */
HN_MUST_USE hn_err hn_hex_decode(uint8_t *to, const char *text, size_t text_size);

/* "0x..." data of any even length into `out`, which has room for `capacity` bytes; *size gets the length.
 * HN_ERR_INVALID, HN_ERR_LIMIT. */
HN_MUST_USE hn_err hn_hex_read_data(uint8_t *out, size_t *size, size_t capacity, const char *text);
/* "0x..." data of exactly `size` bytes. HN_ERR_INVALID, HN_ERR_RANGE. */
HN_MUST_USE hn_err hn_hex_read_fixed(void *out, size_t size, const char *text);

/* "0x..." quantities. The strict form refuses leading zeroes ("0x01") and "0x"; the lenient one takes them,
 * and decimal text without prefix too, as genesis files and test vectors have it. HN_ERR_INVALID,
 * HN_ERR_RANGE. */
HN_MUST_USE hn_err hn_hex_read_u64(uint64_t *out, const char *text);
HN_MUST_USE hn_err hn_hex_read_u256(hn_u256 *out, const char *text);
HN_MUST_USE hn_err hn_hex_read_u64_lenient(uint64_t *out, const char *text);
HN_MUST_USE hn_err hn_hex_read_u256_lenient(hn_u256 *out, const char *text);

/* An address with the checksum in the case of its letters (EIP-55), NUL-terminated. */
enum { HN_HEX_ADDRESS_MAX = 43 };
void hn_hex_write_address(char out[HN_HEX_ADDRESS_MAX], const hn_address *address);

/* "0x" and the shortest digits, NUL-terminated; returns the length. */
enum { HN_HEX_QUANTITY_MAX = 67 };
size_t hn_hex_write_u64(char out[HN_HEX_QUANTITY_MAX], uint64_t value);
size_t hn_hex_write_u256(char out[HN_HEX_QUANTITY_MAX], const hn_u256 *value);

#endif
