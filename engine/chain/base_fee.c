/* The fees that follow from the parent's header (EIP-1559; EIP-4844, 7691, 7840, 7918). */
#include "engine/chain/parameters.h"
#include "engine/chain/transition.h"

/* x * y / z; the product must fit 256 bits. */
static hn_u256 scale(const hn_u256 *x, uint64_t y, uint64_t z)
{
    hn_u256 multiplier = hn_u256_of(y);
    hn_u256 divisor = hn_u256_of(z);
    hn_u256 product = hn_u256_mul(x, &multiplier);
    return hn_u256_div(&product, &divisor);
}

hn_u256 hn_next_base_fee(const hn_chain_config *config, const hn_header *parent)
{
    if (config->zero_base_fee || config->activation[HN_FORK_LONDON] > parent->number + 1)
        return hn_u256_of(0);
    if (parent->form < HN_HEADER_LONDON)
        return hn_u256_of(HN_BASE_FEE_INITIAL);

    uint64_t target = parent->gas_limit / HN_BASE_FEE_ELASTICITY;
    const hn_u256 *fee = &parent->base_fee_per_gas;
    if (parent->gas_used == target || target == 0)
        return *fee;
    if (parent->gas_used > target) {
        hn_u256 rise = scale(fee, parent->gas_used - target, target);
        rise = scale(&rise, 1, HN_BASE_FEE_DENOMINATOR);
        if (hn_u256_is_zero(&rise))
            rise = hn_u256_of(1);
        return hn_u256_add(fee, &rise);
    }
    hn_u256 fall = scale(fee, target - parent->gas_used, target);
    fall = scale(&fall, 1, HN_BASE_FEE_DENOMINATOR);
    return hn_u256_sub(fee, &fall);
}

/* EIP-4844's fake_exponential with factor 1: e^(numerator / denominator), rounded down. Above e^128, far past
 * any balance, it stays at 2^256 - 1 so that no intermediate value passes 256 bits. */
static hn_u256 fake_exponential(uint64_t numerator, uint64_t denominator)
{
    enum { EXPONENT_MAX = 128 };
    if (denominator == 0 || numerator / denominator >= EXPONENT_MAX)
        return (hn_u256){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    hn_u256 sum = hn_u256_of(0);
    hn_u256 term = hn_u256_of(denominator);
    for (uint64_t i = 1; !hn_u256_is_zero(&term); i++) {
        sum = hn_u256_add(&sum, &term);
        hn_u256 limit = hn_u256_of(denominator);
        hn_u256 index = hn_u256_of(i);
        hn_u256 divisor = hn_u256_mul(&limit, &index);
        hn_u256 factor = hn_u256_of(numerator);
        term = hn_u256_mul(&term, &factor);
        term = hn_u256_div(&term, &divisor);
    }
    return scale(&sum, 1, denominator);
}

hn_u256 hn_blob_base_fee(const hn_chain_config *config, hn_fork fork, uint64_t excess_blob_gas)
{
    if (fork < HN_FORK_CANCUN)
        return hn_u256_of(0);
    return fake_exponential(excess_blob_gas, config->blob_schedule[fork].base_fee_update_fraction);
}

/* EIP-7918: blob gas is so cheap beside execution gas that usage alone must not make it cheaper. */
static bool execution_sets_the_price(const hn_chain_config *config, hn_fork fork, const hn_header *parent)
{
    hn_u256 reserve = scale(&parent->base_fee_per_gas, HN_BLOB_BASE_COST, 1);
    hn_u256 blob_fee = hn_blob_base_fee(config, fork, parent->excess_blob_gas);
    if (hn_u256_bit_length(&blob_fee) > 224)
        return false;
    hn_u256 blob_price = scale(&blob_fee, HN_GAS_PER_BLOB, 1);
    return hn_u256_less(&blob_price, &reserve);
}

uint64_t hn_next_excess_blob_gas(const hn_chain_config *config, const hn_header *parent, uint64_t timestamp)
{
    hn_fork fork = hn_fork_at(config, parent->number + 1, timestamp);
    if (fork < HN_FORK_CANCUN || parent->form < HN_HEADER_CANCUN)
        return 0;
    const hn_blob_schedule *schedule = &config->blob_schedule[fork];
    uint64_t target = schedule->target * HN_GAS_PER_BLOB;
    uint64_t sum;
    if (__builtin_add_overflow(parent->excess_blob_gas, parent->blob_gas_used, &sum))
        sum = UINT64_MAX;
    if (sum < target)
        return 0;
    if (fork >= HN_FORK_OSAKA && schedule->max > schedule->target &&
        execution_sets_the_price(config, fork, parent))
        return parent->excess_blob_gas +
               parent->blob_gas_used * (schedule->max - schedule->target) / schedule->max;
    return sum - target;
}
