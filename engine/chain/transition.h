/* The state transition of one transaction, and of the parts of a block around its transactions.
 *
 * Source: yellow paper, section 6 and 11; EIP-1559, 2930, 3529, 3607, 3651, 3860, 4844, 7623, 7702, 7825;
 * system calls: EIP-4788, 2935, 7002, 7251, 7685; withdrawals: EIP-4895; deposits: EIP-6110.
 */
#ifndef HN_ENGINE_CHAIN_TRANSITION_H
#define HN_ENGINE_CHAIN_TRANSITION_H

#include "engine/chain/reject.h"
#include "engine/evm/evm.h"
#include "engine/types/block.h"
#include "engine/types/receipt.h"

/* A transaction whose signature has been checked. */
typedef struct hn_signed_transaction {
    hn_transaction transaction;
    hn_address sender;
    hn_hash hash;
} hn_signed_transaction;

/* What all transactions of a block share and add up. */
typedef struct hn_block_context {
    hn_evm *evm;
    hn_state *state;
    const hn_signature_context *signatures; /* for EIP-7702 authorities */
    hn_evm_block block;
    hn_arena *arena; /* receipts, outputs and diff live here */
    uint64_t gas_used;
    uint64_t blob_gas_used;
    bool is_simulation; /* eth_call, traces: balance, nonce and base fee are not checked where the caller says
                           so */
    bool is_unsigned; /* eth_simulateV1 with validation: what only a signer can answer for is not asked, which
                         are the sender's code, the chain id and EIP-7825's cap */
    hn_tracer *tracer;
    bool avoids_fast_paths; /* transfers without the machine, foreseen hashes: results are the same */
    bool tolerates_missing_system_contracts; /* they then make no requests, instead of an invalid block */
} hn_block_context;

/* What became of one transaction. */
typedef struct hn_transaction_result {
    hn_reject reject; /* other than NONE: nothing changed, no receipt */
    /* What a refused one failed against: NONCE_TOO_LOW, NONCE_TOO_HIGH: the sender's nonce; FUNDS: its
     * balance; FEE_CAP_BELOW_BASE_FEE: the base fee; INTRINSIC_GAS, FLOOR_GAS: the gas needed; else 0. */
    hn_u256 bound;
    hn_evm_status status;
    uint64_t gas_used;
    uint64_t gas_refunded;
    hn_bytes output; /* in the arena */
    hn_address created;
} hn_transaction_result;

/* Rules that need no state: shape by fork, chain id, intrinsic and floor gas, limits. For pools and before
 * execution. */
hn_reject hn_transaction_check_static(const hn_chain_config *config, hn_fork fork,
                                      const hn_transaction *transaction);

/* Intrinsic gas, and EIP-7623's floor (0 before Prague). False when the sum passes 2^64. */
bool hn_transaction_intrinsic_gas(uint64_t *intrinsic, uint64_t *floor, hn_fork fork,
                                  const hn_transaction *transaction);

/* Price per gas that the sender pays in a block with this base fee; the caller has checked max fee >= base
 * fee. */
hn_u256 hn_transaction_effective_gas_price(const hn_transaction *transaction, const hn_u256 *base_fee);

/* Checks everything (static rules too) and executes. On NONE the state is after the transaction, *receipt is
 * filled with cumulative gas from the context, and the context's sums are raised. HN_ERR_NO_MEMORY when the
 * arena or the state ran out: the block must be given up. */
HN_MUST_USE hn_err hn_transaction_apply(hn_block_context *context, hn_transaction_result *result,
                                        hn_receipt *receipt, const hn_signed_transaction *signed_transaction);

/* What the block opcodes answer in the block of this header: fork, fees and the rest. */
void hn_evm_block_of(hn_evm_block *out, const hn_chain_config *config, const hn_header *header);

/* Before the first transaction: the DAO fork's change, and the system calls of EIP-4788 and EIP-2935 (where
 * active and deployed). header->parent_hash must be known; the ledger, which may not know it yet, takes the
 * parts from system_calls.h instead. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_block_begin(hn_block_context *context, const hn_header *header);

/* After the last one: withdrawals, block rewards before Paris, EIP-6110/7002/7251 requests in `requests`
 * (each is its type byte and data; only non-empty ones), their hash. HN_ERR_INVALID: a system contract is
 * missing or failed, or a deposit log is malformed: no block with these transactions is valid (not with
 * tolerates_missing_system_contracts). HN_ERR_NO_MEMORY. */
typedef struct hn_requests {
    hn_bytes items[3];
    uint32_t count;
    hn_hash hash;
} hn_requests;
HN_MUST_USE hn_err hn_block_end(hn_block_context *context, hn_requests *requests, const hn_block *block,
                                const hn_receipt *receipts, size_t receipt_count);

/* --- header arithmetic
 * ------------------------------------------------------------------------------------------ */

/* Which fields a header carries under a fork. */
hn_header_form hn_header_form_of(hn_fork fork);

/* Base fee of the block after `parent` (EIP-1559; 0 with zero_base_fee; initial value at the London block).
 */
hn_u256 hn_next_base_fee(const hn_chain_config *config, const hn_header *parent);
/* Excess blob gas of the block after `parent` at `timestamp` (EIP-4844, 7691, 7918). */
uint64_t hn_next_excess_blob_gas(const hn_chain_config *config, const hn_header *parent, uint64_t timestamp);
hn_u256 hn_blob_base_fee(const hn_chain_config *config, hn_fork fork, uint64_t excess_blob_gas);
/* Difficulty of a proof-of-work block (yellow paper (45)-(50), EIP-100 and the bomb delays). */
hn_u256 hn_next_difficulty(const hn_chain_config *config, const hn_header *parent, bool parent_has_uncles,
                           uint64_t number, uint64_t timestamp);

#endif
