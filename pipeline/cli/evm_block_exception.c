#include "pipeline/cli/evm_block_exception.h"

#include "pipeline/cli/evm_exception.h"

#include <string.h>

/* How a refusal begins, and a name of execution-spec-tests for it. */
static const struct {
    const char *problem;
    const char *name;
} names[] = {
    {"malformed", "RLP_STRUCTURES_ENCODING"},
    {"malformed", "RLP_INVALID_ADDRESS"},
    {"malformed", "RLP_INVALID_FIELD_OVERFLOW_64"},
    {"malformed", "RLP_WITHDRAWALS_NOT_READ"},
    {"malformed", "RLP_BLOCK_LIMIT_EXCEEDED"},
    {"malformed", "GASLIMIT_TOO_BIG"},
    {"malformed", "EXTRA_DATA_TOO_BIG"}, /* past what is taken at all */
    {"a list of withdrawals", "RLP_STRUCTURES_ENCODING"},
    {"a list of withdrawals", "RLP_WITHDRAWALS_NOT_READ"},
    {"unknown parent", "UNKNOWN_PARENT"},
    {"unknown parent", "UNKNOWN_PARENT_ZERO"},
    {"wrong transactions root", "INVALID_TRANSACTIONS_ROOT"},
    {"wrong hash of uncles", "INVALID_UNCLES_HASH"},
    {"number", "INVALID_BLOCK_NUMBER"},
    {"timestamp", "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT"},
    {"fields of another fork", "INCORRECT_BLOCK_FORMAT"},
    {"fields of another fork", "IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT"},
    {"fields of another fork", "IMPORT_IMPOSSIBLE_LEGACY_WRONG_PARENT"},
    {"extra data of", "EXTRA_DATA_TOO_BIG"},
    {"extra data is not", "EXTRA_DATA_INVALID_DAO"},
    {"gas used", "INVALID_GAS_USED"},
    {"gas used", "GAS_USED_OVERFLOW"},
    {"gas used", "INVALID_GASLIMIT"}, /* a limit of 0: both are wrong */
    {"gas limit", "INVALID_GASLIMIT"},
    {"gas limit", "GASLIMIT_TOO_BIG"},
    {"wrong base fee", "INVALID_BASEFEE_PER_GAS"},
    {"excess blob gas", "INCORRECT_EXCESS_BLOB_GAS"},
    {"blob gas used", "INCORRECT_BLOB_GAS_USED"},
    {"blob gas used", "BLOB_GAS_USED_ABOVE_LIMIT"},
    {"wrong difficulty", "INVALID_DIFFICULTY"},
    {"wrong difficulty", "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS"},
    {"wrong difficulty", "IMPORT_IMPOSSIBLE_PARIS_WRONG_POS"},
    {"wrong difficulty", "IMPORT_IMPOSSIBLE_PARIS_WRONG_POW"},
    {"uncles after the merge", "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS"},
    {"has no parent among the ancestors", "UNCLE_PARENT_INCORRECT"},
    {"is an ancestor or was included before", "UNCLE_IS_ANCESTOR"},
    {"a block of", "RLP_BLOCK_LIMIT_EXCEEDED"},
    {"wrong bloom", "INVALID_LOG_BLOOM"},
    {"wrong receipts root", "INVALID_RECEIPTS_ROOT"},
    {"wrong withdrawals root", "INVALID_WITHDRAWALS_ROOT"},
    {"wrong requests hash", "INVALID_REQUESTS"},
    {"wrong state root", "INVALID_STATE_ROOT"},
    {"a system contract is missing", "SYSTEM_CONTRACT_EMPTY"},
    {"a system contract is missing", "SYSTEM_CONTRACT_CALL_FAILED"},
    {"a system contract is missing", "INVALID_DEPOSIT_EVENT_LAYOUT"},
};

/* "transaction 3: nonce too low": why the transaction may not be there. */
static bool transaction_matches(const char *expected, const char *problem)
{
    const char *reason = strstr(problem, ": ");
    if (strncmp(problem, "transaction ", strlen("transaction ")) != 0 || reason == NULL)
        return false;
    for (int reject = HN_REJECT_NONE + 1; reject < HN_REJECT_COUNT; reject++)
        if (strcmp(hn_reject_text((hn_reject)reject), reason + 2) == 0 &&
            hn_exception_matches(expected, (hn_reject)reject))
            return true;
    return false;
}

static bool is_name_of(const char *name, size_t size, const char *problem)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i].name) == size && memcmp(names[i].name, name, size) == 0 &&
            strncmp(problem, names[i].problem, strlen(names[i].problem)) == 0)
            return true;
    return false;
}

bool hn_block_exception_is_known(const char *expected)
{
    while (*expected != '\0') {
        size_t size = strcspn(expected, "|");
        const char *class_end = memchr(expected, '.', size);
        const char *name = class_end == NULL ? expected : class_end + 1;
        size_t name_size = size - (size_t)(name - expected);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strlen(names[i].name) == name_size && memcmp(names[i].name, name, name_size) == 0)
                return true;
        for (int reject = HN_REJECT_NONE + 1; reject < HN_REJECT_COUNT; reject++)
            if (hn_exception_is_name_of(name, name_size, (hn_reject)reject))
                return true;
        expected += size;
        expected += *expected == '|';
    }
    return false;
}

/* What is wrong with an uncle: the text behind "uncle 0: ", "uncle 0 ". */
static const char *behind_uncle(const char *problem)
{
    if (strncmp(problem, "uncle ", strlen("uncle ")) != 0)
        return problem;
    const char *at = problem + strlen("uncle ");
    at += strspn(at, "0123456789");
    return at + strspn(at, ": ");
}

bool hn_block_exception_matches(const char *expected, const char *problem)
{
    if (transaction_matches(expected, problem))
        return true;
    problem = behind_uncle(problem);
    while (*expected != '\0') {
        size_t size = strcspn(expected, "|");
        const char *class_end = memchr(expected, '.', size);
        const char *name = class_end == NULL ? expected : class_end + 1;
        if (is_name_of(name, size - (size_t)(name - expected), problem))
            return true;
        expected += size;
        expected += *expected == '|';
    }
    return false;
}
