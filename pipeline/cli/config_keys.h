/* The key table of the configuration, shared by the two readers (config.c: flags, config_file.c: YAML). */
#ifndef HN_PIPELINE_CLI_CONFIG_KEYS_H
#define HN_PIPELINE_CLI_CONFIG_KEYS_H

#include "pipeline/cli/config.h"

#include <stddef.h>

typedef enum hn_config_kind {
    HN_CONFIG_TEXT,
    HN_CONFIG_SWITCH,
    HN_CONFIG_NUMBER,
} hn_config_kind;

typedef struct hn_config_key {
    const char *name; /* "rpc.port" */
    hn_config_kind kind;
    size_t offset; /* in hn_config */
    const char *initial;
    uint64_t low;
    uint64_t high;
    const char *help;
} hn_config_key;

/* NULL when there is none. */
const hn_config_key *hn_config_find_key(const char *name, size_t size);

/* Some key begins with `prefix` and a dot. */
bool hn_config_has_keys_below(const char *prefix);

/* Sets a field from text; problem->text gets "KEY: why", without a place. */
HN_MUST_USE hn_err hn_config_set(hn_config *config, hn_config_problem *problem, const hn_config_key *key,
                                 const char *text);

HN_MUST_USE hn_err hn_config_copy_text(hn_config *config, const char **out, const char *text);
bool hn_config_parse_number(uint64_t *out, const char *text, uint64_t low, uint64_t high);
bool hn_config_parse_switch(bool *out, const char *text);
HN_MUST_USE hn_err hn_config_add_ledger(hn_config *config, hn_config_problem *problem,
                                        hn_config_ledger **out);

/* Letters, digits, '-' and '_', 1 to 48 of them: it becomes part of file names and URLs. */
bool hn_config_is_ledger_name(const char *name);

#endif
