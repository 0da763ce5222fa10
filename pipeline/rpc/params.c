#include "pipeline/rpc/params.h"

#include "engine/codec/hex.h"

static const char not_text[] = "a string is expected";
static const char no_prefix[] = "hex string without 0x prefix";
static const char empty[] = "empty hex string";
static const char odd_length[] = "hex string of odd length";
static const char not_hex[] = "invalid hex string";
static const char wrong_length[] = "hex string has the wrong length";

const cJSON *hn_rpc_member(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return member == NULL || cJSON_IsNull(member) ? NULL : member;
}

/* Checks that there is a string with "0x" in front; *digits is what follows. */
static hn_rpc_complaint hex_digits(const char **digits, const cJSON *json)
{
    if (!cJSON_IsString(json))
        return not_text;
    const char *text = json->valuestring;
    if (text[0] == '\0')
        return empty;
    if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
        return no_prefix;
    *digits = text + 2;
    return NULL;
}

static hn_rpc_complaint read_fixed(uint8_t *out, size_t size, const cJSON *json)
{
    const char *digits;
    hn_rpc_complaint complaint = hex_digits(&digits, json);
    if (complaint != NULL)
        return complaint;
    size_t length = strlen(digits);
    if (length % 2 != 0)
        return odd_length;
    if (length != 2 * size)
        return wrong_length;
    return hn_hex_decode(out, digits, 2 * size) == HN_OK ? NULL : not_hex;
}

hn_rpc_complaint hn_rpc_read_address(hn_address *out, const cJSON *json)
{
    return read_fixed(out->b, sizeof out->b, json);
}

hn_rpc_complaint hn_rpc_read_hash(hn_hash *out, const cJSON *json)
{
    return read_fixed(out->b, sizeof out->b, json);
}

hn_rpc_complaint hn_rpc_read_u256(hn_u256 *out, const cJSON *json)
{
    const char *digits;
    hn_rpc_complaint complaint = hex_digits(&digits, json);
    if (complaint != NULL)
        return complaint;
    if (digits[0] == '\0')
        return "hex string \"0x\"";
    if (digits[0] == '0' && digits[1] != '\0')
        return "hex number with leading zero digits";
    hn_err err = hn_hex_read_u256(out, json->valuestring);
    return err == HN_OK ? NULL : err == HN_ERR_RANGE ? "hex number > 256 bits" : not_hex;
}

hn_rpc_complaint hn_rpc_read_u64(uint64_t *out, const cJSON *json)
{
    hn_u256 value;
    hn_rpc_complaint complaint = hn_rpc_read_u256(&value, json);
    if (complaint != NULL)
        return complaint;
    if (!hn_u256_fits_64(&value))
        return "hex number > 64 bits";
    *out = value.w[0];
    return NULL;
}

hn_rpc_complaint hn_rpc_read_data(hn_bytes *out, hn_arena *arena, const cJSON *json)
{
    const char *digits;
    hn_rpc_complaint complaint = hex_digits(&digits, json);
    if (complaint != NULL)
        return complaint;
    size_t size = strlen(digits);
    if (size % 2 != 0)
        return odd_length;
    uint8_t *bytes = hn_arena_alloc(arena, size / 2);
    if (bytes == NULL)
        return "too large";
    if (hn_hex_decode(bytes, digits, size) != HN_OK)
        return not_hex;
    *out = hn_bytes_of(bytes, size / 2);
    return NULL;
}

static hn_rpc_complaint read_count(uint64_t *out, const cJSON *json)
{
    if (!cJSON_IsNumber(json))
        return hn_rpc_read_u64(out, json);
    if (!(json->valuedouble >= 0 && json->valuedouble <= 9007199254740992.0))
        return "number out of range";
    *out = (uint64_t)json->valuedouble;
    return NULL;
}

/* Up to 32 bytes, with or without the prefix, any number of digits. */
hn_rpc_complaint hn_rpc_read_slot(hn_u256 *out, const cJSON *json)
{
    if (!cJSON_IsString(json))
        return not_text;
    const char *digits = json->valuestring;
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X'))
        digits += 2;
    size_t size = strlen(digits);
    if (size > 64)
        return "storage key too long (want at most 32 bytes)";
    char padded[64];
    memset(padded, '0', sizeof padded - size);
    memcpy(padded + sizeof padded - size, digits, size);
    uint8_t bytes[32];
    if (hn_hex_decode(bytes, padded, sizeof padded) != HN_OK)
        return "invalid hex in storage key";
    *out = hn_u256_from_be(bytes);
    return NULL;
}

static const char *const latest_tags[] = {"latest", "pending", "safe", "finalized"};

static hn_rpc_complaint read_block_text(hn_block_selector *out, const cJSON *json)
{
    *out = (hn_block_selector){.kind = HN_BLOCK_LATEST};
    for (size_t i = 0; i < sizeof latest_tags / sizeof latest_tags[0]; i++)
        if (strcmp(json->valuestring, latest_tags[i]) == 0)
            return NULL;
    out->kind = HN_BLOCK_NUMBER;
    if (strcmp(json->valuestring, "earliest") == 0)
        return NULL;
    if (strlen(json->valuestring) == 66) {
        out->kind = HN_BLOCK_HASH;
        return hn_rpc_read_hash(&out->hash, json);
    }
    return hn_rpc_read_u64(&out->number, json);
}

hn_rpc_complaint hn_rpc_read_block(hn_block_selector *out, const cJSON *json)
{
    if (cJSON_IsString(json))
        return read_block_text(out, json);
    if (!cJSON_IsObject(json))
        return "a block number, tag or hash is expected";
    const cJSON *number = hn_rpc_member(json, "blockNumber");
    const cJSON *hash = hn_rpc_member(json, "blockHash");
    if (number != NULL && hash != NULL)
        return "cannot specify both BlockHash and BlockNumber, choose one or the other";
    if (hash != NULL) {
        *out = (hn_block_selector){.kind = HN_BLOCK_HASH};
        return hn_rpc_read_hash(&out->hash, hash);
    }
    if (!cJSON_IsString(number))
        return "a block number or hash is expected";
    return read_block_text(out, number);
}

static hn_rpc_complaint read_value(hn_rpc_value *out, hn_arena *arena, hn_rpc_type type, const cJSON *json)
{
    switch (type) {
    case HN_RPC_ADDRESS:
        return hn_rpc_read_address(&out->address, json);
    case HN_RPC_HASH:
        return hn_rpc_read_hash(&out->hash, json);
    case HN_RPC_QUANTITY:
        return hn_rpc_read_u64(&out->quantity, json);
    case HN_RPC_COUNT:
        return read_count(&out->quantity, json);
    case HN_RPC_DATA:
        return hn_rpc_read_data(&out->data, arena, json);
    case HN_RPC_SLOT:
        return hn_rpc_read_slot(&out->slot, json);
    case HN_RPC_BLOCK:
        out->is_pending = cJSON_IsString(json) && strcmp(json->valuestring, "pending") == 0;
        return hn_rpc_read_block(&out->block, json);
    case HN_RPC_BOOL:
        out->flag = cJSON_IsTrue(json) != 0;
        return cJSON_IsBool(json) ? NULL : "a boolean is expected";
    case HN_RPC_JSON:
        out->json = json;
        return cJSON_IsObject(json) || cJSON_IsArray(json) ? NULL : "an object or array is expected";
    case HN_RPC_TEXT:
        out->json = json;
        return cJSON_IsString(json) ? NULL : not_text;
    case HN_RPC_ANY:
        out->json = json;
        return NULL;
    case HN_RPC_NOTHING:
    default:
        return "too many arguments";
    }
}

/* What geth's parser calls the types that it reads by way of Go's own: their complaints name it. */
static const struct {
    hn_rpc_type type;
    unsigned digits; /* of a fixed size; else 0 */
    const char *name;
} go_types[] = {
    {HN_RPC_ADDRESS, 40, "common.Address"},
    {HN_RPC_HASH, 64, "common.Hash"},
    {HN_RPC_QUANTITY, 0, "hexutil.Uint64"},
    {HN_RPC_DATA, 0, "hexutil.Bytes"},
};

/* geth checks storage keys on its own, and so words it otherwise. */
static void complain(hn_rpc_call *call, hn_rpc_type type, unsigned index, hn_rpc_complaint complaint,
                     const cJSON *json)
{
    if (type == HN_RPC_SLOT && cJSON_IsString(json)) {
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "%s: \"%.100s\"", complaint, json->valuestring);
        return;
    }
    for (size_t i = 0; i < sizeof go_types / sizeof go_types[0]; i++) {
        if (go_types[i].type != type)
            continue;
        if (complaint == wrong_length)
            hn_rpc_fail(call, HN_RPC_INVALID_PARAMS,
                        "invalid argument %u: hex string has length %zu, want %u for %s", index,
                        strlen(json->valuestring) - 2, go_types[i].digits, go_types[i].name);
        else
            hn_rpc_fail(call, HN_RPC_INVALID_PARAMS,
                        "invalid argument %u: json: cannot unmarshal %s into Go value of type %s", index,
                        complaint == not_text ? "non-string" : complaint, go_types[i].name);
        return;
    }
    hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "invalid argument %u: %s", index, complaint);
}

static unsigned type_count(const hn_rpc_method *method)
{
    unsigned count = 0;
    while (count < HN_RPC_PARAMS_MAX && method->types[count] != HN_RPC_NOTHING)
        count++;
    return count;
}

bool hn_rpc_read_params(hn_rpc_call *call, const hn_rpc_method *method, const cJSON *params)
{
    if (params != NULL && !cJSON_IsArray(params) && !cJSON_IsNull(params)) {
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "non-array args");
        return false;
    }
    unsigned wanted = type_count(method);
    unsigned index = 0;
    const cJSON *item = params != NULL && cJSON_IsArray(params) ? params->child : NULL;
    for (; item != NULL; item = item->next, index++) {
        if (index == wanted) {
            hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "too many arguments, want at most %u", wanted);
            return false;
        }
        if (cJSON_IsNull(item) && index >= method->required)
            continue;
        if (cJSON_IsNull(item))
            break;
        hn_rpc_value *value = &call->params[index];
        hn_rpc_complaint complaint = read_value(value, call->arena, (hn_rpc_type)method->types[index], item);
        if (complaint != NULL) {
            complain(call, (hn_rpc_type)method->types[index], index, complaint, item);
            return false;
        }
        value->is_present = true;
    }
    if (index < method->required) {
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "missing value for required argument %u", index);
        return false;
    }
    return true;
}
