/* Looking at a request's text before it is parsed: that it is JSON to the letter (RFC 8259), which the parser
 * does not insist on, that it is not nested too deeply, and where the calls' ids stand, so that they are
 * given back as they came: a number of more than 53 bits, or with a fraction, would not survive the parser.
 */
#ifndef HN_PIPELINE_RPC_JSON_CHECK_H
#define HN_PIPELINE_RPC_JSON_CHECK_H

#include "engine/base/arena.h"
#include "engine/base/bytes.h"
#include "engine/base/err.h"

typedef struct hn_json_ids {
    hn_bytes *items; /* of each call in its order: the id's text; empty where it has none */
    uint32_t count;
    uint32_t capacity;
} hn_json_ids;

/* `text` is one value with nothing but space about it. *ids has an item for each object that may be a call:
 * the value itself, or the members of an array. HN_ERR_INVALID: it is no JSON, or has a NUL in a string,
 * which nothing that a node takes has; HN_ERR_LIMIT: arrays and objects lie deeper within each other than
 * depth_max; HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_json_check(hn_json_ids *ids, hn_arena *arena, const char *text, size_t size,
                                 unsigned depth_max);

#endif
