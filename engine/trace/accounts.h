/* The accounts and slots that a transaction comes near, each as it was found first: what the prestate tracers
 * are written from. */
#ifndef HN_ENGINE_TRACE_ACCOUNTS_H
#define HN_ENGINE_TRACE_ACCOUNTS_H

#include "engine/trace/kind.h"

typedef struct hn_seen_slot {
    const struct hn_seen_account *owner;
    hn_hash key;
    hn_u256 before;
    hn_u256 after; /* set by whoever compares */
    struct hn_seen_slot *chain;
} hn_seen_slot;

typedef struct hn_seen_account {
    hn_address address;
    hn_u256 balance;
    uint64_t nonce;
    hn_hash code_hash;
    hn_bytes code;
    bool is_empty;   /* no nonce, balance or code */
    bool is_created; /* by this transaction */
    bool is_deleted; /* self-destructed for good */
    bool is_hidden;  /* not to be shown */
    uint32_t slot_count;
    uint32_t slot_capacity;
    hn_seen_slot **slots;
    struct hn_seen_account *chain;
} hn_seen_account;

enum { HN_SEEN_BUCKETS = 256, HN_SEEN_SLOT_BUCKETS = 1024 };

typedef struct hn_accounts {
    hn_state *state;
    bool without_storage;
    uint32_t count;
    uint32_t capacity;
    hn_seen_account **items;
    hn_seen_account *buckets[HN_SEEN_BUCKETS];
    hn_seen_slot *slot_buckets[HN_SEEN_SLOT_BUCKETS];
} hn_accounts;

/* Both return what is there already, or look it up now. NULL: out of memory (the trace has failed). */
hn_seen_account *hn_accounts_see(hn_trace *trace, hn_accounts *accounts, const hn_address *address);
hn_seen_slot *hn_accounts_see_slot(hn_trace *trace, hn_accounts *accounts, const hn_address *address,
                                   const hn_u256 *key);

/* Accounts by address and slots by key, as JSON shows them. */
void hn_accounts_sort(hn_accounts *accounts);

/* A called account and, from Prague on, the one that it delegates to (EIP-7702). */
void hn_accounts_see_called(hn_trace *trace, hn_accounts *accounts, const hn_address *address);

/* Sees what the next instruction comes near, and marks what it creates and deletes. */
void hn_accounts_step(hn_trace *trace, hn_accounts *accounts, const hn_trace_step *step);

#endif
