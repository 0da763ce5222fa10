/* Reads a request's text into the tree of cJSON, in one pass and one arena.
 *
 * The library's own parser takes what is no JSON (RFC 8259), and needs as long as all else that a short
 * request costs in this program. This one takes JSON to the letter, bounds its depth, and notes where the
 * calls' ids stand, so that they are given back as they came: a number of more than 53 bits, or with a
 * fraction, would not survive the tree. All that cJSON does with a tree but change or free it works on this
 * one.
 */
#ifndef HN_PIPELINE_RPC_JSON_READ_H
#define HN_PIPELINE_RPC_JSON_READ_H

#include "engine/base/arena.h"
#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <cjson/cJSON.h>

typedef struct hn_json_ids {
    hn_bytes *items; /* of each call in its order: the id's text, in the text; empty where it has none */
    uint32_t count;
    uint32_t capacity;
} hn_json_ids;

/* `text` is one value with nothing but space about it; *root lives as long as the arena's memory, *ids->items
 * do, too, and what they point at as long as the text. *ids has an item for each object that may be a call:
 * the value itself, or the members of an array. Bytes above 0x7f stay as they are, UTF-8 or not.
 * HN_ERR_INVALID: it is no JSON, or has a NUL in a string, which nothing that a node takes has, or half a
 * surrogate pair; HN_ERR_LIMIT: arrays and objects lie deeper within each other than depth_max;
 * HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_json_read(const cJSON **root, hn_json_ids *ids, hn_arena *arena, const char *text,
                                size_t size, unsigned depth_max);

#endif
