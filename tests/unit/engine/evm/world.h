/* A small world to run code in: flat tables, a state, a block, and a machine; for tests, fuzzing and
 * benchmarks of the EVM. Everything aborts on trouble. */
#ifndef HN_TESTS_UNIT_ENGINE_EVM_WORLD_H
#define HN_TESTS_UNIT_ENGINE_EVM_WORLD_H

#include "engine/evm/machine.h"
#include "engine/state/flat.h"

typedef struct evm_world {
    hn_flat *flat;
    hn_state *state;
    hn_evm *evm;
    hn_precompile_context *precompiles;
    hn_chain_config config;
    hn_evm_block block;
    hn_evm_transaction transaction;
    hn_arena arena;    /* outputs and diffs: valid until the next run */
    uint32_t patience; /* gas after which EVM_SWITCHING does; 20 to begin with */
} evm_world;

/* How to run: fast with all code decoded at once, exactly with exact_only, traced with a tracer that does
 * nothing, switching at the first JUMPDEST after some gas in code that was not seen yet. */
typedef enum evm_way { EVM_FAST, EVM_EXACT, EVM_TRACED, EVM_SWITCHING } evm_way;

typedef struct evm_outcome {
    hn_evm_status status;
    uint64_t gas_left;
    hn_bytes output;
    hn_address created;
    uint64_t refund;
    uint32_t log_count;
    uint64_t logs;    /* digest of the logs, in order */
    uint64_t changes; /* digest of what changed in the state, in any order */
    const hn_state_diff *diff;
} evm_outcome;

/* Accounts 0x1000, 0x1001, ... hold the contracts, 0x2000 the sender with a large balance. */
hn_address evm_world_contract(unsigned number);
extern const hn_address evm_world_sender;

void evm_world_create(evm_world *world, hn_fork fork, size_t memory_bytes);
void evm_world_destroy(evm_world *world);
void evm_world_set_fork(evm_world *world, hn_fork fork);

void evm_world_put(evm_world *world, const hn_address *address, hn_bytes code, uint64_t balance,
                   uint64_t nonce);
void evm_world_put_slot(evm_world *world, const hn_address *address, uint64_t key, uint64_t value);

/* A call of contract 0 by the sender. */
hn_message evm_world_call(uint64_t gas, hn_bytes input);

/* Runs one message as a transaction of its own on the tables, which stay as they are. */
evm_outcome evm_world_run(evm_world *world, const hn_message *message, evm_way way);

/* Same results as anybody outside can see them: which failure it was is not compared. */
bool evm_outcome_equal(const evm_outcome *left, const evm_outcome *right);

/* Bytes of hexadecimal text, blanks ignored; `to` has room for `capacity`. */
hn_bytes evm_bytes_of_hex(uint8_t *to, size_t capacity, const char *text);

#endif
