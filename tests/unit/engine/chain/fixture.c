#include "tests/unit/engine/chain/fixture.h"

#include "engine/codec/hex.h"

#include <criterion/criterion.h>

const hn_address fixture_contract = {.b = {[18] = 0xc0, [19] = 0xde}};

/* The keys of the mnemonic that development tools share. */
static const char *const keys[FIXTURE_KEYS] = {
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
    "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
    "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
};

static void key_of(uint8_t out[32], unsigned key)
{
    cr_assert_eq(hn_hex_decode(out, keys[key], 64), HN_OK);
}

static void add_contract(fixture *self, hn_bytes code)
{
    uint32_t count = self->genesis.account_count;
    hn_genesis_account *accounts = hn_arena_calloc(&self->arena, count + (size_t)1, sizeof *accounts);
    uint32_t at = 0;
    while (at < count &&
           memcmp(self->genesis.accounts[at].address.b, fixture_contract.b, sizeof fixture_contract.b) < 0)
        at++;
    memcpy(accounts, self->genesis.accounts, at * sizeof *accounts);
    memcpy(accounts + at + 1, self->genesis.accounts + at, (count - at) * sizeof *accounts);
    accounts[at] = (hn_genesis_account){.address = fixture_contract, .nonce = 1, .code = code};
    self->genesis.accounts = accounts;
    self->genesis.account_count++;
}

void fixture_open(fixture *self, hn_bytes contract_code)
{
    *self = (fixture){.evm = NULL};
    hn_arena_init(&self->arena, 0, 0);
    cr_assert_eq(hn_precompile_context_create(&self->precompiles), HN_OK);
    cr_assert_eq(hn_signature_context_create(&self->signatures), HN_OK);
    cr_assert_eq(hn_evm_create(&self->evm, self->precompiles, 1 << 24), HN_OK);
    cr_assert_eq(hn_genesis_development(&self->genesis, &self->arena), HN_OK);
    add_contract(self, contract_code);
    for (unsigned i = 0; i < FIXTURE_KEYS; i++) {
        uint8_t key[32];
        key_of(key, i);
        cr_assert_eq(hn_signature_address_of(self->signatures, &self->addresses[i], key), HN_OK);
    }
}

void fixture_close(fixture *self)
{
    hn_evm_destroy(self->evm);
    hn_signature_context_destroy(self->signatures);
    hn_precompile_context_destroy(self->precompiles);
    hn_arena_destroy(&self->arena);
}

const hn_signed_transaction *fixture_sign(fixture *self, unsigned key, const hn_transaction *transaction)
{
    hn_signed_transaction *out = hn_arena_calloc(&self->arena, 1, sizeof *out);
    out->transaction = *transaction;
    out->transaction.chain_id = self->genesis.config.chain_id;
    out->transaction.is_replay_protected = true;
    out->sender = self->addresses[key];
    uint8_t secret[32];
    hn_hash digest;
    hn_bytes raw;
    key_of(secret, key);
    cr_assert_eq(hn_transaction_signing_hash(&digest, &self->arena, &out->transaction), HN_OK);
    cr_assert_eq(hn_signature_sign(self->signatures, &out->transaction.signature, &digest, secret), HN_OK);
    cr_assert_eq(hn_transaction_encode(&raw, &self->arena, &out->transaction), HN_OK);
    cr_assert_eq(hn_transaction_decode(&out->transaction, &self->arena, raw), HN_OK);
    hn_transaction_hash(&out->hash, &out->transaction);
    return out;
}

static hn_transaction at_two_gwei(uint64_t nonce, uint64_t gas_limit, const hn_address *to)
{
    return (hn_transaction){
        .type = HN_TRANSACTION_DYNAMIC_FEE,
        .nonce = nonce,
        .gas_limit = gas_limit,
        .max_fee_per_gas = hn_u256_of(2000000000),
        .max_priority_fee_per_gas = hn_u256_of(1),
        .to = *to,
    };
}

const hn_signed_transaction *fixture_transfer(fixture *self, unsigned key, uint64_t nonce,
                                              const hn_address *to, uint64_t value)
{
    hn_transaction transaction = at_two_gwei(nonce, 21000, to);
    transaction.value = hn_u256_of(value);
    return fixture_sign(self, key, &transaction);
}

const hn_signed_transaction *fixture_call(fixture *self, unsigned key, uint64_t nonce, hn_bytes input)
{
    hn_transaction transaction = at_two_gwei(nonce, 200000, &fixture_contract);
    transaction.data = input;
    return fixture_sign(self, key, &transaction);
}
