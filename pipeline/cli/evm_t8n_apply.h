/* The state transition itself: transactions put into one block on given accounts. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_APPLY_H
#define HN_PIPELINE_CLI_EVM_T8N_APPLY_H

#include "engine/engine.h"
#include "pipeline/cli/evm_t8n_environment.h"
#include "pipeline/cli/evm_t8n_trace.h"
#include "pipeline/cli/evm_t8n_transactions.h"

typedef struct hn_t8n_input {
    const hn_genesis_account *accounts;
    uint32_t account_count;
    hn_t8n_environment environment;
    hn_t8n_transactions transactions;
    int64_t reward; /* wei for the block; negative: none, and nobody is touched */
} hn_t8n_input;

typedef struct hn_t8n_refused {
    uint32_t index;
    const char *error;
} hn_t8n_refused;

typedef struct hn_t8n_outcome {
    hn_flat *flat; /* the accounts afterwards; destroyed by the caller, also after a failure */
    hn_hash state_root;
    hn_hash transactions_root;
    hn_hash receipts_root;
    hn_hash withdrawals_root;
    hn_hash logs_hash;
    hn_bloom bloom;
    hn_receipt *receipts;
    const hn_signed_transaction **included;
    uint32_t included_count;
    hn_t8n_refused *refused;
    uint32_t refused_count;
    uint64_t gas_used;
    uint64_t blob_gas_used;
    hn_requests requests;
    hn_bytes body; /* RLP list of the included transactions */
} hn_t8n_outcome;

/* Everything in *out but the tables lives in `arena`. Senders of *input's transactions are set. HN_T8N_EVM,
 * HN_T8N_MISSING_BLOCK_HASH, HN_T8N_FAILED. */
hn_t8n_status hn_t8n_apply(hn_t8n_outcome *out, hn_t8n_problem *problem, hn_arena *arena,
                           const hn_signature_context *signatures, hn_t8n_input *input, hn_t8n_trace *trace);

#endif
