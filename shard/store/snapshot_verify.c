/* The state root of a snapshot, in bounded memory: its file, and of a delta all that it stands on, are read
 * as often as it takes, each time for the accounts whose key begins with some of the 16 nibbles; these and
 * their slots are sorted, of what comes in several files the newest stays, and the tries are built from left
 * to right.
 */
#include "engine/base/check.h"
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "engine/state/state_trie.h"
#include "engine/trie/sorted_root.h"
#include "shard/store/snapshot_read.h"
#include "shard/store/ways_back.h"

#include <inttypes.h>
#include <stdlib.h>

enum { NIBBLES = 16, ENTRIES_AT_FIRST = 1024 };

typedef struct account_entry {
    hn_hash key;
    uint32_t layer; /* 0: the full snapshot; 1, 2, ...: the deltas on it */
    bool is_gone;
    hn_account account;
} account_entry;

typedef struct slot_entry {
    hn_hash owner; /* key of its account */
    hn_hash key;
    uint32_t layer;
    hn_u256 value; /* zero: it is gone */
} slot_entry;

enum { LAYERS_MAX = 64 };

typedef struct verifier {
    unsigned first_nibble, end_nibble;  /* of this pass */
    hn_hash state_root;                 /* by the header */
    uint64_t account_count, slot_count; /* by the description */
    hn_flat *codes;
    uint32_t layer; /* that is read */
    account_entry *accounts;
    size_t used_accounts, accounts_capacity;
    slot_entry *slots;
    size_t used_slots, slots_capacity;
    hn_address owner; /* of the newest slot, and its key */
    hn_hash owner_key;
    bool has_owner;
    /* Building: of the accounts of one nibble. */
    size_t part_first;
    size_t next_slot;
    const slot_entry *storage; /* of one account */
    uint8_t rlp[HN_STATE_TRIE_ACCOUNT_MAX];
    uint8_t slot_rlp[33];
} verifier;

/* --- collecting
 * ---------------------------------------------------------------------------------------------- */

static hn_err begin(void *self, const hn_snapshot_info *info, uint64_t account_count, uint64_t slot_count,
                    uint64_t accounts_max)
{
    (void)accounts_max;
    verifier *v = self;
    v->state_root = info->head.state_root;
    v->account_count = account_count;
    v->slot_count = slot_count;
    return HN_OK;
}

static hn_err take_code(void *self, hn_bytes bytes)
{
    const hn_code *code;
    return hn_flat_put_code(((verifier *)self)->codes, &code, bytes);
}

static bool has_code(void *self, const hn_hash *code_hash)
{
    return hn_flat_code(((const verifier *)self)->codes, code_hash) != NULL;
}

static bool is_of_pass(const verifier *v, const hn_hash *key)
{
    unsigned nibble = key->b[0] >> 4;
    return nibble >= v->first_nibble && nibble < v->end_nibble;
}

static hn_err grow(void **entries, size_t *capacity, size_t used, size_t size)
{
    if (used < *capacity)
        return HN_OK;
    size_t larger = *capacity != 0 ? *capacity + *capacity / 2 : ENTRIES_AT_FIRST;
    void *moved = realloc(*entries, larger * size);
    if (moved == NULL)
        return HN_ERR_NO_MEMORY;
    *entries = moved;
    *capacity = larger;
    return HN_OK;
}

/* NULL: it is gone. */
static hn_err take_account(void *self, const hn_address *address, const hn_account *account)
{
    static const hn_account none;
    verifier *v = self;
    hn_hash key;
    hn_keccak256(&key, address->b, sizeof address->b);
    if (!is_of_pass(v, &key))
        return HN_OK;
    void *entries = v->accounts;
    HN_TRY(grow(&entries, &v->accounts_capacity, v->used_accounts, sizeof *v->accounts));
    v->accounts = entries;
    v->accounts[v->used_accounts++] = (account_entry){.key = key,
                                                      .layer = v->layer,
                                                      .is_gone = account == NULL,
                                                      .account = account != NULL ? *account : none};
    return HN_OK;
}

static hn_err take_gone(void *self, const hn_address *address)
{
    return take_account(self, address, NULL);
}

static hn_err take_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    verifier *v = self;
    if (!v->has_owner || !hn_address_equal(&v->owner, address)) {
        v->owner = *address;
        v->has_owner = true;
        hn_keccak256(&v->owner_key, address->b, sizeof address->b);
    }
    if (!is_of_pass(v, &v->owner_key))
        return HN_OK;
    void *entries = v->slots;
    HN_TRY(grow(&entries, &v->slots_capacity, v->used_slots, sizeof *v->slots));
    v->slots = entries;
    slot_entry *slot = &v->slots[v->used_slots++];
    uint8_t bytes[32];
    hn_u256_to_be(bytes, key);
    hn_keccak256(&slot->key, bytes, sizeof bytes);
    slot->owner = v->owner_key;
    slot->layer = v->layer;
    slot->value = *value;
    return HN_OK;
}

/* --- sorting
 * ------------------------------------------------------------------------------------------------- */

static int compare_layers(uint32_t left, uint32_t right)
{
    return (left > right) - (left < right);
}

static int compare_accounts(const void *left, const void *right)
{
    const account_entry *a = left, *b = right;
    int order = memcmp(a, b, sizeof(hn_hash));
    return order != 0 ? order : compare_layers(a->layer, b->layer);
}

static int compare_slots(const void *left, const void *right)
{
    const slot_entry *a = left, *b = right;
    int order = memcmp(a, b, offsetof(slot_entry, layer)); /* owner, then key */
    return order != 0 ? order : compare_layers(a->layer, b->layer);
}

static bool is_same_account(const account_entry *a, const account_entry *b)
{
    return a->is_gone == b->is_gone && a->account.nonce == b->account.nonce &&
           hn_u256_equal(&a->account.balance, &b->account.balance) &&
           hn_hash_equal(&a->account.code_hash, &b->account.code_hash);
}

/* The newest of each stays, unless it is gone. HN_ERR_CORRUPT: one file had it twice, and not the same. */
static hn_err keep_accounts(verifier *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->used_accounts; i++) {
        const account_entry *each = &v->accounts[i];
        bool is_last = i + 1 == v->used_accounts || !hn_hash_equal(&each->key, &each[1].key);
        if (!is_last && each->layer == each[1].layer && !is_same_account(each, &each[1]))
            return HN_ERR_CORRUPT;
        if (is_last && !each->is_gone)
            v->accounts[kept++] = *each;
    }
    v->used_accounts = kept;
    return HN_OK;
}

static hn_err keep_slots(verifier *v)
{
    size_t kept = 0;
    for (size_t i = 0; i < v->used_slots; i++) {
        const slot_entry *each = &v->slots[i];
        bool is_last = i + 1 == v->used_slots || memcmp(each, &each[1], offsetof(slot_entry, layer)) != 0;
        if (!is_last && each->layer == each[1].layer && !hn_u256_equal(&each->value, &each[1].value))
            return HN_ERR_CORRUPT;
        if (is_last && !hn_u256_is_zero(&each->value))
            v->slots[kept++] = *each;
    }
    v->used_slots = kept;
    return HN_OK;
}

static hn_err sort(verifier *v)
{
    if (v->used_accounts != 0)
        qsort(v->accounts, v->used_accounts, sizeof *v->accounts, compare_accounts);
    if (v->used_slots != 0)
        qsort(v->slots, v->used_slots, sizeof *v->slots, compare_slots);
    HN_TRY(keep_accounts(v));
    return keep_slots(v);
}

/* --- building
 * ------------------------------------------------------------------------------------------------ */

static const uint8_t *slot_key(const void *self, size_t place)
{
    return ((const verifier *)self)->storage[place].key.b;
}

static hn_err slot_value(void *self, hn_bytes *out, size_t place)
{
    verifier *v = self;
    const uint8_t *end = hn_rlp_write_u256(v->slot_rlp, &v->storage[place].value);
    *out = hn_bytes_of(v->slot_rlp, (size_t)(end - v->slot_rlp));
    return HN_OK;
}

static const uint8_t *account_key(const void *self, size_t place)
{
    const verifier *v = self;
    return v->accounts[v->part_first + place].key.b;
}

static hn_err account_value(void *self, hn_bytes *out, size_t place)
{
    verifier *v = self;
    const account_entry *entry = &v->accounts[v->part_first + place];
    size_t first = v->next_slot, end = first;
    while (end < v->used_slots && hn_hash_equal(&v->slots[end].owner, &entry->key))
        end++;
    v->next_slot = end;
    v->storage = &v->slots[first];
    const hn_sorted_leaves leaves = {.self = v, .count = end - first, .key = slot_key, .value = slot_value};
    hn_hash storage_root;
    HN_TRY(hn_sorted_root(&storage_root, &leaves));
    *out = hn_bytes_of(v->rlp, hn_state_trie_write_account(v->rlp, &entry->account, &storage_root));
    return HN_OK;
}

static hn_err build_parts(verifier *v, hn_sorted_node parts[NIBBLES])
{
    hn_sorted_leaves leaves = {.self = v, .key = account_key, .value = account_value};
    v->next_slot = 0;
    for (size_t first = 0, end; first < v->used_accounts; first = end) {
        unsigned nibble = v->accounts[first].key.b[0] >> 4;
        for (end = first + 1; end < v->used_accounts && v->accounts[end].key.b[0] >> 4 == nibble;)
            end++;
        v->part_first = first;
        leaves.count = end - first;
        HN_TRY(hn_sorted_part(&parts[nibble], &leaves));
    }
    return v->next_slot == v->used_slots ? HN_OK : HN_ERR_CORRUPT; /* slots of no account */
}

/* All accounts are there. */
static hn_err build_whole(verifier *v, hn_hash *root)
{
    v->part_first = v->next_slot = 0;
    const hn_sorted_leaves leaves = {
        .self = v, .count = v->used_accounts, .key = account_key, .value = account_value};
    HN_TRY(hn_sorted_root(root, &leaves));
    return v->next_slot == v->used_slots ? HN_OK : HN_ERR_CORRUPT;
}

/* --- passes
 * -------------------------------------------------------------------------------------------------- */

/* One file of those that are read, the full one first. */
typedef struct layer {
    uint64_t log_index;
    bool is_temporary;
    bool has_end; /* what stands on it says how it must end */
    hn_checksum end;
} layer;

typedef struct source {
    const hn_io *io;
    hn_snapshot_problem *problem;
    const char *name; /* of the newest file */
    const char *ledger_name;
    layer layers[LAYERS_MAX];
    uint32_t layer_count;
    uint64_t entries_bytes; /* all of them in memory */
    const hn_snapshot_pace *pace;
} source;

static hn_err read_layer(verifier *v, const source *from, uint32_t number)
{
    const hn_snapshot_taker taker = {.begin = begin,
                                     .code = take_code,
                                     .has_code = has_code,
                                     .account = take_account,
                                     .gone = take_gone,
                                     .slot = take_slot,
                                     .self = v};
    const layer *each = &from->layers[number];
    char name[HN_SNAPSHOT_NAME_MAX];
    hn_checksum end;
    HN_TRY(each->is_temporary ? hn_snapshot_temporary_name(name, from->ledger_name, each->log_index)
                              : hn_snapshot_name(name, from->ledger_name, each->log_index));
    v->layer = number;
    v->has_owner = false;
    HN_TRY(hn_snapshot_read(from->io, from->problem, name, from->ledger_name, each->log_index, &taker,
                            from->pace, &end));
    if (each->has_end && (each->end.low != end.low || each->end.high != end.high))
        return hn_snapshot_report(from->problem, HN_ERR_MISMATCH,
                                  "%s: it is not the file that the one above says the changes since", name);
    return HN_OK;
}

static hn_err collect(verifier *v, const source *from, unsigned first_nibble, unsigned end_nibble)
{
    v->first_nibble = first_nibble;
    v->end_nibble = end_nibble;
    v->used_accounts = v->used_slots = 0;
    for (uint32_t i = 0; i < from->layer_count; i++)
        HN_TRY(read_layer(v, from, i));
    hn_err err = sort(v);
    if (err != HN_OK)
        (void)hn_snapshot_report(from->problem, err, "%s: something is there twice, and not the same",
                                 from->name);
    return err;
}

/* Finds the files from the newest one down to a full one, and puts them in order. */
static hn_err find_layers(source *from, uint64_t log_index, bool is_temporary)
{
    hn_snapshot_description *each = malloc(sizeof *each);
    if (each == NULL)
        return HN_ERR_NO_MEMORY;
    layer next = {.log_index = log_index, .is_temporary = is_temporary};
    hn_err err;
    do {
        err = hn_snapshot_describe(from->io, from->problem, each, from->ledger_name, next.log_index,
                                   next.is_temporary);
        if (err == HN_OK && from->layer_count == LAYERS_MAX)
            err = hn_snapshot_report(from->problem, HN_ERR_CORRUPT, "%s: it stands on too many files",
                                     from->name);
        if (err != HN_OK)
            break;
        from->layers[from->layer_count++] = next;
        from->entries_bytes += each->records.account_count * sizeof(account_entry) +
                               each->records.slot_count * sizeof(slot_entry);
        next = (layer){.log_index = each->info.base.log_index, .has_end = true, .end = each->info.base.end};
    } while (each->info.base.depth != 0);
    free(each);
    for (uint32_t i = 0; i < from->layer_count / 2; i++) {
        layer newer = from->layers[i];
        from->layers[i] = from->layers[from->layer_count - 1 - i];
        from->layers[from->layer_count - 1 - i] = newer;
    }
    return err;
}

static hn_err compute(verifier *v, hn_hash *root, const source *from, size_t memory_bytes)
{
    uint64_t passes = from->entries_bytes / (memory_bytes != 0 ? memory_bytes : 1) + 1;
    unsigned step = passes >= NIBBLES ? 1 : (unsigned)((NIBBLES + passes - 1) / passes);
    hn_sorted_node parts[NIBBLES] = {{.size = 0}};
    uint64_t accounts = 0, slots = 0;
    hn_err err = HN_OK;
    for (unsigned nibble = 0; err == HN_OK && nibble < NIBBLES; nibble += step) {
        HN_TRY(collect(v, from, nibble, nibble + step));
        accounts += v->used_accounts;
        slots += v->used_slots;
        err = step == NIBBLES ? build_whole(v, root) : build_parts(v, parts);
    }
    if (err == HN_OK && (accounts != v->account_count || slots != v->slot_count))
        err = HN_ERR_CORRUPT;
    if (err == HN_ERR_CORRUPT)
        return hn_snapshot_report(from->problem, err,
                                  "%s: the numbers of accounts and slots are not those of the state",
                                  from->name);
    if (err == HN_OK && step != NIBBLES && hn_sorted_join(root, parts) != HN_OK) {
        HN_TRY(collect(v, from, 0, NIBBLES));
        err = build_whole(v, root);
    }
    return err;
}

hn_err hn_snapshot_verify(const hn_io *io, hn_snapshot_problem *problem, const char *ledger_name,
                          uint64_t log_index, bool is_temporary, size_t memory_bytes,
                          const hn_snapshot_pace *pace)
{
    char name[HN_SNAPSHOT_NAME_MAX];
    (void)hn_snapshot_report(problem, HN_OK, "%s", "");
    HN_TRY(is_temporary ? hn_snapshot_temporary_name(name, ledger_name, log_index)
                        : hn_snapshot_name(name, ledger_name, log_index));
    verifier *v = calloc(1, sizeof *v);
    source *from = calloc(1, sizeof *from);
    hn_hash root;
    hn_err err = v != NULL && from != NULL ? HN_OK : HN_ERR_NO_MEMORY;
    if (err == HN_OK) {
        *from =
            (source){.io = io, .problem = problem, .name = name, .ledger_name = ledger_name, .pace = pace};
        err = find_layers(from, log_index, is_temporary);
    }
    if (err == HN_OK)
        err = hn_flat_create(&v->codes, 0, 0);
    if (err == HN_OK)
        err = compute(v, &root, from, memory_bytes);
    if (err == HN_OK && !hn_hash_equal(&root, &v->state_root))
        err = hn_snapshot_report(problem, HN_ERR_MISMATCH, "%s: the state is not that of its block", name);
    if (v != NULL) {
        hn_flat_destroy(v->codes);
        free(v->accounts);
        free(v->slots);
    }
    free(from);
    free(v);
    return err;
}
