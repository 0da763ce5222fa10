#include "pipeline/backup/manifest.h"

#include "engine/codec/hex.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_AT_FIRST = 64, SUM_DIGITS = 32, HASH_DIGITS = 64, NUMBER_DIGITS = 20, LEDGER_DIGITS = 5 };

static const char title[] = "hanse backup\n";

/* --- names
 * ---------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

static size_t count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* One component of letters, digits and the like. */
static bool is_plain(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return name[0] != '\0' && name[0] != '.' && name[strspn(name, allowed)] == '\0';
}

static bool is_segment(const char *name)
{
    static const char begin[] = "log-";
    if (strncmp(name, begin, sizeof begin - 1) != 0)
        return false;
    const char *number = name + sizeof begin - 1;
    size_t digits = count_digits(number);
    return digits >= 1 && digits <= NUMBER_DIGITS && strcmp(number + digits, ".segment") == 0;
}

static bool is_snapshot(const char *name)
{
    static const char end[] = ".snapshot";
    if (!ends_with(name, end))
        return false;
    size_t size = strlen(name) - (sizeof end - 1);
    return size > NUMBER_DIGITS + 1 && name[size - NUMBER_DIGITS - 1] == '-' &&
           count_digits(name + size - NUMBER_DIGITS) == NUMBER_DIGITS;
}

bool hn_backup_name_is_allowed(const char *name)
{
    static const char folder[] = "ledgers/";
    if (strlen(name) > HN_BACKUP_NAME_MAX)
        return false;
    if (strncmp(name, folder, sizeof folder - 1) != 0)
        return is_plain(name) && (is_segment(name) || is_snapshot(name));
    name += sizeof folder - 1;
    return is_plain(name) && count_digits(name) >= LEDGER_DIGITS && name[LEDGER_DIGITS] == '-' &&
           (ends_with(name, ".json") || ends_with(name, ".development"));
}

/* --- files
 * ---------------------------------------------------------------------------------------------------- */

const hn_manifest_file *hn_manifest_find(const hn_manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->file_count; i++)
        if (strcmp(manifest->files[i].name, name) == 0)
            return &manifest->files[i];
    return NULL;
}

/* Without looking whether it is there. */
static hn_err append_file(hn_manifest *manifest, const char *name, uint64_t size, const hn_digest *digest)
{
    if (!hn_backup_name_is_allowed(name))
        return HN_ERR_INVALID;
    if (manifest->file_count == manifest->file_capacity) {
        size_t capacity = manifest->file_capacity != 0 ? 2 * manifest->file_capacity : FILES_AT_FIRST;
        hn_manifest_file *larger = realloc(manifest->files, capacity * sizeof *larger);
        if (larger == NULL)
            return HN_ERR_NO_MEMORY;
        manifest->files = larger;
        manifest->file_capacity = capacity;
    }
    hn_manifest_file *file = &manifest->files[manifest->file_count++];
    *file = (hn_manifest_file){.size = size, .digest = *digest};
    snprintf(file->name, sizeof file->name, "%s", name);
    return HN_OK;
}

hn_err hn_manifest_add_file(hn_manifest *manifest, const char *name, uint64_t size, const hn_digest *digest)
{
    return hn_manifest_find(manifest, name) != NULL ? HN_ERR_INVALID
                                                    : append_file(manifest, name, size, digest);
}

void hn_manifest_free(hn_manifest *manifest)
{
    free(manifest->files);
    manifest->files = NULL;
    manifest->file_count = manifest->file_capacity = 0;
}

/* --- writing
 * -------------------------------------------------------------------------------------------------- */

static void write_sum(FILE *to, hn_checksum sum)
{
    fprintf(to, "%016" PRIx64 "%016" PRIx64, sum.high, sum.low);
}

static void write_hash(FILE *to, const hn_hash *hash)
{
    char digits[HASH_DIGITS];
    (void)hn_hex_encode(digits, hash->b, sizeof hash->b);
    fwrite(digits, 1, sizeof digits, to);
}

static void write_lines(FILE *to, const hn_manifest *manifest)
{
    fprintf(to, "%sversion %d\nformat %" PRIu64 "\nmade %" PRIu64 "\nlog %" PRIu64 " %" PRIu64 " ", title,
            HN_MANIFEST_VERSION, manifest->data_format, manifest->made_s, manifest->first_index,
            manifest->last_index);
    write_hash(to, &manifest->chain);
    fputc('\n', to);
    for (uint32_t i = 0; i < manifest->ledger_count; i++) {
        const hn_manifest_ledger *ledger = &manifest->ledgers[i];
        if (ledger->has_snapshot)
            fprintf(to, "ledger %s snapshot %" PRIu64 " %" PRIu64 "\n", ledger->name, ledger->log_index,
                    ledger->block);
        else
            fprintf(to, "ledger %s genesis\n", ledger->name);
    }
    for (size_t i = 0; i < manifest->file_count; i++) {
        const hn_manifest_file *file = &manifest->files[i];
        fprintf(to, "file %" PRIu64 " ", file->size);
        write_sum(to, file->digest.sum);
        fputc(' ', to);
        write_hash(to, &file->digest.sha256);
        fprintf(to, " %s\n", file->name);
    }
}

hn_err hn_manifest_write(char **out, size_t *size, const hn_manifest *manifest)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    if (to == NULL)
        return HN_ERR_NO_MEMORY;
    write_lines(to, manifest);
    bool is_fine = fflush(to) == 0;
    if (is_fine) {
        hn_checksum sum = hn_checksum_of(text, length);
        fputs("checksum ", to);
        write_sum(to, sum);
        fputc('\n', to);
    }
    is_fine = fclose(to) == 0 && is_fine;
    if (!is_fine) {
        free(text);
        return HN_ERR_NO_MEMORY;
    }
    *out = text;
    *size = length;
    return HN_OK;
}

/* --- reading
 * -------------------------------------------------------------------------------------------------- */

/* What is left of one line, without its end. */
typedef struct line {
    const char *at;
    const char *end;
} line;

/* The next word; false: there is none. Words are separated by one space. */
static bool take_word(line *from, hn_bytes *out)
{
    if (from->at == NULL)
        return false;
    const char *space = memchr(from->at, ' ', (size_t)(from->end - from->at));
    const char *end = space != NULL ? space : from->end;
    *out = hn_bytes_of(from->at, (size_t)(end - from->at));
    from->at = space != NULL ? space + 1 : NULL;
    return out->size != 0;
}

static bool word_is(hn_bytes word, const char *text)
{
    return hn_bytes_equal(word, hn_bytes_of(text, strlen(text)));
}

static bool take_number(line *from, uint64_t *out)
{
    hn_bytes word;
    uint64_t value = 0;
    if (!take_word(from, &word) || (word.size > 1 && word.data[0] == '0'))
        return false;
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] < '0' || word.data[i] > '9' || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(word.data[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

/* Lower-case digits, as they are written. */
static bool take_hex(line *from, uint8_t *out, size_t size)
{
    hn_bytes word;
    if (!take_word(from, &word) || word.size != 2 * size)
        return false;
    for (size_t i = 0; i < word.size; i++)
        if (word.data[i] >= 'A' && word.data[i] <= 'F')
            return false;
    return hn_hex_decode(out, (const char *)word.data, word.size) == HN_OK;
}

static bool take_sum(line *from, hn_checksum *out)
{
    uint8_t bytes[SUM_DIGITS / 2];
    if (!take_hex(from, bytes, sizeof bytes))
        return false;
    *out = (hn_checksum){.high = hn_load_be64(bytes), .low = hn_load_be64(bytes + 8)};
    return true;
}

static bool take_name(line *from, char *out, size_t capacity)
{
    hn_bytes word;
    if (!take_word(from, &word) || word.size >= capacity || memchr(word.data, '\0', word.size) != NULL)
        return false;
    memcpy(out, word.data, word.size);
    out[word.size] = '\0';
    return true;
}

static hn_err read_format(hn_manifest *out, line *from)
{
    return take_number(from, &out->data_format) ? HN_OK : HN_ERR_CORRUPT;
}

static hn_err read_made(hn_manifest *out, line *from)
{
    return take_number(from, &out->made_s) ? HN_OK : HN_ERR_CORRUPT;
}

static hn_err read_log(hn_manifest *out, line *from)
{
    return take_number(from, &out->first_index) && take_number(from, &out->last_index) &&
                   out->first_index != 0 && take_hex(from, out->chain.b, sizeof out->chain.b)
               ? HN_OK
               : HN_ERR_CORRUPT;
}

static hn_err read_ledger(hn_manifest *out, line *from)
{
    hn_bytes kind;
    if (out->ledger_count == HN_MANIFEST_LEDGERS_MAX)
        return HN_ERR_CORRUPT;
    hn_manifest_ledger *ledger = &out->ledgers[out->ledger_count];
    *ledger = (hn_manifest_ledger){.log_index = 0};
    if (!take_name(from, ledger->name, sizeof ledger->name) || !is_plain(ledger->name) ||
        !take_word(from, &kind))
        return HN_ERR_CORRUPT;
    ledger->has_snapshot = word_is(kind, "snapshot");
    bool is_fine = ledger->has_snapshot
                       ? take_number(from, &ledger->log_index) && take_number(from, &ledger->block)
                       : word_is(kind, "genesis");
    out->ledger_count += is_fine;
    return is_fine ? HN_OK : HN_ERR_CORRUPT;
}

static hn_err read_file(hn_manifest *out, line *from)
{
    hn_manifest_file file;
    if (!take_number(from, &file.size) || !take_sum(from, &file.digest.sum) ||
        !take_hex(from, file.digest.sha256.b, sizeof file.digest.sha256.b) ||
        !take_name(from, file.name, sizeof file.name))
        return HN_ERR_CORRUPT;
    hn_err err = append_file(out, file.name, file.size, &file.digest);
    return err == HN_ERR_INVALID ? HN_ERR_CORRUPT : err;
}

static const struct {
    const char *word;
    hn_err (*read)(hn_manifest *out, line *from);
    bool is_repeated; /* any number of lines, else exactly one */
} kinds[] = {
    {"format", read_format, false}, {"made", read_made, false}, {"log", read_log, false},
    {"ledger", read_ledger, true},  {"file", read_file, true},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* The lines between the version and the checksum: each kind in its turn. */
static hn_err read_lines(hn_manifest *out, const char *at, const char *end)
{
    unsigned kind = 0, count = 0;
    while (at < end) {
        hn_bytes word;
        line rest = {.at = at, .end = memchr(at, '\n', (size_t)(end - at))};
        if (rest.end == NULL || !take_word(&rest, &word))
            return HN_ERR_CORRUPT;
        while (kind < KINDS && !word_is(word, kinds[kind].word)) {
            if (!kinds[kind].is_repeated && count != 1)
                return HN_ERR_CORRUPT;
            kind++;
            count = 0;
        }
        if (kind == KINDS || (count != 0 && !kinds[kind].is_repeated))
            return HN_ERR_CORRUPT;
        count++;
        HN_TRY(kinds[kind].read(out, &rest));
        if (rest.at != NULL)
            return HN_ERR_CORRUPT;
        at = memchr(at, '\n', (size_t)(end - at));
        at++;
    }
    return kind >= KINDS - 2 && out->ledger_count != 0 ? HN_OK : HN_ERR_CORRUPT;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static hn_err check_unique(const hn_manifest *manifest)
{
    if (manifest->file_count == 0)
        return HN_OK;
    const char **names = calloc(manifest->file_count, sizeof *names);
    if (names == NULL)
        return HN_ERR_NO_MEMORY;
    for (size_t i = 0; i < manifest->file_count; i++)
        names[i] = manifest->files[i].name;
    qsort(names, manifest->file_count, sizeof *names, compare_names);
    bool is_unique = true;
    for (size_t i = 1; i < manifest->file_count; i++)
        is_unique = is_unique && strcmp(names[i - 1], names[i]) != 0;
    free(names);
    return is_unique ? HN_OK : HN_ERR_CORRUPT;
}

/* A newer program may write the rest in another way; the first two lines stay. */
static hn_err read_version(const char **at, hn_bytes text)
{
    static const char word[] = "version ";
    const char *begin = (const char *)text.data + sizeof title - 1;
    const char *end = memchr(begin, '\n', text.size - (sizeof title - 1));
    line rest = {.at = begin + sizeof word - 1, .end = end};
    uint64_t version = 0;
    if (end == NULL || (size_t)(end - begin) < sizeof word || memcmp(begin, word, sizeof word - 1) != 0 ||
        !take_number(&rest, &version) || rest.at != NULL || version == 0)
        return HN_ERR_CORRUPT;
    *at = end + 1;
    return version > HN_MANIFEST_VERSION ? HN_ERR_VERSION : HN_OK;
}

hn_err hn_manifest_read(hn_manifest *out, hn_backup_problem *problem, hn_bytes text)
{
    enum { LAST_LINE = sizeof "checksum " - 1 + SUM_DIGITS + 1 };
    const char *begin = (const char *)text.data, *at = begin;
    hn_err err = text.size > sizeof title - 1 + LAST_LINE && memcmp(begin, title, sizeof title - 1) == 0
                     ? read_version(&at, text)
                     : HN_ERR_CORRUPT;
    if (err == HN_ERR_VERSION)
        return hn_backup_report(problem, err, "the manifest was written by a newer version of Hanse");
    hn_checksum sum = {0};
    hn_manifest found = {.data_format = 0};
    if (err == HN_OK) {
        const char *last = begin + text.size - LAST_LINE, *end = begin + text.size - 1;
        line rest = {.at = last, .end = end};
        hn_bytes word;
        if (last < at || last[-1] != '\n' || *end != '\n' || !take_word(&rest, &word) ||
            !word_is(word, "checksum") || !take_sum(&rest, &sum) || rest.at != NULL)
            err = HN_ERR_CORRUPT;
        hn_checksum wanted = hn_checksum_of(begin, text.size - LAST_LINE);
        if (err == HN_OK && (wanted.low != sum.low || wanted.high != sum.high))
            err = HN_ERR_CORRUPT;
        if (err == HN_OK)
            err = read_lines(&found, at, last);
    }
    if (err == HN_OK)
        err = check_unique(&found);
    if (err != HN_OK) {
        hn_manifest_free(&found);
        return hn_backup_report(problem, err, "the manifest is damaged, or is none");
    }
    *out = found;
    return HN_OK;
}
