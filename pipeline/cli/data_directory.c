#include "pipeline/cli/data_format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBER_DIGITS = 5, PATH_BYTES = 4096, LEDGERS_MAX = HN_DATA_FORMAT_LEDGERS_MAX };

static const char kind_json[] = ".json", kind_strict[] = ".strict.json", kind_development[] = ".development";

static hn_err fail(hn_data_problem *problem, const char *path, int error)
{
    snprintf(problem->text, sizeof problem->text, "%.400s: %s", path, strerror(error));
    return error == ENOSPC ? HN_ERR_NO_SPACE : (error == ENOENT ? HN_ERR_NOT_FOUND : HN_ERR_IO);
}

/* FOLDER/NAME; a path that is too long is cut, and then is not found. */
static void join(char out[PATH_BYTES], const char *folder, const char *name)
{
    if (snprintf(out, PATH_BYTES, "%s/%s", folder, name) >= PATH_BYTES)
        out[PATH_BYTES - 1] = '\0';
}

hn_err hn_read_file(hn_bytes *out, hn_data_problem *problem, hn_arena *arena, const char *path, size_t limit)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fail(problem, path, errno);
    hn_err err = HN_ERR_IO;
    long size = -1;
    if (fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size < 0 || fseek(file, 0, SEEK_SET) != 0) {
        err = fail(problem, path, errno);
    } else if ((size_t)size > limit) {
        snprintf(problem->text, sizeof problem->text, "%.400s: larger than %zu bytes", path, limit);
        err = HN_ERR_LIMIT;
    } else {
        uint8_t *data = hn_arena_alloc(arena, (size_t)size + 1);
        if (data == NULL) {
            err = HN_ERR_NO_MEMORY;
        } else if (fread(data, 1, (size_t)size, file) != (size_t)size) {
            err = fail(problem, path, EIO);
        } else {
            *out = hn_bytes_of(data, (size_t)size);
            err = HN_OK;
        }
    }
    fclose(file);
    return err;
}

/* Makes one level; existing is fine. Its parent is synced, so that the name survives a crash: an earlier
 * start may have ended in between. A parent that may not be read is another's, who made the folder. */
static hn_err make_folder(hn_data_problem *problem, const char *path)
{
    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        return fail(problem, path, errno);
    char parent[PATH_BYTES];
    join(parent, path, "..");
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? HN_OK : fail(problem, parent, errno);
    int error = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    bool is_synced = error == 0 || error == EINVAL || error == EROFS; /* some file systems cannot */
    return is_synced ? HN_OK : fail(problem, parent, error);
}

hn_err hn_data_directory_make(hn_data_problem *problem, const char *path)
{
    char folder[PATH_BYTES];
    HN_TRY(make_folder(problem, path));
    join(folder, path, "ledgers");
    return make_folder(problem, folder);
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

static int is_ledger_file(const struct dirent *entry)
{
    for (int i = 0; i < NUMBER_DIGITS; i++)
        if (entry->d_name[i] < '0' || entry->d_name[i] > '9')
            return 0;
    return entry->d_name[NUMBER_DIGITS] == '-' &&
           (ends_with(entry->d_name, kind_json) || ends_with(entry->d_name, kind_development));
}

static hn_err read_entry(hn_node_ledger_options *out, hn_data_problem *problem, hn_arena *arena,
                         const hn_data_format *format, const char *path, const char *file_name,
                         hn_data_tell tell, void *tell_self)
{
    const char *name = file_name + NUMBER_DIGITS + 1;
    bool is_development = ends_with(file_name, kind_development);
    bool is_strict = ends_with(file_name, kind_strict);
    size_t name_size =
        strlen(name) - strlen(is_development ? kind_development : (is_strict ? kind_strict : kind_json));
    char *copy = hn_arena_calloc(arena, 1, name_size + 1);
    if (copy == NULL)
        return HN_ERR_NO_MEMORY;
    memcpy(copy, name, name_size);
    *out = (hn_node_ledger_options){.name = copy, .is_strict = is_strict, .shard = -1};
    return is_development ? HN_OK
                          : hn_data_format_read_ledger(&out->genesis_json, problem, arena, format, path,
                                                       file_name, tell, tell_self);
}

/* A described file that is gone and has a copy is still a ledger. */
static hn_err add_missing(hn_data_problem *problem, const hn_data_format *format, const char *path)
{
    for (uint32_t i = 0; i < format->count; i++) {
        char file[PATH_BYTES], copy[PATH_BYTES];
        const char *name = format->ledgers[i].name;
        if (snprintf(file, sizeof file, "%s/ledgers/%s", path, name) >= PATH_BYTES ||
            snprintf(copy, sizeof copy, "%s/ledgers/%s.copy", path, name) >= PATH_BYTES)
            return fail(problem, path, ENAMETOOLONG);
        if (access(file, F_OK) != 0 && errno == ENOENT && link(copy, file) != 0 && errno != EEXIST) {
            snprintf(problem->text, sizeof problem->text, "%.400s: the file and its copy are missing", file);
            return HN_ERR_CORRUPT;
        }
    }
    return HN_OK;
}

static hn_err list_ledgers(const hn_node_ledger_options **out, uint32_t *count, hn_data_problem *problem,
                           hn_arena *arena, const char *path, hn_data_tell tell, void *tell_self)
{
    char folder[PATH_BYTES];
    hn_data_format *format = hn_arena_alloc(arena, sizeof *format);
    if (format == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_data_format_read(format, problem, path, tell, tell_self));
    HN_TRY(add_missing(problem, format, path));
    join(folder, path, "ledgers");
    struct dirent **entries = NULL;
    int found = scandir(folder, &entries, is_ledger_file, alphasort);
    if (found < 0 && errno == ENOENT)
        found = 0;
    if (found < 0)
        return fail(problem, folder, errno);
    hn_node_ledger_options *list = hn_arena_calloc(arena, (size_t)found + 1, sizeof *list);
    hn_err err = list == NULL ? HN_ERR_NO_MEMORY : HN_OK;
    for (int i = 0; i < found; i++) {
        if (err == HN_OK && strtol(entries[i]->d_name, NULL, 10) != i) {
            snprintf(problem->text, sizeof problem->text, "%.300s: ledger number %d is missing", folder, i);
            err = HN_ERR_CORRUPT;
        }
        if (err == HN_OK)
            err = read_entry(&list[i], problem, arena, format, path, entries[i]->d_name, tell, tell_self);
        free(entries[i]);
    }
    free(entries);
    HN_TRY(err);
    *out = list;
    *count = (uint32_t)found;
    return HN_OK;
}

static void tell_standard_error(void *self, const char *text)
{
    (void)self;
    fprintf(stderr, "hanse: %s\n", text);
}

hn_err hn_data_directory_list(const hn_node_ledger_options **out, uint32_t *count, hn_data_problem *problem,
                              hn_arena *arena, const char *path)
{
    return list_ledgers(out, count, problem, arena, path, tell_standard_error, NULL);
}

hn_err hn_data_directory_check(hn_data_problem *problem, const char *path, hn_data_tell tell, void *tell_self)
{
    const hn_node_ledger_options *ledgers;
    uint32_t count;
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_err err = list_ledgers(&ledgers, &count, problem, &arena, path, tell, tell_self);
    hn_arena_destroy(&arena);
    return err;
}

/* --- visiting
 * ------------------------------------------------------------------------------------------------- */

static int compare_names(const void *left, const void *right)
{
    return strcmp(left, right);
}

typedef char file_name_text[HN_DATA_FORMAT_NAME_MAX + 1];

/* Those that are described, whether they are there or not, and those that are not described yet. */
static hn_err collect_names(file_name_text *names, size_t *count, hn_data_problem *problem,
                            const hn_data_format *format, const char *path)
{
    char folder[PATH_BYTES];
    struct dirent **entries = NULL;
    join(folder, path, "ledgers");
    int found = scandir(folder, &entries, is_ledger_file, alphasort);
    if (found < 0)
        return fail(problem, folder, errno);
    for (uint32_t i = 0; i < format->count; i++)
        memcpy(names[(*count)++], format->ledgers[i].name, sizeof names[0]);
    for (int i = 0; i < found; i++) {
        bool is_new = *count < LEDGERS_MAX && strlen(entries[i]->d_name) < sizeof names[0];
        for (size_t j = 0; is_new && j < format->count; j++)
            is_new = strcmp(names[j], entries[i]->d_name) != 0;
        if (is_new)
            snprintf(names[(*count)++], sizeof names[0], "%s", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    qsort(names, *count, sizeof names[0], compare_names);
    return HN_OK;
}

static hn_err visit_all(hn_data_problem *problem, unsigned *version, const char *path, hn_arena *arena,
                        hn_data_visitor each, void *self)
{
    size_t count = 0;
    hn_data_format *format = hn_arena_alloc(arena, sizeof *format);
    file_name_text *names = hn_arena_calloc(arena, LEDGERS_MAX, sizeof *names);
    if (format == NULL || names == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_data_format_read(format, problem, path, tell_standard_error, NULL));
    HN_TRY(collect_names(names, &count, problem, format, path));
    *version = format->version;
    if (count == 0) {
        snprintf(problem->text, sizeof problem->text, "%.400s: there is no ledger here", path);
        return HN_ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < count; i++) {
        hn_node_ledger_options ledger;
        hn_arena_mark mark = hn_arena_mark_now(arena);
        if (strtoull(names[i], NULL, 10) != i) {
            snprintf(problem->text, sizeof problem->text, "%.300s: ledger number %zu is missing", path, i);
            return HN_ERR_CORRUPT;
        }
        HN_TRY(read_entry(&ledger, problem, arena, format, path, names[i], tell_standard_error, NULL));
        HN_TRY(each(self, names[i], &ledger));
        hn_arena_release(arena, mark);
    }
    return HN_OK;
}

hn_err hn_data_directory_visit(hn_data_problem *problem, unsigned *version, const char *path,
                               hn_data_visitor each, void *self)
{
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_err err = visit_all(problem, version, path, &arena, each, self);
    hn_arena_destroy(&arena);
    return err;
}

/* --- writing
 * -------------------------------------------------------------------------------------------------- */

/* Writes a file under a temporary name, makes it durable, and renames it. */
static hn_err write_file(hn_data_problem *problem, const char *folder, const char *file_name,
                         hn_bytes content)
{
    char path[PATH_BYTES], temporary[PATH_BYTES];
    join(path, folder, file_name);
    join(temporary, folder, "new");
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return fail(problem, temporary, errno);
    bool is_written = true;
    for (size_t done = 0; is_written && done < content.size;) {
        ssize_t size = write(fd, content.data + done, content.size - done);
        is_written = size > 0;
        done += is_written ? (size_t)size : 0;
    }
    is_written = is_written && fsync(fd) == 0;
    int error = errno;
    close(fd);
    if (!is_written || rename(temporary, path) != 0) {
        error = is_written ? errno : error;
        unlink(temporary);
        return fail(problem, path, error);
    }
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = directory >= 0 && fsync(directory) == 0;
    error = errno;
    if (directory >= 0)
        close(directory);
    return is_synced ? HN_OK : fail(problem, folder, error);
}

static hn_err read_genesis(hn_genesis *out, hn_genesis_problem *why, hn_arena *arena, hn_bytes json)
{
    return json.size == 0 ? hn_genesis_development(out, arena) : hn_genesis_read(out, why, arena, json);
}

/* What would keep every later start from working is refused before it is written. */
static hn_err check_new(hn_data_problem *problem, hn_arena *arena, const char *path,
                        const hn_node_ledger_options *existing, uint32_t count, const char *name,
                        hn_bytes genesis_json)
{
    hn_genesis wanted, other;
    hn_genesis_problem why = {.text = ""};
    hn_err err = read_genesis(&wanted, &why, arena, genesis_json);
    if (err != HN_OK) {
        snprintf(problem->text, sizeof problem->text, "ledger %.64s: genesis: %.300s", name,
                 why.text[0] != '\0' ? why.text : hn_err_text(err));
        return err;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(existing[i].name, name) == 0) {
            snprintf(problem->text, sizeof problem->text, "%.300s: there is a ledger %.64s already", path,
                     name);
            return HN_ERR_EXISTS;
        }
        HN_TRY(read_genesis(&other, NULL, arena, existing[i].genesis_json));
        if (other.config.chain_id == wanted.config.chain_id) {
            snprintf(problem->text, sizeof problem->text,
                     "ledgers %.64s and %.64s have the same chain id %" PRIu64, existing[i].name, name,
                     wanted.config.chain_id);
            return HN_ERR_EXISTS;
        }
    }
    return HN_OK;
}

hn_err hn_data_directory_add(hn_data_problem *problem, const char *path, const char *name,
                             hn_bytes genesis_json, bool is_strict)
{
    const hn_node_ledger_options *existing;
    uint32_t count;
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_err err = hn_data_directory_make(problem, path);
    if (err == HN_OK)
        err = hn_data_directory_list(&existing, &count, problem, &arena, path);
    if (err == HN_OK)
        err = check_new(problem, &arena, path, existing, count, name, genesis_json);
    if (err == HN_OK && count == LEDGERS_MAX) {
        snprintf(problem->text, sizeof problem->text, "%.300s: there are %d ledgers already", path,
                 LEDGERS_MAX);
        err = HN_ERR_LIMIT;
    }
    if (err == HN_OK) {
        char folder[PATH_BYTES], file_name[128];
        join(folder, path, "ledgers");
        snprintf(file_name, sizeof file_name, "%0*u-%.64s%s", NUMBER_DIGITS, count, name,
                 genesis_json.size == 0 ? kind_development : (is_strict ? kind_strict : kind_json));
        err = write_file(problem, folder, file_name, genesis_json);
    }
    hn_arena_destroy(&arena);
    return err == HN_OK ? hn_data_directory_upgrade(problem, path) : err;
}

/* --- versions
 * ------------------------------------------------------------------------------------------------- */

static hn_err put_line(char *text, size_t capacity, size_t *size, const char *kind, const char *name,
                       hn_checksum sum)
{
    int more = snprintf(text + *size, capacity - *size, "%s%s%s %016" PRIx64 "%016" PRIx64 "\n", kind,
                        name[0] != '\0' ? " " : "", name, sum.high, sum.low);
    if (more < 0 || (size_t)more >= capacity - *size)
        return HN_ERR_LIMIT;
    *size += (size_t)more;
    return HN_OK;
}

/* True when the file has just this content. */
static bool has_content(const char *folder, const char *name, hn_bytes content, hn_arena *arena)
{
    char path[PATH_BYTES];
    hn_data_problem why;
    hn_bytes found = {.size = 0};
    join(path, folder, name);
    return hn_read_file(&found, &why, arena, path, SIZE_MAX / 2) == HN_OK && hn_bytes_equal(found, content);
}

static hn_err mend_file(hn_data_problem *problem, const char *folder, const char *name, hn_bytes content,
                        hn_arena *arena)
{
    return has_content(folder, name, content, arena) ? HN_OK : write_file(problem, folder, name, content);
}

/* A file of `ledgers` and its copy become what they should be; *sum: of the content. */
static hn_err mend_ledger(hn_checksum *sum, hn_data_problem *problem, hn_arena *arena,
                          const hn_data_format *format, const char *path, const char *name)
{
    if (hn_data_format_is_whole(format, path, name, sum))
        return HN_OK;
    char folder[PATH_BYTES], copy[NAME_MAX + 8];
    hn_bytes content = {.size = 0};
    join(folder, path, "ledgers");
    snprintf(copy, sizeof copy, "%s.copy", name);
    HN_TRY(hn_data_format_read_ledger(&content, problem, arena, format, path, name, NULL, NULL));
    HN_TRY(mend_file(problem, folder, name, content, arena));
    HN_TRY(mend_file(problem, folder, copy, content, arena));
    *sum = hn_checksum_of(content.data, content.size);
    return HN_OK;
}

/* Describes what lies in `ledgers`, with copies. Ledgers first: one that is not described counts as it is. */
static hn_err describe(hn_data_problem *problem, hn_arena *arena, const char *path)
{
    enum { TEXT_BYTES = 64 * 1024 };
    char folder[PATH_BYTES];
    join(folder, path, "ledgers");
    hn_data_format *format = hn_arena_alloc(arena, sizeof *format);
    char *text = hn_arena_alloc(arena, TEXT_BYTES);
    if (format == NULL || text == NULL)
        return HN_ERR_NO_MEMORY;
    HN_TRY(hn_data_format_read(format, problem, path, NULL, NULL));
    struct dirent **entries = NULL;
    int found = scandir(folder, &entries, is_ledger_file, alphasort);
    if (found < 0)
        return fail(problem, folder, errno);
    size_t size =
        (size_t)snprintf(text, TEXT_BYTES, "hanse data directory\nversion %d\n", HN_DATA_FORMAT_VERSION);
    hn_err err = HN_OK;
    for (int i = 0; i < found; i++) {
        const char *name = entries[i]->d_name;
        hn_checksum sum;
        if (err == HN_OK)
            err = mend_ledger(&sum, problem, arena, format, path, name);
        if (err == HN_OK)
            err = put_line(text, TEXT_BYTES, &size, "ledger", name, sum);
        free(entries[i]);
    }
    free(entries);
    HN_TRY(err);
    HN_TRY(put_line(text, TEXT_BYTES, &size, "checksum", "", hn_checksum_of(text, size)));
    HN_TRY(mend_file(problem, path, "format", hn_bytes_of((const uint8_t *)text, size), arena));
    return mend_file(problem, path, "format.copy", hn_bytes_of((const uint8_t *)text, size), arena);
}

/* What brings a directory from one version to the next. The last one also mends what the newest version has.
 */
static const struct {
    unsigned to;
    hn_err (*step)(hn_data_problem *problem, hn_arena *arena, const char *path);
    const char *what;
} upgrades[] = {
    {1, describe, "description and copies of the ledgers' files"},
};

hn_err hn_data_directory_upgrade(hn_data_problem *problem, const char *path)
{
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    hn_data_format *format = hn_arena_alloc(&arena, sizeof *format);
    hn_err err = format == NULL ? HN_ERR_NO_MEMORY : hn_data_format_read(format, problem, path, NULL, NULL);
    for (size_t i = 0; err == HN_OK && i < sizeof upgrades / sizeof *upgrades; i++)
        if (format->version < upgrades[i].to || upgrades[i].to == HN_DATA_FORMAT_VERSION)
            err = upgrades[i].step(problem, &arena, path);
    hn_arena_destroy(&arena);
    return err;
}
