/* The "env" of a state transition: the block that the transactions are put into, and what is known of its
 * parent. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_ENVIRONMENT_H
#define HN_PIPELINE_CLI_EVM_T8N_ENVIRONMENT_H

#include "engine/chain/transition.h"
#include "engine/codec/json.h"
#include "pipeline/cli/evm_t8n_status.h"

typedef struct hn_t8n_block_hash {
    uint64_t number;
    hn_hash hash;
} hn_t8n_block_hash;

typedef struct hn_t8n_uncle {
    uint64_t delta; /* generations back */
    hn_address address;
} hn_t8n_uncle;

typedef struct hn_t8n_environment {
    hn_chain_config config;
    hn_fork fork;
    /* Number, timestamp, gas limit, beneficiary; what follows as far as the flags say. */
    hn_header header;
    bool has_difficulty;
    bool has_random;
    bool has_base_fee;
    bool has_blob_fee; /* excess blob gas is known */
    bool has_beacon_root;
    bool has_block_hashes;
    bool has_withdrawals;
    hn_u256 blob_base_fee;
    const hn_t8n_block_hash *block_hashes;
    uint32_t block_hash_count;
    const hn_t8n_uncle *uncles;
    uint32_t uncle_count;
    const hn_withdrawal *withdrawals;
    uint32_t withdrawal_count;
} hn_t8n_environment;

/* Reads `node` under the rules of *config, derives base fee, difficulty and excess blob gas where only the
 * parent's are given, and checks that nothing is missing that the fork needs. Lists live in `arena`.
 * HN_T8N_JSON, HN_T8N_CONFIG. */
hn_t8n_status hn_t8n_environment_read(hn_t8n_environment *out, hn_t8n_problem *problem, hn_arena *arena,
                                      const hn_chain_config *config, const hn_json *node);

#endif
