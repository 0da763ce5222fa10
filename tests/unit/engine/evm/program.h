/* Random programs that do something: operands are mostly there, jumps mostly reach a destination, calls
 * mostly reach another contract. Deterministic for a seed. */
#ifndef HN_TESTS_UNIT_ENGINE_EVM_PROGRAM_H
#define HN_TESTS_UNIT_ENGINE_EVM_PROGRAM_H

#include "engine/base/prng.h"

enum { PROGRAM_BYTES_MAX = 4096 };

/* Writes a program of about `pieces` pieces; returns its size. Calls go to the contracts 0x1000 to 0x1003,
 * the precompiles, or an account that does not exist. */
size_t program_make(uint8_t out[PROGRAM_BYTES_MAX], hn_prng *prng, unsigned pieces);

#endif
