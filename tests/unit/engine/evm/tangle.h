/* Programs that are hard on a decoder: words that are duplicated, exchanged and kept over many blocks, words
 * that meet from different ways, comparisons of all kinds in front of jumps, and effects in between. Every
 * byte of a string of choices decides something, so random numbers and a fuzzer can both make them. */
#ifndef HN_TESTS_UNIT_ENGINE_EVM_TANGLE_H
#define HN_TESTS_UNIT_ENGINE_EVM_TANGLE_H

#include "engine/evm/gas.h"
#include "tests/unit/engine/evm/program.h"

/* Writes a program for the fork of `gas`; returns its size. It goes on while there are choices and room.
 * Calls go to the contracts 0x1000 to 0x1003 and the precompile that copies. */
size_t tangle_make(uint8_t out[PROGRAM_BYTES_MAX], const hn_gas_table *gas, const uint8_t *choices,
                   size_t count);

#endif
