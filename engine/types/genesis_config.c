#include "engine/types/genesis_config.h"

#include <inttypes.h>

/* Besu's other name for Petersburg, and geth's name for one half of EIP158. */
static const struct {
    const char *key;
    hn_fork fork;
} other_keys[] = {
    {"constantinopleFixBlock", HN_FORK_PETERSBURG},
    {"eip155Block", HN_FORK_SPURIOUS_DRAGON},
};

/* Forks that geth or Besu know and Hanse does not: their rules must not be passed over. */
static const char *const unsupported_keys[] = {
    "bpo3Time",         "bpo4Time",      "bpo5Time",      "amsterdamTime",        "verkleTime",
    "futureEipsTime",   "ecip1015Block", "ecip1041Block", "experimentalEipsTime", "dieHardBlock",
    "classicForkBlock",
};

/* The timed forks stand behind all others in the list. */
enum { FIRST_TIMED = HN_FORK_SHANGHAI };

static hn_err refuse_unsupported(const hn_json *config)
{
    for (size_t i = 0; i < sizeof unsupported_keys / sizeof *unsupported_keys; i++) {
        hn_json found;
        if (hn_json_find_any_case(&found, config, unsupported_keys[i]))
            return hn_json_fail(&found, HN_ERR_UNSUPPORTED, "this fork is not supported");
    }
    return HN_OK;
}

/* The activations that the file names; HN_FORK_NEVER elsewhere. */
static hn_err read_activations(hn_chain_config *out, const hn_json *config)
{
    for (unsigned i = 0; i < HN_FORK_COUNT; i++) {
        hn_json found;
        out->activation[i] = HN_FORK_NEVER;
        const char *key = hn_fork_key((hn_fork)i);
        if (key != NULL && hn_json_find_any_case(&found, config, key))
            HN_TRY(hn_json_read_number_u64(&out->activation[i], &found));
    }
    out->activation[HN_FORK_FRONTIER] = 0;
    for (size_t i = 0; i < sizeof other_keys / sizeof *other_keys; i++) {
        hn_json found;
        uint64_t value;
        uint64_t *activation = &out->activation[other_keys[i].fork];
        if (!hn_json_find_any_case(&found, config, other_keys[i].key))
            continue;
        HN_TRY(hn_json_read_number_u64(&value, &found));
        if (*activation != HN_FORK_NEVER && *activation != value)
            return hn_json_fail(&found, HN_ERR_INVALID, "%" PRIu64 ", but %s is %" PRIu64, value,
                                hn_fork_key(other_keys[i].fork), *activation);
        *activation = value;
    }
    return HN_OK;
}

/* A fork that is named may not come before an earlier one of its kind (block numbers, timestamps). */
static hn_err check_order(const hn_chain_config *read, const hn_json *config)
{
    for (unsigned i = HN_FORK_HOMESTEAD, last = HN_FORK_FRONTIER; i < HN_FORK_COUNT; i++) {
        if (i == FIRST_TIMED)
            last = FIRST_TIMED;
        if (read->activation[i] == HN_FORK_NEVER)
            continue;
        if (read->activation[last] != HN_FORK_NEVER && read->activation[i] < read->activation[last])
            return hn_json_fail(config, HN_ERR_INVALID, "%s (%" PRIu64 ") comes before %s (%" PRIu64 ")",
                                hn_fork_key((hn_fork)i), read->activation[i], hn_fork_key((hn_fork)last),
                                read->activation[last]);
        last = i;
    }
    return HN_OK;
}

/* Block of the newest fork before Paris that is named. */
static uint64_t newest_block(const hn_chain_config *read)
{
    uint64_t newest = 0;
    for (unsigned i = 0; i < HN_FORK_PARIS; i++)
        if (read->activation[i] != HN_FORK_NEVER)
            newest = read->activation[i];
    return newest;
}

/* Paris is named by its block or follows from the terminal total difficulty: 0 means from genesis on; passed
 * at a block that nobody names, as soon as the other forks are there. */
static hn_err read_merge(hn_chain_config *out, const hn_json *config)
{
    hn_json found;
    bool passed = false;
    uint64_t *paris = &out->activation[HN_FORK_PARIS];
    if (hn_json_find_any_case(&found, config, "terminalTotalDifficultyPassed"))
        HN_TRY(hn_json_read_bool(&passed, &found));
    if (passed && *paris == HN_FORK_NEVER)
        *paris = newest_block(out);
    if (hn_json_find_any_case(&found, config, "terminalTotalDifficulty")) {
        hn_u256 difficulty;
        HN_TRY(hn_json_read_number_u256(&difficulty, &found));
        if (hn_u256_is_zero(&difficulty)) {
            if (newest_block(out) != 0 && *paris == HN_FORK_NEVER)
                return hn_json_fail(&found, HN_ERR_INVALID,
                                    "0, although forks before the merge come after genesis");
            if (newest_block(out) == 0)
                *paris = 0;
        }
    }
    return HN_OK;
}

/* Gives forks that are not named the activation of the next later one, so that no gaps remain. */
static void fill_gaps(hn_chain_config *out)
{
    for (unsigned i = FIRST_TIMED - 1; i-- > HN_FORK_HOMESTEAD;)
        if (out->activation[i] == HN_FORK_NEVER)
            out->activation[i] = out->activation[i + 1];
    for (unsigned i = HN_FORK_COUNT - 1; i-- > FIRST_TIMED;)
        if (out->activation[i] == HN_FORK_NEVER)
            out->activation[i] = out->activation[i + 1];
}

/* Timed forks stand on London: from genesis on they bring all before them along, later ones want it named. */
static hn_err join_timed(hn_chain_config *out, const hn_json *config, uint64_t genesis_timestamp)
{
    uint64_t first = out->activation[FIRST_TIMED];
    if (first == HN_FORK_NEVER)
        return HN_OK;
    uint64_t london = out->activation[HN_FORK_LONDON];
    if (first > genesis_timestamp)
        return london != HN_FORK_NEVER ? HN_OK
                                       : hn_json_fail(config, HN_ERR_INVALID,
                                                      "londonBlock is missing, but later forks are named");
    for (unsigned i = HN_FORK_HOMESTEAD; i < FIRST_TIMED; i++)
        if (out->activation[i] == HN_FORK_NEVER)
            out->activation[i] = newest_block(out);
    if (out->activation[HN_FORK_LONDON] != 0)
        return hn_json_fail(config, HN_ERR_INVALID,
                            "londonBlock is %" PRIu64 ", but forks after it are active at genesis",
                            out->activation[HN_FORK_LONDON]);
    return HN_OK;
}

static hn_err read_u32(uint32_t *out, const hn_json *object, const char *key)
{
    hn_json found;
    uint64_t value;
    HN_TRY(hn_json_get(&found, object, key));
    HN_TRY(hn_json_read_number_u64(&value, &found));
    if (value > UINT32_MAX)
        return hn_json_fail(&found, HN_ERR_RANGE, "a number beyond 32 bits");
    *out = (uint32_t)value;
    return HN_OK;
}

static hn_err read_blob_schedule(hn_blob_schedule *out, const hn_json *entry)
{
    hn_blob_schedule schedule;
    hn_json fraction;
    HN_TRY(read_u32(&schedule.target, entry, "target"));
    HN_TRY(read_u32(&schedule.max, entry, "max"));
    HN_TRY(hn_json_get(&fraction, entry, "baseFeeUpdateFraction"));
    HN_TRY(hn_json_read_number_u64(&schedule.base_fee_update_fraction, &fraction));
    if (schedule.base_fee_update_fraction == 0)
        return hn_json_fail(&fraction, HN_ERR_RANGE, "must not be 0");
    if (schedule.target > schedule.max)
        return hn_json_fail(entry, HN_ERR_RANGE, "target %u is above max %u", schedule.target, schedule.max);
    *out = schedule;
    return HN_OK;
}

/* A fork without an entry has that of the fork before it; before the first entry, the public chain's. */
static hn_err read_blob_schedules(hn_chain_config *out, const hn_json *config)
{
    hn_json all, entry;
    hn_blob_schedules_default(out->blob_schedule);
    if (!hn_json_find_any_case(&all, config, "blobSchedule"))
        return HN_OK;
    if (!hn_json_is_object(&all))
        return hn_json_fail(&all, HN_ERR_INVALID, "not an object");
    for (unsigned i = HN_FORK_CANCUN; i < HN_FORK_COUNT; i++) {
        hn_blob_schedule schedule;
        if (!hn_json_find_any_case(&entry, &all, hn_fork_name((hn_fork)i)))
            continue;
        HN_TRY(read_blob_schedule(&schedule, &entry));
        for (unsigned j = i; j < HN_FORK_COUNT; j++)
            out->blob_schedule[j] = schedule;
    }
    return HN_OK;
}

static hn_err read_optional_bool(bool *out, const hn_json *config, const char *key)
{
    hn_json found;
    return hn_json_find_any_case(&found, config, key) ? hn_json_read_bool(out, &found) : HN_OK;
}

static hn_err read_parameters(hn_chain_config *out, const hn_json *config)
{
    hn_json found;
    if (!hn_json_find_any_case(&found, config, "chainId"))
        return hn_json_fail(config, HN_ERR_NOT_FOUND, "chainId is missing");
    HN_TRY(hn_json_read_number_u64(&out->chain_id, &found));
    HN_TRY(read_optional_bool(&out->zero_base_fee, config, "zeroBaseFee"));
    HN_TRY(read_optional_bool(&out->dao_fork_support, config, "daoForkSupport"));
    if (hn_json_find_any_case(&found, config, "contractSizeLimit")) {
        HN_TRY(read_u32(&out->contract_size_limit, config, found.key));
        if (out->contract_size_limit == 0)
            return hn_json_fail(&found, HN_ERR_RANGE, "must not be 0");
    }
    if (hn_json_find_any_case(&found, config, "depositContractAddress"))
        HN_TRY(hn_json_read_padded(out->deposit_contract, sizeof out->deposit_contract, &found));
    return HN_OK;
}

hn_err hn_genesis_config_read(hn_chain_config *out, const hn_json *config, uint64_t genesis_timestamp)
{
    hn_chain_config read;
    if (!hn_json_is_object(config))
        return hn_json_fail(config, HN_ERR_INVALID, "not an object");
    hn_chain_config_at_fork(&read, HN_FORK_FRONTIER);
    memset(read.deposit_contract, 0, sizeof read.deposit_contract);
    HN_TRY(read_parameters(&read, config));
    HN_TRY(refuse_unsupported(config));
    HN_TRY(read_activations(&read, config));
    read.dao_fork_support = read.dao_fork_support && read.activation[HN_FORK_DAO] != HN_FORK_NEVER;
    HN_TRY(read_merge(&read, config));
    HN_TRY(check_order(&read, config));
    fill_gaps(&read);
    HN_TRY(join_timed(&read, config, genesis_timestamp));
    read.terminal_total_difficulty_passed = read.activation[HN_FORK_PARIS] == 0;
    HN_TRY(read_blob_schedules(&read, config));
    *out = read;
    return HN_OK;
}
