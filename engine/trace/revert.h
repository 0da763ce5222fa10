/* Why a contract reverted, in words: Solidity's Error(string) and Panic(uint256). */
#ifndef HN_ENGINE_TRACE_REVERT_H
#define HN_ENGINE_TRACE_REVERT_H

#include "engine/base/bytes.h"

enum { HN_REVERT_TEXT_MAX = 512, HN_REVERT_SCRATCH_MAX = 96 };

/* The reason that the output of a reverted call tells: part of `output`, or text in `scratch`. False when it
 * tells none. The bytes are the contract's own and need be no UTF-8. */
bool hn_revert_reason(hn_bytes *out, char scratch[HN_REVERT_SCRATCH_MAX], hn_bytes output);

/* "execution reverted", and ": reason" when the output tells one; NUL-terminated, cut when it is long. */
void hn_revert_text(char out[HN_REVERT_TEXT_MAX], hn_bytes output);

#endif
