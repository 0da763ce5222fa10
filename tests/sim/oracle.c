#include "tests/sim/oracle.h"

#include "engine/base/check.h"
#include "engine/base/hash_table.h"
#include "pipeline/history/reader.h"
#include "pipeline/stage/wiring.h"
#include "shard/log/batch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FRAMES_MAX = 8192, BLOCKS_MAX = 8192, EVM_MEMORY_BYTES = 16 * 1024 * 1024, ITEMS_MAX = 64 };

typedef struct kept_frame {
    uint8_t *payload;
    size_t size;
    uint64_t durable_index;
} kept_frame;

typedef struct kept_block {
    hn_hash hash;
    hn_hash state_root;
    hn_hash receipts_root;
    uint64_t frame_index;
} kept_block;

typedef struct oracle_ledger {
    hn_genesis genesis;
    hn_ledger *executor;
    hn_sealer *sealer;
    kept_block *blocks; /* by number */
    uint64_t last;
} oracle_ledger;

struct hn_sim_oracle {
    hn_sim_oracle_options options;
    hn_evm *evm;
    hn_arena boot;
    hn_arena block;
    oracle_ledger ledgers[HN_SIM_LEDGERS_MAX];
    kept_frame frames[FRAMES_MAX]; /* by index */
    uint64_t last_index;           /* appended */
    uint64_t advanced;             /* executed */
    uint64_t digest;
};

__attribute__((format(printf, 2, 3))) static void fail(const hn_sim_oracle *oracle, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    oracle->options.failed(oracle->options.self, text);
}

/* --- life
 * --------------------------------------------------------------------------------------------------- */

static void open_ledger(hn_sim_oracle *oracle, uint32_t index)
{
    oracle_ledger *ledger = &oracle->ledgers[index];
    const hn_node_ledger_options *wanted = &hn_sim_traffic_ledgers(oracle->options.traffic)[index];
    hn_genesis_problem why = {.text = ""};
    hn_err err = hn_genesis_read(&ledger->genesis, &why, &oracle->boot, wanted->genesis_json);
    if (err != HN_OK)
        fail(oracle, "genesis: %.150s", why.text);
    HN_CHECK(err == HN_OK);
    hn_ledger_options options = {.profile = wanted->is_strict ? HN_PROFILE_STRICT : HN_PROFILE_FAST,
                                 .table_seed = 12345};
    HN_CHECK(hn_ledger_create(&ledger->executor, &ledger->genesis, &options) == HN_OK);
    HN_CHECK(hn_sealer_create(&ledger->sealer, &ledger->genesis, 54321) == HN_OK);
    ledger->blocks = calloc(BLOCKS_MAX, sizeof *ledger->blocks);
    HN_CHECK(ledger->blocks != NULL);
    (void)hn_sealer_head(ledger->sealer, &ledger->blocks[0].hash);
    hn_ledger_note_sealed(ledger->executor, 0, &ledger->blocks[0].hash);
}

hn_sim_oracle *hn_sim_oracle_create(const hn_sim_oracle_options *options)
{
    hn_sim_oracle *oracle = calloc(1, sizeof *oracle);
    HN_CHECK(oracle != NULL);
    oracle->options = *options;
    hn_arena_init(&oracle->boot, 0, 0);
    hn_arena_init(&oracle->block, 0, 0);
    HN_CHECK(hn_evm_create(&oracle->evm, options->precompiles, EVM_MEMORY_BYTES) == HN_OK);
    for (uint32_t i = 0; i < options->ledgers; i++)
        open_ledger(oracle, i);
    return oracle;
}

void hn_sim_oracle_destroy(hn_sim_oracle *oracle)
{
    for (uint32_t i = 0; i < oracle->options.ledgers; i++) {
        hn_ledger_destroy(oracle->ledgers[i].executor);
        hn_sealer_destroy(oracle->ledgers[i].sealer);
        free(oracle->ledgers[i].blocks);
    }
    for (uint64_t i = 0; i <= oracle->last_index; i++)
        free(oracle->frames[i].payload);
    hn_evm_destroy(oracle->evm);
    hn_arena_destroy(&oracle->block);
    hn_arena_destroy(&oracle->boot);
    free(oracle);
}

/* --- frames
 * ------------------------------------------------------------------------------------------------- */

void hn_sim_oracle_note_appended(hn_sim_oracle *oracle, uint64_t index, hn_bytes payload,
                                 uint64_t durable_index)
{
    if (index != oracle->last_index + 1 || index >= FRAMES_MAX) {
        fail(oracle, "frame %" PRIu64 " was appended behind frame %" PRIu64, index, oracle->last_index);
        return;
    }
    oracle->last_index = index;
    kept_frame *kept = &oracle->frames[index];
    *kept =
        (kept_frame){.payload = malloc(payload.size), .size = payload.size, .durable_index = durable_index};
    HN_CHECK(kept->payload != NULL);
    memcpy(kept->payload, payload.data, payload.size);
}

void hn_sim_oracle_check_frame(hn_sim_oracle *oracle, const hn_frame *frame)
{
    if (frame->index == 0 || frame->index > oracle->last_index) {
        fail(oracle, "frame %" PRIu64 " was read, but %" PRIu64 " is the last that was appended",
             frame->index, oracle->last_index);
        return;
    }
    const kept_frame *kept = &oracle->frames[frame->index];
    if (!hn_bytes_equal(frame->payload, hn_bytes_of(kept->payload, kept->size)))
        fail(oracle, "frame %" PRIu64 " is not the one that was appended", frame->index);
}

void hn_sim_oracle_settle(hn_sim_oracle *oracle, uint64_t last_index)
{
    if (last_index > oracle->last_index || last_index < oracle->advanced) {
        fail(oracle,
             "the log ends with frame %" PRIu64 ": %" PRIu64 " were appended, %" PRIu64 " durable before",
             last_index, oracle->last_index, oracle->advanced);
        return;
    }
    for (uint64_t i = last_index + 1; i <= oracle->last_index; i++) {
        free(oracle->frames[i].payload);
        oracle->frames[i].payload = NULL;
    }
    oracle->last_index = last_index;
}

uint64_t hn_sim_oracle_proved(const hn_sim_oracle *oracle, uint64_t last_complete, uint64_t lost)
{
    uint64_t proved = 0;
    for (uint64_t i = 1; i <= last_complete && i <= oracle->last_index; i++)
        if (i != lost && oracle->frames[i].durable_index > proved)
            proved = oracle->frames[i].durable_index;
    return proved;
}

/* --- serial F
 * ----------------------------------------------------------------------------------------------- */

static void note_outcomes(hn_sim_oracle *oracle, const hn_executed_block *block,
                          const hn_signed_transaction *const *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        hn_sim_transaction *wanted = hn_sim_traffic_find(oracle->options.traffic, &items[i]->hash);
        if (wanted == NULL) {
            fail(oracle, "the log has a transaction that nobody sent");
            continue;
        }
        if (block->outcomes[i].reject != HN_REJECT_NONE)
            continue;
        if (wanted->is_included)
            fail(oracle, "a transaction was applied twice, in blocks %" PRIu64 " and %" PRIu64,
                 wanted->included_in, block->header.number);
        wanted->is_included = true;
        wanted->included_in = block->header.number;
        wanted->is_good = block->outcomes[i].status == HN_EVM_SUCCESS;
    }
}

static void execute_part(hn_sim_oracle *oracle, uint32_t index, uint64_t frame_index, uint64_t timestamp,
                         const hn_signed_transaction *const *items, uint32_t count)
{
    oracle_ledger *ledger = &oracle->ledgers[index];
    hn_batch batch = {.timestamp = timestamp, .transactions = items, .transaction_count = count};
    hn_executed_block block;
    HN_CHECK(hn_ledger_execute(ledger->executor, &block, &oracle->block, oracle->evm,
                               oracle->options.signatures, &batch) == HN_OK);
    note_outcomes(oracle, &block, items, count);
    if (block.is_empty)
        return;
    HN_CHECK(hn_sealer_seal(ledger->sealer, &block) == HN_OK);
    hn_ledger_note_sealed(ledger->executor, block.header.number, &block.hash);
    ledger->last = block.header.number;
    HN_CHECK(ledger->last < BLOCKS_MAX);
    ledger->blocks[ledger->last] = (kept_block){.hash = block.hash,
                                                .state_root = block.header.state_root,
                                                .receipts_root = block.header.receipts_root,
                                                .frame_index = frame_index};
    oracle->digest = oracle->digest * UINT64_C(0x9e3779b97f4a7c15) + hn_load_le64(block.hash.b);
}

static void execute_frame(hn_sim_oracle *oracle, uint64_t index)
{
    const kept_frame *kept = &oracle->frames[index];
    hn_signed_transaction *contents =
        hn_arena_calloc(&oracle->block, ITEMS_MAX, sizeof *contents); /* freed with the block */
    uint32_t ledger_of[ITEMS_MAX];
    uint32_t count = 0;
    hn_batch_reader reader;
    hn_batch_item item;
    HN_CHECK(contents != NULL);
    HN_CHECK(hn_batch_reader_begin(&reader, hn_bytes_of(kept->payload, kept->size)) == HN_OK);
    while (hn_batch_reader_next(&reader, &item) == HN_OK) {
        HN_CHECK(count < ITEMS_MAX && item.ledger < oracle->options.ledgers);
        ledger_of[count] = item.ledger;
        hn_signed_transaction *content = &contents[count++];
        HN_CHECK(hn_transaction_decode(&content->transaction, &oracle->block, item.raw) == HN_OK);
        content->sender = item.sender;
        hn_transaction_hash(&content->hash, &content->transaction);
    }
    for (uint32_t ledger = 0; ledger < oracle->options.ledgers; ledger++) {
        const hn_signed_transaction *items[ITEMS_MAX];
        uint32_t of_ledger = 0;
        for (uint32_t i = 0; i < count; i++)
            if (ledger_of[i] == ledger)
                items[of_ledger++] = &contents[i];
        if (of_ledger != 0)
            execute_part(oracle, ledger, index, reader.timestamp_ns / 1000000000u, items, of_ledger);
    }
    hn_arena_reset(&oracle->block);
}

void hn_sim_oracle_advance(hn_sim_oracle *oracle, uint64_t index)
{
    if (index > oracle->last_index) {
        fail(oracle, "frame %" PRIu64 " is said to be durable, but %" PRIu64 " is the last one", index,
             oracle->last_index);
        return;
    }
    while (oracle->advanced < index)
        execute_frame(oracle, ++oracle->advanced);
}

/* --- comparing
 * ---------------------------------------------------------------------------------------------- */

/* The newest block that frames up to `index` made. */
static uint64_t block_at(const oracle_ledger *ledger, uint64_t index)
{
    uint64_t number = ledger->last;
    while (number > 0 && ledger->blocks[number].frame_index > index)
        number--;
    return number;
}

static void compare_blocks(hn_sim_oracle *oracle, hn_history_reader *reader, uint32_t index, uint64_t last)
{
    const oracle_ledger *ledger = &oracle->ledgers[index];
    uint64_t oldest = 0;
    if (hn_history_oldest(reader, &oldest, index) != HN_OK)
        fail(oracle, "ledger %" PRIu32 ": the history has no oldest block", index);
    for (uint64_t number = last; number > 0 && number >= oldest && number + 20 > last; number--) {
        hn_history_block block;
        if (hn_history_block_at(reader, &block, index, number) != HN_OK)
            fail(oracle, "ledger %" PRIu32 ": the history has no block %" PRIu64, index, number);
        else if (!hn_hash_equal(&block.hash, &ledger->blocks[number].hash))
            fail(oracle, "ledger %" PRIu32 ": another block %" PRIu64 " is in the history", index, number);
    }
}

static void compare_history(hn_sim_oracle *oracle, hn_history_reader *reader, uint32_t index, uint64_t last)
{
    uint64_t first, newest;
    if (hn_history_range(reader, &first, &newest, index) != HN_OK || newest != last)
        fail(oracle, "ledger %" PRIu32 ": the history does not end with block %" PRIu64, index, last);
    else
        compare_blocks(oracle, reader, index, last);
}

static void compare_head(hn_sim_oracle *oracle, const hn_node_ledger *of, uint64_t number)
{
    const kept_block *wanted = &oracle->ledgers[of->index].blocks[number];
    hn_hash hash, root;
    const hn_header *head = hn_sealer_head(of->sealer, &hash);
    if (head->number != number)
        fail(oracle, "%s stands on block %" PRIu64 " instead of %" PRIu64, of->name, head->number, number);
    else if (number != 0 && !hn_hash_equal(&head->receipts_root, &wanted->receipts_root))
        fail(oracle, "%s: block %" PRIu64 " has other receipts", of->name, number);
    else if (number != 0 && !hn_hash_equal(&head->state_root, &wanted->state_root))
        fail(oracle, "%s: block %" PRIu64 " has another state root", of->name, number);
    else if (!hn_hash_equal(&hash, &wanted->hash))
        fail(oracle, "%s: block %" PRIu64 " has another hash", of->name, number);
    if (hn_ledger_head(of->executor)->number != number)
        fail(oracle, "%s: the executor stands on another block", of->name);
    hn_state_trie *trie;
    HN_CHECK(hn_state_trie_create(&trie, 99) == HN_OK);
    hn_err err = hn_state_trie_build(trie, &root, hn_ledger_flat(of->executor));
    if (err != HN_OK || !hn_hash_equal(&root, &head->state_root))
        fail(oracle, "%s: the executor's state is not that of block %" PRIu64, of->name, number);
    hn_state_trie_destroy(trie);
}

/* Plain arithmetic over what was included. */
static void compare_sums(hn_sim_oracle *oracle, const hn_node_ledger *of, uint64_t last_block)
{
    uint64_t sums[HN_SIM_SINKS] = {0}, counts[HN_SIM_SENDERS] = {0};
    size_t count;
    const hn_sim_transaction *all = hn_sim_traffic_all(oracle->options.traffic, &count);
    for (size_t i = 0; i < count; i++) {
        if (all[i].ledger != of->index || !all[i].is_included || all[i].included_in > last_block)
            continue;
        if (all[i].is_good != (all[i].deed != HN_SIM_REVERT))
            fail(oracle, "%s: a transaction has the wrong outcome", of->name);
        sums[all[i].sink] += all[i].deed == HN_SIM_TRANSFER ? all[i].value : 0;
        counts[all[i].sender] += all[i].deed == HN_SIM_COUNT_UP;
    }
    for (uint32_t i = 0; i < HN_SIM_SINKS; i++) {
        hn_account account = {.nonce = 0};
        (void)hn_ledger_account(of->executor, &account, hn_sim_traffic_sink(oracle->options.traffic, i));
        hn_u256 wanted = hn_u256_of(sums[i]);
        if (!hn_u256_equal(&account.balance, &wanted))
            fail(oracle, "%s: sink %" PRIu32 " has another balance than was sent there", of->name, i);
    }
    for (uint32_t i = 0; i < HN_SIM_SENDERS; i++) {
        uint8_t key_bytes[32] = {0};
        memcpy(key_bytes + 12, hn_sim_traffic_sender(oracle->options.traffic, i)->b, 20);
        hn_u256 key = hn_u256_from_be(key_bytes), value, wanted = hn_u256_of(counts[i]);
        hn_flat_storage(hn_ledger_flat(of->executor), &value, &hn_sim_counter, &key);
        if (!hn_u256_equal(&value, &wanted))
            fail(oracle, "%s: the counter of sender %" PRIu32 " is wrong", of->name, i);
    }
}

void hn_sim_oracle_compare(hn_sim_oracle *oracle, hn_node *node, uint64_t index)
{
    hn_sim_oracle_advance(oracle, index);
    hn_history_reader *reader;
    HN_CHECK(hn_history_reader_create(&reader, node->history) == HN_OK);
    bool can_read = hn_history_read_begin(reader) == HN_OK;
    if (!can_read)
        fail(oracle, "the history cannot be read");
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        const hn_node_ledger *of = node->ledgers[i];
        uint64_t number = block_at(&oracle->ledgers[i], index);
        compare_head(oracle, of, number);
        compare_sums(oracle, of, number);
        if (can_read)
            compare_history(oracle, reader, i, number);
    }
    if (can_read)
        hn_history_read_end(reader);
    hn_history_reader_destroy(reader);
}

void hn_sim_oracle_compare_published(hn_sim_oracle *oracle, hn_node *node)
{
    uint64_t durable = hn_log_durable_index(node->log), first, newest;
    hn_sim_oracle_advance(oracle, durable);
    hn_history_reader *reader;
    HN_CHECK(hn_history_reader_create(&reader, node->history) == HN_OK);
    bool can_read = hn_history_read_begin(reader) == HN_OK;
    for (uint32_t i = 0; can_read && i < node->ledger_count; i++) {
        if (hn_history_range(reader, &first, &newest, i) != HN_OK)
            fail(oracle, "ledger %" PRIu32 ": the history is empty", i);
        else if (newest > block_at(&oracle->ledgers[i], durable))
            fail(oracle, "ledger %" PRIu32 ": readers see block %" PRIu64 ", which is not durable", i,
                 newest);
        else
            compare_blocks(oracle, reader, i, newest);
    }
    if (can_read)
        hn_history_read_end(reader);
    hn_history_reader_destroy(reader);
}

void hn_sim_oracle_check_acknowledged(hn_sim_oracle *oracle, uint64_t index)
{
    hn_sim_oracle_advance(oracle, index);
    size_t count;
    const hn_sim_transaction *all = hn_sim_traffic_all(oracle->options.traffic, &count);
    for (size_t i = 0; i < count; i++) {
        const hn_sim_transaction *one = &all[i];
        if (!one->is_acknowledged)
            continue;
        if (!one->is_included)
            fail(oracle,
                 "lost: ledger %" PRIu32 ", sender %" PRIu32 ", nonce %" PRIu64
                 " was acknowledged in block %" PRIu64,
                 one->ledger, one->sender, one->nonce, one->block_number);
        else if (one->included_in != one->block_number || one->is_good != one->has_succeeded)
            fail(oracle,
                 "ledger %" PRIu32 ", sender %" PRIu32 ", nonce %" PRIu64 ": block %" PRIu64
                 " was told, it is %" PRIu64,
                 one->ledger, one->sender, one->nonce, one->block_number, one->included_in);
    }
}

uint64_t hn_sim_oracle_digest(const hn_sim_oracle *oracle)
{
    return oracle->digest;
}

uint64_t hn_sim_oracle_advanced(const hn_sim_oracle *oracle)
{
    return oracle->advanced;
}
