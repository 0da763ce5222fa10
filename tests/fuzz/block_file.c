/* Any bytes as a file of blocks: what is given out lies in it without gaps, and the end is told for what it
 * is. */
#include "pipeline/cli/block_file.h"
#include "engine/base/check.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hn_block_file file;
    hn_block_file_problem problem;
    char path[64];
    int descriptor = memfd_create("blocks", MFD_CLOEXEC);
    HN_CHECK(descriptor >= 0 && (size == 0 || write(descriptor, data, size) == (ssize_t)size));
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    hn_err checked = hn_block_file_check(&problem, path);
    HN_CHECK(hn_block_file_open(&file, &problem, path) == HN_OK);
    size_t done = 0;
    hn_err err;
    hn_bytes block;
    while ((err = hn_block_file_next(&file, &problem, &block)) == HN_OK) {
        HN_CHECK(block.size >= 2 && block.size <= size - done &&
                 memcmp(block.data, data + done, block.size) == 0);
        done += block.size;
        HN_CHECK(file.offset == done);
    }
    HN_CHECK((err == HN_ERR_NOT_FOUND) == (done == size));
    HN_CHECK(err == HN_ERR_NOT_FOUND ||
             ((err == HN_ERR_INVALID || err == HN_ERR_TRUNCATED) && problem.text[0] != 0));
    HN_CHECK(checked == (err == HN_ERR_NOT_FOUND ? HN_OK : err));
    hn_block_file_close(&file);
    close(descriptor);
    return 0;
}
