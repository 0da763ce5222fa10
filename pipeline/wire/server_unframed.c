/* Datagrams that are one transaction, and nothing else: answered with a receipt each. */
#include "engine/crypto/keccak.h"
#include "pipeline/wire/server_state.h"

static void send_receipt(hn_wire_server *server, const hn_peer *peer, const hn_wire_receipt *receipt)
{
    uint8_t *to = hn_wire_out_room(server);
    hn_wire_out_add(server, peer, hn_wire_write_receipt(to, receipt));
    server->counters.receipts++;
}

/* No answer may be larger than its request: nobody gets more onto a victim than he sends himself. */
static bool is_short_request(const hn_datagram *datagram)
{
    return datagram->payload.size < HN_WIRE_RECEIPT_BYTES;
}

static void answer_at_once(hn_wire_server *server, const hn_datagram *datagram, hn_verdict verdict,
                           uint8_t detail)
{
    server->counters.answered_at_once++;
    hn_wire_receipt receipt = {.verdict = (uint8_t)verdict,
                               .detail = detail,
                               .level = (uint8_t)server->options.receipt_level,
                               .is_short = is_short_request(datagram),
                               .ledger = HN_WIRE_LEDGER_NONE};
    hn_keccak256(&receipt.hash, datagram->payload.data, datagram->payload.size);
    send_receipt(server, &datagram->peer, &receipt);
}

void hn_wire_take_unframed(hn_wire_server *server, const hn_datagram *datagram)
{
    if (datagram->payload.size < HN_WIRE_TRANSACTION_BYTES_MIN) {
        server->counters.malformed++; /* too small to be anything, and to be answered */
        return;
    }
    switch (hn_source_table_charge(server->sources, &datagram->peer, server->now_ns)) {
    case HN_SOURCE_TAKE:
        break;
    case HN_SOURCE_REFUSE:
        server->counters.rate_limited++;
        answer_at_once(server, datagram, HN_VERDICT_BUSY, 0);
        return;
    case HN_SOURCE_IGNORE:
        server->counters.rate_limited++;
        return;
    }
    server->counters.unframed++;
    hn_err err = hn_wire_check_transaction(datagram->payload);
    if (err != HN_OK) {
        answer_at_once(server, datagram, HN_VERDICT_REJECTED,
                       err == HN_ERR_UNSUPPORTED ? HN_REJECT_TYPE_NOT_SUPPORTED : HN_REJECT_MALFORMED);
        return;
    }
    if (hn_wire_is_throttled(server, &datagram->peer, false)) {
        answer_at_once(server, datagram, HN_VERDICT_BUSY, 0);
        return;
    }
    uint64_t token;
    if (!hn_receipt_add(server->receipts, &token, &datagram->peer, is_short_request(datagram),
                        server->now_ns)) {
        server->counters.receipts_full++;
        answer_at_once(server, datagram, HN_VERDICT_BUSY, 0);
        return;
    }
    hn_verdict verdict = server->callbacks.submit(server->callbacks.context, datagram->payload, NULL,
                                                  server->options.receipt_level, token);
    if (verdict == HN_VERDICT_QUEUED) {
        server->counters.transactions++;
        return;
    }
    hn_peer peer;
    bool is_short;
    (void)hn_receipt_take(server->receipts, &peer, &is_short, token);
    answer_at_once(server, datagram, verdict, 0);
}

void hn_wire_reply_unframed(hn_wire_server *server, const hn_reply *reply)
{
    if (reply->verdict < HN_VERDICT_EXECUTED &&
        (unsigned)reply->verdict < (unsigned)server->options.receipt_level)
        return;
    hn_peer peer;
    bool is_short;
    if (!hn_receipt_take(server->receipts, &peer, &is_short, reply->token)) {
        server->counters.replies_late++;
        return;
    }
    server->counters.replies++;
    hn_wire_judge(server, &peer, false, reply);
    hn_wire_receipt receipt = {.verdict = (uint8_t)reply->verdict,
                               .detail = hn_wire_detail(reply),
                               .level = (uint8_t)server->options.receipt_level,
                               .is_short = is_short,
                               .ledger = hn_wire_ledger(reply),
                               .block_number =
                                   reply->verdict == HN_VERDICT_EXECUTED ? reply->block_number : 0,
                               .hash = reply->hash};
    send_receipt(server, &peer, &receipt);
}
