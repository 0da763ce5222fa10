/* Calls and addresses that the load generator makes, against values known from elsewhere. */
#include "bench/load/contract.h"
#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"

#include <criterion/criterion.h>

/* The first contracts of the first well-known test account, as every development chain shows them. */
Test(load_contract, addresses)
{
    static const char *const expected[] = {"0x5fbdb2315678afecb367f032d93f642f64180aa3",
                                           "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512",
                                           "0x9fe46736679d2d9a65f0992f2272de9f3c7fa6e0"};
    hn_address creator, address, wanted;
    cr_assert_eq(hn_hex_read_fixed(creator.b, 20, "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"), HN_OK);
    for (uint64_t nonce = 0; nonce < 3; nonce++) {
        cr_assert_eq(hn_hex_read_fixed(wanted.b, 20, expected[nonce]), HN_OK);
        hn_load_contract_address(&address, &creator, nonce);
        cr_assert(hn_address_equal(&address, &wanted));
    }
}

static void check_selector(const hn_load_draft *draft, const char *signature, size_t words)
{
    hn_hash hash;
    hn_keccak256(&hash, signature, strlen(signature));
    cr_assert_eq(memcmp(draft->data.data, hash.b, 4), 0, "%s", signature);
    cr_assert_eq(draft->data.size, 4 + 32 * words, "%s", signature);
}

Test(load_contract, calls)
{
    hn_load_draft draft = {0};
    hn_address contract = {{1}}, account = {{2, [19] = 3}};
    hn_u256 value = {{77, 0, 0, 0}};
    hn_load_call_transfer(&draft, &contract, &account, &value);
    check_selector(&draft, "transfer(address,uint256)", 2);
    cr_assert_eq(memcmp(draft.data.data + 4 + 12, account.b, 20), 0);
    cr_assert_eq(draft.data.data[4 + 63], 77);
    cr_assert(hn_address_equal(&draft.to, &contract));
    hn_load_call_approve_all(&draft, &contract, &account);
    check_selector(&draft, "approve(address,uint256)", 2);
    hn_load_call_sync(&draft, &contract);
    check_selector(&draft, "sync()", 0);
    hn_load_call_swap(&draft, &contract, true, 300);
    check_selector(&draft, "swap(bool,uint256,uint256)", 3);
    cr_assert_eq(draft.data.data[4 + 31], 1);
    cr_assert_eq(hn_load_be16(draft.data.data + 4 + 62), 300);
    char text[HN_LOAD_BALANCE_CALL_TEXT];
    hn_load_balance_call(text, &account);
    cr_assert_str_eq(text, "0x70a08231000000000000000000000000"
                           "0200000000000000000000000000000000000003");
}
