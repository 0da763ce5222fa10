/* sim [--run log|node] [--seed N | --fresh] [--seeds COUNT | --seconds S] [--digest] [--verbose]
 *
 * Runs the simulations of the log and of a whole node for COUNT seeds from N on (--fresh: from one that the
 * clock gives), or for S seconds, and says which one failed, where, and how to repeat it. The same seed gives
 * the same run on every machine; --digest prints a number that stands for it.
 */
#include "tests/sim/commit.h"
#include "tests/sim/log_sim.h"
#include "tests/sim/node_sim.h"

#ifdef HN_SIM_WITH_MUTATIONS
#include "tests/sim/mutations/mutations.h"
#endif

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct settings {
    uint64_t seed;
    uint64_t seeds;
    uint64_t seconds;
    bool with_log;
    bool with_node;
    bool is_verbose;
    bool wants_digest;
    bool until_failure;
} settings;

static const char *program;
static FILE
    *said; /* standard output; standard error goes nowhere unless verbose: nodes tell of every fault */

static const char *run_now = "log";
static uint64_t seed_now;

static void tell_how_to_repeat(const char *run, uint64_t seed)
{
    fprintf(said, "  commit %s; repeat: %s --run %s --seed %" PRIu64 " --verbose\n", HN_SIM_COMMIT, program,
            run, seed);
    fflush(said);
}

/* A broken invariant of the node ends the process. */
static void note_abort(int signal_number)
{
    uint64_t seed, step;
    hn_node_sim_where(&seed, &step);
    if (run_now[0] == 'l') {
        seed = seed_now;
        step = 0; /* not counted */
    }
    fprintf(said, "%s, seed %" PRIu64 ": step %" PRIu64 ": the program ended itself (signal %d)\n", run_now,
            seed, step, signal_number);
    tell_how_to_repeat(run_now, seed);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

#ifdef HN_SIM_WITH_MUTATIONS
/* The planted bug that is active; 0: none. */
int hn_mutation;

static const char *const mutations[][4] = {
#define MUTATION(name, run, about, problem) {name, run, about, problem},
    HN_MUTATION_LIST(MUTATION)
#undef MUTATION
};

static void list_mutations(void)
{
    for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++)
        printf("%s\t%s\t%s\t%s\n", mutations[i][0], mutations[i][1], mutations[i][2], mutations[i][3]);
}

static bool choose_mutation(const char *name)
{
    for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++)
        if (strcmp(mutations[i][0], name) == 0)
            hn_mutation = (int)i + 1;
    return hn_mutation != 0;
}
#else
static void list_mutations(void)
{
}

static bool choose_mutation(const char *name)
{
    (void)name;
    return false;
}
#endif

static uint64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

static bool read_arguments(settings *out, int argc, char **argv)
{
    *out = (settings){.seed = 1, .seeds = 1, .with_log = true, .with_node = true};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--verbose") == 0) {
            out->is_verbose = true;
            continue;
        }
        if (strcmp(argv[i], "--digest") == 0) {
            out->wants_digest = true;
            continue;
        }
        if (strcmp(argv[i], "--until-failure") == 0) {
            out->until_failure = true;
            continue;
        }
        if (strcmp(argv[i], "--fresh") == 0) {
            out->seed = (uint64_t)time(NULL) * 1000;
            continue;
        }
        if (strcmp(argv[i], "--seed") == 0)
            out->seed = strtoull(value, NULL, 0);
        else if (strcmp(argv[i], "--seeds") == 0)
            out->seeds = strtoull(value, NULL, 0);
        else if (strcmp(argv[i], "--seconds") == 0)
            out->seconds = strtoull(value, NULL, 0);
        else if (strcmp(argv[i], "--mutation") == 0 && choose_mutation(value))
            ;
        else if (strcmp(argv[i], "--run") == 0 && (strcmp(value, "log") == 0 || strcmp(value, "node") == 0))
            *(value[0] == 'l' ? &out->with_node : &out->with_log) = false;
        else
            return false;
        i++;
    }
    return true;
}

static bool run_all(const settings *wanted, const char *directory)
{
    hn_log_sim_result log = {.is_good = true};
    hn_node_sim_result node = {.is_good = true};
    bool is_good = true;
    uint64_t end = now_s() + wanted->seconds, count = 0;
    for (; wanted->seconds != 0 ? now_s() < end : count < wanted->seeds; count++) {
        if (wanted->until_failure && !is_good)
            break;
        uint64_t seed = wanted->seed + count;
        seed_now = seed;
        if (wanted->with_log) {
            run_now = "log";
            hn_log_sim_run(&log, seed);
            if (!log.is_good) {
                fprintf(said, "log, seed %" PRIu64 ": %s\n", seed, log.problem);
                tell_how_to_repeat("log", seed);
            }
        }
        if (wanted->with_node) {
            run_now = "node";
            hn_node_sim_run(&node, seed, directory);
            if (!node.is_good) {
                fprintf(said, "node, seed %" PRIu64 ": %s\n", seed, node.problem);
                tell_how_to_repeat("node", seed);
            }
            if (wanted->wants_digest)
                fprintf(said, "seed %" PRIu64 ": %016" PRIx64 "\n", seed, node.digest);
        }
        is_good = is_good && log.is_good && node.is_good;
    }
    fprintf(said, "from seed %" PRIu64 " on:\n", wanted->seed);
    if (wanted->with_log)
        fprintf(said,
                "log: %" PRIu64 " seeds, %" PRIu64 " lives, %" PRIu64 " frames acknowledged, %" PRIu64
                " tails cut, %" PRIu64 " times full, %" PRIu64 " times failed, %" PRIu64
                " damages found, %" PRIu64 " times the beginning was given up\n",
                count, log.lives, log.frames_acknowledged, log.tails_cut, log.times_full, log.times_failed,
                log.damages_found, log.recycled);
    if (wanted->with_node)
        fprintf(said,
                "node: %" PRIu64 " seeds, %" PRIu64 " steps, %" PRIu64 " lives, %" PRIu64
                " power failures, %" PRIu64 " kills, %" PRIu64 " stops, %" PRIu64 " pauses, %" PRIu64
                " starts refused, %" PRIu64 " frames, %" PRIu64 " transactions acknowledged, %" PRIu64
                " live snapshots, %" PRIu64 " logs that gave up their beginning, %" PRIu64
                " times full, %" PRIu64 " times failed, %" PRIu64 " of %" PRIu64 " damages told, %" PRIu64
                " of %" PRIu64 " lies told\n",
                count, node.steps, node.lives, node.crashes, node.kills, node.stops, node.pauses,
                node.refused, node.frames, node.acknowledged, node.snapshots, node.recycled, node.times_full,
                node.times_failed, node.damages_told, node.damages, node.lies_told, node.lies);
    fprintf(said, "%s\n", is_good ? "good" : "FAILED");
    return is_good;
}

int main(int argc, char **argv)
{
    settings wanted;
    program = argv[0];
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list_mutations();
        return 0;
    }
    if (!read_arguments(&wanted, argc, argv)) {
        fprintf(stderr, "usage: sim [--run log|node] [--seed N | --fresh] [--seeds COUNT | --seconds S] "
                        "[--digest] [--verbose]\n");
        return 2;
    }
    said = stdout;
    if (!wanted.is_verbose && freopen("/dev/null", "w", stderr) == NULL)
        return 2;
    signal(SIGABRT, note_abort);
    signal(SIGSEGV, note_abort);
    char directory[] = "/dev/shm/hanse-sim-XXXXXX";
    char other[] = "/tmp/hanse-sim-XXXXXX";
    const char *made = mkdtemp(directory) != NULL ? directory : mkdtemp(other);
    if (made == NULL)
        return 2;
    bool is_good = run_all(&wanted, made);
    rmdir(made);
    return is_good ? 0 : 1;
}
