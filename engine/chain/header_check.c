#include "engine/chain/header_check.h"

#include "engine/chain/dao_fork.h"
#include "engine/chain/parameters.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

hn_err hn_refuse(hn_import_problem *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return HN_ERR_INVALID;
}

static hn_err check_extra_data(hn_import_problem *problem, const hn_chain_config *config,
                               const hn_header *header)
{
    if (header->extra_data.size > HN_EXTRA_DATA_MAX)
        return hn_refuse(problem, "extra data of %zu bytes", header->extra_data.size);
    uint64_t fork = config->activation[HN_FORK_DAO];
    bool in_range = header->number >= fork && header->number - fork < HN_DAO_EXTRA_DATA_BLOCKS;
    if (config->dao_fork_support && in_range &&
        !hn_bytes_equal(header->extra_data, hn_bytes_of(HN_DAO_EXTRA_DATA, sizeof HN_DAO_EXTRA_DATA - 1)))
        return hn_refuse(problem, "extra data is not \"" HN_DAO_EXTRA_DATA "\"");
    return HN_OK;
}

static hn_err check_gas(hn_import_problem *problem, const hn_chain_config *config, const hn_header *header,
                        const hn_header *parent)
{
    if (header->gas_used > header->gas_limit)
        return hn_refuse(problem, "gas used %" PRIu64 " above gas limit %" PRIu64, header->gas_used,
                         header->gas_limit);
    uint64_t before = parent->gas_limit;
    if (header->form >= HN_HEADER_LONDON && parent->form < HN_HEADER_LONDON)
        before *= HN_BASE_FEE_ELASTICITY;
    uint64_t distance = header->gas_limit > before ? header->gas_limit - before : before - header->gas_limit;
    if (distance >= before / HN_GAS_LIMIT_BOUND_DIVISOR || header->gas_limit < HN_GAS_LIMIT_MINIMUM ||
        header->gas_limit > INT64_MAX)
        return hn_refuse(problem, "gas limit %" PRIu64 " after %" PRIu64, header->gas_limit, before);
    hn_u256 base_fee = hn_next_base_fee(config, parent);
    if (header->form >= HN_HEADER_LONDON && !hn_u256_equal(&header->base_fee_per_gas, &base_fee))
        return hn_refuse(problem, "wrong base fee");
    return HN_OK;
}

static hn_err check_blob_gas(hn_import_problem *problem, const hn_chain_config *config, hn_fork fork,
                             const hn_header *header, const hn_header *parent)
{
    if (header->form < HN_HEADER_CANCUN)
        return HN_OK;
    uint64_t expected = hn_next_excess_blob_gas(config, parent, header->timestamp);
    if (header->excess_blob_gas != expected)
        return hn_refuse(problem, "excess blob gas %" PRIu64 ", expected %" PRIu64, header->excess_blob_gas,
                         expected);
    if (header->blob_gas_used > config->blob_schedule[fork].max * HN_GAS_PER_BLOB ||
        header->blob_gas_used % HN_GAS_PER_BLOB != 0)
        return hn_refuse(problem, "blob gas used %" PRIu64, header->blob_gas_used);
    return HN_OK;
}

/* Proof of work asks for the right difficulty, its absence for none (EIP-3675). */
static hn_err check_difficulty(hn_import_problem *problem, const hn_chain_config *config, hn_fork fork,
                               const hn_header *header, const hn_header *parent, bool parent_has_uncles)
{
    hn_u256 expected =
        hn_next_difficulty(config, parent, parent_has_uncles, header->number, header->timestamp);
    if (!hn_u256_equal(&header->difficulty, &expected))
        return hn_refuse(problem, "wrong difficulty");
    if (fork < HN_FORK_PARIS)
        return HN_OK;
    static const uint8_t no_nonce[sizeof header->nonce];
    if (memcmp(header->nonce, no_nonce, sizeof no_nonce) != 0)
        return hn_refuse(problem, "a nonce after the merge");
    if (!hn_hash_equal(&header->uncles_hash, &hn_no_uncles_hash))
        return hn_refuse(problem, "uncles after the merge");
    return HN_OK;
}

hn_err hn_header_check(hn_import_problem *problem, const hn_chain_config *config, hn_block_profile profile,
                       const hn_header *header, const hn_header *parent, bool parent_has_uncles)
{
    if (header->number != parent->number + 1)
        return hn_refuse(problem, "number %" PRIu64 " after %" PRIu64, header->number, parent->number);
    uint64_t earliest = parent->timestamp + (profile == HN_PROFILE_STRICT);
    if (header->timestamp < earliest)
        return hn_refuse(problem, "timestamp %" PRIu64 " after %" PRIu64, header->timestamp,
                         parent->timestamp);
    hn_fork fork = hn_fork_at(config, header->number, header->timestamp);
    if (header->form != hn_header_form_of(fork))
        return hn_refuse(problem, "fields of another fork than %s", hn_fork_name(fork));
    HN_TRY(check_extra_data(problem, config, header));
    HN_TRY(check_gas(problem, config, header, parent));
    HN_TRY(check_blob_gas(problem, config, fork, header, parent));
    return check_difficulty(problem, config, fork, header, parent, parent_has_uncles);
}
