/* The forks of Ethereum, in order, and which of them is active when.
 *
 * A rule asks `fork >= HN_FORK_LONDON`. Adding a fork is a line here, a column in the tables of engine/evm,
 * and its new rules. Parameter-only forks (BPO1, BPO2, EIP-7892) change blob parameters alone.
 */
#ifndef HN_ENGINE_TYPES_FORK_H
#define HN_ENGINE_TYPES_FORK_H

#include <stdbool.h>
#include <stdint.h>

/* name, how a genesis file calls its activation (NULL: not named there), whether a timestamp (true) or a
 * block number activates it */
#define HN_FORK_LIST(X)                                                                                      \
    X(FRONTIER, "Frontier", NULL, false)                                                                     \
    X(HOMESTEAD, "Homestead", "homesteadBlock", false)                                                       \
    X(DAO, "DAO", "daoForkBlock", false)                                                                     \
    X(TANGERINE_WHISTLE, "EIP150", "eip150Block", false)                                                     \
    X(SPURIOUS_DRAGON, "EIP158", "eip158Block", false)                                                       \
    X(BYZANTIUM, "Byzantium", "byzantiumBlock", false)                                                       \
    X(CONSTANTINOPLE, "Constantinople", "constantinopleBlock", false)                                        \
    X(PETERSBURG, "ConstantinopleFix", "petersburgBlock", false)                                             \
    X(ISTANBUL, "Istanbul", "istanbulBlock", false)                                                          \
    X(MUIR_GLACIER, "MuirGlacier", "muirGlacierBlock", false)                                                \
    X(BERLIN, "Berlin", "berlinBlock", false)                                                                \
    X(LONDON, "London", "londonBlock", false)                                                                \
    X(ARROW_GLACIER, "ArrowGlacier", "arrowGlacierBlock", false)                                             \
    X(GRAY_GLACIER, "GrayGlacier", "grayGlacierBlock", false)                                                \
    X(PARIS, "Paris", "mergeNetsplitBlock", false)                                                           \
    X(SHANGHAI, "Shanghai", "shanghaiTime", true)                                                            \
    X(CANCUN, "Cancun", "cancunTime", true)                                                                  \
    X(PRAGUE, "Prague", "pragueTime", true)                                                                  \
    X(OSAKA, "Osaka", "osakaTime", true)                                                                     \
    X(BPO1, "BPO1", "bpo1Time", true)                                                                        \
    X(BPO2, "BPO2", "bpo2Time", true)

typedef enum hn_fork {
#define HN_FORK_ENUM(name, text, key, timed) HN_FORK_##name,
    HN_FORK_LIST(HN_FORK_ENUM)
#undef HN_FORK_ENUM
        HN_FORK_COUNT
} hn_fork;

/* The activation of a fork that never comes. */
#define HN_FORK_NEVER UINT64_MAX

/* EIP-4844 and EIP-7840 parameters of one fork. */
typedef struct hn_blob_schedule {
    uint32_t target; /* blobs per block */
    uint32_t max;    /* blobs per block */
    uint64_t base_fee_update_fraction;
} hn_blob_schedule;

/* What a genesis file's "config" says. Immutable after genesis is read; shared by all cores. */
typedef struct hn_chain_config {
    uint64_t chain_id;
    uint64_t activation[HN_FORK_COUNT]; /* block number, or timestamp for timed forks; HN_FORK_NEVER */
    hn_blob_schedule
        blob_schedule[HN_FORK_COUNT];      /* from HN_FORK_CANCUN on; inherited where the file has none */
    bool terminal_total_difficulty_passed; /* Paris rules from genesis on */
    bool dao_fork_support;
    bool zero_base_fee;           /* Besu: the base fee is 0 for ever */
    uint32_t contract_size_limit; /* bytes of deployed code; 24,576 unless configured (EIP-170) */
    uint8_t deposit_contract[20]; /* EIP-6110; all zero: none */
} hn_chain_config;

/* The names in HN_FORK_LIST: of the fork, and of its key in a genesis file's "config" (NULL: none). */
const char *hn_fork_name(hn_fork fork);
const char *hn_fork_key(hn_fork fork);
/* Activated by a timestamp, not by a block number. */
bool hn_fork_is_timed(hn_fork fork);

/* By any name that genesis files and test vectors use ("EIP158", "SpuriousDragon", "Merge", "Paris", ...),
 * case ignored. False when unknown. */
bool hn_fork_from_name(hn_fork *out, const char *name);

/* The newest fork active at a block. Earlier ones count as active with it, set or not. Timed forks come only
 * where London is active, as the public chains have it. */
hn_fork hn_fork_at(const hn_chain_config *config, uint64_t block_number, uint64_t timestamp);

/* The blob parameters of the public chain for every fork from HN_FORK_CANCUN on; zero before. */
void hn_blob_schedules_default(hn_blob_schedule out[HN_FORK_COUNT]);

/* A configuration in which every fork up to `fork` is active from genesis on, chain id 1 and the other
 * parameters of the public chain: test vectors, --dev. */
void hn_chain_config_at_fork(hn_chain_config *out, hn_fork fork);

#endif
