/* Finding and walking the public test vectors, and counting what came of them.
 *
 * A set NAME is looked for in HANSE_FIXTURES_UNPACKED/NAME, then in HANSE_FIXTURES (default: the build option
 * `fixtures`) as NAME/ or NAME.tar.xz, which is unpacked into a temporary folder. A runner ends with
 * vectors_close, whose last line is "N passed, N failed, N skipped". One thread.
 */
#ifndef HN_TESTS_SUPPORT_VECTORS_H
#define HN_TESTS_SUPPORT_VECTORS_H

#include "engine/codec/json.h"

#include <limits.h>

enum { VECTORS_EXIT_SKIPPED = 77 }; /* what meson and automake count as skipped */

typedef struct vectors {
    char folder[PATH_MAX];
    char temporary[PATH_MAX]; /* empty: nothing to remove */
    hn_arena arena;           /* for the runner; reset before every file */
    void *context;            /* the runner's own */
    size_t passed;
    size_t failed;
    size_t skipped;
} vectors;

/* False, after saying so, when there is no such set: return VECTORS_EXIT_SKIPPED. */
bool vectors_open(vectors *set, const char *name);

/* Prints the totals, cleans up, and returns the exit status: a run in which nothing passed is a failure. */
int vectors_close(vectors *set);

/* Cleans up without a word: for a second set whose counts were added to the first one's. */
void vectors_release(vectors *set);

void vectors_pass(vectors *set);
__attribute__((format(printf, 3, 4))) void vectors_fail(vectors *set, const char *test, const char *format,
                                                        ...);
__attribute__((format(printf, 3, 4))) void vectors_skip(vectors *set, const char *test, const char *format,
                                                        ...);

typedef void vectors_run_file(vectors *set, const char *path, const hn_json *root);

/* Calls `run` for every .json file below folder/under, in the order of their paths. A file that cannot be
 * read or parsed is a failure; a folder that is not there is told as skipped. */
void vectors_each_json(vectors *set, const char *under, vectors_run_file *run);

/* A whole file below the folder, in the arena. HN_ERR_NOT_FOUND, HN_ERR_IO, HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err vectors_read_file(hn_bytes *out, vectors *set, const char *path);

#endif
