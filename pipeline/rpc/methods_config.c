/* What the chain's rules are and what this node keeps: eth_config (EIP-7910), eth_capabilities. */
#include "engine/base/bytes.h"
#include "engine/chain/system_calls.h"
#include "engine/evm/precompile.h"
#include "pipeline/rpc/find_block.h"
#include "pipeline/rpc/method.h"

#include <stdlib.h>

enum { PRECOMPILES_MAX = 32 };

static uint32_t crc32_add(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

static int compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The activations of forks of one kind, sorted, none twice, above `after` and up to `most`. */
static size_t activations(uint64_t out[HN_FORK_COUNT], const hn_chain_config *config, bool timed,
                          uint64_t after, uint64_t most)
{
    size_t count = 0;
    for (unsigned fork = 0; fork < HN_FORK_COUNT; fork++) {
        uint64_t at = config->activation[fork];
        if (hn_fork_is_timed((hn_fork)fork) == timed && hn_fork_key((hn_fork)fork) != NULL && at > after &&
            at <= most && at != HN_FORK_NEVER)
            out[count++] = at;
    }
    qsort(out, count, sizeof *out, compare_numbers);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || out[kept - 1] != out[i])
            out[kept++] = out[i];
    return kept;
}

/* EIP-2124's and EIP-6122's fork hash: of the genesis hash and all activations up to a time. */
static uint32_t fork_hash(const hn_rpc_call *call, uint64_t genesis_time, uint64_t time)
{
    const hn_backend_ledger *ledger = hn_rpc_ledger(call);
    uint32_t crc = crc32_add(0, ledger->genesis_hash.b, sizeof ledger->genesis_hash.b);
    for (unsigned timed = 0; timed < 2; timed++) {
        uint64_t list[HN_FORK_COUNT];
        size_t count = activations(list, ledger->config, timed, timed ? genesis_time : 0,
                                   timed ? time : HN_FORK_NEVER - 1);
        for (size_t i = 0; i < count; i++) {
            uint8_t bytes[8];
            hn_store_be64(bytes, list[i]);
            crc = crc32_add(crc, bytes, sizeof bytes);
        }
    }
    return crc;
}

/* --- parts of an entry --- */

static void member_decimal(hn_json_writer *writer, const char *name, uint64_t value)
{
    hn_json_key(writer, name);
    hn_json_decimal(writer, value);
}

static void show_blob_schedule(hn_json_writer *writer, const hn_chain_config *config, hn_fork fork)
{
    hn_json_key(writer, "blobSchedule");
    if (fork < HN_FORK_CANCUN) {
        hn_json_null(writer);
        return;
    }
    const hn_blob_schedule *schedule = &config->blob_schedule[fork];
    hn_json_begin_object(writer);
    member_decimal(writer, "target", schedule->target);
    member_decimal(writer, "max", schedule->max);
    member_decimal(writer, "baseFeeUpdateFraction", schedule->base_fee_update_fraction);
    hn_json_end_object(writer);
}

typedef struct named_address {
    const char *name;
    hn_address address;
} named_address;

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const named_address *)left)->name, ((const named_address *)right)->name);
}

static void show_precompiles(hn_json_writer *writer, hn_fork fork)
{
    hn_address addresses[PRECOMPILES_MAX];
    named_address list[PRECOMPILES_MAX];
    size_t count = hn_precompile_addresses(addresses, PRECOMPILES_MAX, fork);
    for (size_t i = 0; i < count; i++)
        list[i] = (named_address){hn_precompile_name(hn_precompile_find(&addresses[i], fork)), addresses[i]};
    qsort(list, count, sizeof list[0], compare_names);
    hn_json_key(writer, "precompiles");
    hn_json_begin_object(writer);
    for (size_t i = 0; i < count; i++) {
        hn_json_key(writer, list[i].name);
        hn_json_address(writer, &list[i].address);
    }
    hn_json_end_object(writer);
}

static void show_system_contracts(hn_json_writer *writer, const hn_chain_config *config, hn_fork fork)
{
    hn_address deposit;
    memcpy(deposit.b, config->deposit_contract, sizeof deposit.b);
    const struct {
        const char *name;
        hn_fork since;
        const hn_address *address;
    } contracts[] = {
        {"BEACON_ROOTS_ADDRESS", HN_FORK_CANCUN, &hn_beacon_root_contract},
        {"CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS", HN_FORK_PRAGUE, &hn_consolidation_request_contract},
        {"DEPOSIT_CONTRACT_ADDRESS", HN_FORK_PRAGUE, &deposit},
        {"HISTORY_STORAGE_ADDRESS", HN_FORK_PRAGUE, &hn_history_contract},
        {"WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", HN_FORK_PRAGUE, &hn_withdrawal_request_contract},
    };
    hn_json_key(writer, "systemContracts");
    hn_json_begin_object(writer);
    for (size_t i = 0; i < sizeof contracts / sizeof contracts[0]; i++) {
        if (fork < contracts[i].since)
            continue;
        hn_json_key(writer, contracts[i].name);
        hn_json_address(writer, contracts[i].address);
    }
    hn_json_end_object(writer);
}

/* The rules that hold from a time on. */
static void show_rules(hn_json_writer *writer, const hn_rpc_call *call, uint64_t number,
                       uint64_t genesis_time, uint64_t time)
{
    const hn_chain_config *config = hn_rpc_ledger(call)->config;
    hn_fork fork = hn_fork_at(config, number, time);
    uint8_t hash[4];
    hn_store_be32(hash, fork_hash(call, genesis_time, time));
    hn_json_begin_object(writer);
    member_decimal(writer, "activationTime", time);
    show_blob_schedule(writer, config, fork);
    hn_json_key(writer, "chainId");
    hn_json_u64(writer, config->chain_id);
    hn_json_key(writer, "forkId");
    hn_json_data(writer, hash, sizeof hash);
    show_precompiles(writer, fork);
    show_system_contracts(writer, config, fork);
    hn_json_end_object(writer);
}

/* --- eth_config --- */

static void show_config(hn_rpc_call *call, const hn_header *head, uint64_t genesis_time)
{
    uint64_t times[HN_FORK_COUNT];
    const hn_chain_config *config = hn_rpc_ledger(call)->config;
    size_t count = activations(times, config, true, genesis_time, HN_FORK_NEVER - 1);
    size_t passed = 0;
    while (passed < count && times[passed] <= head->timestamp)
        passed++;
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    hn_json_key(writer, "current");
    show_rules(writer, call, head->number, genesis_time, passed == 0 ? 0 : times[passed - 1]);
    static const char *const later[] = {"next", "last"};
    for (size_t i = 0; i < 2; i++) {
        hn_json_key(writer, later[i]);
        if (passed == count)
            hn_json_null(writer);
        else
            show_rules(writer, call, head->number, genesis_time, times[i == 0 ? passed : count - 1]);
    }
    hn_json_end_object(writer);
}

/* The newest block, the genesis block's time and the oldest block kept. */
static hn_err read_range(hn_history_block *head, uint64_t *genesis_time, uint64_t *first,
                         hn_history_reader *reader, uint32_t ledger)
{
    hn_history_block genesis;
    uint64_t last;
    HN_TRY(hn_history_range(reader, first, &last, ledger));
    HN_TRY(hn_history_block_at(reader, head, ledger, last));
    *genesis_time = 0;
    hn_err err = hn_history_block_at(reader, &genesis, ledger, 0);
    if (err == HN_OK)
        *genesis_time = genesis.header.timestamp;
    return err == HN_ERR_NOT_FOUND ? HN_OK : err;
}

void hn_rpc_eth_config(hn_rpc_call *call)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    hn_history_block head;
    uint64_t genesis_time, first;
    hn_err err = read_range(&head, &genesis_time, &first, reader, call->ledger);
    if (err == HN_OK)
        show_config(call, &head.header, genesis_time);
    hn_rpc_read_end(call);
    if (err == HN_OK)
        hn_rpc_done(call);
    else
        hn_rpc_fail_err(call, err);
}

/* --- eth_capabilities (execution-apis) --- */

/* A kind of data: from which block on it is there, and whether it is given up when it is older than so many
 * blocks (0: never). */
static void show_resource(hn_json_writer *writer, const char *name, uint64_t oldest, uint64_t window)
{
    hn_json_key(writer, name);
    hn_json_begin_object(writer);
    hn_json_key(writer, "disabled");
    hn_json_bool(writer, false);
    hn_json_key(writer, "oldestBlock");
    hn_json_u64(writer, oldest);
    if (window != 0) {
        hn_json_key(writer, "deleteStrategy");
        hn_json_begin_object(writer);
        hn_json_key(writer, "type");
        hn_json_text(writer, "window", 6);
        member_decimal(writer, "retentionBlocks", window);
        hn_json_end_object(writer);
    }
    hn_json_end_object(writer);
}

static void answer_capabilities(hn_rpc_call *call, hn_query *query)
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    uint64_t first;
    hn_err err = hn_history_oldest(reader, &first, call->ledger);
    hn_history_block oldest;
    if (err == HN_OK && hn_history_block_at(reader, &oldest, call->ledger, first) == HN_OK &&
        !hn_history_has_body(&oldest))
        first++;
    hn_rpc_read_end(call);
    if (err != HN_OK) {
        hn_rpc_fail_err(call, err);
        return;
    }
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    hn_json_key(writer, "head");
    hn_json_begin_object(writer);
    hn_json_key(writer, "number");
    hn_json_u64(writer, query->header.number);
    hn_json_key(writer, "hash");
    hn_json_hash(writer, &query->header_hash);
    hn_json_end_object(writer);
    show_resource(writer, "state", query->oldest_state, query->state_window);
    static const char *const kept[] = {"tx", "logs", "receipts", "blocks"};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        show_resource(writer, kept[i], first, 0);
    bool is_all = query->oldest_proof == query->oldest_state;
    show_resource(writer, "stateproofs", query->oldest_proof,
                  is_all ? query->state_window : query->header.number - query->oldest_proof + 1);
    hn_json_end_object(writer);
    hn_rpc_done(call);
}

void hn_rpc_eth_capabilities(hn_rpc_call *call)
{
    hn_query *query = hn_rpc_new_query(call, HN_QUERY_HEAD);
    if (query != NULL)
        hn_rpc_ask(call, query, answer_capabilities);
}
