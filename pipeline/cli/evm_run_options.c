#include "pipeline/cli/evm_run_options.h"

#include "engine/codec/hex.h"
#include "pipeline/cli/evm_runner.h"

#include <stdlib.h>

static const uint64_t default_gas = UINT64_C(10000000000);

static const char usage[] =
    "usage: hanse evm run [options] [CODE]\n"
    "Runs code at an address of its own and prints what it returns.\n"
    "  --code HEX | --codefile FILE    the code (or as last argument; FILE \"-\": standard input);\n"
    "                                  default: the receiver's in --prestate\n"
    "  --input HEX | --inputfile FILE  call data\n"
    "  --create                        the code is init code, --input its arguments: deploy it\n"
    "  --gas N                         default 10000000000, or the gas limit of --prestate\n"
    "  --value N, --price N            wei\n"
    "  --sender ADDRESS, --receiver ADDRESS\n"
    "  --prestate FILE                 genesis file with accounts, configuration and block\n"
    "  --state.fork NAME               default: the newest, or what --prestate says\n"
    "  --dump                          the state afterwards\n"
    "  --statdump                      gas used and time\n"
    "  --bench                         the same, of many runs\n"
    "  --verbosity N                   taken and not used\n";

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

/* A file's, or with "-" standard input's. */
static bool parse_hex_file(hn_bytes *out, hn_arena *arena, const char *path)
{
    size_t size;
    uint8_t *text = strcmp(path, "-") == 0 ? hn_read_standard_input(&size) : hn_read_whole_file(path, &size);
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
    OPTION_DUMP,
    OPTION_STATISTICS,
    OPTION_BENCH,
    OPTION_VERBOSITY,
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
    {"dump", no_argument, NULL, OPTION_DUMP},
    {"statdump", no_argument, NULL, OPTION_STATISTICS},
    {"bench", no_argument, NULL, OPTION_BENCH},
    {"verbosity", required_argument, NULL, OPTION_VERBOSITY},
    {"help", no_argument, NULL, 'h'},
};

enum { KNOWN_COUNT = sizeof known_options / sizeof known_options[0] };

/* Options that name a value. False: the value is wrong. */
static bool take_value(hn_run_options *options, hn_arena *arena, int option, const char *text)
{
    if (option == OPTION_CODE)
        return parse_hex(&options->code, arena, text, strlen(text));
    if (option == OPTION_CODE_FILE)
        return parse_hex_file(&options->code, arena, text);
    if (option == OPTION_INPUT)
        return parse_hex(&options->input, arena, text, strlen(text));
    if (option == OPTION_INPUT_FILE)
        return parse_hex_file(&options->input, arena, text);
    if (option == OPTION_GAS)
        return hn_hex_read_u64_lenient(&options->gas, text) == HN_OK;
    if (option == OPTION_VALUE)
        return hn_hex_read_u256_lenient(&options->value, text) == HN_OK;
    if (option == OPTION_PRICE)
        return hn_hex_read_u256_lenient(&options->price, text) == HN_OK;
    if (option == OPTION_SENDER)
        return parse_address(&options->sender, arena, text);
    if (option == OPTION_RECEIVER)
        return parse_address(&options->receiver, arena, text);
    if (option == OPTION_FORK)
        return options->has_fork = hn_fork_from_name(&options->fork, text);
    if (option == OPTION_PRESTATE)
        options->genesis_path = text;
    return option == OPTION_PRESTATE || option == OPTION_VERBOSITY;
}

static bool take(hn_run_options *options, hn_arena *arena, int option, const char *text)
{
    if (option >= HN_TRACE_OPTION)
        return hn_trace_options_take(&options->trace, option, text);
    if (text != NULL)
        return take_value(options, arena, option, text);
    if (option == OPTION_CREATE)
        options->is_create = true;
    else if (option == OPTION_DUMP)
        options->dump = true;
    else if (option == OPTION_STATISTICS)
        options->statistics = true;
    else if (option == OPTION_BENCH)
        options->bench = true;
    return true;
}

static void put_usage(FILE *file)
{
    fputs(usage, file);
    fputs(hn_trace_options_usage, file);
}

int hn_run_options_parse(hn_run_options *options, hn_arena *arena, int argc, char **argv)
{
    struct option known[KNOWN_COUNT + HN_TRACE_OPTION_COUNT + 1];
    size_t count = KNOWN_COUNT;
    memcpy(known, known_options, sizeof known_options);
    hn_trace_options_list(known, &count);
    known[count] = (struct option){NULL, 0, NULL, 0};
    *options = (hn_run_options){.gas = default_gas};
    hn_trace_options_init(&options->trace);
    memcpy(options->sender.b + 14, "sender", 6);
    memcpy(options->receiver.b + 12, "receiver", 8);
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (option == 'h' || option == '?') {
            put_usage(option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
        if (!take(options, arena, option, optarg)) {
            fprintf(stderr, "hanse evm run: wrong value: %s\n", optarg == NULL ? "" : optarg);
            return 2;
        }
    }
    if (optind < argc && !parse_hex(&options->code, arena, argv[optind], strlen(argv[optind]))) {
        fprintf(stderr, "hanse evm run: not hexadecimal code: %s\n", argv[optind]);
        return 2;
    }
    return -1;
}
