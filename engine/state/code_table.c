#include "engine/state/code_table.h"

#include "engine/crypto/keccak.h"

#include <stdlib.h>

enum { CODES_AT_FIRST = 64 };

hn_err hn_code_table_create(hn_code_table *out)
{
    hn_code_table table = {.count = 1};
    HN_TRY(hn_pointer_table_create(&table.by_hash, 2 * CODES_AT_FIRST));
    *out = table;
    return HN_OK;
}

void hn_code_table_destroy(hn_code_table *table)
{
    for (uint32_t number = 1; number < table->count; number++) {
        free(table->codes[number]->bytes);
        free(table->codes[number]);
    }
    free(table->codes);
    hn_pointer_table_destroy(&table->by_hash);
}

/* Keccak hashes of code are as good as random, and each code made to collide in 32 bits costs its maker a
 * search and a deployment: no seed is needed. */
static hn_stored_code *find(const hn_code_table *table, const hn_hash *hash)
{
    const hn_pointer_table *index = &table->by_hash;
    uint32_t short_hash = hn_load_le32(hash->b);
    for (uint32_t i = short_hash & index->mask; hn_pointer_table_used(index, i); i = (i + 1) & index->mask) {
        hn_stored_code *code = index->entries[i].object;
        if (index->entries[i].hash == short_hash && hn_hash_equal(&code->face.hash, hash))
            return code;
    }
    return NULL;
}

static hn_err grow(hn_code_table *table)
{
    uint32_t capacity = table->capacity != 0 ? 2 * table->capacity : CODES_AT_FIRST;
    if (capacity < table->capacity)
        return HN_ERR_LIMIT;
    hn_stored_code **codes = realloc(table->codes, capacity * sizeof(hn_stored_code *));
    if (codes == NULL)
        return HN_ERR_NO_MEMORY;
    table->codes = codes;
    table->capacity = capacity;
    return HN_OK;
}

static hn_err find_or_make(hn_code_table *table, hn_stored_code **out, const hn_hash *hash)
{
    hn_stored_code *code = find(table, hash);
    if (code == NULL) {
        if (table->count >= table->capacity)
            HN_TRY(grow(table));
        code = malloc(sizeof *code);
        if (code == NULL)
            return HN_ERR_NO_MEMORY;
        *code = (hn_stored_code){.face = {.hash = *hash, .id = table->count}, .number = table->count};
        hn_err err = hn_pointer_table_add(&table->by_hash, hn_load_le32(hash->b), code);
        if (err != HN_OK) {
            free(code);
            return err;
        }
        table->codes[table->count++] = code;
    }
    *out = code;
    return HN_OK;
}

hn_err hn_code_table_intern(hn_code_table *table, uint32_t *number, const hn_hash *hash)
{
    if (hn_hash_equal(hash, &hn_keccak256_of_nothing)) {
        *number = 0;
        return HN_OK;
    }
    hn_stored_code *code;
    HN_TRY(find_or_make(table, &code, hash));
    *number = code->number;
    return HN_OK;
}

hn_err hn_code_table_put(hn_code_table *table, const hn_code **out, const hn_hash *hash, hn_bytes bytes)
{
    hn_stored_code *code;
    HN_TRY(find_or_make(table, &code, hash));
    if (code->bytes == NULL) {
        /* One byte too many, so that empty code is known from absent code. */
        uint8_t *copy = malloc(bytes.size + 1);
        if (copy == NULL)
            return HN_ERR_NO_MEMORY;
        if (bytes.size != 0)
            memcpy(copy, bytes.data, bytes.size);
        code->bytes = copy;
        code->face.bytes = hn_bytes_of(copy, bytes.size);
        table->byte_count += bytes.size;
    }
    *out = &code->face;
    return HN_OK;
}

const hn_code *hn_code_table_find(const hn_code_table *table, const hn_hash *hash)
{
    const hn_stored_code *code = find(table, hash);
    return code != NULL && code->bytes != NULL ? &code->face : NULL;
}

const hn_hash *hn_code_table_hash(const hn_code_table *table, uint32_t number)
{
    return number != 0 ? &table->codes[number]->face.hash : &hn_keccak256_of_nothing;
}

size_t hn_code_table_memory_bytes(const hn_code_table *table)
{
    return table->byte_count + table->count * sizeof(hn_stored_code) +
           table->capacity * sizeof(hn_stored_code *) +
           ((size_t)table->by_hash.mask + 1) * sizeof(hn_pointer_table_entry);
}
