#include "engine/types/genesis.h"

#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"

#include <stdlib.h>

enum { CHAIN_ID = 31337, ETHER_EACH = 10000 };
static const uint64_t gas_limit = 10000000000;
static const uint64_t base_fee = 1000000000; /* wei */
static const uint64_t wei_per_ether = 1000000000000000000;

/* Contracts that the protocol itself calls, and their code as the named EIPs publish it. */
static const struct {
    const char *address;
    const char *code;
} contracts[] = {
    /* EIP-7002: withdrawal requests */
    {"00000961ef480eb55e80d19ad83579a64c007002",
     "3373fffffffffffffffffffffffffffffffffffffffe1460cb5760115f54807fffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffffffffffff146101f457600182026001905f5b5f821115606857810190"
     "83028483029004916001019190604d565b909390049250505036603814608857366101f457346101f4575f52"
     "60205ff35b34106101f457600154600101600155600354806003026004013381556001015f35815560010160"
     "203590553360601b5f5260385f601437604c5fa0600101600355005b6003546002548082038060101160df57"
     "5060105b5f5b8181146101835782810160030260040181604c02815460601b81526014018160010154815260"
     "20019060020154807fffffffffffffffffffffffffffffffff00000000000000000000000000000000168252"
     "906010019060401c908160381c81600701538160301c81600601538160281c81600501538160201c81600401"
     "538160181c81600301538160101c81600201538160081c81600101535360010160e1565b9101809214610195"
     "57906002556101a0565b90505f6002555f6003555b5f54807fffffffffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffffffff14156101cd57505f5b6001546002828201116101e25750505f6101e8565b01"
     "600290035b5f555f600155604c025ff35b5f5ffd"},
    /* EIP-7251: consolidation requests */
    {"0000bbddc7ce488642fb579f8b00f3a590007251",
     "3373fffffffffffffffffffffffffffffffffffffffe1460d35760115f54807fffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffffffffffff1461019a57600182026001905f5b5f821115606857810190"
     "83028483029004916001019190604d565b9093900492505050366060146088573661019a573461019a575f52"
     "60205ff35b341061019a57600154600101600155600354806004026004013381556001015f35815560010160"
     "2035815560010160403590553360601b5f5260605f60143760745fa0600101600355005b6003546002548082"
     "038060021160e7575060025b5f5b8181146101295782810160040260040181607402815460601b8152601401"
     "81600101548152602001816002015481526020019060030154905260010160e9565b910180921461013b5790"
     "600255610146565b90505f6002555f6003555b5f54807fffffffffffffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffff141561017357505f5b6001546001828201116101885750505f61018e565b016001"
     "90035b5f555f6001556074025ff35b5f5ffd"},
    /* EIP-2935: block hashes */
    {"0000f90827f1c53a10cb7a02335b175320002935",
     "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257"
     "611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"},
    /* EIP-4788: beacon block roots */
    {"000f3df6d732807ef1319fb7b8bb8522d0beac02",
     "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f358015604957"
     "62001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f"
     "359062001fff015500"},
};

/* The first ten accounts at m/44'/60'/0'/0/i of the mnemonic that development tools share. */
static const char *const accounts[] = {
    "f39fd6e51aad88f6f4ce6ab8827279cfffb92266", "70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "3c44cdddb6a900fa2b585dd299e03d12fa4293bc", "90f79bf6eb2c4f870365e785982e1f101e93b906",
    "15d34aaf54267db7d7c367839aaf71a00a2c6a65", "9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
    "976ea74026e726554db657fa54763abd0c3a0aa9", "14dc79964da2c08b23698b3d3cc7ca32193d9955",
    "23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f", "a0ee7a142d267c1f36714e4a8f75612f20a79720",
};

enum {
    CONTRACT_COUNT = sizeof contracts / sizeof *contracts,
    ACCOUNT_COUNT = sizeof accounts / sizeof *accounts,
};

static hn_err decode(void *out, const char *text)
{
    return hn_hex_decode(out, text, strlen(text));
}

static int compare_accounts(const void *left, const void *right)
{
    const hn_genesis_account *a = left, *b = right;
    return memcmp(a->address.b, b->address.b, sizeof a->address);
}

static hn_err deploy(hn_genesis_account *out, hn_arena *arena, const char *address, const char *code)
{
    size_t size = strlen(code) / 2;
    uint8_t *bytes = hn_arena_alloc(arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(decode(bytes, code));
    HN_TRY(decode(out->address.b, address));
    out->nonce = 1; /* EIP-161: as after a create */
    out->code = hn_bytes_of(bytes, size);
    return HN_OK;
}

static hn_err allocate(hn_genesis *out, hn_arena *arena)
{
    hn_genesis_account *all = hn_arena_calloc(arena, CONTRACT_COUNT + ACCOUNT_COUNT, sizeof *all);
    if (all == NULL)
        return HN_ERR_NO_MEMORY;
    hn_u256 ether = hn_u256_of(wei_per_ether), count = hn_u256_of(ETHER_EACH);
    for (size_t i = 0; i < CONTRACT_COUNT; i++)
        HN_TRY(deploy(&all[i], arena, contracts[i].address, contracts[i].code));
    for (size_t i = 0; i < ACCOUNT_COUNT; i++) {
        HN_TRY(decode(all[CONTRACT_COUNT + i].address.b, accounts[i]));
        all[CONTRACT_COUNT + i].balance = hn_u256_mul(&ether, &count);
    }
    qsort(all, CONTRACT_COUNT + ACCOUNT_COUNT, sizeof *all, compare_accounts);
    out->accounts = all;
    out->account_count = CONTRACT_COUNT + ACCOUNT_COUNT;
    return HN_OK;
}

hn_err hn_genesis_development(hn_genesis *out, hn_arena *arena)
{
    hn_genesis genesis = {
        .header =
            {
                .form = HN_HEADER_PRAGUE,
                .uncles_hash = hn_no_uncles_hash,
                .transactions_root = hn_empty_trie_root,
                .receipts_root = hn_empty_trie_root,
                .gas_limit = gas_limit,
                .base_fee_per_gas = hn_u256_of(base_fee),
                .withdrawals_root = hn_empty_trie_root,
                .requests_hash = hn_no_requests_hash,
            },
    };
    hn_chain_config_at_fork(&genesis.config, HN_FORK_OSAKA);
    genesis.config.chain_id = CHAIN_ID;
    memset(genesis.config.deposit_contract, 0, sizeof genesis.config.deposit_contract);
    HN_TRY(allocate(&genesis, arena));
    *out = genesis;
    return HN_OK;
}
