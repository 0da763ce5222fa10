#include "pipeline/rpc/refusal.h"

#include "engine/codec/hex.h"
#include "engine/types/transaction.h"

#include <inttypes.h>
#include <stdio.h>

/* What geth's users hear where its words differ from ours. */
static const char *const verdict_texts[HN_VERDICT_COUNT] = {
    [HN_VERDICT_REPLACED] = "transaction was replaced by another of the same nonce",
    [HN_VERDICT_POOL_FULL] = "txpool is full",
    [HN_VERDICT_SENDER_FULL] = "account limit exceeded: too many pending transactions of this sender",
    [HN_VERDICT_NO_LEDGER] = "invalid chain id for signer",
};

static const char *words_of(const hn_reply *reply)
{
    if (reply->reject != HN_REJECT_NONE)
        return hn_reject_text(reply->reject);
    return verdict_texts[reply->verdict] != NULL ? verdict_texts[reply->verdict]
                                                 : hn_verdict_text(reply->verdict);
}

typedef struct decimal {
    char text[HN_U256_DECIMAL_MAX];
} decimal;

static decimal decimal_of(const hn_u256 *value)
{
    decimal out;
    hn_u256_to_decimal(out.text, value);
    return out;
}

/* A refusal and the numbers that go with it; each writer adds what comes behind the words. */
typedef struct refusal {
    const hn_reply *reply;
    const hn_transaction *transaction;
    decimal bound;
    char sender[HN_HEX_ADDRESS_MAX];
} refusal;

#define ADD(...) (void)snprintf(to, room, __VA_ARGS__)

static void add_low_nonce(char *to, size_t room, const refusal *self)
{
    ADD(": next nonce %s, tx nonce %" PRIu64, self->bound.text, self->transaction->nonce);
}

static void add_high_nonce(char *to, size_t room, const refusal *self)
{
    ADD(": tx nonce %" PRIu64 ", gapped nonce %s", self->transaction->nonce, self->bound.text);
}

static void add_gas(char *to, size_t room, const refusal *self)
{
    ADD(": gas %" PRIu64 ", minimum needed %s", self->transaction->gas_limit, self->bound.text);
}

static void add_base_fee(char *to, size_t room, const refusal *self)
{
    ADD(": address %s, maxFeePerGas: %s, baseFee: %s", self->sender,
        decimal_of(&self->transaction->max_fee_per_gas).text, self->bound.text);
}

static void add_funds(char *to, size_t room, const refusal *self)
{
    const hn_transaction *transaction = self->transaction;
    hn_u256 want = transaction->value;
    if (!hn_u256_add_product(&want, &transaction->max_fee_per_gas, transaction->gas_limit))
        ADD(": address %s required balance exceeds 256 bits", self->sender);
    else
        ADD(": address %s have %s want %s", self->sender, self->bound.text, decimal_of(&want).text);
}

/* The bound is that of the tip only when the fee has reached its own, which is not lower. */
static void add_replacement(char *to, size_t room, const refusal *self)
{
    const hn_transaction *transaction = self->transaction;
    bool is_fee = hn_u256_less(&transaction->max_fee_per_gas, &self->reply->bound);
    ADD(": new tx gas %s cap %s, minimum needed %s", is_fee ? "fee" : "tip",
        decimal_of(is_fee ? &transaction->max_fee_per_gas : &transaction->max_priority_fee_per_gas).text,
        self->bound.text);
}

typedef void (*writer)(char *to, size_t room, const refusal *self);

static const writer reject_writers[HN_REJECT_COUNT] = {
    [HN_REJECT_NONCE_TOO_LOW] = add_low_nonce,
    [HN_REJECT_NONCE_TOO_HIGH] = add_high_nonce,
    [HN_REJECT_INTRINSIC_GAS] = add_gas,
    [HN_REJECT_FLOOR_GAS] = add_gas,
    [HN_REJECT_FUNDS] = add_funds,
    [HN_REJECT_FEE_CAP_BELOW_BASE_FEE] = add_base_fee,
};

static writer writer_of(const hn_reply *reply)
{
    return reply->verdict == HN_VERDICT_UNDERPRICED ? add_replacement : reject_writers[reply->reject];
}

void hn_refusal_text(char out[HN_REFUSAL_TEXT_MAX], hn_arena *arena, const hn_reply *reply, hn_bytes raw)
{
    size_t size = (size_t)snprintf(out, HN_REFUSAL_TEXT_MAX, "%s", words_of(reply));
    writer add = writer_of(reply);
    hn_transaction transaction;
    if (add == NULL || hn_transaction_decode(&transaction, arena, raw) != HN_OK)
        return;
    refusal self = {.reply = reply, .transaction = &transaction, .bound = decimal_of(&reply->bound)};
    hn_hex_write_address(self.sender, &reply->sender);
    add(out + size, HN_REFUSAL_TEXT_MAX - size, &self);
}
