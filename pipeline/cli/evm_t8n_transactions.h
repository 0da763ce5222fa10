/* The transactions of a state transition: JSON objects, signed or to be signed with their "secretKey", or an
 * RLP list of signed ones. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_TRANSACTIONS_H
#define HN_PIPELINE_CLI_EVM_T8N_TRANSACTIONS_H

#include "engine/chain/transition.h"
#include "engine/codec/json.h"
#include "pipeline/cli/evm_t8n_status.h"

typedef struct hn_t8n_transaction {
    const char *error; /* why it cannot be decoded; NULL: it can */
    hn_signed_transaction made;
} hn_t8n_transaction;

typedef struct hn_t8n_transactions {
    hn_t8n_transaction *items;
    uint32_t count;
} hn_t8n_transactions;

/* Everything lives in `arena`; senders are not set yet. HN_T8N_JSON. */
hn_t8n_status hn_t8n_transactions_read(hn_t8n_transactions *out, hn_t8n_problem *problem, hn_arena *arena,
                                       const hn_signature_context *signatures, uint64_t chain_id,
                                       const hn_json *list);

/* `rlp` must outlive *out. What cannot be decoded stays in the list, with its error. HN_T8N_RLP: no list. */
hn_t8n_status hn_t8n_transactions_decode(hn_t8n_transactions *out, hn_t8n_problem *problem, hn_arena *arena,
                                         hn_bytes rlp);

#endif
