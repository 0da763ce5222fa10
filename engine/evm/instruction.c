#include "engine/evm/instruction.h"

#define hn_cost_none NULL

const hn_instruction hn_instructions[256] = {
#define INSTRUCTION(value, name, taken, given, since, gas, cost_name, run_name)                              \
    [value] = {.run = hn_run_##run_name, .cost = hn_cost_##cost_name, .in = taken, .out = given},
    HN_OPCODE_LIST(INSTRUCTION)
#undef INSTRUCTION
};

static const char *const names[256] = {
#define NAME(value, name, in, out, since, gas, cost, run) [value] = #name,
    HN_OPCODE_LIST(NAME)
#undef NAME
        [0xfe] = "INVALID",
};

const char *hn_opcode_name(uint8_t opcode)
{
    return names[opcode];
}
