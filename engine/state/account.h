/* An account and a piece of code, as every floor above the trie sees them (yellow paper, section 4.1). */
#ifndef HN_ENGINE_STATE_ACCOUNT_H
#define HN_ENGINE_STATE_ACCOUNT_H

#include "engine/base/u256.h"

typedef struct hn_account {
    hn_u256 balance;
    uint64_t nonce;
    hn_hash code_hash; /* hn_keccak256_of_nothing when there is no code */
} hn_account;

/* Immutable deployed code. Shared: one object per code hash, living as long as the store that gave it: the
 * flat tables keep theirs for ever, a journaled state keeps the code deployed by the running block until its
 * next reset. */
typedef struct hn_code {
    hn_hash hash;
    hn_bytes bytes;
    /* Never 0, unique in its store and never reused: a key for caches of analysed code. A journaled state
     * sets HN_CODE_ID_RUNNING_BLOCK in the ids of its own codes, so they never meet those of the view below
     * it. */
    uint64_t id;
} hn_code;

#define HN_CODE_ID_RUNNING_BLOCK (UINT64_C(1) << 63)

/* True for nonce 0, balance 0 and no code (EIP-161). */
bool hn_account_is_empty(const hn_account *account);

#endif
