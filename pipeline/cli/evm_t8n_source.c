#include "pipeline/cli/evm_t8n_source.h"

#include "pipeline/cli/evm_runner.h"

#include <stdlib.h>

static const hn_json_limits json_limits = {.size_max = (size_t)1 << 30, .depth_max = 512};

bool hn_t8n_is_standard_input(const char *path)
{
    return strcmp(path, "stdin") == 0;
}

static hn_t8n_status parse(hn_t8n_source *out, hn_t8n_problem *problem, const char *what, uint8_t *text,
                           size_t size)
{
    if (text == NULL)
        return hn_t8n_fail(problem, HN_T8N_IO, "failed reading %s", what);
    hn_err err = hn_json_parse(&out->document, &out->problem, hn_bytes_of(text, size), &json_limits);
    free(text);
    if (err != HN_OK)
        return hn_t8n_fail(problem, HN_T8N_JSON, "failed unmarshalling %s: %s", what, out->problem.text);
    out->root = hn_json_root(&out->document, &out->problem);
    return HN_T8N_OK;
}

hn_t8n_status hn_t8n_source_standard_input(hn_t8n_source *standard_input, hn_t8n_problem *problem)
{
    if (standard_input->document.root != NULL)
        return HN_T8N_OK;
    size_t size;
    uint8_t *text = hn_read_standard_input(&size);
    return parse(standard_input, problem, "stdin", text, size);
}

hn_t8n_status hn_t8n_source_open(hn_t8n_source *out, hn_t8n_problem *problem, hn_t8n_source *standard_input,
                                 const char *path, const char *key)
{
    if (!hn_t8n_is_standard_input(path)) {
        size_t size = 0;
        uint8_t *text = hn_read_whole_file(path, &size);
        return parse(out, problem, path, text, size);
    }
    HN_T8N_TRY(hn_t8n_source_standard_input(standard_input, problem));
    if (!hn_json_find(&out->root, &standard_input->root, key))
        return hn_t8n_fail(problem, HN_T8N_JSON, "failed unmarshalling stdin: no %s", key);
    return HN_T8N_OK;
}

void hn_t8n_source_close(hn_t8n_source *source)
{
    if (source->document.root != NULL)
        hn_json_free(&source->document);
    source->document.root = NULL;
}
