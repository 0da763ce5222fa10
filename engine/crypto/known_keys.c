#include "engine/crypto/known_keys.h"

#include "engine/base/check.h"
#include "engine/base/hash_table.h"
#include "engine/crypto/known_key_kernels.h"
#include "engine/crypto/recovery_kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    CHUNK = HN_KNOWN_KEY_CHECKS_MAX,
    LINE = 64,
    WAYS = LINE / sizeof(uint64_t), /* entries of a bucket, which is one line */
    PATIENCE = 2,                   /* turns that a key waits for seven others */
    IDLE_TICKS = 2,                 /* a key that was not used for so long may be evicted */
    CANDIDATE_WAYS = 4,
    SEEN_MOST = 8, /* sightings are counted below it */
    SCAN = 64,     /* slots that are looked at for an idle one */
    HUGE_PAGE_BYTES = 2 * 1024 * 1024,
};

_Static_assert((int)HN_KNOWN_KEY_SIGHTINGS < (int)SEEN_MOST, "the count of sightings has room");

const hn_known_key_kernel *const hn_known_key_kernels[] = {
#ifdef __x86_64__
    &hn_known_key_ifma,
#endif
    NULL,
};

/* An entry of the index: the upper half of the address's hash, then the number of a slot, from 1. 0: empty.
 * RESERVED: its table is being made. */
#define RESERVED UINT64_C(0x80000000)

/* What one reader writes. `epoch` is odd while it reads. */
typedef struct key_reader {
    _Alignas(LINE) _Atomic uint64_t epoch;
    _Atomic uint64_t proven, unknown, wrong;
    _Atomic uint16_t *used; /* of each slot: the tick of its last use */
} key_reader;

typedef struct newcomer {
    hn_address address;
    uint8_t key[64];
    uint64_t hash;
    uint32_t slot;
} newcomer;

/* What whoever holds `is_taken` may touch. */
typedef struct key_keeper {
    _Alignas(LINE) atomic_flag is_taken;
    uint32_t sightings; /* since the last tick */
    uint32_t unused;    /* slots from this one on have never been used */
    uint32_t hand;      /* where the search for an idle slot goes on */
    uint32_t waited;    /* turns since the first newcomer came */
    uint32_t newcomer_count;
    bool is_reserved; /* the newcomers have slots and wait until readers have left those */
    newcomer newcomers[HN_KNOWN_KEYS_AT_ONCE];
    uint64_t epochs[HN_KNOWN_KEY_READERS_MAX]; /* when the slots were reserved */
    uint32_t *entry_of;                        /* place in the index of each slot's key */
    uint32_t *candidates;                      /* by hash: some bits of it, and how often it was seen */
    uint32_t candidate_mask;
    _Atomic uint64_t made, evicted, refused;
} key_keeper;

struct hn_known_keys {
    const hn_signature_context *context;
    const hn_known_key_kernel *kernel; /* NULL: none */
    uint64_t seed;
    uint32_t slot_count;
    uint32_t bucket_count;
    uint32_t reader_count;
    uint8_t *fixed;
    uint8_t *tables;
    hn_address *addresses;
    _Atomic uint64_t *index;
    _Atomic uint16_t *used; /* of the readers, then the keeper */
    key_reader *readers;
    _Alignas(LINE) _Atomic uint16_t tick;
    key_keeper keeper;
};

/* --- life --- */

static size_t rounded(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

static void *take_memory(size_t size)
{
    void *memory = aligned_alloc(LINE, rounded(size, LINE));
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

/* Reserved, not touched: memory is used as keys come. */
static uint8_t *reserve_tables(size_t size)
{
    const size_t alignment = size >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : LINE;
    uint8_t *memory = aligned_alloc(alignment, rounded(size, alignment));
    if (memory != NULL && alignment == HUGE_PAGE_BYTES)
        (void)madvise(memory, rounded(size, alignment), MADV_HUGEPAGE); /* advice only */
    return memory;
}

static void key_of_scalar(const hn_signature_context *context, uint8_t key[64], uint8_t scalar)
{
    const uint8_t secret[32] = {[31] = scalar};
    const hn_hash digest = {{1}};
    hn_signature signature;
    HN_CHECK(hn_signature_sign(context, &signature, &digest, secret) == HN_OK);
    HN_CHECK(hn_signature_recover_public_key(context, key, &digest, &signature) == HN_OK);
}

/* Signatures of some keys are told from those with the other parity, another digest and another key. */
static bool passes_self_test(const hn_known_keys *self, uint8_t *tables)
{
    enum { KEYS = HN_KNOWN_KEYS_AT_ONCE };
    uint8_t keys[KEYS][64];
    void *table_of[KEYS];
    hn_recovery items[KEYS] = {0};
    hn_known_key_check checks[KEYS];
    bool proven[KEYS], is_right = true;
    for (unsigned i = 0; i < KEYS; i++) {
        const uint8_t secret[32] = {[31] = (uint8_t)(i + 1)};
        key_of_scalar(self->context, keys[i], (uint8_t)(i + 1));
        table_of[i] = tables + i * self->kernel->table_bytes;
        items[i].digest.b[7] = (uint8_t)i;
        HN_CHECK(hn_signature_sign(self->context, &items[i].signature, &items[i].digest, secret) == HN_OK);
        checks[i] = (hn_known_key_check){&items[i], table_of[i]};
    }
    self->kernel->make_tables(table_of, (const uint8_t(*)[64])keys);
    self->kernel->check(self->fixed, proven, checks, KEYS);
    for (unsigned i = 0; i < KEYS; i++) {
        is_right = is_right && proven[i];
        if (i % 4 == 0)
            items[i].signature.y_parity ^= 1;
        else if (i % 4 == 1)
            items[i].digest.b[0] ^= 1;
        else
            checks[i].table = table_of[i ^ 4];
    }
    self->kernel->check(self->fixed, proven, checks, KEYS);
    for (unsigned i = 0; i < KEYS; i++)
        is_right = is_right && !proven[i];
    return is_right;
}

static hn_err prepare_kernel(hn_known_keys *self, const hn_known_key_kernel *kernel)
{
    uint8_t generator[64];
    HN_CHECK(kernel->table_bytes == HN_KNOWN_KEY_BYTES);
    key_of_scalar(self->context, generator, 1);
    self->kernel = kernel;
    self->fixed = take_memory(kernel->fixed_bytes);
    uint8_t *tables = take_memory(HN_KNOWN_KEYS_AT_ONCE * kernel->table_bytes);
    if (self->fixed == NULL || tables == NULL) {
        free(tables);
        return HN_ERR_NO_MEMORY;
    }
    kernel->prepare(self->fixed, generator);
    if (!passes_self_test(self, tables))
        self->kernel = NULL;
    free(tables);
    return HN_OK;
}

static hn_err make_index(hn_known_keys *self)
{
    key_keeper *keeper = &self->keeper;
    self->bucket_count = (self->slot_count + 1) / 2; /* a fourth full: hardly any bucket overflows */
    keeper->candidate_mask = 1023;
    while (keeper->candidate_mask < 2 * self->slot_count)
        keeper->candidate_mask = 2 * keeper->candidate_mask + 1;
    self->tables = reserve_tables(self->slot_count * (size_t)HN_KNOWN_KEY_BYTES);
    self->addresses = take_memory(self->slot_count * sizeof *self->addresses);
    self->index = take_memory(self->bucket_count * (size_t)LINE);
    size_t used_bytes = rounded(self->slot_count * sizeof *self->used, LINE);
    self->used = take_memory((self->reader_count + 1) * used_bytes);
    keeper->entry_of = take_memory(self->slot_count * sizeof *keeper->entry_of);
    keeper->candidates = take_memory((keeper->candidate_mask + (size_t)1) * sizeof *keeper->candidates);
    if (self->tables == NULL || self->addresses == NULL || self->index == NULL || self->used == NULL ||
        keeper->entry_of == NULL || keeper->candidates == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint32_t i = 0; i <= self->reader_count; i++)
        self->readers[i].used = self->used + i * (used_bytes / sizeof *self->used);
    return HN_OK;
}

hn_err hn_known_keys_create_with(hn_known_keys **out, const hn_signature_context *context,
                                 const hn_known_keys_options *options, const hn_known_key_kernel *kernel)
{
    if (options->keys_max == 0 || options->keys_max > HN_KNOWN_KEYS_MAX || options->readers == 0 ||
        options->readers > HN_KNOWN_KEY_READERS_MAX)
        return HN_ERR_RANGE;
    hn_known_keys *self = take_memory(sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    self->context = context;
    self->seed = options->seed;
    self->slot_count = options->keys_max;
    self->reader_count = options->readers;
    atomic_flag_clear(&self->keeper.is_taken);
    self->readers = take_memory((self->reader_count + (size_t)1) * sizeof *self->readers);
    hn_err err = self->readers == NULL ? HN_ERR_NO_MEMORY : HN_OK;
    if (err == HN_OK && kernel != NULL)
        err = prepare_kernel(self, kernel);
    if (err == HN_OK && self->kernel != NULL)
        err = make_index(self);
    if (err != HN_OK) {
        hn_known_keys_destroy(self);
        return err;
    }
    *out = self;
    return HN_OK;
}

hn_err hn_known_keys_create(hn_known_keys **out, const hn_signature_context *context,
                            const hn_known_keys_options *options)
{
    const hn_known_key_kernel *const *kernel = hn_known_key_kernels;
    while (*kernel != NULL && !(*kernel)->available())
        kernel++;
    return hn_known_keys_create_with(out, context, options, *kernel);
}

void hn_known_keys_destroy(hn_known_keys *self)
{
    if (self == NULL)
        return;
    free(self->fixed);
    free(self->tables);
    free(self->addresses);
    free(self->index);
    free(self->used);
    free(self->readers);
    free(self->keeper.entry_of);
    free(self->keeper.candidates);
    free(self);
}

const char *hn_known_keys_kernel(const hn_known_keys *self)
{
    return self->kernel != NULL ? self->kernel->name : "none";
}

static void count(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

hn_known_keys_counts hn_known_keys_count(const hn_known_keys *self)
{
    const key_keeper *keeper = &self->keeper;
    hn_known_keys_counts sum = {
        .made = atomic_load_explicit(&keeper->made, memory_order_relaxed),
        .evicted = atomic_load_explicit(&keeper->evicted, memory_order_relaxed),
        .refused = atomic_load_explicit(&keeper->refused, memory_order_relaxed),
    };
    for (uint32_t i = 0; i < self->reader_count; i++) {
        sum.proven += atomic_load_explicit(&self->readers[i].proven, memory_order_relaxed);
        sum.unknown += atomic_load_explicit(&self->readers[i].unknown, memory_order_relaxed);
        sum.wrong += atomic_load_explicit(&self->readers[i].wrong, memory_order_relaxed);
    }
    return sum;
}

/* --- the index --- */

static uint64_t hash_of(const hn_known_keys *self, const hn_address *address)
{
    return hn_table_hash(address->b, sizeof address->b, self->seed);
}

static _Atomic uint64_t *bucket_of(const hn_known_keys *self, uint64_t hash)
{
    return self->index + ((hash & UINT32_MAX) * self->bucket_count >> 32) * WAYS;
}

/* The slot of the address's key, or slot_count. Its table stays until the caller's epoch ends. */
static uint32_t find(const hn_known_keys *self, const hn_address *address, uint64_t hash)
{
    _Atomic uint64_t *bucket = bucket_of(self, hash);
    for (unsigned way = 0; way < WAYS; way++) {
        /* In one order with the epochs' stores: a keeper that saw this reader outside has emptied the entry.
         */
        const uint64_t entry = atomic_load(&bucket[way]);
        if (entry >> 32 != hash >> 32 || (uint32_t)entry == 0 || (entry & RESERVED) != 0)
            continue;
        const uint32_t slot = (uint32_t)entry - 1;
        if (hn_address_equal(&self->addresses[slot], address))
            return slot;
    }
    return self->slot_count;
}

static void note_use(const hn_known_keys *self, uint32_t by, uint32_t slot)
{
    const uint16_t tick = atomic_load_explicit(&self->tick, memory_order_relaxed);
    _Atomic uint16_t *used = &self->readers[by].used[slot];
    if (atomic_load_explicit(used, memory_order_relaxed) != tick)
        atomic_store_explicit(used, tick, memory_order_relaxed);
}

/* --- taking keys in: the keeper --- */

static bool is_idle(const hn_known_keys *self, uint32_t slot)
{
    const uint16_t tick = atomic_load_explicit(&self->tick, memory_order_relaxed);
    for (uint32_t i = 0; i <= self->reader_count; i++) {
        const uint16_t used = atomic_load_explicit(&self->readers[i].used[slot], memory_order_relaxed);
        if ((uint16_t)(tick - used) < IDLE_TICKS)
            return false;
    }
    return true;
}

/* Takes the key out of the index; its slot may be overwritten when all readers have left. */
static void evict(hn_known_keys *self, uint32_t slot)
{
    atomic_store(&self->index[self->keeper.entry_of[slot]], 0);
    self->keeper.entry_of[slot] = UINT32_MAX;
    count(&self->keeper.evicted, 1);
}

/* A slot that nobody else uses, or slot_count. */
static uint32_t find_slot(hn_known_keys *self)
{
    key_keeper *keeper = &self->keeper;
    if (keeper->unused < self->slot_count)
        return keeper->unused++;
    for (unsigned i = 0; i < SCAN; i++) {
        const uint32_t slot = keeper->hand;
        keeper->hand = slot + 1 < self->slot_count ? slot + 1 : 0;
        if (keeper->entry_of[slot] != UINT32_MAX && is_idle(self, slot)) {
            evict(self, slot);
            return slot;
        }
    }
    return self->slot_count;
}

/* A free place in the newcomer's bucket, and a slot. */
static bool reserve(hn_known_keys *self, newcomer *item)
{
    _Atomic uint64_t *bucket = bucket_of(self, item->hash);
    unsigned way = 0;
    while (way < WAYS && atomic_load_explicit(&bucket[way], memory_order_relaxed) != 0)
        way++;
    for (unsigned i = 0; i < WAYS && way == WAYS; i++) {
        const uint64_t entry = atomic_load_explicit(&bucket[i], memory_order_relaxed);
        if ((entry & RESERVED) != 0 || !is_idle(self, (uint32_t)entry - 1))
            continue;
        way = i;
        item->slot = (uint32_t)entry - 1;
        evict(self, item->slot);
    }
    if (way == WAYS)
        return false;
    if (item->slot == self->slot_count)
        item->slot = find_slot(self);
    if (item->slot == self->slot_count)
        return false;
    self->keeper.entry_of[item->slot] = UINT32_MAX;
    atomic_store(&bucket[way], RESERVED | (item->slot + 1));
    return true;
}

static void reserve_all(hn_known_keys *self)
{
    key_keeper *keeper = &self->keeper;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < keeper->newcomer_count; i++) {
        newcomer *item = &keeper->newcomers[i];
        item->slot = self->slot_count;
        if (reserve(self, item))
            keeper->newcomers[kept++] = *item;
        else
            count(&keeper->refused, 1);
    }
    keeper->newcomer_count = kept;
    keeper->waited = 0;
    keeper->is_reserved = kept != 0;
    for (uint32_t i = 0; i < self->reader_count; i++)
        keeper->epochs[i] = atomic_load(&self->readers[i].epoch);
}

/* Nobody reads what was evicted any more. */
static bool have_readers_left(const hn_known_keys *self)
{
    for (uint32_t i = 0; i < self->reader_count; i++) {
        const uint64_t then = self->keeper.epochs[i];
        if (then % 2 != 0 && atomic_load(&self->readers[i].epoch) == then)
            return false;
    }
    return true;
}

static void publish(hn_known_keys *self, const newcomer *item)
{
    _Atomic uint64_t *bucket = bucket_of(self, item->hash);
    for (unsigned way = 0; way < WAYS; way++) {
        if (atomic_load_explicit(&bucket[way], memory_order_relaxed) != (RESERVED | (item->slot + 1)))
            continue;
        self->addresses[item->slot] = item->address;
        self->keeper.entry_of[item->slot] = (uint32_t)(&bucket[way] - self->index);
        note_use(self, self->reader_count, item->slot);
        atomic_store(&bucket[way], (item->hash >> 32) << 32 | (item->slot + 1));
        return;
    }
    HN_CHECK(false); /* it was reserved */
}

static void make_tables(hn_known_keys *self)
{
    key_keeper *keeper = &self->keeper;
    uint8_t keys[HN_KNOWN_KEYS_AT_ONCE][64];
    void *tables[HN_KNOWN_KEYS_AT_ONCE];
    for (uint32_t i = 0; i < HN_KNOWN_KEYS_AT_ONCE; i++) {
        /* Lanes that are left make the last one's again. */
        const newcomer *item =
            &keeper->newcomers[i < keeper->newcomer_count ? i : keeper->newcomer_count - 1];
        memcpy(keys[i], item->key, sizeof keys[i]);
        tables[i] = self->tables + item->slot * (size_t)HN_KNOWN_KEY_BYTES;
    }
    self->kernel->make_tables(tables, (const uint8_t(*)[64])keys);
    for (uint32_t i = 0; i < keeper->newcomer_count; i++)
        publish(self, &keeper->newcomers[i]);
    count(&keeper->made, keeper->newcomer_count);
    keeper->newcomer_count = 0;
    keeper->is_reserved = false;
}

/* How often the hash was seen, below its own bits; another one gives way when there is none yet. */
static uint32_t *find_candidate(key_keeper *keeper, uint64_t hash)
{
    uint32_t *some = &keeper->candidates[hash & keeper->candidate_mask & ~(uint32_t)(CANDIDATE_WAYS - 1)];
    const uint32_t tag = (uint32_t)(hash >> 32) / SEEN_MOST * SEEN_MOST;
    for (unsigned i = 0; i < CANDIDATE_WAYS; i++)
        if (some[i] / SEEN_MOST * SEEN_MOST == tag)
            return &some[i];
    uint32_t *given = &some[keeper->sightings % CANDIDATE_WAYS];
    *given = tag;
    return given;
}

/* A key was recovered, and its address hinted. */
static void note_sighting(hn_known_keys *self, const hn_address *address, const uint8_t key[64])
{
    key_keeper *keeper = &self->keeper;
    if (++keeper->sightings >= self->slot_count) {
        keeper->sightings = 0;
        atomic_store_explicit(&self->tick,
                              (uint16_t)(atomic_load_explicit(&self->tick, memory_order_relaxed) + 1),
                              memory_order_relaxed);
    }
    const uint64_t hash = hash_of(self, address);
    uint32_t *candidate = find_candidate(keeper, hash);
    if (++*candidate % SEEN_MOST < HN_KNOWN_KEY_SIGHTINGS)
        return;
    if (keeper->is_reserved || keeper->newcomer_count == HN_KNOWN_KEYS_AT_ONCE) {
        --*candidate; /* another time */
        return;
    }
    *candidate = 0;
    for (uint32_t i = 0; i < keeper->newcomer_count; i++)
        if (hn_address_equal(&keeper->newcomers[i].address, address))
            return;
    if (find(self, address, hash) != self->slot_count)
        return;
    newcomer *item = &keeper->newcomers[keeper->newcomer_count++];
    item->address = *address;
    item->hash = hash;
    memcpy(item->key, key, sizeof item->key);
}

static void take_in(hn_known_keys *self, const hn_recovery *items, const hn_address *hints,
                    const uint8_t (*keys)[64], size_t item_count)
{
    key_keeper *keeper = &self->keeper;
    if (atomic_flag_test_and_set_explicit(&keeper->is_taken, memory_order_acquire))
        return; /* somebody else does; these will be seen again */
    for (size_t i = 0; i < item_count; i++)
        if (items[i].status == HN_OK && hn_address_equal(&items[i].signer, &hints[i]))
            note_sighting(self, &hints[i], keys[i]);
    if (!keeper->is_reserved && keeper->newcomer_count != 0 &&
        (keeper->newcomer_count == HN_KNOWN_KEYS_AT_ONCE || keeper->waited++ >= PATIENCE))
        reserve_all(self);
    if (keeper->is_reserved && have_readers_left(self))
        make_tables(self);
    atomic_flag_clear_explicit(&keeper->is_taken, memory_order_release);
}

/* --- checking: the readers --- */

/* Checks what can be checked; `open` gets the places of what is not proven, and the result how many. */
static size_t check_chunk(hn_known_keys *self, uint32_t by, uint16_t open[CHUNK], hn_recovery *items,
                          const hn_address *hints, size_t item_count)
{
    key_reader *reader = &self->readers[by];
    uint64_t hashes[CHUNK];
    hn_known_key_check checks[CHUNK];
    uint16_t checked[CHUNK];
    bool proven[CHUNK];
    size_t open_count = 0, check_count = 0;
    for (size_t i = 0; i < item_count; i++) {
        hashes[i] = hash_of(self, &hints[i]);
        __builtin_prefetch(bucket_of(self, hashes[i]));
    }
    const uint64_t epoch = atomic_load_explicit(&reader->epoch, memory_order_relaxed);
    atomic_store(&reader->epoch, epoch + 1);
    for (size_t i = 0; i < item_count; i++) {
        const hn_signature *signature = &items[i].signature;
        uint32_t slot = self->slot_count;
        if (!hn_address_is_zero(&hints[i]) && signature->y_parity <= 1 &&
            hn_signature_in_range(signature, false))
            slot = find(self, &hints[i], hashes[i]);
        if (slot == self->slot_count) {
            open[open_count++] = (uint16_t)i;
            continue;
        }
        note_use(self, by, slot);
        checks[check_count] =
            (hn_known_key_check){&items[i], self->tables + slot * (size_t)HN_KNOWN_KEY_BYTES};
        checked[check_count++] = (uint16_t)i;
    }
    self->kernel->check(self->fixed, proven, checks, check_count);
    atomic_store(&reader->epoch, epoch + 2);
    for (size_t i = 0; i < check_count; i++) {
        hn_recovery *item = &items[checked[i]];
        if (!proven[i]) {
            open[open_count++] = checked[i];
            continue;
        }
        item->signer = hints[checked[i]];
        item->status = HN_OK;
    }
    count(&reader->proven, item_count - open_count);
    return open_count;
}

static void recover_open(hn_known_keys *self, uint32_t by, hn_recovery *items, const hn_address *hints,
                         const uint16_t open[CHUNK], size_t open_count)
{
    hn_recovery rest[CHUNK];
    hn_address supposed[CHUNK];
    uint8_t keys[CHUNK][64];
    uint64_t right = 0, hinted = 0;
    for (size_t i = 0; i < open_count; i++) {
        rest[i] = items[open[i]];
        supposed[i] = hints[open[i]];
    }
    hn_signature_recover_keys(self->context, rest, keys, open_count);
    for (size_t i = 0; i < open_count; i++) {
        items[open[i]] = rest[i];
        hinted += !hn_address_is_zero(&supposed[i]);
        right += rest[i].status == HN_OK && hn_address_equal(&rest[i].signer, &supposed[i]);
    }
    count(&self->readers[by].unknown, right);
    count(&self->readers[by].wrong, hinted - right);
    if (right != 0)
        take_in(self, rest, supposed, (const uint8_t(*)[64])keys, open_count);
}

static bool has_hint(const hn_address *hints, size_t item_count)
{
    for (size_t i = 0; i < item_count; i++)
        if (!hn_address_is_zero(&hints[i]))
            return true;
    return false;
}

void hn_known_keys_recover(hn_known_keys *self, uint32_t by, hn_recovery *items, const hn_address *hints,
                           size_t item_count)
{
    HN_CHECK(by < self->reader_count);
    for (size_t first = 0; first < item_count; first += CHUNK) {
        const size_t left = item_count - first, size = left < CHUNK ? left : CHUNK;
        uint16_t open[CHUNK];
        if (self->kernel == NULL || !has_hint(hints + first, size)) {
            hn_signature_recover_batch(self->context, items + first, size);
            continue;
        }
        const size_t open_count = check_chunk(self, by, open, items + first, hints + first, size);
        if (open_count != 0)
            recover_open(self, by, items + first, hints + first, open, open_count);
    }
}
