#include "bench/evm_peer.h"

#include "engine/base/check.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ABI_VERSION = 12,
    REVISION_ISTANBUL = 7,
    REVISION_BERLIN = 8,
    CONTRACTS_MAX = 16,
    SLOTS_MAX = 1 << 12,
    OUTPUT_BYTES_MAX = 1 << 20,
    ACCESS_WARM = 1,
};

/* What a write to storage means for its price; the refunds, which nobody looks at here, differ in more. */
enum { WRITE_OTHER = 0, WRITE_ADDS = 1, WRITE_DELETES = 2, WRITE_CHANGES = 3 };

/* --- the interface, as far as it is used --------------------------------------------------------------- */

typedef struct word {
    uint8_t b[32];
} word;

typedef struct peer_message {
    int kind; /* 0: CALL */
    uint32_t flags;
    int32_t depth;
    int64_t gas;
    hn_address recipient, sender;
    const uint8_t *input;
    size_t input_size;
    word value, salt;
    hn_address code_address;
    const uint8_t *code;
    size_t code_size;
} peer_message;

typedef struct peer_transaction {
    word gas_price;
    hn_address origin, beneficiary;
    int64_t number, timestamp, gas_limit;
    word prev_randao, chain_id, base_fee, blob_base_fee;
    const word *blob_hashes;
    size_t blob_hash_count;
    const void *init_codes;
    size_t init_code_count;
} peer_transaction;

typedef struct peer_result {
    int status; /* 0: success */
    int64_t gas_left, gas_refund;
    const uint8_t *output;
    size_t output_size;
    void (*release)(const struct peer_result *result);
    hn_address created;
    uint8_t padding[4];
} peer_result;

typedef struct peer_host {
    bool (*account_exists)(evm_peer *, const hn_address *);
    word (*get_storage)(evm_peer *, const hn_address *, const word *key);
    int (*set_storage)(evm_peer *, const hn_address *, const word *key, const word *value);
    word (*get_balance)(evm_peer *, const hn_address *);
    size_t (*get_code_size)(evm_peer *, const hn_address *);
    word (*get_code_hash)(evm_peer *, const hn_address *);
    size_t (*copy_code)(evm_peer *, const hn_address *, size_t offset, uint8_t *to, size_t size);
    bool (*selfdestruct)(evm_peer *, const hn_address *, const hn_address *heir);
    peer_result (*call)(evm_peer *, const peer_message *);
    peer_transaction (*get_transaction)(evm_peer *);
    word (*get_block_hash)(evm_peer *, int64_t number);
    void (*emit_log)(evm_peer *, const hn_address *, const uint8_t *data, size_t size, const word *topics,
                     size_t count);
    int (*access_account)(evm_peer *, const hn_address *);
    int (*access_storage)(evm_peer *, const hn_address *, const word *key);
    word (*get_transient)(evm_peer *, const hn_address *, const word *key);
    void (*set_transient)(evm_peer *, const hn_address *, const word *key, const word *value);
} peer_host;

typedef struct peer_machine {
    int abi_version;
    const char *name, *version;
    void (*destroy)(struct peer_machine *);
    peer_result (*execute)(struct peer_machine *, const peer_host *, evm_peer *, int revision,
                           const peer_message *, const uint8_t *code, size_t code_size);
    uint32_t (*get_capabilities)(struct peer_machine *);
    int (*set_option)(struct peer_machine *, const char *name, const char *value);
} peer_machine;

/* --- the host ------------------------------------------------------------------------------------------ */

typedef struct contract {
    hn_address address;
    hn_bytes code;
} contract;

typedef struct slot {
    hn_address address;
    bool is_used;
    word key, original, current;
} slot;

struct evm_peer {
    void *library;
    peer_machine *machine;
    int revision;
    contract contracts[CONTRACTS_MAX];
    size_t contract_count;
    slot slots[SLOTS_MAX]; /* open addressing */
    size_t slot_count;
    uint8_t output[OUTPUT_BYTES_MAX];
};

static const word zero;

static bool is_zero(const word *value)
{
    return memcmp(value, &zero, sizeof zero) == 0;
}

static bool is_equal(const word *x, const word *y)
{
    return memcmp(x, y, sizeof *x) == 0;
}

static hn_bytes code_of(const evm_peer *peer, const hn_address *address)
{
    for (size_t i = 0; i < peer->contract_count; i++)
        if (hn_address_equal(&peer->contracts[i].address, address))
            return peer->contracts[i].code;
    return hn_bytes_of(NULL, 0);
}

/* Keys are small numbers or hashes: their ends spread well enough. */
static slot *slot_of(evm_peer *peer, const hn_address *address, const word *key)
{
    uint64_t hash =
        (hn_load_be64(key->b + 24) + hn_load_be32(address->b + 16)) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint64_t at = hash >> 40;; at++) {
        slot *found = &peer->slots[at % SLOTS_MAX];
        if (!found->is_used) {
            HN_CHECK(++peer->slot_count < SLOTS_MAX / 2);
            *found = (slot){.address = *address, .is_used = true, .key = *key};
            return found;
        }
        if (is_equal(&found->key, key) && hn_address_equal(&found->address, address))
            return found;
    }
}

static bool account_exists(evm_peer *peer, const hn_address *address)
{
    return code_of(peer, address).size != 0;
}

static word get_storage(evm_peer *peer, const hn_address *address, const word *key)
{
    return slot_of(peer, address, key)->current;
}

static int set_storage(evm_peer *peer, const hn_address *address, const word *key, const word *value)
{
    slot *s = slot_of(peer, address, key);
    int kind = WRITE_OTHER;
    if (!is_equal(&s->current, value) && is_equal(&s->original, &s->current))
        kind = is_zero(&s->original) ? WRITE_ADDS : is_zero(value) ? WRITE_DELETES : WRITE_CHANGES;
    s->current = *value;
    return kind;
}

static word no_word(evm_peer *peer, const hn_address *address)
{
    (void)peer;
    (void)address;
    return zero;
}

static size_t get_code_size(evm_peer *peer, const hn_address *address)
{
    return code_of(peer, address).size;
}

static size_t copy_code(evm_peer *peer, const hn_address *address, size_t offset, uint8_t *to, size_t size)
{
    hn_bytes code = code_of(peer, address);
    if (offset >= code.size)
        return 0;
    if (size > code.size - offset)
        size = code.size - offset;
    memcpy(to, code.data + offset, size);
    return size;
}

static bool refuse_selfdestruct(evm_peer *peer, const hn_address *address, const hn_address *heir)
{
    (void)peer;
    (void)address;
    (void)heir;
    HN_CHECK(false); /* a benchmark must not destroy itself */
    return false;
}

static const peer_host host;

static peer_result call(evm_peer *peer, const peer_message *message)
{
    hn_bytes code = code_of(peer, &message->code_address);
    HN_CHECK(code.size != 0 && is_zero(&message->value));
    return peer->machine->execute(peer->machine, &host, peer, peer->revision, message, code.data, code.size);
}

static peer_transaction get_transaction(evm_peer *peer)
{
    (void)peer;
    return (peer_transaction){.number = 1000, .timestamp = 1700000000, .gas_limit = 30000000};
}

static word get_block_hash(evm_peer *peer, int64_t number)
{
    (void)peer;
    (void)number;
    return zero;
}

static void emit_log(evm_peer *peer, const hn_address *address, const uint8_t *data, size_t size,
                     const word *topics, size_t count)
{
    (void)peer;
    (void)address;
    (void)data;
    (void)size;
    (void)topics;
    (void)count;
}

static int access_account(evm_peer *peer, const hn_address *address)
{
    (void)peer;
    (void)address;
    return ACCESS_WARM;
}

static int access_storage(evm_peer *peer, const hn_address *address, const word *key)
{
    (void)peer;
    (void)address;
    (void)key;
    return ACCESS_WARM;
}

static word get_transient(evm_peer *peer, const hn_address *address, const word *key)
{
    (void)peer;
    (void)address;
    (void)key;
    return zero;
}

static void set_transient(evm_peer *peer, const hn_address *address, const word *key, const word *value)
{
    (void)peer;
    (void)address;
    (void)key;
    (void)value;
}

static const peer_host host = {
    .account_exists = account_exists,
    .get_storage = get_storage,
    .set_storage = set_storage,
    .get_balance = no_word,
    .get_code_size = get_code_size,
    .get_code_hash = no_word,
    .copy_code = copy_code,
    .selfdestruct = refuse_selfdestruct,
    .call = call,
    .get_transaction = get_transaction,
    .get_block_hash = get_block_hash,
    .emit_log = emit_log,
    .access_account = access_account,
    .access_storage = access_storage,
    .get_transient = get_transient,
    .set_transient = set_transient,
};

/* --- face ---------------------------------------------------------------------------------------------- */

/* evmc_create_NAME for ".../libNAME.so", or plain evmc_create. */
static void *find_creator(void *library, const char *path)
{
    char symbol[128];
    const char *base = strrchr(path, '/');
    base = base != NULL ? base + 1 : path;
    if (strncmp(base, "lib", 3) == 0)
        base += 3;
    snprintf(symbol, sizeof symbol, "evmc_create_%.*s", (int)strcspn(base, ".-"), base);
    void *creator = dlsym(library, symbol);
    return creator != NULL ? creator : dlsym(library, "evmc_create");
}

evm_peer *evm_peer_open(const char *path)
{
    evm_peer *peer = calloc(1, sizeof *peer);
    HN_CHECK(peer != NULL);
    peer->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *creator = peer->library != NULL ? find_creator(peer->library, path) : NULL;
    if (creator == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    peer_machine *(*create)(void);
    memcpy(&create, &creator, sizeof create);
    peer->machine = create();
    if (peer->machine == NULL || peer->machine->abi_version != ABI_VERSION) {
        fprintf(stderr, "%s: not a machine of EVMC %d\n", path, ABI_VERSION);
        exit(2);
    }
    return peer;
}

void evm_peer_close(evm_peer *peer)
{
    if (peer == NULL)
        return;
    peer->machine->destroy(peer->machine);
    dlclose(peer->library);
    free(peer);
}

const char *evm_peer_name(const evm_peer *peer)
{
    return peer->machine->name;
}

const char *evm_peer_version(const evm_peer *peer)
{
    return peer->machine->version;
}

void evm_peer_clear(evm_peer *peer)
{
    memset(peer->slots, 0, sizeof peer->slots);
    peer->slot_count = 0;
    peer->contract_count = 0;
}

void evm_peer_put_code(evm_peer *peer, const hn_address *address, hn_bytes code)
{
    HN_CHECK(peer->contract_count < CONTRACTS_MAX);
    peer->contracts[peer->contract_count++] = (contract){.address = *address, .code = code};
}

void evm_peer_put_slot(evm_peer *peer, const hn_address *address, const hn_u256 *key, const hn_u256 *value)
{
    word name, content;
    hn_u256_to_be(name.b, key);
    hn_u256_to_be(content.b, value);
    slot *s = slot_of(peer, address, &name);
    s->original = s->current = content;
}

void evm_peer_settle(evm_peer *peer)
{
    for (size_t i = 0; i < SLOTS_MAX; i++)
        peer->slots[i].original = peer->slots[i].current;
}

evm_peer_result evm_peer_execute(evm_peer *peer, const hn_message *message, hn_fork fork)
{
    peer_message m = {
        .gas = (int64_t)message->gas,
        .recipient = message->recipient,
        .sender = message->sender,
        .input = message->input.data,
        .input_size = message->input.size,
        .code_address = message->code_address,
    };
    hn_bytes code = code_of(peer, &message->code_address);
    hn_u256_to_be(m.value.b, &message->value);
    peer->revision = fork >= HN_FORK_BERLIN ? REVISION_BERLIN : REVISION_ISTANBUL;
    peer_result r =
        peer->machine->execute(peer->machine, &host, peer, peer->revision, &m, code.data, code.size);
    HN_CHECK(r.output_size <= sizeof peer->output);
    evm_peer_result result = {.is_success = r.status == 0, .gas_left = (uint64_t)r.gas_left};
    if (r.output_size != 0)
        memcpy(peer->output, r.output, r.output_size);
    result.output = hn_bytes_of(peer->output, r.output_size);
    if (r.release != NULL)
        r.release(&r);
    return result;
}
