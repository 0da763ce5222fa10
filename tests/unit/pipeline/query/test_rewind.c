/* Proofs and simulations at every block of the window, while sealing is ahead of what queries see, against a
 * reference trie over a plain model of what the state was then. Blocks are random: accounts come and go, lose
 * their storage and get it again. */
#include "pipeline/query/rewind.h"
#include "pipeline/query/simulation.h"

#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "engine/trie/trie.h"
#include "tests/unit/engine/state/world.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum {
    BLOCKS = 40,
    WINDOW = 16,
    AHEAD = 5, /* at most */
};

typedef struct fixture {
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    hn_query_engine *engine;
    hn_sealer *sealer;
    hn_flat *flat; /* the executor's */
    hn_arena arena;
    hn_prng prng;
    hn_chain_config config;
    hn_executed_block blocks[BLOCKS + 1];
    world worlds[BLOCKS + 1];
    uint64_t sealed;
    uint64_t seen;
} fixture;

static fixture *make_fixture(uint64_t seed)
{
    fixture *f = calloc(1, sizeof *f);
    hn_query_options options = {.window_blocks = WINDOW, .table_seed = seed};
    hn_arena_init(&f->arena, 0, 0);
    hn_prng_init(&f->prng, seed);
    hn_chain_config_at_fork(&f->config, HN_FORK_SHANGHAI);
    cr_assert_eq(hn_precompile_context_create(&f->precompiles), HN_OK);
    cr_assert_eq(hn_signature_context_create(&f->signatures), HN_OK);
    cr_assert_eq(hn_query_engine_create(&f->engine, &options, f->precompiles, f->signatures, NULL), HN_OK);
    cr_assert_eq(hn_flat_create(&f->flat, seed, 16), HN_OK);
    world_random(&f->worlds[0], &f->prng);
    world_to_flat(f->flat, &f->worlds[0]);

    hn_header *head = &f->blocks[0].header;
    *head = (hn_header){.form = HN_HEADER_SHANGHAI, .gas_limit = 30000000};
    world_root(&head->state_root, &f->worlds[0]);
    hn_genesis empty = {.config = f->config, .header = {.form = HN_HEADER_SHANGHAI}};
    cr_assert_eq(hn_sealer_create(&f->sealer, &empty, seed), HN_OK);
    cr_assert_eq(hn_sealer_restore(f->sealer, f->flat, head), HN_OK);
    hn_header_hash(&f->blocks[0].hash, head);
    cr_assert_eq(hn_query_engine_add_ledger(f->engine, 0, &f->config, f->flat, head, &f->blocks[0].hash, 1),
                 HN_OK);
    hn_query_engine_set_sealer(f->engine, 0, f->sealer);
    return f;
}

static void free_fixture(fixture *f)
{
    hn_query_engine_destroy(f->engine);
    hn_sealer_destroy(f->sealer);
    hn_flat_destroy(f->flat);
    hn_signature_context_destroy(f->signatures);
    hn_precompile_context_destroy(f->precompiles);
    hn_arena_destroy(&f->arena);
    free(f);
}

/* Executes and seals a block; the tries agree with the reference, whatever was asked in between. */
static void seal(fixture *f)
{
    uint64_t number = ++f->sealed;
    hn_executed_block *block = &f->blocks[number];
    world *now = &f->worlds[number];
    *now = f->worlds[number - 1];
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++)
        if (hn_prng_below(&f->prng, 3) == 0)
            now->accounts[a] = world_random_account(&f->prng);
    *block = (hn_executed_block){
        .arena = &f->arena,
        .header = {.form = HN_HEADER_SHANGHAI, .number = number, .timestamp = number, .gas_limit = 30000000},
        .diff = world_diff(&f->worlds[number - 1], now, &f->arena, &f->prng),
    };
    cr_assert_eq(hn_flat_apply(f->flat, &f->arena, &block->diff), HN_OK);
    cr_assert_eq(hn_sealer_seal(f->sealer, block), HN_OK);
    hn_hash want;
    world_root(&want, now);
    cr_assert(hn_hash_equal(&block->header.state_root, &want));
    hn_query_engine_note_ahead(f->engine, 0, block);
}

static void show(fixture *f)
{
    cr_assert_eq(hn_query_engine_note_sealed(f->engine, 0, &f->blocks[++f->seen]), HN_OK);
}

static hn_bytes proven(const hn_hash *root, hn_bytes key, const hn_proof *proof)
{
    hn_hash hash;
    hn_bytes value;
    hn_keccak256(&hash, key.data, key.size);
    cr_assert_eq(
        hn_trie_verify_proof(&value, root, hn_bytes_of(hash.b, sizeof hash), proof->nodes, proof->node_count),
        HN_OK);
    return value;
}

/* What eth_getProof says of an account and all its slots, from the block's own state root down. */
static void check_proof(fixture *f, uint64_t number, unsigned a)
{
    const world_account *account = &f->worlds[number].accounts[a];
    hn_u256 keys[WORLD_SLOTS], values[WORLD_SLOTS];
    hn_proof proofs[WORLD_SLOTS];
    for (unsigned s = 0; s < WORLD_SLOTS; s++)
        keys[s] = world_key(s);
    hn_proof_question question = {.key_count = WORLD_SLOTS, .keys = keys, .values = values, .proofs = proofs};
    hn_query query = {.arena = &f->arena,
                      .kind = HN_QUERY_PROOF,
                      .block = {.kind = HN_BLOCK_NUMBER, .number = number},
                      .address = world_address(a),
                      .proof = &question};
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.err, HN_OK, "%s", hn_err_text(query.err));
    hn_hash want;
    world_storage_root(&want, account);
    cr_assert(hn_hash_equal(&question.storage_root, &want));
    cr_assert_eq(query.exists, account->exists);
    hn_bytes leaf =
        proven(&f->blocks[number].header.state_root, hn_bytes_of(query.address.b, 20), &question.account);
    cr_assert_eq(leaf.size != 0, account->exists);
    /* The storage root is the last but one of the account's four values, and 32 bytes and their prefix, as
     * the code's hash behind it. */
    if (account->exists)
        cr_assert_arr_eq(leaf.data + leaf.size - 65, want.b, 32);
    for (unsigned s = 0; s < WORLD_SLOTS; s++) {
        uint8_t key[32], rlp[33];
        hn_u256_to_be(key, &keys[s]);
        hn_bytes value = proven(&want, hn_bytes_of(key, 32), &proofs[s]);
        size_t size = 0;
        if (!hn_u256_is_zero(&account->slots[s]))
            size = (size_t)(hn_rlp_write_u256(rlp, &account->slots[s]) - rlp);
        cr_assert(hn_bytes_equal(value, hn_bytes_of(rlp, size)));
        cr_assert(hn_u256_equal(&values[s], &account->slots[s]));
    }
}

/* The state root of a block made up on top of `number`, which gives one account another storage. */
static void check_simulation(fixture *f, uint64_t number, unsigned a)
{
    hn_slot_change slot = {.key = world_key(3), .after = hn_u256_of(5)};
    hn_account_override override = {
        .address = world_address(a),
        .has_nonce = true,
        .nonce = 7,
        .has_state = true,
        .slots = &slot,
        .slot_count = 1,
    };
    hn_simulated_block block = {.overrides = &override, .override_count = 1};
    hn_simulation simulation = {.blocks = &block, .block_count = 1};
    hn_query query = {.arena = &f->arena,
                      .kind = HN_QUERY_SIMULATE,
                      .block = {.kind = HN_BLOCK_NUMBER, .number = number},
                      .simulation = &simulation};
    hn_query_run(f->engine, &query);
    cr_assert_eq(query.err, HN_OK, "%s", hn_err_text(query.err));
    cr_assert_eq(simulation.answer_count, 1);
    world after = f->worlds[number];
    world_account *account = &after.accounts[a];
    memset(account->slots, 0, sizeof account->slots);
    account->exists = true;
    account->nonce = 7;
    account->slots[3] = hn_u256_of(5);
    hn_hash want;
    world_root(&want, &after);
    cr_assert(hn_hash_equal(&simulation.answers[0].header.state_root, &want), "block %lu of %lu, account %u",
              (unsigned long)number, (unsigned long)f->sealed, a);
}

static void check_window(fixture *f)
{
    for (uint64_t number = f->seen > WINDOW ? f->seen - WINDOW : 0; number <= f->seen; number++) {
        check_proof(f, number, (unsigned)hn_prng_below(&f->prng, WORLD_ACCOUNTS));
        check_simulation(f, number, (unsigned)hn_prng_below(&f->prng, WORLD_ACCOUNTS));
    }
}

Test(rewind, proves_and_simulates_at_every_block)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        fixture *f = make_fixture(seed);
        while (f->sealed < BLOCKS) {
            if (f->sealed - f->seen < AHEAD)
                seal(f);
            while (f->seen < f->sealed && hn_prng_below(&f->prng, 2) == 0)
                show(f);
            check_window(f);
        }
        free_fixture(f);
    }
}

/* --- the bound --- */

static void seal_many(fixture *f, uint32_t first, uint32_t count)
{
    uint64_t number = ++f->sealed;
    hn_executed_block *block = &f->blocks[number];
    hn_account_change *accounts = hn_arena_calloc(&f->arena, count, sizeof *accounts);
    for (uint32_t i = 0; i < count; i++) {
        accounts[i] = (hn_account_change){
            .address = {{0xee, (uint8_t)(first + i), (uint8_t)((first + i) >> 8)}},
            .exists = true,
            .after = {.nonce = number, .code_hash = hn_keccak256_of_nothing},
        };
        accounts[i].existed = hn_flat_account(f->flat, &accounts[i].before, &accounts[i].address);
    }
    *block = (hn_executed_block){
        .arena = &f->arena,
        .header = {.form = HN_HEADER_SHANGHAI, .number = number, .timestamp = number},
        .diff = {.accounts = accounts, .account_count = count},
    };
    cr_assert_eq(hn_flat_apply(f->flat, &f->arena, &block->diff), HN_OK);
    cr_assert_eq(hn_sealer_seal(f->sealer, block), HN_OK);
    hn_query_engine_note_ahead(f->engine, 0, block);
}

static hn_query prove_at(fixture *f, uint64_t number)
{
    hn_proof_question *question = hn_arena_calloc(&f->arena, 1, sizeof *question);
    hn_query query = {.arena = &f->arena,
                      .kind = HN_QUERY_PROOF,
                      .block = {.kind = HN_BLOCK_NUMBER, .number = number},
                      .proof = question};
    hn_query_run(f->engine, &query);
    return query;
}

Test(rewind, refuses_when_too_much_has_changed)
{
    fixture *f = make_fixture(1);
    seal_many(f, 0, HN_REWIND_KEYS_MAX);
    show(f);
    cr_assert_eq(prove_at(f, 0).err, HN_OK);
    seal_many(f, 0, HN_REWIND_KEYS_MAX); /* the same ones again count once */
    show(f);
    cr_assert_eq(prove_at(f, 0).err, HN_OK);
    seal_many(f, HN_REWIND_KEYS_MAX, 1);
    show(f);
    hn_query query = prove_at(f, 0);
    cr_assert_eq(query.err, HN_ERR_LIMIT);
    cr_assert_not_null(strstr(query.problem, "historical state is not available"));
    cr_assert_eq(prove_at(f, 2).err, HN_OK);
    hn_query head = {.arena = &f->arena, .kind = HN_QUERY_HEAD};
    hn_query_run(f->engine, &head);
    cr_assert_eq(head.oldest_proof, 2);      /* without looking which of block 2 had changed before */
    seal_many(f, 0, 2 * HN_REWIND_KEYS_MAX); /* not seen: the newest block is always answered */
    cr_assert_eq(prove_at(f, 3).err, HN_OK);
    free_fixture(f);
}

Test(rewind, answers_nothing_when_the_tries_are_others)
{
    fixture *f = make_fixture(2);
    hn_header header = f->blocks[0].header;
    hn_flat *other;
    cr_assert_eq(hn_flat_create(&other, 0, 16), HN_OK);
    hn_address address = {{1}};
    hn_account account = {.nonce = 1, .code_hash = hn_keccak256_of_nothing};
    cr_assert_eq(hn_flat_put_account(other, &address, &account), HN_OK);
    hn_state_trie *trie;
    cr_assert_eq(hn_state_trie_create(&trie, 0), HN_OK);
    cr_assert_eq(hn_state_trie_build(trie, &header.state_root, other), HN_OK);
    hn_state_trie_destroy(trie);
    cr_assert_eq(hn_sealer_restore(f->sealer, other, &header), HN_OK);
    hn_flat_destroy(other);
    cr_assert_eq(prove_at(f, 0).err, HN_ERR_MISMATCH);
    free_fixture(f);
}
