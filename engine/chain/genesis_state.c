#include "engine/chain/genesis_state.h"

#include "engine/crypto/keccak.h"

static hn_err put_storage(hn_flat *flat, const hn_genesis_account *account)
{
    for (uint32_t i = 0; i < account->storage_count; i++) {
        hn_u256 key = hn_u256_from_be(account->storage[i].key.b);
        hn_u256 value = hn_u256_from_be(account->storage[i].value.b);
        if (!hn_u256_is_zero(&value))
            HN_TRY(hn_flat_put_slot(flat, &account->address, &key, &value));
    }
    return HN_OK;
}

hn_err hn_genesis_fill(hn_flat *flat, const hn_genesis_account *accounts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const hn_genesis_account *from = &accounts[i];
        hn_account account = {
            .balance = from->balance, .nonce = from->nonce, .code_hash = hn_keccak256_of_nothing};
        if (from->code.size != 0) {
            const hn_code *code;
            HN_TRY(hn_flat_put_code(flat, &code, from->code));
            account.code_hash = code->hash;
        }
        HN_TRY(hn_flat_put_account(flat, &from->address, &account));
        HN_TRY(put_storage(flat, from));
    }
    return HN_OK;
}
