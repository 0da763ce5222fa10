#include "pipeline/cli/evm_t8n_environment.h"

#include "engine/codec/hex.h"
#include "pipeline/cli/evm_fixture.h"

#include <inttypes.h>

/* What is said of the parent. */
typedef struct parent_facts {
    hn_header header;
    bool has_difficulty;
    bool has_base_fee;
    bool has_excess_blob_gas;
    bool has_blob_gas_used;
} parent_facts;

/* --- reading --- */

static hn_err optional_u256(hn_u256 *out, bool *present, const hn_json *node, const char *key)
{
    hn_json member;
    *present = hn_json_find(&member, node, key);
    return *present ? hn_json_read_number_u256(out, &member) : HN_OK;
}

static hn_err optional_u64(uint64_t *out, bool *present, const hn_json *node, const char *key)
{
    hn_json member;
    *present = hn_json_find(&member, node, key);
    return *present ? hn_json_read_number_u64(out, &member) : HN_OK;
}

static hn_err read_parent(parent_facts *out, const hn_json *node)
{
    hn_header *parent = &out->header;
    HN_TRY(optional_u256(&parent->difficulty, &out->has_difficulty, node, "parentDifficulty"));
    HN_TRY(optional_u256(&parent->base_fee_per_gas, &out->has_base_fee, node, "parentBaseFee"));
    HN_TRY(hn_fixture_optional_u64(&parent->gas_used, node, "parentGasUsed"));
    HN_TRY(hn_fixture_optional_u64(&parent->gas_limit, node, "parentGasLimit"));
    HN_TRY(hn_fixture_optional_u64(&parent->timestamp, node, "parentTimestamp"));
    HN_TRY(optional_u64(&parent->excess_blob_gas, &out->has_excess_blob_gas, node, "parentExcessBlobGas"));
    HN_TRY(optional_u64(&parent->blob_gas_used, &out->has_blob_gas_used, node, "parentBlobGasUsed"));
    return hn_fixture_optional_fixed(parent->uncles_hash.b, sizeof parent->uncles_hash.b, node,
                                     "parentUncleHash");
}

static hn_err read_header(hn_t8n_environment *out, const hn_json *node)
{
    hn_header *header = &out->header;
    hn_u256 random;
    hn_json member;
    HN_TRY(hn_json_get(&member, node, "currentCoinbase"));
    HN_TRY(hn_json_read_padded(header->beneficiary.b, sizeof header->beneficiary.b, &member));
    HN_TRY(hn_fixture_u64(&header->gas_limit, node, "currentGasLimit"));
    HN_TRY(hn_fixture_u64(&header->number, node, "currentNumber"));
    HN_TRY(hn_fixture_u64(&header->timestamp, node, "currentTimestamp"));
    HN_TRY(optional_u256(&header->difficulty, &out->has_difficulty, node, "currentDifficulty"));
    HN_TRY(optional_u256(&header->base_fee_per_gas, &out->has_base_fee, node, "currentBaseFee"));
    HN_TRY(optional_u64(&header->excess_blob_gas, &out->has_blob_fee, node, "currentExcessBlobGas"));
    HN_TRY(optional_u256(&random, &out->has_random, node, "currentRandom"));
    if (out->has_random)
        hn_u256_to_be(header->mix_hash.b, &random);
    out->has_beacon_root = hn_json_find(&member, node, "parentBeaconBlockRoot");
    if (!out->has_beacon_root)
        return HN_OK;
    return hn_json_read_fixed(header->parent_beacon_block_root.b, sizeof header->parent_beacon_block_root.b,
                              &member);
}

static hn_err read_block_hashes(hn_t8n_environment *out, hn_arena *arena, const hn_json *node)
{
    hn_json hashes;
    out->has_block_hashes = hn_json_find(&hashes, node, "blockHashes");
    if (!out->has_block_hashes)
        return HN_OK;
    hn_t8n_block_hash *items = hn_arena_calloc(arena, hn_json_size(&hashes) + 1, sizeof *items);
    if (items == NULL)
        return HN_ERR_NO_MEMORY;
    hn_json member;
    for (void *iterator = NULL; hn_json_next(&member, &iterator, &hashes); out->block_hash_count++) {
        hn_t8n_block_hash *item = &items[out->block_hash_count];
        HN_TRY(hn_hex_read_u64_lenient(&item->number, member.key));
        HN_TRY(hn_json_read_fixed(item->hash.b, sizeof item->hash.b, &member));
    }
    out->block_hashes = items;
    return HN_OK;
}

static hn_err read_uncles(hn_t8n_environment *out, hn_arena *arena, const hn_json *node)
{
    hn_json list;
    if (!hn_json_find(&list, node, "ommers"))
        return HN_OK;
    size_t count = hn_json_size(&list);
    hn_t8n_uncle *items = hn_arena_calloc(arena, count + 1, sizeof *items);
    if (items == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        hn_json item = hn_json_at(&list, i);
        HN_TRY(hn_fixture_u64(&items[i].delta, &item, "delta"));
        HN_TRY(hn_fixture_fixed(items[i].address.b, sizeof items[i].address.b, &item, "address"));
    }
    out->uncles = items;
    out->uncle_count = (uint32_t)count;
    return HN_OK;
}

static hn_err read_withdrawals(hn_t8n_environment *out, hn_arena *arena, const hn_json *node)
{
    hn_json list;
    out->has_withdrawals = hn_json_find(&list, node, "withdrawals");
    if (!out->has_withdrawals)
        return HN_OK;
    size_t count = hn_json_size(&list);
    hn_withdrawal *items = hn_arena_calloc(arena, count + 1, sizeof *items);
    if (items == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        hn_json item = hn_json_at(&list, i);
        HN_TRY(hn_fixture_u64(&items[i].index, &item, "index"));
        HN_TRY(hn_fixture_u64(&items[i].validator_index, &item, "validatorIndex"));
        HN_TRY(hn_fixture_fixed(items[i].address.b, sizeof items[i].address.b, &item, "address"));
        HN_TRY(hn_fixture_u64(&items[i].amount_gwei, &item, "amount"));
    }
    out->withdrawals = items;
    out->withdrawal_count = (uint32_t)count;
    return HN_OK;
}

static hn_err read_all(hn_t8n_environment *out, parent_facts *parent, hn_arena *arena, const hn_json *node)
{
    HN_TRY(read_header(out, node));
    HN_TRY(read_parent(parent, node));
    HN_TRY(read_block_hashes(out, arena, node));
    HN_TRY(read_uncles(out, arena, node));
    return read_withdrawals(out, arena, node);
}

/* --- what follows from the parent, and what must not be missing --- */

static hn_t8n_status settle_base_fee(hn_t8n_environment *out, hn_t8n_problem *problem,
                                     const parent_facts *parent)
{
    if (out->fork < HN_FORK_LONDON || out->has_base_fee)
        return HN_T8N_OK;
    if (!parent->has_base_fee || out->header.number == 0)
        return hn_t8n_fail(problem, HN_T8N_CONFIG,
                           "EIP-1559 config but missing 'parentBaseFee' in env section");
    out->header.base_fee_per_gas = hn_next_base_fee(&out->config, &parent->header);
    out->has_base_fee = true;
    return HN_T8N_OK;
}

static hn_t8n_status settle_difficulty(hn_t8n_environment *out, hn_t8n_problem *problem,
                                       const parent_facts *parent)
{
    const hn_header *header = &out->header;
    if (out->fork >= HN_FORK_PARIS) {
        if (!out->has_random)
            return hn_t8n_fail(problem, HN_T8N_CONFIG,
                               "post-merge requires currentRandom to be defined in env");
        if (out->has_difficulty && !hn_u256_is_zero(&header->difficulty))
            return hn_t8n_fail(problem, HN_T8N_CONFIG,
                               "post-merge difficulty must be zero (or omitted) in env");
        out->has_difficulty = false;
        return HN_T8N_OK;
    }
    if (out->has_difficulty)
        return HN_T8N_OK;
    if (!parent->has_difficulty)
        return hn_t8n_fail(problem, HN_T8N_CONFIG,
                           "currentDifficulty was not provided, and cannot be calculated due to missing "
                           "parentDifficulty");
    if (header->number == 0)
        return hn_t8n_fail(problem, HN_T8N_CONFIG,
                           "currentDifficulty needs to be provided for block number 0");
    if (header->timestamp <= parent->header.timestamp)
        return hn_t8n_fail(problem, HN_T8N_CONFIG,
                           "currentDifficulty cannot be calculated -- currentTime (%" PRIu64
                           ") needs to be after parent time (%" PRIu64 ")",
                           header->timestamp, parent->header.timestamp);
    const hn_hash *uncles = &parent->header.uncles_hash;
    bool has_uncles = !hn_hash_is_zero(uncles) && !hn_hash_equal(uncles, &hn_no_uncles_hash);
    out->header.difficulty =
        hn_next_difficulty(&out->config, &parent->header, has_uncles, header->number, header->timestamp);
    out->has_difficulty = true;
    return HN_T8N_OK;
}

static void settle_blob_fee(hn_t8n_environment *out, const parent_facts *parent)
{
    if (!out->has_blob_fee && parent->has_excess_blob_gas && parent->has_blob_gas_used) {
        out->header.excess_blob_gas =
            hn_next_excess_blob_gas(&out->config, &parent->header, out->header.timestamp);
        out->has_blob_fee = true;
    }
    out->has_blob_fee &= out->fork >= HN_FORK_CANCUN;
    if (out->has_blob_fee)
        out->blob_base_fee = hn_blob_base_fee(&out->config, out->fork, out->header.excess_blob_gas);
}

hn_t8n_status hn_t8n_environment_read(hn_t8n_environment *out, hn_t8n_problem *problem, hn_arena *arena,
                                      const hn_chain_config *config, const hn_json *node)
{
    hn_t8n_environment made = {.config = *config};
    parent_facts parent = {.has_difficulty = false};
    hn_err err = read_all(&made, &parent, arena, node);
    if (err != HN_OK)
        return hn_t8n_fail(problem, HN_T8N_JSON, "failed unmarshalling env: %s",
                           node->problem->text[0] != '\0' ? node->problem->text : hn_err_text(err));
    made.fork = hn_fork_at(&made.config, made.header.number, made.header.timestamp);
    made.header.form = hn_header_form_of(made.fork);
    if (made.header.number > 0) {
        parent.header.number = made.header.number - 1;
        parent.header.form =
            hn_header_form_of(hn_fork_at(&made.config, parent.header.number, parent.header.timestamp));
    }
    if (parent.has_excess_blob_gas && made.header.form >= HN_HEADER_CANCUN)
        parent.header.form = made.header.form; /* a parent with blob gas is one that counts it */

    HN_T8N_TRY(settle_base_fee(&made, problem, &parent));
    if (made.fork >= HN_FORK_SHANGHAI && !made.has_withdrawals)
        return hn_t8n_fail(problem, HN_T8N_CONFIG,
                           "Shanghai config but missing 'withdrawals' in env section");
    HN_T8N_TRY(settle_difficulty(&made, problem, &parent));
    if (made.fork < HN_FORK_CANCUN)
        made.has_beacon_root = false;
    else if (!made.has_beacon_root)
        return hn_t8n_fail(problem, HN_T8N_CONFIG,
                           "post-cancun env requires parentBeaconBlockRoot to be set");
    settle_blob_fee(&made, &parent);
    *out = made;
    return HN_T8N_OK;
}
