/* Prices: what the next block asks, and what past blocks took. */
#include "engine/chain/transition.h"
#include "pipeline/rpc/find_block.h"
#include "pipeline/rpc/method.h"

#include <math.h>
#include <stdlib.h>

enum {
    FEE_HISTORY_BLOCKS_MAX = 1024,
    PERCENTILES_MAX = 100,
};

/* Blocks are filled in order of arrival, so a tip buys nothing: none is suggested. */
static const hn_u256 suggested_tip = {{0, 0, 0, 0}};

/* Calls `answer` with the newest block. */
static void with_head(hn_rpc_call *call, void (*answer)(hn_rpc_call *call, const hn_history_block *head))
{
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    hn_history_block head;
    hn_block_selector latest = {.kind = HN_BLOCK_LATEST};
    hn_err err = hn_rpc_find_header(&head, reader, call->ledger, &latest);
    if (err == HN_OK)
        answer(call, &head);
    hn_rpc_read_end(call);
    if (err != HN_OK)
        hn_rpc_fail_err(call, err);
}

static hn_u256 next_base_fee(const hn_rpc_call *call, const hn_header *header)
{
    const hn_chain_config *config = hn_rpc_ledger(call)->config;
    if (hn_fork_at(config, header->number + 1, header->timestamp) < HN_FORK_LONDON)
        return hn_u256_of(0);
    return hn_next_base_fee(config, header);
}

static hn_u256 next_blob_base_fee(const hn_rpc_call *call, const hn_header *header)
{
    const hn_chain_config *config = hn_rpc_ledger(call)->config;
    hn_fork fork = hn_fork_at(config, header->number + 1, header->timestamp);
    if (fork < HN_FORK_CANCUN)
        return hn_u256_of(0);
    return hn_blob_base_fee(config, fork, hn_next_excess_blob_gas(config, header, header->timestamp));
}

static hn_u256 blob_base_fee(const hn_rpc_call *call, const hn_header *header)
{
    const hn_chain_config *config = hn_rpc_ledger(call)->config;
    hn_fork fork = hn_fork_at(config, header->number, header->timestamp);
    return fork < HN_FORK_CANCUN ? hn_u256_of(0) : hn_blob_base_fee(config, fork, header->excess_blob_gas);
}

/* Enough for the next block, and for the newest one too: clients estimate gas with this price, and estimates
 * run in the newest block. Where gas is free it is free from the start, whatever the genesis block says. */
static void answer_gas_price(hn_rpc_call *call, const hn_history_block *head)
{
    hn_u256 price = next_base_fee(call, &head->header);
    if (!hn_rpc_ledger(call)->config->zero_base_fee && hn_u256_less(&price, &head->header.base_fee_per_gas))
        price = head->header.base_fee_per_gas;
    price = hn_u256_add(&price, &suggested_tip);
    hn_json_u256(hn_rpc_result(call), &price);
    hn_rpc_done(call);
}

void hn_rpc_eth_gasPrice(hn_rpc_call *call)
{
    with_head(call, answer_gas_price);
}

static void answer_base_fee(hn_rpc_call *call, const hn_history_block *head)
{
    hn_u256 fee = next_base_fee(call, &head->header);
    hn_json_u256(hn_rpc_result(call), &fee);
    hn_rpc_done(call);
}

void hn_rpc_eth_baseFee(hn_rpc_call *call)
{
    with_head(call, answer_base_fee);
}

void hn_rpc_eth_maxPriorityFeePerGas(hn_rpc_call *call)
{
    hn_json_u256(hn_rpc_result(call), &suggested_tip);
    hn_rpc_done(call);
}

static void answer_blob_base_fee(hn_rpc_call *call, const hn_history_block *head)
{
    hn_u256 fee = next_blob_base_fee(call, &head->header);
    hn_json_u256(hn_rpc_result(call), &fee);
    hn_rpc_done(call);
}

void hn_rpc_eth_blobBaseFee(hn_rpc_call *call)
{
    with_head(call, answer_blob_base_fee);
}

/* --- eth_feeHistory --- */

typedef struct fee_history {
    hn_rpc_call *call;
    double percentiles[PERCENTILES_MAX];
    uint32_t percentile_count;
    hn_json_writer rewards;
    hn_json_writer base_fees;
    hn_json_writer gas_ratios;
    hn_json_writer blob_fees;
    hn_json_writer blob_ratios;
} fee_history;

/* What one transaction paid above the base fee, and its gas. */
typedef struct tip {
    hn_u256 per_gas;
    uint64_t gas_used;
} tip;

static int compare_tips(const void *left, const void *right)
{
    return hn_u256_compare(&((const tip *)left)->per_gas, &((const tip *)right)->per_gas);
}

/* False: the call was failed. */
static bool read_percentiles(fee_history *history, hn_rpc_call *call)
{
    const cJSON *list = call->params[2].json;
    if (list == NULL)
        return true;
    double before = 0;
    for (const cJSON *item = list->child; item != NULL; item = item->next) {
        if (history->percentile_count == PERCENTILES_MAX) {
            hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "over the query limit %d", PERCENTILES_MAX);
            return false;
        }
        if (!cJSON_IsNumber(item)) {
            hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument 2: a number is expected");
            return false;
        }
        double value = item->valuedouble;
        if (!(value >= 0 && value <= 100)) {
            hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "invalid reward percentile: %g", value);
            return false;
        }
        if (history->percentile_count != 0 && value <= before) {
            hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "invalid reward percentile: #%u:%g >= #%u:%g",
                        history->percentile_count - 1, before, history->percentile_count, value);
            return false;
        }
        before = value;
        history->percentiles[history->percentile_count++] = value;
    }
    return true;
}

/* The tips at which the wanted shares of the block's gas were reached. */
static hn_err add_rewards(fee_history *history, const hn_history_block *block)
{
    hn_arena *arena = history->call->arena;
    tip *tips = hn_arena_calloc(arena, (size_t)block->transaction_count + 1, sizeof *tips);
    if (tips == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        hn_history_transaction found;
        HN_TRY(hn_history_transaction_at(&found, arena, block, i, false));
        tips[i].per_gas = hn_u256_sub(&found.receipt.effective_gas_price, &block->header.base_fee_per_gas);
        tips[i].gas_used = found.receipt.gas_used;
    }
    qsort(tips, block->transaction_count, sizeof *tips, compare_tips);
    hn_json_begin_array(&history->rewards);
    uint32_t at = 0;
    uint64_t sum = tips[0].gas_used;
    for (uint32_t i = 0; i < history->percentile_count; i++) {
        uint64_t threshold = (uint64_t)((double)block->header.gas_used * history->percentiles[i] / 100);
        while (sum < threshold && at + 1 < block->transaction_count)
            sum += tips[++at].gas_used;
        hn_json_u256(&history->rewards, &tips[at].per_gas);
    }
    hn_json_end_array(&history->rewards);
    return HN_OK;
}

static hn_err add_block(fee_history *history, const hn_history_block *block)
{
    const hn_header *header = &block->header;
    hn_json_u256(&history->base_fees, &header->base_fee_per_gas);
    hn_json_number(&history->gas_ratios,
                   header->gas_limit == 0 ? 0 : (double)header->gas_used / (double)header->gas_limit);
    hn_u256 blob_fee = blob_base_fee(history->call, header);
    hn_json_u256(&history->blob_fees, &blob_fee);
    const hn_chain_config *config = hn_rpc_ledger(history->call)->config;
    hn_fork fork = hn_fork_at(config, header->number, header->timestamp);
    uint64_t blob_gas_max = (uint64_t)config->blob_schedule[fork].max * 131072;
    hn_json_number(&history->blob_ratios,
                   blob_gas_max == 0 ? 0 : (double)header->blob_gas_used / (double)blob_gas_max);
    return history->percentile_count == 0 ? HN_OK : add_rewards(history, block);
}

static void begin_lists(fee_history *history)
{
    hn_json_writer *const lists[] = {&history->rewards, &history->base_fees, &history->gas_ratios,
                                     &history->blob_fees, &history->blob_ratios};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        hn_json_writer_init(lists[i], history->call->arena, history->call->out.size_max);
        hn_json_begin_array(lists[i]);
    }
}

static void put_list(hn_json_writer *writer, const char *name, hn_json_writer *list)
{
    hn_json_end_array(list);
    hn_json_key(writer, name);
    hn_json_raw(writer, list->text, list->size);
    writer->has_failed |= list->has_failed;
}

static hn_err collect(fee_history *history, hn_history_reader *reader, uint64_t *oldest)
{
    hn_rpc_call *call = history->call;
    hn_history_block block;
    HN_TRY(hn_rpc_find_header(&block, reader, call->ledger, &call->params[1].block));
    uint64_t count = call->params[0].quantity;
    uint64_t last = block.header.number;
    uint64_t first;
    HN_TRY(hn_history_oldest(reader, &first, call->ledger));
    first = first > last ? last : first; /* the genesis block */
    if (count > FEE_HISTORY_BLOCKS_MAX)
        count = FEE_HISTORY_BLOCKS_MAX;
    if (count > last - first + 1)
        count = last - first + 1;
    *oldest = last + 1 - count;
    for (uint64_t number = *oldest; number <= last && count != 0; number++) {
        HN_TRY(hn_history_block_at(reader, &block, call->ledger, number));
        HN_TRY(add_block(history, &block));
    }
    hn_u256 fee = next_base_fee(call, &block.header);
    hn_json_u256(&history->base_fees, &fee);
    fee = next_blob_base_fee(call, &block.header);
    hn_json_u256(&history->blob_fees, &fee);
    return HN_OK;
}

void hn_rpc_eth_feeHistory(hn_rpc_call *call)
{
    fee_history history = {.call = call};
    if (!read_percentiles(&history, call))
        return;
    hn_history_reader *reader = hn_rpc_read_begin(call);
    if (reader == NULL)
        return;
    begin_lists(&history);
    uint64_t oldest = 0;
    hn_err err = collect(&history, reader, &oldest);
    hn_rpc_read_end(call);
    if (err == HN_ERR_NOT_FOUND) {
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "request beyond head block");
        return;
    }
    if (err != HN_OK) {
        hn_rpc_fail_err(call, err);
        return;
    }
    hn_json_writer *writer = hn_rpc_result(call);
    hn_json_begin_object(writer);
    hn_json_key(writer, "oldestBlock");
    hn_json_u64(writer, call->params[0].quantity == 0 ? 0 : oldest);
    if (history.percentile_count != 0)
        put_list(writer, "reward", &history.rewards);
    if (call->params[0].quantity != 0) {
        put_list(writer, "baseFeePerGas", &history.base_fees);
        put_list(writer, "gasUsedRatio", &history.gas_ratios);
        put_list(writer, "baseFeePerBlobGas", &history.blob_fees);
        put_list(writer, "blobGasUsedRatio", &history.blob_ratios);
    } else {
        hn_json_key(writer, "gasUsedRatio");
        hn_json_null(writer);
    }
    hn_json_end_object(writer);
    hn_rpc_done(call);
}
