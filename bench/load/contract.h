/* The contracts of the load generator (contracts/): creation code and calls. */
#ifndef HN_BENCH_LOAD_CONTRACT_H
#define HN_BENCH_LOAD_CONTRACT_H

#include "bench/load/batch.h"

/* Units of a token's supply, and what each side of the exchange begins with: 10^30 and 10^24. */
hn_u256 hn_load_token_supply(void);
hn_u256 hn_load_liquidity(void);

/* Creation code with its constructor's arguments; returns its size. */
size_t hn_load_token_code(uint8_t out[HN_LOAD_CODE_BYTES_MAX]);
size_t hn_load_pair_code(uint8_t out[HN_LOAD_CODE_BYTES_MAX], const hn_address *first,
                         const hn_address *second);

/* Address of the contract that `creator` makes with this nonce. */
void hn_load_contract_address(hn_address *out, const hn_address *creator, uint64_t nonce);

/* Each makes the draft a call of `contract`. */
void hn_load_call_transfer(hn_load_draft *draft, const hn_address *contract, const hn_address *to,
                           const hn_u256 *value);
void hn_load_call_approve_all(hn_load_draft *draft, const hn_address *contract, const hn_address *spender);
void hn_load_call_sync(hn_load_draft *draft, const hn_address *contract);
void hn_load_call_swap(hn_load_draft *draft, const hn_address *contract, bool zero_for_one, uint64_t amount);

/* "0x..." data of balanceOf(owner), NUL-terminated. */
enum { HN_LOAD_BALANCE_CALL_TEXT = 2 + 2 * 36 + 1 };
void hn_load_balance_call(char out[HN_LOAD_BALANCE_CALL_TEXT], const hn_address *owner);

#endif
