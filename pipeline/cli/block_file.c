#include "pipeline/cli/block_file.h"

#include "engine/base/check.h"
#include "engine/codec/rlp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READ_BYTES = 1024 * 1024,
    BLOCK_BYTES_MAX =
        256 * 1024 * 1024, /* from Osaka on the rules allow 8 MiB; before, gas is the only limit */
};

__attribute__((format(printf, 3, 4))) static hn_err report(hn_block_file_problem *problem, hn_err err,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return err;
}

hn_err hn_block_file_open(hn_block_file *out, hn_block_file_problem *problem, const char *path)
{
    bool is_input = strcmp(path, "-") == 0;
    hn_block_file file = {.name = is_input ? "standard input" : path,
                          .descriptor = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC),
                          .is_owned = !is_input,
                          .capacity = READ_BYTES};
    struct stat status;
    if (file.descriptor < 0 || fstat(file.descriptor, &status) != 0) {
        int error = errno;
        if (file.descriptor >= 0 && file.is_owned)
            close(file.descriptor);
        return report(problem, error == ENOENT ? HN_ERR_NOT_FOUND : HN_ERR_IO, "%.400s: %s", path,
                      strerror(error));
    }
    file.buffer = malloc(file.capacity);
    if (file.buffer == NULL) {
        hn_block_file_close(&file);
        return report(problem, HN_ERR_NO_MEMORY, "%.400s: %s", path, hn_err_text(HN_ERR_NO_MEMORY));
    }
    *out = file;
    return HN_OK;
}

void hn_block_file_close(hn_block_file *file)
{
    if (file->is_owned && file->descriptor >= 0)
        close(file->descriptor);
    free(file->buffer);
    *file = (hn_block_file){.descriptor = -1};
}

hn_err hn_block_measure(size_t *size, hn_bytes bytes)
{
    hn_rlp_cursor cursor = hn_rlp_cursor_of(bytes);
    hn_rlp_cursor parts;
    if (hn_rlp_at_end(&cursor))
        return HN_ERR_TRUNCATED;
    if (!hn_rlp_next_is_list(&cursor))
        return HN_ERR_INVALID;
    hn_err err = hn_rlp_read_list(&parts, &cursor);
    if (err != HN_OK)
        return err == HN_ERR_TRUNCATED ? err : HN_ERR_INVALID;
    if (!hn_rlp_next_is_list(&parts))
        return HN_ERR_INVALID;
    *size = bytes.size - (size_t)(cursor.end - cursor.next);
    return HN_OK;
}

/* Reads on behind what is there; makes room first. */
static hn_err read_more(hn_block_file *file, hn_block_file_problem *problem)
{
    HN_CHECK(file->capacity != 0);
    if (file->first != 0) {
        memmove(file->buffer, file->buffer + file->first, file->end - file->first);
        file->end -= file->first;
        file->first = 0;
    }
    if (file->end == file->capacity) {
        uint8_t *larger = realloc(file->buffer, 2 * file->capacity);
        if (larger == NULL)
            return report(problem, HN_ERR_NO_MEMORY, "%.400s: %s", file->name, hn_err_text(HN_ERR_NO_MEMORY));
        file->buffer = larger;
        file->capacity *= 2;
    }
    ssize_t got;
    do
        got = read(file->descriptor, file->buffer + file->end, file->capacity - file->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return report(problem, HN_ERR_IO, "%.400s: %s", file->name, strerror(errno));
    file->is_ended = got == 0;
    file->end += (size_t)got;
    return HN_OK;
}

static hn_err report_no_block(const hn_block_file *file, hn_block_file_problem *problem)
{
    static const uint8_t gzip[] = {0x1f, 0x8b};
    const uint8_t *bytes = file->buffer + file->first;
    if (file->offset == 0 && file->end - file->first >= sizeof gzip && memcmp(bytes, gzip, sizeof gzip) == 0)
        return report(problem, HN_ERR_INVALID, "%.400s is compressed: unpack it with gzip -d first",
                      file->name);
    return report(problem, HN_ERR_INVALID,
                  "%.400s: offset %" PRIu64 ": this is no block (RLP of lists), block %" PRIu64
                  " of the file",
                  file->name, file->offset, file->count + 1);
}

static hn_err report_cut(const hn_block_file *file, hn_block_file_problem *problem)
{
    return report(problem, HN_ERR_TRUNCATED,
                  "%.400s: offset %" PRIu64 ": the file ends inside block %" PRIu64
                  " of it: %zu bytes of it are there",
                  file->name, file->offset, file->count + 1, file->end - file->first);
}

hn_err hn_block_file_next(hn_block_file *file, hn_block_file_problem *problem, hn_bytes *block)
{
    for (;;) {
        size_t size;
        hn_bytes there = hn_bytes_of(file->buffer + file->first, file->end - file->first);
        hn_err err = hn_block_measure(&size, there);
        if (err == HN_OK) {
            *block = hn_bytes_of(there.data, size);
            file->first += size;
            file->offset += size;
            file->count++;
            return HN_OK;
        }
        if (err == HN_ERR_INVALID || there.size > BLOCK_BYTES_MAX)
            return report_no_block(file, problem);
        if (file->is_ended)
            return there.size == 0 ? HN_ERR_NOT_FOUND : report_cut(file, problem);
        HN_TRY(read_more(file, problem));
    }
}

hn_err hn_block_file_check(hn_block_file_problem *problem, const char *path)
{
    hn_block_file file = {0};
    struct stat status;
    /* What is missing is told by opening it; a pipe must not even be opened, for its writer would notice. */
    if (strcmp(path, "-") == 0 ||
        (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
        return HN_OK;
    HN_TRY(hn_block_file_open(&file, problem, path));
    hn_err err = HN_OK;
    hn_bytes block;
    while (err == HN_OK)
        err = hn_block_file_next(&file, problem, &block);
    hn_block_file_close(&file);
    return err == HN_ERR_NOT_FOUND ? HN_OK : err;
}
