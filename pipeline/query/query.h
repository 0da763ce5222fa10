/* One question about a ledger's state: asked by the RPC thread, answered by whoever has the answer.
 *
 * The asker fills the question and hands the object over a ring; the answerer fills the answer and hands it
 * back. Whoever holds it owns it and its arena. Nothing in it points into the answerer's memory on return.
 */
#ifndef HN_PIPELINE_QUERY_QUERY_H
#define HN_PIPELINE_QUERY_QUERY_H

#include "engine/base/arena.h"
#include "engine/chain/call.h"
#include "engine/state/state_trie.h"
#include "engine/types/block.h"

/* name, who answers: the asker himself with a reader of his own (single looks into the sealed state), the
 * back core (what needs the sealer), the lane of heavy queries (code that runs on it; a call that is short
 * the asker himself), or the front core (pool). */
#define HN_QUERY_LIST(X)                                                                                     \
    X(ACCOUNT, HERE)              /* account: balance, nonce, code hash */                                   \
    X(STORAGE, HERE)              /* slot of an account */                                                   \
    X(STORAGE_VALUES, HERE)       /* slots of several accounts */                                            \
    X(CODE, HERE)                 /* code of an account */                                                   \
    X(CALL, LANE)                 /* run a call, nothing stays */                                            \
    X(ESTIMATE_GAS, LANE)         /* smallest gas limit of a call */                                         \
    X(ACCESS_LIST, LANE)          /* the access list that suits a call */                                    \
    X(TRACE, LANE)                /* a trace of a call, or of transactions of a block */                     \
    X(SIMULATE, LANE)             /* blocks made up on top of a block: simulation.h */                       \
    X(PROOF, BACK)                /* an account, slots of it, and their Merkle proofs */                     \
    X(HEAD, HERE)                 /* newest sealed header that queries see */                                \
    X(PENDING_NONCE, FRONT)       /* account's next nonce with the pool's transactions counted */            \
    X(PENDING_TRANSACTION, FRONT) /* a transaction of the pool, by hash */                                   \
    X(POOL_STATUS, FRONT)         /* how many transactions are ready and waiting */                          \
    X(POOL_CONTENT, FRONT)        /* the pool's transactions, of one sender or of all */

typedef enum hn_query_kind {
#define HN_QUERY_ENUM(name, where) HN_QUERY_##name,
    HN_QUERY_LIST(HN_QUERY_ENUM)
#undef HN_QUERY_ENUM
        HN_QUERY_COUNT
} hn_query_kind;

typedef enum hn_query_place {
    HN_QUERY_PLACE_HERE,
    HN_QUERY_PLACE_FRONT,
    HN_QUERY_PLACE_BACK,
    HN_QUERY_PLACE_LANE,
} hn_query_place;

/* Who answers a kind. */
hn_query_place hn_query_place_of(hn_query_kind kind);

typedef enum hn_block_selector_kind {
    HN_BLOCK_LATEST, /* newest sealed; "pending", "safe" and "finalized" mean the same */
    HN_BLOCK_NUMBER,
    HN_BLOCK_HASH,
} hn_block_selector_kind;

typedef struct hn_block_selector {
    hn_block_selector_kind kind;
    uint64_t number;
    hn_hash hash;
} hn_block_selector;

/* Replaces parts of an account before a call runs (eth_call's third parameter). */
typedef struct hn_account_override {
    hn_address address;
    bool has_balance;
    bool has_nonce;
    bool has_code;
    bool has_state; /* the slots are all that it has */
    bool has_move;  /* simulations alone: the precompile here is at move_to instead */
    hn_address move_to;
    hn_u256 balance;
    uint64_t nonce;
    hn_bytes code;
    uint32_t slot_count;
    const hn_slot_change *slots; /* key and after; without has_state other slots stay as they are */
} hn_account_override;

/* Slots of one account, and their values. */
typedef struct hn_storage_question {
    hn_address address;
    uint32_t key_count;
    const hn_u256 *keys;
    hn_u256 *values; /* the asker's room for key_count answers */
} hn_storage_question;

/* A transaction of the pool. */
typedef struct hn_pool_item {
    hn_address sender;
    hn_hash hash;
    uint64_t nonce;
    bool is_ready; /* else it waits for a gap before it */
    hn_bytes raw;
} hn_pool_item;

/* Replaces what the block opcodes answer. */
typedef struct hn_block_override {
    bool has_number;
    bool has_timestamp;
    bool has_gas_limit;
    bool has_beneficiary;
    bool has_prev_randao;
    bool has_difficulty;
    bool has_base_fee;
    bool has_blob_base_fee;
    uint64_t number;
    uint64_t timestamp;
    uint64_t gas_limit;
    hn_address beneficiary;
    hn_hash prev_randao;
    hn_u256 difficulty;
    hn_u256 base_fee;
    hn_u256 blob_base_fee;
    /* Simulations alone: EIP-4788's root, and what EIP-4895 pays out at the end. */
    bool has_beacon_root;
    hn_hash beacon_root;
    const hn_withdrawal *withdrawals;
    uint32_t withdrawal_count;
} hn_block_override;

enum { HN_TRACE_ALL = UINT32_MAX };

/* What to trace, and how (engine/trace/trace.h). The answer is JSON text. */
typedef struct hn_trace_order {
    const char *tracer; /* its name */
    hn_bytes config;    /* JSON; empty: none */
    /* The block whose transactions are run on the state that the query's `block` names; NULL: the query's
     * call is run, at the end of that block. */
    const hn_block *block;
    hn_hash block_hash;
    hn_signed_transaction *transactions; /* the block's */
    bool needs_senders;                  /* they are not known yet */
    uint32_t only; /* the one that is traced; HN_TRACE_ALL: every one, and the answer is a list */
} hn_trace_order;

/* Proofs that are asked for, and the answer: the account itself is in the query. */
typedef struct hn_proof_question {
    uint32_t key_count;
    const hn_u256 *keys;
    hn_proof account;
    hn_hash storage_root;
    hn_u256 *values;  /* the asker's room for key_count answers */
    hn_proof *proofs; /* likewise */
} hn_proof_question;

typedef struct hn_simulation hn_simulation; /* simulation.h */

typedef struct hn_query {
    struct hn_query *next; /* for lists of whoever holds it */
    void *user;            /* the asker's */
    uint64_t asker;        /* on whose behalf: the same connection, the same number */
    hn_arena *arena;       /* what the question and the answer point to */

    /* the question */
    hn_query_kind kind;
    uint32_t ledger;
    hn_block_selector block;
    hn_address address;                 /* ACCOUNT, STORAGE, CODE, PENDING_NONCE, POOL_CONTENT */
    hn_u256 slot;                       /* STORAGE */
    hn_hash hash;                       /* PENDING_TRANSACTION */
    bool of_all;                        /* POOL_CONTENT: not of `address` alone */
    const hn_storage_question *storage; /* STORAGE_VALUES */
    uint32_t storage_count;
    hn_trace_order *trace;     /* TRACE */
    hn_simulation *simulation; /* SIMULATE */
    hn_proof_question *proof;  /* PROOF */
    uint64_t deadline_ms;      /* when it is interrupted (CLOCK_MONOTONIC); 0: never */
    hn_call call;              /* CALL, ESTIMATE_GAS: gas 0 stands for the cap */
    uint64_t next_block_s;     /* likewise, Unix time: as in a block made then, on top of `block`; 0: in it */
    /* A call that names EIP-1559 prices: call.gas_price is then computed from the block's base fee. */
    bool has_fee_caps;
    hn_u256 max_fee_per_gas;
    hn_u256 max_priority_fee_per_gas;
    const hn_account_override *overrides; /* likewise */
    uint32_t override_count;
    const hn_block_override *block_override; /* likewise; NULL: none */

    /* the answer: HN_OK; HN_ERR_NOT_FOUND: no such block, or no such transaction in the pool; HN_ERR_LIMIT:
     * the block's state is not kept any more; HN_ERR_NO_MEMORY; HN_ERR_TIMEOUT: interrupted; TRACE:
     * HN_ERR_INVALID with `problem`: no such tracer, wrong configuration, a transaction that cannot be run;
     * PROOF, SIMULATE: HN_ERR_LIMIT with `problem`: too much has changed since the block (rewind.h) */
    hn_err err;
    uint64_t block_number;              /* of the state that answered */
    char problem[256];                  /* TRACE; CALL, ESTIMATE_GAS: what its code failed of, where known */
    const hn_access_entry *access_list; /* ACCESS_LIST */
    uint32_t access_list_count;
    bool exists;                  /* ACCOUNT, PROOF */
    hn_account account;           /* ACCOUNT, PROOF; all zero and no code when it does not exist */
    hn_u256 value;                /* STORAGE */
    hn_bytes bytes;               /* CODE: the code; PENDING_TRANSACTION: the raw bytes; TRACE: JSON */
    hn_address sender;            /* PENDING_TRANSACTION */
    uint64_t nonce;               /* PENDING_NONCE */
    uint64_t gas;                 /* ESTIMATE_GAS; when it failed, the limit that was tried */
    hn_transaction_result result; /* CALL, ESTIMATE_GAS, ACCESS_LIST */
    hn_header header;             /* HEAD */
    hn_hash header_hash;          /* HEAD */
    uint64_t oldest_state;        /* HEAD: the oldest block whose state can be asked for */
    uint64_t state_window;        /* HEAD: how many before the newest are kept at most */
    uint64_t oldest_proof;     /* HEAD: the oldest block that proofs are given of, whatever changed since */
    uint32_t ready_count;      /* POOL_STATUS */
    uint32_t gapped_count;     /* POOL_STATUS */
    const hn_pool_item *items; /* POOL_CONTENT, in no order */
    uint32_t item_count;
} hn_query;

#endif
