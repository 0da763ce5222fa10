#include "engine/types/fork.h"

#include <string.h>
#include <strings.h>

static const char *const names[HN_FORK_COUNT] = {
#define FORK_NAME(name, text, key, timed) text,
    HN_FORK_LIST(FORK_NAME)
#undef FORK_NAME
};

static const char *const keys[HN_FORK_COUNT] = {
#define FORK_KEY(name, text, key, timed) key,
    HN_FORK_LIST(FORK_KEY)
#undef FORK_KEY
};

static const bool is_timed[HN_FORK_COUNT] = {
#define FORK_TIMED(name, text, key, timed) timed,
    HN_FORK_LIST(FORK_TIMED)
#undef FORK_TIMED
};

/* Other names in use beside the list's. */
static const struct {
    const char *name;
    hn_fork fork;
} other_names[] = {
    {"DAOFork", HN_FORK_DAO},
    {"TangerineWhistle", HN_FORK_TANGERINE_WHISTLE},
    {"SpuriousDragon", HN_FORK_SPURIOUS_DRAGON},
    {"EIP155", HN_FORK_SPURIOUS_DRAGON},
    {"Petersburg", HN_FORK_PETERSBURG},
    {"Merge", HN_FORK_PARIS},
};

/* EIP-4844, EIP-7691 and EIP-7892: parameters where they change, inherited in between. */
static const struct {
    hn_fork since;
    hn_blob_schedule schedule;
} public_blob_schedules[] = {
    {HN_FORK_CANCUN, {.target = 3, .max = 6, .base_fee_update_fraction = 3338477}},
    {HN_FORK_PRAGUE, {.target = 6, .max = 9, .base_fee_update_fraction = 5007716}},
    {HN_FORK_BPO1, {.target = 10, .max = 15, .base_fee_update_fraction = 8346193}},
    {HN_FORK_BPO2, {.target = 14, .max = 21, .base_fee_update_fraction = 11684671}},
};

/* EIP-170; EIP-6110: the deposit contract of the public chain. */
enum { CONTRACT_SIZE_LIMIT = 24576 };
static const uint8_t public_deposit_contract[20] = {0x00, 0x00, 0x00, 0x00, 0x21, 0x9a, 0xb5,
                                                    0x40, 0x35, 0x6c, 0xbb, 0x83, 0x9c, 0xbe,
                                                    0x05, 0x30, 0x3d, 0x77, 0x05, 0xfa};

const char *hn_fork_name(hn_fork fork)
{
    return (unsigned)fork < HN_FORK_COUNT ? names[fork] : "unknown";
}

const char *hn_fork_key(hn_fork fork)
{
    return keys[fork];
}

bool hn_fork_is_timed(hn_fork fork)
{
    return is_timed[fork];
}

bool hn_fork_from_name(hn_fork *out, const char *name)
{
    for (unsigned i = 0; i < HN_FORK_COUNT; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            *out = (hn_fork)i;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++) {
        if (strcasecmp(name, other_names[i].name) == 0) {
            *out = other_names[i].fork;
            return true;
        }
    }
    return false;
}

hn_fork hn_fork_at(const hn_chain_config *config, uint64_t block_number, uint64_t timestamp)
{
    unsigned fork = HN_FORK_PARIS;
    while (fork > HN_FORK_FRONTIER &&
           (config->activation[fork] == HN_FORK_NEVER || block_number < config->activation[fork]))
        fork--;
    if (fork < HN_FORK_LONDON)
        return (hn_fork)fork;
    /* A chain that merged by total difficulty names no block for Paris: hence London, not Paris. */
    for (unsigned timed = HN_FORK_COUNT - 1; timed > HN_FORK_PARIS; timed--)
        if (config->activation[timed] != HN_FORK_NEVER && timestamp >= config->activation[timed])
            return (hn_fork)timed;
    return (hn_fork)fork;
}

void hn_blob_schedules_default(hn_blob_schedule out[HN_FORK_COUNT])
{
    memset(out, 0, HN_FORK_COUNT * sizeof *out);
    for (size_t i = 0; i < sizeof public_blob_schedules / sizeof *public_blob_schedules; i++)
        for (unsigned fork = public_blob_schedules[i].since; fork < HN_FORK_COUNT; fork++)
            out[fork] = public_blob_schedules[i].schedule;
}

void hn_chain_config_at_fork(hn_chain_config *out, hn_fork fork)
{
    *out = (hn_chain_config){
        .chain_id = 1,
        .terminal_total_difficulty_passed = fork >= HN_FORK_PARIS,
        .contract_size_limit = CONTRACT_SIZE_LIMIT,
    };
    for (unsigned i = 0; i < HN_FORK_COUNT; i++)
        out->activation[i] = i <= (unsigned)fork ? 0 : HN_FORK_NEVER;
    hn_blob_schedules_default(out->blob_schedule);
    memcpy(out->deposit_contract, public_deposit_contract, sizeof out->deposit_contract);
}
