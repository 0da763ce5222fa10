#include "engine/base/check.h"
#include "pipeline/history/reader.h"
#include "pipeline/rpc/backend.h"
#include "tests/sim/traffic_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { REPLIES_AT_ONCE = 16, RESENT_DOUBLINGS_MAX = 5 };
static const uint64_t patience_ns = 20000000; /* before something is sent again, for the first time */
static const uint64_t no_patience_ns = 500000;
static const uint64_t held_back_ns = 300000000;

static hn_peer peer_of(uint16_t port)
{
    return (hn_peer){.address = {127, 0, 0, 1}, .port = port, .family = HN_PEER_IPV4};
}

/* --- answers
 * ------------------------------------------------------------------------------------------------ */

static void fail(hn_sim_traffic *traffic, const char *what, const hn_sim_transaction *transaction)
{
    traffic->options.failed(traffic->options.self, what, transaction);
}

/* The client knows the outcome, perhaps once more. */
static void take_outcome(hn_sim_traffic *traffic, hn_sim_transaction *transaction, uint64_t block_number,
                         bool has_succeeded, bool is_visible)
{
    if (transaction->is_acknowledged) {
        if (transaction->block_number != block_number || transaction->has_succeeded != has_succeeded)
            fail(traffic, "another outcome was told than the first time", transaction);
        return;
    }
    transaction->is_acknowledged = true;
    transaction->block_number = block_number;
    transaction->has_succeeded = has_succeeded;
    traffic->options.acknowledged(traffic->options.self, transaction, is_visible);
}

/* Any verdict. Refusals for want of room are repeated; all others must not happen to these transactions. */
static void take_verdict(hn_sim_traffic *traffic, hn_sim_transaction *transaction, hn_verdict verdict,
                         uint8_t detail, uint64_t block_number, bool is_visible)
{
    char what[96];
    switch (verdict) {
    case HN_VERDICT_EXECUTED:
        take_outcome(traffic, transaction, block_number, detail == HN_EVM_SUCCESS, is_visible);
        break;
    case HN_VERDICT_QUEUED:
    case HN_VERDICT_DURABLE:
    case HN_VERDICT_KNOWN:
    case HN_VERDICT_POOL_FULL:
    case HN_VERDICT_SENDER_FULL:
    case HN_VERDICT_BUSY:
    case HN_VERDICT_STOPPED:
        break;
    default:
        if (traffic->may_forget && detail == HN_REJECT_NONCE_TOO_LOW) {
            if (transaction->is_included)
                take_outcome(traffic, transaction, transaction->included_in, transaction->is_good,
                             is_visible);
            break;
        }
        snprintf(what, sizeof what, "the verdict was %s, reason %s", hn_verdict_name(verdict),
                 hn_reject_name((hn_reject)detail));
        fail(traffic, what, transaction);
    }
}

void hn_sim_traffic_let_forget(hn_sim_traffic *traffic)
{
    traffic->may_forget = true;
}

hn_sim_transaction *hn_sim_traffic_find(hn_sim_traffic *traffic, const hn_hash *hash)
{
    for (size_t i = 0; i < traffic->count; i++)
        if (hn_hash_equal(&traffic->transactions[i].hash, hash))
            return &traffic->transactions[i];
    return NULL;
}

static void take_receipt(hn_sim_traffic *traffic, hn_bytes datagram)
{
    hn_wire_receipt receipt;
    hn_wire_header header;
    if (hn_wire_read_header(&header, datagram) != HN_OK || header.type != HN_WIRE_RECEIPT)
        return; /* of a bare datagram's type 6 the header says nothing else */
    if (hn_wire_read_receipt(&receipt, datagram) != HN_OK || receipt.is_short)
        return;
    hn_sim_transaction *transaction = hn_sim_traffic_find(traffic, &receipt.hash);
    if (transaction != NULL)
        take_verdict(traffic, transaction, (hn_verdict)receipt.verdict, receipt.detail, receipt.block_number,
                     false);
}

static void take_wire_result(void *context, uint64_t user, const hn_wire_result *result)
{
    client *of = context;
    hn_sim_transaction *transaction = &of->traffic->transactions[user];
    take_verdict(of->traffic, transaction, (hn_verdict)result->verdict, result->detail, result->block_number,
                 false);
    transaction->is_sent = false; /* by now: what has no outcome goes out again */
    transaction->sent_ns = of->traffic->now_ns;
}

static void send_to_node(void *context, hn_bytes datagram)
{
    client *of = context;
    hn_sim_network_send(of->traffic->options.network, datagram, &of->peer, true, of->traffic->now_ns);
}

/* Hands everything that has arrived to its client. */
static bool deliver(hn_sim_traffic *traffic)
{
    hn_bytes payload;
    hn_peer to;
    bool was_any = false;
    while (hn_sim_network_receive(traffic->options.network, &payload, &to, false, traffic->now_ns)) {
        was_any = true;
        const client *of = NULL;
        for (uint32_t i = 0; i < CLIENTS; i++)
            if (hn_peer_equal(&traffic->clients[i].peer, &to))
                of = &traffic->clients[i];
        if (of != NULL && of->kind == FRAMED)
            hn_wire_client_receive(of->wire, payload, traffic->now_ns);
        else
            take_receipt(traffic, payload);
        free((void *)(uintptr_t)payload.data);
    }
    return was_any;
}

/* --- JSON-RPC's way
 * ----------------------------------------------------------------------------------------- */

static bool poll_replies(hn_sim_traffic *traffic)
{
    const hn_backend *backend = hn_node_backend(traffic->node);
    hn_reply replies[REPLIES_AT_ONCE];
    size_t count = backend->operations->poll_replies(backend->self, replies, REPLIES_AT_ONCE);
    for (size_t i = 0; i < count; i++)
        take_verdict(traffic, &traffic->transactions[replies[i].token], replies[i].verdict,
                     replies[i].verdict == HN_VERDICT_EXECUTED ? (uint8_t)replies[i].status
                                                               : (uint8_t)replies[i].reject,
                     replies[i].block_number, true);
    return count != 0;
}

/* As eth_getTransactionReceipt: when the answer to a submission is only that it is known, or was lost. */
static void look_for_receipt(hn_sim_traffic *traffic, hn_sim_transaction *transaction)
{
    hn_history_reader *reader;
    HN_CHECK(hn_history_reader_create(&reader, hn_node_backend(traffic->node)->history) == HN_OK);
    if (hn_history_read_begin(reader) == HN_OK) {
        hn_history_block block;
        hn_history_transaction found;
        uint32_t index;
        hn_arena arena;
        hn_arena_init(&arena, 0, 0);
        if (hn_history_find_transaction(reader, &block, &index, transaction->ledger, &transaction->hash) ==
                HN_OK &&
            hn_history_transaction_at(&found, &arena, &block, index, false) == HN_OK)
            take_outcome(traffic, transaction, block.header.number, found.receipt.succeeded, true);
        hn_arena_destroy(&arena);
        hn_history_read_end(reader);
    }
    hn_history_reader_destroy(reader);
}

static bool submit_to_backend(hn_sim_traffic *traffic, hn_sim_transaction *transaction)
{
    if (traffic->node == NULL)
        return false;
    if (transaction->tries > 0)
        look_for_receipt(traffic, transaction);
    if (transaction->is_acknowledged)
        return true;
    const hn_backend *backend = hn_node_backend(traffic->node);
    hn_err err =
        backend->operations->submit(backend->self, transaction->ledger, transaction->raw, NULL,
                                    HN_REPLY_SEALED, (uint64_t)(transaction - traffic->transactions));
    return err == HN_OK;
}

void hn_sim_traffic_connect(hn_sim_traffic *traffic, hn_node *node)
{
    traffic->node = node;
    for (size_t i = 0; i < traffic->count; i++) {
        hn_sim_transaction *transaction = &traffic->transactions[i];
        if (traffic->clients[transaction->client].kind == RPC && transaction->is_sent)
            transaction->sent_ns = 0; /* the connection is gone: once more */
    }
}

/* --- sending
 * ------------------------------------------------------------------------------------------------ */

static uint64_t due_ns(const client *by, const hn_sim_transaction *transaction)
{
    if (transaction->tries == 0)
        return 0;
    if (by->is_hasty)
        return transaction->sent_ns + no_patience_ns;
    uint32_t doublings =
        transaction->tries < RESENT_DOUBLINGS_MAX ? transaction->tries : (uint32_t)RESENT_DOUBLINGS_MAX;
    return transaction->sent_ns + (patience_ns << doublings);
}

/* Who is said to send it: mostly who does, else another or nobody. */
static const hn_address *told_sender(const hn_sim_traffic *traffic, const hn_sim_transaction *transaction)
{
    const uint64_t told = (transaction->nonce + transaction->sender) % 8;
    return told == 6 ? NULL : &traffic->senders[told == 7 ? 0 : transaction->sender];
}

static bool send_one(hn_sim_traffic *traffic, client *by, hn_sim_transaction *transaction)
{
    switch (by->kind) {
    case FRAMED:
        if (transaction->is_sent ||
            hn_wire_client_submit(by->wire, transaction->raw, told_sender(traffic, transaction),
                                  (uint64_t)(transaction - traffic->transactions), traffic->now_ns) != HN_OK)
            return false;
        if (by->is_hasty)
            hn_wire_client_flush(by->wire, traffic->now_ns); /* a frame for each */
        break;
    case UNFRAMED:
        send_to_node(by, transaction->raw);
        break;
    case RPC:
        if (!submit_to_backend(traffic, transaction))
            return false;
        break;
    }
    if (transaction->tries == 0)
        traffic->allowance--;
    transaction->is_sent = true;
    transaction->sent_ns = traffic->now_ns;
    transaction->tries++;
    return true;
}

/* The client in haste sends some transactions only when the one behind has been on its way for a while. */
static bool is_held_back(const client *by, const hn_sim_transaction *transaction, bool is_last)
{
    const hn_sim_transaction *behind = transaction + 1;
    return by->is_hasty && by->ahead_max > 1 && !is_last && transaction->tries == 0 &&
           transaction->nonce % 2 == 0 && !behind->is_acknowledged &&
           (behind->tries == 0 ||
            (behind->tries == 1 && behind->sent_ns + held_back_ns > by->traffic->now_ns));
}

/* What a client has to send now of one sender's transactions. */
static bool send_some(hn_sim_traffic *traffic, client *by, hn_sim_transaction *first)
{
    uint32_t ahead = 0;
    bool was_any = false;
    for (uint32_t i = 0; i < traffic->options.transactions && ahead < by->ahead_max; i++) {
        hn_sim_transaction *next = &first[i];
        if (next->is_acknowledged)
            continue;
        ahead++;
        if (next->tries == 0 && traffic->allowance == 0)
            break;
        if (is_held_back(by, next, i + 1 == traffic->options.transactions))
            continue;
        if (due_ns(by, next) <= traffic->now_ns)
            was_any |= send_one(traffic, by, next);
    }
    return was_any;
}

bool hn_sim_traffic_step(hn_sim_traffic *traffic, uint64_t now_ns)
{
    traffic->now_ns = now_ns;
    bool was_any = deliver(traffic);
    if (traffic->node != NULL)
        was_any |= poll_replies(traffic);
    client *by = &traffic->clients[hn_prng_below(&traffic->prng, CLIENTS)];
    uint32_t streams = traffic->options.ledgers * HN_SIM_SENDERS;
    uint32_t from = (uint32_t)hn_prng_below(&traffic->prng, streams);
    for (uint32_t i = 0; i < streams; i++) {
        hn_sim_transaction *first =
            &traffic->transactions[(from + i) % streams * traffic->options.transactions];
        if (first->client == by->number)
            was_any |= send_some(traffic, by, first);
    }
    if (by->kind == FRAMED && hn_wire_client_next_ns(by->wire) <= now_ns) {
        hn_wire_client_flush(by->wire, now_ns);
        was_any = true;
    }
    return was_any;
}

void hn_sim_traffic_repeat_one(hn_sim_traffic *traffic, uint64_t now_ns)
{
    const hn_sim_transaction *repeated =
        &traffic->transactions[hn_prng_below(&traffic->prng, traffic->count)];
    if (repeated->tries != 0)
        hn_sim_network_send(traffic->options.network, repeated->raw, &traffic->stranger, true, now_ns);
}

void hn_sim_traffic_allow(hn_sim_traffic *traffic, uint32_t transactions)
{
    traffic->allowance = transactions;
}

/* --- life and questions
 * ------------------------------------------------------------------------------------- */

static void make_clients(hn_sim_traffic *traffic)
{
    for (uint32_t i = 0; i < CLIENTS; i++) {
        client *made = &traffic->clients[i];
        *made = (client){
            .traffic = traffic,
            .kind = i < 2   ? FRAMED
                    : i < 4 ? UNFRAMED
                            : RPC,
            .number = i,
            .peer = peer_of((uint16_t)(9000 + i)),
            .is_hasty = i == 1,
            .ahead_max = 1 + (uint32_t)hn_prng_below(&traffic->prng, 8),
        };
        if (made->kind != FRAMED)
            continue;
        hn_wire_client_options options = {.session = 100 + i, .level = HN_REPLY_EXECUTED};
        hn_wire_client_callbacks callbacks = {
            .context = made, .send = send_to_node, .result = take_wire_result};
        HN_CHECK(hn_wire_client_create(&made->wire, &options, &callbacks) == HN_OK);
    }
}

hn_sim_traffic *hn_sim_traffic_create(uint64_t seed, const hn_sim_traffic_options *options)
{
    hn_sim_traffic *traffic = calloc(1, sizeof *traffic);
    HN_CHECK(traffic != NULL);
    traffic->options = *options;
    traffic->allowance = UINT32_MAX;
    traffic->stranger = peer_of(9999);
    hn_prng_init(&traffic->prng, seed);
    hn_arena_init(&traffic->arena, 0, 0);
    hn_sim_traffic_make(traffic);
    make_clients(traffic);
    return traffic;
}

void hn_sim_traffic_destroy(hn_sim_traffic *traffic)
{
    for (uint32_t i = 0; i < CLIENTS; i++)
        if (traffic->clients[i].wire != NULL)
            hn_wire_client_destroy(traffic->clients[i].wire);
    hn_arena_destroy(&traffic->arena);
    free(traffic);
}

const hn_node_ledger_options *hn_sim_traffic_ledgers(const hn_sim_traffic *traffic)
{
    return traffic->ledgers;
}

const hn_address *hn_sim_traffic_sender(const hn_sim_traffic *traffic, uint32_t sender)
{
    return &traffic->senders[sender];
}

const hn_address *hn_sim_traffic_sink(const hn_sim_traffic *traffic, uint32_t sink)
{
    return &traffic->sinks[sink];
}

hn_sim_transaction *hn_sim_traffic_all(hn_sim_traffic *traffic, size_t *count)
{
    *count = traffic->count;
    return traffic->transactions;
}

size_t hn_sim_traffic_unanswered(const hn_sim_traffic *traffic)
{
    size_t count = 0;
    for (size_t i = 0; i < traffic->count; i++)
        count += traffic->transactions[i].tries != 0 && !traffic->transactions[i].is_acknowledged;
    return count;
}
