/* Requests to the consensus layer: deposits out of logs, and the hash over all (EIP-6110, 7685). */
#include "tests/unit/engine/chain/fixture.h"

#include "engine/chain/requests.h"
#include "engine/codec/hex.h"
#include "engine/crypto/digest.h"

#include <criterion/criterion.h>

static fixture world;
static hn_ledger *ledger;
static hn_state *state;
static hn_block_context context;
static hn_chain_config config;

/* keccak256("DepositEvent(bytes,bytes,bytes,bytes,bytes)") */
static const char topic[] = "649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5";

static void setup(void)
{
    fixture_open(&world, hn_bytes_of("\x00", 1));
    hn_ledger_options options = {.profile = HN_PROFILE_FAST};
    cr_assert_eq(hn_ledger_create(&ledger, &world.genesis, &options), HN_OK);
    cr_assert_eq(hn_state_create(&state, 1), HN_OK);
    config = *hn_ledger_config(ledger);
    memset(config.deposit_contract, 0x77, sizeof config.deposit_contract);
    context = (hn_block_context){.evm = world.evm, .state = state, .arena = &world.arena};
    hn_evm_block_of(&context.block, &config, hn_ledger_head(ledger));
    hn_state_view view = hn_ledger_view(ledger);
    hn_state_reset(state, &view, context.block.fork);
}

static void teardown(void)
{
    hn_state_destroy(state);
    hn_ledger_destroy(ledger);
    fixture_close(&world);
}

TestSuite(requests, .init = setup, .fini = teardown);

/* The ABI encoding of five byte strings of 48, 32, 8, 96 and 8 bytes, filled with 1, 2, 3, 4, 5. */
static void fill_log(uint8_t data[576], hn_log *log)
{
    static const size_t sizes[] = {48, 32, 8, 96, 8};
    size_t offset = 5 * 32;
    memset(data, 0, 576);
    for (unsigned i = 0; i < 5; i++) {
        hn_store_be64(data + i * 32 + 24, offset);
        hn_store_be64(data + offset + 24, sizes[i]);
        memset(data + offset + 32, (int)i + 1, sizes[i]);
        offset += 32 + (sizes[i] + 31) / 32 * 32;
    }
    cr_assert_eq(offset, 576);
    *log = (hn_log){.topic_count = 1, .data = hn_bytes_of(data, 576)};
    memset(log->address.b, 0x77, sizeof log->address.b);
    cr_assert_eq(hn_hex_decode(log->topics[0].b, topic, 64), HN_OK);
}

Test(requests, none_have_the_known_hash)
{
    hn_requests requests;
    cr_assert_eq(hn_requests_collect(&context, &requests, NULL, 0), HN_OK);
    cr_assert_eq(requests.count, 0);
    cr_assert(hn_hash_equal(&requests.hash, &hn_no_requests_hash));
}

Test(requests, a_deposit_is_its_five_fields)
{
    uint8_t data[576];
    hn_log log;
    fill_log(data, &log);
    hn_receipt receipt = {.logs = &log, .log_count = 1};
    hn_requests requests;
    cr_assert_eq(hn_requests_collect(&context, &requests, &receipt, 1), HN_OK);
    cr_assert_eq(requests.count, 1);
    cr_assert_eq(requests.items[0].size, 193);
    uint8_t expected[193] = {0};
    memset(expected + 1, 1, 48);
    memset(expected + 49, 2, 32);
    memset(expected + 81, 3, 8);
    memset(expected + 89, 4, 96);
    memset(expected + 185, 5, 8);
    cr_assert_arr_eq(requests.items[0].data, expected, sizeof expected);
    hn_hash inner;
    hn_hash outer;
    hn_sha256(&inner, expected, sizeof expected);
    hn_sha256(&outer, inner.b, sizeof inner.b);
    cr_assert(hn_hash_equal(&requests.hash, &outer));
}

Test(requests, other_logs_are_none)
{
    uint8_t data[576];
    hn_log log;
    hn_requests requests;
    fill_log(data, &log);
    hn_receipt receipt = {.logs = &log, .log_count = 1};
    log.address.b[0] ^= 1;
    cr_assert_eq(hn_requests_collect(&context, &requests, &receipt, 1), HN_OK);
    cr_assert_eq(requests.count, 0);
    fill_log(data, &log);
    log.topics[0].b[0] ^= 1;
    cr_assert_eq(hn_requests_collect(&context, &requests, &receipt, 1), HN_OK);
    cr_assert_eq(requests.count, 0);
    fill_log(data, &log);
    log.topic_count = 0;
    cr_assert_eq(hn_requests_collect(&context, &requests, &receipt, 1), HN_OK);
    cr_assert_eq(requests.count, 0);
}

Test(requests, a_malformed_deposit_makes_the_block_invalid)
{
    uint8_t data[576];
    hn_log log;
    hn_requests requests;
    hn_receipt receipt = {.logs = &log, .log_count = 1};
    fill_log(data, &log);
    log.data.size--;
    cr_assert_eq(hn_requests_collect(&context, &requests, &receipt, 1), HN_ERR_INVALID);
    for (unsigned word = 0; word < 5; word++) { /* each offset */
        fill_log(data, &log);
        data[word * 32 + 31] ^= 1;
        cr_assert_eq(hn_requests_collect(&context, &requests, &receipt, 1), HN_ERR_INVALID);
    }
    fill_log(data, &log);
    data[160] = 1; /* a length above 2^64 */
    cr_assert_eq(hn_requests_collect(&context, &requests, &receipt, 1), HN_ERR_INVALID);
    context.tolerates_missing_system_contracts = true;
    cr_assert_eq(hn_requests_collect(&context, &requests, &receipt, 1), HN_OK);
    cr_assert_eq(requests.count, 0);
}

/* A ledger whose genesis lacks the system contracts: no block is valid, unless that is tolerated. */
Test(requests, missing_system_contracts)
{
    hn_requests requests;
    hn_state_reset(state, &hn_state_view_empty, context.block.fork);
    cr_assert_eq(hn_requests_collect(&context, &requests, NULL, 0), HN_ERR_INVALID);
    context.tolerates_missing_system_contracts = true;
    cr_assert_eq(hn_requests_collect(&context, &requests, NULL, 0), HN_OK);
    cr_assert_eq(requests.count, 0);
}
