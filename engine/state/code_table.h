/* All deployed code of one ledger, by hash and by number. Part of the flat tables; internal to engine/state.
 *
 * Codes stay until the table goes: contracts share them, and undo may want them back. A number is handed out
 * for a hash before its bytes are known, so that accounts and codes may arrive in either order.
 */
#ifndef HN_ENGINE_STATE_CODE_TABLE_H
#define HN_ENGINE_STATE_CODE_TABLE_H

#include "engine/base/err.h"
#include "engine/state/account.h"
#include "engine/state/pointer_table.h"

typedef struct hn_stored_code {
    hn_code face;
    uint8_t *bytes; /* NULL until they are known */
    uint32_t number;
} hn_stored_code;

typedef struct hn_code_table {
    hn_pointer_table by_hash;
    hn_stored_code **codes; /* by number; 0 is not used */
    uint32_t count;         /* numbers handed out, with 0 */
    uint32_t capacity;
    size_t byte_count; /* of all codes */
} hn_code_table;

HN_MUST_USE hn_err hn_code_table_create(hn_code_table *out);
void hn_code_table_destroy(hn_code_table *table);

/* The number of a hash, from 1; 0 for the hash of nothing. */
HN_MUST_USE hn_err hn_code_table_intern(hn_code_table *table, uint32_t *number, const hn_hash *hash);

/* Brings the bytes of a code; they are copied unless they are there. */
HN_MUST_USE hn_err hn_code_table_put(hn_code_table *table, const hn_code **out, const hn_hash *hash,
                                     hn_bytes bytes);

/* NULL when unknown, or known by hash only. */
const hn_code *hn_code_table_find(const hn_code_table *table, const hn_hash *hash);

const hn_hash *hn_code_table_hash(const hn_code_table *table, uint32_t number);
size_t hn_code_table_memory_bytes(const hn_code_table *table);

#endif
