#include "pipeline/cli/evm_transaction_test.h"

#include "pipeline/cli/evm_fixture.h"

#include <inttypes.h>

/* What is known about the bytes under one fork. */
typedef struct outcome {
    bool is_valid;
    const char *why; /* when it is not */
    hn_hash hash;
    hn_address sender;
    uint64_t intrinsic_gas;
} outcome;

static void judge(outcome *out, hn_evm_worker *worker, hn_fork fork, hn_bytes raw)
{
    hn_chain_config config;
    hn_chain_config_at_fork(&config, fork);
    *out = (outcome){.why = ""};
    hn_transaction transaction;
    hn_err err = hn_transaction_decode(&transaction, &worker->arena, raw);
    if (err != HN_OK) {
        out->why = hn_err_text(err);
        return;
    }
    hn_reject reject = hn_transaction_check_static(&config, fork, &transaction);
    if (reject != HN_REJECT_NONE) {
        out->why = hn_reject_text(reject);
        return;
    }
    bool overflow;
    hn_u256 gas_limit = hn_u256_of(transaction.gas_limit);
    (void)hn_u256_mul_overflow(&gas_limit, &transaction.max_fee_per_gas, &overflow);
    if (overflow) { /* what the rule about the sender's funds comes to, whatever these are */
        out->why = hn_reject_text(HN_REJECT_COST_OVERFLOW);
        return;
    }
    err = hn_transaction_sender(&out->sender, worker->signatures, &worker->arena, &transaction,
                                fork >= HN_FORK_HOMESTEAD);
    if (err != HN_OK) {
        out->why = hn_err_text(err);
        return;
    }
    hn_transaction_hash(&out->hash, &transaction);
    uint64_t floor;
    out->is_valid = hn_transaction_intrinsic_gas(&out->intrinsic_gas, &floor, fork, &transaction);
}

static hn_err check(hn_evm_worker *worker, const char *test, const hn_json *expected, const outcome *got)
{
    hn_json member;
    if (hn_json_find(&member, expected, "exception")) {
        const char *exception;
        HN_TRY(hn_json_read_string(&exception, &member));
        if (got->is_valid)
            hn_evm_fail(worker, test, expected->key, "%s expected, got a valid transaction", exception);
        else
            hn_evm_pass(worker);
        return HN_OK;
    }
    hn_hash hash;
    hn_address sender;
    uint64_t gas = got->intrinsic_gas;
    HN_TRY(hn_fixture_fixed(hash.b, sizeof hash.b, expected, "hash"));
    HN_TRY(hn_fixture_fixed(sender.b, sizeof sender.b, expected, "sender"));
    HN_TRY(hn_fixture_optional_u64(&gas, expected, "intrinsicGas"));
    if (!got->is_valid)
        hn_evm_fail(worker, test, expected->key, "a valid transaction expected, got: %s", got->why);
    else if (!hn_hash_equal(&hash, &got->hash))
        hn_evm_fail(worker, test, expected->key, "hash %s expected, got %s", hn_hash_text_of(&hash).text,
                    hn_hash_text_of(&got->hash).text);
    else if (!hn_address_equal(&sender, &got->sender))
        hn_evm_fail(worker, test, expected->key, "another sender than expected");
    else if (gas != got->intrinsic_gas)
        hn_evm_fail(worker, test, expected->key, "intrinsic gas %" PRIu64 " expected, got %" PRIu64, gas,
                    got->intrinsic_gas);
    else
        hn_evm_pass(worker);
    return HN_OK;
}

static hn_err run_fork(hn_evm_worker *worker, const char *test, const hn_json *expected, hn_bytes raw)
{
    hn_fork fork;
    hn_fork wanted;
    if (!hn_fork_from_name(&fork, expected->key))
        return hn_json_fail(expected, HN_ERR_INVALID, "unknown fork");
    const char *only = worker->options->fork;
    if (only != NULL && (!hn_fork_from_name(&wanted, only) || wanted != fork))
        return HN_OK;
    outcome got;
    judge(&got, worker, fork, raw);
    return check(worker, test, expected, &got);
}

static hn_err run_test(hn_evm_worker *worker, const hn_json *test)
{
    hn_json results;
    hn_json expected;
    hn_bytes raw;
    HN_TRY(hn_json_get(&results, test, "result"));
    HN_TRY(hn_fixture_data(&raw, &worker->arena, test, "txbytes"));
    for (void *iterator = NULL; hn_json_next(&expected, &iterator, &results);)
        HN_TRY(run_fork(worker, test->key, &expected, raw));
    return HN_OK;
}

void hn_evm_transaction_test_file(hn_evm_worker *worker, const hn_json *root)
{
    hn_json test;
    for (void *iterator = NULL; hn_json_next(&test, &iterator, root);) {
        if (!hn_evm_wanted(worker, test.key))
            continue;
        hn_err err = run_test(worker, &test);
        if (err != HN_OK)
            hn_evm_fail(worker, test.key, NULL, "cannot be read: %s: %s", hn_err_text(err),
                        test.problem->text);
    }
}
