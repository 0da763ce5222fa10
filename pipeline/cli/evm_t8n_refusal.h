/* Why a transaction was refused, in geth's words: the rule's text with the values that broke it. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_REFUSAL_H
#define HN_PIPELINE_CLI_EVM_T8N_REFUSAL_H

#include "engine/chain/transition.h"

enum { HN_T8N_REFUSAL_MAX = 400 };

/* The text for `reject`, NUL-terminated. Where a transaction breaks several rules geth names the one that it
 * asks first: the text is that one's. Stands on the state before the transaction. */
void hn_t8n_refusal(char text[HN_T8N_REFUSAL_MAX], hn_block_context *context,
                    const hn_signed_transaction *signed_transaction, hn_reject reject);

#endif
