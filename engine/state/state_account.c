/* Accounts of the journaled state: reading them, and the journaled writers. */
#include "engine/crypto/keccak.h"
#include "engine/state/state_internal.h"

hn_state_account *hn_state_get(hn_state *state, const hn_address *address)
{
    return &hn_working_set_account(&state->set, address)->face;
}

bool hn_state_warm(hn_state *state, hn_state_account *account)
{
    hn_working_account_refresh(&state->set, hn_state_own_account(account));
    if (account->is_warm)
        return false;
    hn_state_journal(state, HN_JOURNAL_ACCOUNT_WARM, account);
    account->is_warm = true;
    return true;
}

bool hn_state_is_empty(const hn_state_account *account)
{
    return hn_account_is_empty(&account->current);
}

void hn_state_touch(hn_state *state, hn_state_account *account)
{
    hn_state_journal(state, HN_JOURNAL_TOUCH, account);
}

void hn_state_set_balance(hn_state *state, hn_state_account *account, const hn_u256 *balance)
{
    hn_journal_entry *entry = hn_state_journal(state, HN_JOURNAL_BALANCE, account);
    entry->existed = account->exists;
    entry->previous.value = account->current.balance;
    account->current.balance = *balance;
    account->exists = true;
}

void hn_state_add_balance(hn_state *state, hn_state_account *account, const hn_u256 *amount)
{
    if (account->exists && hn_u256_is_zero(amount)) {
        hn_state_touch(state, account);
        return;
    }
    hn_u256 balance = hn_u256_add(&account->current.balance, amount);
    hn_state_set_balance(state, account, &balance);
}

void hn_state_subtract_balance(hn_state *state, hn_state_account *account, const hn_u256 *amount)
{
    bool borrow;
    hn_u256 balance = hn_u256_sub_borrow(&account->current.balance, amount, &borrow);
    HN_CHECK(!borrow);
    hn_state_set_balance(state, account, &balance);
}

void hn_state_set_nonce(hn_state *state, hn_state_account *account, uint64_t nonce)
{
    hn_journal_entry *entry = hn_state_journal(state, HN_JOURNAL_NONCE, account);
    entry->existed = account->exists;
    entry->previous.number = account->current.nonce;
    account->current.nonce = nonce;
    account->exists = true;
}

static void replace_code(hn_state *state, hn_state_account *account, const hn_hash *hash, const hn_code *code)
{
    hn_journal_entry *entry = hn_state_journal(state, HN_JOURNAL_CODE, account);
    entry->existed = account->exists;
    entry->previous.hash = account->current.code_hash;
    account->current.code_hash = *hash;
    account->code = code;
    account->exists = true;
}

void hn_state_set_code(hn_state *state, hn_state_account *account, hn_bytes code)
{
    const hn_code *object = NULL;
    if (code.size != 0)
        object = hn_working_set_add_code(&state->set, code);
    replace_code(state, account, object != NULL ? &object->hash : &hn_keccak256_of_nothing, object);
}

void hn_state_create_contract(hn_state *state, hn_state_account *account, uint64_t nonce)
{
    hn_working_account *own = hn_state_own_account(account);
    hn_working_account_refresh(&state->set, own);
    hn_state_set_nonce(state, account, nonce);
    if (!hn_hash_equal(&account->current.code_hash, &hn_keccak256_of_nothing))
        replace_code(state, account, &hn_keccak256_of_nothing, NULL);
    if (!account->created_in_transaction) {
        hn_state_journal(state, HN_JOURNAL_CREATED, account);
        account->created_in_transaction = true;
    }
    hn_state_clear_storage(state, own);
}

bool hn_state_self_destruct(hn_state *state, hn_state_account *account)
{
    hn_working_account_refresh(&state->set, hn_state_own_account(account));
    if (account->self_destructed)
        return false;
    hn_state_journal(state, HN_JOURNAL_SELF_DESTRUCTED, account);
    account->self_destructed = true;
    return true;
}

void hn_state_delete_account(hn_state *state, hn_working_account *account)
{
    static const hn_u256 zero;
    hn_state_set_balance(state, &account->face, &zero);
    hn_state_set_nonce(state, &account->face, 0);
    replace_code(state, &account->face, &hn_keccak256_of_nothing, NULL);
    hn_state_clear_storage(state, account);
    account->face.exists = false;
}

/* A payment of `amount` touches an account that is empty and stays so: it would be cleared (EIP-161). */
static bool would_clear(const hn_state_account *account, const hn_u256 *amount)
{
    return hn_u256_is_zero(amount) && account->exists && hn_state_is_empty(account);
}

static void add(hn_state_account *account, const hn_u256 *amount)
{
    if (hn_u256_is_zero(amount))
        return; /* brings nobody into existence */
    account->current.balance = hn_u256_add(&account->current.balance, amount);
    account->exists = true;
}

bool hn_state_pay(hn_state *state, const hn_state_payment *payment)
{
    if (state->keep_block_journal || state->fork < HN_FORK_SPURIOUS_DRAGON ||
        would_clear(payment->recipient, &payment->value) || would_clear(payment->beneficiary, &payment->tip))
        return false;
    hn_state_account *sender = payment->sender;
    bool borrow;
    hn_u256 spent = hn_u256_add(&payment->value, &payment->fee);
    sender->current.balance = hn_u256_sub_borrow(&sender->current.balance, &spent, &borrow);
    HN_CHECK(!borrow);
    sender->current.nonce++;
    sender->exists = true;
    add(payment->recipient, &payment->value);
    add(payment->beneficiary, &payment->tip);
    return true;
}

const hn_code *hn_state_code(hn_state *state, hn_state_account *account)
{
    if (account->code == NULL && !hn_hash_equal(&account->current.code_hash, &hn_keccak256_of_nothing))
        account->code = hn_working_set_code(&state->set, &account->current.code_hash);
    return account->code;
}
