/* Why a contract reverted, in words: Solidity's Error(string) and Panic(uint256). */
#ifndef HN_PIPELINE_RPC_REVERT_H
#define HN_PIPELINE_RPC_REVERT_H

#include "engine/base/bytes.h"

enum { HN_REVERT_TEXT_MAX = 512 };

/* "execution reverted", and ": reason" when the output tells one; NUL-terminated, cut when it is long. */
void hn_revert_text(char out[HN_REVERT_TEXT_MAX], hn_bytes output);

#endif
