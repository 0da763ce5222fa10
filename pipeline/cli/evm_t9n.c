#include "pipeline/cli/evm_t9n.h"

#include "engine/chain/transition.h"
#include "engine/codec/hex.h"
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "pipeline/cli/evm_network.h"
#include "pipeline/cli/evm_runner.h"
#include "pipeline/cli/evm_t8n_decode_error.h"
#include "pipeline/cli/evm_t8n_source.h"

#include <getopt.h>
#include <inttypes.h>

static const uint64_t gas_limit_max = UINT64_C(1) << 24; /* EIP-7825 */

enum { ERROR_MAX = 200 };

typedef struct t9n {
    const char *txs, *fork_name, *chain_id_text;
    hn_arena arena;
    hn_t8n_problem problem;
    hn_t8n_source standard_input, source;
    hn_signature_context *signatures;
    hn_chain_config config;
    hn_fork fork;
    uint64_t chain_id;
} t9n;

/* What is said of one transaction. */
typedef struct verdict {
    char error[ERROR_MAX]; /* empty: none */
    bool has_hash, has_sender;
    hn_hash hash;
    hn_address sender;
    uint64_t intrinsic_gas;
} verdict;

static const char usage[] =
    "usage: hanse evm t9n [options]\n"
    "Says of each signed transaction whether it is valid on its own.\n"
    "  --input.txs FILE    a JSON string of an RLP list, in a file that ends in .rlp, or \"stdin\": member\n"
    "                      txsRlp of the object on standard input\n"
    "  --state.fork NAME   default GrayGlacier\n"
    "  --state.chainid N   default 1\n"
    "  --verbosity N       taken and not used\n"
    "Exit status: 1 no list, 3 configuration, 10 JSON, 11 input.\n";

/* --- one transaction --- */

/* The sender of the bytes that were really signed, where numbers were cut for decoding. */
static hn_err find_sender(t9n *self, verdict *out, const hn_transaction *transaction, hn_bytes raw)
{
    enum { SIGNATURE_FIELDS = 3 };
    size_t prefix = transaction->type != HN_TRANSACTION_LEGACY, count;
    hn_rlp_cursor input = hn_rlp_cursor_of(hn_bytes_of(raw.data + prefix, raw.size - prefix)), list;
    hn_hash digest;
    HN_TRY(hn_rlp_read_list(&list, &input));
    HN_TRY(hn_rlp_count(&count, list));
    const uint8_t *begin = list.next;
    for (size_t i = 0; i + SIGNATURE_FIELDS < count; i++) {
        hn_bytes part;
        HN_TRY(hn_rlp_read_raw(&part, &list));
    }
    size_t size = (size_t)(list.next - begin), end_size = 0;
    bool names_chain = prefix == 0 && transaction->is_replay_protected;
    if (names_chain)
        end_size = hn_rlp_size_of_u64(transaction->chain_id) + 2 * hn_rlp_size_of_u64(0);
    uint8_t *bytes = hn_arena_alloc(&self->arena, size + end_size + 16);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    uint8_t *to = bytes;
    if (prefix != 0)
        *to++ = (uint8_t)transaction->type;
    to = hn_rlp_write_list_prefix(to, size + end_size);
    memcpy(to, begin, size);
    to += size;
    if (names_chain) {
        to = hn_rlp_write_u64(to, transaction->chain_id);
        to = hn_rlp_write_u64(to, 0);
        to = hn_rlp_write_u64(to, 0);
    }
    hn_keccak256(&digest, bytes, (size_t)(to - bytes));
    return hn_signature_recover(self->signatures, &out->sender, &digest, &transaction->signature);
}

static void check_signer(t9n *self, verdict *out, const hn_transaction *transaction, hn_bytes raw,
                         const hn_cut_numbers *cut)
{
    static const hn_fork first_forks[] = {HN_FORK_FRONTIER, HN_FORK_BERLIN, HN_FORK_LONDON, HN_FORK_CANCUN,
                                          HN_FORK_PRAGUE};
    bool is_typed = transaction->type != HN_TRANSACTION_LEGACY;
    bool names_chain = is_typed || transaction->is_replay_protected;
    if (self->fork < first_forks[transaction->type])
        snprintf(out->error, ERROR_MAX, "transaction type not supported");
    else if (names_chain && self->fork >= HN_FORK_SPURIOUS_DRAGON &&
             (transaction->chain_id != self->chain_id))
        snprintf(out->error, ERROR_MAX, "invalid chain id for signer: have %" PRIu64 " want %" PRIu64,
                 transaction->chain_id, self->chain_id);
    else if (cut->signature || (!is_typed && names_chain && self->fork < HN_FORK_SPURIOUS_DRAGON) ||
             !hn_signature_in_range(&transaction->signature, self->fork >= HN_FORK_HOMESTEAD))
        snprintf(out->error, ERROR_MAX, "invalid transaction v, r, s values");
    else if (find_sender(self, out, transaction, raw) != HN_OK)
        snprintf(out->error, ERROR_MAX, "recovery failed");
    else
        out->has_sender = true;
}

/* False: geth looks no further. */
static bool check_gas(const t9n *self, verdict *out, const hn_transaction *transaction)
{
    uint64_t intrinsic, floor;
    if (!hn_transaction_intrinsic_gas(&intrinsic, &floor, self->fork, transaction)) {
        snprintf(out->error, ERROR_MAX, "gas uint64 overflow");
        return false;
    }
    out->intrinsic_gas = intrinsic;
    if (transaction->gas_limit < intrinsic)
        snprintf(out->error, ERROR_MAX, "intrinsic gas too low: have %" PRIu64 ", want %" PRIu64,
                 transaction->gas_limit, intrinsic);
    else if (self->fork >= HN_FORK_PRAGUE && transaction->gas_limit < floor)
        snprintf(out->error, ERROR_MAX,
                 "insufficient gas for floor data gas cost: have %" PRIu64 ", want %" PRIu64,
                 transaction->gas_limit, floor);
    return out->error[0] == '\0';
}

static bool product_overflows(uint64_t gas, const hn_u256 *price)
{
    hn_u256 factor = hn_u256_of(gas);
    hn_u256 product = hn_u256_mul(&factor, price);
    hn_u256 back = gas != 0 ? hn_u256_div(&product, &factor) : *price;
    return !hn_u256_equal(&back, price);
}

static void check_fields(const t9n *self, verdict *out, const hn_transaction *transaction,
                         const hn_cut_numbers *cut)
{
    const char *text = "";
    if (transaction->nonce == UINT64_MAX)
        text = "nonce exceeds 2^64-1";
    else if (cut->value)
        text = "value exceeds 256 bits";
    else if (cut->price)
        text = "gasPrice exceeds 256 bits";
    else if (cut->tip)
        text = "maxPriorityFeePerGas exceeds 256 bits";
    else if (hn_u256_less(&transaction->max_fee_per_gas, &transaction->max_priority_fee_per_gas))
        text = "maxFeePerGas < maxPriorityFeePerGas";
    else if (product_overflows(transaction->gas_limit, &transaction->max_fee_per_gas))
        text = "gas * gasPrice exceeds 256 bits";
    snprintf(out->error, ERROR_MAX, "%s", text);
    size_t most = 2 * (size_t)self->config.contract_size_limit;
    if (transaction->is_create && self->fork >= HN_FORK_SHANGHAI && transaction->data.size > most)
        snprintf(out->error, ERROR_MAX, "max initcode size exceeded: code size %zu limit %zu",
                 transaction->data.size, most);
    if (self->fork >= HN_FORK_OSAKA && transaction->gas_limit > gas_limit_max)
        snprintf(out->error, ERROR_MAX, "gas limit exceeds maximum");
}

static void judge(t9n *self, verdict *out, hn_bytes raw)
{
    hn_transaction transaction;
    hn_cut_numbers cut = {.value = false};
    hn_bytes shortened;
    *out = (verdict){.error = ""};
    hn_err err = hn_transaction_decode(&transaction, &self->arena, raw);
    if (err != HN_OK && hn_t8n_cut_numbers(&shortened, &cut, &self->arena, raw) == HN_OK &&
        (cut.value || cut.price || cut.tip || cut.signature))
        err = hn_transaction_decode(&transaction, &self->arena, shortened);
    if (err != HN_OK) {
        snprintf(out->error, ERROR_MAX, "%s", hn_t8n_decode_error(&self->arena, raw, err));
        return;
    }
    hn_keccak256(&out->hash, raw.data, raw.size);
    out->has_hash = true;
    check_signer(self, out, &transaction, raw, &cut);
    if (out->has_sender && check_gas(self, out, &transaction))
        check_fields(self, out, &transaction, &cut);
}

/* --- all of them --- */

static void print_verdict(const verdict *item, bool is_first)
{
    const char *separator = "";
    char text[2 * sizeof item->sender.b + 1];
    fputs(is_first ? "\n  {" : ",\n  {", stdout);
    if (item->error[0] != '\0') {
        printf("\n    \"error\": \"%s\"", item->error);
        separator = ",";
    }
    if (item->has_sender) {
        *hn_hex_encode(text, item->sender.b, sizeof item->sender.b) = '\0';
        printf("%s\n    \"address\": \"0x%s\"", separator, text);
        separator = ",";
    }
    if (item->has_hash) {
        printf("%s\n    \"hash\": \"%s\"", separator, hn_hash_text_of(&item->hash).text);
        separator = ",";
    }
    if (item->intrinsic_gas != 0)
        printf("%s\n    \"intrinsicGas\": \"0x%" PRIx64 "\"", separator, item->intrinsic_gas);
    fputs("\n  }", stdout);
}

static hn_t8n_status run(t9n *self, hn_bytes rlp)
{
    hn_rlp_cursor input = hn_rlp_cursor_of(rlp), items;
    size_t count = 0;
    if (hn_rlp_read_list(&items, &input) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_FAILED, "rlp: expected List");
    verdict *verdicts = hn_arena_calloc(&self->arena, (size_t)(items.end - items.next) + 1, sizeof *verdicts);
    if (verdicts == NULL)
        return hn_t8n_fail(&self->problem, HN_T8N_FAILED, "out of memory");
    while (!hn_rlp_at_end(&items)) {
        static const char too_short[] = "typed transaction too short";
        hn_bytes raw;
        bool is_list = hn_rlp_next_is_list(&items);
        hn_err err = is_list ? hn_rlp_read_raw(&raw, &items) : hn_rlp_read_string(&raw, &items);
        if (err == HN_ERR_TRUNCATED)
            return hn_t8n_fail(&self->problem, HN_T8N_IO, "rlp: value size exceeds available input length");
        if (err != HN_OK)
            return hn_t8n_fail(&self->problem, HN_T8N_IO, "rlp: %s", hn_err_text(err));
        verdict *item = &verdicts[count++];
        if (!is_list && raw.size <= 1)
            memcpy(item->error, too_short, sizeof too_short);
        else if (!is_list && raw.data[0] >= 0xc0)
            snprintf(item->error, ERROR_MAX, "transaction type not supported");
        else
            judge(self, item, raw);
    }
    fputs(count == 0 ? "null" : "[", stdout);
    for (size_t i = 0; i < count; i++)
        print_verdict(&verdicts[i], i == 0);
    fputs(count == 0 ? "\n" : "\n]\n", stdout);
    return HN_T8N_OK;
}

static hn_t8n_status read_and_run(t9n *self)
{
    hn_network network;
    hn_bytes rlp;
    size_t length = strlen(self->txs);
    if (!hn_network_from_name(&network, self->fork_name))
        return hn_t8n_fail(&self->problem, HN_T8N_CONFIG,
                           "failed constructing chain configuration: unsupported fork \"%s\"",
                           self->fork_name);
    if (hn_hex_read_u64_lenient(&self->chain_id, self->chain_id_text) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_FAILED, "invalid value for --state.chainid: %s",
                           self->chain_id_text);
    self->config = network.config;
    self->fork = hn_fork_at(&self->config, 0, 0);
    if (!hn_t8n_is_standard_input(self->txs) && (length < 4 || strcmp(self->txs + length - 4, ".rlp") != 0))
        return hn_t8n_fail(&self->problem, HN_T8N_IO, "only rlp supported");
    HN_T8N_TRY(hn_t8n_source_open(&self->source, &self->problem, &self->standard_input, self->txs, "txsRlp"));
    if (hn_json_read_data(&rlp, &self->arena, &self->source.root) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_JSON, "failed unmarshalling txs: %s",
                           self->source.root.problem->text);
    if (hn_signature_context_create(&self->signatures) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_FAILED, "out of memory");
    return run(self, rlp);
}

int hn_evm_t9n_command(int argc, char **argv)
{
    static const struct option known[] = {{"input.txs", required_argument, NULL, 't'},
                                          {"state.fork", required_argument, NULL, 'f'},
                                          {"state.chainid", required_argument, NULL, 'c'},
                                          {"verbosity", required_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    t9n self = {.txs = "txs.json", .fork_name = "GrayGlacier", .chain_id_text = "1"};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (option == 'h' || option == '?') {
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? HN_T8N_OK : HN_T8N_FAILED;
        }
        if (option == 't')
            self.txs = optarg;
        else if (option == 'f')
            self.fork_name = optarg;
        else if (option == 'c')
            self.chain_id_text = optarg;
    }
    hn_arena_init(&self.arena, 0, (size_t)1 << 32);
    hn_t8n_status status = read_and_run(&self);
    if (status != HN_T8N_OK)
        fprintf(stderr, "ERROR(%d): %s\n", (int)status, self.problem.text);
    hn_t8n_source_close(&self.source);
    hn_t8n_source_close(&self.standard_input);
    hn_signature_context_destroy(self.signatures);
    hn_arena_destroy(&self.arena);
    return (int)status;
}
