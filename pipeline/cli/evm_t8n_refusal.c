#include "pipeline/cli/evm_t8n_refusal.h"

#include "engine/chain/parameters.h"
#include "engine/codec/hex.h"

#include <inttypes.h>
#include <stdio.h>

/* A refused transaction and where to write. */
typedef struct refusal {
    char *text;
    hn_block_context *context;
    const hn_transaction *transaction;
    hn_state_account *sender;
    char address[HN_HEX_ADDRESS_MAX]; /* with EIP-55's checksum */
} refusal;

typedef struct decimal {
    char text[HN_U256_DECIMAL_MAX];
} decimal;

static decimal decimal_of(const hn_u256 *value)
{
    decimal out;
    hn_u256_to_decimal(out.text, value);
    return out;
}

#define REFUSE(self, ...) (snprintf((self)->text, HN_T8N_REFUSAL_MAX, __VA_ARGS__), true)

static bool fails_by_nonce(const refusal *self)
{
    uint64_t nonce = self->transaction->nonce;
    uint64_t next = self->sender->current.nonce;
    if (nonce != next)
        return REFUSE(self, "%s: address %s, tx: %" PRIu64 " state: %" PRIu64,
                      hn_reject_text(nonce > next ? HN_REJECT_NONCE_TOO_HIGH : HN_REJECT_NONCE_TOO_LOW),
                      self->address, nonce, next);
    if (next == UINT64_MAX)
        return REFUSE(self, "%s: address %s, nonce: %" PRIu64, hn_reject_text(HN_REJECT_NONCE_MAX),
                      self->address, next);
    return false;
}

static bool fails_by_sender(const refusal *self)
{
    uint64_t gas_limit = self->transaction->gas_limit;
    if (self->context->block.fork >= HN_FORK_OSAKA && gas_limit > HN_GAS_LIMIT_CAP)
        return REFUSE(self, "%s (cap: %" PRIu64 ", tx: %" PRIu64 ")", hn_reject_text(HN_REJECT_GAS_LIMIT_CAP),
                      (uint64_t)HN_GAS_LIMIT_CAP, gas_limit);
    const hn_code *code = hn_state_code(self->context->state, self->sender);
    hn_address target;
    if (code != NULL && !hn_delegation_target(&target, code->bytes))
        return REFUSE(self, "%s: address %s, len(code): %zu", hn_reject_text(HN_REJECT_SENDER_NOT_EOA),
                      self->address, code->bytes.size);
    return false;
}

static bool fails_by_fee(const refusal *self)
{
    const hn_transaction *transaction = self->transaction;
    const hn_evm_block *block = &self->context->block;
    if (block->fork < HN_FORK_LONDON)
        return false;
    decimal cap = decimal_of(&transaction->max_fee_per_gas);
    if (hn_u256_less(&transaction->max_fee_per_gas, &transaction->max_priority_fee_per_gas))
        return REFUSE(self, "%s: address %s, maxPriorityFeePerGas: %s, maxFeePerGas: %s",
                      hn_reject_text(HN_REJECT_TIP_ABOVE_FEE_CAP), self->address,
                      decimal_of(&transaction->max_priority_fee_per_gas).text, cap.text);
    if (hn_u256_less(&transaction->max_fee_per_gas, &block->base_fee))
        return REFUSE(self, "%s: address %s, maxFeePerGas: %s, baseFee: %s",
                      hn_reject_text(HN_REJECT_FEE_CAP_BELOW_BASE_FEE), self->address, cap.text,
                      decimal_of(&block->base_fee).text);
    return false;
}

static bool fails_by_blobs(const refusal *self)
{
    const hn_transaction *transaction = self->transaction;
    const hn_evm_block *block = &self->context->block;
    if (transaction->type != HN_TRANSACTION_BLOB)
        return false;
    if (transaction->blob_hash_count == 0)
        return REFUSE(self, "%s", hn_reject_text(HN_REJECT_BLOB_NONE));
    if (block->fork >= HN_FORK_OSAKA && transaction->blob_hash_count > HN_BLOBS_PER_TRANSACTION)
        return REFUSE(self, "%s", hn_reject_text(HN_REJECT_BLOB_COUNT));
    for (uint32_t i = 0; i < transaction->blob_hash_count; i++)
        if (transaction->blob_hashes[i].b[0] != HN_BLOB_HASH_VERSION)
            return REFUSE(self, "blob %" PRIu32 " has invalid hash version", i);
    if (hn_u256_less(&transaction->max_fee_per_blob_gas, &block->blob_base_fee))
        return REFUSE(self, "%s: address %s blobGasFeeCap: %s, blobBaseFee: %s",
                      hn_reject_text(HN_REJECT_BLOB_FEE_CAP), self->address,
                      decimal_of(&transaction->max_fee_per_blob_gas).text,
                      decimal_of(&block->blob_base_fee).text);
    return false;
}

static bool fails_by_shape(const refusal *self)
{
    const hn_transaction *transaction = self->transaction;
    const hn_evm_block *block = &self->context->block;
    if (transaction->type == HN_TRANSACTION_SET_CODE) {
        if (transaction->is_create)
            return REFUSE(self, "%s (sender %s)", hn_reject_text(HN_REJECT_SET_CODE_CREATE), self->address);
        if (transaction->authorization_count == 0)
            return REFUSE(self, "%s (sender %s)", hn_reject_text(HN_REJECT_SET_CODE_NO_AUTHORIZATION),
                          self->address);
    }
    size_t code_max = (size_t)block->config->contract_size_limit * HN_INIT_CODE_LIMIT_FACTOR;
    if (block->fork >= HN_FORK_SHANGHAI && transaction->is_create && transaction->data.size > code_max)
        return REFUSE(self, "%s: code size %zu limit %zu", hn_reject_text(HN_REJECT_INITCODE_SIZE),
                      transaction->data.size, code_max);
    if (transaction->gas_limit > block->gas_limit - self->context->gas_used)
        return REFUSE(self, "%s", hn_reject_text(HN_REJECT_BLOCK_GAS));
    return false;
}

static bool fails_by_funds(const refusal *self)
{
    const hn_transaction *transaction = self->transaction;
    const hn_u256 *have = &self->sender->current.balance;
    hn_u256 want = transaction->value;
    if (!hn_u256_add_product(&want, &transaction->max_fee_per_gas, transaction->gas_limit) ||
        !hn_u256_add_product(&want, &transaction->max_fee_per_blob_gas,
                             transaction->blob_hash_count * HN_GAS_PER_BLOB))
        return REFUSE(self, "%s: address %s required balance exceeds 256 bits",
                      hn_reject_text(HN_REJECT_FUNDS), self->address);
    if (hn_u256_less(have, &want))
        return REFUSE(self, "%s: address %s have %s want %s", hn_reject_text(HN_REJECT_FUNDS), self->address,
                      decimal_of(have).text, decimal_of(&want).text);
    return false;
}

static bool fails_by_gas(const refusal *self)
{
    uint64_t intrinsic;
    uint64_t floor;
    uint64_t have = self->transaction->gas_limit;
    if (!hn_transaction_intrinsic_gas(&intrinsic, &floor, self->context->block.fork, self->transaction))
        return REFUSE(self, "gas uint64 overflow");
    if (have < intrinsic)
        return REFUSE(self, "%s: have %" PRIu64 ", want %" PRIu64, hn_reject_text(HN_REJECT_INTRINSIC_GAS),
                      have, intrinsic);
    if (have < floor)
        return REFUSE(self, "%s: have %" PRIu64 ", want %" PRIu64, hn_reject_text(HN_REJECT_FLOOR_GAS), have,
                      floor);
    return false;
}

/* In the order in which geth asks them. */
static bool (*const rules[])(const refusal *self) = {
    fails_by_nonce, fails_by_sender, fails_by_fee, fails_by_blobs,
    fails_by_shape, fails_by_funds,  fails_by_gas,
};

void hn_t8n_refusal(char text[HN_T8N_REFUSAL_MAX], hn_block_context *context,
                    const hn_signed_transaction *signed_transaction, hn_reject reject)
{
    refusal self = {.text = text,
                    .context = context,
                    .transaction = &signed_transaction->transaction,
                    .sender = hn_state_get(context->state, &signed_transaction->sender)};
    hn_hex_write_address(self.address, &signed_transaction->sender);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i](&self))
            return;
    snprintf(text, HN_T8N_REFUSAL_MAX, "%s", hn_reject_text(reject));
}
