#include "tests/unit/pipeline/wire/model.h"

#include <criterion/criterion.h>
#include <stdlib.h>

void model_transaction(uint8_t out[MODEL_TRANSACTION_BYTES], uint32_t number)
{
    memset(out, 0x11, MODEL_TRANSACTION_BYTES);
    out[0] = 0xf8; /* a list whose length follows in one byte */
    out[1] = MODEL_TRANSACTION_BYTES - 2;
    out[2] = 0x84; /* a string of four bytes */
    hn_store_be32(out + 3, number);
}

uint32_t model_number(hn_bytes raw)
{
    cr_assert_eq(raw.size, (size_t)MODEL_TRANSACTION_BYTES);
    uint8_t expected[MODEL_TRANSACTION_BYTES];
    uint32_t number = hn_load_be32(raw.data + 3);
    model_transaction(expected, number);
    cr_assert_eq(memcmp(expected, raw.data, sizeof expected), 0, "the bytes arrived changed");
    return number;
}

hn_peer model_peer(uint32_t n)
{
    hn_peer peer = {.family = HN_PEER_IPV4, .port = (uint16_t)(1000 + n % 60000), .address = {10, 0, 0, 1}};
    peer.address[2] = (uint8_t)(n >> 8);
    peer.address[3] = (uint8_t)n;
    return peer;
}

model_link *model_link_create(uint64_t seed, uint32_t loss_percent, uint32_t repeat_percent,
                              uint64_t delay_ns)
{
    model_link *link = calloc(1, sizeof *link);
    cr_assert_not_null(link);
    hn_prng_init(&link->prng, seed);
    link->loss_percent = loss_percent;
    link->repeat_percent = repeat_percent;
    link->delay_ns = delay_ns;
    return link;
}

static void put(model_link *link, const hn_peer *peer, hn_bytes bytes, uint64_t now_ns)
{
    uint32_t i = 0;
    while (i < link->used && link->packets[i].at_ns != 0)
        i++;
    cr_assert_lt(i, (uint32_t)MODEL_LINK_PACKETS, "the link is full");
    if (i == link->used)
        link->used++;
    cr_assert_leq(bytes.size, (size_t)MODEL_PACKET_BYTES);
    model_packet *packet = &link->packets[i];
    packet->at_ns = now_ns + link->delay_ns + hn_prng_below(&link->prng, 2 * link->delay_ns + 1) + 1;
    packet->size = (uint32_t)bytes.size;
    packet->peer = *peer;
    memcpy(packet->bytes, bytes.data, bytes.size);
}

void model_link_send(model_link *link, const hn_peer *peer, hn_bytes bytes, uint64_t now_ns)
{
    if (hn_prng_below(&link->prng, 100) >= link->loss_percent)
        put(link, peer, bytes, now_ns);
    if (hn_prng_below(&link->prng, 100) < link->repeat_percent)
        put(link, peer, bytes, now_ns);
}

model_packet *model_link_take(model_link *link, uint64_t now_ns)
{
    for (uint32_t i = 0; i < link->used; i++) {
        if (link->packets[i].at_ns != 0 && link->packets[i].at_ns <= now_ns) {
            link->packets[i].at_ns = 0;
            return &link->packets[i];
        }
    }
    return NULL;
}

bool model_sender(hn_address *out, uint32_t number)
{
    memset(out->b, (int)(number / 5 % 40 + 1), sizeof out->b);
    return number % 7 != 0 && number / 100 % 3 != 0;
}

hn_verdict model_engine_submit(void *self, hn_bytes raw, const hn_address *sender, hn_reply_level level,
                               uint64_t token)
{
    model_engine *engine = self;
    engine->last_raw = raw;
    engine->last_level = level;
    engine->last_token = token;
    if (engine->busy_percent != 0 && hn_prng_below(&engine->prng, 100) < engine->busy_percent)
        return HN_VERDICT_BUSY;
    uint32_t number = model_number(raw);
    cr_assert_lt(number, (uint32_t)MODEL_TRANSACTIONS_MAX);
    hn_address told;
    cr_assert(model_sender(&told, number) || sender == NULL, "nobody told who sends %u", number);
    if (sender != NULL) {
        cr_assert(hn_address_equal(sender, &told), "another's sender for %u", number);
        engine->told++;
    }
    if (engine->waits_for_zero && number == 0 && engine->now_ns < engine->zero_refused_until_ns) {
        engine->zero_refused++;
        return HN_VERDICT_BUSY;
    }
    if (engine->waits_for_zero && engine->given[number] != 0 && engine->executed[number] == 0)
        return HN_VERDICT_KNOWN;
    engine->given[number]++;
    cr_assert_lt(engine->in_flight, (uint32_t)MODEL_TRANSACTIONS_MAX);
    uint32_t i = engine->in_flight++;
    engine->pending[i].at_ns = engine->now_ns + 1 + hn_prng_below(&engine->prng, 2 * engine->delay_ns + 1);
    engine->pending[i].token = token;
    engine->pending[i].number = number;
    return HN_VERDICT_QUEUED;
}

void model_engine_answer(model_engine *engine, hn_wire_server *server)
{
    for (uint32_t i = 0; i < engine->in_flight;) {
        if (engine->pending[i].at_ns > engine->now_ns || (engine->waits_for_zero && engine->given[0] == 0)) {
            i++;
            continue;
        }
        uint32_t number = engine->pending[i].number;
        hn_reply reply = {.origin = HN_ORIGIN_DATAGRAM,
                          .token = engine->pending[i].token,
                          .verdict = HN_VERDICT_EXECUTED,
                          .status = number % 7 == 0 ? HN_EVM_REVERT : HN_EVM_SUCCESS,
                          .block_number = 1000 + number / 100,
                          .ledger = 3};
        engine->pending[i] = engine->pending[--engine->in_flight];
        if (engine->executed[number] == 0)
            engine->executed[number] = 1;
        hn_wire_server_reply(server, &reply);
    }
}
