/* Unframed transactions that wait for their answer: who sent them. Bounded: when full, the one that has
 * waited longest makes room, if it has waited long enough. Pure; one owner; nothing allocates after creation.
 */
#ifndef HN_PIPELINE_WIRE_RECEIPT_TABLE_H
#define HN_PIPELINE_WIRE_RECEIPT_TABLE_H

#include "pipeline/port/datagram.h"

enum { HN_RECEIPT_INDEX_BITS = 20 };

typedef struct hn_receipt_table hn_receipt_table;

/* `capacity` 1 to 2^HN_RECEIPT_INDEX_BITS; `wait_ns` until one may be forgotten. */
HN_MUST_USE hn_err hn_receipt_table_create(hn_receipt_table **out, uint32_t capacity, uint64_t wait_ns);
void hn_receipt_table_destroy(hn_receipt_table *table);

/* Notes that `peer` waits. `is_short`: its request had no room for a whole receipt. False: the table is full.
 * The token is below 2^63 and is not given again soon. */
bool hn_receipt_add(hn_receipt_table *table, uint64_t *token, const hn_peer *peer, bool is_short,
                    uint64_t now_ns);

/* Takes the entry of the token out. False: it was forgotten or answered. */
bool hn_receipt_take(hn_receipt_table *table, hn_peer *peer, bool *is_short, uint64_t token);

#endif
