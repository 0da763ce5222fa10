/* Time of the programs of evm-benchmarks in the fast interpreter.
 *
 * usage: bench_evm [--exact] [--filter TEXT] [--json] FOLDER
 * FOLDER holds programs.txt and expected.txt. Results are checked first; the exit status tells. warm: the
 * code is decoded already; cold: it is decoded in every run. Medians of several rounds of the thread's
 * processor time, so that other work on the machine counts less. Only the machine runs in them: no state is
 * set up or taken down.
 */
#include "tests/unit/engine/evm/programs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 7, MEMORY_BYTES = 256 << 20 };

static const double round_ns = 5e7;

typedef struct bench {
    bool exact, json;
    const char *filter;
    const char *folder;
    evm_world world;
    evm_programs programs;
} bench;

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds of one execution, `times` in a row. */
static double run_times(bench *b, const evm_program *program, unsigned times, bool cold)
{
    evm_world *world = &b->world;
    hn_message message = evm_program_message(program);
    hn_evm_result result = {.status = HN_EVM_INTERRUPTED};
    double took = 0, start = now_ns();
    for (unsigned i = 0; i < times; i++) {
        if (cold) { /* clearing is not what is measured */
            hn_code_cache_clear(&world->evm->code_cache);
            start = now_ns();
        }
        hn_evm_execute(world->evm, &result, world->state, &world->block, &world->transaction, &message, NULL);
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

static double measure(bench *b, const evm_program *program, bool cold)
{
    double rounds[ROUNDS], once = run_times(b, program, 1, cold);
    unsigned times = once < round_ns ? (unsigned)(round_ns / once) + 1 : 1;
    for (unsigned i = 0; i < ROUNDS; i++)
        rounds[i] = run_times(b, program, times, cold);
    qsort(rounds, ROUNDS, sizeof rounds[0], compare_doubles);
    return rounds[ROUNDS / 2];
}

static void print_line(const bench *b, const evm_program *program, double warm, double cold)
{
    double gas_per_second = (double)program->gas / warm * 1e9;
    if (b->json)
        printf("{\"program\": \"%s\", \"warm_ns\": %.1f, \"cold_ns\": %.1f, \"gas\": %" PRIu64
               ", \"gas_per_second\": %.0f}\n",
               program->name, warm, cold, program->gas, gas_per_second);
    else
        printf("%-42s %14.1f ns warm %14.1f ns cold %9.1f Mgas/s\n", program->name, warm, cold,
               gas_per_second / 1e6);
    fflush(stdout);
}

static void read_options(bench *b, int count, char **values)
{
    for (int i = 1; i < count; i++) {
        if (strcmp(values[i], "--exact") == 0)
            b->exact = true;
        else if (strcmp(values[i], "--json") == 0)
            b->json = true;
        else if (strcmp(values[i], "--filter") == 0 && i + 1 < count)
            b->filter = values[++i];
        else
            b->folder = values[i];
    }
    if (b->folder == NULL) {
        fprintf(stderr, "usage: %s [--exact] [--filter TEXT] [--json] FOLDER\n", values[0]);
        exit(2);
    }
}

int main(int count, char **values)
{
    static bench b;
    double sum_of_logs = 0;
    unsigned main_count = 0, failures = 0;
    read_options(&b, count, values);
    if (!evm_programs_read(&b.programs, b.folder, b.filter)) {
        fprintf(stderr, "%s: programs.txt or expected.txt cannot be read\n", b.folder);
        return 2;
    }
    evm_world_create(&b.world, HN_FORK_BERLIN, MEMORY_BYTES);
    for (size_t i = 0; i < b.programs.count; i++) {
        const evm_program *program = &b.programs.items[i];
        char problem[256];
        if (!evm_program_check(&b.world, program, b.exact ? EVM_EXACT : EVM_FAST, problem)) {
            printf("FAIL %s: %s\n", program->name, problem);
            failures++;
            continue;
        }
        evm_program_put(&b.world, program);
        b.world.evm->exact_only = b.exact;
        double warm = measure(&b, program, false), cold = measure(&b, program, true);
        print_line(&b, program, warm, cold);
        if (strncmp(program->name, "main/", 5) == 0) {
            sum_of_logs += log(warm);
            main_count++;
        }
    }
    if (main_count != 0 && !b.json)
        printf("geometric mean of main, warm: %.1f ns\n", exp(sum_of_logs / main_count));
    if (failures != 0 || b.programs.count == 0)
        fprintf(stderr, "%zu programs, %u failures\n", b.programs.count, failures);
    evm_world_destroy(&b.world);
    return failures != 0 || b.programs.count == 0;
}
