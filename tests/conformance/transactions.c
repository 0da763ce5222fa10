/* The TransactionTests of ethereum/tests, as far as a transaction alone can be judged: decoding, hash, chain
 * id and sender, fork by fork. What needs the rules of blocks (intrinsic gas, fees, size of initialization
 * code) is told as skipped where a vector fails for nothing else. */
#include "engine/codec/hex.h"
#include "engine/types/fork.h"
#include "engine/types/transaction.h"
#include "tests/support/vectors.h"

#include <stdio.h>

enum { CHAIN_ID = 1 }; /* of all these vectors */

/* Reasons that are not a single transaction's: found by the name of the wanted exception. */
static const char *const chain_rules[] = {
    "INTRINSIC_GAS_TOO_LOW",
    "GASLIMIT_PRICE_PRODUCT_OVERFLOW",
    "INITCODE_SIZE_EXCEEDED",
    "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
};

/* The fork from which each type on may be sent. */
static const hn_fork first_fork[] = {
    [HN_TRANSACTION_LEGACY] = HN_FORK_FRONTIER,    [HN_TRANSACTION_ACCESS_LIST] = HN_FORK_BERLIN,
    [HN_TRANSACTION_DYNAMIC_FEE] = HN_FORK_LONDON, [HN_TRANSACTION_BLOB] = HN_FORK_CANCUN,
    [HN_TRANSACTION_SET_CODE] = HN_FORK_PRAGUE,
};

/* HN_OK and the sender when the transaction may be sent under `fork`, for all that can be seen in it. */
static hn_err judge(hn_transaction *tx, hn_address *sender, vectors *set, hn_bytes raw, hn_fork fork)
{
    const hn_signature_context *signatures = set->context;
    HN_TRY(hn_transaction_decode(tx, &set->arena, raw));
    if (fork < first_fork[tx->type])
        return HN_ERR_UNSUPPORTED;
    if (tx->is_replay_protected && (fork < HN_FORK_SPURIOUS_DRAGON || tx->chain_id != CHAIN_ID))
        return HN_ERR_INVALID;
    if (tx->nonce == UINT64_MAX) /* EIP-2681, applied to all forks */
        return HN_ERR_RANGE;
    return hn_transaction_sender(sender, signatures, &set->arena, tx, fork >= HN_FORK_HOMESTEAD);
}

static bool is_chain_rule(const char *exception)
{
    for (size_t i = 0; i < sizeof chain_rules / sizeof *chain_rules; i++)
        if (strstr(exception, chain_rules[i]) != NULL)
            return true;
    return false;
}

static hn_err read_expected(hn_hash *hash, hn_address *sender, const hn_json *result)
{
    hn_json found;
    HN_TRY(hn_json_get(&found, result, "hash"));
    HN_TRY(hn_json_read_fixed(hash->b, sizeof *hash, &found));
    HN_TRY(hn_json_get(&found, result, "sender"));
    return hn_json_read_fixed(sender->b, sizeof *sender, &found);
}

static void expect_valid(vectors *set, const char *place, const hn_json *result, const hn_transaction *tx,
                         const hn_address *sender)
{
    hn_hash hash, want_hash;
    hn_address want_sender;
    if (read_expected(&want_hash, &want_sender, result) != HN_OK) {
        vectors_fail(set, place, "%s", result->problem->text);
        return;
    }
    hn_transaction_hash(&hash, tx);
    hn_bytes encoded;
    if (!hn_hash_equal(&hash, &want_hash))
        vectors_fail(set, place, "wrong hash");
    else if (!hn_address_equal(sender, &want_sender))
        vectors_fail(set, place, "wrong sender");
    else if (hn_transaction_encode(&encoded, &set->arena, tx) != HN_OK || !hn_bytes_equal(encoded, tx->raw))
        vectors_fail(set, place, "encodes to other bytes");
    else
        vectors_pass(set);
}

static void run_fork(vectors *set, const char *test, hn_bytes raw, const hn_json *result)
{
    char place[512];
    hn_fork fork;
    hn_json found;
    const char *exception = NULL;
    snprintf(place, sizeof place, "%s/%s", test, result->key);
    if (!hn_fork_from_name(&fork, result->key)) {
        vectors_skip(set, place, "unknown fork");
        return;
    }
    hn_transaction tx;
    hn_address sender;
    hn_err err = judge(&tx, &sender, set, raw, fork);
    bool fails =
        hn_json_find(&found, result, "exception") && hn_json_read_string(&exception, &found) == HN_OK;
    if (!fails && err == HN_OK)
        expect_valid(set, place, result, &tx, &sender);
    else if (!fails)
        vectors_fail(set, place, "refused: %s", hn_err_text(err));
    else if (err != HN_OK)
        vectors_pass(set);
    else if (is_chain_rule(exception))
        vectors_skip(set, place, "%s is not for the transaction alone to tell", exception);
    else
        vectors_fail(set, place, "taken, but %s is wanted", exception);
}

static void run_file(vectors *set, const char *path, const hn_json *root)
{
    hn_json test, bytes, results, result;
    (void)path;
    for (void *at = NULL; hn_json_next(&test, &at, root);) {
        hn_bytes raw;
        const char *text;
        if (hn_json_get(&bytes, &test, "txbytes") != HN_OK ||
            hn_json_get(&results, &test, "result") != HN_OK || hn_json_read_string(&text, &bytes) != HN_OK) {
            vectors_fail(set, test.key, "%s", root->problem->text);
            continue;
        }
        if (text[0] == '\0')
            raw = hn_bytes_of(NULL, 0);
        else if (hn_json_read_data(&raw, &set->arena, &bytes) != HN_OK) {
            vectors_fail(set, test.key, "%s", root->problem->text);
            continue;
        }
        for (void *fork_at = NULL; hn_json_next(&result, &fork_at, &results);)
            run_fork(set, test.key, raw, &result);
    }
}

int main(void)
{
    vectors set;
    hn_signature_context *signatures;
    if (!vectors_open(&set, "ethereum-tests"))
        return VECTORS_EXIT_SKIPPED;
    if (hn_signature_context_create(&signatures) != HN_OK) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    set.context = signatures;
    vectors_each_json(&set, "TransactionTests", run_file);
    hn_signature_context_destroy(signatures);
    return vectors_close(&set);
}
