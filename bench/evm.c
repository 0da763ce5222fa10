/* Time of programs in the fast interpreter: evm-benchmarks' programs.txt, checked against expected.txt.
 *
 * usage: bench_evm [--check] [--exact] [--filter TEXT] [--json] FOLDER
 * warm: the code is decoded already; cold: it is decoded in every run. Medians of several rounds. --check
 * runs each program in both interpreters once and compares gas and output only; the exit status tells.
 */
#include "tests/unit/engine/evm/world.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 7, NAME_BYTES = 128, MEMORY_BYTES = 256 << 20, PROGRAMS_MAX = 128 };

static const uint64_t gas_limit = UINT64_C(1) << 40;
static const double round_ns = 5e7;

typedef struct program {
    char name[NAME_BYTES];
    hn_bytes code, input;
    uint64_t gas;    /* expected */
    uint64_t output; /* expected, FNV-1a */
    bool is_expected;
} program;

typedef struct options {
    bool check, exact, json;
    const char *filter;
    const char *folder;
} options;

typedef struct bench {
    options options;
    evm_world world;
    program programs[PROGRAMS_MAX];
    size_t count;
    unsigned failures;
} bench;

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* other work on the machine counts less */
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* FNV-1a, but from the offset that expected.txt was made with: the usual one in decimal without its last
 * digit. */
static uint64_t fnv1a(hn_bytes bytes)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static FILE *open_file(const bench *b, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", b->options.folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(77); /* skipped: the vectors are not there */
    }
    return file;
}

static hn_bytes read_hex(const char *text)
{
    size_t capacity = strlen(text) / 2 + 1;
    uint8_t *bytes = malloc(capacity);
    HN_CHECK(bytes != NULL);
    return evm_bytes_of_hex(bytes, capacity, text);
}

static void read_programs(bench *b)
{
    FILE *file = open_file(b, "programs.txt");
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) > 0) {
        char *rest = line, *name = strsep(&rest, " "), *code = strsep(&rest, " "),
             *input = strsep(&rest, " \n");
        if (code == NULL || (b->options.filter != NULL && strstr(name, b->options.filter) == NULL))
            continue;
        HN_CHECK(b->count < PROGRAMS_MAX && strlen(name) < NAME_BYTES);
        program *p = &b->programs[b->count++];
        strcpy(p->name, name);
        p->code = read_hex(code);
        p->input = input != NULL ? read_hex(input) : hn_bytes_of(NULL, 0);
    }
    free(line);
    fclose(file);
}

static void read_expected(bench *b)
{
    FILE *file = open_file(b, "expected.txt");
    char name[NAME_BYTES];
    uint64_t gas, output;
    while (fscanf(file, "%127s gas=%" SCNu64 " hash=%" SCNx64, name, &gas, &output) == 3)
        for (size_t i = 0; i < b->count; i++)
            if (strcmp(b->programs[i].name, name) == 0) {
                b->programs[i].gas = gas;
                b->programs[i].output = output;
                b->programs[i].is_expected = true;
            }
    fclose(file);
}

/* expected.txt was made over a host in which every slot is warm and every write costs 100 gas. Under EIP-2929
 * that is what the second execution in one transaction sees; programs that keep off storage cost the same as
 * ever. */
static void check(bench *b, const program *p, evm_way way)
{
    hn_message message = evm_world_call(gas_limit, p->input);
    hn_evm_result result = {.status = HN_EVM_INTERRUPTED};
    b->world.evm->exact_only = way == EVM_EXACT;
    for (unsigned i = 0; i < 2; i++)
        hn_evm_execute(b->world.evm, &result, b->world.state, &b->world.block, &b->world.transaction,
                       &message, NULL);
    uint64_t gas = gas_limit - result.gas_left;
    if (result.status == HN_EVM_SUCCESS && p->is_expected && gas == p->gas &&
        fnv1a(result.output) == p->output)
        return;
    b->failures++;
    printf("FAIL %s (%s): %s, gas %" PRIu64 ", output %016" PRIx64 "; expected gas %" PRIu64
           ", output %016" PRIx64 "\n",
           p->name, way == EVM_FAST ? "fast" : "exact", hn_evm_status_text(result.status), gas,
           fnv1a(result.output), p->gas, p->output);
}

/* Nanoseconds of one execution, `times` in a row. Only the machine is timed: no state is set up or taken
 * down, which is why programs that write storage would see what the run before wrote. */
static double run_times(bench *b, const program *p, unsigned times, bool cold)
{
    hn_message message = evm_world_call(gas_limit, p->input);
    hn_evm_result result;
    double took = 0, start = now_ns();
    for (unsigned i = 0; i < times; i++) {
        if (cold) { /* clearing is not what is measured */
            hn_code_cache_clear(&b->world.evm->code_cache);
            start = now_ns();
        }
        hn_evm_execute(b->world.evm, &result, b->world.state, &b->world.block, &b->world.transaction,
                       &message, NULL);
        if (cold)
            took += now_ns() - start;
    }
    if (!cold)
        took = now_ns() - start;
    HN_CHECK(result.status == HN_EVM_SUCCESS);
    return took / times;
}

static int compare_doubles(const void *left, const void *right)
{
    double x = *(const double *)left, y = *(const double *)right;
    return x < y ? -1 : x > y;
}

static double measure(bench *b, const program *p, bool cold)
{
    double rounds[ROUNDS], once = run_times(b, p, 1, cold);
    unsigned times = once < round_ns ? (unsigned)(round_ns / once) + 1 : 1;
    for (unsigned i = 0; i < ROUNDS; i++)
        rounds[i] = run_times(b, p, times, cold);
    qsort(rounds, ROUNDS, sizeof rounds[0], compare_doubles);
    return rounds[ROUNDS / 2];
}

static void put_program(bench *b, const program *p)
{
    hn_address contract = evm_world_contract(0);
    evm_world_put(&b->world, &contract, p->code, 0, 1);
    hn_state_view view = hn_flat_view(b->world.flat);
    hn_state_reset(b->world.state, &view, b->world.block.fork);
    hn_state_begin_transaction(b->world.state);
    b->world.evm->exact_only = b->options.exact;
}

static void print_line(const bench *b, const program *p, double warm, double cold)
{
    double gas_per_second = (double)p->gas / warm * 1e9;
    if (b->options.json)
        printf("{\"program\": \"%s\", \"warm_ns\": %.1f, \"cold_ns\": %.1f, \"gas\": %" PRIu64
               ", \"gas_per_second\": %.0f}\n",
               p->name, warm, cold, p->gas, gas_per_second);
    else
        printf("%-42s %14.1f ns warm %14.1f ns cold %9.1f Mgas/s\n", p->name, warm, cold,
               gas_per_second / 1e6);
    fflush(stdout);
}

static void read_options(options *o, int count, char **values)
{
    *o = (options){.folder = NULL};
    for (int i = 1; i < count; i++) {
        if (strcmp(values[i], "--check") == 0)
            o->check = true;
        else if (strcmp(values[i], "--exact") == 0)
            o->exact = true;
        else if (strcmp(values[i], "--json") == 0)
            o->json = true;
        else if (strcmp(values[i], "--filter") == 0 && i + 1 < count)
            o->filter = values[++i];
        else
            o->folder = values[i];
    }
    if (o->folder == NULL) {
        fprintf(stderr, "usage: %s [--check] [--exact] [--filter TEXT] [--json] FOLDER\n", values[0]);
        exit(2);
    }
}

int main(int count, char **values)
{
    static bench b;
    read_options(&b.options, count, values);
    read_programs(&b);
    read_expected(&b);
    evm_world_create(&b.world, HN_FORK_BERLIN, MEMORY_BYTES);
    double sum_of_logs = 0;
    unsigned main_count = 0;
    for (size_t i = 0; i < b.count; i++) {
        const program *p = &b.programs[i];
        put_program(&b, p);
        check(&b, p, EVM_FAST);
        put_program(&b, p);
        if (b.options.check) {
            check(&b, p, EVM_EXACT);
            continue;
        }
        double warm = measure(&b, p, false), cold = measure(&b, p, true);
        print_line(&b, p, warm, cold);
        if (strncmp(p->name, "main/", 5) == 0) {
            sum_of_logs += log(warm);
            main_count++;
        }
    }
    if (main_count != 0 && !b.options.json)
        printf("geometric mean of main, warm: %.1f ns\n", exp(sum_of_logs / main_count));
    printf("%zu programs, %u failures\n", b.count, b.failures);
    return b.failures != 0;
}
