/* What everything costs, per fork.
 *
 * Each fork's table is a copy of the one before, amended (gas_table.c), so the rules that a fork changed
 * stand together in one place. Tables are read-only once made; any core.
 */
#ifndef HN_ENGINE_EVM_GAS_H
#define HN_ENGINE_EVM_GAS_H

#include "engine/evm/opcode.h"

/* Prices that no fork has changed (yellow paper, appendix G). */
enum {
    HN_GAS_MEMORY_WORD = 3,
    HN_GAS_MEMORY_QUADRATIC_DIVISOR = 512,
    HN_GAS_COPY_WORD = 3,
    HN_GAS_KECCAK_WORD = 6,
    HN_GAS_LOG_BYTE = 8,
    HN_GAS_CALL_VALUE = 9000,
    HN_GAS_CALL_STIPEND = 2300,
    HN_GAS_NEW_ACCOUNT = 25000,
    HN_GAS_CODE_BYTE = 200,
    HN_GAS_INIT_CODE_WORD = 2,   /* EIP-3860 */
    HN_GAS_WARM_ACCESS = 100,    /* EIP-2929 */
    HN_GAS_COLD_ACCOUNT = 2600,  /* EIP-2929 */
    HN_GAS_COLD_SLOT = 2100,     /* EIP-2929 */
    HN_GAS_SSTORE_SET = 20000,   /* from zero to something */
    HN_GAS_SSTORE_SENTRY = 2300, /* EIP-2200 */
    HN_GAS_SELFDESTRUCT_REFUND = 24000,
    HN_GAS_CALL_FRACTION = 64, /* EIP-150: all but one 64th may be passed on */
};

typedef struct hn_gas_table {
    hn_fork fork;
    /* Static part of each opcode; -1: the fork does not define it. */
    int32_t constant[256];
    uint32_t exp_byte;
    uint32_t cold_account; /* on top of the constant part when an account is cold; 0 before Berlin */
    uint32_t cold_slot;    /* the same for a slot, of SLOAD */
    uint32_t init_code_word;
    uint32_t selfdestruct_cold;         /* EIP-2929 gives this opcode no warm price */
    uint32_t selfdestruct_refund;       /* 0 from London on */
    bool selfdestruct_pays_new_account; /* EIP-150 */
    bool call_keeps_fraction;           /* EIP-150 */
    /* SSTORE. Net metering compares with the slot's value at the transaction's start. */
    bool sstore_is_net;
    bool sstore_has_sentry;
    uint32_t sstore_unchanged; /* net: nothing to write, or already written in this transaction */
    uint32_t sstore_reset;     /* from something to something else */
    uint32_t sstore_cold;
    uint32_t sstore_clear_refund;
} hn_gas_table;

void hn_gas_table_make(hn_gas_table *out, hn_fork fork);

/* Sums that stay at UINT64_MAX, which no amount of gas can pay. */
static inline uint64_t hn_gas_add(uint64_t x, uint64_t y)
{
    uint64_t sum;
    return __builtin_add_overflow(x, y, &sum) ? UINT64_MAX : sum;
}

static inline uint64_t hn_words_of(uint64_t bytes)
{
    return bytes / 32 + (bytes % 32 != 0);
}

#endif
