/* Plain transfers: transactions that run no code, on a path of their own.
 *
 * What a transfer does is known beforehand, so neither the machine nor the journal is needed: its three
 * accounts are written at once. State, receipt and result are those of the long way (apply_transaction.c),
 * which tests compare.
 */
#ifndef HN_ENGINE_CHAIN_TRANSFER_H
#define HN_ENGINE_CHAIN_TRANSFER_H

#include "engine/chain/transaction_check.h"

/* Executes a transaction that passed its checks (`costs` are theirs) if it is a plain transfer. False, and
 * nothing has happened: it must go the long way. */
bool hn_transfer_run(hn_block_context *context, hn_transaction_result *result,
                     const hn_signed_transaction *transaction, const hn_transaction_costs *costs,
                     hn_state_account *sender);

/* Of the effective gas price what goes to the beneficiary (EIP-1559). */
hn_u256 hn_transaction_tip_price(const hn_evm_block *block, const hn_u256 *gas_price);

#endif
