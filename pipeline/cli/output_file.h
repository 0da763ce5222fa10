/* A file that a command makes: it appears under its name when it is whole and durable, and not before.
 * Standard output and whatever is no plain file (a pipe, a device) are written as they are.
 */
#ifndef HN_PIPELINE_CLI_OUTPUT_FILE_H
#define HN_PIPELINE_CLI_OUTPUT_FILE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <stdio.h>

typedef struct hn_output_file {
    const char *path;
    FILE *stream;
    bool is_standard;
    bool may_replace;
    char temporary[4096]; /* its name until it is whole; empty: written as it is */
    char trouble[512];    /* what went wrong, for people */
} hn_output_file;

/* "-": standard output, unless that is a terminal. HN_ERR_EXISTS: it is there, and may_replace is false.
 * Errors leave nothing to close. */
HN_MUST_USE hn_err hn_output_file_open(hn_output_file *out, const char *path, bool may_replace);
HN_MUST_USE hn_err hn_output_file_write(hn_output_file *file, hn_bytes bytes);
/* Makes it durable and gives it its name. */
HN_MUST_USE hn_err hn_output_file_finish(hn_output_file *file);
/* What was not finished goes away. */
void hn_output_file_close(hn_output_file *file);

#endif
