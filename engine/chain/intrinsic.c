/* What a transaction costs before it runs (yellow paper, section 6.2; EIP-2028, 2930, 3860, 7623, 7702). */
#include "engine/chain/parameters.h"
#include "engine/chain/transition.h"

static uint64_t count_zero_bytes(hn_bytes data)
{
    uint64_t zeroes = 0;
    for (size_t i = 0; i < data.size; i++)
        zeroes += data.data[i] == 0;
    return zeroes;
}

/* Adds count * price, or says that the sum passes 2^64. */
static bool add_price(uint64_t *sum, uint64_t count, uint64_t price)
{
    uint64_t product;
    return !__builtin_mul_overflow(count, price, &product) && !__builtin_add_overflow(*sum, product, sum);
}

bool hn_transaction_intrinsic_gas(uint64_t *intrinsic, uint64_t *floor, hn_fork fork,
                                  const hn_transaction *transaction)
{
    uint64_t zeroes = count_zero_bytes(transaction->data);
    uint64_t others = transaction->data.size - zeroes;
    uint64_t sum = HN_GAS_TRANSACTION;
    bool fits = true;

    if (transaction->is_create && fork >= HN_FORK_HOMESTEAD)
        sum += HN_GAS_TRANSACTION_CREATE;
    fits &= add_price(&sum, zeroes, HN_GAS_DATA_ZERO_BYTE);
    fits &= add_price(&sum, others,
                      fork >= HN_FORK_ISTANBUL ? HN_GAS_DATA_BYTE : HN_GAS_DATA_BYTE_BEFORE_ISTANBUL);
    if (transaction->is_create && fork >= HN_FORK_SHANGHAI)
        fits &= add_price(&sum, (transaction->data.size + 31) / 32, HN_GAS_INIT_CODE_WORD);

    fits &= add_price(&sum, transaction->access_list_count, HN_GAS_ACCESS_LIST_ADDRESS);
    for (uint32_t i = 0; i < transaction->access_list_count; i++)
        fits &= add_price(&sum, transaction->access_list[i].key_count, HN_GAS_ACCESS_LIST_KEY);
    fits &= add_price(&sum, transaction->authorization_count, HN_GAS_AUTHORIZATION);

    uint64_t floor_sum = 0;
    if (fork >= HN_FORK_PRAGUE) {
        floor_sum = HN_GAS_TRANSACTION;
        fits &= add_price(&floor_sum, zeroes, HN_GAS_FLOOR_ZERO_BYTE);
        fits &= add_price(&floor_sum, others, HN_GAS_FLOOR_BYTE);
    }
    if (!fits)
        return false;
    *intrinsic = sum;
    *floor = floor_sum;
    return true;
}
