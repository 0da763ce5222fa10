#include "bench/load/contract.h"

#include "bench/load/contracts/contracts.inc"
#include "engine/base/check.h"
#include "engine/codec/hex.h"
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"

enum { WORD = 32 };

/* The first four bytes of the hash of a function's signature; contracts.inc lists them. */
enum {
    TRANSFER = 0xa9059cbb,
    APPROVE = 0x095ea7b3,
    BALANCE_OF = 0x70a08231,
    SYNC = 0xfff6cae9,
    SWAP = 0x08c84c21,
};

static hn_u256 power_of_ten(unsigned exponent)
{
    hn_u256 ten = {{10, 0, 0, 0}};
    hn_u256 power = {{exponent, 0, 0, 0}};
    return hn_u256_exp(&ten, &power);
}

hn_u256 hn_load_token_supply(void)
{
    return power_of_ten(30);
}

hn_u256 hn_load_liquidity(void)
{
    return power_of_ten(24);
}

static uint8_t *write_address(uint8_t *to, const hn_address *address)
{
    memset(to, 0, WORD - sizeof address->b);
    memcpy(to + WORD - sizeof address->b, address->b, sizeof address->b);
    return to + WORD;
}

static uint8_t *write_number(uint8_t *to, const hn_u256 *number)
{
    hn_u256_to_be(to, number);
    return to + WORD;
}

static uint8_t *write_code(uint8_t *to, const char *text, size_t text_size)
{
    HN_CHECK(text_size / 2 + 2 * WORD <= HN_LOAD_CODE_BYTES_MAX);
    HN_CHECK(hn_hex_decode(to, text, text_size) == HN_OK);
    return to + text_size / 2;
}

size_t hn_load_token_code(uint8_t out[HN_LOAD_CODE_BYTES_MAX])
{
    hn_u256 supply = hn_load_token_supply();
    uint8_t *to = write_code(out, token_code, sizeof token_code - 1);
    return (size_t)(write_number(to, &supply) - out);
}

size_t hn_load_pair_code(uint8_t out[HN_LOAD_CODE_BYTES_MAX], const hn_address *first,
                         const hn_address *second)
{
    uint8_t *to = write_code(out, pair_code, sizeof pair_code - 1);
    return (size_t)(write_address(write_address(to, first), second) - out);
}

void hn_load_contract_address(hn_address *out, const hn_address *creator, uint64_t nonce)
{
    uint8_t bytes[64];
    hn_bytes address = hn_bytes_of(creator->b, sizeof creator->b);
    uint8_t *to = hn_rlp_write_list_prefix(bytes, hn_rlp_size_of_string(address) + hn_rlp_size_of_u64(nonce));
    to = hn_rlp_write_u64(hn_rlp_write_string(to, address), nonce);
    hn_hash hash;
    hn_keccak256(&hash, bytes, (size_t)(to - bytes));
    memcpy(out->b, hash.b + 12, sizeof out->b);
}

static uint8_t *begin_call(hn_load_draft *draft, const hn_address *contract, uint32_t selector)
{
    draft->to = *contract;
    hn_store_be32(draft->call, selector);
    return draft->call + 4;
}

static void end_call(hn_load_draft *draft, const uint8_t *end)
{
    draft->data = hn_bytes_of(draft->call, (size_t)(end - draft->call));
}

void hn_load_call_transfer(hn_load_draft *draft, const hn_address *contract, const hn_address *to,
                           const hn_u256 *value)
{
    uint8_t *next = begin_call(draft, contract, TRANSFER);
    end_call(draft, write_number(write_address(next, to), value));
}

void hn_load_call_approve_all(hn_load_draft *draft, const hn_address *contract, const hn_address *spender)
{
    static const hn_u256 everything = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    uint8_t *next = begin_call(draft, contract, APPROVE);
    end_call(draft, write_number(write_address(next, spender), &everything));
}

void hn_load_call_sync(hn_load_draft *draft, const hn_address *contract)
{
    end_call(draft, begin_call(draft, contract, SYNC));
}

void hn_load_call_swap(hn_load_draft *draft, const hn_address *contract, bool zero_for_one, uint64_t amount)
{
    hn_u256 direction = {{zero_for_one, 0, 0, 0}}, sold = {{amount, 0, 0, 0}}, least = {{0, 0, 0, 0}};
    uint8_t *next = begin_call(draft, contract, SWAP);
    end_call(draft, write_number(write_number(write_number(next, &direction), &sold), &least));
}

void hn_load_balance_call(char out[HN_LOAD_BALANCE_CALL_TEXT], const hn_address *owner)
{
    uint8_t call[4 + WORD];
    hn_store_be32(call, BALANCE_OF);
    (void)write_address(call + 4, owner);
    out[0] = '0';
    out[1] = 'x';
    *hn_hex_encode(out + 2, call, sizeof call) = '\0';
}
