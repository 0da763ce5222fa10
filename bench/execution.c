/* What executing costs a ledger: plain transfers and ERC-20 transfers on one core, from memory to executed
 * blocks (receipts, diff, flat tables), without signatures and roots.
 *
 * bench_execution [ACCOUNTS [TRANSACTIONS_PER_BLOCK]]   1,000,000 and 1,000 unless told. Medians of several
 * rounds.
 */
#include "bench/load/contract.h"
#include "engine/base/check.h"
#include "engine/base/prng.h"
#include "engine/chain/ledger.h"
#include "engine/crypto/keccak.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 9, TRANSACTIONS_PER_ROUND = 200000, HOLDERS = 100000 };

static const uint64_t seed = 42;

typedef struct bench {
    size_t account_count;
    uint32_t per_block;
    hn_genesis_account *accounts; /* those of the genesis and ours, sorted */
    uint64_t *nonces;
    hn_signed_transaction *transactions;
    const hn_signed_transaction **order;
    hn_ledger *ledger;
    hn_evm *evm;
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    hn_genesis genesis;
    hn_arena arena, block_arena;
    hn_prng prng;
    hn_hash parent_hash;
    uint64_t sink; /* keeps results in use */
} bench;

/* Time on the processor: others may be using the machine. */
static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare_doubles);
    return values[ROUNDS / 2];
}

static int compare_accounts(const void *left, const void *right)
{
    const hn_genesis_account *a = left, *b = right;
    return memcmp(a->address.b, b->address.b, sizeof a->address.b);
}

static void *take(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    HN_CHECK(memory != NULL);
    return memory;
}

static void note_sealed(bench *b)
{
    uint64_t number = hn_ledger_head(b->ledger)->number;
    hn_keccak256(&b->parent_hash, &number, sizeof number); /* any will do */
    hn_ledger_note_sealed(b->ledger, number, &b->parent_hash);
}

static void open_ledger(bench *b)
{
    hn_arena_init(&b->arena, 0, 0);
    hn_arena_init(&b->block_arena, 1 << 22, 0);
    hn_prng_init(&b->prng, seed);
    HN_CHECK(hn_genesis_development(&b->genesis, &b->arena) == HN_OK);
    size_t own = b->genesis.account_count;
    b->accounts = take(b->account_count + own, sizeof *b->accounts);
    for (size_t i = 0; i < b->account_count; i++) {
        hn_prng_fill(&b->prng, &b->accounts[i].address, sizeof b->accounts[i].address);
        b->accounts[i].balance = (hn_u256){{0, 1000000, 0, 0}};
    }
    memcpy(b->accounts + b->account_count, b->genesis.accounts, own * sizeof *b->accounts);
    qsort(b->accounts, b->account_count + own, sizeof *b->accounts, compare_accounts);
    b->genesis.accounts = b->accounts;
    b->genesis.account_count += (uint32_t)b->account_count;
    b->genesis.header.gas_limit = UINT64_C(1) << 50;
    b->genesis.config.zero_base_fee = true;
    b->nonces = take(b->genesis.account_count, sizeof *b->nonces);
    for (size_t i = 0; i < b->genesis.account_count; i++)
        b->nonces[i] = b->accounts[i].nonce;
    b->transactions = take(TRANSACTIONS_PER_ROUND, sizeof *b->transactions);
    b->order = take(TRANSACTIONS_PER_ROUND, sizeof *b->order);
    for (size_t i = 0; i < TRANSACTIONS_PER_ROUND; i++)
        b->order[i] = &b->transactions[i];
    HN_CHECK(hn_precompile_context_create(&b->precompiles) == HN_OK);
    HN_CHECK(hn_signature_context_create(&b->signatures) == HN_OK);
    HN_CHECK(hn_evm_create(&b->evm, b->precompiles, 1 << 24) == HN_OK);
    hn_ledger_options options = {.table_seed = seed, .expected_accounts = b->genesis.account_count};
    HN_CHECK(hn_ledger_create(&b->ledger, &b->genesis, &options) == HN_OK);
    note_sealed(b);
}

static void close_ledger(bench *b)
{
    hn_ledger_destroy(b->ledger);
    hn_evm_destroy(b->evm);
    hn_signature_context_destroy(b->signatures);
    hn_precompile_context_destroy(b->precompiles);
    hn_arena_destroy(&b->arena);
    hn_arena_destroy(&b->block_arena);
    free(b->accounts);
    free(b->nonces);
    free(b->transactions);
    free(b->order);
}

/* One account of ours, without code, at random. */
static size_t pick(bench *b, size_t below)
{
    for (;;) {
        size_t index = hn_prng_below(&b->prng, below);
        if (b->accounts[index].code.size == 0)
            return index;
    }
}

static hn_signed_transaction *fill(bench *b, size_t at, size_t sender)
{
    static const uint8_t raw[112];
    hn_signed_transaction *out = &b->transactions[at];
    *out = (hn_signed_transaction){
        .transaction = {.type = HN_TRANSACTION_DYNAMIC_FEE,
                        .is_replay_protected = true,
                        .chain_id = b->genesis.config.chain_id,
                        .nonce = b->nonces[sender]++,
                        .gas_limit = 21000,
                        .max_fee_per_gas = hn_u256_of(1000000000),
                        .raw = hn_bytes_of(raw, sizeof raw)},
        .sender = b->accounts[sender].address,
    };
    return out;
}

/* Executes the first `count` transactions in blocks; the time of each. */
static double execute_ns(bench *b, uint32_t count)
{
    double time = 0;
    for (uint32_t done = 0; done < count; done += b->per_block) {
        hn_batch batch = {
            .timestamp = hn_ledger_head(b->ledger)->timestamp + 1,
            .transactions = b->order + done,
            .transaction_count = count - done < b->per_block ? count - done : b->per_block,
        };
        hn_executed_block block;
        hn_arena_reset(&b->block_arena);
        double start = now_ns();
        HN_CHECK(hn_ledger_execute(b->ledger, &block, &b->block_arena, b->evm, b->signatures, &batch) ==
                 HN_OK);
        time += now_ns() - start;
        HN_CHECK(block.transaction_count == batch.transaction_count);
        for (uint32_t i = 0; i < block.transaction_count; i++)
            HN_CHECK(block.receipts[i].succeeded);
        note_sealed(b);
    }
    return time / count;
}

/* The peer: looking both accounts up in the tables and writing them back, and nothing else. */
static double move_ns(bench *b, uint32_t count)
{
    hn_flat *flat = hn_ledger_flat(b->ledger);
    double start = now_ns();
    for (uint32_t i = 0; i < count; i++) {
        const hn_signed_transaction *transaction = b->order[i];
        hn_account from, to;
        HN_CHECK(hn_flat_account(flat, &from, &transaction->sender));
        HN_CHECK(hn_flat_account(flat, &to, &transaction->transaction.to));
        from.balance = hn_u256_sub(&from.balance, &transaction->transaction.value);
        to.balance = hn_u256_add(&to.balance, &transaction->transaction.value);
        HN_CHECK(hn_flat_put_account(flat, &transaction->sender, &from) == HN_OK);
        HN_CHECK(hn_flat_put_account(flat, &transaction->transaction.to, &to) == HN_OK);
        b->sink += from.nonce;
    }
    return (now_ns() - start) / count;
}

static void report(const char *what, double *ours, double *theirs)
{
    double ours_ns = median(ours), theirs_ns = median(theirs);
    printf("%-44s %8.0f ns, %9.0f/s a core; two look-ups and writes %6.0f ns, ratio %.2f\n", what, ours_ns,
           1e9 / ours_ns, theirs_ns, theirs_ns / ours_ns);
}

static void bench_transfers(bench *b, const char *what, size_t accounts)
{
    double ours[ROUNDS], theirs[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < TRANSACTIONS_PER_ROUND; i++) {
            hn_transaction *transaction = &fill(b, i, pick(b, accounts))->transaction;
            transaction->to = b->accounts[pick(b, accounts)].address;
            transaction->value = hn_u256_of(1 + hn_prng_below(&b->prng, 1000));
        }
        ours[round] = execute_ns(b, TRANSACTIONS_PER_ROUND);
        theirs[round] = move_ns(b, TRANSACTIONS_PER_ROUND);
    }
    report(what, ours, theirs);
}

/* --- ERC-20 */

static hn_address deploy_token(bench *b, size_t owner)
{
    static uint8_t code[HN_LOAD_CODE_BYTES_MAX];
    hn_address token;
    hn_load_contract_address(&token, &b->accounts[owner].address, b->nonces[owner]);
    hn_transaction *transaction = &fill(b, 0, owner)->transaction;
    transaction->is_create = true;
    transaction->gas_limit = 5000000;
    transaction->data = hn_bytes_of(code, hn_load_token_code(code));
    (void)execute_ns(b, 1);
    return token;
}

static void call_transfer(bench *b, size_t at, size_t sender, const hn_address *token, const hn_address *to,
                          uint64_t amount)
{
    hn_load_draft draft = {0};
    hn_u256 value = hn_u256_of(amount);
    hn_load_call_transfer(&draft, token, to, &value);
    hn_transaction *transaction = &fill(b, at, sender)->transaction;
    HN_CHECK(hn_arena_copy(&transaction->data, &b->arena, draft.data) == HN_OK);
    transaction->to = *token;
    transaction->gas_limit = 100000;
}

static void bench_token(bench *b)
{
    size_t owner = pick(b, b->account_count);
    hn_address token = deploy_token(b, owner);
    size_t *holders = take(HOLDERS, sizeof *holders);
    for (size_t i = 0; i < HOLDERS; i++) {
        holders[i] = pick(b, b->account_count);
        call_transfer(b, i, owner, &token, &b->accounts[holders[i]].address, 1000000000);
    }
    (void)execute_ns(b, HOLDERS);
    double ours[ROUNDS], theirs[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < TRANSACTIONS_PER_ROUND; i++)
            call_transfer(b, i, holders[hn_prng_below(&b->prng, HOLDERS)], &token,
                          &b->accounts[holders[hn_prng_below(&b->prng, HOLDERS)]].address, 1);
        ours[round] = execute_ns(b, TRANSACTIONS_PER_ROUND);
        theirs[round] = move_ns(b, TRANSACTIONS_PER_ROUND);
    }
    free(holders);
    report("ERC-20 transfers, 100,000 holders", ours, theirs);
}

int main(int argc, char **argv)
{
    bench b = {.account_count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000,
               .per_block = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000};
    if (b.account_count < 1000 || b.account_count > 100000000 || b.per_block == 0) {
        fprintf(stderr,
                "usage: bench_execution [ACCOUNTS [TRANSACTIONS_PER_BLOCK]], from 1000 accounts on\n");
        return EXIT_FAILURE;
    }
    open_ledger(&b);
    printf("%zu accounts, %u transactions a block\n", b.account_count, b.per_block);
    if (!getenv("T"))
        bench_transfers(&b, "transfers between all accounts", b.account_count);
    if (!getenv("T"))
        bench_transfers(&b, "transfers between 1,000 accounts", 1000);
    if (!getenv("E"))
        bench_token(&b);
    close_ledger(&b);
    return b.sink == 1 ? EXIT_FAILURE : EXIT_SUCCESS; /* never, but the compiler cannot know */
}
