/* What the clients want: ledgers of different forks, accounts, signed transactions. */
#include "engine/base/check.h"
#include "engine/codec/hex.h"
#include "engine/types/transaction.h"
#include "tests/sim/traffic_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* slot[caller] += 1 and a log; reverts when called with data. */
static const char counter_code[] = "366011573354600101335560006000a0005b60006000fd";
/* slot[number] = blockhash(number - 1) ^ blockhash(number - 3) */
static const char recorder_code[] = "6003430340600143034018435500";

const hn_address hn_sim_counter = {.b = {[18] = 0xc0, [19] = 0xde}};
static const hn_address recorder = {.b = {[18] = 0xb1, [19] = 0x0c}};

static const char *const forks[HN_SIM_LEDGERS_MAX] = {
    "\"londonBlock\":0,\"terminalTotalDifficulty\":0,\"terminalTotalDifficultyPassed\":true,"
    "\"shanghaiTime\":0,\"cancunTime\":0,\"pragueTime\":0",
    "\"londonBlock\":0,\"terminalTotalDifficulty\":0,\"terminalTotalDifficultyPassed\":true",
    "\"londonBlock\":0,\"terminalTotalDifficulty\":0,\"terminalTotalDifficultyPassed\":true,"
    "\"shanghaiTime\":0",
};

typedef struct text {
    char *bytes;
    size_t size;
} text;

__attribute__((format(printf, 2, 3))) static void add(text *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(to->bytes + to->size, GENESIS_BYTES_MAX - to->size, format, arguments);
    va_end(arguments);
    HN_CHECK(size >= 0 && (size_t)size < GENESIS_BYTES_MAX - to->size);
    to->size += (size_t)size;
}

static void add_hex(text *to, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        add(to, "%02x", ((const uint8_t *)bytes)[i]);
}

static void add_account(text *to, const hn_address *address, const char *balance, const char *code)
{
    add(to, ",\"");
    add_hex(to, address->b, sizeof address->b);
    add(to, "\":{\"balance\":\"%s\",\"code\":\"0x%s\"}", balance, code);
}

/* The contracts of the development ledger, which Prague needs, and ours. */
static hn_bytes genesis_of(hn_sim_traffic *traffic, uint32_t ledger)
{
    hn_genesis development;
    HN_CHECK(hn_genesis_development(&development, &traffic->arena) == HN_OK);
    text json = {.bytes = hn_arena_calloc(&traffic->arena, GENESIS_BYTES_MAX, 1)};
    HN_CHECK(json.bytes != NULL);
    add(&json,
        "{\"config\":{\"chainId\":%" PRIu64 ",\"homesteadBlock\":0,\"eip150Block\":0,\"eip155Block\":0,"
        "\"eip158Block\":0,\"byzantiumBlock\":0,\"constantinopleBlock\":0,\"petersburgBlock\":0,"
        "\"istanbulBlock\":0,\"berlinBlock\":0,%s},\"gasLimit\":\"0x%x\",\"difficulty\":\"0x0\","
        "\"timestamp\":\"0x0\",\"alloc\":{\"00000000000000000000000000000000000000ff\":{\"balance\":\"1\"}",
        traffic->chain_ids[ledger], forks[ledger], ledger == 0 ? 30000000 : 1500000);
    for (uint32_t i = 0; i < development.account_count; i++) {
        const hn_genesis_account *account = &development.accounts[i];
        if (account->code.size == 0)
            continue;
        add(&json, ",\"");
        add_hex(&json, account->address.b, sizeof account->address.b);
        add(&json, "\":{\"balance\":\"0\",\"nonce\":\"1\",\"code\":\"0x");
        add_hex(&json, account->code.data, account->code.size);
        add(&json, "\"}");
    }
    for (uint32_t i = 0; i < HN_SIM_SENDERS; i++)
        add_account(&json, &traffic->senders[i], "1000000000000000000000", "");
    add_account(&json, &hn_sim_counter, "0", counter_code);
    add_account(&json, &recorder, "0", recorder_code);
    add(&json, "}}");
    return hn_bytes_of(json.bytes, json.size);
}

static void key_of(uint8_t out[32], uint32_t sender)
{
    memset(out, 0, 32);
    out[31] = (uint8_t)(sender + 1);
}

static void sign(hn_sim_traffic *traffic, hn_sim_transaction *wanted)
{
    hn_transaction transaction = {
        .type = wanted->nonce % 3 == 0 ? HN_TRANSACTION_LEGACY : HN_TRANSACTION_DYNAMIC_FEE,
        .is_replay_protected = true,
        .chain_id = traffic->chain_ids[wanted->ledger],
        .nonce = wanted->nonce,
        .gas_limit = wanted->deed == HN_SIM_TRANSFER ? 21000 : 90000,
        .max_fee_per_gas = hn_u256_of(20000000000),
        .max_priority_fee_per_gas = hn_u256_of(1),
        .gas_price = hn_u256_of(20000000000),
        .value = hn_u256_of(wanted->deed == HN_SIM_TRANSFER ? wanted->value : 0),
        .to = wanted->deed == HN_SIM_TRANSFER     ? traffic->sinks[wanted->sink]
              : wanted->deed == HN_SIM_BLOCK_HASH ? recorder
                                                  : hn_sim_counter,
    };
    if (transaction.type == HN_TRANSACTION_LEGACY)
        transaction.max_priority_fee_per_gas = transaction.gas_price;
    if (wanted->deed == HN_SIM_REVERT)
        transaction.data = hn_bytes_of("\x01\x02\x03", 3);
    uint8_t key[32];
    key_of(key, wanted->sender);
    hn_hash digest;
    HN_CHECK(hn_transaction_signing_hash(&digest, &traffic->arena, &transaction) == HN_OK);
    HN_CHECK(hn_signature_sign(traffic->options.signatures, &transaction.signature, &digest, key) == HN_OK);
    HN_CHECK(hn_transaction_encode(&wanted->raw, &traffic->arena, &transaction) == HN_OK);
    transaction.raw = wanted->raw;
    hn_transaction_hash(&wanted->hash, &transaction);
}

static void want(hn_sim_traffic *traffic, uint32_t ledger, uint32_t sender, uint32_t by)
{
    for (uint64_t nonce = 0; nonce < traffic->options.transactions; nonce++) {
        hn_sim_transaction *wanted = &traffic->transactions[traffic->count++];
        uint64_t choice = hn_prng_below(&traffic->prng, 10);
        *wanted = (hn_sim_transaction){
            .ledger = ledger,
            .sender = sender,
            .nonce = nonce,
            .client = by,
            .deed = choice < 5   ? HN_SIM_TRANSFER
                    : choice < 7 ? HN_SIM_COUNT_UP
                    : choice < 8 ? HN_SIM_REVERT
                                 : HN_SIM_BLOCK_HASH,
            .sink = (uint32_t)hn_prng_below(&traffic->prng, HN_SIM_SINKS),
            .value = 1 + hn_prng_below(&traffic->prng, 1000000),
        };
        sign(traffic, wanted);
    }
}

void hn_sim_traffic_make(hn_sim_traffic *traffic)
{
    const hn_sim_traffic_options *options = &traffic->options;
    for (uint32_t i = 0; i < HN_SIM_SENDERS; i++) {
        uint8_t key[32];
        key_of(key, i);
        HN_CHECK(hn_signature_address_of(options->signatures, &traffic->senders[i], key) == HN_OK);
    }
    for (uint32_t i = 0; i < HN_SIM_SINKS; i++)
        traffic->sinks[i] = (hn_address){.b = {[0] = 0x51, [19] = (uint8_t)(i + 1)}};
    for (uint32_t i = 0; i < options->ledgers; i++) {
        traffic->chain_ids[i] = 7000 + i;
        snprintf(traffic->names[i], sizeof traffic->names[i], "ledger%" PRIu32, i);
        traffic->ledgers[i] = (hn_node_ledger_options){
            .name = traffic->names[i],
            .genesis_json = genesis_of(traffic, i),
            .is_strict = i == 2,
            .shard = -1,
        };
    }
    size_t all = (size_t)options->ledgers * HN_SIM_SENDERS * options->transactions;
    traffic->transactions = hn_arena_calloc(&traffic->arena, all, sizeof *traffic->transactions);
    HN_CHECK(traffic->transactions != NULL);
    for (uint32_t ledger = 0; ledger < options->ledgers; ledger++)
        for (uint32_t sender = 0; sender < HN_SIM_SENDERS; sender++)
            want(traffic, ledger, sender, (uint32_t)hn_prng_below(&traffic->prng, CLIENTS));
}
