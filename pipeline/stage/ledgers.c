/* The ledgers of a node: opened from genesis or snapshot, saved to snapshots. */
#include "pipeline/stage/ledgers.h"

#include "engine/base/check.h"
#include "engine/base/hash_table.h"
#include "engine/chain/ancestry.h"
#include "pipeline/core/placement.h"
#include "pipeline/history/reader.h"
#include "shard/store/ways_back.h"

#include <stdio.h>
#include <stdlib.h>

static hn_err read_genesis(hn_node *node, hn_node_ledger *ledger, hn_node_problem *problem, hn_bytes json)
{
    hn_genesis_problem why = {.text = ""};
    ledger->is_bare = false;
    hn_err err = json.size == 0 ? hn_genesis_development(&ledger->genesis, &node->boot_arena)
                                : hn_genesis_read(&ledger->genesis, &why, &node->boot_arena, json);
    if (err != HN_OK)
        snprintf(problem->text, sizeof problem->text, "ledger %s: genesis: %s", ledger->name,
                 why.text[0] != '\0' ? why.text : hn_err_text(err));
    return err;
}

static hn_history_source source_of(hn_bytes json)
{
    hn_checksum sum = hn_checksum_of(json.data, json.size);
    return (hn_history_source){.words = {sum.low, sum.high, json.size}};
}

/* With a snapshot, a genesis file that the history's genesis block was made from need not become a state
 * again: all but its accounts is read. False: it must. */
static bool read_bare_genesis(hn_node *node, hn_node_ledger *ledger)
{
    uint64_t newest;
    unsigned count = 0;
    hn_bytes outline;
    hn_header header;
    hn_hash hash, computed;
    hn_history_source source = source_of(ledger->genesis_json);
    if (ledger->genesis_json.size == 0 ||
        hn_snapshot_list(&node->io, &newest, &count, 1, ledger->name) != HN_OK || count == 0 ||
        hn_history_find_genesis(node->history, &header, &hash, &node->boot_arena, ledger->name, &source) !=
            HN_OK ||
        hn_genesis_outline(&outline, &node->boot_arena, ledger->genesis_json) != HN_OK ||
        hn_genesis_read(&ledger->genesis, NULL, &node->boot_arena, outline) != HN_OK)
        return false;
    ledger->genesis.header.state_root = header.state_root;
    hn_header_hash(&computed, &ledger->genesis.header);
    ledger->is_bare = hn_hash_equal(&computed, &hash);
    return ledger->is_bare;
}

/* A datagram names its ledger by chain id alone. */
static hn_err check_chain_id(const hn_node *node, const hn_node_ledger *ledger, hn_node_problem *problem)
{
    for (uint32_t i = 0; i < ledger->index; i++) {
        if (node->ledgers[i]->genesis.config.chain_id == ledger->genesis.config.chain_id) {
            snprintf(problem->text, sizeof problem->text, "ledgers %s and %s have the same chain id %llu",
                     node->ledgers[i]->name, ledger->name,
                     (unsigned long long)ledger->genesis.config.chain_id);
            return HN_ERR_EXISTS;
        }
    }
    return HN_OK;
}

/* What is filled from now on is for this core; NULL: for whoever fills it. */
static void work_for(const hn_node *node, const hn_core *core)
{
    int numa_node = -1;
    for (uint32_t i = 0; core != NULL && i < node->core_count; i++)
        if (node->cores[i] == core)
            numa_node = hn_placement_node_of(node->lcores[i]);
    hn_placement_prefer(numa_node);
}

/* Executor and sealer, on the genesis block. */
static hn_err make_state(hn_node_ledger *ledger, uint64_t table_seed)
{
    hn_ledger_options executor_options = {
        .profile = ledger->is_strict ? HN_PROFILE_STRICT : HN_PROFILE_FAST,
        .table_seed = table_seed,
        .avoids_fast_paths = ledger->node->options.avoids_fast_paths,
        .imports_own_blocks = true,
        .port = {.self = ledger, .await_block_hash = hn_node_await_block_hash},
    };
    work_for(ledger->node, ledger->node->shards[ledger->shard]->core);
    HN_TRY(hn_ledger_create(&ledger->executor, &ledger->genesis, &executor_options));
    work_for(ledger->node, ledger->node->back);
    HN_TRY(ledger->is_bare ? hn_sealer_create_bare(&ledger->sealer, &ledger->genesis.header, table_seed)
                           : hn_sealer_create(&ledger->sealer, &ledger->genesis, table_seed));
    hn_sealer_head(ledger->sealer, &ledger->genesis_hash);
    hn_ledger_note_sealed(ledger->executor, 0, &ledger->genesis_hash);
    hn_node_set_gas_limit(ledger);
    return HN_OK;
}

static void drop_state(hn_node_ledger *ledger)
{
    if (ledger->sealer != NULL)
        hn_sealer_destroy(ledger->sealer);
    if (ledger->executor != NULL)
        hn_ledger_destroy(ledger->executor);
    ledger->sealer = NULL;
    ledger->executor = NULL;
}

/* There is no snapshot after all. */
static hn_err make_whole(hn_node *node, hn_node_ledger *ledger, hn_node_problem *problem, uint64_t table_seed)
{
    hn_hash before = ledger->genesis_hash;
    drop_state(ledger);
    HN_TRY(read_genesis(node, ledger, problem, ledger->genesis_json));
    HN_TRY(make_state(ledger, table_seed));
    if (hn_hash_equal(&before, &ledger->genesis_hash))
        return HN_OK;
    snprintf(problem->text, sizeof problem->text,
             "ledger %s: the genesis file is not the one that the data directory was made with",
             ledger->name);
    return HN_ERR_MISMATCH;
}

hn_err hn_node_add_ledger(hn_node *node, hn_node_problem *problem, const hn_node_ledger_options *options,
                          uint64_t table_seed)
{
    HN_CHECK(node->ledger_count < HN_LEDGERS_MAX);
    hn_node_ledger *ledger = aligned_alloc(_Alignof(hn_node_ledger), sizeof *ledger);
    if (ledger == NULL)
        return HN_ERR_NO_MEMORY;
    memset(ledger, 0, sizeof *ledger);
    ledger->node = node;
    snprintf(ledger->name, sizeof ledger->name, "%s", options->name);
    node->ledgers[node->ledger_count++] = ledger;
    HN_TRY(options->shard >= 0 ? hn_map_add_on(&node->map, &ledger->index, (uint32_t)options->shard)
                               : hn_map_add(&node->map, &ledger->index));
    ledger->shard = hn_map_shard(&node->map, ledger->index);
    ledger->genesis_json = options->genesis_json;
    ledger->is_strict = options->is_strict;
    if (!read_bare_genesis(node, ledger))
        HN_TRY(read_genesis(node, ledger, problem, options->genesis_json));
    HN_TRY(check_chain_id(node, ledger, problem));
    HN_TRY(make_state(ledger, table_seed));
    hn_pool_limits limits = node->options.pool;
    uint32_t share = HN_POOLED_MAX / node->options.ledger_count;
    if (limits.transactions == 0 || limits.transactions > share)
        limits.transactions = share;
    return hn_pool_create(&ledger->pool, &limits, table_seed);
}

void hn_node_remove_ledgers(hn_node *node)
{
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        hn_node_ledger *ledger = node->ledgers[i];
        if (ledger->pool != NULL)
            hn_pool_destroy(ledger->pool);
        drop_state(ledger);
        free(ledger);
    }
    node->ledger_count = 0;
}

static void warn(void *self, const char *text)
{
    (void)self;
    fprintf(stderr, "hanse: %s\n", text);
}

/* Sets the hashes that executors and readers start from: of head.number, head.number - 1, ... */
static void set_hashes(hn_node_ledger *ledger, uint64_t number, const hn_hash *hashes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        ledger->sealed.hashes[(number - i) % HN_SEALED_HASHES] = hashes[i];
    atomic_store(&ledger->sealed.number, number);
    atomic_store(&ledger->executed_number, number);
    atomic_store(&ledger->published_number, number);
    atomic_store(&ledger->visible_number, number);
    atomic_store(&ledger->wake_number, UINT64_MAX);
    ledger->noted_number = number;
}

void hn_node_note_block(hn_node_ledger *ledger, const hn_executed_block *block)
{
    uint64_t number = block->header.number;
    ledger->sealed.hashes[number % HN_SEALED_HASHES] = block->hash;
    atomic_store(&ledger->sealed.number, number);
    atomic_store(&ledger->executed_number, number);
    atomic_store(&ledger->published_number, number);
    atomic_store(&ledger->visible_number, number);
}

/* Blocks move from the limit of the one before, which may have been imported, to the genesis's; so the lower
 * of the two is never too much. */
void hn_node_set_gas_limit(hn_node_ledger *ledger)
{
    uint64_t wanted = ledger->genesis.header.gas_limit;
    uint64_t newest = hn_ledger_head(ledger->executor)->gas_limit;
    uint64_t limit = wanted < newest ? wanted : newest;
    if (atomic_load_explicit(&ledger->block_gas_limit, memory_order_relaxed) != limit)
        atomic_store_explicit(&ledger->block_gas_limit, limit, memory_order_relaxed);
}

/* Blocks of proof of work may have uncles among the last blocks before the snapshot. */
static hn_err note_ancestors(hn_node *node, hn_node_ledger *ledger, uint64_t head)
{
    hn_history_reader *reader;
    HN_TRY(hn_history_reader_create(&reader, node->history));
    hn_err err = hn_history_read_begin(reader);
    bool is_reading = err == HN_OK;
    uint64_t number = head < HN_ANCESTRY_GENERATIONS ? 0 : head - HN_ANCESTRY_GENERATIONS + 1;
    for (; err == HN_OK && number <= head; number++) {
        hn_history_block block;
        hn_header uncles[HN_UNCLES_MAX];
        err = hn_history_block_at(reader, &block, ledger->index, number);
        if (err == HN_ERR_NOT_FOUND && number != head) {
            err = HN_OK; /* given up with the beginning of the log */
            continue;
        }
        if (err == HN_OK && block.uncle_count > HN_UNCLES_MAX)
            err = HN_ERR_CORRUPT;
        for (uint32_t i = 0; err == HN_OK && i < block.uncle_count; i++)
            err = hn_history_uncle(&uncles[i], &block, i);
        if (err == HN_OK)
            hn_ledger_note_ancestor(ledger->executor, &block.hash, &block.header, uncles, block.uncle_count);
    }
    if (is_reading)
        hn_history_read_end(reader);
    hn_history_reader_destroy(reader);
    return err;
}

/* A snapshot is only of use when the history reaches as far: what lies before it would otherwise be missing
 * there, and replaying the whole log makes both. */
static bool history_reaches(const hn_node *node, const hn_node_ledger *ledger, uint64_t number)
{
    uint64_t last = 0;
    hn_hash hash;
    return hn_history_last_block(node->history, ledger->index, &last, &hash) == HN_OK && last >= number;
}

/* False: the log is not the one that this snapshot was made beside, or has given up frames that are missing
 * in it. What the log does not tell (it ends before, or does not check out there) is told when it is
 * replayed. */
static bool fits_log(const hn_node *node, const hn_node_ledger *ledger, const hn_way_back *way)
{
    char file[HN_LOG_FILE_NAME_MAX];
    hn_hash chain;
    if (way->log_index + 1 < hn_log_first_index(node->log))
        return false;
    if (!way->has_chain || hn_log_find_chain(node->log, &chain, file, way->log_index) != HN_OK ||
        hn_hash_equal(&chain, &way->chain))
        return true;
    fprintf(
        stderr,
        "hanse: snapshot %s-%020llu.snapshot does not belong to this log: the chain value at frame %llu is "
        "another in %s; looking for an older way back\n",
        ledger->name, (unsigned long long)way->log_index, (unsigned long long)way->log_index, file);
    return false;
}

/* HN_ERR_CORRUPT: this one is of no use, which has been told; there may be an older one. */
static hn_err restore_way(hn_node *node, hn_node_ledger *ledger, hn_node_problem *problem,
                          hn_snapshot_info *info, uint64_t table_seed, hn_ways_back *ways, unsigned at)
{
    hn_snapshot_problem why = {.text = ""};
    hn_flat *flat = NULL;
    work_for(node, node->shards[ledger->shard]->core);
    hn_err err = hn_snapshot_load_way(&node->io, &why, info, &flat, &node->boot_arena, ledger->name, ways, at,
                                      table_seed);
    if (err == HN_ERR_NO_MEMORY) {
        snprintf(problem->text, sizeof problem->text, "ledger %s: snapshot: %s", ledger->name,
                 hn_err_text(err));
        return err;
    }
    if (err != HN_OK) {
        warn(NULL, why.text);
        return HN_ERR_CORRUPT;
    }
    if (!hn_hash_equal(&info->genesis_hash, &ledger->genesis_hash)) {
        snprintf(problem->text, sizeof problem->text,
                 "ledger %s: its snapshot belongs to another genesis; is this the right data directory?",
                 ledger->name);
        hn_flat_destroy(flat);
        return HN_ERR_MISMATCH;
    }
    work_for(node, node->back);
    err = hn_sealer_restore(ledger->sealer, flat, &info->head);
    if (err == HN_ERR_MISMATCH) {
        fprintf(stderr, "hanse: %s-%020llu.snapshot: the state is not that of its block\n", ledger->name,
                (unsigned long long)ways->items[at].log_index);
        hn_ways_back_mark_bad(ways, at);
        hn_flat_destroy(flat);
        return HN_ERR_CORRUPT;
    }
    if (err != HN_OK) {
        snprintf(problem->text, sizeof problem->text, "ledger %s: snapshot at block %llu: %s", ledger->name,
                 (unsigned long long)info->head.number, hn_err_text(err));
        hn_flat_destroy(flat);
        return err;
    }
    return hn_ledger_restore(ledger->executor, flat, &info->head, info->recent_hashes,
                             info->recent_hash_count);
}

/* True when frames with this ledger may have been given up: then it cannot begin with its genesis. */
static bool needs_snapshot(const hn_node *node, const hn_node_ledger *ledger)
{
    return ledger->index < hn_log_begin_note(node->log);
}

/* The log gave up its beginning, and the history was lost: it begins again, behind the oldest way back, so
 * that as much of it comes back as the log has. */
static hn_err restore_oldest(hn_node *node, hn_node_ledger *ledger, hn_node_problem *problem,
                             hn_snapshot_info *info, uint64_t table_seed, hn_ways_back *ways)
{
    hn_err err = HN_ERR_NOT_FOUND;
    for (unsigned i = ways->count; (err == HN_ERR_NOT_FOUND || err == HN_ERR_CORRUPT) && i-- > 0;)
        if (!ways->items[i].is_bad && fits_log(node, ledger, &ways->items[i]))
            err = restore_way(node, ledger, problem, info, table_seed, ways, i);
    if (err == HN_ERR_NOT_FOUND || err == HN_ERR_CORRUPT) {
        snprintf(problem->text, sizeof problem->text,
                 "ledger %s: no snapshot is good, and the log gave up what lies before frame %llu: restore a "
                 "backup",
                 ledger->name, (unsigned long long)hn_log_first_index(node->log));
        return HN_ERR_CORRUPT;
    }
    HN_TRY(err);
    hn_hash hash;
    const hn_header *head = hn_sealer_head(ledger->sealer, &hash);
    fprintf(stderr,
            "hanse: ledger %s: the block history is not complete, and the log gave up what lies before frame "
            "%llu: the history begins again behind block %llu\n",
            ledger->name, (unsigned long long)hn_log_first_index(node->log),
            (unsigned long long)head->number);
    return hn_history_begin_behind(node->history, ledger->index, head, &hash);
}

/* The history was lost, and making it again from the whole log would hold up the start: it begins again
 * behind a snapshot. Not the newest one when there is another: clients then find their newest blocks and
 * outcomes. HN_ERR_NOT_FOUND, HN_ERR_CORRUPT: that cannot be. */
static hn_err restore_behind(hn_node *node, hn_node_ledger *ledger, hn_node_problem *problem,
                             hn_snapshot_info *info, uint64_t table_seed, hn_ways_back *ways)
{
    hn_err err = HN_ERR_NOT_FOUND;
    for (unsigned i = 0; (err == HN_ERR_NOT_FOUND || err == HN_ERR_CORRUPT) && i < ways->count; i++) {
        unsigned at = i < 2 && ways->count > 1 ? 1 - i : i;
        if (!ways->items[at].is_bad && fits_log(node, ledger, &ways->items[at]))
            err = restore_way(node, ledger, problem, info, table_seed, ways, at);
    }
    HN_TRY(err);
    if (!hn_u256_is_zero(&info->head.difficulty)) {
        ledger->is_bare = true; /* blocks of proof of work need their ancestors: no use without the history */
        return HN_ERR_NOT_FOUND;
    }
    fprintf(stderr,
            "hanse: ledger %s: the block history is not complete, and making it again takes long: it begins "
            "again behind block %llu; when the node is stopped, `hanse reindex` makes all of it\n",
            ledger->name, (unsigned long long)info->head.number);
    hn_hash hash;
    const hn_header *head = hn_sealer_head(ledger->sealer, &hash);
    return hn_history_begin_behind(node->history, ledger->index, head, &hash);
}

/* Replaying as much of the log would hold up the start. */
static bool is_long_ago(const hn_node *node, const hn_ways_back *ways)
{
    return ways->count != 0 &&
           hn_log_bytes_before(node->log, ways->items[0].log_index) > node->options.history_rebuild_bytes;
}

/* The newest way back that the log and the history go with. */
static hn_err choose_way(hn_node *node, hn_node_ledger *ledger, hn_node_problem *problem,
                         hn_snapshot_info *info, uint64_t table_seed, hn_ways_back *ways)
{
    bool is_history_short = false;
    hn_err err = HN_ERR_NOT_FOUND;
    for (unsigned i = 0; (err == HN_ERR_NOT_FOUND || err == HN_ERR_CORRUPT) && i < ways->count; i++) {
        if (ways->items[i].is_bad)
            continue;
        if (!history_reaches(node, ledger, ways->items[i].block_number)) {
            is_history_short = true;
            continue;
        }
        if (fits_log(node, ledger, &ways->items[i]))
            err = restore_way(node, ledger, problem, info, table_seed, ways, i);
        node->snapshots_refused += err != HN_OK;
    }
    if (err != HN_ERR_NOT_FOUND && err != HN_ERR_CORRUPT)
        return err;
    if (needs_snapshot(node, ledger))
        return restore_oldest(node, ledger, problem, info, table_seed, ways);
    if (is_history_short && is_long_ago(node, ways)) {
        err = restore_behind(node, ledger, problem, info, table_seed, ways);
        if (err != HN_ERR_NOT_FOUND && err != HN_ERR_CORRUPT)
            return err;
    }
    if (is_history_short)
        warn(NULL,
             "the block history is not complete: replaying the whole log instead of starting at a snapshot");
    else if (err == HN_ERR_CORRUPT)
        fprintf(stderr, "hanse: ledger %s: no snapshot is good: replaying the whole log instead\n",
                ledger->name);
    return HN_ERR_NOT_FOUND;
}

static hn_err restore_snapshot(hn_node *node, hn_node_ledger *ledger, hn_node_problem *problem,
                               hn_snapshot_info *info, uint64_t table_seed)
{
    hn_ways_back ways;
    HN_TRY(hn_snapshot_clean(&node->io, ledger->name));
    HN_TRY(hn_ways_back_list(&ways, &node->io, ledger->name, warn, NULL));
    hn_err err = choose_way(node, ledger, problem, info, table_seed, &ways);
    hn_ways_back_free(&ways);
    return err == HN_OK ? note_ancestors(node, ledger, info->head.number) : err;
}

hn_err hn_node_open_ledger(hn_node *node, hn_node_problem *problem, hn_node_ledger *ledger,
                           uint64_t table_seed)
{
    hn_hash head_hash;
    const hn_header *genesis = hn_sealer_head(ledger->sealer, &head_hash);
    HN_TRY(hn_history_add_ledger(node->history, ledger->index, ledger->name, genesis, &ledger->genesis_hash));
    if (!ledger->is_bare && ledger->genesis_json.size != 0) {
        hn_history_source source = source_of(ledger->genesis_json);
        /* It only saves time. */
        hn_err noted = hn_history_note_source(node->history, ledger->index, ledger->name, &source);
        (void)noted;
    }
    hn_snapshot_info *info = calloc(1, sizeof *info);
    if (info == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = restore_snapshot(node, ledger, problem, info, table_seed);
    if (err == HN_OK) {
        ledger->snapshot_index = info->log_index;
    } else if (err == HN_ERR_NOT_FOUND) {
        err = ledger->is_bare ? make_whole(node, ledger, problem, table_seed) : HN_OK;
        if (err == HN_OK)
            info->head = *hn_sealer_head(ledger->sealer, &head_hash);
        info->recent_hashes[0] = ledger->genesis_hash;
        info->recent_hash_count = 1;
    }
    if (err == HN_OK) {
        set_hashes(ledger, info->head.number, info->recent_hashes, info->recent_hash_count);
        err = hn_query_engine_add_ledger(node->query_engine, ledger->index, &ledger->genesis.config,
                                         hn_ledger_flat(ledger->executor), &info->head, info->recent_hashes,
                                         info->recent_hash_count);
        if (err == HN_OK)
            hn_query_engine_set_sealer(node->query_engine, ledger->index, ledger->sealer);
    }
    work_for(node, NULL);
    free(info);
    return err;
}

hn_err hn_node_save_ledger(hn_node *node, hn_node_ledger *ledger, uint64_t log_index)
{
    hn_snapshot_info *info = calloc(1, sizeof *info);
    if (info == NULL)
        return HN_ERR_NO_MEMORY;
    hn_hash head_hash;
    info->head = *hn_sealer_head(ledger->sealer, &head_hash);
    /* The last blocks may have been executed before the hashes were known that they store (EIP-2935). */
    hn_node_note_sealed(ledger);
    if (hn_ledger_head(ledger->executor)->number != info->head.number) {
        free(info);
        return HN_ERR_AGAIN; /* something executed is not sealed */
    }
    info->chain_id = ledger->genesis.config.chain_id;
    info->genesis_hash = ledger->genesis_hash;
    info->log_index = log_index;
    if (node->log != NULL) {
        info->has_chain = hn_log_chain_at(node->log, &info->chain, info->log_index);
    } else {
        info->chain = node->log_view.closed_chain;
        info->has_chain = info->log_index == node->closed_log_index && !hn_hash_is_zero(&info->chain);
    }
    snprintf(info->ledger_name, sizeof info->ledger_name, "%s", ledger->name);
    uint64_t number = info->head.number;
    uint64_t known = number + 1 < HN_SNAPSHOT_HASHES_MAX ? number + 1 : HN_SNAPSHOT_HASHES_MAX;
    info->recent_hash_count = (uint32_t)known;
    for (uint32_t i = 0; i < info->recent_hash_count; i++)
        info->recent_hashes[i] = ledger->sealed.hashes[(number - i) % HN_SEALED_HASHES];
    hn_snapshot_problem why = {.text = ""};
    hn_err err = hn_snapshot_write(&node->io, &why, info, hn_ledger_flat(ledger->executor));
    if (err == HN_OK)
        err = hn_snapshot_retire(&node->io, ledger->name, node->options.snapshots_kept, log_index, NULL);
    else
        fprintf(stderr, "hanse: ledger %s: no snapshot: %s; the log has everything\n", ledger->name,
                why.text);
    free(info);
    return err;
}
