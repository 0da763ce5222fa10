/* Writing JSON into an arena, with commas put where they belong.
 *
 * Values are written one after the other; whether a comma goes before one follows from the byte before it.
 * Running out of memory or passing the limit is sticky: check hn_json_writer_failed at the end.
 */
#ifndef HN_ENGINE_CODEC_JSON_WRITER_H
#define HN_ENGINE_CODEC_JSON_WRITER_H

#include "engine/base/arena.h"
#include "engine/base/u256.h"

typedef struct hn_json_writer {
    hn_arena *arena;
    char *text;
    size_t size;
    size_t capacity;
    size_t size_max;
    bool has_failed;
} hn_json_writer;

void hn_json_writer_init(hn_json_writer *writer, hn_arena *arena, size_t size_max);

/* Takes back everything from `size` on, a failure too. */
void hn_json_writer_cut(hn_json_writer *writer, size_t size);

void hn_json_begin_object(hn_json_writer *writer);
void hn_json_end_object(hn_json_writer *writer);
void hn_json_begin_array(hn_json_writer *writer);
void hn_json_end_array(hn_json_writer *writer);

/* A member's name; its value follows. `name` needs no escaping. */
void hn_json_key(hn_json_writer *writer, const char *name);

void hn_json_null(hn_json_writer *writer);
void hn_json_bool(hn_json_writer *writer, bool value);
void hn_json_decimal(hn_json_writer *writer, uint64_t value);
/* The shortest digits that read back as the same number; value is finite. */
void hn_json_number(hn_json_writer *writer, double value);
/* Escaped, <, > and & too, as geth writes them; bytes that are no UTF-8 become U+FFFD. */
void hn_json_text(hn_json_writer *writer, const char *text, size_t size);
/* A value that is JSON already. */
void hn_json_raw(hn_json_writer *writer, const char *json, size_t size);

/* "0x..." strings: quantities with the shortest digits, data with all. */
void hn_json_u64(hn_json_writer *writer, uint64_t value);
void hn_json_u256(hn_json_writer *writer, const hn_u256 *value);
void hn_json_data(hn_json_writer *writer, const void *data, size_t size);

static inline void hn_json_hash(hn_json_writer *writer, const hn_hash *hash)
{
    hn_json_data(writer, hash->b, sizeof hash->b);
}

static inline void hn_json_address(hn_json_writer *writer, const hn_address *address)
{
    hn_json_data(writer, address->b, sizeof address->b);
}

#endif
