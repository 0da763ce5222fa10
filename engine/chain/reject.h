/* Why a transaction may not enter a block at its place: one list of names, texts and the error names of
 * public test suites.
 *
 * The text is what eth_sendRawTransaction's users know from geth; clients match on its beginning. The third
 * column is the exception name of execution-spec-tests (TransactionException.*), the fourth that of
 * ethereum/tests.
 */
#ifndef HN_ENGINE_CHAIN_REJECT_H
#define HN_ENGINE_CHAIN_REJECT_H

#define HN_REJECT_LIST(X)                                                                                    \
    X(NONE, "", "", "")                                                                                      \
    X(MALFORMED, "rlp: invalid transaction", "RLP_ERROR", "RLP_Error")                                       \
    X(TYPE_NOT_SUPPORTED, "transaction type not supported", "TYPE_NOT_SUPPORTED", "TR_TypeNotSupported")     \
    X(WRONG_CHAIN_ID, "invalid chain id for signer", "INVALID_CHAINID", "TR_InvalidChainId")                 \
    X(INVALID_SIGNATURE, "invalid sender", "INVALID_SIGNATURE_VRS", "TR_InvalidSignature")                   \
    X(NONCE_TOO_LOW, "nonce too low", "NONCE_MISMATCH_TOO_LOW", "TR_NonceTooLow")                            \
    X(NONCE_TOO_HIGH, "nonce too high", "NONCE_MISMATCH_TOO_HIGH", "TR_NonceTooHigh")                        \
    X(NONCE_MAX, "nonce has max value", "NONCE_IS_MAX", "TR_NonceHasMaxValue")                               \
    X(SENDER_NOT_EOA, "sender not an eoa", "SENDER_NOT_EOA", "SenderNotEOA")                                 \
    X(INTRINSIC_GAS, "intrinsic gas too low", "INTRINSIC_GAS_TOO_LOW", "IntrinsicGas")                       \
    X(FLOOR_GAS, "insufficient gas for floor data gas cost", "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST",           \
      "TR_IntrinsicGas")                                                                                     \
    X(GAS_LIMIT_CAP, "transaction gas limit too high", "GAS_LIMIT_EXCEEDS_MAXIMUM", "TR_GasLimitTooHigh")    \
    X(BLOCK_GAS, "gas limit reached", "GAS_ALLOWANCE_EXCEEDED", "TR_GasLimitReached")                        \
    X(FEE_CAP_BELOW_BASE_FEE, "max fee per gas less than block base fee", "INSUFFICIENT_MAX_FEE_PER_GAS",    \
      "TR_FeeCapLessThanBlocks")                                                                             \
    X(TIP_ABOVE_FEE_CAP, "max priority fee per gas higher than max fee per gas",                             \
      "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS", "TR_TipGtFeeCap")                                             \
    X(FUNDS, "insufficient funds for gas * price + value", "INSUFFICIENT_ACCOUNT_FUNDS", "TR_NoFunds")       \
    X(COST_OVERFLOW, "insufficient funds for gas * price + value: required balance exceeds 256 bits",        \
      "GASLIMIT_PRICE_PRODUCT_OVERFLOW", "TR_NoFundsOrGas")                                                  \
    X(INITCODE_SIZE, "max initcode size exceeded", "INITCODE_SIZE_EXCEEDED", "TR_InitCodeLimitExceeded")     \
    X(BLOB_FEE_CAP, "max fee per blob gas less than block blob gas fee",                                     \
      "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS", "TR_BLOBCOST")                                                    \
    X(BLOB_CREATE, "blob transaction of type create", "TYPE_3_TX_CONTRACT_CREATION", "TR_BLOBCREATE")        \
    X(BLOB_NONE, "blob transaction missing blob hashes", "TYPE_3_TX_ZERO_BLOBS", "TR_EMPTYBLOB")             \
    X(BLOB_COUNT, "blob transaction has too many blobs", "TYPE_3_TX_BLOB_COUNT_EXCEEDED",                    \
      "TR_BLOBLIST_OVERSIZE")                                                                                \
    X(BLOB_VERSION, "blob hash has invalid version", "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH",                \
      "TR_BLOBVERSION_INVALID")                                                                              \
    X(BLOB_BLOCK, "block blob gas limit exceeded", "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",              \
      "TR_BLOBLIST_OVERSIZE")                                                                                \
    X(SET_CODE_CREATE, "EIP-7702 transaction cannot be used to create contract",                             \
      "TYPE_4_TX_CONTRACT_CREATION", "")                                                                     \
    X(SET_CODE_NO_AUTHORIZATION, "EIP-7702 transaction with empty auth list",                                \
      "TYPE_4_EMPTY_AUTHORIZATION_LIST", "")                                                                 \
    X(BLOCK_SIZE, "block size limit reached", "", "")

typedef enum hn_reject {
#define HN_REJECT_ENUM(name, text, spec_name, legacy_name) HN_REJECT_##name,
    HN_REJECT_LIST(HN_REJECT_ENUM)
#undef HN_REJECT_ENUM
        HN_REJECT_COUNT
} hn_reject;

const char *hn_reject_name(hn_reject reject);        /* "NONCE_TOO_LOW" */
const char *hn_reject_text(hn_reject reject);        /* "nonce too low" */
const char *hn_reject_spec_name(hn_reject reject);   /* execution-spec-tests' */
const char *hn_reject_legacy_name(hn_reject reject); /* ethereum/tests' */

#endif
