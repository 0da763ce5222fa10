#include "pipeline/cli/evm_result.h"

#include "engine/codec/json_writer.h"
#include "pipeline/cli/evm_runner.h"

#include <inttypes.h>

/* Text with what JSON escapes. */
static void put_text(FILE *file, const char *text)
{
    hn_arena arena;
    hn_json_writer writer;
    hn_arena_init(&arena, 0, 0);
    hn_json_writer_init(&writer, &arena, SIZE_MAX / 2);
    hn_json_text(&writer, text, strlen(text));
    if (!writer.has_failed)
        fwrite(writer.text, 1, writer.size, file);
    hn_arena_destroy(&arena);
}

static void add_line(hn_evm_results *results, const hn_evm_outcome *outcome)
{
    bool is_good = outcome->error == NULL;
    fprintf(results->file, "[%s] %s", is_good ? "\033[32mPASS\033[0m" : "\033[31mFAIL\033[0m", outcome->name);
    if (!is_good)
        fprintf(results->file, ", err=%s, fork=%s", outcome->error, outcome->fork);
    fputs(outcome->state != NULL ? "\n" : "", results->file);
    fprintf(results->file, "%s\n", outcome->state != NULL ? outcome->state : "");
}

static void add_object(hn_evm_results *results, const hn_evm_outcome *outcome)
{
    FILE *file = results->file;
    fprintf(file, "%s\n  {\n    \"name\": ", results->passed + results->failed == 0 ? "[" : ",");
    put_text(file, outcome->name);
    fprintf(file, ",\n    \"pass\": %s,\n", outcome->error == NULL ? "true" : "false");
    if (outcome->state_root != NULL)
        fprintf(file, "    \"stateRoot\": \"%s\",\n", hn_hash_text_of(outcome->state_root).text);
    fputs("    \"fork\": ", file);
    put_text(file, outcome->fork);
    if (outcome->error != NULL) {
        fputs(",\n    \"error\": ", file);
        put_text(file, outcome->error);
    }
    if (outcome->state != NULL)
        fprintf(file, ",\n    \"state\": %s", outcome->state);
    if (outcome->has_statistics) /* nothing is allocated while code runs */
        fprintf(file,
                ",\n    \"benchStats\": {\n      \"time\": %" PRIu64
                ",\n      \"allocs\": 0,\n      \"bytesAllocated\": 0,\n      \"gasUsed\": %" PRIu64
                "\n    }",
                outcome->nanoseconds, outcome->gas_used);
    fputs("\n  }", file);
}

void hn_evm_results_add(hn_evm_results *results, const hn_evm_outcome *outcome)
{
    if (results->is_for_people)
        add_line(results, outcome);
    else
        add_object(results, outcome);
    results->passed += outcome->error == NULL;
    results->failed += outcome->error != NULL;
}

void hn_evm_results_end(const hn_evm_results *results)
{
    if (results->is_for_people)
        fprintf(results->file, "--\n%zu tests passed, %zu tests failed.\n", results->passed, results->failed);
    else
        fputs(results->passed + results->failed == 0 ? "[]\n" : "\n]\n", results->file);
}
