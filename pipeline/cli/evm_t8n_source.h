/* Where `hanse evm t8n`, `t9n` and `b11r` read from: a JSON file, or a member of the one object on standard
 * input. */
#ifndef HN_PIPELINE_CLI_EVM_T8N_SOURCE_H
#define HN_PIPELINE_CLI_EVM_T8N_SOURCE_H

#include "engine/codec/json.h"
#include "pipeline/cli/evm_t8n_status.h"

#include <stdint.h>

/* One JSON text and the node in it. Zeroed before use. */
typedef struct hn_t8n_source {
    hn_json_document document;
    hn_json_problem problem;
    hn_json root;
} hn_t8n_source;

bool hn_t8n_is_standard_input(const char *path);

/* Standard input as a whole, unless it has been read. HN_T8N_JSON. */
hn_t8n_status hn_t8n_source_standard_input(hn_t8n_source *standard_input, hn_t8n_problem *problem);

/* out->root is what `path` names: a file's, or the member `key` of standard input. HN_T8N_IO, HN_T8N_JSON. */
hn_t8n_status hn_t8n_source_open(hn_t8n_source *out, hn_t8n_problem *problem, hn_t8n_source *standard_input,
                                 const char *path, const char *key);

void hn_t8n_source_close(hn_t8n_source *source);

#endif
