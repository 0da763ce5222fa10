/* What a run consists of: accounts, contracts, and every transaction by its number. All of it follows from
 * the options and from what the ledger says at the beginning (chain id, nonces).
 */
#ifndef HN_BENCH_LOAD_PLAN_H
#define HN_BENCH_LOAD_PLAN_H

#include "bench/load/batch.h"
#include "bench/load/options.h"
#include "bench/load/rpc.h"

typedef struct hn_load_account {
    uint8_t key[32];
    hn_address address;
    uint64_t nonce; /* of its next transaction */
} hn_load_account;

/* What the funding account does before the run, step by step, in the order of its nonces. */
typedef enum hn_load_step {
    HN_LOAD_STEP_TOKEN, /* deploy a token */
    HN_LOAD_STEP_SECOND_TOKEN,
    HN_LOAD_STEP_PAIR, /* deploy the exchange */
    HN_LOAD_STEP_FUND, /* ether for each sender */
    HN_LOAD_STEP_GIVE, /* tokens for each sender */
    HN_LOAD_STEP_GIVE_SECOND,
    HN_LOAD_STEP_LIQUIDITY, /* tokens for the exchange */
    HN_LOAD_STEP_SECOND_LIQUIDITY,
    HN_LOAD_STEP_SYNC,
    HN_LOAD_STEP_COUNT
} hn_load_step;

typedef struct hn_load_plan {
    const hn_load_options *options;
    uint64_t chain_id;
    uint64_t gas_price;
    hn_load_account funder;
    hn_load_account *senders;
    hn_address *recipients;
    uint64_t recipient_count;
    hn_address token;
    hn_address second_token;
    hn_address pair;
    uint64_t step_counts[HN_LOAD_STEP_COUNT];
    uint8_t codes[HN_LOAD_STEP_PAIR + 1][HN_LOAD_CODE_BYTES_MAX]; /* creation code with arguments */
    size_t code_sizes[HN_LOAD_STEP_PAIR + 1];
} hn_load_plan;

/* Derives the accounts, and asks the ledger. On an error it has said why on standard error. */
HN_MUST_USE hn_err hn_load_plan_open(hn_load_plan *out, const hn_load_options *options,
                                     const hn_signature_context *signer, hn_load_rpc *rpc);
void hn_load_plan_close(hn_load_plan *plan);

/* The funding account's transactions; then those by which senders allow the exchange to take their tokens
 * (swap). */
uint64_t hn_load_setup_count(const hn_load_plan *plan);
void hn_load_setup_draft(void *plan, hn_load_draft *out, uint64_t index);
uint64_t hn_load_approval_count(const hn_load_plan *plan);
void hn_load_approval_draft(void *plan, hn_load_draft *out, uint64_t index);

/* Transaction `index` of the run, below options->count. */
void hn_load_run_draft(void *plan, hn_load_draft *out, uint64_t index);

/* Who sends it, who gets it (index into recipients), and how much (wei or token units). */
uint64_t hn_load_sender_of(const hn_load_plan *plan, uint64_t index);
uint64_t hn_load_recipient_of(const hn_load_plan *plan, uint64_t index);
uint64_t hn_load_amount_of(const hn_load_plan *plan, uint64_t index);

/* A largest raw transaction of a run. */
enum { HN_LOAD_RAW_BYTES_MAX = 320 };
enum { HN_LOAD_TRANSFER_GAS = 21000 };

#endif
