#include "pipeline/rpc/params.h"

#include "engine/codec/hex.h"

#include <stdio.h>

static const char no_prefix[] = "hex string without 0x prefix";
static const char empty[] = "empty hex string";
static const char odd_length[] = "hex string of odd length";
static const char not_hex[] = "invalid hex string";

/* --- complaints, as geth words them --- */

/* What the last complaint with a name or number in it says. */
static _Thread_local char complaint_text[320];

static const char value_of[] = " into Go value of type ";

/* `problem` is why a value of Go's type `type` cannot be read. */
static hn_rpc_complaint of_type(const char *problem, const char *type)
{
    if (problem != NULL)
        (void)snprintf(complaint_text, sizeof complaint_text, "json: cannot unmarshal %s%s%s", problem,
                       value_of, type);
    return problem == NULL ? NULL : complaint_text;
}

hn_rpc_complaint hn_rpc_in_field(hn_rpc_complaint complaint, const char *field)
{
    const char *middle = complaint == NULL ? NULL : strstr(complaint, value_of);
    if (middle == NULL)
        return complaint;
    char text[sizeof complaint_text];
    (void)snprintf(text, sizeof text, "%.*s into Go struct field %.80s of type %s", (int)(middle - complaint),
                   complaint, field, middle + sizeof value_of - 1);
    (void)snprintf(complaint_text, sizeof complaint_text, "%s", text);
    return complaint_text;
}

hn_rpc_complaint hn_rpc_wrong_kind(const cJSON *json, const char *type)
{
    return of_type(json == NULL || cJSON_IsNull(json) ? "null"
                   : cJSON_IsString(json)             ? "string"
                   : cJSON_IsNumber(json)             ? "number"
                   : cJSON_IsBool(json)               ? "bool"
                   : cJSON_IsArray(json)              ? "array"
                                                      : "object",
                   type);
}

/* --- members --- */

const cJSON *hn_rpc_any_member(const cJSON *object, const char *name)
{
    const cJSON *found = NULL;
    if (!cJSON_IsObject(object))
        return NULL;
    for (const cJSON *member = object->child; member != NULL; member = member->next)
        if (strcmp(member->string, name) == 0)
            found = member;
    return found;
}

const cJSON *hn_rpc_member(const cJSON *object, const char *name)
{
    const cJSON *member = hn_rpc_any_member(object, name);
    return member == NULL || cJSON_IsNull(member) ? NULL : member;
}

/* --- values --- */

static hn_rpc_complaint check_prefix(const char *text)
{
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? NULL : no_prefix;
}

static hn_rpc_complaint read_fixed(uint8_t *out, size_t size, const cJSON *json, const char *type)
{
    if (!cJSON_IsString(json))
        return of_type("non-string", type);
    const char *text = json->valuestring;
    if (text[0] != '\0' && check_prefix(text) != NULL)
        return of_type(no_prefix, type);
    size_t length = text[0] == '\0' ? 0 : strlen(text) - 2;
    if (length % 2 != 0)
        return of_type(odd_length, type);
    if (length != 2 * size) {
        (void)snprintf(complaint_text, sizeof complaint_text, "hex string has length %zu, want %zu for %s",
                       length, 2 * size, type);
        return complaint_text;
    }
    return hn_hex_decode(out, text + 2, length) == HN_OK ? NULL : of_type(not_hex, type);
}

hn_rpc_complaint hn_rpc_read_address(hn_address *out, const cJSON *json)
{
    return read_fixed(out->b, sizeof out->b, json, "common.Address");
}

hn_rpc_complaint hn_rpc_read_hash(hn_hash *out, const cJSON *json)
{
    return read_fixed(out->b, sizeof out->b, json, "common.Hash");
}

/* Of at most `bits` bits: 64 or 256. */
static const char *read_number(hn_u256 *out, const char *text, unsigned bits)
{
    if (check_prefix(text) != NULL)
        return no_prefix;
    if (text[2] == '\0')
        return "hex string \"0x\"";
    if (text[2] == '0' && text[3] != '\0')
        return "hex number with leading zero digits";
    hn_err err = hn_hex_read_u256(out, text);
    if (err == HN_ERR_RANGE || (err == HN_OK && bits == 64 && !hn_u256_fits_64(out)))
        return bits == 64 ? "hex number > 64 bits" : "hex number > 256 bits";
    return err == HN_OK ? NULL : not_hex;
}

/* A number as a parameter or member: nothing between the quotes is zero. */
static hn_rpc_complaint read_quantity(hn_u256 *out, unsigned bits, const cJSON *json, const char *type)
{
    if (!cJSON_IsString(json))
        return of_type("non-string", type);
    *out = hn_u256_of(0);
    return json->valuestring[0] == '\0' ? NULL : of_type(read_number(out, json->valuestring, bits), type);
}

hn_rpc_complaint hn_rpc_read_u256(hn_u256 *out, const cJSON *json)
{
    return read_quantity(out, 256, json, "*hexutil.Big");
}

static hn_rpc_complaint read_u64(uint64_t *out, const cJSON *json, const char *type)
{
    hn_u256 value;
    hn_rpc_complaint complaint = read_quantity(&value, 64, json, type);
    if (complaint == NULL)
        *out = value.w[0];
    return complaint;
}

hn_rpc_complaint hn_rpc_read_u64(uint64_t *out, const cJSON *json)
{
    return read_u64(out, json, "hexutil.Uint64");
}

hn_rpc_complaint hn_rpc_read_data(hn_bytes *out, hn_arena *arena, const cJSON *json)
{
    static const char type[] = "hexutil.Bytes";
    if (!cJSON_IsString(json))
        return of_type("non-string", type);
    const char *text = json->valuestring;
    if (text[0] == '\0') {
        *out = hn_bytes_of(NULL, 0);
        return NULL;
    }
    if (check_prefix(text) != NULL)
        return of_type(no_prefix, type);
    size_t size = strlen(text) - 2;
    if (size % 2 != 0)
        return of_type(odd_length, type);
    uint8_t *bytes = hn_arena_alloc(arena, size / 2);
    if (bytes == NULL)
        return "too large";
    if (hn_hex_decode(bytes, text + 2, size) != HN_OK)
        return of_type(not_hex, type);
    *out = hn_bytes_of(bytes, size / 2);
    return NULL;
}

static bool read_decimal(uint64_t *out, const char *text)
{
    uint64_t value = 0;
    for (; *text != '\0'; text++) {
        uint64_t digit = (uint64_t)(unsigned char)*text - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

/* A JSON number, or a string with a decimal or a hexadecimal number. */
static hn_rpc_complaint read_count(uint64_t *out, const cJSON *json)
{
    char number[40] = "";
    const char *text = cJSON_IsString(json) ? json->valuestring : number;
    if (cJSON_IsNumber(json)) {
        if (json->valuedouble >= 0 && json->valuedouble < 18446744073709551616.0 &&
            json->valuedouble == (double)(uint64_t)json->valuedouble) {
            *out = (uint64_t)json->valuedouble;
            return NULL;
        }
        (void)snprintf(number, sizeof number, "%.17g", json->valuedouble);
    } else if (cJSON_IsString(json)) {
        hn_u256 value;
        if (read_decimal(out, text))
            return NULL;
        if (read_number(&value, text, 64) == NULL) {
            *out = value.w[0];
            return NULL;
        }
    } else {
        (void)snprintf(number, sizeof number, "%s",
                       cJSON_IsBool(json) ? cJSON_IsTrue(json) ? "true" : "false" : "null");
    }
    (void)snprintf(complaint_text, sizeof complaint_text, "invalid hex or decimal integer \"%.80s\"", text);
    return complaint_text;
}

/* Up to 32 bytes, with or without the prefix, any number of digits. */
hn_rpc_complaint hn_rpc_read_slot(hn_u256 *out, const cJSON *json)
{
    if (!cJSON_IsString(json))
        return hn_rpc_wrong_kind(json, "string");
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

static bool read_tag(hn_block_selector *out, const char *text)
{
    *out = (hn_block_selector){.kind = HN_BLOCK_LATEST};
    for (size_t i = 0; i < sizeof latest_tags / sizeof latest_tags[0]; i++)
        if (strcmp(text, latest_tags[i]) == 0)
            return true;
    out->kind = HN_BLOCK_NUMBER;
    return strcmp(text, "earliest") == 0;
}

/* `too_high` is what is said of numbers of more than 63 bits. */
static hn_rpc_complaint read_block_number(hn_block_selector *out, const char *text, const char *too_high)
{
    if (read_tag(out, text))
        return NULL;
    if (text[0] == '\0')
        return empty;
    hn_u256 number;
    hn_rpc_complaint complaint = read_number(&number, text, 64);
    if (complaint != NULL)
        return complaint;
    out->number = number.w[0];
    return out->number > INT64_MAX ? too_high : NULL;
}

/* A number or a tag, but no hash. */
static hn_rpc_complaint read_number_or_tag(hn_block_selector *out, const cJSON *json)
{
    if (!cJSON_IsString(json))
        return no_prefix;
    return read_block_number(out, json->valuestring, "block number larger than int64");
}

/* {"blockNumber": ...} or {"blockHash": ...} */
static hn_rpc_complaint read_block_object(hn_block_selector *out, const cJSON *json)
{
    const cJSON *number = hn_rpc_member(json, "blockNumber");
    const cJSON *hash = hn_rpc_member(json, "blockHash");
    const cJSON *canonical = hn_rpc_member(json, "requireCanonical");
    hn_rpc_complaint complaint = NULL;
    *out = (hn_block_selector){.kind = HN_BLOCK_HASH};
    if (hash != NULL)
        complaint = hn_rpc_read_hash(&out->hash, hash);
    hn_block_selector by_number;
    if (complaint == NULL && number != NULL)
        complaint = read_number_or_tag(&by_number, number);
    if (complaint != NULL || (canonical != NULL && !cJSON_IsBool(canonical)))
        return hn_rpc_wrong_kind(json, "string"); /* geth then tries to read the whole as a string */
    if (number != NULL && hash != NULL)
        return "cannot specify both BlockHash and BlockNumber, choose one or the other";
    if (number == NULL && hash == NULL)
        return "must specify either BlockHash or BlockNumber";
    if (number != NULL)
        *out = by_number;
    return NULL;
}

hn_rpc_complaint hn_rpc_read_block(hn_block_selector *out, const cJSON *json)
{
    if (cJSON_IsObject(json))
        return read_block_object(out, json);
    if (!cJSON_IsString(json))
        return hn_rpc_wrong_kind(json, "string");
    if (strlen(json->valuestring) != 66)
        return read_block_number(out, json->valuestring, "blocknumber too high");
    *out = (hn_block_selector){.kind = HN_BLOCK_HASH};
    if (check_prefix(json->valuestring) != NULL)
        return no_prefix;
    return hn_hex_decode(out->hash.b, json->valuestring + 2, 64) == HN_OK ? NULL : not_hex;
}

static hn_rpc_complaint read_value(hn_rpc_value *out, hn_arena *arena, hn_rpc_type type, const cJSON *json)
{
    switch (type) {
    case HN_RPC_ADDRESS:
        return hn_rpc_read_address(&out->address, json);
    case HN_RPC_HASH:
        return hn_rpc_read_hash(&out->hash, json);
    case HN_RPC_QUANTITY:
        return read_u64(&out->quantity, json, "hexutil.Uint");
    case HN_RPC_COUNT:
        return read_count(&out->quantity, json);
    case HN_RPC_DATA:
        return hn_rpc_read_data(&out->data, arena, json);
    case HN_RPC_SLOT:
        return hn_rpc_read_slot(&out->slot, json);
    case HN_RPC_BLOCK:
        out->is_pending = cJSON_IsString(json) && strcmp(json->valuestring, "pending") == 0;
        return hn_rpc_read_block(&out->block, json);
    case HN_RPC_NUMBER:
        return read_number_or_tag(&out->block, json);
    case HN_RPC_BOOL:
        out->flag = cJSON_IsTrue(json) != 0;
        return cJSON_IsBool(json) ? NULL : hn_rpc_wrong_kind(json, "bool");
    case HN_RPC_JSON:
        out->json = json;
        return cJSON_IsObject(json) || cJSON_IsArray(json) ? NULL : "an object or array is expected";
    case HN_RPC_TEXT:
        out->json = json;
        return cJSON_IsString(json) ? NULL : hn_rpc_wrong_kind(json, "rpc.ID");
    case HN_RPC_ANY:
        out->json = json;
        return NULL;
    case HN_RPC_NOTHING:
    default:
        return "too many arguments";
    }
}

/* geth checks storage keys on its own, and so words it otherwise. */
static void complain(hn_rpc_call *call, hn_rpc_type type, unsigned index, hn_rpc_complaint complaint,
                     const cJSON *json)
{
    if (type == HN_RPC_SLOT && cJSON_IsString(json))
        hn_rpc_fail(call, HN_RPC_INVALID_PARAMS, "%s: \"%.100s\"", complaint, json->valuestring);
    else
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
        hn_rpc_type type = (hn_rpc_type)method->types[index];
        if (cJSON_IsNull(item) && (index >= method->required || type == HN_RPC_BOOL))
            continue;
        if (cJSON_IsNull(item) && type == HN_RPC_JSON)
            break;
        hn_rpc_value *value = &call->params[index];
        hn_rpc_complaint complaint = read_value(value, call->arena, type, item);
        if (complaint != NULL) {
            complain(call, type, index, complaint, item);
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
