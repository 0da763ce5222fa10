/* Frames of imported blocks, replayed: the ledger reaches the head of who made the blocks, and whatever is
 * wrong is told. */
#include "pipeline/stage/replay.h"
#include "shard/log/batch.h"
#include "shard/log/blocks.h"
#include "tests/unit/engine/chain/fixture.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>

enum { BLOCKS = 12, CAPACITY = 64 * 1024, SMALL = 256 };

static fixture world;
static hn_bytes chain[BLOCKS + 1]; /* RLP, by number */
static hn_hash hashes[BLOCKS + 1];
static hn_replay_ledger ledgers[1];
static hn_replay *replay;
static uint8_t payload[CAPACITY];
static uint64_t next_index;
static uint64_t seen_blocks;
static uint64_t seen_transactions;

static hn_bytes encode(const hn_executed_block *block)
{
    hn_transaction *transactions =
        hn_arena_calloc(&world.arena, block->transaction_count + (size_t)1, sizeof *transactions);
    for (uint32_t i = 0; i < block->transaction_count; i++)
        transactions[i] = block->transactions[i]->transaction;
    hn_block whole = {.header = block->header,
                      .transactions = transactions,
                      .transaction_count = block->transaction_count,
                      .has_withdrawals = block->header.form >= HN_HEADER_SHANGHAI};
    hn_bytes rlp;
    cr_assert_eq(hn_block_encode(&rlp, &world.arena, &whole), HN_OK);
    return rlp;
}

static void open_ledger(hn_replay_ledger *out)
{
    hn_ledger_options options = {.profile = HN_PROFILE_FAST};
    *out = (hn_replay_ledger){0};
    cr_assert_eq(hn_ledger_create(&out->executor, &world.genesis, &options), HN_OK);
    cr_assert_eq(hn_sealer_create(&out->sealer, &world.genesis, 1), HN_OK);
    (void)hn_sealer_head(out->sealer, &hashes[0]);
    hn_ledger_note_sealed(out->executor, 0, &hashes[0]);
}

/* Account 0 sends in every block, account 1 in each with an odd number. */
static const hn_signed_transaction *transfer_of(unsigned key, uint64_t number)
{
    return fixture_transfer(&world, key, key == 0 ? number - 1 : number / 2, &world.addresses[5 + key],
                            number);
}

static void make_chain(void)
{
    hn_replay_ledger builder;
    open_ledger(&builder);
    for (uint64_t number = 1; number <= BLOCKS; number++) {
        const hn_signed_transaction *transfers[] = {transfer_of(0, number), transfer_of(1, number)};
        hn_batch batch = {
            .timestamp = 1000 + number, .transactions = transfers, .transaction_count = 1 + number % 2};
        hn_executed_block block;
        cr_assert_eq(
            hn_ledger_execute(builder.executor, &block, &world.arena, world.evm, world.signatures, &batch),
            HN_OK);
        cr_assert_eq(block.transaction_count, batch.transaction_count);
        cr_assert_eq(hn_sealer_seal(builder.sealer, &block), HN_OK);
        hn_ledger_note_sealed(builder.executor, number, &block.hash);
        chain[number] = encode(&block);
        hashes[number] = block.hash;
    }
    hn_sealer_destroy(builder.sealer);
    hn_ledger_destroy(builder.executor);
}

static hn_err note_part(void *self, const hn_replayed_part *part)
{
    (void)self;
    cr_assert_eq(part->frame_index, next_index);
    cr_assert_eq(part->transaction_count, part->block->transaction_count);
    cr_assert(hn_hash_equal(&part->block->hash, &hashes[part->block->header.number]));
    for (uint32_t i = 0; i < part->transaction_count; i++)
        cr_assert_eq(part->block->outcomes[i].reject, HN_REJECT_NONE);
    seen_blocks++;
    seen_transactions += part->transaction_count;
    return HN_OK;
}

static void setup(void)
{
    fixture_open(&world, hn_bytes_of("\x00", 1));
    make_chain();
    open_ledger(&ledgers[0]);
    cr_assert_eq(hn_replay_create(&replay, ledgers, 1, world.evm, world.signatures, note_part, NULL), HN_OK);
    next_index = 0;
    seen_blocks = seen_transactions = 0;
}

static void teardown(void)
{
    hn_replay_destroy(replay);
    hn_sealer_destroy(ledgers[0].sealer);
    hn_ledger_destroy(ledgers[0].executor);
    fixture_close(&world);
}

TestSuite(replay, .init = setup, .fini = teardown);

static uint64_t head(void)
{
    hn_hash hash;
    uint64_t number = hn_sealer_head(ledgers[0].sealer, &hash)->number;
    cr_assert(hn_hash_equal(&hash, &hashes[number]));
    cr_assert_eq(hn_ledger_head(ledgers[0].executor)->number, number);
    return number;
}

static hn_err give(hn_frame_kind kind, size_t size)
{
    const hn_frame frame = {.index = ++next_index, .kind = kind, .payload = hn_bytes_of(payload, size)};
    return hn_replay_frame(replay, &frame);
}

static hn_err give_blocks(uint64_t first, uint64_t last, uint32_t ledger)
{
    hn_blocks_writer writer;
    hn_blocks_writer_begin(&writer, payload, CAPACITY, ledger);
    for (uint64_t number = first; number <= last; number++)
        cr_assert(hn_blocks_writer_add(&writer, chain[number]));
    return give(HN_FRAME_BLOCKS, hn_blocks_writer_end(&writer));
}

static hn_err give_part(uint64_t number, uint32_t part)
{
    return give(HN_FRAME_BLOCKS, hn_blocks_write_part(payload, SMALL, 0, chain[number], part));
}

Test(replay, blocks_of_a_frame_are_imported_in_order)
{
    cr_assert_eq(give_blocks(1, 5, 0), HN_OK);
    cr_assert_eq(head(), 5);
    cr_assert_eq(give_blocks(6, 6, 0), HN_OK);
    cr_assert_eq(give_blocks(7, BLOCKS, 0), HN_OK);
    cr_assert_eq(head(), BLOCKS);
    cr_assert_eq(seen_blocks, BLOCKS);
    cr_assert_eq(seen_transactions, BLOCKS + BLOCKS / 2);
    hn_replay_counts counts = hn_replay_count(replay);
    cr_assert_eq(counts.frames, 3);
    cr_assert_eq(counts.transactions, seen_transactions);
}

Test(replay, a_block_in_parts_is_put_together)
{
    for (uint64_t number = 1; number <= 3; number++) {
        uint32_t parts = hn_blocks_parts_of(chain[number].size, SMALL);
        cr_assert_gt(parts, 2);
        for (uint32_t part = 0; part < parts; part++) {
            cr_assert_eq(head(), number - 1);
            cr_assert_eq(give_part(number, part), HN_OK);
        }
        cr_assert_eq(head(), number);
    }
}

Test(replay, parts_without_the_rest_count_for_nothing)
{
    uint32_t parts = hn_blocks_parts_of(chain[1].size, SMALL);
    cr_assert_eq(give_part(1, 0), HN_OK);
    cr_assert_eq(give_part(1, 1), HN_OK);
    for (uint32_t part = 0; part < parts; part++) /* the import that was interrupted, run again */
        cr_assert_eq(give_part(1, part), HN_OK);
    cr_assert_eq(head(), 1);
    cr_assert_eq(give_part(2, 0), HN_OK);
    cr_assert_eq(give_blocks(2, 2, 0), HN_OK);
    cr_assert_eq(head(), 2);
    cr_assert_eq(give_part(3, 1), HN_ERR_CORRUPT, "the beginning was given up");
}

Test(replay, parts_out_of_order_are_corrupt)
{
    cr_assert_eq(give_part(1, 1), HN_ERR_CORRUPT);
    cr_assert_eq(give_part(1, 0), HN_OK);
    cr_assert_eq(give_part(1, 2), HN_ERR_CORRUPT);
    cr_assert_eq(head(), 0);
}

Test(replay, what_a_snapshot_contains_is_passed_over)
{
    ledgers[0].skip_index = 2;
    cr_assert_eq(give_blocks(4, 5, 0), HN_OK);
    cr_assert_eq(give_blocks(6, 7, 0), HN_OK);
    cr_assert_eq(head(), 0);
    cr_assert_eq(give_blocks(1, 2, 0), HN_OK);
    cr_assert_eq(head(), 2);
}

Test(replay, a_block_that_is_not_valid_is_named)
{
    cr_assert_eq(give_blocks(1, 2, 0), HN_OK);
    cr_assert_eq(give_blocks(4, 4, 0), HN_ERR_MISMATCH);
    cr_assert_not_null(strstr(hn_replay_why(replay), "frame 2: imported block 3: its parent is not the head"),
                       "%s", hn_replay_why(replay));
    cr_assert_eq(head(), 2);
}

Test(replay, imported_and_own_blocks_follow_each_other)
{
    cr_assert_eq(give_blocks(1, 4, 0), HN_OK);
    hn_batch_writer writer;
    hn_batch_writer_begin(&writer, payload, CAPACITY, (1000 + 5) * UINT64_C(1000000000));
    for (unsigned key = 0; key < 2; key++) { /* what block 5 was made of */
        const hn_signed_transaction *transfer = transfer_of(key, 5);
        cr_assert(hn_batch_writer_add(&writer, 0, &transfer->sender, transfer->transaction.raw));
    }
    cr_assert_eq(give(HN_FRAME_BATCH, hn_batch_writer_end(&writer)), HN_OK);
    cr_assert_eq(head(), 5);
    cr_assert_eq(give_blocks(6, BLOCKS, 0), HN_OK);
    cr_assert_eq(head(), BLOCKS);
}

Test(replay, frames_that_make_no_sense_are_refused)
{
    cr_assert_eq(give_blocks(1, 1, 1), HN_ERR_MISMATCH);
    cr_assert_not_null(strstr(hn_replay_why(replay), "ledger number 1"), "%s", hn_replay_why(replay));
    cr_assert_eq(give((hn_frame_kind)9, 16), HN_ERR_VERSION);
    cr_assert_not_null(strstr(hn_replay_why(replay), "unknown kind 9"), "%s", hn_replay_why(replay));
    cr_assert_eq(give(HN_FRAME_BLOCKS, 7), HN_ERR_CORRUPT);
    cr_assert_eq(give(HN_FRAME_CONTROL, 7), HN_OK);
    cr_assert_eq(head(), 0);
}

/* --- with a second thread */

static _Atomic uint64_t sealed_number;
static uint64_t noted_number;
static uint64_t fails_at;

static void await_hash(void *self, hn_hash *out, uint64_t number)
{
    (void)self;
    while (atomic_load(&sealed_number) < number)
        sched_yield();
    *out = hashes[number];
}

static hn_err seal_slowly(void *self, uint32_t ledger, hn_executed_block *block)
{
    (void)self;
    cr_assert_eq(ledger, 0);
    if (block->header.number == fails_at)
        return HN_ERR_IO;
    return hn_sealer_seal(ledgers[0].sealer, block);
}

static hn_err note_sealed_part(void *self, const hn_replayed_part *part)
{
    (void)self;
    const hn_executed_block *block = part->block;
    cr_assert_eq(block->header.number, seen_blocks + 1);
    cr_assert(hn_hash_equal(&block->hash, &hashes[block->header.number]));
    seen_blocks++;
    seen_transactions += part->transaction_count;
    if (part->is_imported)
        noted_number = block->header.number;
    atomic_store(&sealed_number, block->header.number);
    return HN_OK;
}

static void note_hashes(void *self, uint32_t ledger)
{
    (void)self;
    (void)ledger;
    uint64_t sealed = atomic_load(&sealed_number);
    while (noted_number < sealed) {
        noted_number++;
        hn_ledger_note_sealed(ledgers[0].executor, noted_number, &hashes[noted_number]);
    }
}

static hn_err give_batch(uint64_t number)
{
    hn_batch_writer writer;
    hn_batch_writer_begin(&writer, payload, CAPACITY, (1000 + number) * UINT64_C(1000000000));
    for (unsigned key = 0; key < 1 + number % 2; key++) {
        const hn_signed_transaction *transfer = transfer_of(key, number);
        cr_assert(hn_batch_writer_add(&writer, 0, &transfer->sender, transfer->transaction.raw));
    }
    return give(HN_FRAME_BATCH, hn_batch_writer_end(&writer));
}

static void start_thread(uint64_t failing)
{
    hn_sealer_destroy(ledgers[0].sealer);
    hn_ledger_destroy(ledgers[0].executor);
    hn_ledger_options options = {.profile = HN_PROFILE_FAST, .port = {.await_block_hash = await_hash}};
    cr_assert_eq(hn_ledger_create(&ledgers[0].executor, &world.genesis, &options), HN_OK);
    cr_assert_eq(hn_sealer_create(&ledgers[0].sealer, &world.genesis, 1), HN_OK);
    hn_ledger_note_sealed(ledgers[0].executor, 0, &hashes[0]);
    hn_replay_destroy(replay);
    cr_assert_eq(hn_replay_create(&replay, ledgers, 1, world.evm, world.signatures, note_sealed_part, NULL),
                 HN_OK);
    const hn_replay_helper helper = {.seal = seal_slowly, .has_thread = true, .note_sealed = note_hashes};
    atomic_store(&sealed_number, 0);
    noted_number = 0;
    fails_at = failing;
    cr_assert_eq(hn_replay_set_helper(replay, &helper), HN_OK);
}

Test(replay, a_second_thread_seals_the_same_blocks)
{
    start_thread(UINT64_MAX);
    for (uint64_t number = 1; number <= 6; number++)
        cr_assert_eq(give_batch(number), HN_OK);
    cr_assert_eq(give_blocks(7, 8, 0), HN_OK);
    cr_assert_eq(seen_blocks, 8u, "an import waits for what is before it");
    for (uint64_t number = 9; number <= BLOCKS; number++)
        cr_assert_eq(give_batch(number), HN_OK);
    cr_assert_eq(hn_replay_drain(replay), HN_OK);
    cr_assert_eq(head(), BLOCKS);
    cr_assert_eq(seen_blocks, BLOCKS);
    cr_assert_eq(seen_transactions, BLOCKS + BLOCKS / 2);
}

Test(replay, an_error_of_the_second_thread_ends_it)
{
    start_thread(4);
    hn_err err = HN_OK;
    for (uint64_t number = 1; number <= BLOCKS && err == HN_OK; number++) {
        err = give_batch(number);
        cr_assert(err == HN_OK || err == HN_ERR_IO);
    }
    cr_assert_eq(hn_replay_drain(replay), HN_ERR_IO);
    cr_assert_eq(seen_blocks, 3u);
}
