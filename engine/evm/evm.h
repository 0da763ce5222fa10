/* The Ethereum Virtual Machine: executes one message call or creation, with all the calls it makes.
 *
 * Source: yellow paper, sections 7-9 and appendix H, and the EIPs named at each table line (opcode.h).
 * Everything a program can see comes from the state, the block, the transaction and the message: no clock, no
 * randomness.
 *
 * An hn_evm belongs to one core: it owns the stacks, memories and the cache of analysed code, all reserved
 * when it is created, so that executing allocates nothing.
 */
#ifndef HN_ENGINE_EVM_EVM_H
#define HN_ENGINE_EVM_EVM_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "engine/evm/precompile.h"
#include "engine/state/state.h"

typedef struct hn_evm hn_evm;
typedef struct hn_tracer hn_tracer; /* engine/evm/tracer.h */

enum {
    HN_CALL_DEPTH_MAX = 1024,
    HN_EVM_STACK_MAX = 1024,
};

/* How a call ended. The text is what debug_trace and eth_call users see (geth's words, as tools match on
 * them). */
#define HN_EVM_STATUS_LIST(X)                                                                                \
    X(SUCCESS, "")                                                                                           \
    X(REVERT, "execution reverted")                                                                          \
    X(OUT_OF_GAS, "out of gas")                                                                              \
    X(INVALID_OPCODE, "invalid opcode")                                                                      \
    X(STACK_UNDERFLOW, "stack underflow")                                                                    \
    X(STACK_OVERFLOW, "stack limit reached 1024 (1023)")                                                     \
    X(BAD_JUMP, "invalid jump destination")                                                                  \
    X(STATIC_VIOLATION, "write protection")                                                                  \
    X(RETURN_DATA_BOUNDS, "return data out of bounds")                                                       \
    X(CALL_DEPTH, "max call depth exceeded")                                                                 \
    X(BALANCE, "insufficient balance for transfer")                                                          \
    X(NONCE_OVERFLOW, "nonce uint64 overflow")                                                               \
    X(COLLISION, "contract address collision")                                                               \
    X(CODE_SIZE, "max code size exceeded")                                                                   \
    X(INITCODE_SIZE, "max initcode size exceeded")                                                           \
    X(CODE_PREFIX, "invalid code: must not begin with 0xef")                                                 \
    X(CODE_STORE_GAS, "contract creation code storage out of gas")                                           \
    X(PRECOMPILE, "precompiled contract failed")                                                             \
    X(INTERRUPTED, "execution timeout")                                                                      \
    X(MEMORY, "out of host memory")

typedef enum hn_evm_status {
#define HN_EVM_STATUS_ENUM(name, text) HN_EVM_##name,
    HN_EVM_STATUS_LIST(HN_EVM_STATUS_ENUM)
#undef HN_EVM_STATUS_ENUM
        HN_EVM_STATUS_COUNT
} hn_evm_status;

const char *hn_evm_status_text(hn_evm_status status);

/* What the block opcodes answer. */
typedef struct hn_evm_block {
    const hn_chain_config *config;
    hn_fork fork;
    uint64_t number;
    uint64_t timestamp; /* seconds */
    uint64_t gas_limit;
    hn_address beneficiary;
    hn_u256 difficulty;  /* before Paris */
    hn_hash prev_randao; /* from Paris on */
    hn_u256 base_fee;
    hn_u256 blob_base_fee;
    /* Overrides of the view's block hashes; NULL: ask the view. Test vectors use it. */
    void (*block_hash)(void *self, hn_hash *out, uint64_t number);
    void *block_hash_self;
    /* Exceptions from the table of precompiles. */
    const hn_precompile_move *precompile_moves;
    uint32_t precompile_move_count;
} hn_evm_block;

/* What the transaction opcodes answer. */
typedef struct hn_evm_transaction {
    hn_address origin;
    hn_u256 gas_price; /* effective */
    const hn_hash *blob_hashes;
    uint32_t blob_hash_count;
} hn_evm_transaction;

typedef enum hn_message_kind {
    HN_MESSAGE_CALL,
    HN_MESSAGE_CALLCODE,
    HN_MESSAGE_DELEGATECALL,
    HN_MESSAGE_STATICCALL,
    HN_MESSAGE_CREATE,
    HN_MESSAGE_CREATE2,
} hn_message_kind;

typedef struct hn_message {
    hn_message_kind kind;
    bool is_static;
    uint32_t depth; /* 0: the transaction's own */
    uint64_t gas;
    hn_address sender;
    hn_address
        recipient; /* whose storage and balance; of a create: the address to create, computed by the caller */
    hn_address code_address; /* whose code runs; differs for CALLCODE, DELEGATECALL */
    hn_u256 value;
    hn_bytes input; /* call data, or init code of a create */
} hn_message;

typedef struct hn_evm_result {
    hn_evm_status status;
    uint64_t gas_left;
    hn_bytes output; /* return or revert data; of a create: the code's, or revert data. Valid until the next
                        execute */
    hn_address created; /* of a successful create */
} hn_evm_result;

/* `precompiles` outlives the machine. memory_bytes bounds the memories of all frames of one message together.
 */
HN_MUST_USE hn_err hn_evm_create(hn_evm **out, const hn_precompile_context *precompiles, size_t memory_bytes);
void hn_evm_destroy(hn_evm *evm);

/* Runs one message. The caller has paid for the transaction, warmed what EIP-2929 and 2930 say (but for the
 * precompiles, which always count as warm), raised the
 * sender's nonce; this moves the value, runs precompiles and code, and takes everything back when it fails.
 * For creations it checks for collisions, deploys the code and charges for it. Refunds and logs are left in
 * the state. `tracer` may be NULL; without one a faster interpreter with the same results runs. */
void hn_evm_execute(hn_evm *evm, hn_evm_result *result, hn_state *state, const hn_evm_block *block,
                    const hn_evm_transaction *transaction, const hn_message *message, hn_tracer *tracer);

/* From any core: the running execution ends soon with HN_EVM_INTERRUPTED (calls and traces past their time;
 * never used for blocks). Cleared by the next execute. A tracer's hook may do it: the instruction that was
 * shown, or the frame that was to begin, does not run. */
void hn_evm_interrupt(hn_evm *evm);

/* A call that will probably come: a transaction's. */
typedef struct hn_evm_call {
    const hn_address *sender;
    const hn_address *recipient;
    hn_bytes input;
} hn_evm_call;

/* A slot that such a call will probably read. */
typedef struct hn_evm_foreseen_slot {
    hn_address account;
    hn_u256 key;
} hn_evm_foreseen_slot;

enum { HN_EVM_FORESEEN_CALLS = 8, HN_EVM_FORESEEN_SLOTS_A_CALL = 4 };

/* Between executions: computes beforehand, all together, what calls like these were seen to hash for entries
 * of mappings, and writes the places into *out, which has room for HN_EVM_FORESEEN_SLOTS_A_CALL a call;
 * returns how many. At most HN_EVM_FORESEEN_CALLS at a time, soon to be executed by this machine. Guesses:
 * results are the same without it. The first call makes the machine begin to watch. */
size_t hn_evm_foresee(hn_evm *evm, hn_evm_foreseen_slot *out, const hn_evm_call *calls, size_t count);

/* Between executions. Code that the machine sees for the first time is not worth decoding when it runs only
 * for a moment: it runs in the exact interpreter until it has used so much gas. HN_EVM_PATIENCE_USUAL: what
 * fits its size; 0: code is decoded at once. Results are the same. */
#define HN_EVM_PATIENCE_USUAL UINT32_MAX
void hn_evm_set_patience(hn_evm *evm, uint32_t gas);

/* Address of a contract made by CREATE (sender and its nonce before) and CREATE2. */
void hn_create_address(hn_address *out, const hn_address *sender, uint64_t nonce);
void hn_create2_address(hn_address *out, const hn_address *sender, const hn_hash *salt, hn_bytes init_code);

/* EIP-7702: true when `code` is a delegation (0xef0100 || address). */
bool hn_delegation_target(hn_address *target, hn_bytes code);

#endif
