/* The "transaction" of a state test: a template whose gas limit, value and data are chosen by index. */
#ifndef HN_PIPELINE_CLI_EVM_STATE_TRANSACTION_H
#define HN_PIPELINE_CLI_EVM_STATE_TRANSACTION_H

#include "engine/chain/transition.h"
#include "engine/codec/json.h"

typedef struct hn_state_test_indexes {
    uint64_t data;
    uint64_t gas;
    uint64_t value;
} hn_state_test_indexes;

/* HN_ERR_RANGE, HN_ERR_INVALID: some field has a value that no transaction can carry, as vectors of malformed
 * transactions have. */
HN_MUST_USE hn_err hn_state_test_transaction(hn_signed_transaction *out, hn_arena *arena,
                                             const hn_signature_context *signatures, const hn_json *node,
                                             const hn_state_test_indexes *indexes);

/* The lists of typed transactions, as JSON has them everywhere: into the arena. Errors as above. */
HN_MUST_USE hn_err hn_fixture_read_access_list(hn_transaction *transaction, hn_arena *arena,
                                               const hn_json *list);
HN_MUST_USE hn_err hn_fixture_read_blob_hashes(hn_transaction *transaction, hn_arena *arena,
                                               const hn_json *list);
HN_MUST_USE hn_err hn_fixture_read_authorizations(hn_transaction *transaction, hn_arena *arena,
                                                  const hn_json *list);

#endif
