/* Foreseen hashes: whatever is learned and foreseen, what is found is the hash of exactly what was asked for.
 */
#include "engine/evm/mapping_slots.h"

#include "engine/base/prng.h"
#include "engine/crypto/keccak.h"

#include <criterion/criterion.h>

enum { INPUT = HN_MAPPING_INPUT_BYTES, WORD = 32 };

static const hn_address sender = {.b = {1, 2, 3, [19] = 7}};
static const hn_address token = {.b = {9, 8, [19] = 5}};

typedef struct call_data {
    uint8_t bytes[4 + 10 * WORD];
} call_data;

static call_data call_with(uint8_t selector, uint8_t first_word)
{
    call_data data = {.bytes = {selector}};
    for (size_t i = 0; i < 10; i++)
        data.bytes[4 + WORD * i + WORD - 1] = (uint8_t)(first_word + i);
    return data;
}

static hn_evm_call call_of(const call_data *data, size_t size)
{
    return (hn_evm_call){.sender = &sender, .recipient = &token, .input = hn_bytes_of(data->bytes, size)};
}

static void make_input(uint8_t out[INPUT], const uint8_t *key, size_t key_size, uint8_t mapping)
{
    memset(out, 0, INPUT);
    memcpy(out + WORD - key_size, key, key_size);
    out[INPUT - 1] = mapping;
}

static void expect_found(const hn_mapping_slots *self, const uint8_t input[INPUT], bool is_expected)
{
    const hn_hash *found = hn_mapping_slots_find(self, input);
    cr_assert_eq(found != NULL, is_expected);
    hn_hash hash;
    hn_keccak256(&hash, input, INPUT);
    if (found != NULL)
        cr_assert(hn_hash_equal(found, &hash));
}

Test(mapping_slots, foresees_what_calls_of_the_same_function_hashed)
{
    hn_mapping_slots *self;
    cr_assert_eq(hn_mapping_slots_create(&self), HN_OK);
    call_data first = call_with(0xa9, 40);
    hn_evm_call call = call_of(&first, 4 + 2 * WORD);
    uint8_t of_sender[INPUT], of_recipient[INPUT];
    make_input(of_sender, sender.b, sizeof sender.b, 3);
    make_input(of_recipient, (const uint8_t[]){40}, 1, 3);
    hn_mapping_slots_learn(self, &call, of_sender);
    hn_mapping_slots_learn(self, &call, of_recipient);
    hn_mapping_slots_learn(self, &call, of_recipient); /* known already */
    expect_found(self, of_sender, false);

    call_data other = call_with(0xa9, 90);
    hn_evm_call next = call_of(&other, 4 + 2 * WORD);
    hn_evm_foreseen_slot slots[HN_EVM_FORESEEN_SLOTS_A_CALL];
    cr_assert_eq(hn_mapping_slots_foresee(self, slots, &next, 1), 2);
    make_input(of_recipient, (const uint8_t[]){90}, 1, 3);
    expect_found(self, of_sender, true);
    expect_found(self, of_recipient, true);
    hn_hash hash;
    hn_keccak256(&hash, of_recipient, INPUT);
    hn_u256 key = hn_u256_from_be(hash.b);
    cr_assert(hn_u256_equal(&slots[1].key, &key) && hn_address_equal(&slots[1].account, &token));

    /* Another function, another contract, fewer words: nothing is known, or less. */
    call_data stranger = call_with(0xaa, 90);
    hn_evm_call others[] = {call_of(&stranger, 4 + 2 * WORD), call_of(&other, 4 + 2 * WORD),
                            call_of(&other, 4 + 8), call_of(&other, 3)};
    others[1].recipient = &sender;
    cr_assert_eq(hn_mapping_slots_foresee(self, slots, &others[0], 1), 0);
    cr_assert_eq(hn_mapping_slots_foresee(self, slots, &others[1], 1), 0);
    cr_assert_eq(hn_mapping_slots_foresee(self, slots, &others[2], 1), 1, "the sender alone");
    cr_assert_eq(hn_mapping_slots_foresee(self, slots, &others[3], 1), 0);
    hn_mapping_slots_learn(self, &others[3], of_sender); /* no function: nothing to learn */
    hn_mapping_slots_destroy(self);
}

Test(mapping_slots, keeps_so_many_rules_and_never_finds_what_it_did_not_hash)
{
    hn_mapping_slots *self;
    cr_assert_eq(hn_mapping_slots_create(&self), HN_OK);
    static const uint8_t zeroes[INPUT];
    expect_found(self, zeroes, false);
    call_data data = call_with(0x11, 10);
    hn_evm_call call = call_of(&data, sizeof data.bytes);
    for (uint8_t i = 0; i < 10; i++) {
        uint8_t input[INPUT];
        make_input(input, (const uint8_t[]){(uint8_t)(10 + i)}, 1, 1);
        hn_mapping_slots_learn(self, &call, input);
    }
    hn_evm_foreseen_slot slots[HN_EVM_FORESEEN_SLOTS_A_CALL];
    cr_assert_eq(hn_mapping_slots_foresee(self, slots, &call, 1), HN_EVM_FORESEEN_SLOTS_A_CALL);
    expect_found(self, zeroes, false);
    hn_mapping_slots_destroy(self);
}

Test(mapping_slots, finds_right_hashes_whatever_is_learned)
{
    enum { CALLS = HN_EVM_FORESEEN_CALLS };
    hn_mapping_slots *self;
    cr_assert_eq(hn_mapping_slots_create(&self), HN_OK);
    hn_prng prng;
    hn_prng_init(&prng, 5);
    size_t found = 0;
    for (int round = 0; round < 20000; round++) {
        call_data data[CALLS];
        hn_address addresses[2 * CALLS];
        hn_evm_call calls[CALLS];
        for (int i = 0; i < CALLS; i++) {
            data[i] = call_with((uint8_t)hn_prng_below(&prng, 20), (uint8_t)hn_prng_below(&prng, 200));
            addresses[2 * i] = (hn_address){.b = {[19] = (uint8_t)hn_prng_below(&prng, 30)}};
            addresses[2 * i + 1] = (hn_address){.b = {[12] = (uint8_t)hn_prng_below(&prng, 30)}};
            calls[i] =
                (hn_evm_call){.sender = &addresses[2 * i],
                              .recipient = &addresses[2 * i + 1],
                              .input = hn_bytes_of(data[i].bytes, hn_prng_below(&prng, sizeof data->bytes))};
        }
        uint8_t input[INPUT];
        const hn_evm_call *call = &calls[hn_prng_below(&prng, CALLS)];
        make_input(input, (const uint8_t[]){(uint8_t)hn_prng_below(&prng, 200)}, 1,
                   (uint8_t)hn_prng_below(&prng, 3));
        if (hn_prng_below(&prng, 2) == 0)
            make_input(input, call->sender->b, sizeof call->sender->b, (uint8_t)hn_prng_below(&prng, 3));
        found += hn_mapping_slots_find(self, input) != NULL;
        expect_found(self, input, hn_mapping_slots_find(self, input) != NULL);
        hn_mapping_slots_learn(self, call, input);
        hn_evm_foreseen_slot slots[CALLS * HN_EVM_FORESEEN_SLOTS_A_CALL];
        cr_assert_leq(hn_mapping_slots_foresee(self, slots, calls, hn_prng_below(&prng, CALLS + 1)),
                      CALLS * HN_EVM_FORESEEN_SLOTS_A_CALL);
    }
    cr_assert_gt(found, 200, "%zu", found);
    hn_mapping_slots_destroy(self);
}
