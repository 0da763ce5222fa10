#include "engine/state/account.h"

#include "engine/crypto/keccak.h"

bool hn_account_is_empty(const hn_account *account)
{
    return account->nonce == 0 && hn_u256_is_zero(&account->balance) &&
           hn_hash_equal(&account->code_hash, &hn_keccak256_of_nothing);
}
