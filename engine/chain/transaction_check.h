/* The checks that a transaction passes before it may change anything; shared by applying and simulating.
 */
#ifndef HN_ENGINE_CHAIN_TRANSACTION_CHECK_H
#define HN_ENGINE_CHAIN_TRANSACTION_CHECK_H

#include "engine/chain/transition.h"

/* What checking computes and executing needs. */
typedef struct hn_transaction_costs {
    uint64_t intrinsic_gas;
    uint64_t floor_gas; /* EIP-7623 */
    uint64_t blob_gas;
    hn_u256 gas_price; /* effective, per gas */
    hn_u256 upfront;   /* gas limit at the effective price, and the blob fee: taken before execution */
} hn_transaction_costs;

/* Static rules, then those that ask the block and the sender's account. *costs is written on NONE.
 * In a simulation (context->is_simulation) nonce, sender's code, chain id and the gas cap are not asked, and
 * the base fee only when a price is named. */
hn_reject hn_transaction_check(hn_block_context *context, hn_transaction_costs *costs,
                               const hn_transaction *transaction, hn_state_account *sender);

#endif
