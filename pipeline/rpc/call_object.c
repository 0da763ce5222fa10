#include "pipeline/rpc/call_object.h"

#include "engine/codec/hex.h"

enum { LIST_MAX = 100000 };

/* Members of an object, by what geth calls them: its type, a dot, the name. */
static const cJSON *member_of(const cJSON *object, const char *field)
{
    return hn_rpc_member(object, strrchr(field, '.') + 1);
}

static hn_rpc_complaint optional_u256(hn_u256 *out, const cJSON *object, const char *field)
{
    const cJSON *member = member_of(object, field);
    return member == NULL ? NULL : hn_rpc_in_field(hn_rpc_read_u256(out, member), field);
}

static hn_rpc_complaint optional_u64(uint64_t *out, const cJSON *object, const char *field)
{
    const cJSON *member = member_of(object, field);
    return member == NULL ? NULL : hn_rpc_in_field(hn_rpc_read_u64(out, member), field);
}

static hn_rpc_complaint read_address(hn_address *out, const cJSON *object, const char *field)
{
    return hn_rpc_in_field(hn_rpc_read_address(out, member_of(object, field)), field);
}

#define TRY_READ(expression)                                                                                 \
    do {                                                                                                     \
        hn_rpc_complaint try_complaint = (expression);                                                       \
        if (try_complaint != NULL)                                                                           \
            return try_complaint;                                                                            \
    } while (0)

/* --- lists --- */

/* Room for the items of an array; *count is 0 when it is absent. */
static hn_rpc_complaint begin_list(void **items, uint32_t *count, hn_arena *arena, const cJSON *json,
                                   size_t item_size)
{
    *count = 0;
    *items = NULL;
    if (json == NULL)
        return NULL;
    if (!cJSON_IsArray(json))
        return hn_rpc_wrong_kind(json, "array");
    int size = cJSON_GetArraySize(json);
    if (size > LIST_MAX)
        return "too many items";
    *items = hn_arena_calloc(arena, (size_t)size + 1, item_size);
    if (*items == NULL)
        return "too large";
    *count = (uint32_t)size;
    return NULL;
}

static hn_rpc_complaint read_hashes(const hn_hash **out, uint32_t *count, hn_arena *arena, const cJSON *json)
{
    void *items;
    TRY_READ(begin_list(&items, count, arena, json, sizeof(hn_hash)));
    hn_hash *hashes = items;
    const cJSON *item = json == NULL ? NULL : json->child;
    for (uint32_t i = 0; i < *count; i++, item = item->next)
        TRY_READ(hn_rpc_read_hash(&hashes[i], item));
    *out = hashes;
    return NULL;
}

static hn_rpc_complaint read_access_list(hn_call *call, hn_arena *arena, const cJSON *json)
{
    void *items;
    TRY_READ(begin_list(&items, &call->access_list_count, arena, json, sizeof(hn_access_entry)));
    hn_access_entry *entries = items;
    const cJSON *item = json == NULL ? NULL : json->child;
    for (uint32_t i = 0; i < call->access_list_count; i++, item = item->next) {
        TRY_READ(read_address(&entries[i].address, item, "AccessTuple.accessList.address"));
        TRY_READ(
            read_hashes(&entries[i].keys, &entries[i].key_count, arena, hn_rpc_member(item, "storageKeys")));
    }
    call->access_list = entries;
    return NULL;
}

static hn_rpc_complaint read_word(hn_hash *out, const cJSON *object, const char *field)
{
    hn_u256 value = {{0, 0, 0, 0}};
    TRY_READ(optional_u256(&value, object, field));
    hn_u256_to_be(out->b, &value);
    return NULL;
}

static hn_rpc_complaint read_authorizations(hn_call *call, hn_arena *arena, const cJSON *json)
{
    void *items;
    TRY_READ(begin_list(&items, &call->authorization_count, arena, json, sizeof(hn_authorization)));
    hn_authorization *list = items;
    const cJSON *item = json == NULL ? NULL : json->child;
    for (uint32_t i = 0; i < call->authorization_count; i++, item = item->next) {
        uint64_t parity = 0;
        TRY_READ(optional_u256(&list[i].chain_id, item, "SetCodeAuthorization.authorizationList.chainId"));
        TRY_READ(read_address(&list[i].address, item, "SetCodeAuthorization.authorizationList.address"));
        TRY_READ(optional_u64(&list[i].nonce, item, "SetCodeAuthorization.authorizationList.nonce"));
        TRY_READ(optional_u64(&parity, item, "SetCodeAuthorization.authorizationList.yParity"));
        TRY_READ(read_word(&list[i].signature.r, item, "SetCodeAuthorization.authorizationList.r"));
        TRY_READ(read_word(&list[i].signature.s, item, "SetCodeAuthorization.authorizationList.s"));
        if (parity > 255)
            return "yParity out of range";
        list[i].signature.y_parity = (uint8_t)parity;
    }
    call->authorizations = list;
    return NULL;
}

/* --- the call --- */

/* "data" is the older name of "input", which goes before it when both are there. */
static hn_rpc_complaint read_input(hn_bytes *out, hn_arena *arena, const cJSON *json)
{
    static const char *const fields[] = {"TransactionArgs.data", "TransactionArgs.input"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const cJSON *member = member_of(json, fields[i]);
        if (member != NULL)
            TRY_READ(hn_rpc_in_field(hn_rpc_read_data(out, arena, member), fields[i]));
    }
    return NULL;
}

static const char both_prices[] = "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified";
static const char no_beacon_root[] = "block override \"beaconRoot\" is not supported for this RPC method";
static const char no_withdrawals[] = "block override \"withdrawals\" is not supported for this RPC method";

void hn_rpc_refuse_argument(hn_rpc_call *call, unsigned index, hn_rpc_complaint complaint)
{
    if (complaint == both_prices || complaint == no_beacon_root || complaint == no_withdrawals)
        hn_rpc_fail(call, HN_RPC_SERVER_ERROR, "%s", complaint);
    else
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument %u: %s", index, complaint);
}

static hn_rpc_complaint read_prices(hn_query *query, const cJSON *json)
{
    bool has_price = hn_rpc_member(json, "gasPrice") != NULL;
    query->has_fee_caps =
        hn_rpc_member(json, "maxFeePerGas") != NULL || hn_rpc_member(json, "maxPriorityFeePerGas") != NULL;
    if (has_price && query->has_fee_caps)
        return both_prices;
    TRY_READ(optional_u256(&query->call.gas_price, json, "TransactionArgs.gasPrice"));
    TRY_READ(optional_u256(&query->max_priority_fee_per_gas, json, "TransactionArgs.maxPriorityFeePerGas"));
    if (hn_rpc_member(json, "maxFeePerGas") == NULL)
        query->max_fee_per_gas = query->max_priority_fee_per_gas;
    return optional_u256(&query->max_fee_per_gas, json, "TransactionArgs.maxFeePerGas");
}

hn_rpc_complaint hn_rpc_read_call(hn_query *query, hn_arena *arena, const cJSON *json)
{
    if (!cJSON_IsObject(json))
        return hn_rpc_wrong_kind(json, "ethapi.TransactionArgs");
    hn_call *call = &query->call;
    const cJSON *from = hn_rpc_member(json, "from");
    const cJSON *to = hn_rpc_member(json, "to");
    call->is_create = to == NULL;
    if (from != NULL)
        TRY_READ(read_address(&call->from, json, "TransactionArgs.from"));
    if (to != NULL)
        TRY_READ(read_address(&call->to, json, "TransactionArgs.to"));
    TRY_READ(optional_u64(&call->gas, json, "TransactionArgs.gas"));
    TRY_READ(optional_u256(&call->value, json, "TransactionArgs.value"));
    TRY_READ(read_input(&call->input, arena, json));
    TRY_READ(read_prices(query, json));
    TRY_READ(read_access_list(call, arena, hn_rpc_member(json, "accessList")));
    TRY_READ(read_hashes(&call->blob_hashes, &call->blob_hash_count, arena,
                         hn_rpc_member(json, "blobVersionedHashes")));
    return read_authorizations(call, arena, hn_rpc_member(json, "authorizationList"));
}

/* --- overrides --- */

static hn_rpc_complaint read_name(void *out, size_t size, const char *name)
{
    return hn_hex_read_fixed(out, size, name) == HN_OK ? NULL : "invalid hex string";
}

static hn_rpc_complaint read_slots(hn_account_override *override, hn_arena *arena, const cJSON *json)
{
    if (!cJSON_IsObject(json))
        return "an object is expected";
    int size = cJSON_GetArraySize(json); /* members */
    hn_slot_change *slots = hn_arena_calloc(arena, (size_t)size + 1, sizeof *slots);
    if (slots == NULL)
        return "too large";
    const cJSON *item = json->child;
    for (int i = 0; i < size; i++, item = item->next) {
        hn_hash word;
        TRY_READ(read_name(&word, sizeof word, item->string));
        slots[i].key = hn_u256_from_be(word.b);
        TRY_READ(hn_rpc_read_hash(&word, item));
        slots[i].after = hn_u256_from_be(word.b);
    }
    override->slots = slots;
    override->slot_count = (uint32_t)size;
    return NULL;
}

static hn_rpc_complaint read_override(hn_account_override *override, hn_arena *arena, const cJSON *json)
{
    if (!cJSON_IsObject(json))
        return hn_rpc_wrong_kind(json, "override.OverrideAccount");
    override->has_balance = hn_rpc_member(json, "balance") != NULL;
    TRY_READ(optional_u256(&override->balance, json, "OverrideAccount.balance"));
    override->has_nonce = hn_rpc_member(json, "nonce") != NULL;
    TRY_READ(optional_u64(&override->nonce, json, "OverrideAccount.nonce"));
    const cJSON *code = hn_rpc_member(json, "code");
    override->has_code = code != NULL;
    if (code != NULL)
        TRY_READ(hn_rpc_in_field(hn_rpc_read_data(&override->code, arena, code), "OverrideAccount.code"));
    const cJSON *move_to = hn_rpc_member(json, "movePrecompileToAddress");
    override->has_move = move_to != NULL;
    if (move_to != NULL)
        TRY_READ(hn_rpc_read_address(&override->move_to, move_to));
    const cJSON *slots = hn_rpc_member(json, "stateDiff");
    const cJSON *state = hn_rpc_member(json, "state");
    if (slots != NULL && state != NULL)
        return "an account has both 'state' and 'stateDiff'";
    override->has_state = state != NULL;
    if (state != NULL)
        slots = state;
    return slots == NULL ? NULL : read_slots(override, arena, slots);
}

hn_rpc_complaint hn_rpc_read_overrides(hn_query *query, hn_arena *arena, const cJSON *json)
{
    if (json == NULL)
        return NULL;
    if (!cJSON_IsObject(json))
        return hn_rpc_wrong_kind(json, "override.StateOverride");
    int size = cJSON_GetArraySize(json);
    hn_account_override *overrides = hn_arena_calloc(arena, (size_t)size + 1, sizeof *overrides);
    if (overrides == NULL)
        return "too large";
    const cJSON *item = json->child;
    for (int i = 0; i < size; i++, item = item->next) {
        TRY_READ(read_name(&overrides[i].address, sizeof overrides[i].address, item->string));
        TRY_READ(read_override(&overrides[i], arena, item));
    }
    query->overrides = overrides;
    query->override_count = (uint32_t)size;
    return NULL;
}

/* --- block overrides --- */

/* True when it is there by one of two names. */
static const cJSON *either(const cJSON *json, const char *name, const char *older_name)
{
    const cJSON *member = hn_rpc_member(json, name);
    return member != NULL || older_name == NULL ? member : hn_rpc_member(json, older_name);
}

static hn_rpc_complaint override_u64(bool *has, uint64_t *out, const cJSON *json)
{
    *has = json != NULL;
    return json == NULL ? NULL : hn_rpc_read_u64(out, json);
}

static hn_rpc_complaint override_u256(bool *has, hn_u256 *out, const cJSON *json)
{
    *has = json != NULL;
    return json == NULL ? NULL : hn_rpc_read_u256(out, json);
}

hn_rpc_complaint hn_rpc_read_block_override(hn_block_override *out, const cJSON *json)
{
    *out = (hn_block_override){.has_number = false};
    if (json == NULL)
        return NULL;
    if (!cJSON_IsObject(json))
        return "an object is expected";
    const cJSON *beneficiary = either(json, "feeRecipient", "coinbase");
    const cJSON *prev_randao = either(json, "prevRandao", "random");
    out->has_beneficiary = beneficiary != NULL;
    if (beneficiary != NULL)
        TRY_READ(hn_rpc_read_address(&out->beneficiary, beneficiary));
    out->has_prev_randao = prev_randao != NULL;
    if (prev_randao != NULL)
        TRY_READ(hn_rpc_read_hash(&out->prev_randao, prev_randao));
    TRY_READ(override_u64(&out->has_number, &out->number, hn_rpc_member(json, "number")));
    TRY_READ(override_u64(&out->has_timestamp, &out->timestamp, either(json, "time", "timestamp")));
    TRY_READ(override_u64(&out->has_gas_limit, &out->gas_limit, hn_rpc_member(json, "gasLimit")));
    TRY_READ(override_u256(&out->has_difficulty, &out->difficulty, hn_rpc_member(json, "difficulty")));
    TRY_READ(override_u256(&out->has_base_fee, &out->base_fee, either(json, "baseFeePerGas", "baseFee")));
    return override_u256(&out->has_blob_base_fee, &out->blob_base_fee, hn_rpc_member(json, "blobBaseFee"));
}

hn_rpc_complaint hn_rpc_read_call_block(hn_query *query, hn_arena *arena, const cJSON *json)
{
    if (json == NULL)
        return NULL;
    hn_block_override *block = hn_arena_calloc(arena, 1, sizeof *block);
    if (block == NULL)
        return "too large";
    TRY_READ(hn_rpc_read_block_override(block, json));
    if (hn_rpc_member(json, "beaconRoot") != NULL)
        return no_beacon_root;
    if (hn_rpc_member(json, "withdrawals") != NULL)
        return no_withdrawals;
    query->block_override = block;
    return NULL;
}
