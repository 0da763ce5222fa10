/* What geth says of an encoded transaction that it cannot decode: the field that is wrong, and how. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_DECODE_ERROR_H
#define HN_PIPELINE_CLI_EVM_T8N_DECODE_ERROR_H

#include "engine/base/arena.h"
#include "engine/base/err.h"

/* `raw` was refused by hn_transaction_decode with `err`. The text lives in `arena`, or for ever. */
const char *hn_t8n_decode_error(hn_arena *arena, hn_bytes raw, hn_err err);

/* Numbers of more than 256 bits, which geth takes while it decodes. */
typedef struct hn_cut_numbers {
    bool value;
    bool price; /* or the most that is paid in all */
    bool tip;
    bool signature; /* or the chain id */
} hn_cut_numbers;

/* The encoding with such numbers set to 0, so that it can be decoded, in `arena`. HN_ERR_INVALID: something
 * else is wrong, too. */
HN_MUST_USE hn_err hn_t8n_cut_numbers(hn_bytes *out, hn_cut_numbers *cut, hn_arena *arena, hn_bytes raw);

#endif
