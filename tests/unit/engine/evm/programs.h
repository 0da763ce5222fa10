/* The programs of evm-benchmarks: programs.txt (name, code, call data) and expected.txt (gas, hash of the
 * output). */
#ifndef HN_TESTS_UNIT_ENGINE_EVM_PROGRAMS_H
#define HN_TESTS_UNIT_ENGINE_EVM_PROGRAMS_H

#include "tests/unit/engine/evm/world.h"

enum { EVM_PROGRAMS_MAX = 128, EVM_PROGRAM_NAME_BYTES = 128 };

/* Enough for every one of them. */
static const uint64_t evm_programs_gas = UINT64_C(1) << 40;

typedef struct evm_program {
    char name[EVM_PROGRAM_NAME_BYTES];
    hn_bytes code, input;
    uint64_t gas;    /* expected */
    uint64_t output; /* expected hash */
    bool is_expected;
} evm_program;

typedef struct evm_programs {
    evm_program items[EVM_PROGRAMS_MAX];
    size_t count;
} evm_programs;

/* Those whose name contains `filter` (NULL: all), never freed. False when a file cannot be read. */
bool evm_programs_read(evm_programs *out, const char *folder, const char *filter);

/* Makes the program contract 0 of the world and its state empty: message runs it. The world's fork is Berlin.
 */
void evm_program_put(evm_world *world, const evm_program *program);
hn_message evm_program_message(const evm_program *program);

/* Runs it as its expectation was made. False, with the difference in `problem`, when gas or output differ. */
bool evm_program_check(evm_world *world, const evm_program *program, evm_way way, char problem[256]);

#endif
