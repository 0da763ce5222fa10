#include "bench/evm_solidity.h"

#include "bench/load/contracts/contracts.inc"
#include "bench/solidity/loops.inc"

#include <string.h>

/* The first four bytes of the hash of a function's signature; the .inc files list them. */
enum {
    TRANSFER = 0xa9059cbb,
    APPROVE = 0x095ea7b3,
    SYNC = 0xfff6cae9,
    SWAP = 0x08c84c21,
    HASHES = 0x501895ae,
    MEMORY_WORDS = 0x9d17b978,
    STORAGE_SLOTS = 0x5387694b,
    NUMBERS = 0xd39fa233,
};

enum { WORD = 32, CALL_BYTES = 4 + 3 * WORD, CODE_BYTES_MAX = 8192, ARGUMENTS_MAX = 3 };

static const uint64_t gas_limit = UINT64_C(1) << 40;

/* Where the contracts stand. */
typedef enum place { TOKEN, OTHER_TOKEN, PAIR, LOOPS } place;

typedef struct program {
    const char *name;
    bool needs_pair;
    place contract;
    uint32_t selector;
    uint64_t arguments[ARGUMENTS_MAX];
} program;

static const program programs[] = {
    {"solidity/erc20_transfer", true, TOKEN, TRANSFER, {0x7777, 12345, 0}},
    {"solidity/swap", true, PAIR, SWAP, {1, 1000000, 0}},
    {"solidity/hashes", false, LOOPS, HASHES, {1000, 0, 0}},
    {"solidity/memory", false, LOOPS, MEMORY_WORDS, {100, 0, 0}},
    {"solidity/storage", false, LOOPS, STORAGE_SLOTS, {200, 0, 0}},
    {"solidity/numbers", false, LOOPS, NUMBERS, {1000, 0, 0}},
};

const unsigned evm_solidity_count = sizeof programs / sizeof programs[0];

const char *evm_solidity_name(unsigned index)
{
    return programs[index].name;
}

/* --- setting up ---------------------------------------------------------------------------------------- */

typedef struct stage {
    evm_world *world;
    evm_peer *peer; /* or NULL */
} stage;

static void put_into_peer(const stage *s, const hn_account_change *change)
{
    const hn_code *code = hn_flat_code(s->world->flat, &change->after.code_hash);
    if (code != NULL && change->new_code != NULL)
        evm_peer_put_code(s->peer, &change->address, code->bytes);
    for (uint32_t i = 0; i < change->slot_count; i++)
        evm_peer_put_slot(s->peer, &change->address, &change->slots[i].key, &change->slots[i].after);
}

/* Runs a message as a transaction of its own and keeps what it changed. */
static void perform(const stage *s, const hn_message *message)
{
    evm_outcome outcome = evm_world_run(s->world, message, EVM_FAST);
    HN_CHECK(outcome.status == HN_EVM_SUCCESS);
    hn_state_diff diff = *outcome.diff;
    HN_CHECK(hn_flat_apply(s->world->flat, &s->world->arena, &diff) == HN_OK);
    for (uint32_t i = 0; i < diff.account_count && s->peer != NULL; i++)
        put_into_peer(s, &diff.accounts[i]);
}

static uint8_t *write_word(uint8_t *to, const hn_u256 *word)
{
    hn_u256_to_be(to, word);
    return to + WORD;
}

static void deploy(const stage *s, place at, const char *code, const hn_u256 *arguments, unsigned count)
{
    static uint8_t bytes[CODE_BYTES_MAX];
    hn_bytes head = evm_bytes_of_hex(bytes, sizeof bytes - ARGUMENTS_MAX * WORD, code);
    uint8_t *end = bytes + head.size;
    for (unsigned i = 0; i < count; i++)
        end = write_word(end, &arguments[i]);
    hn_message message = evm_world_call(gas_limit, hn_bytes_of(bytes, (size_t)(end - bytes)));
    message.kind = HN_MESSAGE_CREATE;
    message.recipient = message.code_address = evm_world_contract(at);
    perform(s, &message);
}

static hn_message call_of(uint8_t bytes[CALL_BYTES], place at, uint32_t selector, const hn_u256 *arguments)
{
    hn_store_be32(bytes, selector);
    uint8_t *end = bytes + 4;
    for (unsigned i = 0; i < ARGUMENTS_MAX; i++)
        end = write_word(end, &arguments[i]);
    hn_message message = evm_world_call(gas_limit, hn_bytes_of(bytes, CALL_BYTES));
    message.recipient = message.code_address = evm_world_contract(at);
    return message;
}

static void call(const stage *s, place at, uint32_t selector, const hn_u256 *first, const hn_u256 *second)
{
    static uint8_t bytes[CALL_BYTES];
    const hn_u256 arguments[ARGUMENTS_MAX] = {*first, *second, {{0, 0, 0, 0}}};
    hn_message message = call_of(bytes, at, selector, arguments);
    perform(s, &message);
}

/* Two tokens and an exchange with 10^24 of both, which may take the sender's. */
static void put_pair(const stage *s)
{
    const hn_u256 supply = {{0, 0, UINT64_C(1) << 32, 0}}, liquidity = {{0, UINT64_C(1) << 16, 0, 0}};
    const hn_u256 everything = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}}, none = {{0, 0, 0, 0}};
    hn_address pair = evm_world_contract(PAIR),
               tokens[2] = {evm_world_contract(TOKEN), evm_world_contract(OTHER_TOKEN)};
    hn_u256 addresses[2] = {hn_u256_of_address(&tokens[0]), hn_u256_of_address(&tokens[1])};
    hn_u256 exchange = hn_u256_of_address(&pair);
    deploy(s, TOKEN, token_code, &supply, 1);
    deploy(s, OTHER_TOKEN, token_code, &supply, 1);
    deploy(s, PAIR, pair_code, addresses, 2);
    for (place at = TOKEN; at <= OTHER_TOKEN; at++) {
        call(s, at, TRANSFER, &exchange, &liquidity);
        call(s, at, APPROVE, &exchange, &everything);
    }
    call(s, PAIR, SYNC, &none, &none);
}

void evm_solidity_put(evm_world *world, evm_peer *peer, hn_message *out, unsigned index)
{
    static uint8_t bytes[CALL_BYTES];
    const program *p = &programs[index];
    const stage s = {.world = world, .peer = peer};
    hn_u256 arguments[ARGUMENTS_MAX];
    evm_world_destroy(world); /* nothing may be where contracts are made */
    evm_world_create(world, HN_FORK_BERLIN, (size_t)256 << 20);
    if (peer != NULL)
        evm_peer_clear(peer);
    if (p->needs_pair)
        put_pair(&s);
    else
        deploy(&s, LOOPS, loops_code, NULL, 0);
    if (peer != NULL)
        evm_peer_settle(peer);
    for (unsigned i = 0; i < ARGUMENTS_MAX; i++)
        arguments[i] = hn_u256_of(p->arguments[i]);
    *out = call_of(bytes, p->contract, p->selector, arguments);
    hn_state_view view = hn_flat_view(world->flat);
    hn_state_reset(world->state, &view, world->block.fork);
    hn_state_begin_transaction(world->state);
}
