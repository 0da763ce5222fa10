#include "pipeline/rpc/refusal.h"

#include "engine/chain/parameters.h"
#include "engine/codec/hex.h"
#include "engine/types/transaction.h"

#include <inttypes.h>
#include <stdio.h>

/* What geth's users hear where its words differ from ours. */
static const char *const verdict_texts[HN_VERDICT_COUNT] = {
    [HN_VERDICT_REPLACED] = "transaction was replaced by another of the same nonce",
    [HN_VERDICT_POOL_FULL] = "txpool is full",
    [HN_VERDICT_SENDER_FULL] = "account limit exceeded: too many pending transactions of this sender",
    [HN_VERDICT_NO_LEDGER] = "invalid sender: invalid chain id for signer",
};

/* geth's pool has words of its own, which are not those of a block's check. */
static const char *const reject_texts[HN_REJECT_COUNT] = {
    [HN_REJECT_WRONG_CHAIN_ID] = "invalid sender: invalid chain id for signer",
    [HN_REJECT_INVALID_SIGNATURE] = "invalid sender: invalid transaction v, r, s values",
    [HN_REJECT_BLOCK_GAS] = "exceeds block gas limit",
    [HN_REJECT_SET_CODE_NO_AUTHORIZATION] = "set code tx must have at least one authorization tuple",
};

static const char *words_of(const hn_reply *reply)
{
    if (reply->reject != HN_REJECT_NONE)
        return reject_texts[reply->reject] != NULL ? reject_texts[reply->reject]
                                                   : hn_reject_text(reply->reject);
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
    const hn_chain_config *config;
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
    const hn_u256 *balance = &self->reply->bound;
    hn_u256 cost = transaction->value;
    uint64_t blob_gas = (uint64_t)transaction->blob_hash_count * HN_GAS_PER_BLOB;
    if (!hn_u256_add_product(&cost, &transaction->max_fee_per_gas, transaction->gas_limit) ||
        !hn_u256_add_product(&cost, &transaction->max_fee_per_blob_gas, blob_gas)) {
        ADD(": address %s required balance exceeds 256 bits", self->sender);
        return;
    }
    hn_u256 overshot = hn_u256_less(balance, &cost) ? hn_u256_sub(&cost, balance) : hn_u256_of(0);
    ADD(": balance %s, tx cost %s, overshot %s", self->bound.text, decimal_of(&cost).text,
        decimal_of(&overshot).text);
}

static void add_gas_cap(char *to, size_t room, const refusal *self)
{
    ADD(" (cap: %llu, tx: %" PRIu64 ")", (unsigned long long)HN_GAS_LIMIT_CAP, self->transaction->gas_limit);
}

static void add_initcode_size(char *to, size_t room, const refusal *self)
{
    ADD(": code size %zu limit %zu", self->transaction->data.size,
        (size_t)self->config->contract_size_limit * HN_INIT_CODE_LIMIT_FACTOR);
}

static void add_chain_id(char *to, size_t room, const refusal *self)
{
    ADD(": have %" PRIu64 " want %" PRIu64, self->transaction->chain_id, self->config->chain_id);
}

/* Of a type that is known, but not at this time or not here. */
static void add_type(char *to, size_t room, const refusal *self)
{
    static const char *const forks[] = {
        [HN_TRANSACTION_ACCESS_LIST] = "Berlin",
        [HN_TRANSACTION_DYNAMIC_FEE] = "London",
        [HN_TRANSACTION_SET_CODE] = "Prague",
    };
    unsigned type = (unsigned)self->transaction->type;
    if (type == HN_TRANSACTION_BLOB)
        ADD(": tx type %u not supported by this pool", type);
    else if (type < sizeof forks / sizeof forks[0] && forks[type] != NULL)
        ADD(": type %u rejected, pool not yet in %s", type, forks[type]);
}

typedef void (*writer)(char *to, size_t room, const refusal *self);

static const writer reject_writers[HN_REJECT_COUNT] = {
    [HN_REJECT_NONCE_TOO_LOW] = add_low_nonce,
    [HN_REJECT_NONCE_TOO_HIGH] = add_high_nonce,
    [HN_REJECT_INTRINSIC_GAS] = add_gas,
    [HN_REJECT_FLOOR_GAS] = add_gas,
    [HN_REJECT_FUNDS] = add_funds,
    [HN_REJECT_FEE_CAP_BELOW_BASE_FEE] = add_base_fee,
    [HN_REJECT_GAS_LIMIT_CAP] = add_gas_cap,
    [HN_REJECT_INITCODE_SIZE] = add_initcode_size,
    [HN_REJECT_WRONG_CHAIN_ID] = add_chain_id,
    [HN_REJECT_TYPE_NOT_SUPPORTED] = add_type,
};

static writer writer_of(const hn_reply *reply)
{
    return reply->verdict == HN_VERDICT_NO_LEDGER ? add_chain_id : reject_writers[reply->reject];
}

/* No list, and no type with something behind it. */
static bool is_short(hn_bytes raw)
{
    return raw.size == 0 || (raw.size == 1 && raw.data[0] <= 0x7f);
}

void hn_refusal_text(char out[HN_REFUSAL_TEXT_MAX], hn_arena *arena, const hn_reply *reply, hn_bytes raw,
                     const hn_chain_config *config)
{
    bool is_malformed = reply->reject == HN_REJECT_MALFORMED || reply->reject == HN_REJECT_TYPE_NOT_SUPPORTED;
    const char *words = is_malformed && is_short(raw) ? "typed transaction too short" : words_of(reply);
    size_t size = (size_t)snprintf(out, HN_REFUSAL_TEXT_MAX, "%s", words);
    writer add = writer_of(reply);
    hn_transaction transaction;
    if (add == NULL || hn_transaction_decode(&transaction, arena, raw) != HN_OK)
        return;
    refusal self = {
        .reply = reply,
        .transaction = &transaction,
        .config = config,
        .bound = decimal_of(&reply->bound),
    };
    hn_hex_write_address(self.sender, &reply->sender);
    add(out + size, HN_REFUSAL_TEXT_MAX - size, &self);
}
