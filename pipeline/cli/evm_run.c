#include "pipeline/cli/evm_run.h"

#include "engine/chain/genesis_state.h"
#include "engine/engine.h"
#include "pipeline/cli/evm_dump.h"
#include "pipeline/cli/evm_run_options.h"
#include "pipeline/cli/evm_runner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

static const size_t evm_memory_bytes = (size_t)1 << 30;
static const uint64_t bench_nanoseconds = UINT64_C(1000000000);

/* One run's objects. */
typedef struct run {
    hn_run_options options;
    hn_arena arena;
    hn_precompile_context *precompiles;
    hn_evm *evm;
    hn_genesis genesis;
    hn_flat *flat;
    hn_state *state;
    hn_evm_block block;
    hn_bytes init_code; /* of a creation: the code and its arguments */
} run;

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

static hn_err join_init_code(run *self)
{
    const hn_run_options *options = &self->options;
    uint8_t *bytes = hn_arena_alloc(&self->arena, options->code.size + options->input.size + 1);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    if (options->code.size != 0)
        memcpy(bytes, options->code.data, options->code.size);
    if (options->input.size != 0)
        memcpy(bytes + options->code.size, options->input.data, options->input.size);
    self->init_code = hn_bytes_of(bytes, options->code.size + options->input.size);
    return HN_OK;
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
    else if (self->block.gas_limit != 0)
        self->options.gas = self->block.gas_limit;
    return join_init_code(self);
}

static uint64_t nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Runs on the state as it was at the beginning; *nanoseconds is how long it took. */
static hn_evm_result execute(run *self, uint64_t *nanoseconds, hn_tracer *tracer)
{
    const hn_run_options *options = &self->options;
    hn_state *state = self->state;
    hn_state_view view = hn_flat_view(self->flat);
    hn_message message = {.kind = options->is_create ? HN_MESSAGE_CREATE : HN_MESSAGE_CALL,
                          .gas = options->gas,
                          .sender = options->sender,
                          .recipient = options->receiver,
                          .value = options->value,
                          .input = options->is_create ? self->init_code : options->input};
    hn_state_reset(state, &view, self->block.fork);
    hn_state_begin_transaction(state);
    hn_state_account *sender = hn_state_get(state, &options->sender);
    if (options->is_create) {
        hn_create_address(&message.recipient, &options->sender, sender->current.nonce);
        hn_state_set_nonce(state, sender, sender->current.nonce + 1);
    } else if (options->code.size != 0) {
        hn_state_set_code(state, hn_state_get(state, &options->receiver), options->code);
    }
    message.code_address = message.recipient;
    hn_state_warm(state, sender);
    hn_state_warm(state, hn_state_get(state, &message.recipient));
    hn_evm_transaction transaction = {.origin = options->sender, .gas_price = options->price};
    hn_evm_result result;
    uint64_t begun = nanoseconds_now();
    hn_evm_execute(self->evm, &result, state, &self->block, &transaction, &message, tracer);
    *nanoseconds = nanoseconds_now() - begun;
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

static void print_logs(const run *self)
{
    uint32_t count;
    const hn_log *logs = hn_state_logs(self->state, &count);
    fputs(count != 0 ? "### LOGS\n" : "", stderr);
    for (uint32_t i = 0; i < count; i++) {
        fprintf(stderr, "LOG%" PRIu32 ": ", logs[i].topic_count);
        hn_trace_put_hex(stderr, hn_bytes_of(logs[i].address.b, sizeof logs[i].address.b));
        fputs(" bn=0 txi=0\n", stderr);
        for (uint32_t k = 0; k < logs[i].topic_count; k++) {
            fprintf(stderr, "%08" PRIu32 "  ", k);
            hn_trace_put_hex(stderr, hn_bytes_of(logs[i].topics[k].b, sizeof logs[i].topics[k].b));
            putc('\n', stderr);
        }
        hn_trace_put_dump(stderr, logs[i].data);
        putc('\n', stderr);
    }
}

static void print_statistics(uint64_t gas_used, uint64_t nanoseconds)
{
    fprintf(stderr, "EVM gas used:    %" PRIu64 "\nexecution time:  ", gas_used);
    if (nanoseconds < 1000000)
        fprintf(stderr, "%.3f\u00b5s\n", (double)nanoseconds / 1e3);
    else if (nanoseconds < 1000000000)
        fprintf(stderr, "%.6fms\n", (double)nanoseconds / 1e6);
    else
        fprintf(stderr, "%.9fs\n", (double)nanoseconds / 1e9);
    /* The machine reserves all its memory beforehand. */
    fputs("allocations:     0\nallocated bytes: 0\n", stderr);
}

/* Listens for why the first frame fails. */
typedef struct failure_listener {
    hn_failure_watch watch;
    char text[HN_FAILURE_TEXT_MAX];
} failure_listener;

static void watch_step(void *self, const hn_trace_step *step)
{
    failure_listener *listener = self;
    hn_failure_watch_step(&listener->watch, step);
}

static void watch_exit(void *self, const hn_message *message, const hn_evm_result *result, uint64_t gas_used)
{
    failure_listener *listener = self;
    (void)gas_used;
    if (message->depth == 0 && result->status != HN_EVM_SUCCESS)
        hn_failure_text(listener->text, &listener->watch, message, result->status);
}

static void print_output(run *self, const hn_evm_result *result)
{
    failure_listener listener = {.text = ""};
    hn_tracer tracer = {.self = &listener, .step = watch_step, .exit = watch_exit};
    uint64_t nanoseconds;
    fputs(result->output.size != 0 ? "0x" : "", stdout);
    hn_trace_put_hex(stdout, result->output);
    putchar('\n');
    if (result->status == HN_EVM_SUCCESS)
        return;
    (void)execute(self, &nanoseconds, &tracer); /* once more, to see where it fails */
    printf(" error: %s\n", listener.text);
}

static hn_evm_result run_often(run *self, uint64_t *nanoseconds)
{
    uint64_t sum = 0, count = 0, once;
    hn_evm_result result;
    (void)execute(self, &once, NULL); /* to warm up */
    do {
        result = execute(self, &once, NULL);
        sum += once;
        count++;
    } while (sum < bench_nanoseconds);
    *nanoseconds = sum / count;
    return result;
}

static int run_and_print(run *self)
{
    const hn_run_options *options = &self->options;
    hn_trace_writer writer;
    bool traces = hn_trace_options_apply(&options->trace, &writer);
    uint64_t nanoseconds;
    writer.file = stderr;
    hn_tracer tracer = hn_trace_writer_tracer(&writer);
    hn_evm_result result =
        options->bench ? run_often(self, &nanoseconds) : execute(self, &nanoseconds, traces ? &tracer : NULL);
    hn_trace_writer_release(&writer);
    bool good = !options->dump || dump(self) == HN_OK;
    if (options->trace.debug)
        print_logs(self);
    if (options->statistics || options->bench)
        print_statistics(options->gas - result.gas_left, nanoseconds);
    if (!traces)
        print_output(self, &result);
    if (!good)
        fputs("hanse evm run: out of memory\n", stderr);
    return good ? 0 : 1;
}

int hn_evm_run_command(int argc, char **argv)
{
    run self = {.flat = NULL};
    hn_arena_init(&self.arena, 0, (size_t)1 << 32);
    int status = hn_run_options_parse(&self.options, &self.arena, argc, argv);
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
