/* The description of a data directory: DIRECTORY/format, a text with the version of the layout and a checksum
 * of every file in DIRECTORY/ledgers. It and those files have a second copy (NAME.copy), which stands in for
 * one that is damaged or gone.
 *
 *   hanse data directory
 *   version 1
 *   ledger FILE-NAME CHECKSUM      (XXH3-128, for each)
 *   checksum CHECKSUM              (of the lines before)
 */
#ifndef HN_PIPELINE_CLI_DATA_FORMAT_H
#define HN_PIPELINE_CLI_DATA_FORMAT_H

#include "engine/base/hash_table.h"
#include "pipeline/cli/data_directory.h"

enum {
    HN_DATA_FORMAT_VERSION = 1,
    HN_DATA_FORMAT_LEDGERS_MAX = 256,
    HN_DATA_FORMAT_NAME_MAX = 127,
};

typedef struct hn_data_format {
    unsigned version; /* 0: from before there was a description */
    uint32_t count;
    struct {
        char name[HN_DATA_FORMAT_NAME_MAX + 1];
        hn_checksum sum;
    } ledgers[HN_DATA_FORMAT_LEDGERS_MAX];
} hn_data_format;

/* Reads the description or its copy; version 0 when there is none. What is damaged is told. HN_ERR_VERSION: a
 * newer one. HN_ERR_CORRUPT: both are damaged. */
HN_MUST_USE hn_err hn_data_format_read(hn_data_format *out, hn_data_problem *problem, const char *path,
                                       hn_data_tell tell, void *tell_self);

/* One file of DIRECTORY/ledgers, or its copy when the description says that it is damaged, which is told.
 * HN_ERR_CORRUPT: both are. */
HN_MUST_USE hn_err hn_data_format_read_ledger(hn_bytes *out, hn_data_problem *problem, hn_arena *arena,
                                              const hn_data_format *format, const char *path,
                                              const char *name, hn_data_tell tell, void *tell_self);

/* True when the file of DIRECTORY/ledgers and its copy are what the description says, whose checksum *sum
 * gets. Reads them piece by piece. */
bool hn_data_format_is_whole(const hn_data_format *format, const char *path, const char *name,
                             hn_checksum *sum);

#endif
