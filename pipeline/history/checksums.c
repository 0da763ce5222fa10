/* Checksums of a store that was closed cleanly: a file beside it with the XXH3-128 of every mebibyte of the
 * data file and of the marker. LMDB has none of its own, and believes what its pages say.
 *
 * file   = magic u64 | size of the data file u64 | piece count u64 | checksum of the marker 16 |
 *          checksum of each piece 16... | checksum of all before 16
 *
 * Little-endian. The file goes away when the store is opened: it tells of a closed one alone.
 */
#include "pipeline/history/store.h"

#include "engine/base/hash_table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4096,
    PIECE_BYTES = 1024 * 1024,
    MARKER_BYTES = 512,
    HEAD_BYTES = 40,
    SUM_BYTES = 16,
};

/* A larger store would hold up every start and stop; `hanse verify` compares its blocks one by one. */
static const uint64_t summed_bytes_max = 8ULL << 30;
static const uint64_t checksums_magic = UINT64_C(0x314d55534e41484e); /* "NHANSUM1" */

__attribute__((format(printf, 2, 3))) static hn_err damaged(hn_history_problem *problem, const char *format,
                                                            ...)
{
    if (problem == NULL)
        return HN_ERR_CORRUPT;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return HN_ERR_CORRUPT;
}

static int open_file(const char *directory, const char *name, int flags)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return open(path, flags | O_CLOEXEC, 0644);
}

/* Up to `size` bytes; fewer at the end of the file, negative when it cannot be read. */
static ssize_t read_piece(int file, uint8_t *to, uint64_t offset, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(file, to + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static void store_sum(uint8_t *to, const void *data, size_t size)
{
    hn_checksum sum = hn_checksum_of(data, size);
    hn_store_le64(to, sum.low);
    hn_store_le64(to + 8, sum.high);
}

static bool sum_is(const uint8_t *expected, const void *data, size_t size)
{
    uint8_t sum[SUM_BYTES];
    store_sum(sum, data, size);
    return memcmp(sum, expected, sizeof sum) == 0;
}

static bool sum_marker(uint8_t out[SUM_BYTES], const char *directory)
{
    uint8_t text[MARKER_BYTES];
    int file = open_file(directory, "marker", O_RDONLY);
    ssize_t size = file >= 0 ? read_piece(file, text, 0, sizeof text) : -1;
    if (file >= 0)
        close(file);
    if (size >= 0)
        store_sum(out, text, (size_t)size);
    return size >= 0;
}

/* Sums all pieces; *out is the caller's to free. False: it cannot be read, or is too large. */
static bool sum_store(uint8_t **out, size_t *out_size, const char *directory)
{
    struct stat status;
    int file = open_file(directory, "data.mdb", O_RDONLY);
    bool is_fine = file >= 0 && fstat(file, &status) == 0 && (uint64_t)status.st_size <= summed_bytes_max;
    uint64_t size = is_fine ? (uint64_t)status.st_size : 0;
    uint64_t pieces = (size + PIECE_BYTES - 1) / PIECE_BYTES;
    uint8_t *sums = is_fine ? malloc(HEAD_BYTES + (pieces + 1) * SUM_BYTES) : NULL;
    uint8_t *piece = is_fine ? malloc(PIECE_BYTES) : NULL;
    is_fine = sums != NULL && piece != NULL && sum_marker(sums + 24, directory);
    for (uint64_t i = 0; is_fine && i < pieces; i++) {
        ssize_t got = read_piece(file, piece, i * PIECE_BYTES, PIECE_BYTES);
        is_fine = got > 0;
        if (is_fine)
            store_sum(sums + HEAD_BYTES + i * SUM_BYTES, piece, (size_t)got);
    }
    if (file >= 0)
        close(file);
    free(piece);
    if (!is_fine) {
        free(sums);
        return false;
    }
    hn_store_le64(sums, checksums_magic);
    hn_store_le64(sums + 8, size);
    hn_store_le64(sums + 16, pieces);
    *out_size = HEAD_BYTES + (size_t)pieces * SUM_BYTES;
    store_sum(sums + *out_size, sums, *out_size);
    *out_size += SUM_BYTES;
    *out = sums;
    return true;
}

void hn_history_checksums_write(const char *directory)
{
    uint8_t *sums;
    size_t size;
    if (!sum_store(&sums, &size, directory))
        return;
    int file = open_file(directory, "checksums", O_WRONLY | O_CREAT | O_TRUNC);
    bool is_written = file >= 0 && write(file, sums, size) == (ssize_t)size && fsync(file) == 0;
    if (file >= 0)
        close(file);
    if (!is_written)
        hn_history_checksums_remove(directory);
    free(sums);
}

void hn_history_checksums_remove(const char *directory)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/checksums", directory);
    unlink(path);
}

/* The checksums, themselves checked; NULL with HN_OK: there are none. */
static hn_err read_checksums(uint8_t **out, uint64_t *pieces, hn_history_problem *problem,
                             const char *directory)
{
    *out = NULL;
    int file = open_file(directory, "checksums", O_RDONLY);
    if (file < 0)
        return errno == ENOENT ? HN_OK : HN_ERR_IO;
    struct stat status;
    size_t size = fstat(file, &status) == 0 ? (size_t)status.st_size : 0;
    uint8_t *sums = size >= HEAD_BYTES + SUM_BYTES ? malloc(size) : NULL;
    if (sums == NULL && size >= HEAD_BYTES + SUM_BYTES && size <= summed_bytes_max) {
        close(file);
        return HN_ERR_NO_MEMORY;
    }
    bool is_good = sums != NULL && read_piece(file, sums, 0, size) == (ssize_t)size &&
                   sum_is(sums + size - SUM_BYTES, sums, size - SUM_BYTES) &&
                   hn_load_le64(sums) == checksums_magic &&
                   hn_load_le64(sums + 16) == (size - HEAD_BYTES - SUM_BYTES) / SUM_BYTES;
    close(file);
    if (!is_good) {
        free(sums);
        return damaged(problem, "history/checksums: the file is damaged");
    }
    *out = sums;
    *pieces = hn_load_le64(sums + 16);
    return HN_OK;
}

static hn_err check_pieces(hn_history_problem *problem, const char *directory, const uint8_t *sums,
                           uint64_t pieces)
{
    struct stat status;
    int file = open_file(directory, "data.mdb", O_RDONLY);
    uint8_t *piece = malloc(PIECE_BYTES);
    hn_err err = file < 0 ? HN_ERR_NOT_FOUND : piece == NULL ? HN_ERR_NO_MEMORY : HN_OK;
    if (err == HN_OK && (fstat(file, &status) != 0 || (uint64_t)status.st_size != hn_load_le64(sums + 8)))
        err = damaged(problem, "history/data.mdb: %" PRIu64 " bytes were written, and it has another size",
                      hn_load_le64(sums + 8));
    for (uint64_t i = 0; err == HN_OK && i < pieces; i++) {
        ssize_t got = read_piece(file, piece, i * PIECE_BYTES, PIECE_BYTES);
        if (got < 0)
            err = damaged(problem, "history/data.mdb: offset %" PRIu64 ": cannot be read", i * PIECE_BYTES);
        else if (!sum_is(sums + HEAD_BYTES + i * SUM_BYTES, piece, (size_t)got))
            err = damaged(problem,
                          "history/data.mdb: offset %" PRIu64
                          ": the next %zd bytes do not match their checksum",
                          i * PIECE_BYTES, got);
    }
    if (file >= 0)
        close(file);
    free(piece);
    return err;
}

hn_err hn_history_inspect(hn_history_problem *problem, const char *directory)
{
    hn_err err = hn_history_marker_check(directory);
    if (err == HN_ERR_VERSION && problem != NULL)
        snprintf(problem->text, sizeof problem->text, "history/marker: the store is of another version");
    if (err == HN_ERR_BUSY && problem != NULL)
        snprintf(problem->text, sizeof problem->text,
                 "history/marker: the store was in use when the machine went down, or when it was copied");
    HN_TRY(err);
    uint8_t *sums;
    uint64_t pieces;
    HN_TRY(read_checksums(&sums, &pieces, problem, directory));
    if (sums == NULL)
        return HN_OK;
    uint8_t marker[SUM_BYTES];
    if (!sum_marker(marker, directory) || memcmp(marker, sums + 24, sizeof marker) != 0)
        err = damaged(problem, "history/marker: the file does not match its checksum");
    else
        err = check_pieces(problem, directory, sums, pieces);
    free(sums);
    return err;
}
