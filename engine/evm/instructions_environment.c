/* What the message, the transaction and the block answer. */
#include "engine/evm/instruction.h"

/* An instruction without operands that pushes one word. */
#define PUSHES(name, expression)                                                                             \
    HN_RUN(name)                                                                                             \
    {                                                                                                        \
        (void)evm;                                                                                           \
        (void)frame;                                                                                         \
        top[1] = (expression);                                                                               \
        return HN_OUTCOME_NEXT;                                                                              \
    }

PUSHES(address, hn_u256_of_address(&frame->message.recipient))
PUSHES(origin, hn_u256_of_address(&evm->transaction->origin))
PUSHES(caller, hn_u256_of_address(&frame->message.sender))
PUSHES(callvalue, frame->message.value)
PUSHES(calldatasize, hn_u256_of(frame->call_data.size))
PUSHES(codesize, hn_u256_of(frame->code.size))
PUSHES(gasprice, evm->transaction->gas_price)
PUSHES(returndatasize, hn_u256_of(evm->return_data.size))
PUSHES(coinbase, hn_u256_of_address(&evm->block->beneficiary))
PUSHES(timestamp, hn_u256_of(evm->block->timestamp))
PUSHES(number, hn_u256_of(evm->block->number))
PUSHES(difficulty,
       evm->fork >= HN_FORK_PARIS ? hn_u256_from_be(evm->block->prev_randao.b) : evm->block->difficulty)
PUSHES(gaslimit, hn_u256_of(evm->block->gas_limit))
PUSHES(chainid, hn_u256_of(evm->block->config->chain_id))
PUSHES(selfbalance, frame->self->current.balance)
PUSHES(basefee, evm->block->base_fee)
PUSHES(blobbasefee, evm->block->blob_base_fee)
PUSHES(msize, hn_u256_of(frame->memory_size))
PUSHES(gas, hn_u256_of(frame->gas))
PUSHES(pc, hn_u256_of(frame->pc))

HN_RUN(calldataload)
{
    (void)evm;
    const hn_bytes input = frame->call_data;
    uint8_t word[32] = {0};
    if (hn_u256_fits_64(&top[0]) && top[0].w[0] < input.size) {
        size_t left = input.size - top[0].w[0];
        memcpy(word, input.data + top[0].w[0], left < sizeof word ? left : sizeof word);
    }
    top[0] = hn_u256_from_be(word);
    return HN_OUTCOME_NEXT;
}

HN_RUN(blockhash)
{
    (void)frame;
    const hn_evm_block *block = evm->block;
    uint64_t number = top[0].w[0];
    hn_hash hash = {0};
    if (hn_u256_fits_64(&top[0]) && number < block->number && block->number - number <= 256) {
        const hn_state_view *view = hn_state_base(evm->state);
        if (block->block_hash != NULL)
            block->block_hash(block->block_hash_self, &hash, number);
        else
            view->operations->block_hash(view->self, &hash, number);
    }
    top[0] = hn_u256_from_be(hash.b);
    return HN_OUTCOME_NEXT;
}

HN_RUN(blobhash)
{
    (void)frame;
    const hn_evm_transaction *transaction = evm->transaction;
    if (hn_u256_fits_64(&top[0]) && top[0].w[0] < transaction->blob_hash_count)
        top[0] = hn_u256_from_be(transaction->blob_hashes[top[0].w[0]].b);
    else
        top[0] = hn_u256_of(0);
    return HN_OUTCOME_NEXT;
}
