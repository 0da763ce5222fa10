/* The table of methods: name, function, parameters. */
#ifndef HN_PIPELINE_RPC_METHOD_H
#define HN_PIPELINE_RPC_METHOD_H

#include "pipeline/rpc/call.h"

typedef struct hn_rpc_method {
    const char *name;
    void (*run)(hn_rpc_call *call);
    uint8_t types[HN_RPC_PARAMS_MAX]; /* hn_rpc_type; HN_RPC_NOTHING behind the last */
    uint8_t required;                 /* how many of them must be given */
} hn_rpc_method;

/* The method with this name; NULL when there is none. */
const hn_rpc_method *hn_rpc_method_find(const char *name);

/* All methods, sorted by name. */
const hn_rpc_method *hn_rpc_methods(size_t *count);

/* Functions of the table, by the file that has them: name, how many parameters are required, and the types of
 * three of them or four. */
#define HN_RPC_METHOD_LIST(X)                                                                                \
    /* methods_node.c */                                                                                     \
    X(web3_clientVersion, 0, NOTHING, NOTHING, NOTHING)                                                      \
    X(web3_sha3, 1, DATA, NOTHING, NOTHING)                                                                  \
    X(net_version, 0, NOTHING, NOTHING, NOTHING)                                                             \
    X(net_listening, 0, NOTHING, NOTHING, NOTHING)                                                           \
    X(net_peerCount, 0, NOTHING, NOTHING, NOTHING)                                                           \
    X(rpc_modules, 0, NOTHING, NOTHING, NOTHING)                                                             \
    X(eth_chainId, 0, NOTHING, NOTHING, NOTHING)                                                             \
    X(eth_syncing, 0, NOTHING, NOTHING, NOTHING)                                                             \
    X(eth_accounts, 0, NOTHING, NOTHING, NOTHING)                                                            \
    X(eth_mining, 0, NOTHING, NOTHING, NOTHING)                                                              \
    X(eth_sign, 2, ADDRESS, DATA, NOTHING)                                                                   \
    X(eth_signTransaction, 1, JSON, NOTHING, NOTHING)                                                        \
    X(eth_sendTransaction, 1, JSON, NOTHING, NOTHING)                                                        \
    /* methods_pool.c */                                                                                     \
    X(txpool_status, 0, NOTHING, NOTHING, NOTHING)                                                           \
    X(txpool_content, 0, NOTHING, NOTHING, NOTHING)                                                          \
    X(txpool_contentFrom, 1, ADDRESS, NOTHING, NOTHING)                                                      \
    X(txpool_inspect, 0, NOTHING, NOTHING, NOTHING)                                                          \
    /* methods_config.c */                                                                                   \
    X(eth_config, 0, NOTHING, NOTHING, NOTHING)                                                              \
    X(eth_capabilities, 0, NOTHING, NOTHING, NOTHING)                                                        \
    /* methods_fee.c */                                                                                      \
    X(eth_gasPrice, 0, NOTHING, NOTHING, NOTHING)                                                            \
    X(eth_baseFee, 0, NOTHING, NOTHING, NOTHING)                                                             \
    X(eth_maxPriorityFeePerGas, 0, NOTHING, NOTHING, NOTHING)                                                \
    X(eth_blobBaseFee, 0, NOTHING, NOTHING, NOTHING)                                                         \
    X(eth_feeHistory, 2, COUNT, NUMBER, JSON)                                                                \
    /* methods_state.c */                                                                                    \
    X(eth_getBalance, 1, ADDRESS, BLOCK, NOTHING)                                                            \
    X(eth_getTransactionCount, 1, ADDRESS, BLOCK, NOTHING)                                                   \
    X(eth_getCode, 1, ADDRESS, BLOCK, NOTHING)                                                               \
    X(eth_getStorageAt, 2, ADDRESS, SLOT, BLOCK)                                                             \
    X(eth_getStorageValues, 1, JSON, BLOCK, NOTHING)                                                         \
    X(eth_call, 1, JSON, BLOCK, JSON, JSON)                                                                  \
    X(eth_estimateGas, 1, JSON, BLOCK, JSON, JSON)                                                           \
    /* methods_proof.c */                                                                                    \
    X(eth_getProof, 2, ADDRESS, JSON, BLOCK)                                                                 \
    X(eth_createAccessList, 1, JSON, BLOCK, JSON)                                                            \
    /* methods_simulate.c */                                                                                 \
    X(eth_simulateV1, 1, JSON, BLOCK, NOTHING)                                                               \
    /* methods_trace.c */                                                                                    \
    X(debug_traceTransaction, 1, HASH, JSON, NOTHING)                                                        \
    X(debug_traceBlockByNumber, 1, NUMBER, JSON, NOTHING)                                                    \
    X(debug_traceBlockByHash, 1, HASH, JSON, NOTHING)                                                        \
    X(debug_traceBlock, 1, DATA, JSON, NOTHING)                                                              \
    X(debug_traceCall, 1, JSON, BLOCK, JSON)                                                                 \
    /* methods_block.c */                                                                                    \
    X(eth_blockNumber, 0, NOTHING, NOTHING, NOTHING)                                                         \
    X(eth_getBlockByNumber, 2, NUMBER, BOOL, NOTHING)                                                        \
    X(eth_getBlockByHash, 2, HASH, BOOL, NOTHING)                                                            \
    X(eth_getHeaderByNumber, 1, NUMBER, NOTHING, NOTHING)                                                    \
    X(eth_getHeaderByHash, 1, HASH, NOTHING, NOTHING)                                                        \
    X(eth_coinbase, 0, NOTHING, NOTHING, NOTHING)                                                            \
    X(eth_getBlockReceipts, 1, BLOCK, NOTHING, NOTHING)                                                      \
    X(eth_getBlockTransactionCountByNumber, 1, NUMBER, NOTHING, NOTHING)                                     \
    X(eth_getBlockTransactionCountByHash, 1, HASH, NOTHING, NOTHING)                                         \
    X(eth_getUncleCountByBlockNumber, 1, NUMBER, NOTHING, NOTHING)                                           \
    X(eth_getUncleCountByBlockHash, 1, HASH, NOTHING, NOTHING)                                               \
    X(eth_getUncleByBlockNumberAndIndex, 2, NUMBER, QUANTITY, NOTHING)                                       \
    X(eth_getUncleByBlockHashAndIndex, 2, HASH, QUANTITY, NOTHING)                                           \
    /* methods_raw.c */                                                                                      \
    X(debug_getRawBlock, 1, BLOCK, NOTHING, NOTHING)                                                         \
    X(debug_getRawHeader, 1, BLOCK, NOTHING, NOTHING)                                                        \
    X(debug_getRawReceipts, 1, BLOCK, NOTHING, NOTHING)                                                      \
    X(debug_getRawTransaction, 1, HASH, NOTHING, NOTHING)                                                    \
    X(debug_getBadBlocks, 0, NOTHING, NOTHING, NOTHING)                                                      \
    X(eth_getRawTransactionByBlockNumberAndIndex, 2, NUMBER, QUANTITY, NOTHING)                              \
    X(eth_getRawTransactionByBlockHashAndIndex, 2, HASH, QUANTITY, NOTHING)                                  \
    /* methods_transaction.c */                                                                              \
    X(eth_getTransactionByHash, 1, HASH, NOTHING, NOTHING)                                                   \
    X(eth_getTransactionByBlockNumberAndIndex, 2, NUMBER, QUANTITY, NOTHING)                                 \
    X(eth_getTransactionByBlockHashAndIndex, 2, HASH, QUANTITY, NOTHING)                                     \
    X(eth_getRawTransactionByHash, 1, HASH, NOTHING, NOTHING)                                                \
    X(eth_getTransactionReceipt, 1, HASH, NOTHING, NOTHING)                                                  \
    /* methods_submit.c */                                                                                   \
    X(eth_sendRawTransaction, 1, DATA, NOTHING, NOTHING)                                                     \
    X(eth_sendRawTransactionSync, 1, DATA, COUNT, NOTHING)                                                   \
    /* methods_logs.c */                                                                                     \
    X(eth_getLogs, 1, JSON, NOTHING, NOTHING)                                                                \
    /* methods_filter.c */                                                                                   \
    X(eth_newFilter, 1, JSON, NOTHING, NOTHING)                                                              \
    X(eth_newBlockFilter, 0, NOTHING, NOTHING, NOTHING)                                                      \
    X(eth_newPendingTransactionFilter, 0, BOOL, NOTHING, NOTHING)                                            \
    X(eth_getFilterChanges, 1, TEXT, NOTHING, NOTHING)                                                       \
    X(eth_getFilterLogs, 1, TEXT, NOTHING, NOTHING)                                                          \
    X(eth_uninstallFilter, 1, TEXT, NOTHING, NOTHING)                                                        \
    /* methods_subscribe.c */                                                                                \
    X(eth_subscribe, 0, ANY, ANY, NOTHING)                                                                   \
    X(eth_unsubscribe, 1, TEXT, NOTHING, NOTHING)

#define HN_RPC_METHOD_DECLARE(name, ...) void hn_rpc_##name(hn_rpc_call *call);
HN_RPC_METHOD_LIST(HN_RPC_METHOD_DECLARE)
#undef HN_RPC_METHOD_DECLARE

#endif
