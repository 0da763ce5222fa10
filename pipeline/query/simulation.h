/* A chain that is made up on top of a block (eth_simulateV1): blocks of calls, with overrides, and what comes
 * of them. The asker fills the question; the answer lives in the query's arena.
 */
#ifndef HN_PIPELINE_QUERY_SIMULATION_H
#define HN_PIPELINE_QUERY_SIMULATION_H

#include "pipeline/query/query.h"

enum {
    HN_SIMULATION_BLOCKS_MAX = 256, /* after the base, gaps included */
    HN_SIMULATION_SECONDS = 12,     /* between blocks that name no time */
};

/* execution-apis' codes of what makes a simulation invalid. */
typedef enum hn_simulation_code {
    HN_SIMULATION_FAILED = -32000,
    HN_SIMULATION_INTERNAL = -32603,
    HN_SIMULATION_VM_ERROR = -32015, /* of one call */
    HN_SIMULATION_NONCE_TOO_LOW = -38010,
    HN_SIMULATION_NONCE_TOO_HIGH = -38011,
    HN_SIMULATION_BASE_FEE_TOO_LOW = -38012,
    HN_SIMULATION_INTRINSIC_GAS = -38013,
    HN_SIMULATION_FUNDS = -38014,
    HN_SIMULATION_BLOCK_GAS = -38015,
    HN_SIMULATION_BLOCK_NUMBER = -38020,
    HN_SIMULATION_BLOCK_TIME = -38021,
    HN_SIMULATION_SENDER_NOT_EOA = -38024,
    HN_SIMULATION_INITCODE_SIZE = -38025,
    HN_SIMULATION_TOO_MANY_BLOCKS = -38026,
} hn_simulation_code;

/* One call of a block. */
typedef struct hn_simulated_call {
    hn_call call;
    bool has_gas;
    bool has_nonce;
    bool has_gas_price; /* a legacy transaction; else a dynamic fee one, or what its lists make of it */
    uint64_t nonce;
    hn_u256 max_fee_per_gas;
    hn_u256 max_priority_fee_per_gas;
    hn_u256 max_fee_per_blob_gas;
} hn_simulated_call;

typedef struct hn_simulated_block {
    hn_block_override block;
    const hn_account_override *overrides;
    uint32_t override_count;
    const hn_simulated_call *calls;
    uint32_t call_count;
} hn_simulated_block;

/* What came of a call. */
typedef struct hn_simulated_outcome {
    hn_transaction_result result;
    uint64_t max_gas_used; /* before refunds */
    const hn_log *logs;    /* transfers of ether among them when they were asked for */
    uint32_t log_count;
    const uint32_t *log_indexes; /* in the block */
} hn_simulated_outcome;

typedef struct hn_simulated_answer {
    hn_header header;
    hn_hash hash;
    uint64_t rlp_size;
    hn_signed_transaction *transactions;
    hn_u256 *gas_prices; /* effective */
    hn_simulated_outcome *outcomes;
    uint32_t count;
    const hn_withdrawal *withdrawals;
    uint32_t withdrawal_count;
} hn_simulated_answer;

struct hn_simulation {
    bool validation;
    bool trace_transfers;
    const hn_simulated_block *blocks;
    uint32_t block_count;
    /* The answer. With HN_ERR_INVALID the code, and query->problem. */
    hn_simulated_answer *answers;
    uint32_t answer_count;
    hn_simulation_code code;
};

#endif
