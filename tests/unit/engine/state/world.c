#include "tests/unit/engine/state/world.h"

#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "tests/unit/engine/trie/reference_trie.h"

#include <criterion/criterion.h>

hn_address world_address(unsigned account)
{
    hn_address address = {{0}};
    address.b[19] = 3;
    if (account != WORLD_RIPEMD)
        address.b[account % 20] = (uint8_t)(account * 37);
    return address;
}

/* Small numbers, and numbers that differ only at the top. */
hn_u256 world_key(unsigned slot)
{
    return slot % 2 == 0 ? hn_u256_of(slot) : (hn_u256){{1, 0, 0, (uint64_t)slot << 50}};
}

hn_bytes world_code(unsigned code)
{
    static const char *const codes[WORLD_CODES] = {"", "\x60\x01", "\x60\x02\x60\x03", "three",
                                                   "a longer fourth piece of code"};
    return hn_bytes_of(codes[code], strlen(codes[code]));
}

hn_hash world_code_hash(unsigned code)
{
    hn_hash hash;
    hn_bytes bytes = world_code(code);
    hn_keccak256(&hash, bytes.data, bytes.size);
    return hash;
}

hn_account world_face(const world_account *account)
{
    return (hn_account){
        .balance = account->balance, .nonce = account->nonce, .code_hash = world_code_hash(account->code)};
}

bool world_is_empty(const world_account *account)
{
    return account->nonce == 0 && account->code == 0 && hn_u256_is_zero(&account->balance);
}

bool world_has_storage(const world_account *account)
{
    for (unsigned s = 0; s < WORLD_SLOTS; s++)
        if (!hn_u256_is_zero(&account->slots[s]))
            return true;
    return false;
}

static bool account_equal(const world_account *left, const world_account *right)
{
    for (unsigned s = 0; s < WORLD_SLOTS; s++)
        if (!hn_u256_equal(&left->slots[s], &right->slots[s]))
            return false;
    return left->exists == right->exists && left->nonce == right->nonce && left->code == right->code &&
           hn_u256_equal(&left->balance, &right->balance);
}

bool world_equal(const world *left, const world *right)
{
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++)
        if (!account_equal(&left->accounts[a], &right->accounts[a]))
            return false;
    return true;
}

hn_u256 world_random_value(hn_prng *prng)
{
    return hn_prng_below(prng, 3) == 0 ? hn_u256_of(0) : hn_prng_u256(prng);
}

world_account world_random_account(hn_prng *prng)
{
    world_account account = {.exists = hn_prng_below(prng, 4) != 0};
    if (!account.exists)
        return account;
    account.nonce = hn_prng_below(prng, 3) * hn_prng_below(prng, 1000);
    account.balance = world_random_value(prng);
    account.code = (unsigned)hn_prng_below(prng, WORLD_CODES);
    for (unsigned s = 0; s < WORLD_SLOTS && account.code != 0; s++)
        account.slots[s] = world_random_value(prng);
    return account;
}

void world_random(world *out, hn_prng *prng)
{
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++)
        out->accounts[a] = world_random_account(prng);
}

static hn_code *code_object(unsigned code, hn_arena *arena)
{
    hn_code *object = hn_arena_calloc(arena, 1, sizeof *object);
    cr_assert_not_null(object);
    object->hash = world_code_hash(code);
    object->bytes = world_code(code);
    return object;
}

static bool diff_account(hn_account_change *out, const world_account *before, const world_account *after,
                         hn_arena *arena, bool cleared)
{
    hn_slot_change *slots = hn_arena_calloc(arena, WORLD_SLOTS, sizeof *slots);
    *out = (hn_account_change){
        .existed = before->exists,
        .exists = after->exists,
        .storage_cleared = cleared,
        .before = world_face(before),
        .after = world_face(after),
        .slots = slots,
    };
    for (unsigned s = 0; s < WORLD_SLOTS; s++) {
        hn_u256 was = cleared ? hn_u256_of(0) : before->slots[s];
        if (!hn_u256_equal(&was, &after->slots[s]))
            slots[out->slot_count++] =
                (hn_slot_change){.key = world_key(s), .before = was, .after = after->slots[s]};
    }
    if (before->code != after->code && after->code != 0)
        out->new_code = code_object(after->code, arena);
    return cleared || !account_equal(before, after);
}

hn_state_diff world_diff(const world *before, const world *after, hn_arena *arena, hn_prng *clear_at_random)
{
    hn_state_diff diff = {.accounts = hn_arena_calloc(arena, WORLD_ACCOUNTS, sizeof *diff.accounts)};
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        const world_account *old = &before->accounts[a], *new = &after->accounts[a];
        bool cleared = world_has_storage(old) &&
                       (!new->exists || (clear_at_random != NULL && hn_prng_below(clear_at_random, 3) == 0));
        hn_account_change *change = &diff.accounts[diff.account_count];
        if (!diff_account(change, old, new, arena, cleared))
            continue;
        change->address = world_address(a);
        diff.account_count++;
        diff.slot_count += change->slot_count;
    }
    return diff;
}

/* --- bringing a diff in */

static unsigned account_at(const hn_address *address)
{
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        hn_address candidate = world_address(a);
        if (hn_address_equal(&candidate, address))
            return a;
    }
    cr_assert_fail("an address that is nobody's");
    return 0;
}

static unsigned slot_at(const hn_u256 *key)
{
    for (unsigned s = 0; s < WORLD_SLOTS; s++) {
        hn_u256 candidate = world_key(s);
        if (hn_u256_equal(&candidate, key))
            return s;
    }
    cr_assert_fail("a key that is nobody's");
    return 0;
}

static unsigned code_at(const hn_hash *hash)
{
    for (unsigned c = 0; c < WORLD_CODES; c++) {
        hn_hash candidate = world_code_hash(c);
        if (hn_hash_equal(&candidate, hash))
            return c;
    }
    cr_assert_fail("a code that is nobody's");
    return 0;
}

static bool face_equal(const hn_account *left, const hn_account *right)
{
    return left->nonce == right->nonce && hn_u256_equal(&left->balance, &right->balance) &&
           hn_hash_equal(&left->code_hash, &right->code_hash);
}

static void apply_account(world_account *account, const hn_account_change *change)
{
    hn_account face = world_face(account);
    cr_assert_eq(change->existed, account->exists);
    if (change->existed)
        cr_assert(face_equal(&change->before, &face));
    cr_assert(change->existed != change->exists || change->storage_cleared || change->slot_count != 0 ||
                  !face_equal(&change->before, &change->after),
              "an entry without a change");
    if (change->storage_cleared) {
        cr_assert(world_has_storage(account));
        memset(account->slots, 0, sizeof account->slots);
    }
    if (!change->exists) {
        cr_assert_eq(change->slot_count, 0u);
        cr_assert(!world_has_storage(account));
        *account = (world_account){0};
        return;
    }
    unsigned code = code_at(&change->after.code_hash);
    if (code != account->code && code != 0) {
        cr_assert_not_null(change->new_code);
        cr_assert(hn_bytes_equal(change->new_code->bytes, world_code(code)));
        cr_assert(hn_hash_equal(&change->new_code->hash, &change->after.code_hash));
    }
    account->exists = true;
    account->nonce = change->after.nonce;
    account->balance = change->after.balance;
    account->code = code;
    for (uint32_t i = 0; i < change->slot_count; i++) {
        hn_u256 *slot = &account->slots[slot_at(&change->slots[i].key)];
        cr_assert(hn_u256_equal(slot, &change->slots[i].before));
        cr_assert(!hn_u256_equal(slot, &change->slots[i].after));
        *slot = change->slots[i].after;
    }
}

void world_apply(world *now, const hn_state_diff *diff)
{
    uint32_t slot_count = 0;
    for (uint32_t i = 0; i < diff->account_count; i++) {
        apply_account(&now->accounts[account_at(&diff->accounts[i].address)], &diff->accounts[i]);
        slot_count += diff->accounts[i].slot_count;
    }
    cr_assert_eq(slot_count, diff->slot_count);
}

/* --- flat tables */

void world_to_flat(hn_flat *flat, const world *from)
{
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        const world_account *account = &from->accounts[a];
        if (!account->exists)
            continue;
        hn_address address = world_address(a);
        hn_account face = world_face(account);
        const hn_code *code;
        cr_assert_eq(hn_flat_put_account(flat, &address, &face), HN_OK);
        if (account->code != 0)
            cr_assert_eq(hn_flat_put_code(flat, &code, world_code(account->code)), HN_OK);
        for (unsigned s = 0; s < WORLD_SLOTS; s++) {
            hn_u256 key = world_key(s);
            cr_assert_eq(hn_flat_put_slot(flat, &address, &key, &account->slots[s]), HN_OK);
        }
    }
}

void world_expect_flat(const hn_flat *flat, const world *want)
{
    size_t accounts = 0, slots = 0;
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        const world_account *account = &want->accounts[a];
        hn_address address = world_address(a);
        hn_account got, face = world_face(account);
        cr_assert_eq(hn_flat_account(flat, &got, &address), account->exists);
        accounts += account->exists;
        if (account->exists)
            cr_assert(face_equal(&got, &face));
        if (account->code != 0) {
            const hn_code *code = hn_flat_code(flat, &face.code_hash);
            cr_assert_not_null(code);
            cr_assert(hn_bytes_equal(code->bytes, world_code(account->code)));
        }
        for (unsigned s = 0; s < WORLD_SLOTS; s++) {
            hn_u256 key = world_key(s), value;
            hn_flat_storage(flat, &value, &address, &key);
            cr_assert(hn_u256_equal(&value, &account->slots[s]));
            slots += !hn_u256_is_zero(&value);
        }
    }
    cr_assert_eq(hn_flat_account_count(flat), accounts);
    cr_assert_eq(hn_flat_slot_count(flat), slots);
}

/* --- roots */

static hn_bytes hashed(hn_hash *hash, const void *data, size_t size)
{
    hn_keccak256(hash, data, size);
    return hn_bytes_of(hash->b, sizeof hash->b);
}

void world_storage_root(hn_hash *out, const world_account *of)
{
    reference_item items[WORLD_SLOTS];
    hn_hash keys[WORLD_SLOTS];
    uint8_t values[WORLD_SLOTS][33];
    size_t count = 0;
    for (unsigned s = 0; s < WORLD_SLOTS; s++) {
        if (hn_u256_is_zero(&of->slots[s]))
            continue;
        uint8_t bytes[32];
        hn_u256 key = world_key(s);
        hn_u256_to_be(bytes, &key);
        const uint8_t *end = hn_rlp_write_u256(values[count], &of->slots[s]);
        items[count] = (reference_item){
            .key = hashed(&keys[count], bytes, sizeof bytes),
            .value = hn_bytes_of(values[count], (size_t)(end - values[count])),
        };
        count++;
    }
    reference_root(out, items, count);
}

void world_root(hn_hash *out, const world *of)
{
    reference_item items[WORLD_ACCOUNTS];
    hn_hash keys[WORLD_ACCOUNTS];
    uint8_t values[WORLD_ACCOUNTS][128];
    size_t count = 0;
    for (unsigned a = 0; a < WORLD_ACCOUNTS; a++) {
        const world_account *account = &of->accounts[a];
        if (!account->exists)
            continue;
        hn_address address = world_address(a);
        hn_hash storage_root, code_hash = world_code_hash(account->code);
        world_storage_root(&storage_root, account);
        uint8_t payload[128];
        uint8_t *end = hn_rlp_write_u64(payload, account->nonce);
        end = hn_rlp_write_u256(end, &account->balance);
        end = hn_rlp_write_string(end, hn_bytes_of(storage_root.b, 32));
        end = hn_rlp_write_string(end, hn_bytes_of(code_hash.b, 32));
        size_t size = (size_t)(end - payload);
        uint8_t *list = hn_rlp_write_list_prefix(values[count], size);
        memcpy(list, payload, size);
        items[count] = (reference_item){
            .key = hashed(&keys[count], address.b, sizeof address.b),
            .value = hn_bytes_of(values[count], (size_t)(list + size - values[count])),
        };
        count++;
    }
    reference_root(out, items, count);
}
