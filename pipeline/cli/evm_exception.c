#include "pipeline/cli/evm_exception.h"

#include <string.h>

/* Names that the suites use beside those in engine/chain/reject.h. */
static const struct {
    const char *name;
    hn_reject reject;
} other_names[] = {
    {"TR_NoFundsX", HN_REJECT_FUNDS},
    {"TR_NoFundsX", HN_REJECT_COST_OVERFLOW},
    {"TR_NoFundsOrGas", HN_REJECT_FUNDS},
    {"TR_NoFundsOrGas", HN_REJECT_INTRINSIC_GAS},
    {"TR_NoFunds", HN_REJECT_COST_OVERFLOW},
    {"IntrinsicGas", HN_REJECT_FLOOR_GAS},
    {"TR_IntrinsicGas", HN_REJECT_INTRINSIC_GAS},
    {"TR_RLP_WRONGVALUE", HN_REJECT_MALFORMED},
    {"RLP_INVALID_VALUE", HN_REJECT_MALFORMED},
    {"INSUFFICIENT_ACCOUNT_FUNDS", HN_REJECT_COST_OVERFLOW},
    {"TYPE_1_TX_PRE_FORK", HN_REJECT_TYPE_NOT_SUPPORTED},
    {"TYPE_2_TX_PRE_FORK", HN_REJECT_TYPE_NOT_SUPPORTED},
    {"TYPE_3_TX_PRE_FORK", HN_REJECT_TYPE_NOT_SUPPORTED},
    {"TYPE_4_TX_PRE_FORK", HN_REJECT_TYPE_NOT_SUPPORTED},
    /* More blobs than a block holds are also more than a transaction may carry. */
    {"TYPE_3_TX_BLOB_COUNT_EXCEEDED", HN_REJECT_BLOB_BLOCK},
    {"TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED", HN_REJECT_BLOB_COUNT},
};

bool hn_exception_is_name_of(const char *name, size_t size, hn_reject reject)
{
    const char *own[] = {hn_reject_spec_name(reject), hn_reject_legacy_name(reject)};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strlen(own[i]) == size && memcmp(own[i], name, size) == 0)
            return true;
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        if (other_names[i].reject == reject && strlen(other_names[i].name) == size &&
            memcmp(other_names[i].name, name, size) == 0)
            return true;
    return false;
}

bool hn_exception_matches(const char *expected, hn_reject reject)
{
    if (reject == HN_REJECT_NONE)
        return false;
    while (*expected != '\0') {
        size_t size = strcspn(expected, "|");
        const char *class_end = memchr(expected, '.', size);
        const char *name = class_end == NULL ? expected : class_end + 1;
        if (hn_exception_is_name_of(name, size - (size_t)(name - expected), reject))
            return true;
        expected += size;
        expected += *expected == '|';
    }
    return false;
}
