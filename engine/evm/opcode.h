/* The opcodes, in one list from which names, metadata and both interpreters are made.
 *
 * Source: yellow paper, appendix H.2; the EIP of a later opcode stands on its line.
 */
#ifndef HN_ENGINE_EVM_OPCODE_H
#define HN_ENGINE_EVM_OPCODE_H

#include "engine/types/fork.h"

/* clang-format off */
/* Value, name, stack items taken and given, fork since, static gas at its introduction (later changes:
 * gas_table.c), function of the dynamic price (hn_cost_..., `none` when there is none), function that executes it
 * (hn_run_..., instruction.h). */
#define HN_OPCODE_LIST(X)                                                                                    \
    X(0x00, STOP,           0, 0, FRONTIER,           0, none, stop)                                        \
    X(0x01, ADD,            2, 1, FRONTIER,           3, none, add)                                         \
    X(0x02, MUL,            2, 1, FRONTIER,           5, none, mul)                                         \
    X(0x03, SUB,            2, 1, FRONTIER,           3, none, sub)                                         \
    X(0x04, DIV,            2, 1, FRONTIER,           5, none, div)                                         \
    X(0x05, SDIV,           2, 1, FRONTIER,           5, none, sdiv)                                        \
    X(0x06, MOD,            2, 1, FRONTIER,           5, none, mod)                                         \
    X(0x07, SMOD,           2, 1, FRONTIER,           5, none, smod)                                        \
    X(0x08, ADDMOD,         3, 1, FRONTIER,           8, none, addmod)                                      \
    X(0x09, MULMOD,         3, 1, FRONTIER,           8, none, mulmod)                                      \
    X(0x0a, EXP,            2, 1, FRONTIER,          10, exp, exp)                                          \
    X(0x0b, SIGNEXTEND,     2, 1, FRONTIER,           5, none, signextend)                                  \
    X(0x10, LT,             2, 1, FRONTIER,           3, none, lt)                                          \
    X(0x11, GT,             2, 1, FRONTIER,           3, none, gt)                                          \
    X(0x12, SLT,            2, 1, FRONTIER,           3, none, slt)                                         \
    X(0x13, SGT,            2, 1, FRONTIER,           3, none, sgt)                                         \
    X(0x14, EQ,             2, 1, FRONTIER,           3, none, eq)                                          \
    X(0x15, ISZERO,         1, 1, FRONTIER,           3, none, iszero)                                      \
    X(0x16, AND,            2, 1, FRONTIER,           3, none, and)                                         \
    X(0x17, OR,             2, 1, FRONTIER,           3, none, or)                                          \
    X(0x18, XOR,            2, 1, FRONTIER,           3, none, xor)                                         \
    X(0x19, NOT,            1, 1, FRONTIER,           3, none, not)                                         \
    X(0x1a, BYTE,           2, 1, FRONTIER,           3, none, byte)                                        \
    X(0x1b, SHL,            2, 1, CONSTANTINOPLE,     3, none, shl)              /* EIP-145 */              \
    X(0x1c, SHR,            2, 1, CONSTANTINOPLE,     3, none, shr)              /* EIP-145 */              \
    X(0x1d, SAR,            2, 1, CONSTANTINOPLE,     3, none, sar)              /* EIP-145 */              \
    X(0x1e, CLZ,            1, 1, OSAKA,              5, none, clz)              /* EIP-7939 */             \
    X(0x20, KECCAK256,      2, 1, FRONTIER,          30, keccak256, keccak256)                              \
    X(0x30, ADDRESS,        0, 1, FRONTIER,           2, none, address)                                     \
    X(0x31, BALANCE,        1, 1, FRONTIER,          20, account_access, balance)                           \
    X(0x32, ORIGIN,         0, 1, FRONTIER,           2, none, origin)                                      \
    X(0x33, CALLER,         0, 1, FRONTIER,           2, none, caller)                                      \
    X(0x34, CALLVALUE,      0, 1, FRONTIER,           2, none, callvalue)                                   \
    X(0x35, CALLDATALOAD,   1, 1, FRONTIER,           3, none, calldataload)                                \
    X(0x36, CALLDATASIZE,   0, 1, FRONTIER,           2, none, calldatasize)                                \
    X(0x37, CALLDATACOPY,   3, 0, FRONTIER,           3, copy, calldatacopy)                                \
    X(0x38, CODESIZE,       0, 1, FRONTIER,           2, none, codesize)                                    \
    X(0x39, CODECOPY,       3, 0, FRONTIER,           3, copy, codecopy)                                    \
    X(0x3a, GASPRICE,       0, 1, FRONTIER,           2, none, gasprice)                                    \
    X(0x3b, EXTCODESIZE,    1, 1, FRONTIER,          20, account_access, extcodesize)                       \
    X(0x3c, EXTCODECOPY,    4, 0, FRONTIER,          20, extcodecopy, extcodecopy)                          \
    X(0x3d, RETURNDATASIZE, 0, 1, BYZANTIUM,          2, none, returndatasize)   /* EIP-211 */              \
    X(0x3e, RETURNDATACOPY, 3, 0, BYZANTIUM,          3, copy, returndatacopy)   /* EIP-211 */              \
    X(0x3f, EXTCODEHASH,    1, 1, CONSTANTINOPLE,   400, account_access, extcodehash) /* EIP-1052 */        \
    X(0x40, BLOCKHASH,      1, 1, FRONTIER,          20, none, blockhash)                                   \
    X(0x41, COINBASE,       0, 1, FRONTIER,           2, none, coinbase)                                    \
    X(0x42, TIMESTAMP,      0, 1, FRONTIER,           2, none, timestamp)                                   \
    X(0x43, NUMBER,         0, 1, FRONTIER,           2, none, number)                                      \
    X(0x44, DIFFICULTY,     0, 1, FRONTIER,           2, none, difficulty)       /* EIP-4399 */             \
    X(0x45, GASLIMIT,       0, 1, FRONTIER,           2, none, gaslimit)                                    \
    X(0x46, CHAINID,        0, 1, ISTANBUL,           2, none, chainid)          /* EIP-1344 */             \
    X(0x47, SELFBALANCE,    0, 1, ISTANBUL,           5, none, selfbalance)      /* EIP-1884 */             \
    X(0x48, BASEFEE,        0, 1, LONDON,             2, none, basefee)          /* EIP-3198 */             \
    X(0x49, BLOBHASH,       1, 1, CANCUN,             3, none, blobhash)         /* EIP-4844 */             \
    X(0x4a, BLOBBASEFEE,    0, 1, CANCUN,             2, none, blobbasefee)      /* EIP-7516 */             \
    X(0x50, POP,            1, 0, FRONTIER,           2, none, pop)                                         \
    X(0x51, MLOAD,          1, 1, FRONTIER,           3, memory_word, mload)                                \
    X(0x52, MSTORE,         2, 0, FRONTIER,           3, memory_word, mstore)                               \
    X(0x53, MSTORE8,        2, 0, FRONTIER,           3, memory_byte, mstore8)                              \
    X(0x54, SLOAD,          1, 1, FRONTIER,          50, sload, sload)                                      \
    X(0x55, SSTORE,         2, 0, FRONTIER,           0, sstore, sstore)                                    \
    X(0x56, JUMP,           1, 0, FRONTIER,           8, none, jump)                                        \
    X(0x57, JUMPI,          2, 0, FRONTIER,          10, none, jumpi)                                       \
    X(0x58, PC,             0, 1, FRONTIER,           2, none, pc)                                          \
    X(0x59, MSIZE,          0, 1, FRONTIER,           2, none, msize)                                       \
    X(0x5a, GAS,            0, 1, FRONTIER,           2, none, gas)                                         \
    X(0x5b, JUMPDEST,       0, 0, FRONTIER,           1, none, jumpdest)                                    \
    X(0x5c, TLOAD,          1, 1, CANCUN,           100, none, tload)            /* EIP-1153 */             \
    X(0x5d, TSTORE,         2, 0, CANCUN,           100, none, tstore)           /* EIP-1153 */             \
    X(0x5e, MCOPY,          3, 0, CANCUN,             3, mcopy, mcopy)           /* EIP-5656 */             \
    X(0x5f, PUSH0,          0, 1, SHANGHAI,           2, none, push)             /* EIP-3855 */             \
    HN_OPCODE_LIST_32(HN_OPCODE_PUSH, X)                                                                     \
    HN_OPCODE_LIST_16(HN_OPCODE_DUP, X)                                                                      \
    HN_OPCODE_LIST_16(HN_OPCODE_SWAP, X)                                                                     \
    X(0xa0, LOG0,           2, 0, FRONTIER,         375, log, log)                                          \
    X(0xa1, LOG1,           3, 0, FRONTIER,         750, log, log)                                          \
    X(0xa2, LOG2,           4, 0, FRONTIER,        1125, log, log)                                          \
    X(0xa3, LOG3,           5, 0, FRONTIER,        1500, log, log)                                          \
    X(0xa4, LOG4,           6, 0, FRONTIER,        1875, log, log)                                          \
    X(0xf0, CREATE,         3, 1, FRONTIER,       32000, create, create)                                    \
    X(0xf1, CALL,           7, 1, FRONTIER,          40, call, call)                                        \
    X(0xf2, CALLCODE,       7, 1, FRONTIER,          40, callcode, callcode)                                \
    X(0xf3, RETURN,         2, 0, FRONTIER,           0, memory_range, return)                              \
    X(0xf4, DELEGATECALL,   6, 1, HOMESTEAD,         40, delegatecall, delegatecall) /* EIP-7 */            \
    X(0xf5, CREATE2,        4, 1, CONSTANTINOPLE, 32000, create2, create2)       /* EIP-1014 */             \
    X(0xfa, STATICCALL,     6, 1, BYZANTIUM,        700, staticcall, staticcall) /* EIP-214 */              \
    X(0xfd, REVERT,         2, 0, BYZANTIUM,          0, memory_range, revert)   /* EIP-140 */              \
    X(0xff, SELFDESTRUCT,   1, 0, FRONTIER,           0, selfdestruct, selfdestruct)

#define HN_OPCODE_PUSH(n, X) X(0x5f + n, PUSH##n, 0, 1, FRONTIER, 3, none, push)
#define HN_OPCODE_DUP(n, X)  X(0x7f + n, DUP##n, n, n + 1, FRONTIER, 3, none, dup)
#define HN_OPCODE_SWAP(n, X) X(0x8f + n, SWAP##n, n + 1, n + 1, FRONTIER, 3, none, swap)

#define HN_OPCODE_LIST_16(M, X)                                                                              \
    M(1, X) M(2, X) M(3, X) M(4, X) M(5, X) M(6, X) M(7, X) M(8, X)                                          \
    M(9, X) M(10, X) M(11, X) M(12, X) M(13, X) M(14, X) M(15, X) M(16, X)
#define HN_OPCODE_LIST_32(M, X)                                                                              \
    HN_OPCODE_LIST_16(M, X)                                                                                  \
    M(17, X) M(18, X) M(19, X) M(20, X) M(21, X) M(22, X) M(23, X) M(24, X)                                  \
    M(25, X) M(26, X) M(27, X) M(28, X) M(29, X) M(30, X) M(31, X) M(32, X)
/* clang-format on */

enum hn_opcode {
#define HN_OPCODE_ENUM(value, name, in, out, since, gas, cost, run) HN_OP_##name = (value),
    HN_OPCODE_LIST(HN_OPCODE_ENUM)
#undef HN_OPCODE_ENUM
};

/* "ADD", ...; "INVALID" for 0xfe; NULL for values that no fork defines. */
const char *hn_opcode_name(uint8_t opcode);

/* Bytes that follow the opcode in code: 0 to 32. */
static inline unsigned hn_opcode_immediate(uint8_t opcode)
{
    return opcode >= HN_OP_PUSH1 && opcode <= HN_OP_PUSH32 ? opcode - (unsigned)HN_OP_PUSH0 : 0;
}

#endif
