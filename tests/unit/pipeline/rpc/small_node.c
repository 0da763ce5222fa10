#include "tests/unit/pipeline/rpc/small_node.h"

#include "engine/base/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* h2o 2.2 keeps about 12 KB per thread for use again and has no way to give it back, and forgets a queue's 88
 * bytes. LeakSanitizer asks this function. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:h2o_mem_alloc_recycle\nleak:h2o_multithread_create_queue\n";
}

/* --- the backend's face --- */

static hn_err submit(void *self, uint32_t ledger, hn_bytes raw, const hn_address *hint, hn_reply_level level,
                     uint64_t token)
{
    small_node *node = self;
    (void)level;
    if (raw.size > HN_PENDING_RAW_BYTES_MAX)
        return HN_ERR_LIMIT;
    if (atomic_load(&node->is_full) || node->reply_count == SMALL_NODE_OUT_MAX)
        return HN_ERR_AGAIN;
    node->last_hint = hint != NULL ? *hint : (hn_address){{0}};
    hn_reply *reply = &node->replies[node->reply_count++];
    if (atomic_load(&node->has_forced_reply))
        *reply = (hn_reply){.ledger = ledger,
                            .verdict = node->forced_verdict,
                            .reject = node->forced_reject,
                            .sender = node->forced_sender,
                            .block_number = node->forced_block};
    else
        small_node_execute(node, reply, ledger, raw);
    reply->token = token;
    atomic_fetch_add(&node->submitted, 1);
    if (!atomic_load(&node->holds_back))
        small_node_wake(node);
    return HN_OK;
}

/* The pool of this node is always empty. */
static void answer_for_pool(small_node *node, hn_query *query)
{
    hn_account account;
    query->err = HN_OK;
    switch (query->kind) {
    case HN_QUERY_PENDING_NONCE:
        query->nonce = hn_ledger_account(node->ledgers[query->ledger].ledger, &account, &query->address)
                           ? account.nonce
                           : 0;
        break;
    case HN_QUERY_PENDING_TRANSACTION:
        query->err = HN_ERR_NOT_FOUND;
        break;
    default:
        break;
    }
}

static hn_err ask(void *self, hn_query *query)
{
    small_node *node = self;
    if (atomic_load(&node->is_full) || node->out_count == SMALL_NODE_OUT_MAX)
        return HN_ERR_AGAIN;
    if (hn_query_place_of(query->kind) == HN_QUERY_PLACE_FRONT)
        answer_for_pool(node, query);
    else
        hn_query_run(node->queries, query);
    node->out[node->out_count++] = query;
    if (!atomic_load(&node->holds_back))
        small_node_wake(node);
    return HN_OK;
}

static size_t poll_replies(void *self, hn_reply *out, size_t capacity)
{
    small_node *node = self;
    if (atomic_load(&node->holds_back))
        return 0;
    size_t count = node->reply_count < capacity ? node->reply_count : capacity;
    memcpy(out, node->replies, count * sizeof *out);
    memmove(node->replies, node->replies + count, (node->reply_count - count) * sizeof *out);
    node->reply_count -= count;
    return count;
}

static size_t poll_queries(void *self, hn_query **out, size_t capacity)
{
    small_node *node = self;
    if (atomic_load(&node->holds_back))
        return 0;
    size_t count = node->out_count < capacity ? node->out_count : capacity;
    memcpy(out, node->out, count * sizeof(hn_query *));
    memmove(node->out, node->out + count, (node->out_count - count) * sizeof(hn_query *));
    node->out_count -= count;
    return count;
}

static int wake_file(void *self)
{
    return ((small_node *)self)->wake_file;
}

static uint64_t visible_block(void *self, uint32_t ledger)
{
    (void)ledger;
    return atomic_load(&((small_node *)self)->visible);
}

static void wake_at(void *self, uint32_t ledger, uint64_t block)
{
    small_node *node = self;
    (void)ledger;
    atomic_store(&node->wished, block);
    if (atomic_load(&node->visible) >= block)
        small_node_wake(node);
}

static void watch(void *self, uint32_t ledger, unsigned what)
{
    ((small_node *)self)->watched[ledger] = what;
}

static size_t poll_pending(void *self, hn_pending_notice *out, size_t capacity)
{
    small_node *node = self;
    size_t count = node->notice_count < capacity ? node->notice_count : capacity;
    memcpy(out, node->notices, count * sizeof *out);
    memmove(node->notices, node->notices + count, (node->notice_count - count) * sizeof *out);
    node->notice_count -= count;
    return count;
}

static uint64_t pending_lost(void *self, uint32_t ledger)
{
    (void)ledger;
    return ((small_node *)self)->notices_lost;
}

static const hn_backend_operations operations = {
    .submit = submit,
    .query = ask,
    .poll_replies = poll_replies,
    .poll_queries = poll_queries,
    .wake_fd = wake_file,
    .visible_block = visible_block,
    .wake_at = wake_at,
    .watch = watch,
    .poll_pending = poll_pending,
    .pending_lost = pending_lost,
};

void small_node_announce(small_node *node, uint32_t ledger, const hn_hash *hash, const hn_address *sender,
                         hn_bytes raw)
{
    HN_CHECK(node->notice_count < SMALL_NODE_NOTICES_MAX);
    hn_pending_notice notice = {.hash = *hash, .sender = *sender, .ledger = ledger};
    if (raw.size != 0) {
        notice.raw = malloc(raw.size);
        HN_CHECK(notice.raw != NULL);
        memcpy(notice.raw, raw.data, raw.size);
        notice.raw_size = (uint32_t)raw.size;
    }
    node->notices[node->notice_count++] = notice;
}

void small_node_wake(small_node *node)
{
    uint64_t one = 1;
    HN_CHECK(write(node->wake_file, &one, sizeof one) == sizeof one);
}

/* --- execution --- */

static void note_block(small_node *node, uint32_t ledger, hn_executed_block *block)
{
    HN_CHECK(hn_query_engine_note_sealed(node->queries, ledger, block) == HN_OK);
    HN_CHECK(hn_history_commit(node->history) == HN_OK);
}

void small_node_execute(small_node *node, hn_reply *reply, uint32_t ledger, hn_bytes raw)
{
    small_ledger *target = &node->ledgers[ledger];
    hn_signed_transaction signed_transaction;
    *reply = (hn_reply){.origin = HN_ORIGIN_RPC, .ledger = ledger, .verdict = HN_VERDICT_REJECTED};
    hn_arena_reset(&node->block_arena);
    hn_err err = hn_transaction_decode(&signed_transaction.transaction, &node->block_arena, raw);
    if (err != HN_OK) {
        reply->reject = err == HN_ERR_UNSUPPORTED ? HN_REJECT_TYPE_NOT_SUPPORTED : HN_REJECT_MALFORMED;
        return;
    }
    hn_transaction_hash(&signed_transaction.hash, &signed_transaction.transaction);
    reply->hash = signed_transaction.hash;
    if (hn_transaction_sender(&signed_transaction.sender, node->signatures, &node->block_arena,
                              &signed_transaction.transaction, true) != HN_OK) {
        reply->reject = HN_REJECT_INVALID_SIGNATURE;
        return;
    }
    const hn_signed_transaction *list[1] = {&signed_transaction};
    hn_batch batch = {.timestamp = node->timestamp, .transactions = list, .transaction_count = 1};
    hn_executed_block block;
    HN_CHECK(hn_ledger_execute(target->ledger, &block, &node->block_arena, node->evm, node->signatures,
                               &batch) == HN_OK);
    if (block.is_empty) {
        reply->reject = block.outcomes[0].reject;
        if (reply->reject == HN_REJECT_NONCE_TOO_HIGH)
            reply->verdict = HN_VERDICT_QUEUED; /* as a pool says; this one forgets it */
        return;
    }
    HN_CHECK(hn_sealer_seal(target->sealer, &block) == HN_OK);
    hn_ledger_note_sealed(target->ledger, block.header.number, &block.hash);
    note_block(node, ledger, &block);
    reply->verdict = HN_VERDICT_EXECUTED;
    reply->status = block.results[0].status;
    reply->gas_used = block.results[0].gas_used;
    reply->block_number = block.header.number;
}

void small_node_import(small_node *node, uint32_t ledger, hn_bytes rlp)
{
    hn_executed_block block;
    hn_import_problem problem = {{0}};
    hn_arena_reset(&node->block_arena);
    hn_err err = hn_ledger_import(node->ledgers[ledger].ledger, node->ledgers[ledger].sealer, &block,
                                  &problem, &node->block_arena, node->evm, node->signatures, rlp);
    if (err != HN_OK)
        fprintf(stderr, "import: %s: %s\n", hn_err_text(err), problem.text);
    HN_CHECK(err == HN_OK);
    note_block(node, ledger, &block);
}

/* --- life --- */

small_node *small_node_create(void)
{
    small_node *node = calloc(1, sizeof *node);
    HN_CHECK(node != NULL);
    snprintf(node->directory, sizeof node->directory, "/tmp/hanse-rpc-XXXXXX");
    HN_CHECK(mkdtemp(node->directory) != NULL);
    hn_arena_init(&node->genesis_arena, 0, 0);
    hn_arena_init(&node->block_arena, 0, 0);
    node->timestamp = 1700000000;
    atomic_store(&node->visible, UINT64_MAX);
    node->wake_file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hn_history_options history = {.directory = node->directory, .map_bytes = 1ULL << 32};
    hn_query_options queries = {.window_blocks = 64};
    bool was_wiped;
    HN_CHECK(hn_history_open(&node->history, NULL, &was_wiped, &history) == HN_OK);
    HN_CHECK(hn_precompile_context_create(&node->precompiles) == HN_OK);
    HN_CHECK(hn_signature_context_create(&node->signatures) == HN_OK);
    HN_CHECK(hn_evm_create(&node->evm, node->precompiles, 64 << 20) == HN_OK);
    HN_CHECK(hn_query_engine_create(&node->queries, &queries, node->precompiles, node->signatures,
                                    node->history) == HN_OK);
    node->backend = (hn_backend){
        .operations = &operations,
        .self = node,
        .ledgers = node->described,
        .client_version = "Hanse/v0.0.0/test",
        .history = node->history,
    };
    return node;
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
    (void)stat;
    (void)flag;
    (void)walk;
    return remove(path);
}

void small_node_destroy(small_node *node)
{
    for (uint32_t i = 0; i < node->ledger_count; i++) {
        hn_ledger_destroy(node->ledgers[i].ledger);
        hn_sealer_destroy(node->ledgers[i].sealer);
    }
    hn_query_engine_destroy(node->queries);
    hn_history_close(node->history);
    hn_evm_destroy(node->evm);
    hn_precompile_context_destroy(node->precompiles);
    hn_signature_context_destroy(node->signatures);
    hn_arena_destroy(&node->genesis_arena);
    hn_arena_destroy(&node->block_arena);
    close(node->wake_file);
    nftw(node->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(node);
}

void small_node_add_ledger(small_node *node, const char *name, const hn_genesis *genesis)
{
    uint32_t index = node->ledger_count++;
    small_ledger *ledger = &node->ledgers[index];
    hn_ledger_options options = {.profile = HN_PROFILE_FAST};
    ledger->name = name;
    ledger->genesis = genesis;
    HN_CHECK(hn_ledger_create(&ledger->ledger, genesis, &options) == HN_OK);
    HN_CHECK(hn_sealer_create(&ledger->sealer, genesis, 0) == HN_OK);
    hn_hash hash;
    const hn_header *head = hn_sealer_head(ledger->sealer, &hash);
    hn_ledger_note_sealed(ledger->ledger, head->number, &hash);
    HN_CHECK(hn_history_add_ledger(node->history, index, name, head, &hash) == HN_OK);
    HN_CHECK(hn_query_engine_add_ledger(node->queries, index, &genesis->config,
                                        hn_ledger_flat(ledger->ledger), head, &hash, 1) == HN_OK);
    hn_query_engine_set_sealer(node->queries, index, ledger->sealer);
    node->described[index] =
        (hn_backend_ledger){.name = name, .config = &genesis->config, .genesis_hash = hash};
    node->backend.ledger_count = node->ledger_count;
}

void small_node_add_development_ledger(small_node *node, const char *name)
{
    hn_genesis *genesis = hn_arena_calloc(&node->genesis_arena, 1, sizeof *genesis);
    HN_CHECK(genesis != NULL && hn_genesis_development(genesis, &node->genesis_arena) == HN_OK);
    small_node_add_ledger(node, name, genesis);
}
