/* Accounts, code of others, storage, self-destruction. */
#include "engine/crypto/keccak.h"
#include "engine/evm/instruction.h"

/* Finds the account for the execution; EIP-2929: what a cold one costs on top, and warms it. */
static uint64_t access_cost(hn_evm *evm, hn_frame *frame, const hn_u256 *word)
{
    hn_address address = hn_address_of_u256(word);
    frame->account = hn_state_get(evm->state, &address);
    return evm->gas->cold_account != 0 && hn_access_account(evm, frame->account) ? evm->gas->cold_account : 0;
}

HN_COST(account_access)
{
    return access_cost(evm, frame, &top[0]);
}

HN_COST(extcodecopy)
{
    uint64_t growth = hn_memory_growth_cost(frame, hn_memory_end(&top[-1], &top[-3]));
    if (growth == UINT64_MAX)
        return growth;
    return growth + hn_words_of(top[-3].w[0]) * HN_GAS_COPY_WORD + access_cost(evm, frame, &top[0]);
}

HN_RUN(balance)
{
    (void)evm;
    top[0] = frame->account->current.balance;
    return HN_OUTCOME_NEXT;
}

static hn_bytes code_of(hn_evm *evm, hn_state_account *account)
{
    const hn_code *code = hn_state_code(evm->state, account);
    return code != NULL ? code->bytes : hn_bytes_of(NULL, 0);
}

HN_RUN(extcodesize)
{
    top[0] = hn_u256_of(code_of(evm, frame->account).size);
    return HN_OUTCOME_NEXT;
}

HN_RUN(extcodecopy)
{
    hn_memory_copy_in(frame, &top[-1], code_of(evm, frame->account), &top[-2], &top[-3]);
    return HN_OUTCOME_NEXT;
}

/* Zero for accounts that do not exist or are empty (EIP-1052, EIP-161). */
HN_RUN(extcodehash)
{
    (void)evm;
    const hn_state_account *account = frame->account;
    top[0] = hn_state_is_empty(account) ? hn_u256_of(0) : hn_u256_from_be(account->current.code_hash.b);
    return HN_OUTCOME_NEXT;
}

HN_COST(sload)
{
    frame->slot = hn_state_get_slot(evm->state, frame->self, &top[0]);
    return evm->gas->cold_slot != 0 && hn_state_warm_slot(evm->state, frame->slot) ? evm->gas->cold_slot : 0;
}

HN_RUN(sload)
{
    (void)evm;
    top[0] = frame->slot->current;
    return HN_OUTCOME_NEXT;
}

/* EIP-1283, EIP-2200 as amended by EIP-2929 and EIP-3529: only the first change of a slot in a transaction
 * costs as much as writing to the state. */
static uint64_t net_sstore_cost(const hn_gas_table *gas, const hn_state_slot *slot, const hn_u256 *value)
{
    if (hn_u256_equal(&slot->current, value) || !hn_u256_equal(&slot->original, &slot->current))
        return gas->sstore_unchanged;
    return hn_u256_is_zero(&slot->original) ? HN_GAS_SSTORE_SET : gas->sstore_reset;
}

/* The refunds of the same EIPs. A slot that goes back to what it was gives back what the first change cost.
 */
static int64_t net_sstore_refund(const hn_gas_table *gas, const hn_state_slot *slot, const hn_u256 *value)
{
    int64_t refund = 0, clear = gas->sstore_clear_refund;
    if (hn_u256_equal(&slot->current, value))
        return 0;
    if (hn_u256_equal(&slot->original, &slot->current))
        return !hn_u256_is_zero(&slot->original) && hn_u256_is_zero(value) ? clear : 0;
    if (!hn_u256_is_zero(&slot->original)) {
        if (hn_u256_is_zero(&slot->current))
            refund -= clear;
        else if (hn_u256_is_zero(value))
            refund += clear;
    }
    if (hn_u256_equal(&slot->original, value)) {
        uint32_t first = hn_u256_is_zero(&slot->original) ? HN_GAS_SSTORE_SET : gas->sstore_reset;
        refund += (int64_t)first - gas->sstore_unchanged;
    }
    return refund;
}

static void refund_sstore(hn_evm *evm, const hn_state_slot *slot, const hn_u256 *value)
{
    int64_t refund = 0;
    if (evm->gas->sstore_is_net)
        refund = net_sstore_refund(evm->gas, slot, value);
    else if (!hn_u256_is_zero(&slot->current) && hn_u256_is_zero(value))
        refund = evm->gas->sstore_clear_refund;
    if (refund != 0)
        hn_state_add_refund(evm->state, refund);
}

/* The refund goes with the price, so that traces show it as geth's do. */
HN_COST(sstore)
{
    const hn_gas_table *gas = evm->gas;
    if (gas->sstore_has_sentry && frame->gas <= HN_GAS_SSTORE_SENTRY)
        return UINT64_MAX;
    hn_state_slot *slot = frame->slot = hn_state_get_slot(evm->state, frame->self, &top[0]);
    uint64_t cold = gas->sstore_cold != 0 && hn_state_warm_slot(evm->state, slot) ? gas->sstore_cold : 0;
    refund_sstore(evm, slot, &top[-1]);
    if (gas->sstore_is_net)
        return cold + net_sstore_cost(gas, slot, &top[-1]);
    return hn_u256_is_zero(&slot->current) && !hn_u256_is_zero(&top[-1]) ? HN_GAS_SSTORE_SET
                                                                         : gas->sstore_reset;
}

HN_RUN(sstore)
{
    if (frame->message.is_static)
        return HN_EVM_STATIC_VIOLATION;
    hn_state_slot *slot = frame->slot;
    const hn_u256 *value = &top[-1];
    if (!hn_u256_equal(&slot->current, value))
        hn_state_set_slot(evm->state, slot, value);
    return HN_OUTCOME_NEXT;
}

HN_RUN(tload)
{
    const hn_u256 key = top[0];
    hn_state_transient_load(evm->state, &top[0], frame->self, &key);
    return HN_OUTCOME_NEXT;
}

HN_RUN(tstore)
{
    if (frame->message.is_static)
        return HN_EVM_STATIC_VIOLATION;
    hn_state_transient_store(evm->state, frame->self, &top[0], &top[-1]);
    return HN_OUTCOME_NEXT;
}

HN_COST(selfdestruct)
{
    const hn_gas_table *gas = evm->gas;
    hn_address address = hn_address_of_u256(&top[0]);
    hn_state_account *heir = frame->account = hn_state_get(evm->state, &address);
    uint64_t cost = gas->selfdestruct_cold != 0 && hn_access_account(evm, heir) ? gas->selfdestruct_cold : 0;
    if (gas->selfdestruct_refund != 0 && !frame->self->self_destructed)
        hn_state_add_refund(evm->state, gas->selfdestruct_refund);
    if (!gas->selfdestruct_pays_new_account)
        return cost;
    bool makes_account = evm->fork >= HN_FORK_SPURIOUS_DRAGON
                             ? hn_state_is_empty(heir) && !hn_u256_is_zero(&frame->self->current.balance)
                             : !heir->exists;
    return makes_account ? cost + HN_GAS_NEW_ACCOUNT : cost;
}

/* Before Cancun the account goes at the end of the transaction, always; since EIP-6780 only when it was
 * created in the same one. A balance left to itself is burnt where the account goes. */
HN_RUN(selfdestruct)
{
    if (frame->message.is_static)
        return HN_EVM_STATIC_VIOLATION;
    (void)top;
    hn_state *state = evm->state;
    hn_state_account *self = frame->self, *heir = frame->account;
    const hn_u256 balance = self->current.balance;
    bool goes = evm->fork < HN_FORK_CANCUN || self->created_in_transaction;
    if (heir != self) {
        if (!hn_u256_is_zero(&balance))
            hn_state_subtract_balance(state, self, &balance);
        if (heir->exists || !hn_u256_is_zero(&balance) || evm->fork < HN_FORK_SPURIOUS_DRAGON)
            hn_state_add_balance(state, heir, &balance);
    } else if (goes && !hn_u256_is_zero(&balance)) {
        hn_state_subtract_balance(state, self, &balance);
    }
    if (goes)
        (void)hn_state_self_destruct(state, self);
    if (evm->tracer != NULL && evm->tracer->self_destruct != NULL)
        evm->tracer->self_destruct(evm->tracer->self, &self->address, &heir->address, &balance);
    frame->output = hn_bytes_of(NULL, 0);
    return HN_OUTCOME_RETURN;
}
