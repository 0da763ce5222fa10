#include "pipeline/cli/evm_t8n_decode_error.h"

#include "engine/codec/rlp.h"

#include <stdio.h>
#include <string.h>

/* How a field is written, under the name that its type has in the text. */
typedef enum field_kind {
    FIELD_U64,
    FIELD_BIG,              /* any length */
    FIELD_U256,             /* at most 32 bytes */
    FIELD_ADDRESS,          /* 20 bytes */
    FIELD_OPTIONAL_ADDRESS, /* 20 bytes or none */
    FIELD_BYTES,
    FIELD_LIST,
} field_kind;

typedef struct field {
    const char *name;
    field_kind kind;
} field;

enum { FIELDS_MAX = 15, TEXT_MAX = 160 };

/* The fields of each type in the order of the wire. */
static const struct {
    const char *name;
    field fields[FIELDS_MAX];
} shapes[] = {
    {"LegacyTx",
     {{"Nonce", FIELD_U64},
      {"GasPrice", FIELD_BIG},
      {"Gas", FIELD_U64},
      {"To", FIELD_OPTIONAL_ADDRESS},
      {"Value", FIELD_BIG},
      {"Data", FIELD_BYTES},
      {"V", FIELD_BIG},
      {"R", FIELD_BIG},
      {"S", FIELD_BIG}}},
    {"AccessListTx",
     {{"ChainID", FIELD_BIG},
      {"Nonce", FIELD_U64},
      {"GasPrice", FIELD_BIG},
      {"Gas", FIELD_U64},
      {"To", FIELD_OPTIONAL_ADDRESS},
      {"Value", FIELD_BIG},
      {"Data", FIELD_BYTES},
      {"AccessList", FIELD_LIST},
      {"V", FIELD_BIG},
      {"R", FIELD_BIG},
      {"S", FIELD_BIG}}},
    {"DynamicFeeTx",
     {{"ChainID", FIELD_BIG},
      {"Nonce", FIELD_U64},
      {"GasTipCap", FIELD_BIG},
      {"GasFeeCap", FIELD_BIG},
      {"Gas", FIELD_U64},
      {"To", FIELD_OPTIONAL_ADDRESS},
      {"Value", FIELD_BIG},
      {"Data", FIELD_BYTES},
      {"AccessList", FIELD_LIST},
      {"V", FIELD_BIG},
      {"R", FIELD_BIG},
      {"S", FIELD_BIG}}},
    {"BlobTx",
     {{"ChainID", FIELD_U256},
      {"Nonce", FIELD_U64},
      {"GasTipCap", FIELD_U256},
      {"GasFeeCap", FIELD_U256},
      {"Gas", FIELD_U64},
      {"To", FIELD_ADDRESS},
      {"Value", FIELD_U256},
      {"Data", FIELD_BYTES},
      {"AccessList", FIELD_LIST},
      {"BlobFeeCap", FIELD_U256},
      {"BlobHashes", FIELD_LIST},
      {"V", FIELD_U256},
      {"R", FIELD_U256},
      {"S", FIELD_U256}}},
    {"SetCodeTx",
     {{"ChainID", FIELD_U256},
      {"Nonce", FIELD_U64},
      {"GasTipCap", FIELD_U256},
      {"GasFeeCap", FIELD_U256},
      {"Gas", FIELD_U64},
      {"To", FIELD_ADDRESS},
      {"Value", FIELD_U256},
      {"Data", FIELD_BYTES},
      {"AccessList", FIELD_LIST},
      {"AuthList", FIELD_LIST},
      {"V", FIELD_U256},
      {"R", FIELD_U256},
      {"S", FIELD_U256}}},
};

static const char *const kind_names[] = {
    [FIELD_U64] = "uint64",
    [FIELD_BIG] = "*big.Int",
    [FIELD_U256] = "*uint256.Int",
    [FIELD_ADDRESS] = "common.Address",
    [FIELD_OPTIONAL_ADDRESS] = "common.Address",
    [FIELD_BYTES] = "[]uint8",
    [FIELD_LIST] = "list",
};

/* What is wrong with a string of this kind; NULL: nothing. */
static const char *problem_of(hn_bytes string, field_kind kind)
{
    bool is_number = kind <= FIELD_U256;
    bool is_address = kind == FIELD_ADDRESS || (kind == FIELD_OPTIONAL_ADDRESS && string.size != 0);
    if (is_number && string.size != 0 && string.data[0] == 0)
        return "non-canonical integer (leading zero bytes)";
    if ((kind == FIELD_U64 && string.size > 8) || (kind == FIELD_U256 && string.size > 32) ||
        (is_address && string.size > 20))
        return "input string too long";
    return is_address && string.size < 20 ? "input string too short" : NULL;
}

/* Writes the text when this field is wrong. */
static bool field_fails(char *text, hn_rlp_cursor *list, const char *type, const field *item)
{
    const char *kind = kind_names[item->kind];
    if (hn_rlp_at_end(list)) {
        snprintf(text, TEXT_MAX, "rlp: too few elements for types.%s", type);
        return true;
    }
    hn_bytes string;
    const char *problem;
    bool is_list = hn_rlp_next_is_list(list);
    if (item->kind == FIELD_LIST) {
        if (is_list)
            return hn_rlp_read_raw(&string, list) != HN_OK;
        problem = "expected input list";
    } else if (is_list) {
        problem = "expected input string or byte";
    } else {
        if (hn_rlp_read_string(&string, list) != HN_OK)
            return false;
        problem = problem_of(string, item->kind);
    }
    if (problem == NULL)
        return false;
    snprintf(text, TEXT_MAX, "rlp: %s for %s, decoding into (types.Transaction)(types.%s).%s", problem, kind,
             type, item->name);
    return true;
}

/* The fields of an encoded transaction, whose type is known. False: they are no list. */
static bool open_fields(hn_rlp_cursor *list, hn_bytes raw, size_t type)
{
    size_t prefix = type != 0;
    hn_rlp_cursor input = hn_rlp_cursor_of(hn_bytes_of(raw.data + prefix, raw.size - prefix));
    return hn_rlp_read_list(list, &input) == HN_OK;
}

const char *hn_t8n_decode_error(hn_arena *arena, hn_bytes raw, hn_err err)
{
    if (raw.size == 0)
        return "typed transaction too short";
    size_t type = raw.data[0] >= 0xc0 ? 0 : raw.data[0];
    if (err == HN_ERR_UNSUPPORTED || type >= sizeof shapes / sizeof *shapes)
        return "transaction type not supported";
    char *text = hn_arena_alloc(arena, TEXT_MAX);
    if (text == NULL)
        return hn_err_text(err);
    hn_rlp_cursor list;
    if (open_fields(&list, raw, type)) {
        for (const field *item = shapes[type].fields; item->name != NULL; item++)
            if (field_fails(text, &list, shapes[type].name, item))
                return text;
    } else if (type != 0 && raw.size > 1 && raw.data[1] < 0xc0) {
        snprintf(text, TEXT_MAX, "rlp: expected input list for types.%s", shapes[type].name);
        return text;
    }
    snprintf(text, TEXT_MAX, "rlp: %s", hn_err_text(err));
    return text;
}

hn_err hn_t8n_cut_numbers(hn_bytes *out, hn_cut_numbers *cut, hn_arena *arena, hn_bytes raw)
{
    size_t type = raw.size != 0 && raw.data[0] >= 0xc0 ? 0 : raw.size != 0 ? raw.data[0] : SIZE_MAX;
    hn_rlp_cursor list;
    char text[TEXT_MAX];
    if (type >= sizeof shapes / sizeof *shapes || !open_fields(&list, raw, type))
        return HN_ERR_INVALID;
    uint8_t *bytes = hn_arena_alloc(arena, raw.size + 16);
    uint8_t *payload = hn_arena_alloc(arena, raw.size + 16);
    if (bytes == NULL || payload == NULL)
        return HN_ERR_NO_MEMORY;
    uint8_t *end = payload;
    *cut = (hn_cut_numbers){.value = false};
    for (const field *item = shapes[type].fields; item->name != NULL; item++) {
        hn_rlp_cursor before = list;
        hn_bytes part;
        if (field_fails(text, &list, shapes[type].name, item))
            return HN_ERR_INVALID;
        HN_TRY(hn_rlp_read_raw(&part, &before));
        bool is_long = item->kind == FIELD_BIG && part.size > 33;
        if (is_long && strcmp(item->name, "Value") == 0)
            cut->value = true;
        else if (is_long && strcmp(item->name, "GasTipCap") == 0)
            cut->tip = true;
        else if (is_long && (strcmp(item->name, "GasPrice") == 0 || strcmp(item->name, "GasFeeCap") == 0))
            cut->price = true;
        else if (is_long)
            cut->signature = true;
        if (is_long) {
            *end++ = 0x80;
        } else {
            memcpy(end, part.data, part.size);
            end += part.size;
        }
    }
    if (!hn_rlp_at_end(&list))
        return HN_ERR_INVALID;
    uint8_t *to = bytes;
    if (type != 0)
        *to++ = (uint8_t)type;
    to = hn_rlp_write_list_prefix(to, (size_t)(end - payload));
    memcpy(to, payload, (size_t)(end - payload));
    *out = hn_bytes_of(bytes, (size_t)(to - bytes) + (size_t)(end - payload));
    return HN_OK;
}
