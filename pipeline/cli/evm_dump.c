#include "pipeline/cli/evm_dump.h"

#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"
#include "engine/state/state_trie.h"

#include <inttypes.h>
#include <stdlib.h>

/* One account or one slot of the account before it, under the hash that orders it. */
typedef struct entry {
    hn_hash account_hash;
    bool is_slot;
    hn_hash slot_hash;
    hn_address address;
    hn_account account;
    hn_u256 value;
} entry;

typedef struct dump {
    FILE *file;
    entry *entries;
    size_t count;
    size_t capacity;
    const hn_flat *flat;
    hn_state_trie *trie;
} dump;

static hn_err add(dump *self, const entry *item)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity == 0 ? 64 : 2 * self->capacity;
        entry *grown = realloc(self->entries, capacity * sizeof *grown);
        if (grown == NULL)
            return HN_ERR_NO_MEMORY;
        self->entries = grown;
        self->capacity = capacity;
    }
    self->entries[self->count++] = *item;
    return HN_OK;
}

static hn_err add_account(void *self, const hn_address *address, const hn_account *account)
{
    entry item = {.address = *address, .account = *account};
    hn_keccak256(&item.account_hash, address->b, sizeof address->b);
    return add(self, &item);
}

static hn_err add_slot(void *self, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    entry item = {.is_slot = true, .address = *address, .value = *value};
    uint8_t bytes[32];
    hn_u256_to_be(bytes, key);
    hn_keccak256(&item.account_hash, address->b, sizeof address->b);
    hn_keccak256(&item.slot_hash, bytes, sizeof bytes);
    return add(self, &item);
}

static hn_err ignore_code(void *self, const hn_code *code)
{
    (void)self;
    (void)code;
    return HN_OK;
}

static int compare_entries(const void *left, const void *right)
{
    const entry *x = left;
    const entry *y = right;
    int order = memcmp(x->account_hash.b, y->account_hash.b, sizeof x->account_hash.b);
    if (order == 0)
        order = (int)x->is_slot - (int)y->is_slot;
    return order != 0 ? order : memcmp(x->slot_hash.b, y->slot_hash.b, sizeof x->slot_hash.b);
}

static void put_hex(FILE *file, const char *before, const void *data, size_t size, const char *after)
{
    fputs(before, file);
    for (size_t i = 0; i < size; i++)
        fprintf(file, "%02x", ((const uint8_t *)data)[i]);
    fputs(after, file);
}

/* The account at `index` with the slots behind it; returns the index of the next account. */
static size_t print_account(const dump *self, size_t index)
{
    FILE *file = self->file;
    const entry *item = &self->entries[index];
    char balance[HN_U256_DECIMAL_MAX];
    hn_hash root;
    hn_u256_to_decimal(balance, &item->account.balance);
    hn_state_trie_storage_root(self->trie, &root, &item->address);
    put_hex(file, "        \"0x", item->address.b, sizeof item->address.b, "\": {\n");
    fprintf(file, "            \"balance\": \"%s\",\n            \"nonce\": %" PRIu64 ",\n", balance,
            item->account.nonce);
    put_hex(file, "            \"root\": \"0x", root.b, sizeof root.b, "\",\n");
    put_hex(file, "            \"codeHash\": \"0x", item->account.code_hash.b, 32, "\",\n");
    if (!hn_hash_equal(&item->account.code_hash, &hn_keccak256_of_nothing)) {
        const hn_code *code = hn_flat_code(self->flat, &item->account.code_hash);
        put_hex(file, "            \"code\": \"0x", code->bytes.data, code->bytes.size, "\",\n");
    }
    size_t next = index + 1;
    for (; next < self->count && self->entries[next].is_slot; next++) {
        const entry *slot = &self->entries[next];
        uint8_t value[32];
        hn_u256_to_be(value, &slot->value);
        unsigned size = hn_u256_byte_length(&slot->value);
        fputs(next == index + 1 ? "            \"storage\": {\n" : ",\n", file);
        put_hex(file, "                \"0x", slot->slot_hash.b, 32, "\": \"");
        put_hex(file, "", value + 32 - size, size, "\"");
    }
    if (next > index + 1)
        fputs("\n            },\n", file);
    put_hex(file, "            \"address\": \"0x", item->address.b, 20, "\",\n");
    put_hex(file, "            \"key\": \"0x", item->account_hash.b, 32, "\"\n        }");
    return next;
}

static hn_err collect(dump *self)
{
    hn_flat_visitor visitor = {.account = add_account, .slot = add_slot, .code = ignore_code, .self = self};
    HN_TRY(hn_state_trie_create(&self->trie, 0));
    hn_hash root;
    HN_TRY(hn_state_trie_build(self->trie, &root, self->flat));
    HN_TRY(hn_flat_visit(self->flat, &visitor));
    put_hex(self->file, "{\n    \"root\": \"", root.b, sizeof root.b, "\",\n    \"accounts\": {");
    return HN_OK;
}

hn_err hn_dump_state(FILE *file, const hn_flat *flat)
{
    dump self = {.file = file, .flat = flat};
    hn_err err = collect(&self);
    if (err == HN_OK) {
        if (self.count > 0)
            qsort(self.entries, self.count, sizeof *self.entries, compare_entries);
        for (size_t index = 0; index < self.count;) {
            fputs(index == 0 ? "\n" : ",\n", file);
            index = print_account(&self, index);
        }
        fputs(self.count > 0 ? "\n    }\n}\n" : "}\n}\n", file);
    }
    hn_state_trie_destroy(self.trie);
    free(self.entries);
    return err;
}
