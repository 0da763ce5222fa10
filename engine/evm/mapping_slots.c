#include "engine/evm/mapping_slots.h"

#include "engine/base/check.h"
#include "engine/crypto/keccak.h"

#include <stdlib.h>

enum {
    WORD = 32,
    SELECTOR = 4,
    FUNCTIONS = 256, /* that are known at a time; a power of two */
    ENTRIES = 1024,  /* hashes kept; a power of two, and many times what one foreseeing makes */
    ARGUMENTS_MAX = 8,
};

/* Where the key of a mapping comes from: SENDER, or 1 + the number of a word of the call data. */
typedef struct key_rule {
    uint8_t source;
    uint8_t mapping[WORD]; /* its place */
} key_rule;

enum { SENDER = 0 };

/* What one function of one contract is known to hash. */
typedef struct function_rules {
    hn_address contract;
    uint8_t selector[SELECTOR];
    uint32_t count;
    key_rule rules[HN_EVM_FORESEEN_SLOTS_A_CALL];
} function_rules;

typedef struct known_hash {
    uint8_t input[HN_MAPPING_INPUT_BYTES]; /* all zero where none is: two zero words are never found */
    hn_hash hash;
} known_hash;

struct hn_mapping_slots {
    function_rules functions[FUNCTIONS];
    known_hash entries[ENTRIES];
};

hn_err hn_mapping_slots_create(hn_mapping_slots **out)
{
    hn_mapping_slots *self = calloc(1, sizeof *self);
    if (self == NULL)
        return HN_ERR_NO_MEMORY;
    *out = self;
    return HN_OK;
}

void hn_mapping_slots_destroy(hn_mapping_slots *self)
{
    free(self);
}

/* The upper bits of the product, on which all bits have an influence. */
static size_t spread(uint64_t bits)
{
    return (size_t)((bits * UINT64_C(0x9e3779b97f4a7c15)) >> 48);
}

/* --- hashes */

/* The last bytes of both words: keys and places differ in them. */
static size_t place_of(const uint8_t input[HN_MAPPING_INPUT_BYTES])
{
    uint64_t key = hn_load_le64(input + WORD - 8), mapping = hn_load_le64(input + 2 * WORD - 8);
    return spread(key ^ (mapping << 5 | mapping >> 59)) % ENTRIES;
}

const hn_hash *hn_mapping_slots_find(const hn_mapping_slots *self,
                                     const uint8_t input[HN_MAPPING_INPUT_BYTES])
{
    static const uint8_t nothing[HN_MAPPING_INPUT_BYTES];
    const known_hash *entry = &self->entries[place_of(input)];
    if (memcmp(entry->input, input, sizeof entry->input) != 0 || memcmp(input, nothing, sizeof nothing) == 0)
        return NULL;
    return &entry->hash;
}

/* --- functions */

static function_rules *rules_of(hn_mapping_slots *self, const hn_evm_call *call)
{
    uint64_t mixed = hn_load_le64(call->recipient->b + 12) ^ hn_load_le32(call->input.data);
    return &self->functions[spread(mixed) % FUNCTIONS];
}

static bool is_of(const function_rules *rules, const hn_evm_call *call)
{
    return hn_address_equal(&rules->contract, call->recipient) &&
           memcmp(rules->selector, call->input.data, SELECTOR) == 0;
}

/* The key that a rule means in a call. False: the call has no such word. */
static bool read_key(uint8_t out[WORD], const hn_evm_call *call, unsigned source)
{
    if (source == SENDER) {
        memset(out, 0, WORD - sizeof call->sender->b);
        memcpy(out + WORD - sizeof call->sender->b, call->sender->b, sizeof call->sender->b);
        return true;
    }
    size_t begin = SELECTOR + (size_t)(source - 1) * WORD;
    if (call->input.size < begin + WORD)
        return false;
    memcpy(out, call->input.data + begin, WORD);
    return true;
}

static bool has_rule(const function_rules *rules, unsigned source, const uint8_t mapping[WORD])
{
    for (uint32_t i = 0; i < rules->count; i++)
        if (rules->rules[i].source == source && memcmp(rules->rules[i].mapping, mapping, WORD) == 0)
            return true;
    return false;
}

void hn_mapping_slots_learn(hn_mapping_slots *self, const hn_evm_call *call,
                            const uint8_t input[HN_MAPPING_INPUT_BYTES])
{
    if (call->input.size < SELECTOR)
        return;
    function_rules *rules = rules_of(self, call);
    if (!is_of(rules, call)) {
        rules->contract = *call->recipient;
        memcpy(rules->selector, call->input.data, SELECTOR);
        rules->count = 0;
    }
    uint8_t key[WORD];
    for (unsigned source = SENDER; source <= ARGUMENTS_MAX && read_key(key, call, source); source++) {
        if (rules->count == HN_EVM_FORESEEN_SLOTS_A_CALL)
            return;
        if (memcmp(key, input, WORD) == 0 && !has_rule(rules, source, input + WORD)) {
            key_rule *rule = &rules->rules[rules->count++];
            rule->source = (uint8_t)source;
            memcpy(rule->mapping, input + WORD, WORD);
            return;
        }
    }
}

/* --- foreseeing */

/* The inputs that this call is expected to hash, behind those that are there already; returns how many. */
static size_t expect(hn_mapping_slots *self, uint8_t (*inputs)[HN_MAPPING_INPUT_BYTES],
                     const hn_evm_call *call)
{
    if (call->input.size < SELECTOR)
        return 0;
    const function_rules *rules = rules_of(self, call);
    if (!is_of(rules, call))
        return 0;
    size_t count = 0;
    for (uint32_t i = 0; i < rules->count; i++) {
        if (!read_key(inputs[count], call, rules->rules[i].source))
            continue;
        memcpy(inputs[count] + WORD, rules->rules[i].mapping, WORD);
        count++;
    }
    return count;
}

size_t hn_mapping_slots_foresee(hn_mapping_slots *self, hn_evm_foreseen_slot *out, const hn_evm_call *calls,
                                size_t count)
{
    enum { ALL = HN_EVM_FORESEEN_CALLS * HN_EVM_FORESEEN_SLOTS_A_CALL };
    HN_CHECK(count <= HN_EVM_FORESEEN_CALLS);
    uint8_t inputs[ALL][HN_MAPPING_INPUT_BYTES];
    hn_bytes messages[ALL];
    hn_hash hashes[ALL];
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t more = expect(self, inputs + total, &calls[i]);
        for (size_t k = total; k < total + more; k++) {
            out[k].account = *calls[i].recipient;
            messages[k] = hn_bytes_of(inputs[k], HN_MAPPING_INPUT_BYTES);
        }
        total += more;
    }
    if (total == 0)
        return 0;
    hn_keccak256_batch(hashes, messages, total);
    for (size_t i = 0; i < total; i++) {
        known_hash *entry = &self->entries[place_of(inputs[i])];
        memcpy(entry->input, inputs[i], sizeof entry->input);
        entry->hash = hashes[i];
        out[i].key = hn_u256_from_be(hashes[i].b);
    }
    return total;
}
