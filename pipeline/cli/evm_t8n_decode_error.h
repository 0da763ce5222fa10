/* What geth says of an encoded transaction that it cannot decode: the field that is wrong, and how. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_DECODE_ERROR_H
#define HN_PIPELINE_CLI_EVM_T8N_DECODE_ERROR_H

#include "engine/base/arena.h"
#include "engine/base/err.h"

/* `raw` was refused by hn_transaction_decode with `err`. The text lives in `arena`, or for ever. */
const char *hn_t8n_decode_error(hn_arena *arena, hn_bytes raw, hn_err err);

#endif
