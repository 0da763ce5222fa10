#include "pipeline/cli/evm_t8n.h"

#include "engine/codec/hex.h"
#include "pipeline/cli/evm_fixture.h"
#include "pipeline/cli/evm_network.h"
#include "pipeline/cli/evm_t8n_output.h"
#include "pipeline/cli/evm_t8n_source.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>

/* What the command line says. */
typedef struct t8n_options {
    const char *alloc;
    const char *env;
    const char *txs;
    const char *output_alloc;
    const char *output_result;
    const char *output_body;
    const char *folder;
    const char *fork;
    const char *chain_id;
    const char *reward;
    const char *tracer;
    const char *tracer_config;
    const char *opcode_count;
    bool trace;
    bool trace_memory;
    bool trace_no_stack;
    bool trace_return_data;
    bool trace_call_frames;
} t8n_options;

typedef struct t8n {
    t8n_options options;
    hn_arena arena;
    hn_t8n_problem problem;
    hn_signature_context *signatures;
    hn_t8n_source standard_input;
    hn_t8n_source alloc;
    hn_t8n_source env;
    hn_t8n_source txs;
    uint64_t chain_id;
    hn_chain_config config;
    hn_t8n_input input;
    hn_t8n_trace trace;
    hn_t8n_outcome outcome;
} t8n;

static const char usage[] =
    "usage: hanse evm t8n [options]\n"
    "Puts transactions into a block on given accounts, and prints the accounts afterwards and the result.\n"
    "  --input.alloc FILE, --input.env FILE, --input.txs FILE\n"
    "        default alloc.json, env.json, txs.json; \"stdin\": member of the object {alloc, env, txs or "
    "txsRlp}\n"
    "        on standard input; transactions in a file that ends in .rlp are a JSON string of RLP\n"
    "  --output.alloc FILE, --output.result FILE, --output.body FILE\n"
    "        default alloc.json, result.json, none; \"stdout\", \"stderr\"; \"\": none\n"
    "  --output.basedir FOLDER   where files are put; made when it is not there\n"
    "  --state.fork NAME         default GrayGlacier\n"
    "  --state.chainid N         default 1\n"
    "  --state.reward N          wei for the block's miner; default 0; -1: none\n"
    "  --trace                   EIP-3155 lines in trace-INDEX-HASH.jsonl\n"
    "  --trace.memory, --trace.nostack, --trace.returndata, --trace.callframes\n"
    "  --trace.tracer NAME       callTracer, prestateTracer, ...: its result in trace-INDEX-HASH.json\n"
    "  --trace.jsonconfig JSON   that tracer's configuration\n"
    "  --opcode.count FILE       how often each opcode was executed\n"
    "  --verbosity N             taken and not used\n"
    "Exit status: 2 execution, 3 configuration, 4 block hash not given, 10 JSON, 11 input or output, 12 "
    "RLP.\n";

/* --- options --- */

enum { OPTION_TEXT = 256, OPTION_SWITCH = 512 };

static const struct {
    const char *name;
    size_t offset; /* of a text in t8n_options */
} text_options[] = {
    {"input.alloc", offsetof(t8n_options, alloc)},
    {"input.env", offsetof(t8n_options, env)},
    {"input.txs", offsetof(t8n_options, txs)},
    {"output.alloc", offsetof(t8n_options, output_alloc)},
    {"output.result", offsetof(t8n_options, output_result)},
    {"output.body", offsetof(t8n_options, output_body)},
    {"output.basedir", offsetof(t8n_options, folder)},
    {"state.fork", offsetof(t8n_options, fork)},
    {"state.chainid", offsetof(t8n_options, chain_id)},
    {"state.reward", offsetof(t8n_options, reward)},
    {"trace.tracer", offsetof(t8n_options, tracer)},
    {"trace.jsonconfig", offsetof(t8n_options, tracer_config)},
    {"opcode.count", offsetof(t8n_options, opcode_count)},
};

static const struct {
    const char *name;
    size_t offset; /* of a bool in t8n_options */
} switch_options[] = {
    {"trace", offsetof(t8n_options, trace)},
    {"trace.memory", offsetof(t8n_options, trace_memory)},
    {"trace.nostack", offsetof(t8n_options, trace_no_stack)},
    {"trace.returndata", offsetof(t8n_options, trace_return_data)},
    {"trace.callframes", offsetof(t8n_options, trace_call_frames)},
};

enum {
    TEXT_COUNT = sizeof text_options / sizeof *text_options,
    SWITCH_COUNT = sizeof switch_options / sizeof *switch_options,
};

static void fill_known(struct option known[TEXT_COUNT + SWITCH_COUNT + 3])
{
    size_t next = 0;
    for (int i = 0; i < TEXT_COUNT; i++)
        known[next++] = (struct option){text_options[i].name, required_argument, NULL, OPTION_TEXT + i};
    for (int i = 0; i < SWITCH_COUNT; i++)
        known[next++] = (struct option){switch_options[i].name, optional_argument, NULL, OPTION_SWITCH + i};
    known[next++] = (struct option){"verbosity", required_argument, NULL, 'v'};
    known[next++] = (struct option){"help", no_argument, NULL, 'h'};
    known[next] = (struct option){NULL, 0, NULL, 0};
}

/* Returns -1 to go on, or an exit status. */
static int parse_options(t8n_options *options, int argc, char **argv)
{
    struct option known[TEXT_COUNT + SWITCH_COUNT + 3];
    fill_known(known);
    *options = (t8n_options){.alloc = "alloc.json",
                             .env = "env.json",
                             .txs = "txs.json",
                             .output_alloc = "alloc.json",
                             .output_result = "result.json",
                             .output_body = "",
                             .folder = "",
                             .fork = "GrayGlacier",
                             .chain_id = "1",
                             .reward = "0"};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return HN_T8N_OK;
        }
        if (option == '?') {
            fputs(usage, stderr);
            return HN_T8N_FAILED;
        }
        if (option >= OPTION_SWITCH)
            *(bool *)((char *)options + switch_options[option - OPTION_SWITCH].offset) =
                optarg == NULL || strcmp(optarg, "false") != 0;
        else if (option >= OPTION_TEXT)
            *(const char **)((char *)options + text_options[option - OPTION_TEXT].offset) = optarg;
    }
    return -1;
}

/* --- input --- */

static hn_t8n_status open_source(t8n *self, hn_t8n_source *out, const char *path, const char *key)
{
    return hn_t8n_source_open(out, &self->problem, &self->standard_input, path, key);
}

static hn_t8n_status read_settings(t8n *self)
{
    hn_network network;
    char *end;
    if (!hn_network_from_name(&network, self->options.fork))
        return hn_t8n_fail(&self->problem, HN_T8N_CONFIG,
                           "failed constructing chain configuration: unsupported fork \"%s\"",
                           self->options.fork);
    if (self->trace.name != NULL && hn_t8n_trace_check(&self->trace) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_CONFIG,
                           "failed instantiating tracer: \"%s\" is not known, or its configuration is wrong",
                           self->trace.name);
    if (hn_hex_read_u64_lenient(&self->chain_id, self->options.chain_id) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_FAILED, "invalid value for --state.chainid: %s",
                           self->options.chain_id);
    errno = 0;
    self->input.reward = strtoll(self->options.reward, &end, 0);
    if (errno != 0 || end == self->options.reward || *end != '\0')
        return hn_t8n_fail(&self->problem, HN_T8N_FAILED, "invalid value for --state.reward: %s",
                           self->options.reward);
    self->config = network.config;
    self->config.chain_id = self->chain_id;
    return HN_T8N_OK;
}

static hn_t8n_status decode_transactions(t8n *self, const hn_json *node)
{
    hn_bytes rlp;
    if (hn_json_read_data(&rlp, &self->arena, node) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_JSON, "failed unmarshalling txs: %s", node->problem->text);
    return hn_t8n_transactions_decode(&self->input.transactions, &self->problem, &self->arena, rlp);
}

static hn_t8n_status read_transactions(t8n *self)
{
    const char *path = self->options.txs;
    size_t length = strlen(path);
    hn_json rlp;
    if (hn_t8n_is_standard_input(path) && hn_json_find(&rlp, &self->standard_input.root, "txsRlp") &&
        hn_json_is_string(&rlp))
        return decode_transactions(self, &rlp);
    if (hn_t8n_is_standard_input(path) && !hn_json_find(&rlp, &self->standard_input.root, "txs"))
        return HN_T8N_OK; /* no transactions */
    HN_T8N_TRY(open_source(self, &self->txs, path, "txs"));
    if (length > 4 && strcmp(path + length - 4, ".rlp") == 0)
        return decode_transactions(self, &self->txs.root);
    if (hn_json_is_null(&self->txs.root))
        return HN_T8N_OK;
    return hn_t8n_transactions_read(&self->input.transactions, &self->problem, &self->arena, self->signatures,
                                    self->chain_id, &self->txs.root);
}

static hn_t8n_status read_input(t8n *self)
{
    HN_T8N_TRY(open_source(self, &self->alloc, self->options.alloc, "alloc"));
    HN_T8N_TRY(open_source(self, &self->env, self->options.env, "env"));
    if (hn_t8n_is_standard_input(self->options.txs))
        HN_T8N_TRY(hn_t8n_source_standard_input(&self->standard_input, &self->problem));
    HN_T8N_TRY(read_settings(self));
    if (!hn_json_is_object(&self->alloc.root))
        return hn_t8n_fail(&self->problem, HN_T8N_JSON, "failed unmarshalling alloc: not an object");
    if (hn_fixture_read_accounts(&self->input.accounts, &self->input.account_count, &self->arena,
                                 &self->alloc.root) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_JSON, "failed unmarshalling alloc: %s",
                           self->alloc.root.problem->text);
    if (hn_signature_context_create(&self->signatures) != HN_OK)
        return hn_t8n_fail(&self->problem, HN_T8N_FAILED, "out of memory");
    HN_T8N_TRY(read_transactions(self));
    return hn_t8n_environment_read(&self->input.environment, &self->problem, &self->arena, &self->config,
                                   &self->env.root);
}

/* --- output --- */

typedef enum part { PART_ALLOC, PART_BODY, PART_RESULT, PART_COUNT, PART_OPCODES } part;

static hn_err print_part(const t8n *self, FILE *file, part which)
{
    if (which == PART_ALLOC)
        return hn_t8n_print_alloc(file, self->outcome.flat);
    if (which == PART_OPCODES)
        hn_t8n_count_print(&self->trace.count, file);
    else if (which == PART_BODY)
        hn_t8n_print_body(file, &self->outcome);
    else
        hn_t8n_print_result(file, &self->input.environment, &self->outcome);
    return HN_OK;
}

static hn_t8n_status write_file(t8n *self, const char *name, part which)
{
    char path[PATH_MAX];
    const char *folder = self->options.folder;
    int size = snprintf(path, sizeof path, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name);
    FILE *file = (size_t)size < sizeof path ? fopen(path, "w") : NULL;
    bool good = file != NULL && print_part(self, file, which) == HN_OK;
    if (file != NULL && fclose(file) != 0)
        good = false;
    return good ? HN_T8N_OK : hn_t8n_fail(&self->problem, HN_T8N_IO, "failed writing output: %s", name);
}

/* The parts that go to a stream are the members of one object there. */
static hn_t8n_status write_output(t8n *self)
{
    static const char *const names[PART_COUNT] = {"alloc", "body", "result"};
    const char *const places[PART_COUNT] = {self->options.output_alloc, self->options.output_body,
                                            self->options.output_result};
    FILE *const streams[] = {stdout, stderr};
    const char *const stream_names[] = {"stdout", "stderr"};
    for (part which = 0; which < PART_COUNT; which++)
        if (places[which][0] != '\0' && strcmp(places[which], "stdout") != 0 &&
            strcmp(places[which], "stderr") != 0)
            HN_T8N_TRY(write_file(self, places[which], which));
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        bool begun = false;
        for (part which = 0; which < PART_COUNT; which++) {
            if (strcmp(places[which], stream_names[i]) != 0)
                continue;
            fprintf(streams[i], "%s\n\"%s\": ", begun ? "," : "{", names[which]);
            begun = true;
            if (print_part(self, streams[i], which) != HN_OK)
                return hn_t8n_fail(&self->problem, HN_T8N_FAILED, "out of memory");
        }
        if (begun)
            fputs("\n}\n", streams[i]);
        if (fflush(streams[i]) != 0)
            return hn_t8n_fail(&self->problem, HN_T8N_IO, "failed writing %s", stream_names[i]);
    }
    return HN_T8N_OK;
}

static hn_t8n_status transition(t8n *self)
{
    const t8n_options *options = &self->options;
    if (!hn_t8n_make_folder(options->folder))
        return hn_t8n_fail(&self->problem, HN_T8N_IO, "failed creating output basedir: %s", options->folder);
    self->trace = (hn_t8n_trace){
        .is_wanted = options->trace || options->tracer != NULL,
        .folder = options->folder,
        .count = {.is_wanted = options->opcode_count != NULL && options->opcode_count[0] != '\0'},
        .name = options->tracer,
        .config = options->tracer_config,
        .writer = {.with_memory = options->trace_memory,
                   .with_return_data = options->trace_return_data,
                   .without_stack = options->trace_no_stack,
                   .with_call_frames = options->trace_call_frames}};
    hn_arena_init(&self->trace.arena, 0, (size_t)1 << 34);
    HN_T8N_TRY(read_input(self));
    HN_T8N_TRY(hn_t8n_apply(&self->outcome, &self->problem, &self->arena, self->signatures, &self->input,
                            &self->trace));
    if (self->trace.count.is_wanted)
        HN_T8N_TRY(write_file(self, options->opcode_count, PART_OPCODES));
    return write_output(self);
}

int hn_evm_t8n_command(int argc, char **argv)
{
    t8n self = {.chain_id = 1};
    int status = parse_options(&self.options, argc, argv);
    if (status >= 0)
        return status;
    hn_arena_init(&self.arena, 0, (size_t)1 << 34);
    status = (int)transition(&self);
    if (status != HN_T8N_OK)
        fprintf(stderr, "ERROR(%d): %s\n", status, self.problem.text);
    hn_t8n_source *const sources[] = {&self.standard_input, &self.alloc, &self.env, &self.txs};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        hn_t8n_source_close(sources[i]);
    hn_flat_destroy(self.outcome.flat);
    hn_signature_context_destroy(self.signatures);
    hn_arena_destroy(&self.trace.arena);
    hn_arena_destroy(&self.arena);
    return status;
}
