/* The bytes of a snapshot file (snapshot.c, snapshot_load.c); README.md has the same in words.
 *
 * A sequence of blocks, each a head of 48 bytes and at most 1 MiB of content. Every head carries its number,
 * the checksum of the block before, and XXH3-128 over itself and its content: a block that is missing,
 * repeated, moved or changed does not check out. The first block says what it is a snapshot of, the last one
 * that it is complete. Little-endian, except that 256-bit numbers are big-endian as everywhere in Ethereum.
 */
#ifndef HN_SHARD_STORE_SNAPSHOT_FORMAT_H
#define HN_SHARD_STORE_SNAPSHOT_FORMAT_H

#include "engine/base/hash_table.h"
#include "shard/store/snapshot.h"

#define HN_SNAPSHOT_MAGIC UINT32_C(0x31534e48) /* "HNS1" */

enum {
    HN_SNAPSHOT_VERSION = 3, /* 1 had neither chain values nor owners, 2 no bases; both are read still */
    HN_SNAPSHOT_BLOCK_MAX = 1024 * 1024, /* head included */
    HN_SNAPSHOT_NAME_MAX = 128,
    HN_SNAPSHOT_FILE_NAME_MAX = 64 + 40,
};

typedef enum hn_snapshot_block_kind {
    HN_SNAPSHOT_BLOCK_INFO = 1, /* hn_snapshot_block_info, chain value (since version 2),
                                   hn_snapshot_block_base (since 3), hashes, header as RLP */
    HN_SNAPSHOT_BLOCK_RECORDS = 2,
    HN_SNAPSHOT_BLOCK_END = 3, /* hn_snapshot_block_end */
} hn_snapshot_block_kind;

typedef struct hn_snapshot_block_head {
    uint32_t magic;
    uint32_t version;
    uint32_t kind;
    uint32_t number; /* 0, 1, 2, ... */
    uint32_t size;   /* of the content */
    uint32_t reserved;
    uint64_t previous_low; /* low half of the checksum of the block before */
    hn_checksum checksum;  /* of the head before this field, and the content */
} hn_snapshot_block_head;
_Static_assert(sizeof(hn_snapshot_block_head) == 48, "no padding");

typedef struct hn_snapshot_block_info {
    char ledger_name[64];
    uint64_t chain_id;
    uint64_t log_index;
    hn_hash genesis_hash;
    uint64_t account_count;
    uint64_t slot_count;
    uint32_t hash_count;
    uint32_t header_size;
} hn_snapshot_block_info;
_Static_assert(sizeof(hn_snapshot_block_info) == 136, "no padding");

/* Of which file this one says only what has changed; all zero: of none, it has the whole state. */
typedef struct hn_snapshot_block_base {
    uint64_t log_index;
    hn_checksum end; /* of that file's last block, and so of all of it */
    uint32_t depth;  /* how many files are below this one */
    uint32_t reserved;
} hn_snapshot_block_base;
_Static_assert(sizeof(hn_snapshot_block_base) == 32, "no padding");

typedef struct hn_snapshot_block_end {
    uint64_t account_count;
    uint64_t slot_count;
    uint64_t code_count;
} hn_snapshot_block_end;

/* Records begin with their tag. Codes come before the accounts that have them, in this file or a base. A slot
 * belongs to the account or the owner that was named last before it; that account came before, or is in a
 * base. An entry may come again, the same. Only in a delta: a slot of value zero is gone, and so is an
 * account that is named as gone, whose slots are gone before it. */
enum {
    HN_SNAPSHOT_CODE = 1,    /* tag | size u32 | bytes */
    HN_SNAPSHOT_ACCOUNT = 2, /* tag | address 20 | nonce u64 | balance 32 | code hash 32 */
    HN_SNAPSHOT_SLOT = 3,    /* tag | key 32 | value 32 */
    HN_SNAPSHOT_OWNER = 4,   /* tag | address 20 */
    HN_SNAPSHOT_GONE = 5,    /* tag | address 20 */
    HN_SNAPSHOT_CODE_HEAD = 1 + 4,
    HN_SNAPSHOT_ACCOUNT_BYTES = 1 + 20 + 8 + 32 + 32,
    HN_SNAPSHOT_SLOT_BYTES = 1 + 32 + 32,
    HN_SNAPSHOT_OWNER_BYTES = 1 + 20,
};

/* Checksum of a block whose head and content lie one after the other. */
hn_checksum hn_snapshot_block_checksum(const uint8_t *block, size_t content_size);

/* "NAME-00000000000000000042.snapshot.tmp": the file before it counts. */
HN_MUST_USE hn_err hn_snapshot_temporary_name(char out[HN_SNAPSHOT_NAME_MAX], const char *ledger_name,
                                              uint64_t log_index);

/* "NAME-00000000000000000042.snapshot"; HN_ERR_INVALID when the ledger's name cannot be a file's. */
HN_MUST_USE hn_err hn_snapshot_name(char out[HN_SNAPSHOT_FILE_NAME_MAX], const char *ledger_name,
                                    uint64_t log_index);
/* True when it is a snapshot of this ledger. */
bool hn_snapshot_name_parse(uint64_t *log_index, const char *name, const char *ledger_name);

__attribute__((format(printf, 3, 4))) hn_err hn_snapshot_report(hn_snapshot_problem *problem, hn_err err,
                                                                const char *format, ...);

#endif
