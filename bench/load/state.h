/* The state that must be there after a run: nonces, ether and token balances, checked against the ledger, and
 * kept in a file so that it can be checked again later (after a crash, say).
 *
 * The file is lines of text: "nonce ADDRESS NUMBER", "balance ADDRESS WEI", "token CONTRACT ADDRESS UNITS".
 */
#ifndef HN_BENCH_LOAD_STATE_H
#define HN_BENCH_LOAD_STATE_H

#include "bench/load/rpc.h"

typedef enum hn_load_fact_kind {
    HN_LOAD_FACT_NONCE,
    HN_LOAD_FACT_BALANCE,
    HN_LOAD_FACT_TOKEN,
    HN_LOAD_FACT_KINDS
} hn_load_fact_kind;

typedef struct hn_load_fact {
    hn_load_fact_kind kind;
    hn_address contract; /* TOKEN only */
    hn_address account;
    hn_u256 value;
} hn_load_fact;

typedef struct hn_load_state {
    hn_load_fact *facts;
    uint64_t count;
    uint64_t room;
} hn_load_state;

void hn_load_state_close(hn_load_state *state);

/* HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_load_state_add(hn_load_state *state, hn_load_fact_kind kind, const hn_address *contract,
                                     const hn_address *account);

/* Fills every value in from the ledger. */
HN_MUST_USE hn_err hn_load_state_read(hn_load_state *state, hn_load_rpc *rpc);

/* Compares with the ledger. Nonces and balances may lag behind a little: it asks again until they are right
 * or `timeout_ns` is over, then says on standard error what is wrong (the first few) and returns
 * HN_ERR_MISMATCH. */
HN_MUST_USE hn_err hn_load_state_check(const hn_load_state *state, hn_load_rpc *rpc, uint64_t timeout_ns);

/* HN_ERR_IO, HN_ERR_INVALID; said on standard error. */
HN_MUST_USE hn_err hn_load_state_save(const hn_load_state *state, const char *path);
HN_MUST_USE hn_err hn_load_state_load(hn_load_state *out, const char *path);

#endif
