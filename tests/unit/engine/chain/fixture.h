/* What the tests of this folder share: machines, a genesis with known keys, signed transactions. */
#ifndef HN_TESTS_UNIT_ENGINE_CHAIN_FIXTURE_H
#define HN_TESTS_UNIT_ENGINE_CHAIN_FIXTURE_H

#include "engine/engine.h"
#include "engine/types/genesis.h"

enum { FIXTURE_KEYS = 10 };

typedef struct fixture {
    hn_arena arena; /* genesis and transactions */
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    hn_evm *evm;
    hn_genesis genesis;
    hn_address addresses[FIXTURE_KEYS]; /* of the development ledger's accounts */
} fixture;

/* The development ledger's genesis with one contract more, whose code is given (at address 0xc0de). */
void fixture_open(fixture *self, hn_bytes contract_code);
void fixture_close(fixture *self);

extern const hn_address fixture_contract;

/* Fills in chain id and signature of a transaction of account `key`, encodes it, and knows its sender. */
const hn_signed_transaction *fixture_sign(fixture *self, unsigned key, const hn_transaction *transaction);

/* A transfer of `value` wei at 2 gwei, enough gas for it. */
const hn_signed_transaction *fixture_transfer(fixture *self, unsigned key, uint64_t nonce,
                                              const hn_address *to, uint64_t value);

/* A call of the contract with enough gas. */
const hn_signed_transaction *fixture_call(fixture *self, unsigned key, uint64_t nonce, hn_bytes input);

#endif
