#include "engine/base/check.h"
#include "engine/base/err.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(err, every_error_has_a_name_and_a_text_of_its_own)
{
    for (int i = 0; i < HN_ERR_COUNT; i++) {
        cr_assert_gt(strlen(hn_err_name((hn_err)i)), 0u);
        cr_assert_gt(strlen(hn_err_text((hn_err)i)), 0u);
        for (int j = 0; j < i; j++) {
            cr_assert_str_neq(hn_err_name((hn_err)i), hn_err_name((hn_err)j));
            cr_assert_str_neq(hn_err_text((hn_err)i), hn_err_text((hn_err)j));
        }
    }
    cr_assert_str_eq(hn_err_name(HN_OK), "OK");
    cr_assert_str_eq(hn_err_name(HN_ERR_NOT_CANONICAL), "NOT_CANONICAL");
    cr_assert_str_eq(hn_err_name(HN_ERR_SYSTEM), "SYSTEM");
}

Test(err, unknown_numbers_have_a_text_too)
{
    cr_assert_str_eq(hn_err_name(HN_ERR_COUNT), "UNKNOWN");
    cr_assert_str_eq(hn_err_text((hn_err)12345), "unknown error");
}

static int evaluations;

static hn_err passes(hn_err err)
{
    evaluations++;
    return err;
}

static hn_err tries(hn_err err)
{
    HN_TRY(passes(err));
    return HN_ERR_BUSY;
}

Test(err, try_returns_errors_and_evaluates_once)
{
    cr_assert_eq(tries(HN_ERR_RANGE), HN_ERR_RANGE);
    cr_assert_eq(tries(HN_OK), HN_ERR_BUSY);
    cr_assert_eq(evaluations, 2);
}

Test(err, a_true_check_passes)
{
    HN_CHECK(1 + 1 == 2);
}

Test(err, a_false_check_aborts, .signal = SIGABRT)
{
    HN_CHECK(1 + 1 == 3);
}
