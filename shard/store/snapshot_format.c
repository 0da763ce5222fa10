#include "shard/store/snapshot_format.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

hn_checksum hn_snapshot_block_checksum(const uint8_t *block, size_t content_size)
{
    enum { HEAD = sizeof(hn_snapshot_block_head), COVERED = offsetof(hn_snapshot_block_head, checksum) };
    hn_checksum parts[2] = {hn_checksum_of(block, COVERED), hn_checksum_of(block + HEAD, content_size)};
    return hn_checksum_of(parts, sizeof parts);
}

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

hn_err hn_snapshot_name(char out[HN_SNAPSHOT_FILE_NAME_MAX], const char *ledger_name, uint64_t log_index)
{
    size_t size = strlen(ledger_name);
    if (size == 0 || size >= sizeof(((hn_snapshot_info *)0)->ledger_name) || ledger_name[0] == '.')
        return HN_ERR_INVALID;
    for (size_t i = 0; i < size; i++)
        if (!is_name_character(ledger_name[i]))
            return HN_ERR_INVALID;
    snprintf(out, HN_SNAPSHOT_FILE_NAME_MAX, "%s-%020" PRIu64 ".snapshot", ledger_name, log_index);
    return HN_OK;
}

hn_err hn_snapshot_temporary_name(char out[HN_SNAPSHOT_NAME_MAX], const char *ledger_name, uint64_t log_index)
{
    char name[HN_SNAPSHOT_FILE_NAME_MAX];
    HN_TRY(hn_snapshot_name(name, ledger_name, log_index));
    snprintf(out, HN_SNAPSHOT_NAME_MAX, "%s.tmp", name);
    return HN_OK;
}

bool hn_snapshot_name_parse(uint64_t *log_index, const char *name, const char *ledger_name)
{
    size_t size = strlen(ledger_name);
    if (strncmp(name, ledger_name, size) != 0 || name[size] != '-')
        return false;
    uint64_t value = strtoull(name + size + 1, NULL, 10);
    char expected[HN_SNAPSHOT_FILE_NAME_MAX];
    if (hn_snapshot_name(expected, ledger_name, value) != HN_OK || strcmp(expected, name) != 0)
        return false;
    *log_index = value;
    return true;
}

hn_err hn_snapshot_report(hn_snapshot_problem *problem, hn_err err, const char *format, ...)
{
    if (problem == NULL)
        return err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return err;
}
