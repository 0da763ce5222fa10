/* Another virtual machine beside ours: a shared library with the C interface of EVMC, version 12
 * (github.com/ethereum/evmc, its documentation), such as evmone's. Its host here keeps contracts and slots in
 * two small tables, every account and slot warm; nothing is ever taken back, so programs must succeed.
 *
 * For benchmarks: anything unexpected ends the program. */
#ifndef HN_BENCH_EVM_PEER_H
#define HN_BENCH_EVM_PEER_H

#include "engine/base/u256.h"
#include "engine/evm/evm.h"

typedef struct evm_peer evm_peer;

/* Loads the library; the first symbol evmc_create_... that fits its name makes the machine. */
evm_peer *evm_peer_open(const char *path);
void evm_peer_close(evm_peer *peer);

const char *evm_peer_name(const evm_peer *peer);
const char *evm_peer_version(const evm_peer *peer);

/* Forgets contracts and slots. */
void evm_peer_clear(evm_peer *peer);

/* `code` stays the caller's and must live as long as the contract is known. */
void evm_peer_put_code(evm_peer *peer, const hn_address *address, hn_bytes code);
void evm_peer_put_slot(evm_peer *peer, const hn_address *address, const hn_u256 *key, const hn_u256 *value);

/* Writes become what the next transaction starts from. */
void evm_peer_settle(evm_peer *peer);

/* Executes a call by the rules of Istanbul or of Berlin. Only message's gas, addresses, value and input
 * count. output is valid until the next call. */
typedef struct evm_peer_result {
    bool is_success;
    uint64_t gas_left;
    hn_bytes output;
} evm_peer_result;
evm_peer_result evm_peer_execute(evm_peer *peer, const hn_message *message, hn_fork fork);

#endif
