/* A file of blocks, as other Ethereum programs export them: the RLP of one block after the other, nothing
 * between them. Read piece by piece, so that it may be larger than memory, and may be a pipe.
 */
#ifndef HN_PIPELINE_CLI_BLOCK_FILE_H
#define HN_PIPELINE_CLI_BLOCK_FILE_H

#include "engine/base/bytes.h"
#include "engine/base/err.h"

#include <sys/types.h>

/* What is wrong and where, for people. */
typedef struct hn_block_file_problem {
    char text[512];
} hn_block_file_problem;

typedef struct hn_block_file {
    const char *name; /* for messages */
    int descriptor;
    bool is_owned;   /* closed with the file: not so standard input */
    bool is_ended;   /* nothing more to read */
    uint8_t *buffer; /* bytes read and not given out are those from `first` to before `end` */
    size_t capacity;
    size_t first;
    size_t end;
    uint64_t offset; /* in the file, of the next block */
    uint64_t count;  /* blocks given out */
} hn_block_file;

/* "-": standard input. HN_ERR_NOT_FOUND, HN_ERR_IO, HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_block_file_open(hn_block_file *out, hn_block_file_problem *problem, const char *path);
void hn_block_file_close(hn_block_file *file);

/* The next block; valid until the next call. Looked at is only where it ends and that it begins with a list,
 * as the header is. HN_ERR_NOT_FOUND: that was all. HN_ERR_TRUNCATED: the file ends inside a block.
 * HN_ERR_INVALID: this is no block. HN_ERR_IO, HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_block_file_next(hn_block_file *file, hn_block_file_problem *problem, hn_bytes *block);

/* Whether all of the file consists of blocks in this sense; files that can be read only once count as good.
 */
HN_MUST_USE hn_err hn_block_file_check(hn_block_file_problem *problem, const char *path);

/* Takes the block at the beginning of `bytes`: *size is how long it is. HN_ERR_TRUNCATED: it goes on behind
 * them. HN_ERR_INVALID: there is none. */
HN_MUST_USE hn_err hn_block_measure(size_t *size, hn_bytes bytes);

#endif
