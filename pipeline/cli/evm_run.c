#include "pipeline/cli/evm_run.h"

#include "engine/chain/genesis_state.h"
#include "engine/codec/hex.h"
#include "engine/engine.h"
#include "pipeline/cli/evm_dump.h"
#include "pipeline/cli/evm_runner.h"
#include "pipeline/cli/evm_trace.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

static const size_t evm_memory_bytes = (size_t)1 << 30;
static const uint64_t default_gas = UINT64_C(10000000000);

/* What the command line says. */
typedef struct run_options {
    hn_bytes code;
    hn_bytes input;
    uint64_t gas;
    hn_u256 value;
    hn_u256 price;
    hn_address sender;
    hn_address receiver;
    bool is_create;
    bool trace;
    bool trace_memory;
    bool trace_return_data;
    bool dump;
    bool statistics;
    bool has_fork;
    hn_fork fork;
    const char *genesis_path;
} run_options;

/* One run's objects. */
typedef struct run {
    run_options options;
    hn_arena arena;
    hn_precompile_context *precompiles;
    hn_evm *evm;
    hn_genesis genesis;
    hn_flat *flat;
    hn_state *state;
    hn_evm_block block;
} run;

static const char usage[] =
    "usage: hanse evm run [options] [CODE]\n"
    "Runs code at an address of its own and prints what it returns.\n"
    "  --code HEX | --codefile FILE    the code (or as last argument); default: the receiver's in "
    "--prestate\n"
    "  --input HEX | --inputfile FILE  call data\n"
    "  --create                        the code is init code: deploy it\n"
    "  --gas N                         default 10000000000\n"
    "  --value N, --price N            wei\n"
    "  --sender ADDRESS, --receiver ADDRESS\n"
    "  --prestate FILE                 genesis file with accounts, configuration and block\n"
    "  --state.fork NAME               default: the newest, or what --prestate says\n"
    "  --json, --trace                 EIP-3155 trace on standard error\n"
    "  --trace.memory, --trace.returndata   with memory; with return data\n"
    "  --dump                          the state afterwards\n"
    "  --statdump                      gas used\n";

/* --- options --- */

static bool parse_hex(hn_bytes *out, hn_arena *arena, const char *text, size_t size)
{
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r' || text[size - 1] == ' '))
        size--;
    if (size >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
        size -= 2;
    }
    uint8_t *bytes = hn_arena_alloc(arena, size / 2 + 1);
    if (bytes == NULL || hn_hex_decode(bytes, text, size) != HN_OK)
        return false;
    *out = hn_bytes_of(bytes, size / 2);
    return true;
}

static bool parse_hex_file(hn_bytes *out, hn_arena *arena, const char *path)
{
    size_t size;
    uint8_t *text = hn_read_whole_file(path, &size);
    bool good = text != NULL && parse_hex(out, arena, (const char *)text, size);
    free(text);
    return good;
}

static bool parse_address(hn_address *out, hn_arena *arena, const char *text)
{
    hn_bytes bytes;
    if (!parse_hex(&bytes, arena, text, strlen(text)) || bytes.size > sizeof out->b)
        return false;
    *out = (hn_address){.b = {0}};
    if (bytes.size != 0)
        memcpy(out->b + sizeof out->b - bytes.size, bytes.data, bytes.size);
    return true;
}

enum {
    OPTION_CODE = 256,
    OPTION_CODE_FILE,
    OPTION_INPUT,
    OPTION_INPUT_FILE,
    OPTION_CREATE,
    OPTION_GAS,
    OPTION_VALUE,
    OPTION_PRICE,
    OPTION_SENDER,
    OPTION_RECEIVER,
    OPTION_PRESTATE,
    OPTION_FORK,
    OPTION_TRACE,
    OPTION_TRACE_MEMORY,
    OPTION_TRACE_RETURN_DATA,
    OPTION_DUMP,
    OPTION_STATISTICS,
};

static const struct option known_options[] = {
    {"code", required_argument, NULL, OPTION_CODE},
    {"codefile", required_argument, NULL, OPTION_CODE_FILE},
    {"input", required_argument, NULL, OPTION_INPUT},
    {"inputfile", required_argument, NULL, OPTION_INPUT_FILE},
    {"create", no_argument, NULL, OPTION_CREATE},
    {"gas", required_argument, NULL, OPTION_GAS},
    {"value", required_argument, NULL, OPTION_VALUE},
    {"price", required_argument, NULL, OPTION_PRICE},
    {"sender", required_argument, NULL, OPTION_SENDER},
    {"receiver", required_argument, NULL, OPTION_RECEIVER},
    {"prestate", required_argument, NULL, OPTION_PRESTATE},
    {"state.fork", required_argument, NULL, OPTION_FORK},
    {"fork", required_argument, NULL, OPTION_FORK},
    {"json", no_argument, NULL, OPTION_TRACE},
    {"trace", no_argument, NULL, OPTION_TRACE},
    {"trace.memory", no_argument, NULL, OPTION_TRACE_MEMORY},
    {"trace.returndata", no_argument, NULL, OPTION_TRACE_RETURN_DATA},
    {"dump", no_argument, NULL, OPTION_DUMP},
    {"statdump", no_argument, NULL, OPTION_STATISTICS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Options that name a value. False: the value is wrong. */
static bool take_value(run *self, int option, const char *text)
{
    run_options *options = &self->options;
    if (option == OPTION_CODE)
        return parse_hex(&options->code, &self->arena, text, strlen(text));
    if (option == OPTION_CODE_FILE)
        return parse_hex_file(&options->code, &self->arena, text);
    if (option == OPTION_INPUT)
        return parse_hex(&options->input, &self->arena, text, strlen(text));
    if (option == OPTION_INPUT_FILE)
        return parse_hex_file(&options->input, &self->arena, text);
    if (option == OPTION_GAS)
        return hn_hex_read_u64_lenient(&options->gas, text) == HN_OK;
    if (option == OPTION_VALUE)
        return hn_hex_read_u256_lenient(&options->value, text) == HN_OK;
    if (option == OPTION_PRICE)
        return hn_hex_read_u256_lenient(&options->price, text) == HN_OK;
    if (option == OPTION_SENDER)
        return parse_address(&options->sender, &self->arena, text);
    if (option == OPTION_RECEIVER)
        return parse_address(&options->receiver, &self->arena, text);
    if (option == OPTION_FORK)
        return options->has_fork = hn_fork_from_name(&options->fork, text);
    if (option == OPTION_PRESTATE) {
        options->genesis_path = text;
        return true;
    }
    return false;
}

static bool take_switch(run_options *options, int option)
{
    bool *const switches[] = {
        [OPTION_CREATE - OPTION_CODE] = &options->is_create,
        [OPTION_TRACE - OPTION_CODE] = &options->trace,
        [OPTION_TRACE_MEMORY - OPTION_CODE] = &options->trace_memory,
        [OPTION_TRACE_RETURN_DATA - OPTION_CODE] = &options->trace_return_data,
        [OPTION_DUMP - OPTION_CODE] = &options->dump,
        [OPTION_STATISTICS - OPTION_CODE] = &options->statistics,
    };
    size_t index = (size_t)(option - OPTION_CODE);
    if (option < OPTION_CODE || index >= sizeof switches / sizeof *switches || switches[index] == NULL)
        return false;
    *switches[index] = true;
    return true;
}

/* Returns -1 to go on, or an exit status. */
static int parse_options(run *self, int argc, char **argv)
{
    memcpy(self->options.sender.b + 14, "sender", 6);
    memcpy(self->options.receiver.b + 12, "receiver", 8);
    self->options.gas = default_gas;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", known_options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option == '?') {
            fputs(usage, stderr);
            return 2;
        }
        if (!(optarg == NULL ? take_switch(&self->options, option) : take_value(self, option, optarg))) {
            fprintf(stderr, "hanse evm run: wrong value: %s\n", optarg == NULL ? "" : optarg);
            return 2;
        }
    }
    if (optind < argc && !parse_hex(&self->options.code, &self->arena, argv[optind], strlen(argv[optind]))) {
        fprintf(stderr, "hanse evm run: not hexadecimal code: %s\n", argv[optind]);
        return 2;
    }
    return -1;
}

/* --- running --- */

static hn_err read_genesis(run *self)
{
    if (self->options.genesis_path == NULL) {
        hn_chain_config_at_fork(&self->genesis.config,
                                self->options.has_fork ? self->options.fork : HN_FORK_OSAKA);
        return HN_OK;
    }
    size_t size;
    hn_genesis_problem problem = {.text = "cannot be read"};
    uint8_t *text = hn_read_whole_file(self->options.genesis_path, &size);
    hn_bytes json;
    hn_err err = text == NULL ? HN_ERR_IO : hn_arena_copy(&json, &self->arena, hn_bytes_of(text, size));
    free(text);
    if (err == HN_OK)
        err = hn_genesis_read(&self->genesis, &problem, &self->arena, json);
    if (err != HN_OK)
        fprintf(stderr, "hanse evm run: %s: %s\n", self->options.genesis_path, problem.text);
    else if (self->options.has_fork)
        hn_chain_config_at_fork(&self->genesis.config, self->options.fork);
    return err;
}

static hn_err prepare(run *self)
{
    HN_TRY(read_genesis(self));
    HN_TRY(hn_precompile_context_create(&self->precompiles));
    HN_TRY(hn_evm_create(&self->evm, self->precompiles, evm_memory_bytes));
    HN_TRY(hn_flat_create(&self->flat, 0, self->genesis.account_count));
    HN_TRY(hn_genesis_fill(self->flat, self->genesis.accounts, self->genesis.account_count));
    HN_TRY(hn_state_create(&self->state, 0));
    hn_evm_block_of(&self->block, &self->genesis.config, &self->genesis.header);
    if (self->options.has_fork)
        self->block.fork = self->options.fork;
    if (self->options.genesis_path == NULL)
        self->block.gas_limit = self->options.gas;
    hn_state_view view = hn_flat_view(self->flat);
    hn_state_reset(self->state, &view, self->block.fork);
    return HN_OK;
}

static hn_evm_result execute(run *self, hn_tracer *tracer)
{
    const run_options *options = &self->options;
    hn_state *state = self->state;
    hn_message message = {.kind = options->is_create ? HN_MESSAGE_CREATE : HN_MESSAGE_CALL,
                          .gas = options->gas,
                          .sender = options->sender,
                          .recipient = options->receiver,
                          .value = options->value,
                          .input = options->input};
    hn_state_begin_transaction(state);
    hn_state_account *sender = hn_state_get(state, &options->sender);
    if (options->is_create) {
        hn_create_address(&message.recipient, &options->sender, sender->current.nonce);
        hn_state_set_nonce(state, sender, sender->current.nonce + 1);
        message.input = options->code;
    } else if (options->code.size != 0) {
        hn_state_set_code(state, hn_state_get(state, &options->receiver), options->code);
    }
    message.code_address = message.recipient;
    hn_state_warm(state, sender);
    hn_state_warm(state, hn_state_get(state, &message.recipient));
    hn_evm_transaction transaction = {.origin = options->sender, .gas_price = options->price};
    hn_evm_result result;
    hn_evm_execute(self->evm, &result, state, &self->block, &transaction, &message, tracer);
    return result;
}

static hn_err dump(run *self)
{
    hn_state_diff diff;
    hn_state_end_transaction(self->state);
    HN_TRY(hn_state_take_diff(self->state, &diff, &self->arena));
    HN_TRY(hn_flat_apply(self->flat, NULL, &diff));
    return hn_dump_state(stdout, self->flat);
}

static int run_and_print(run *self)
{
    const run_options *options = &self->options;
    hn_trace_writer writer = {
        .file = stderr, .with_memory = options->trace_memory, .with_return_data = options->trace_return_data};
    hn_tracer tracer = hn_trace_writer_tracer(&writer);
    hn_evm_result result = execute(self, options->trace ? &tracer : NULL);
    uint64_t gas_used = options->gas - result.gas_left;
    const char *error = result.status == HN_EVM_SUCCESS ? NULL : hn_evm_status_text(result.status);
    if (options->trace)
        hn_trace_writer_summary(&writer, result.output, gas_used, error);
    bool good = !options->dump || dump(self) == HN_OK;
    if (options->statistics)
        fprintf(stderr, "EVM gas used:    %" PRIu64 "\n", gas_used);
    if (!options->trace) {
        fputs("0x", stdout);
        for (size_t i = 0; i < result.output.size; i++)
            printf("%02x", result.output.data[i]);
        putchar('\n');
        if (error != NULL)
            printf(" error: %s\n", error);
    }
    if (!good)
        fputs("hanse evm run: out of memory\n", stderr);
    return good ? 0 : 1;
}

int hn_evm_run_command(int argc, char **argv)
{
    run self = {.flat = NULL};
    hn_arena_init(&self.arena, 0, (size_t)1 << 32);
    int status = parse_options(&self, argc, argv);
    if (status < 0) {
        hn_err err = prepare(&self);
        if (err == HN_OK) {
            status = run_and_print(&self);
        } else {
            fprintf(stderr, "hanse evm run: %s\n", hn_err_text(err));
            status = 1;
        }
        hn_state_destroy(self.state);
        hn_flat_destroy(self.flat);
        hn_evm_destroy(self.evm);
        hn_precompile_context_destroy(self.precompiles);
    }
    hn_arena_destroy(&self.arena);
    return status;
}
