/* Any text as a genesis file: an error with a message, or a genesis that keeps its promises. */
#include "engine/types/genesis.h"
#include "engine/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_accounts(const hn_genesis *genesis)
{
    for (uint32_t i = 0; i < genesis->account_count; i++) {
        const hn_genesis_account *account = &genesis->accounts[i];
        HN_CHECK(i == 0 || memcmp(account[-1].address.b, account->address.b, 20) < 0);
        for (uint32_t j = 0; j < account->storage_count; j++) {
            const hn_genesis_slot *slot = &account->storage[j];
            HN_CHECK(!hn_hash_is_zero(&slot->value));
            HN_CHECK(j == 0 || memcmp(slot[-1].key.b, slot->key.b, 32) < 0);
        }
    }
}

/* Time only brings newer forks, and no fork that is named comes out of order. */
static void check_forks(const hn_chain_config *config)
{
    static const uint64_t moments[] = {0, 1, 1000, 1u << 31, UINT64_MAX - 1, UINT64_MAX};
    hn_fork last = HN_FORK_FRONTIER;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        hn_fork fork = hn_fork_at(config, moments[i], moments[i]);
        HN_CHECK(fork >= last && fork < HN_FORK_COUNT);
        last = fork;
    }
    for (int i = HN_FORK_CANCUN; i < HN_FORK_COUNT; i++) {
        HN_CHECK(config->blob_schedule[i].base_fee_update_fraction != 0);
        HN_CHECK(config->blob_schedule[i].target <= config->blob_schedule[i].max);
    }
    HN_CHECK(config->contract_size_limit != 0);
}

static void check_header(hn_arena *arena, const hn_header *header)
{
    hn_bytes encoded;
    hn_header back;
    hn_hash hash, again;
    HN_CHECK(hn_header_encode(&encoded, arena, header) == HN_OK);
    HN_CHECK(hn_header_decode(&back, encoded) == HN_OK && back.form == header->form);
    hn_header_hash(&hash, header);
    hn_header_hash(&again, &back);
    HN_CHECK(hn_hash_equal(&hash, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hn_arena arena;
    hn_genesis genesis;
    hn_genesis_problem problem;
    hn_arena_init(&arena, 0, 1 << 28);
    memset(&problem, 'x', sizeof problem);
    if (hn_genesis_read(&genesis, &problem, &arena, hn_bytes_of(data, size)) == HN_OK) {
        check_accounts(&genesis);
        check_forks(&genesis.config);
        check_header(&arena, &genesis.header);
    } else {
        const char *end = memchr(problem.text, '\0', sizeof problem.text);
        HN_CHECK(end != NULL && end != problem.text);
    }
    hn_arena_destroy(&arena);
    return 0;
}
