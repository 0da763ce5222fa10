/* Consensus constants of transactions and blocks (those of opcodes live in engine/evm), one list. */
#ifndef HN_ENGINE_CHAIN_PARAMETERS_H
#define HN_ENGINE_CHAIN_PARAMETERS_H

#include <stdint.h>

/* Gas (yellow paper, appendix G; the EIP that set it beside it). */
#define HN_GAS_TRANSACTION               UINT64_C(21000)
#define HN_GAS_TRANSACTION_CREATE        UINT64_C(32000)
#define HN_GAS_DATA_ZERO_BYTE            UINT64_C(4)
#define HN_GAS_DATA_BYTE                 UINT64_C(16) /* EIP-2028 */
#define HN_GAS_DATA_BYTE_BEFORE_ISTANBUL UINT64_C(68)
#define HN_GAS_INIT_CODE_WORD            UINT64_C(2)     /* EIP-3860 */
#define HN_GAS_ACCESS_LIST_ADDRESS       UINT64_C(2400)  /* EIP-2930 */
#define HN_GAS_ACCESS_LIST_KEY           UINT64_C(1900)  /* EIP-2930 */
#define HN_GAS_AUTHORIZATION             UINT64_C(25000) /* EIP-7702: as if the authority were a new account */
#define HN_GAS_AUTHORIZATION_REFUND      UINT64_C(12500)     /* EIP-7702: given back where it was not */
#define HN_GAS_FLOOR_ZERO_BYTE           UINT64_C(10)        /* EIP-7623 */
#define HN_GAS_FLOOR_BYTE                UINT64_C(40)        /* EIP-7623 */
#define HN_GAS_LIMIT_CAP                 UINT64_C(0x1000000) /* EIP-7825: of one transaction, from Osaka on */

/* Largest part of the used gas that refunds may give back: one in so many. */
#define HN_REFUND_QUOTIENT               UINT64_C(5) /* EIP-3529 */
#define HN_REFUND_QUOTIENT_BEFORE_LONDON UINT64_C(2)

/* Block gas limit and base fee (yellow paper (45)-(47); EIP-1559). */
#define HN_GAS_LIMIT_MINIMUM       UINT64_C(5000)
#define HN_GAS_LIMIT_BOUND_DIVISOR UINT64_C(1024)
#define HN_BASE_FEE_ELASTICITY     UINT64_C(2)
#define HN_BASE_FEE_DENOMINATOR    UINT64_C(8)
#define HN_BASE_FEE_INITIAL        UINT64_C(1000000000)
#define HN_EXTRA_DATA_MAX          32

/* Blobs (EIP-4844, 7594, 7918). */
#define HN_GAS_PER_BLOB          UINT64_C(0x20000)
#define HN_BLOB_HASH_VERSION     0x01
#define HN_BLOBS_PER_TRANSACTION 6 /* EIP-7594, from Osaka on */
#define HN_BLOB_BASE_COST        UINT64_C(0x2000)

#define HN_INIT_CODE_LIMIT_FACTOR 2 /* EIP-3860: times the limit of deployed code */

/* EIP-7934: bytes of a block's RLP, from Osaka on. */
#define HN_BLOCK_SIZE_MAX UINT64_C(8388608)

#define HN_GWEI UINT64_C(1000000000)

/* Difficulty (yellow paper (41)-(44)). */
#define HN_DIFFICULTY_MINIMUM       UINT64_C(131072)
#define HN_DIFFICULTY_BOUND_DIVISOR UINT64_C(2048)

#endif
