#include "pipeline/cli/data_format.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/bytes.h"
#include "engine/codec/hex.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PATH_BYTES = 4096, TEXT_BYTES_MAX = 64 * 1024, PIECE_BYTES = 256 * 1024, SUM_DIGITS = 32 };

static const char title[] = "hanse data directory\n";

__attribute__((format(printf, 3, 4))) static void say(hn_data_tell tell, void *self, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (tell != NULL)
        tell(self, text);
}

static bool read_sum(hn_checksum *out, const char *text)
{
    uint8_t bytes[SUM_DIGITS / 2];
    if (strnlen(text, SUM_DIGITS) != SUM_DIGITS || hn_hex_decode(bytes, text, SUM_DIGITS) != HN_OK)
        return false;
    out->high = hn_load_be64(bytes);
    out->low = hn_load_be64(bytes + 8);
    return true;
}

static bool same_sum(hn_checksum a, hn_checksum b)
{
    return a.low == b.low && a.high == b.high;
}

/* --- the description
 * ------------------------------------------------------------------------------------------ */

/* The line "version N". */
static bool read_version(unsigned *out, const char *line)
{
    static const char word[] = "version ";
    char *end = NULL;
    if (strncmp(line, word, sizeof word - 1) != 0)
        return false;
    unsigned long value = strtoul(line + sizeof word - 1, &end, 10);
    if (end == line + sizeof word - 1 || *end != '\n' || value > UINT_MAX)
        return false;
    *out = (unsigned)value;
    return true;
}

/* A newer program may write the rest in another way, the first two lines stay. */
static bool is_newer(const char *text, unsigned *version)
{
    return strncmp(text, title, sizeof title - 1) == 0 && read_version(version, text + sizeof title - 1) &&
           *version > HN_DATA_FORMAT_VERSION;
}

/* `text` is zero-terminated. False: damaged. */
static bool parse(hn_data_format *out, char *text, size_t size)
{
    *out = (hn_data_format){0};
    char *last = strstr(text, "checksum ");
    hn_checksum sum;
    if (strlen(text) != size || strncmp(text, title, sizeof title - 1) != 0 || last == NULL ||
        last[-1] != '\n' || !read_sum(&sum, last + 9) || strcmp(last + 9 + SUM_DIGITS, "\n") != 0 ||
        !same_sum(sum, hn_checksum_of(text, (size_t)(last - text))))
        return false;
    *last = '\0';
    char *line = text + sizeof title - 1;
    if (!read_version(&out->version, line) || out->version != HN_DATA_FORMAT_VERSION)
        return false;
    while ((line = strchr(line, '\n')) != NULL && *++line != '\0') {
        char digits[SUM_DIGITS + 1];
        if (out->count == HN_DATA_FORMAT_LEDGERS_MAX ||
            sscanf(line, "ledger %127s %32s", out->ledgers[out->count].name, digits) != 2 ||
            !read_sum(&out->ledgers[out->count].sum, digits))
            return false;
        out->count++;
    }
    return true;
}

hn_err hn_data_format_read(hn_data_format *out, hn_data_problem *problem, const char *path, hn_data_tell tell,
                           void *tell_self)
{
    static const char *const names[] = {"format", "format.copy"};
    unsigned missing = 0, newer = 0, version = 0;
    bool has_one = false;
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    for (int i = 0; i < 2; i++) {
        char file[PATH_BYTES];
        hn_bytes text;
        hn_data_problem why;
        hn_data_format found;
        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        if (access(file, F_OK) != 0) {
            missing++;
            continue;
        }
        hn_err err = hn_read_file(&text, &why, &arena, file, TEXT_BYTES_MAX);
        if (err == HN_OK)
            ((uint8_t *)(uintptr_t)text.data)[text.size] = '\0'; /* hn_read_file leaves room */
        char *content = err == HN_OK ? (char *)(uintptr_t)text.data : NULL;
        if (content != NULL && is_newer(content, &version))
            newer++;
        if (content == NULL || !parse(&found, content, text.size)) {
            say(tell, tell_self, "%.300s: the description of the data directory is damaged", file);
            continue;
        }
        if (!has_one)
            *out = found;
        has_one = true;
    }
    hn_arena_destroy(&arena);
    if (!has_one && newer != 0 && newer + missing == 2) {
        snprintf(problem->text, sizeof problem->text,
                 "%.300s: written by a newer version of Hanse: its format is %u, this program knows up to %d",
                 path, version, HN_DATA_FORMAT_VERSION);
        return HN_ERR_VERSION;
    }
    if (has_one && missing != 0)
        say(tell, tell_self, "%.300s: one of format and format.copy is missing", path);
    if (!has_one && missing != 2) {
        snprintf(problem->text, sizeof problem->text,
                 "%.300s/format and its copy are damaged: restore one of them from a backup", path);
        return HN_ERR_CORRUPT;
    }
    if (!has_one)
        *out = (hn_data_format){0};
    return HN_OK;
}

/* --- ledgers
 * -------------------------------------------------------------------------------------------------- */

/* The same as hn_checksum_of, of a file that is too large to be read for this alone. */
static bool sum_of_file(hn_checksum *out, const char *file)
{
    FILE *from = fopen(file, "rb");
    XXH3_state_t *state = XXH3_createState();
    uint8_t *piece = malloc(PIECE_BYTES);
    bool is_read = from != NULL && state != NULL && piece != NULL;
    if (is_read) {
        (void)setvbuf(from, NULL, _IONBF, 0);
        (void)XXH3_128bits_reset(state);
        for (size_t size; (size = fread(piece, 1, PIECE_BYTES, from)) != 0;)
            (void)XXH3_128bits_update(state, piece, size);
        is_read = ferror(from) == 0;
        XXH128_hash_t sum = XXH3_128bits_digest(state);
        *out = (hn_checksum){.low = sum.low64, .high = sum.high64};
    }
    free(piece);
    (void)XXH3_freeState(state);
    if (from != NULL)
        fclose(from);
    return is_read;
}

static bool has_sum(const char *file, hn_checksum wanted)
{
    hn_checksum sum;
    return sum_of_file(&sum, file) && same_sum(sum, wanted);
}

static uint32_t place_of(const hn_data_format *format, const char *name)
{
    uint32_t i = 0;
    while (i < format->count && strcmp(format->ledgers[i].name, name) != 0)
        i++;
    return i;
}

bool hn_data_format_is_whole(const hn_data_format *format, const char *path, const char *name,
                             hn_checksum *sum)
{
    char file[PATH_BYTES], copy[PATH_BYTES];
    snprintf(file, sizeof file, "%s/ledgers/%s", path, name);
    snprintf(copy, sizeof copy, "%s/ledgers/%s.copy", path, name);
    uint32_t i = place_of(format, name);
    if (i == format->count || !has_sum(file, format->ledgers[i].sum) ||
        !has_sum(copy, format->ledgers[i].sum))
        return false;
    *sum = format->ledgers[i].sum;
    return true;
}

hn_err hn_data_format_read_ledger(hn_bytes *out, hn_data_problem *problem, hn_arena *arena,
                                  const hn_data_format *format, const char *path, const char *name,
                                  hn_data_tell tell, void *tell_self)
{
    char file[PATH_BYTES], copy[PATH_BYTES];
    snprintf(file, sizeof file, "%s/ledgers/%s", path, name);
    snprintf(copy, sizeof copy, "%s/ledgers/%s.copy", path, name);
    uint32_t i = place_of(format, name);
    if (i == format->count) /* not described yet: made a moment ago, or long before */
        return hn_read_file(out, problem, arena, file, HN_GENESIS_SIZE_MAX);
    hn_data_problem why;
    hn_bytes first = {.size = 0}, second = {.size = 0};
    hn_checksum wanted = format->ledgers[i].sum;
    bool is_good = hn_read_file(&first, &why, arena, file, HN_GENESIS_SIZE_MAX) == HN_OK &&
                   same_sum(hn_checksum_of(first.data, first.size), wanted);
    bool has_copy = is_good ? has_sum(copy, wanted)
                            : hn_read_file(&second, &why, arena, copy, HN_GENESIS_SIZE_MAX) == HN_OK &&
                                  same_sum(hn_checksum_of(second.data, second.size), wanted);
    if (!is_good && !has_copy) {
        snprintf(problem->text, sizeof problem->text, "%.300s and its copy are damaged or missing", file);
        return HN_ERR_CORRUPT;
    }
    if (!is_good)
        say(tell, tell_self, "%.300s: damaged or missing; its copy is used", file);
    else if (!has_copy)
        say(tell, tell_self, "%.300s: damaged or missing; the file itself is good", copy);
    *out = is_good ? first : second;
    return HN_OK;
}
