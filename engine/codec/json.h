/* Reading JSON (RFC 8259) with bounds and with messages that name the place.
 *
 * A thin layer over jansson: a document is parsed whole, then walked by nodes. A node knows its parent, so
 * every reader that fails can say where: "alloc.0xf39f....balance: not a number". Nodes are made on the
 * caller's stack and point at their parents: a parent must outlive its children, the document all of them.
 * Text handed out lives as long as the document. Allocates from the heap; not for the hot path of packets.
 */
#ifndef HN_ENGINE_CODEC_JSON_H
#define HN_ENGINE_CODEC_JSON_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/base/u256.h"

struct json_t;

/* What is wrong and where, for people; always NUL-terminated. */
typedef struct hn_json_problem {
    char text[256];
} hn_json_problem;

typedef struct hn_json_limits {
    size_t size_max;  /* bytes of text */
    size_t depth_max; /* arrays and objects within each other; at most 1,024 */
} hn_json_limits;

typedef struct hn_json_document {
    struct json_t *root;
} hn_json_document;

/* One value of a document and the way to it. */
typedef struct hn_json {
    const struct json_t *value;
    const struct hn_json *parent; /* NULL: the root */
    const char *key;              /* within an object; NULL within an array */
    size_t index;                 /* within an array */
    hn_json_problem *problem;     /* where readers leave their messages; may be NULL */
} hn_json;

/* Parses `text`, of any top-level type. Integers of any length are taken (those beyond 64 bits become decimal
 * strings, which the number readers below take too); a key that occurs twice in one object is an error.
 * HN_ERR_INVALID, HN_ERR_LIMIT (see *problem), HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_json_parse(hn_json_document *out, hn_json_problem *problem, hn_bytes text,
                                 const hn_json_limits *limits);
void hn_json_free(hn_json_document *document);

/* The node of the whole document. Messages of it and all below go to *problem. */
hn_json hn_json_root(const hn_json_document *document, hn_json_problem *problem);

/* Leaves "path: text" and returns `err`, for checks that callers add. printf-like. */
__attribute__((format(printf, 3, 4))) hn_err hn_json_fail(const hn_json *node, hn_err err, const char *format,
                                                          ...);

bool hn_json_is_object(const hn_json *node);
bool hn_json_is_array(const hn_json *node);
bool hn_json_is_string(const hn_json *node);
bool hn_json_is_null(const hn_json *node);

/* A member of an object. _find: false when `object` is none, or the member is absent or null. _find_any_case:
 * takes a key that differs in case when the exact one is absent. _get: HN_ERR_NOT_FOUND or HN_ERR_INVALID. */
bool hn_json_find(hn_json *out, const hn_json *object, const char *key);
bool hn_json_find_any_case(hn_json *out, const hn_json *object, const char *key);
HN_MUST_USE hn_err hn_json_get(hn_json *out, const hn_json *object, const char *key);

/* Members of an object or items of an array; 0 for anything else. */
size_t hn_json_size(const hn_json *node);
/* The item at index < hn_json_size(array). */
hn_json hn_json_at(const hn_json *array, size_t index);
/* Walks an object's members: `iterator` starts as NULL; false behind the last. */
bool hn_json_next(hn_json *out, void **iterator, const hn_json *object);

/* Readers. HN_ERR_INVALID: another type or malformed. HN_ERR_RANGE: does not fit. */
HN_MUST_USE hn_err hn_json_read_bool(bool *out, const hn_json *node);
HN_MUST_USE hn_err hn_json_read_string(const char **out, const hn_json *node);
/* A string that may hold NUL characters. */
HN_MUST_USE hn_err hn_json_read_text(hn_bytes *out, const hn_json *node);
/* Quantities as the JSON-RPC has them: strings, "0x" and no leading zeroes. */
HN_MUST_USE hn_err hn_json_read_quantity_u64(uint64_t *out, const hn_json *node);
HN_MUST_USE hn_err hn_json_read_quantity_u256(hn_u256 *out, const hn_json *node);
/* Numbers as genesis files and test vectors have them: JSON integers, or strings of hexadecimal digits with
 * "0x" (leading zeroes allowed) or of decimal digits. */
HN_MUST_USE hn_err hn_json_read_number_u64(uint64_t *out, const hn_json *node);
HN_MUST_USE hn_err hn_json_read_number_u256(hn_u256 *out, const hn_json *node);
/* "0x" data of any length, into the arena; of exactly `size` bytes; of at most `size` bytes, which are put at
 * the end of `out` behind zeroes. Prefix optional in the last. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_json_read_data(hn_bytes *out, hn_arena *arena, const hn_json *node);
HN_MUST_USE hn_err hn_json_read_fixed(void *out, size_t size, const hn_json *node);
HN_MUST_USE hn_err hn_json_read_padded(void *out, size_t size, const hn_json *node);
/* The same for text that is no value: an object's key. `node` says where in messages. */
HN_MUST_USE hn_err hn_json_parse_padded(void *out, size_t size, const char *text, const hn_json *node);

/* A value's text, compact, into the arena. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_json_print(hn_bytes *out, hn_arena *arena, const hn_json *node);

/* The same type and contents; an object's members in any order. */
bool hn_json_equal(const hn_json *left, const hn_json *right);

#endif
