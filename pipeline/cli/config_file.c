/* The YAML file of a configuration, by libyaml's events: mappings as deep as the keys are, and the list
 * `ledgers`.
 *
 *   data: /var/lib/hanse
 *   rpc:
 *     port: 8545
 *   ledgers:
 *     - name: payments
 *       genesis: payments.json
 */
#include "pipeline/cli/config.h"
#include "pipeline/cli/config_keys.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

typedef struct reader {
    hn_config *config;
    hn_config_problem *problem;
    const char *path;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
} reader;

static hn_err fail(reader *self, const char *format, const char *word)
{
    char what[384];
    snprintf(what, sizeof what, format, word);
    snprintf(self->problem->text, sizeof self->problem->text, "%.100s:%zu: %s", self->path,
             self->event.start_mark.line + 1, what);
    return HN_ERR_INVALID;
}

/* An error that was written without its place gets it in front. */
static hn_err locate(reader *self, hn_err err)
{
    char what[384];
    if (err == HN_OK)
        return HN_OK;
    snprintf(what, sizeof what, "%.380s", self->problem->text);
    fail(self, "%s", what);
    return err;
}

static hn_err next(reader *self)
{
    if (self->has_event)
        yaml_event_delete(&self->event);
    self->has_event = false;
    if (yaml_parser_parse(&self->parser, &self->event) == 0) {
        snprintf(self->problem->text, sizeof self->problem->text, "%.100s:%zu: %s", self->path,
                 self->parser.problem_mark.line + 1,
                 self->parser.problem != NULL ? self->parser.problem : "not YAML");
        return HN_ERR_INVALID;
    }
    self->has_event = true;
    return self->event.type == YAML_ALIAS_EVENT ? fail(self, "%s", "aliases are not supported") : HN_OK;
}

static const char *scalar(const reader *self)
{
    return (const char *)self->event.data.scalar.value;
}

/* A key is the current event; its text goes to `name`, behind `prefix` and a dot when there is one. */
static hn_err read_key(reader *self, char *name, size_t capacity, const char *prefix)
{
    if (self->event.type != YAML_SCALAR_EVENT)
        return fail(self, "%s", "a key is expected here");
    int size = snprintf(name, capacity, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", scalar(self));
    return size > 0 && (size_t)size < capacity ? HN_OK : fail(self, "unknown key \"%.100s\"", scalar(self));
}

static hn_err set_ledger_field(reader *self, hn_config_ledger *ledger, const char *name)
{
    uint64_t shard;
    if (strcmp(name, "name") == 0) {
        if (!hn_config_is_ledger_name(scalar(self)))
            return fail(self, "\"%.100s\" is no ledger name: letters, digits, - and _ only", scalar(self));
        return hn_config_copy_text(self->config, &ledger->name, scalar(self));
    }
    if (strcmp(name, "genesis") == 0)
        return hn_config_copy_text(self->config, &ledger->genesis, scalar(self));
    if (strcmp(name, "strict") == 0)
        return hn_config_parse_switch(&ledger->is_strict, scalar(self))
                   ? HN_OK
                   : fail(self, "strict: \"%.100s\" is neither true nor false", scalar(self));
    if (strcmp(name, "shard") == 0) {
        if (!hn_config_parse_number(&shard, scalar(self), 0, 15))
            return fail(self, "shard: \"%.100s\" is not a number from 0 to 15", scalar(self));
        ledger->shard = (int64_t)shard;
        return HN_OK;
    }
    return fail(self, "unknown key \"%.100s\" of a ledger", name);
}

static hn_err read_ledger(reader *self)
{
    hn_config_ledger *ledger;
    char name[64];
    if (self->event.type != YAML_MAPPING_START_EVENT)
        return fail(self, "%s", "a ledger is a mapping with name and genesis");
    HN_TRY(locate(self, hn_config_add_ledger(self->config, self->problem, &ledger)));
    HN_TRY(next(self));
    while (self->event.type != YAML_MAPPING_END_EVENT) {
        HN_TRY(read_key(self, name, sizeof name, ""));
        HN_TRY(next(self));
        if (self->event.type != YAML_SCALAR_EVENT)
            return fail(self, "%s: a plain value is expected", name);
        HN_TRY(set_ledger_field(self, ledger, name));
        HN_TRY(next(self));
    }
    if (ledger->name == NULL || ledger->genesis == NULL)
        return fail(self, "%s", "a ledger needs a name and a genesis");
    return HN_OK;
}

static hn_err read_ledgers(reader *self)
{
    if (self->event.type != YAML_SEQUENCE_START_EVENT)
        return fail(self, "%s", "ledgers is a list");
    HN_TRY(next(self));
    while (self->event.type != YAML_SEQUENCE_END_EVENT) {
        HN_TRY(read_ledger(self));
        HN_TRY(next(self));
    }
    return HN_OK;
}

/* The current event is a mapping's start; on return it is its end. */
static hn_err read_mapping(reader *self, const char *prefix)
{
    char name[128];
    HN_TRY(next(self));
    while (self->event.type != YAML_MAPPING_END_EVENT) {
        HN_TRY(read_key(self, name, sizeof name, prefix));
        size_t key_line = self->event.start_mark.line;
        HN_TRY(next(self));
        if (strcmp(name, "ledgers") == 0) {
            HN_TRY(read_ledgers(self));
        } else if (self->event.type == YAML_MAPPING_START_EVENT &&
                   (prefix[0] == '\0' || hn_config_has_keys_below(name))) {
            HN_TRY(read_mapping(self, name));
        } else {
            const hn_config_key *key = hn_config_find_key(name, strlen(name));
            if (key == NULL) {
                self->event.start_mark.line = key_line;
                return fail(self, "unknown key \"%.100s\"", name);
            }
            if (self->event.type != YAML_SCALAR_EVENT)
                return fail(self, "%s: a plain value is expected", name);
            HN_TRY(locate(self, hn_config_set(self->config, self->problem, key, scalar(self))));
        }
        HN_TRY(next(self));
    }
    return HN_OK;
}

static hn_err read_document(reader *self)
{
    HN_TRY(next(self)); /* stream start */
    HN_TRY(next(self));
    if (self->event.type == YAML_STREAM_END_EVENT)
        return HN_OK; /* an empty file */
    HN_TRY(next(self));
    if (self->event.type != YAML_MAPPING_START_EVENT)
        return fail(self, "%s", "a mapping of keys to values is expected");
    return read_mapping(self, "");
}

hn_err hn_config_read_text(hn_config *config, hn_config_problem *problem, const char *name, hn_bytes text)
{
    reader self = {.config = config, .problem = problem, .path = name};
    if (yaml_parser_initialize(&self.parser) == 0)
        return HN_ERR_NO_MEMORY;
    yaml_parser_set_input_string(&self.parser, text.data != NULL ? text.data : (const uint8_t *)"",
                                 text.size);
    hn_err err = read_document(&self);
    if (self.has_event)
        yaml_event_delete(&self.event);
    yaml_parser_delete(&self.parser);
    return err;
}

hn_err hn_config_read_file(hn_config *config, hn_config_problem *problem, const char *path)
{
    enum { FILE_BYTES_MAX = 1024 * 1024 };
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(problem->text, sizeof problem->text, "%.400s: cannot be opened", path);
        return HN_ERR_NOT_FOUND;
    }
    uint8_t *text = hn_arena_alloc(&config->arena, FILE_BYTES_MAX + 1);
    size_t size = text != NULL ? fread(text, 1, FILE_BYTES_MAX + 1, file) : 0;
    bool is_read = text != NULL && ferror(file) == 0;
    fclose(file);
    if (!is_read || size > FILE_BYTES_MAX) {
        snprintf(problem->text, sizeof problem->text, "%.400s: %s", path,
                 is_read ? "larger than 1 MiB" : "cannot be read");
        return is_read ? HN_ERR_LIMIT : HN_ERR_IO;
    }
    return hn_config_read_text(config, problem, path, hn_bytes_of(text, size));
}
