/* Calls that are run where they are asked: what they answer is what they answer elsewhere, and whatever takes
 * long is handed back untouched. */
#include "pipeline/query/engine.h"

#include <criterion/criterion.h>

/* Returns GAS after it has called contract 1 with all of it, as compilers do, and that contract's answer. */
static const uint8_t caller[] = {
    0x60, 0x20, 0x60, 0x20, 0x60, 0x00, 0x60, 0x00, 0x60, 0x00, 0x61, 0xc0, 0x01,
    0x5a, 0xf1, 0x50, 0x5a, 0x60, 0x00, 0x52, 0x60, 0x40, 0x60, 0x00, 0xf3,
};
/* Returns GAS. */
static const uint8_t callee[] = {0x5a, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3};
static const uint8_t refuser[] = {0x60, 0x2a, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xfd};
static const uint8_t endless[] = {0x5b, 0x60, 0x00, 0x56};
/* KECCAK256 of a megabyte: no jump, no call, one dear instruction. */
static const uint8_t hasher[] = {0x62, 0x10, 0x00, 0x00, 0x60, 0x00, 0x20, 0x00};
/* STATICCALL of modular exponentiation. */
static const uint8_t raiser[] = {0x60, 0x00, 0x60, 0x00, 0x60, 0x00, 0x60,
                                 0x00, 0x60, 0x05, 0x5a, 0xfa, 0x00};
/* CALL with a megabyte as input: the price of the memory hides behind the gas that is handed on. */
static const uint8_t spreader[] = {0x60, 0x00, 0x60, 0x00, 0x62, 0x10, 0x00, 0x00, 0x60,
                                   0x00, 0x60, 0x00, 0x61, 0xc0, 0x01, 0x5a, 0xf1, 0x00};
/* CREATE of nothing. */
static const uint8_t maker[] = {0x60, 0x00, 0x60, 0x00, 0x60, 0x00, 0xf0, 0x00};
/* An opcode that is none: why it failed takes another run. */
static const uint8_t broken[] = {0x0c};

typedef struct program {
    const uint8_t *code;
    size_t size;
    bool is_short;
} program;

#define PROGRAM(name, is_short)                                                                              \
    {                                                                                                        \
        name, sizeof name, is_short                                                                          \
    }
static const program programs[] = {
    PROGRAM(caller, true),    PROGRAM(callee, true),  PROGRAM(refuser, true),
    PROGRAM(endless, false),  PROGRAM(hasher, false), PROGRAM(raiser, false),
    PROGRAM(spreader, false), PROGRAM(maker, false),  PROGRAM(broken, false),
};
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

static hn_address address_of(size_t index)
{
    return (hn_address){.b = {[18] = 0xc0, [19] = (uint8_t)index}};
}

typedef struct fixture {
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    hn_query_engine *engine;
    hn_query_engine *reader;
    hn_chain_config config;
    hn_arena arena;
} fixture;

static void make_fixture(fixture *f)
{
    hn_flat *flat;
    hn_hash hash;
    hn_query_options options = {.window_blocks = 5};
    hn_header genesis = {.form = HN_HEADER_LONDON, .gas_limit = 30000000};
    hn_header_hash(&hash, &genesis);
    hn_arena_init(&f->arena, 0, 0);
    hn_chain_config_at_fork(&f->config, HN_FORK_LONDON);
    cr_assert_eq(hn_precompile_context_create(&f->precompiles), HN_OK);
    cr_assert_eq(hn_signature_context_create(&f->signatures), HN_OK);
    cr_assert_eq(hn_query_engine_create(&f->engine, &options, f->precompiles, f->signatures, NULL), HN_OK);
    cr_assert_eq(hn_flat_create(&flat, 1, 16), HN_OK);
    for (size_t i = 0; i < PROGRAMS; i++) {
        const hn_code *code;
        hn_address address = address_of(i);
        cr_assert_eq(hn_flat_put_code(flat, &code, hn_bytes_of(programs[i].code, programs[i].size)), HN_OK);
        hn_account account = {.nonce = 1, .code_hash = code->hash};
        cr_assert_eq(hn_flat_put_account(flat, &address, &account), HN_OK);
    }
    cr_assert_eq(hn_query_engine_add_ledger(f->engine, 0, &f->config, flat, &genesis, &hash, 1), HN_OK);
    hn_flat_destroy(flat);
    cr_assert_eq(hn_query_reader_create(&f->reader, f->engine, HN_QUERY_READER_OF_RPC), HN_OK);
}

static void free_fixture(fixture *f)
{
    hn_query_engine_destroy(f->reader);
    hn_query_engine_destroy(f->engine);
    hn_signature_context_destroy(f->signatures);
    hn_precompile_context_destroy(f->precompiles);
    hn_arena_destroy(&f->arena);
}

static hn_query call_of(fixture *f, size_t index)
{
    return (hn_query){.kind = HN_QUERY_CALL, .arena = &f->arena, .call = {.to = address_of(index)}};
}

Test(brief, short_calls_answer_as_elsewhere_and_long_ones_come_back)
{
    fixture f;
    make_fixture(&f);
    for (size_t i = 0; i < PROGRAMS; i++) {
        hn_query here = call_of(&f, i), there = here;
        cr_assert_eq(hn_query_run_brief(f.reader, &here), programs[i].is_short, "program %zu", i);
        if (!programs[i].is_short) {
            cr_assert_eq(here.call.gas, 0);
            continue;
        }
        hn_query_run(f.engine, &there);
        cr_assert_eq(here.err, HN_OK);
        cr_assert_eq(there.err, HN_OK);
        cr_assert_eq(here.result.status, there.result.status);
        cr_assert_eq(here.result.gas_used, there.result.gas_used);
        cr_assert_eq(here.result.output.size, there.result.output.size);
        cr_assert_neq(here.result.output.size, 0);
        cr_assert_arr_eq(here.result.output.data, there.result.output.data, here.result.output.size);
    }
    free_fixture(&f);
}

Test(brief, what_was_long_is_not_tried_again_soon_but_runs_in_full)
{
    fixture f;
    make_fixture(&f);
    hn_query query = call_of(&f, 4); /* the hasher */
    cr_assert_not(hn_query_run_brief(f.reader, &query));
    hn_query_run(f.reader, &query);
    cr_assert_eq(query.err, HN_OK);
    cr_assert_eq(query.result.status, HN_EVM_SUCCESS);
    hn_query other = call_of(&f, 1);
    cr_assert(hn_query_run_brief(f.reader, &other));
    cr_assert_eq(other.result.status, HN_EVM_SUCCESS);
    free_fixture(&f);
}
