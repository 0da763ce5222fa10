#include "engine/evm/gas.h"

#include <stddef.h>

typedef void amendment(hn_gas_table *table);

static void homestead_and_before(hn_gas_table *table)
{
    table->exp_byte = 10;
    table->sstore_reset = 5000;
    table->sstore_clear_refund = 15000;
    table->selfdestruct_refund = HN_GAS_SELFDESTRUCT_REFUND;
}

/* EIP-150: what reads the state costs more. */
static void tangerine_whistle(hn_gas_table *table)
{
    table->constant[HN_OP_BALANCE] = 400;
    table->constant[HN_OP_EXTCODESIZE] = 700;
    table->constant[HN_OP_EXTCODECOPY] = 700;
    table->constant[HN_OP_SLOAD] = 200;
    table->constant[HN_OP_CALL] = 700;
    table->constant[HN_OP_CALLCODE] = 700;
    table->constant[HN_OP_DELEGATECALL] = 700;
    table->constant[HN_OP_SELFDESTRUCT] = 5000;
    table->selfdestruct_pays_new_account = true;
    table->call_keeps_fraction = true;
}

/* EIP-160. */
static void spurious_dragon(hn_gas_table *table)
{
    table->exp_byte = 50;
}

/* EIP-1283. */
static void constantinople(hn_gas_table *table)
{
    table->sstore_is_net = true;
    table->sstore_unchanged = 200;
}

/* EIP-1716 takes EIP-1283 back. */
static void petersburg(hn_gas_table *table)
{
    table->sstore_is_net = false;
}

/* EIP-1884, EIP-2200. */
static void istanbul(hn_gas_table *table)
{
    table->constant[HN_OP_SLOAD] = 800;
    table->constant[HN_OP_BALANCE] = 700;
    table->constant[HN_OP_EXTCODEHASH] = 700;
    table->sstore_is_net = true;
    table->sstore_has_sentry = true;
    table->sstore_unchanged = 800;
}

/* EIP-2929: the constant part is the warm price, what a cold account or slot costs more is dynamic. */
static void berlin(hn_gas_table *table)
{
    static const uint8_t reading[] = {HN_OP_BALANCE,     HN_OP_EXTCODESIZE,  HN_OP_EXTCODECOPY,
                                      HN_OP_EXTCODEHASH, HN_OP_SLOAD,        HN_OP_CALL,
                                      HN_OP_CALLCODE,    HN_OP_DELEGATECALL, HN_OP_STATICCALL};
    for (size_t i = 0; i < sizeof reading; i++)
        table->constant[reading[i]] = HN_GAS_WARM_ACCESS;
    table->cold_account = HN_GAS_COLD_ACCOUNT - HN_GAS_WARM_ACCESS;
    table->cold_slot = HN_GAS_COLD_SLOT - HN_GAS_WARM_ACCESS;
    table->selfdestruct_cold = HN_GAS_COLD_ACCOUNT;
    table->sstore_unchanged = HN_GAS_WARM_ACCESS;
    table->sstore_reset = 5000 - HN_GAS_COLD_SLOT;
    table->sstore_cold = HN_GAS_COLD_SLOT;
}

/* EIP-3529. */
static void london(hn_gas_table *table)
{
    table->selfdestruct_refund = 0;
    table->sstore_clear_refund = 4800;
}

/* EIP-3860. */
static void shanghai(hn_gas_table *table)
{
    table->init_code_word = HN_GAS_INIT_CODE_WORD;
}

static amendment *const amendments[HN_FORK_COUNT] = {
    [HN_FORK_FRONTIER] = homestead_and_before,
    [HN_FORK_TANGERINE_WHISTLE] = tangerine_whistle,
    [HN_FORK_SPURIOUS_DRAGON] = spurious_dragon,
    [HN_FORK_CONSTANTINOPLE] = constantinople,
    [HN_FORK_PETERSBURG] = petersburg,
    [HN_FORK_ISTANBUL] = istanbul,
    [HN_FORK_BERLIN] = berlin,
    [HN_FORK_LONDON] = london,
    [HN_FORK_SHANGHAI] = shanghai,
};

static const struct introduction {
    uint8_t opcode;
    hn_fork since;
    int32_t gas;
} introductions[] = {
#define INTRODUCTION(value, name, in, out, since, gas, cost, run) {(value), HN_FORK_##since, (gas)},
    HN_OPCODE_LIST(INTRODUCTION)
#undef INTRODUCTION
};

void hn_gas_table_make(hn_gas_table *out, hn_fork fork)
{
    hn_gas_table table = {.fork = fork};
    for (size_t i = 0; i < 256; i++)
        table.constant[i] = -1;
    for (int step = HN_FORK_FRONTIER; step <= (int)fork; step++) {
        for (size_t i = 0; i < sizeof introductions / sizeof introductions[0]; i++)
            if ((int)introductions[i].since == step)
                table.constant[introductions[i].opcode] = introductions[i].gas;
        if (amendments[step] != NULL)
            amendments[step](&table);
    }
    *out = table;
}
