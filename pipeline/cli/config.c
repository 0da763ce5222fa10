/* Configuration: defaults, flags, help. The file is read by config_file.c. */
#include "pipeline/cli/config.h"

#include "pipeline/cli/config_keys.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const hn_config_key keys[] = {
#define HN_CONFIG_KEY(field, key, kind, initial, low, high, help)                                            \
    {key, HN_CONFIG_##kind, offsetof(hn_config, field), initial, low, high, help},
    HN_CONFIG_LIST(HN_CONFIG_KEY)
#undef HN_CONFIG_KEY
};

enum { KEY_COUNT = sizeof keys / sizeof *keys, FLAG_MAX = 64 };

const hn_config_key *hn_config_find_key(const char *name, size_t size)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strlen(keys[i].name) == size && memcmp(keys[i].name, name, size) == 0)
            return &keys[i];
    return NULL;
}

bool hn_config_has_keys_below(const char *prefix)
{
    size_t size = strlen(prefix);
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strncmp(keys[i].name, prefix, size) == 0 && keys[i].name[size] == '.')
            return true;
    return false;
}

hn_err hn_config_copy_text(hn_config *config, const char **out, const char *text)
{
    hn_bytes copy;
    HN_TRY(hn_arena_copy(&copy, &config->arena, hn_bytes_of(text, strlen(text) + 1)));
    *out = (const char *)copy.data;
    return HN_OK;
}

bool hn_config_parse_number(uint64_t *out, const char *text, uint64_t low, uint64_t high)
{
    uint64_t value = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    }
    if (value < low || value > high)
        return false;
    *out = value;
    return true;
}

bool hn_config_parse_switch(bool *out, const char *text)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true},   {"yes", true}, {"on", true},
                 {"false", false}, {"no", false}, {"off", false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i].text) == 0) {
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

hn_err hn_config_set(hn_config *config, hn_config_problem *problem, const hn_config_key *key,
                     const char *text)
{
    void *field = (char *)config + key->offset;
    switch (key->kind) {
    case HN_CONFIG_TEXT:
        return hn_config_copy_text(config, field, text);
    case HN_CONFIG_SWITCH:
        if (hn_config_parse_switch(field, text))
            return HN_OK;
        snprintf(problem->text, sizeof problem->text, "%s: \"%s\" is neither true nor false", key->name,
                 text);
        return HN_ERR_INVALID;
    case HN_CONFIG_NUMBER:
        if (hn_config_parse_number(field, text, key->low, key->high))
            return HN_OK;
        snprintf(problem->text, sizeof problem->text, "%s: \"%s\" is not a number from %llu to %llu",
                 key->name, text, (unsigned long long)key->low, (unsigned long long)key->high);
        return HN_ERR_INVALID;
    }
    return HN_ERR_INVALID;
}

hn_err hn_config_init(hn_config *config)
{
    hn_config_problem unused;
    memset(config, 0, sizeof *config);
    hn_arena_init(&config->arena, 0, 0);
    for (size_t i = 0; i < KEY_COUNT; i++)
        HN_TRY(hn_config_set(config, &unused, &keys[i], keys[i].initial));
    return HN_OK;
}

void hn_config_destroy(hn_config *config)
{
    hn_arena_destroy(&config->arena);
}

hn_err hn_config_add_ledger(hn_config *config, hn_config_problem *problem, hn_config_ledger **out)
{
    if (config->ledger_count == HN_CONFIG_LEDGERS_MAX) {
        snprintf(problem->text, sizeof problem->text, "more than %d ledgers", HN_CONFIG_LEDGERS_MAX);
        return HN_ERR_LIMIT;
    }
    *out = &config->ledgers[config->ledger_count++];
    **out = (hn_config_ledger){.shard = -1};
    return HN_OK;
}

bool hn_config_is_ledger_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > 48)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
            return false;
    return true;
}

/* NAME=GENESIS[,strict][,shard=N] */
static hn_err read_ledger_flag(hn_config *config, hn_config_problem *problem, const char *text)
{
    hn_config_ledger *ledger;
    const char *copy;
    HN_TRY(hn_config_add_ledger(config, problem, &ledger));
    HN_TRY(hn_config_copy_text(config, &copy, text));
    size_t name_size = strcspn(copy, "=");
    size_t path_size = copy[name_size] == '=' ? strcspn(copy + name_size + 1, ",") : 0;
    char *writable = (char *)hn_arena_alloc(&config->arena, strlen(text) + 1);
    if (writable == NULL)
        return HN_ERR_NO_MEMORY;
    memcpy(writable, text, strlen(text) + 1);
    writable[name_size] = '\0';
    ledger->name = writable;
    ledger->genesis = writable + name_size + 1;
    if (path_size == 0 || !hn_config_is_ledger_name(ledger->name)) {
        snprintf(problem->text, sizeof problem->text,
                 "--ledger takes NAME=GENESIS[,strict][,shard=N], not \"%s\"", text);
        return HN_ERR_INVALID;
    }
    char *option = writable + name_size + 1 + path_size;
    while (*option == ',') {
        *option++ = '\0';
        char *end = option + strcspn(option, ",");
        bool is_last = *end == '\0';
        *end = '\0';
        uint64_t shard;
        if (strcmp(option, "strict") == 0) {
            ledger->is_strict = true;
        } else if (strncmp(option, "shard=", 6) == 0 && hn_config_parse_number(&shard, option + 6, 0, 15)) {
            ledger->shard = (int64_t)shard;
        } else {
            snprintf(problem->text, sizeof problem->text, "--ledger %s: unknown option \"%s\"", ledger->name,
                     option);
            return HN_ERR_INVALID;
        }
        option = end;
        if (!is_last)
            *option = ',';
    }
    return HN_OK;
}

/* How a key is written as a flag: "rpc.port" is "--rpc-port". */
static char flag_character(char c)
{
    return c == '.' ? '-' : c;
}

static const hn_config_key *key_of_flag(const char *flag, size_t size)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const char *name = keys[i].name;
        size_t same = 0;
        while (same < size && name[same] != '\0' && flag_character(name[same]) == flag[same])
            same++;
        if (same == size && name[same] == '\0')
            return &keys[i];
    }
    return NULL;
}

static hn_err read_flag(hn_config *config, hn_config_problem *problem, int argc, char **argv, int *i)
{
    const char *flag = argv[*i] + 2;
    size_t size = strcspn(flag, "=");
    const char *value = flag[size] == '=' ? flag + size + 1 : NULL;
    bool is_ledger = size == 6 && memcmp(flag, "ledger", 6) == 0;
    bool is_config = size == 6 && memcmp(flag, "config", 6) == 0;
    const hn_config_key *key = key_of_flag(flag, size);
    if (key == NULL && size > 3 && memcmp(flag, "no-", 3) == 0 && value == NULL) {
        key = key_of_flag(flag + 3, size - 3);
        if (key != NULL && key->kind == HN_CONFIG_SWITCH)
            return hn_config_set(config, problem, key, "false");
        key = NULL;
    }
    if (key == NULL && !is_ledger && !is_config) {
        snprintf(problem->text, sizeof problem->text, "unknown option %s; --help lists them", argv[*i]);
        return HN_ERR_INVALID;
    }
    if (key != NULL && key->kind == HN_CONFIG_SWITCH)
        return hn_config_set(config, problem, key, value != NULL ? value : "true");
    if (value == NULL) {
        if (*i + 1 >= argc) {
            snprintf(problem->text, sizeof problem->text, "%s needs a value", argv[*i]);
            return HN_ERR_INVALID;
        }
        value = argv[++*i];
    }
    if (is_config)
        return HN_OK; /* read before */
    return is_ledger ? read_ledger_flag(config, problem, value) : hn_config_set(config, problem, key, value);
}

/* The file first, so that flags win wherever they stand. */
static hn_err read_config_flag(hn_config *config, hn_config_problem *problem, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            HN_TRY(hn_config_read_file(config, problem, argv[i + 1]));
        else if (strncmp(argv[i], "--config=", 9) == 0)
            HN_TRY(hn_config_read_file(config, problem, argv[i] + 9));
    }
    return HN_OK;
}

hn_err hn_config_read_flags(hn_config *config, hn_config_problem *problem, bool *wants_help, int argc,
                            char **argv)
{
    problem->text[0] = '\0';
    *wants_help = false;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *wants_help = true;
            return HN_OK;
        }
    }
    HN_TRY(read_config_flag(config, problem, argc, argv));
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            snprintf(problem->text, sizeof problem->text, "unexpected \"%s\"; --help lists the options",
                     argv[i]);
            return HN_ERR_INVALID;
        }
        HN_TRY(read_flag(config, problem, argc, argv, &i));
    }
    return HN_OK;
}

void hn_config_print_flags(FILE *to)
{
    fprintf(to, "  %-24s %s\n", "--config FILE", "YAML file with the keys below; flags win over it");
    fprintf(to, "  %-24s %s\n", "--ledger NAME=GENESIS[,strict][,shard=N]",
            "a ledger to make, or to check against the existing one; repeatable");
    for (size_t i = 0; i < KEY_COUNT; i++) {
        char flag[FLAG_MAX];
        snprintf(flag, sizeof flag, "--%s%s", keys[i].name,
                 keys[i].kind == HN_CONFIG_NUMBER ? " N" : (keys[i].kind == HN_CONFIG_TEXT ? " TEXT" : ""));
        for (char *c = flag; *c != '\0' && *c != ' '; c++)
            *c = flag_character(*c);
        fprintf(to, "  %-24s %s", flag, keys[i].help);
        if (keys[i].initial[0] != '\0' && keys[i].kind != HN_CONFIG_SWITCH)
            fprintf(to, " (default %s)", keys[i].initial);
        fputc('\n', to);
    }
}
