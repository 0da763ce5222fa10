#include "engine/state/state_trie.h"

#include "engine/base/check.h"
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "engine/state/storage_tries.h"
#include "engine/trie/trie.h"

#include <stdlib.h>

enum {
    KEYS_AT_ONCE = 64,     /* hashed together */
    ACCOUNTS_AT_ONCE = 16, /* prefetched, then put */
    SLOT_RLP_MAX = 33,
    SCRATCH_CHUNK_BYTES = 1 << 18,
    BUILD_ACCOUNTS = 4096, /* brought in together */
    BUILD_SLOTS = 16384,
    BUILD_UNHASHED =
        1 << 20 /* accounts put before the account trie is hashed: bounds the list of dirty nodes */
};

struct hn_state_trie {
    hn_trie_pool *pool;
    hn_trie accounts;
    hn_storage_tries storage;
    hn_arena scratch; /* of one update */
};

hn_err hn_state_trie_create(hn_state_trie **out, uint64_t table_seed)
{
    hn_state_trie *trie = calloc(1, sizeof *trie);
    if (trie == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = hn_trie_pool_create(&trie->pool);
    if (err == HN_OK) {
        err = hn_storage_tries_create(&trie->storage, table_seed);
        if (err != HN_OK)
            hn_trie_pool_destroy(trie->pool);
    }
    if (err != HN_OK) {
        free(trie);
        return err;
    }
    hn_arena_init(&trie->scratch, SCRATCH_CHUNK_BYTES, 0);
    *out = trie;
    return HN_OK;
}

void hn_state_trie_destroy(hn_state_trie *trie)
{
    if (trie == NULL)
        return;
    hn_trie_pool_destroy(trie->pool);
    hn_storage_tries_destroy(&trie->storage);
    hn_arena_destroy(&trie->scratch);
    free(trie);
}

size_t hn_state_trie_memory_bytes(const hn_state_trie *trie)
{
    return sizeof *trie + hn_trie_pool_memory_bytes(trie->pool) +
           (trie->storage.mask + 1) * sizeof *trie->storage.places + trie->scratch.reserved_bytes;
}

/* --- hashing keys in batches */

typedef struct key_hasher {
    hn_hash *out; /* where the next digest goes */
    size_t count;
    uint8_t keys[KEYS_AT_ONCE][32];
    hn_bytes messages[KEYS_AT_ONCE];
} key_hasher;

static void flush_keys(key_hasher *hasher)
{
    hn_keccak256_batch(hasher->out, hasher->messages, hasher->count);
    hasher->out += hasher->count;
    hasher->count = 0;
}

static void add_address(key_hasher *hasher, const hn_address *address)
{
    if (hasher->count == KEYS_AT_ONCE)
        flush_keys(hasher);
    hasher->messages[hasher->count++] = hn_bytes_of(address->b, sizeof address->b);
}

static void add_slots(key_hasher *hasher, const hn_slot_change *slots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (hasher->count == KEYS_AT_ONCE)
            flush_keys(hasher);
        hn_u256_to_be(hasher->keys[hasher->count], &slots[i].key);
        hasher->messages[hasher->count] = hn_bytes_of(hasher->keys[hasher->count], sizeof(hn_hash));
        hasher->count++;
    }
}

/* --- one diff, forwards or backwards */

typedef enum direction { FORWARDS, BACKWARDS } direction;

static bool exists_then(const hn_account_change *change, direction way)
{
    return way == FORWARDS ? change->exists : change->existed;
}

/* Slots that the storage had before it was cleared come back only on the way back. */
static uint32_t returning_slots(const hn_account_change *change, direction way)
{
    return way == BACKWARDS && change->existed ? change->cleared_slot_count : 0;
}

static uint32_t changing_slots(const hn_account_change *change, direction way)
{
    return exists_then(change, way) ? change->slot_count : 0;
}

static hn_err hash_keys(hn_state_trie *trie, hn_hash **address_hashes, hn_hash **slot_hashes,
                        const hn_state_diff *diff, direction way)
{
    size_t slot_count = 0;
    for (uint32_t i = 0; i < diff->account_count; i++)
        slot_count += changing_slots(&diff->accounts[i], way) + returning_slots(&diff->accounts[i], way);
    *address_hashes = hn_arena_alloc(&trie->scratch, diff->account_count * sizeof **address_hashes);
    *slot_hashes = hn_arena_alloc(&trie->scratch, slot_count * sizeof **slot_hashes);
    if (*address_hashes == NULL || *slot_hashes == NULL)
        return HN_ERR_NO_MEMORY;
    key_hasher hasher;
    hasher.count = 0;
    hasher.out = *address_hashes;
    for (uint32_t i = 0; i < diff->account_count; i++)
        add_address(&hasher, &diff->accounts[i].address);
    flush_keys(&hasher);
    hasher.out = *slot_hashes;
    for (uint32_t i = 0; i < diff->account_count; i++) {
        const hn_account_change *change = &diff->accounts[i];
        add_slots(&hasher, change->slots, changing_slots(change, way));
        add_slots(&hasher, change->cleared_slots, returning_slots(change, way));
    }
    flush_keys(&hasher);
    return HN_OK;
}

static hn_err put_slots(hn_state_trie *trie, hn_trie *storage, const hn_hash *hashes,
                        const hn_slot_change *slots, size_t count, direction way)
{
    for (size_t i = 0; i < count; i++) {
        if (i % ACCOUNTS_AT_ONCE == 0) {
            size_t rest = count - i;
            hn_trie_prefetch(trie->pool, storage, hashes + i,
                             rest < ACCOUNTS_AT_ONCE ? rest : ACCOUNTS_AT_ONCE);
        }
        const hn_u256 *value = way == FORWARDS ? &slots[i].after : &slots[i].before;
        hn_bytes key = hn_bytes_of(hashes[i].b, sizeof hashes[i].b);
        if (hn_u256_is_zero(value)) {
            HN_TRY(hn_trie_delete(trie->pool, storage, key));
            continue;
        }
        uint8_t rlp[SLOT_RLP_MAX];
        const uint8_t *end = hn_rlp_write_u256(rlp, value);
        HN_TRY(hn_trie_put(trie->pool, storage, key, hn_bytes_of(rlp, (size_t)(end - rlp))));
    }
    return HN_OK;
}

/* Brings one account's storage trie to where it shall be; *hashes moves behind those of its slots. */
static hn_err update_storage(hn_state_trie *trie, hn_trie *storage, const hn_hash **hashes,
                             const hn_account_change *change, direction way)
{
    *storage = hn_storage_tries_get(&trie->storage, &change->address);
    uint32_t changing = changing_slots(change, way), returning = returning_slots(change, way);
    bool clear = change->storage_cleared || !exists_then(change, way);
    if (!clear && changing == 0)
        return HN_OK;
    if (clear)
        hn_trie_clear(trie->pool, storage);
    HN_TRY(put_slots(trie, storage, *hashes, change->slots, changing, way));
    *hashes += changing;
    HN_TRY(put_slots(trie, storage, *hashes, change->cleared_slots, returning, way));
    *hashes += returning;
    return hn_storage_tries_put(&trie->storage, &change->address, *storage);
}

size_t hn_state_trie_write_account(uint8_t to[HN_STATE_TRIE_ACCOUNT_MAX], const hn_account *account,
                                   const hn_hash *storage_root)
{
    hn_bytes root = hn_bytes_of(storage_root->b, sizeof storage_root->b);
    hn_bytes code_hash = hn_bytes_of(account->code_hash.b, sizeof account->code_hash.b);
    size_t payload = hn_rlp_size_of_u64(account->nonce) + hn_rlp_size_of_u256(&account->balance) +
                     hn_rlp_size_of_string(root) + hn_rlp_size_of_string(code_hash);
    uint8_t *end = hn_rlp_write_list_prefix(to, payload);
    end = hn_rlp_write_u64(end, account->nonce);
    end = hn_rlp_write_u256(end, &account->balance);
    end = hn_rlp_write_string(end, root);
    end = hn_rlp_write_string(end, code_hash);
    return (size_t)(end - to);
}

static hn_err update_account(hn_state_trie *trie, const hn_account_change *change,
                             const hn_hash *address_hash, const hn_hash *storage_root, direction way)
{
    hn_bytes key = hn_bytes_of(address_hash->b, sizeof address_hash->b);
    if (!exists_then(change, way))
        return hn_trie_delete(trie->pool, &trie->accounts, key);
    uint8_t rlp[HN_STATE_TRIE_ACCOUNT_MAX];
    size_t size =
        hn_state_trie_write_account(rlp, way == FORWARDS ? &change->after : &change->before, storage_root);
    return hn_trie_put(trie->pool, &trie->accounts, key, hn_bytes_of(rlp, size));
}

/* Everything but hashing the account trie. */
static hn_err update_in_scratch(hn_state_trie *trie, const hn_state_diff *diff, direction way)
{
    uint32_t count = diff->account_count;
    hn_hash *address_hashes, *slot_hashes;
    HN_TRY(hash_keys(trie, &address_hashes, &slot_hashes, diff, way));
    hn_trie *storage = hn_arena_alloc(&trie->scratch, count * sizeof *storage);
    hn_hash *storage_roots = hn_arena_alloc(&trie->scratch, count * sizeof *storage_roots);
    if (storage == NULL || storage_roots == NULL)
        return HN_ERR_NO_MEMORY;
    const hn_hash *next_slot_hash = slot_hashes;
    for (uint32_t i = 0; i < count; i++)
        HN_TRY(update_storage(trie, &storage[i], &next_slot_hash, &diff->accounts[i], way));
    HN_TRY(hn_trie_roots(trie->pool, storage_roots, storage, count));
    for (uint32_t i = 0; i < count; i++) {
        if (i % ACCOUNTS_AT_ONCE == 0) {
            uint32_t rest = count - i;
            hn_trie_prefetch(trie->pool, &trie->accounts, address_hashes + i,
                             rest < ACCOUNTS_AT_ONCE ? rest : ACCOUNTS_AT_ONCE);
        }
        HN_TRY(update_account(trie, &diff->accounts[i], &address_hashes[i], &storage_roots[i], way));
    }
    return HN_OK;
}

static hn_err update(hn_state_trie *trie, const hn_state_diff *diff, direction way)
{
    hn_err err = update_in_scratch(trie, diff, way);
    hn_arena_reset(&trie->scratch);
    return err;
}

hn_err hn_state_trie_apply(hn_state_trie *trie, hn_hash *root, const hn_state_diff *diff)
{
    HN_TRY(update(trie, diff, FORWARDS));
    return hn_trie_roots(trie->pool, root, &trie->accounts, 1);
}

hn_err hn_state_trie_bring_in(hn_state_trie *trie, const hn_state_diff *diff)
{
    return update(trie, diff, FORWARDS);
}

hn_err hn_state_trie_settle(hn_state_trie *trie, hn_hash *root)
{
    return hn_trie_roots(trie->pool, root, &trie->accounts, 1);
}

hn_err hn_state_trie_undo(hn_state_trie *trie, hn_hash *root, const hn_state_diff *diff)
{
    HN_TRY(update(trie, diff, BACKWARDS));
    return hn_trie_roots(trie->pool, root, &trie->accounts, 1);
}

/* --- building: the flat tables as a row of diffs */

typedef struct builder {
    hn_state_trie *trie;
    hn_account_change *accounts; /* BUILD_ACCOUNTS */
    hn_slot_change *slots;       /* BUILD_SLOTS */
    uint32_t account_count;
    uint32_t slot_count;
    uint32_t unhashed;
} builder;

static hn_err flush_builder(builder *self)
{
    hn_state_diff diff = {.accounts = self->accounts, .account_count = self->account_count};
    HN_TRY(update(self->trie, &diff, FORWARDS));
    self->unhashed += self->account_count;
    self->account_count = self->slot_count = 0;
    if (self->unhashed < BUILD_UNHASHED)
        return HN_OK;
    self->unhashed = 0;
    hn_hash root;
    return hn_trie_roots(self->trie->pool, &root, &self->trie->accounts, 1);
}

static hn_err build_account(void *context, const hn_address *address, const hn_account *account)
{
    builder *self = context;
    if (self->account_count == BUILD_ACCOUNTS)
        HN_TRY(flush_builder(self));
    self->accounts[self->account_count++] = (hn_account_change){
        .address = *address,
        .exists = true,
        .after = *account,
        .slots = self->slots + self->slot_count,
    };
    return HN_OK;
}

static hn_err build_slot(void *context, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    builder *self = context;
    if (self->slot_count == BUILD_SLOTS) {
        /* The account's first slots go in with it, and it comes again with the others. */
        HN_CHECK(self->account_count != 0);
        hn_account account = self->accounts[self->account_count - 1].after;
        HN_TRY(flush_builder(self));
        HN_TRY(build_account(self, address, &account));
    }
    self->slots[self->slot_count++] = (hn_slot_change){.key = *key, .after = *value};
    self->accounts[self->account_count - 1].slot_count++;
    return HN_OK;
}

hn_err hn_state_trie_build(hn_state_trie *trie, hn_hash *root, const hn_flat *flat)
{
    HN_CHECK(trie->accounts.root == 0);
    builder self = {
        .trie = trie,
        .accounts = malloc(BUILD_ACCOUNTS * sizeof *self.accounts),
        .slots = malloc(BUILD_SLOTS * sizeof *self.slots),
    };
    hn_flat_visitor visitor = {.account = build_account, .slot = build_slot, .self = &self};
    hn_err err = HN_ERR_NO_MEMORY;
    if (self.accounts != NULL && self.slots != NULL)
        err = hn_flat_visit(flat, &visitor);
    if (err == HN_OK)
        err = flush_builder(&self);
    if (err == HN_OK)
        err = hn_trie_roots(trie->pool, root, &trie->accounts, 1);
    free(self.accounts);
    free(self.slots);
    return err;
}

/* --- reading */

void hn_state_trie_root(const hn_state_trie *trie, hn_hash *root)
{
    hn_trie_known_root(trie->pool, root, &trie->accounts);
}

void hn_state_trie_storage_root(const hn_state_trie *trie, hn_hash *root, const hn_address *address)
{
    hn_trie storage = hn_storage_tries_get(&trie->storage, address);
    hn_trie_known_root(trie->pool, root, &storage);
}

hn_err hn_state_trie_prove_account(const hn_state_trie *trie, hn_proof *out, hn_arena *arena,
                                   const hn_address *address)
{
    hn_hash key;
    hn_keccak256(&key, address->b, sizeof address->b);
    return hn_trie_prove(trie->pool, &trie->accounts, &out->nodes, &out->node_count, arena,
                         hn_bytes_of(key.b, sizeof key.b));
}

hn_err hn_state_trie_prove_slot(const hn_state_trie *trie, hn_proof *out, hn_arena *arena,
                                const hn_address *address, const hn_u256 *key)
{
    hn_trie storage = hn_storage_tries_get(&trie->storage, address);
    uint8_t bytes[32];
    hn_hash key_hash;
    hn_u256_to_be(bytes, key);
    hn_keccak256(&key_hash, bytes, sizeof bytes);
    return hn_trie_prove(trie->pool, &storage, &out->nodes, &out->node_count, arena,
                         hn_bytes_of(key_hash.b, sizeof key_hash.b));
}
