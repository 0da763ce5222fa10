#include "pipeline/cli/evm_trace_options.h"

#include <stddef.h>

const char hn_trace_options_usage[] =
    "  --trace                         trace on standard error\n"
    "  --trace.format FORMAT           json (default: EIP-3155), struct or md\n"
    "  --trace.nostack, --trace.nostorage\n"
    "  --trace.nomemory=false, --trace.noreturndata=false   with memory; with return data\n"
    "  --json, --debug                 older names of --trace, and of --trace --trace.format struct\n";

/* Switches, which take an optional =true or =false; `inverted`: named the other way round. */
static const struct {
    const char *name;
    size_t offset;
    bool inverted;
} switches[] = {
    {"trace", offsetof(hn_trace_options, trace), false},
    {"json", offsetof(hn_trace_options, json), false},
    {"debug", offsetof(hn_trace_options, debug), false},
    {"trace.nomemory", offsetof(hn_trace_options, no_memory), false},
    {"nomemory", offsetof(hn_trace_options, no_memory), false},
    {"trace.memory", offsetof(hn_trace_options, no_memory), true},
    {"trace.nostack", offsetof(hn_trace_options, no_stack), false},
    {"nostack", offsetof(hn_trace_options, no_stack), false},
    {"trace.nostorage", offsetof(hn_trace_options, no_storage), false},
    {"nostorage", offsetof(hn_trace_options, no_storage), false},
    {"trace.noreturndata", offsetof(hn_trace_options, no_return_data), false},
    {"noreturndata", offsetof(hn_trace_options, no_return_data), false},
    {"trace.returndata", offsetof(hn_trace_options, no_return_data), true},
};

enum { SWITCH_COUNT = sizeof switches / sizeof switches[0] };

_Static_assert(SWITCH_COUNT + 1 == HN_TRACE_OPTION_COUNT, "one entry for each switch and the format");

void hn_trace_options_init(hn_trace_options *options)
{
    *options = (hn_trace_options){.no_memory = true, .no_return_data = true};
}

void hn_trace_options_list(struct option *known, size_t *count)
{
    for (int i = 0; i < SWITCH_COUNT; i++)
        known[(*count)++] = (struct option){switches[i].name, optional_argument, NULL, HN_TRACE_OPTION + i};
    known[(*count)++] =
        (struct option){"trace.format", required_argument, NULL, HN_TRACE_OPTION + SWITCH_COUNT};
}

bool hn_trace_options_take(hn_trace_options *options, int option, const char *text)
{
    hn_trace_format format;
    if (option == HN_TRACE_OPTION + SWITCH_COUNT) {
        options->format = text;
        return hn_trace_format_from_name(&format, text);
    }
    size_t index = (size_t)(option - HN_TRACE_OPTION);
    bool value = text == NULL || strcmp(text, "true") == 0;
    if (text != NULL && !value && strcmp(text, "false") != 0)
        return false;
    *(bool *)((char *)options + switches[index].offset) = value != switches[index].inverted;
    return true;
}

bool hn_trace_options_apply(const hn_trace_options *options, hn_trace_writer *writer)
{
    *writer = (hn_trace_writer){.with_memory = !options->no_memory,
                                .with_return_data = !options->no_return_data,
                                .without_stack = options->no_stack,
                                .without_storage = options->no_storage};
    if (options->trace && options->format != NULL)
        (void)hn_trace_format_from_name(&writer->format, options->format);
    else if (!options->trace && !options->json && options->debug)
        writer->format = HN_TRACE_FORMAT_STRUCT;
    return options->trace || options->json || options->debug;
}
