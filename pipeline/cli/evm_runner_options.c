/* The command line of the runners of test vectors. */
#include "pipeline/cli/evm_runner.h"

#include <stdlib.h>

enum {
    EXCLUDES_MAX = sizeof((hn_evm_options *)NULL)->excludes / sizeof(char *),
};

static const char usage[] =
    "usage: hanse evm statetest|blocktest|txtest|rlptest|trietest|tracetest [options] PATH...\n"
    "Runs the vectors in files, and in the .json files of folders.\n"
    "  --fork NAME         only this fork\n"
    "  --filter TEXT       only tests whose path or name contains TEXT\n"
    "  --exclude TEXT      no test whose path or name contains TEXT (up to 8 times)\n"
    "  --index N           only the N-th case of each fork (statetest)\n"
    "  --json              EIP-3155 traces on standard error (implies one thread, exact interpreter)\n"
    "  --interpreter KIND  fast (default), exact, or both\n"
    "  --threads N         default: one per core\n"
    "  --time-limit S      begin no file after S seconds; those left count as failed\n"
    "statetest and blocktest as geth's evm tool has them, with an array of JSON objects on standard output; "
    "without\n"
    "a PATH the paths are read from standard input:\n"
    "  --geth              that form; the other options here imply it\n"
    "  --human             lines for people instead of JSON\n"
    "  --run REGEX         only tests whose name it matches\n"
    "  --statetest.fork NAME, --statetest.index N\n"
    "  --dump              with the state afterwards (statetest)\n"
    "  --bench             with the time that a case takes (statetest)\n";

static bool parse_interpreter(hn_evm_interpreter *out, const char *text)
{
    static const char *const names[] = {"fast", "exact", "both"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (hn_evm_interpreter)i;
            return true;
        }
    }
    return false;
}

enum {
    OPTION_GETH = 'g', /* this and the next ones imply geth's form */
    OPTION_HUMAN = 'H',
    OPTION_RUN = 'r',
    OPTION_DUMP = 'd',
    OPTION_BENCH = 'b',
    OPTION_GETH_FORK = 'F',
    OPTION_GETH_INDEX = 'N',
    OPTION_VERBOSITY = 'v',
};

static const struct option known_options[] = {
    {"fork", required_argument, NULL, 'f'},
    {"filter", required_argument, NULL, 'm'},
    {"exclude", required_argument, NULL, 'x'},
    {"index", required_argument, NULL, 'n'},
    {"interpreter", required_argument, NULL, 'i'},
    {"threads", required_argument, NULL, 't'},
    {"time-limit", required_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},
    {"geth", no_argument, NULL, OPTION_GETH},
    {"human", no_argument, NULL, OPTION_HUMAN},
    {"run", required_argument, NULL, OPTION_RUN},
    {"dump", no_argument, NULL, OPTION_DUMP},
    {"bench", no_argument, NULL, OPTION_BENCH},
    {"statetest.fork", required_argument, NULL, OPTION_GETH_FORK},
    {"statetest.index", required_argument, NULL, OPTION_GETH_INDEX},
    {"verbosity", required_argument, NULL, OPTION_VERBOSITY},
};

enum { KNOWN_COUNT = sizeof known_options / sizeof known_options[0] };

static bool take_pattern(hn_evm_options *options, const char *text)
{
    if (options->has_pattern)
        regfree(&options->pattern);
    options->has_pattern = regcomp(&options->pattern, text, REG_EXTENDED | REG_NOSUB) == 0;
    return options->has_pattern;
}

/* False: its value is wrong. */
static bool take_as_geth(hn_evm_options *options, int option, const char *text)
{
    options->as_geth = true;
    if (option == OPTION_HUMAN)
        options->for_people = true;
    else if (option == OPTION_RUN)
        return take_pattern(options, text);
    else if (option == OPTION_DUMP)
        options->dump = true;
    else if (option == OPTION_BENCH)
        options->bench = true;
    else if (option == OPTION_GETH_FORK)
        options->fork = text;
    else if (option == OPTION_GETH_INDEX)
        options->only_index = text;
    return true;
}

static bool take(hn_evm_options *options, int option, const char *text)
{
    if (option >= HN_TRACE_OPTION) {
        if (!hn_trace_options_take(&options->geth_trace, option, text))
            return false;
        bool is_own = options->geth_trace.json && !options->geth_trace.trace && !options->as_geth;
        options->as_geth |= !is_own; /* --json alone is the runners' own */
        options->trace |= options->geth_trace.json;
    } else if (option == 'f') {
        options->fork = text;
    } else if (option == 'm') {
        options->filter = text;
    } else if (option == 'x' && options->exclude_count < EXCLUDES_MAX) {
        options->excludes[options->exclude_count++] = text;
    } else if (option == 'n') {
        options->only_index = text;
    } else if (option == 't') {
        options->threads = (unsigned)strtoul(text, NULL, 10);
    } else if (option == 'l') {
        options->seconds_max = (unsigned)strtoul(text, NULL, 10);
    } else if (option == 'i') {
        return parse_interpreter(&options->interpreter, text);
    } else if (option != OPTION_VERBOSITY) {
        return option != 'x' && take_as_geth(options, option, text);
    }
    return true;
}

static int put_usage(FILE *file, int status)
{
    fputs(usage, file);
    fputs(hn_trace_options_usage, file);
    return status;
}

int hn_evm_options_parse(hn_evm_options *options, int argc, char **argv)
{
    struct option known[KNOWN_COUNT + HN_TRACE_OPTION_COUNT + 1];
    size_t count = KNOWN_COUNT;
    memcpy(known, known_options, sizeof known_options);
    hn_trace_options_list(known, &count);
    known[count] = (struct option){NULL, 0, NULL, 0};
    hn_trace_options_init(&options->geth_trace);
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (option == 'h')
            return put_usage(stdout, 0);
        if (option == '?' || !take(options, option, optarg))
            return put_usage(stderr, 2);
    }
    if (options->trace || options->as_geth)
        options->threads = 1;
    if (options->trace)
        options->interpreter = HN_INTERPRETER_EXACT;
    if (options->threads == 0 || options->threads > HN_EVM_THREADS_MAX ||
        (optind >= argc && !options->as_geth))
        return put_usage(stderr, 2);
    return -1;
}
