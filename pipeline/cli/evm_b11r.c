#include "pipeline/cli/evm_b11r.h"

#include "engine/codec/hex.h"
#include "engine/codec/rlp.h"
#include "engine/crypto/keccak.h"
#include "engine/types/block.h"
#include "pipeline/cli/evm_fixture.h"
#include "pipeline/cli/evm_t8n_output.h"
#include "pipeline/cli/evm_t8n_source.h"
#include "pipeline/cli/evm_trace.h"

#include <getopt.h>
#include <limits.h>

enum { VANITY_BYTES = 32, SEAL_BYTES = 65 };

typedef struct b11r {
    const char *header_path, *ommers_path, *withdrawals_path, *txs_path, *clique_path;
    const char *output, *folder;
    hn_arena arena;
    hn_t8n_problem problem;
    hn_t8n_source standard_input, header, ommers, withdrawals, txs, clique;
    hn_block block;
    bool has_extra_data, has_beneficiary, has_nonce; /* the header says */
    uint8_t extra_data[VANITY_BYTES + SEAL_BYTES];
} b11r;

static const char usage[] =
    "usage: hanse evm b11r [options]\n"
    "Puts a block together from its parts.\n"
    "  --input.header FILE       default header.json\n"
    "  --input.txs FILE          a JSON string of RLP; default txs.rlp\n"
    "  --input.ommers FILE       a JSON array of RLP strings, each [header, transactions, uncles]\n"
    "  --input.withdrawals FILE  a JSON array of objects\n"
    "        \"stdin\": member of the object {header, txs, ommers, withdrawals, clique} on standard input\n"
    "  --seal.clique FILE        seal with {secretKey, voted, authorize, vanity}\n"
    "  --output.block FILE       default block.json; \"stdout\", \"stderr\"\n"
    "  --output.basedir FOLDER   where the file is put; made when it is not there\n"
    "  --verbosity N             taken and not used\n"
    "Exit status: 3 configuration, 10 JSON, 11 input or output, 12 RLP.\n";

/* --- input --- */

static hn_err optional_data(bool *is_there, hn_bytes *out, hn_arena *arena, const hn_json *node,
                            const char *key)
{
    hn_json member;
    *is_there = hn_json_find(&member, node, key);
    return *is_there ? hn_json_read_data(out, arena, &member) : HN_OK;
}

static hn_err optional_fixed(bool *is_there, void *out, size_t size, const hn_json *node, const char *key)
{
    hn_json member;
    *is_there = hn_json_find(&member, node, key);
    return *is_there ? hn_json_read_fixed(out, size, &member) : HN_OK;
}

/* RLP as hexadecimal text, "0x" or not. */
static hn_err read_rlp(hn_bytes *out, hn_arena *arena, const hn_json *node)
{
    const char *text;
    HN_TRY(hn_json_read_string(&text, node));
    text += text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 2 : 0;
    size_t size = strlen(text);
    uint8_t *bytes = hn_arena_alloc(arena, size / 2 + 1);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_hex_decode(bytes, text, size));
    *out = hn_bytes_of(bytes, size / 2);
    return HN_OK;
}

/* The fields of later forks: the header has the form of the last that is there. */
static hn_err read_later_fields(hn_header *out, const hn_json *node)
{
    static const struct {
        const char *key;
        hn_header_form form;
    } keys[] = {{"baseFeePerGas", HN_HEADER_LONDON},         {"withdrawalsRoot", HN_HEADER_SHANGHAI},
                {"blobGasUsed", HN_HEADER_CANCUN},           {"excessBlobGas", HN_HEADER_CANCUN},
                {"parentBeaconBlockRoot", HN_HEADER_CANCUN}, {"requestsHash", HN_HEADER_PRAGUE}};
    hn_json member;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (hn_json_find(&member, node, keys[i].key))
            out->form = keys[i].form;
    HN_TRY(hn_fixture_optional_u256(&out->base_fee_per_gas, node, "baseFeePerGas"));
    HN_TRY(hn_fixture_optional_fixed(out->withdrawals_root.b, 32, node, "withdrawalsRoot"));
    HN_TRY(hn_fixture_optional_u64(&out->blob_gas_used, node, "blobGasUsed"));
    HN_TRY(hn_fixture_optional_u64(&out->excess_blob_gas, node, "excessBlobGas"));
    HN_TRY(hn_fixture_optional_fixed(out->parent_beacon_block_root.b, 32, node, "parentBeaconBlockRoot"));
    return hn_fixture_optional_fixed(out->requests_hash.b, 32, node, "requestsHash");
}

static hn_err read_header(b11r *self, const hn_json *node)
{
    hn_header *out = &self->block.header;
    bool has_uncles_hash, ignored;
    *out = (hn_header){.uncles_hash = hn_no_uncles_hash,
                       .transactions_root = hn_empty_trie_root,
                       .receipts_root = hn_empty_trie_root};
    HN_TRY(hn_fixture_fixed(out->state_root.b, 32, node, "stateRoot"));
    HN_TRY(hn_fixture_u64(&out->number, node, "number"));
    HN_TRY(hn_fixture_u64(&out->gas_limit, node, "gasLimit"));
    HN_TRY(hn_fixture_u64(&out->timestamp, node, "timestamp"));
    HN_TRY(hn_fixture_optional_fixed(out->parent_hash.b, 32, node, "parentHash"));
    HN_TRY(optional_fixed(&has_uncles_hash, out->uncles_hash.b, 32, node, "sha3Uncles"));
    HN_TRY(optional_fixed(&self->has_beneficiary, out->beneficiary.b, 20, node, "miner"));
    HN_TRY(hn_fixture_optional_fixed(out->transactions_root.b, 32, node, "transactionsRoot"));
    HN_TRY(hn_fixture_optional_fixed(out->receipts_root.b, 32, node, "receiptsRoot"));
    HN_TRY(optional_fixed(&ignored, out->bloom.b, sizeof out->bloom.b, node, "logsBloom"));
    HN_TRY(hn_fixture_optional_u256(&out->difficulty, node, "difficulty"));
    HN_TRY(hn_fixture_optional_u64(&out->gas_used, node, "gasUsed"));
    HN_TRY(optional_data(&self->has_extra_data, &out->extra_data, &self->arena, node, "extraData"));
    HN_TRY(hn_fixture_optional_fixed(out->mix_hash.b, 32, node, "mixHash"));
    HN_TRY(optional_fixed(&self->has_nonce, out->nonce, sizeof out->nonce, node, "nonce"));
    HN_TRY(read_later_fields(out, node));
    if (out->extra_data.size > HN_HEADER_EXTRA_MAX)
        return hn_json_fail(node, HN_ERR_RANGE, "extraData: more than %d bytes", HN_HEADER_EXTRA_MAX);
    if (!has_uncles_hash && self->block.uncle_count != 0)
        HN_TRY(hn_uncles_hash(&out->uncles_hash, &self->arena, self->block.uncles, self->block.uncle_count));
    return HN_OK;
}

/* Each a block's RLP, of which the header counts. */
static hn_err read_uncles(b11r *self, const hn_json *list)
{
    size_t count = hn_json_size(list);
    hn_header *uncles = hn_arena_calloc(&self->arena, count + 1, sizeof *uncles);
    if (uncles == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        hn_json item = hn_json_at(list, i);
        hn_bytes raw;
        HN_TRY(read_rlp(&raw, &self->arena, &item));
        hn_rlp_cursor input = hn_rlp_cursor_of(raw), parts;
        HN_TRY(hn_rlp_read_list(&parts, &input));
        HN_TRY(hn_rlp_read_raw(&raw, &parts));
        HN_TRY(hn_header_decode(&uncles[i], raw));
    }
    self->block.uncles = uncles;
    self->block.uncle_count = (uint32_t)count;
    return HN_OK;
}

static hn_err read_withdrawals(b11r *self, const hn_json *list)
{
    size_t count = hn_json_size(list);
    hn_withdrawal *items = hn_arena_calloc(&self->arena, count + 1, sizeof *items);
    if (items == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        hn_json item = hn_json_at(list, i);
        HN_TRY(hn_fixture_u64(&items[i].index, &item, "index"));
        HN_TRY(hn_fixture_u64(&items[i].validator_index, &item, "validatorIndex"));
        HN_TRY(hn_fixture_fixed(items[i].address.b, sizeof items[i].address.b, &item, "address"));
        HN_TRY(hn_fixture_u64(&items[i].amount_gwei, &item, "amount"));
    }
    self->block.withdrawals = items;
    self->block.withdrawal_count = (uint32_t)count;
    self->block.has_withdrawals = true;
    return HN_OK;
}

static hn_err read_transactions(b11r *self, hn_bytes rlp)
{
    hn_rlp_cursor input = hn_rlp_cursor_of(rlp), items;
    void *array;
    HN_TRY(hn_rlp_read_array(&array, &self->block.transaction_count, &items, &input, &self->arena,
                             sizeof(hn_transaction)));
    hn_transaction *transactions = array;
    for (uint32_t i = 0; i < self->block.transaction_count; i++) {
        hn_bytes raw;
        if (hn_rlp_next_is_list(&items))
            HN_TRY(hn_rlp_read_raw(&raw, &items));
        else
            HN_TRY(hn_rlp_read_string(&raw, &items));
        HN_TRY(hn_transaction_decode(&transactions[i], &self->arena, raw));
    }
    self->block.transactions = transactions;
    return HN_OK;
}

/* What reading a part came to: RLP's errors apart from JSON's. */
static hn_t8n_status check_part(b11r *self, hn_err err, const char *part, const hn_json *node, bool is_rlp)
{
    if (err == HN_OK)
        return HN_T8N_OK;
    return is_rlp ? hn_t8n_fail(&self->problem, HN_T8N_RLP, "unable to decode %s from rlp data: %s", part,
                                hn_err_text(err))
                  : hn_t8n_fail(&self->problem, HN_T8N_JSON, "failed unmarshalling %s: %s", part,
                                node->problem->text);
}

static hn_t8n_status open_part(b11r *self, hn_t8n_source *out, const char *path, const char *key)
{
    return hn_t8n_source_open(out, &self->problem, &self->standard_input, path, key);
}

static hn_t8n_status read_lists(b11r *self)
{
    if (self->ommers_path[0] != '\0') {
        HN_T8N_TRY(open_part(self, &self->ommers, self->ommers_path, "ommers"));
        HN_T8N_TRY(
            check_part(self, read_uncles(self, &self->ommers.root), "ommer", &self->ommers.root, true));
    }
    if (self->withdrawals_path[0] != '\0') {
        HN_T8N_TRY(open_part(self, &self->withdrawals, self->withdrawals_path, "withdrawals"));
        HN_T8N_TRY(check_part(self, read_withdrawals(self, &self->withdrawals.root), "withdrawals",
                              &self->withdrawals.root, false));
    }
    return HN_T8N_OK;
}

static hn_t8n_status read_input(b11r *self)
{
    hn_bytes rlp = {0};
    HN_T8N_TRY(open_part(self, &self->header, self->header_path, "header"));
    HN_T8N_TRY(read_lists(self));
    HN_T8N_TRY(open_part(self, &self->txs, self->txs_path, "txs"));
    HN_T8N_TRY(
        check_part(self, read_rlp(&rlp, &self->arena, &self->txs.root), "txs", &self->txs.root, false));
    if (rlp.size != 0)
        HN_T8N_TRY(check_part(self, read_transactions(self, rlp), "transaction", NULL, true));
    return check_part(self, read_header(self, &self->header.root), "header", &self->header.root, false);
}

/* --- sealing --- */

/* Clique (EIP-225): vanity and, over the header with the vanity alone, a signature, as extra data. */
static hn_err seal(b11r *self, const hn_json *node)
{
    hn_header *header = &self->block.header;
    hn_hash vanity = {.b = {0}}, digest;
    uint8_t key[32];
    hn_json member;
    hn_signature signature;
    hn_signature_context *signatures;
    bool authorizes = true;
    HN_TRY(hn_fixture_fixed(key, sizeof key, node, "secretKey"));
    HN_TRY(hn_fixture_optional_fixed(vanity.b, sizeof vanity.b, node, "vanity"));
    HN_TRY(hn_fixture_optional_fixed(header->beneficiary.b, sizeof header->beneficiary.b, node, "voted"));
    if (hn_json_find(&member, node, "authorize")) {
        HN_TRY(hn_json_read_bool(&authorizes, &member));
        memset(header->nonce, authorizes ? 0 : 0xff, sizeof header->nonce);
    }
    memcpy(self->extra_data, vanity.b, VANITY_BYTES);
    header->extra_data = hn_bytes_of(self->extra_data, VANITY_BYTES);
    hn_header_hash(&digest, header);
    HN_TRY(hn_signature_context_create(&signatures));
    hn_err err = hn_signature_sign(signatures, &signature, &digest, key);
    hn_signature_context_destroy(signatures);
    HN_TRY(err);
    memcpy(self->extra_data + VANITY_BYTES, signature.r.b, 32);
    memcpy(self->extra_data + VANITY_BYTES + 32, signature.s.b, 32);
    self->extra_data[VANITY_BYTES + 64] = signature.y_parity;
    header->extra_data = hn_bytes_of(self->extra_data, sizeof self->extra_data);
    return HN_OK;
}

static hn_t8n_status seal_block(b11r *self)
{
    hn_json member;
    const char *overwritten = NULL;
    if (self->clique_path[0] == '\0')
        return HN_T8N_OK;
    HN_T8N_TRY(open_part(self, &self->clique, self->clique_path, "clique"));
    const hn_json *node = &self->clique.root;
    if (self->has_extra_data)
        overwritten = "sealing with clique will overwrite provided extra data";
    else if (hn_json_find(&member, node, "voted") && self->has_beneficiary)
        overwritten = "sealing with clique and voting will overwrite provided coinbase";
    else if (hn_json_find(&member, node, "authorize") && self->has_nonce)
        overwritten = "sealing with clique and voting will overwrite provided nonce";
    if (overwritten != NULL)
        return hn_t8n_fail(&self->problem, HN_T8N_CONFIG, "%s", overwritten);
    return check_part(self, seal(self, node), "clique", node, false);
}

/* --- output --- */

static bool print_block(const b11r *self, FILE *file, hn_bytes rlp)
{
    hn_hash hash;
    hn_header_hash(&hash, &self->block.header);
    fputs("{\n  \"rlp\": \"0x", file);
    hn_trace_put_hex(file, rlp);
    fputs("\",\n  \"hash\": \"0x", file);
    hn_trace_put_hex(file, hn_bytes_of(hash.b, sizeof hash.b));
    return fputs("\"\n}\n", file) >= 0 && fflush(file) == 0;
}

static hn_t8n_status write_block(b11r *self)
{
    hn_bytes rlp;
    char path[PATH_MAX];
    if (hn_block_encode(&rlp, &self->arena, &self->block) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_FAILED, "out of memory");
    bool to_stdout = strcmp(self->output, "stdout") == 0;
    if (to_stdout || strcmp(self->output, "stderr") == 0)
        return print_block(self, to_stdout ? stdout : stderr, rlp)
                   ? HN_T8N_OK
                   : hn_t8n_fail(&self->problem, HN_T8N_IO, "failed writing %s", self->output);
    int size =
        snprintf(path, sizeof path, "%s%s%s", self->folder, self->folder[0] != '\0' ? "/" : "", self->output);
    FILE *file = (size_t)size < sizeof path ? fopen(path, "w") : NULL;
    bool good = file != NULL && print_block(self, file, rlp);
    if (file != NULL && fclose(file) != 0)
        good = false;
    return good ? HN_T8N_OK
                : hn_t8n_fail(&self->problem, HN_T8N_IO, "failed writing output: %s", self->output);
}

static hn_t8n_status build(b11r *self)
{
    if (!hn_t8n_make_folder(self->folder))
        return hn_t8n_fail(&self->problem, HN_T8N_IO, "failed creating output basedir: %s", self->folder);
    HN_T8N_TRY(read_input(self));
    HN_T8N_TRY(seal_block(self));
    return write_block(self);
}

/* Returns -1 to go on, or an exit status. */
static int parse_options(b11r *self, int argc, char **argv)
{
    const char *verbosity;
    const char **const texts[] = {&self->header_path, &self->ommers_path, &self->withdrawals_path,
                                  &self->txs_path,    &self->clique_path, &self->output,
                                  &self->folder,      &verbosity};
    static const struct option known[] = {{"input.header", required_argument, NULL, 0},
                                          {"input.ommers", required_argument, NULL, 1},
                                          {"input.withdrawals", required_argument, NULL, 2},
                                          {"input.txs", required_argument, NULL, 3},
                                          {"seal.clique", required_argument, NULL, 4},
                                          {"output.block", required_argument, NULL, 5},
                                          {"output.basedir", required_argument, NULL, 6},
                                          {"verbosity", required_argument, NULL, 7},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (option == 'h' || option == '?') {
            fputs(usage, option == 'h' ? stdout : stderr);
            return option == 'h' ? HN_T8N_OK : HN_T8N_FAILED;
        }
        *texts[option] = optarg;
    }
    return -1;
}

int hn_evm_b11r_command(int argc, char **argv)
{
    b11r self = {.header_path = "header.json",
                 .ommers_path = "",
                 .withdrawals_path = "",
                 .txs_path = "txs.rlp",
                 .clique_path = "",
                 .output = "block.json",
                 .folder = ""};
    int status = parse_options(&self, argc, argv);
    if (status >= 0)
        return status;
    hn_arena_init(&self.arena, 0, (size_t)1 << 32);
    status = (int)build(&self);
    if (status != HN_T8N_OK)
        fprintf(stderr, "ERROR(%d): %s\n", status, self.problem.text);
    hn_t8n_source *const sources[] = {&self.standard_input, &self.header, &self.ommers,
                                      &self.withdrawals,    &self.txs,    &self.clique};
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        hn_t8n_source_close(sources[i]);
    hn_arena_destroy(&self.arena);
    return status;
}
