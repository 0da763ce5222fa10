/* Reading one snapshot file, record by record: what loading and verifying share. */
#ifndef HN_SHARD_STORE_SNAPSHOT_READ_H
#define HN_SHARD_STORE_SNAPSHOT_READ_H

#include "shard/store/snapshot_format.h"

/* Who takes what is read. An error ends the reading with that. */
typedef struct hn_snapshot_taker {
    /* The description, with the numbers of the state. At most `accounts_max` can be in the file. The head's
     * extra data is valid during the call. */
    hn_err (*begin)(void *self, const hn_snapshot_info *info, uint64_t account_count, uint64_t slot_count,
                    uint64_t accounts_max);
    hn_err (*code)(void *self, hn_bytes code);
    /* False: the account's code is not there. */
    bool (*has_code)(void *self, const hn_hash *code_hash);
    hn_err (*account)(void *self, const hn_address *address, const hn_account *account);
    /* Of a delta: the account is no more. HN_ERR_NOT_FOUND: there was none. */
    hn_err (*gone)(void *self, const hn_address *address);
    /* HN_ERR_NOT_FOUND: there is no such account. The value is zero in a delta alone: the slot is gone. */
    hn_err (*slot)(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value);
    void *self;
} hn_snapshot_taker;

/* Reads and checks everything that the file says of itself. *problem says what is wrong with it, and where.
 * HN_ERR_CORRUPT, HN_ERR_VERSION, and those of the taker. `pace` and `end` (gets the checksum of the last
 * block) may be NULL. */
HN_MUST_USE hn_err hn_snapshot_read(const hn_io *io, hn_snapshot_problem *problem, const char *file_name,
                                    const char *ledger_name, uint64_t log_index,
                                    const hn_snapshot_taker *taker, const hn_snapshot_pace *pace,
                                    hn_checksum *end);

/* What a file says of itself at its beginning and its end; the rest is not read. */
typedef struct hn_snapshot_description {
    hn_snapshot_info info; /* without the head's extra data */
    uint64_t account_count, slot_count;
    hn_snapshot_block_end records;
    hn_checksum end; /* of the last block */
    uint64_t bytes;
} hn_snapshot_description;

/* Of the file under its temporary name, or its final one. *problem says what is wrong. HN_ERR_NOT_FOUND,
 * HN_ERR_CORRUPT, HN_ERR_VERSION. */
HN_MUST_USE hn_err hn_snapshot_describe(const hn_io *io, hn_snapshot_problem *problem,
                                        hn_snapshot_description *out, const char *ledger_name,
                                        uint64_t log_index, bool is_temporary);

#endif
