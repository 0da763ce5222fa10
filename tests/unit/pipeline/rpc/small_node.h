/* A whole node in one thread, for tests of the JSON-RPC server: real ledger, sealer, queries and history
 * behind the backend's face. Each submitted transaction becomes a block at once. Answers can be held back.
 */
#ifndef HN_TESTS_UNIT_PIPELINE_RPC_SMALL_NODE_H
#define HN_TESTS_UNIT_PIPELINE_RPC_SMALL_NODE_H

#include "pipeline/query/engine.h"
#include "pipeline/rpc/backend.h"

#include <stdatomic.h>

enum { SMALL_NODE_LEDGERS_MAX = 4, SMALL_NODE_OUT_MAX = 4096, SMALL_NODE_NOTICES_MAX = 64 };

typedef struct small_ledger {
    const char *name;
    const hn_genesis *genesis;
    hn_ledger *ledger;
    hn_sealer *sealer;
} small_ledger;

typedef struct small_node {
    hn_backend backend;
    hn_backend_ledger described[SMALL_NODE_LEDGERS_MAX];
    small_ledger ledgers[SMALL_NODE_LEDGERS_MAX];
    uint32_t ledger_count;
    char directory[64];
    hn_history *history;
    hn_query_engine *queries;
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    hn_evm *evm;
    hn_arena genesis_arena;
    hn_arena block_arena;
    int wake_file;
    uint64_t timestamp; /* of the next block */

    hn_reply replies[SMALL_NODE_OUT_MAX];
    size_t reply_count;
    hn_query *out[SMALL_NODE_OUT_MAX];
    size_t out_count;
    atomic_bool holds_back; /* answers stay here until it is cleared and small_node_wake is called */
    atomic_bool is_full;    /* everything is refused with HN_ERR_AGAIN */
    atomic_uint submitted;
    atomic_bool has_forced_reply; /* every submission is answered with this */
    hn_verdict forced_verdict;
    hn_reject forced_reject;
    hn_address forced_sender;
    uint64_t forced_block;
    atomic_uint_fast64_t visible; /* readers see blocks up to this one; UINT64_MAX unless a test says less */
    atomic_uint_fast64_t wished;  /* the block that the server last wanted to be woken for */
    hn_address last_hint;         /* of the newest submission; zero: it had none */

    unsigned watched[SMALL_NODE_LEDGERS_MAX]; /* as the server last said */
    hn_pending_notice notices[SMALL_NODE_NOTICES_MAX];
    size_t notice_count;
    uint64_t notices_lost;
} small_node;

/* A node without ledgers, its history in a temporary directory. */
small_node *small_node_create(void);
void small_node_destroy(small_node *node);

/* The genesis lives as long as the node. */
void small_node_add_ledger(small_node *node, const char *name, const hn_genesis *genesis);
void small_node_add_development_ledger(small_node *node, const char *name);

/* A block from outside; stops the test when it is refused. */
void small_node_import(small_node *node, uint32_t ledger, hn_bytes rlp);

/* Executes one transaction as a block of its own. */
void small_node_execute(small_node *node, hn_reply *reply, uint32_t ledger, hn_bytes raw);

/* Announces a transaction as pending; `raw` may be empty. */
void small_node_announce(small_node *node, uint32_t ledger, const hn_hash *hash, const hn_address *sender,
                         hn_bytes raw);

void small_node_wake(small_node *node);

#endif
