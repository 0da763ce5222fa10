/* Places of mapping entries, foreseen. Internal to engine/evm but for hn_evm_foresee in evm.h.
 *
 * Solidity keeps the entry of a mapping at keccak256(key . place of the mapping), two words. In most calls
 * the key is the sender or a word of the call data, and calls of one function of one contract are alike. So
 * what a call hashed is noted, and the hashes of calls to come are computed beforehand, many at once by the
 * widest kernel, and kept with their input: what is looked up is compared whole, so that a wrong guess costs
 * a hash and changes nothing.
 */
#ifndef HN_ENGINE_EVM_MAPPING_SLOTS_H
#define HN_ENGINE_EVM_MAPPING_SLOTS_H

#include "engine/evm/evm.h"

enum { HN_MAPPING_INPUT_BYTES = 64 };

typedef struct hn_mapping_slots hn_mapping_slots;

HN_MUST_USE hn_err hn_mapping_slots_create(hn_mapping_slots **out);
void hn_mapping_slots_destroy(hn_mapping_slots *self);

/* The hash of these two words, if it was foreseen; NULL otherwise. Valid until the next foreseeing. */
const hn_hash *hn_mapping_slots_find(const hn_mapping_slots *self,
                                     const uint8_t input[HN_MAPPING_INPUT_BYTES]);

/* A call hashed these two words, unforeseen. */
void hn_mapping_slots_learn(hn_mapping_slots *self, const hn_evm_call *call,
                            const uint8_t input[HN_MAPPING_INPUT_BYTES]);

/* hn_evm_foresee. */
size_t hn_mapping_slots_foresee(hn_mapping_slots *self, hn_evm_foreseen_slot *out, const hn_evm_call *calls,
                                size_t count);

#endif
