/* Time of programs in the fast interpreter, and beside it in another virtual machine.
 *
 * usage: bench_evm [--exact] [--filter TEXT] [--json] [--peer LIBRARY] [--rounds N] [FOLDER]
 *
 * FOLDER holds programs.txt and expected.txt of evm-benchmarks; without it only our own Solidity programs
 * (evm_solidity.c) run. Results are checked first; the exit status tells. warm: the code is decoded already;
 * cold: it is as if the machine
 * never saw it. The peer's interface knows no difference: it gets the bytes of the code
 * every time. All take turns, round by round, so that other work on the machine meets all of them; the
 * figures are medians of the thread's processor time. Only the machines run in them: no state is set up or
 * taken down.
 */
#include "bench/evm_peer.h"
#include "bench/evm_solidity.h"
#include "tests/unit/engine/evm/programs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 9, ROUNDS_MAX = 101, MEMORY_BYTES = 256 << 20, RUNS_A_TURN = 256, GROUPS_MAX = 8 };

static const double round_ns = 2e7;

typedef enum contender { WARM, COLD, PEER, CONTENDERS } contender;

/* Programs of one folder in the name: main/..., micro/..., solidity/... */
typedef struct group {
    char name[32];
    unsigned count;
    double logs[CONTENDERS];
    double lowest; /* ratio */
} group;

typedef struct bench {
    bool exact, json;
    unsigned rounds;
    const char *filter, *folder;
    evm_world world;
    evm_programs programs;
    evm_peer *peer;
    group groups[GROUPS_MAX];
    unsigned group_count;
} bench;

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds of `times` executions in a row. Now and then, off the clock, what they did to the state is
 * taken back, which keeps the journal short. */
static double run_ours(bench *b, const hn_message *message, unsigned times, bool cold)
{
    evm_world *world = &b->world;
    hn_evm_result result = {.status = HN_EVM_INTERRUPTED};
    hn_state_checkpoint checkpoint = hn_state_checkpoint_now(world->state);
    double took = 0;
    for (unsigned i = 0; i < times;) {
        unsigned turn = cold ? 1 : times - i < RUNS_A_TURN ? times - i : RUNS_A_TURN;
        if (cold)
            hn_code_cache_clear(&world->evm->code_cache);
        double start = now_ns();
        for (unsigned j = 0; j < turn; j++)
            hn_evm_execute(world->evm, &result, world->state, &world->block, &world->transaction, message,
                           NULL);
        took += now_ns() - start;
        hn_state_revert(world->state, checkpoint);
        i += turn;
    }
    HN_CHECK(result.status == HN_EVM_SUCCESS);
    return took;
}

static double run_peer(bench *b, const hn_message *message, unsigned times)
{
    bool is_success = true;
    double start = now_ns();
    for (unsigned i = 0; i < times; i++)
        is_success &= evm_peer_execute(b->peer, message, b->world.block.fork).is_success;
    double took = now_ns() - start;
    HN_CHECK(is_success);
    return took;
}

static double run_contender(bench *b, contender who, const hn_message *message, unsigned times)
{
    return (who == PEER ? run_peer(b, message, times) : run_ours(b, message, times, who == COLD)) / times;
}

static int compare_doubles(const void *left, const void *right)
{
    double x = *(const double *)left, y = *(const double *)right;
    return x < y ? -1 : x > y;
}

static void measure(bench *b, double medians[CONTENDERS], const hn_message *message)
{
    static double rounds[CONTENDERS][ROUNDS_MAX];
    unsigned times[CONTENDERS], contenders = b->peer != NULL ? CONTENDERS : PEER;
    /* once without looking: every slot is warm and every page there */
    hn_evm_result result;
    hn_evm_execute(b->world.evm, &result, b->world.state, &b->world.block, &b->world.transaction, message,
                   NULL);
    for (unsigned who = 0; who < contenders; who++) {
        double once = run_contender(b, (contender)who, message, 1);
        times[who] = once < round_ns ? (unsigned)(round_ns / once) + 1 : 1;
    }
    for (unsigned i = 0; i < b->rounds; i++)
        for (unsigned who = 0; who < contenders; who++)
            rounds[who][i] = run_contender(b, (contender)who, message, times[who]);
    for (unsigned who = 0; who < contenders; who++) {
        qsort(rounds[who], b->rounds, sizeof rounds[who][0], compare_doubles);
        medians[who] = rounds[who][b->rounds / 2];
    }
}

static void count_into_group(bench *b, const char *name, const double medians[CONTENDERS])
{
    size_t size = strcspn(name, "/");
    group *g = b->groups;
    while (g < b->groups + b->group_count && (strncmp(g->name, name, size) != 0 || g->name[size] != '\0'))
        g++;
    if (g == b->groups + b->group_count) {
        HN_CHECK(b->group_count < GROUPS_MAX && size < sizeof g->name);
        b->group_count++;
        *g = (group){.lowest = HUGE_VAL};
        memcpy(g->name, name, size);
    }
    g->count++;
    for (unsigned who = 0; who < CONTENDERS; who++)
        g->logs[who] += log(medians[who]);
    if (medians[PEER] / medians[WARM] < g->lowest)
        g->lowest = medians[PEER] / medians[WARM];
}

static void print_line(const bench *b, const char *name, uint64_t gas, const double medians[CONTENDERS])
{
    double gas_per_second = (double)gas / medians[WARM] * 1e9;
    if (b->json) {
        printf("{\"program\": \"%s\", \"warm_ns\": %.1f, \"cold_ns\": %.1f, \"gas\": %" PRIu64
               ", \"gas_per_second\": %.0f",
               name, medians[WARM], medians[COLD], gas, gas_per_second);
        if (b->peer != NULL)
            printf(", \"peer_ns\": %.1f", medians[PEER]);
        printf("}\n");
    } else {
        printf("%-36s %12.0f %12.0f %9.0f", name, medians[WARM], medians[COLD], gas_per_second / 1e6);
        if (b->peer != NULL)
            printf(" %12.0f %8.2f %8.2f", medians[PEER], medians[PEER] / medians[WARM],
                   medians[PEER] / medians[COLD]);
        printf("\n");
    }
    fflush(stdout);
}

static void print_head(const bench *b)
{
    if (b->json)
        return;
    if (b->peer != NULL)
        printf("peer: %s %s; ratios above 1: ours is faster\n", evm_peer_name(b->peer),
               evm_peer_version(b->peer));
    printf("%-36s %12s %12s %9s", "program", "warm ns", "cold ns", "Mgas/s");
    if (b->peer != NULL)
        printf(" %12s %8s %8s", "peer ns", "warm", "cold");
    printf("\n");
}

static void print_groups(const bench *b)
{
    for (const group *g = b->groups; g < b->groups + b->group_count && !b->json; g++) {
        double n = g->count, warm = g->logs[WARM] / n, cold = g->logs[COLD] / n, peer = g->logs[PEER] / n;
        printf("geometric mean of %s: warm %.0f ns, cold %.0f ns", g->name, exp(warm), exp(cold));
        if (b->peer != NULL)
            printf("; ratio warm %.2f (lowest %.2f), cold %.2f", exp(peer - warm), g->lowest,
                   exp(peer - cold));
        printf("\n");
    }
}

static void read_options(bench *b, int count, char **values)
{
    bool bad = false;
    b->rounds = ROUNDS;
    for (int i = 1; i < count; i++) {
        if (strcmp(values[i], "--exact") == 0)
            b->exact = true;
        else if (strcmp(values[i], "--json") == 0)
            b->json = true;
        else if (strcmp(values[i], "--filter") == 0 && i + 1 < count)
            b->filter = values[++i];
        else if (strcmp(values[i], "--peer") == 0 && i + 1 < count)
            b->peer = evm_peer_open(values[++i]);
        else if (strcmp(values[i], "--rounds") == 0 && i + 1 < count)
            b->rounds = (unsigned)strtoul(values[++i], NULL, 10);
        else if (values[i][0] != '-' && b->folder == NULL)
            b->folder = values[i];
        else
            bad = true;
    }
    if (bad || b->rounds == 0 || b->rounds > ROUNDS_MAX) {
        fprintf(stderr,
                "usage: %s [--exact] [--filter TEXT] [--json] [--peer LIBRARY] [--rounds N] [FOLDER]\n",
                values[0]);
        exit(2);
    }
}

/* The peer must come to the same output for the same gas. */
static bool check_peer(bench *b, const char *name, const hn_message *message, uint64_t gas, hn_bytes output)
{
    if (b->peer == NULL)
        return true;
    evm_peer_result result = evm_peer_execute(b->peer, message, b->world.block.fork);
    bool same =
        result.is_success && message->gas - result.gas_left == gas && hn_bytes_equal(result.output, output);
    if (!same)
        printf("FAIL %s: the peer differs (gas %" PRIu64 ", ours %" PRIu64 ")\n", name,
               message->gas - result.gas_left, gas);
    return same;
}

/* The world is set up: warms it, compares and measures. */
static bool run_message(bench *b, const char *name, const hn_message *message)
{
    evm_world *world = &b->world;
    double medians[CONTENDERS] = {1, 1, 1};
    hn_evm_result result;
    world->evm->exact_only = b->exact;
    hn_evm_set_patience(world->evm, HN_EVM_PATIENCE_USUAL);
    hn_state_checkpoint checkpoint = hn_state_checkpoint_now(world->state);
    uint64_t gas = 0;
    for (unsigned i = 0; i < 2; i++) { /* the second finds everything warm, as the peer's host does */
        hn_evm_execute(world->evm, &result, world->state, &world->block, &world->transaction, message, NULL);
        gas = message->gas - result.gas_left;
    }
    bool same = result.status == HN_EVM_SUCCESS;

    if (b->peer != NULL && same) {
        (void)evm_peer_execute(b->peer, message, world->block.fork);
        same = check_peer(b, name, message, gas, result.output);
    }
    hn_state_revert(world->state, checkpoint);
    if (!same)
        return false;
    measure(b, medians, message);
    print_line(b, name, gas, medians);
    count_into_group(b, name, medians);
    return true;
}

static bool run_program(bench *b, const evm_program *program)
{
    char problem[256];
    if (!evm_program_check(&b->world, program, b->exact ? EVM_EXACT : EVM_FAST, problem)) {
        printf("FAIL %s: %s\n", program->name, problem);
        return false;
    }
    evm_program_put(&b->world, program);
    hn_message message = evm_program_message(program);
    if (b->peer != NULL) {
        evm_peer_clear(b->peer);
        evm_peer_put_code(b->peer, &message.code_address, program->code);
    }
    return run_message(b, program->name, &message);
}

static unsigned run_solidity(bench *b)
{
    unsigned failures = 0;
    for (unsigned i = 0; i < evm_solidity_count; i++) {
        const char *name = evm_solidity_name(i);
        if (b->filter != NULL && strstr(name, b->filter) == NULL)
            continue;
        hn_message message;
        evm_solidity_put(&b->world, b->peer, &message, i);
        if (!run_message(b, name, &message)) {
            printf("FAIL %s\n", name);
            failures++;
        }
    }
    return failures;
}

int main(int count, char **values)
{
    static bench b;
    unsigned failures = 0;
    read_options(&b, count, values);
    if (b.folder != NULL && !evm_programs_read(&b.programs, b.folder, b.filter)) {
        fprintf(stderr, "%s: programs.txt or expected.txt cannot be read\n", b.folder);
        return 2;
    }
    evm_world_create(&b.world, HN_FORK_BERLIN, MEMORY_BYTES);
    print_head(&b);
    for (size_t i = 0; i < b.programs.count; i++)
        failures += !run_program(&b, &b.programs.items[i]);
    failures += run_solidity(&b);
    print_groups(&b);
    if (failures != 0)
        fprintf(stderr, "%u failures\n", failures);
    evm_world_destroy(&b.world);
    evm_peer_close(b.peer);
    return failures != 0;
}
