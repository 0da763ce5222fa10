/* The process's limit of open files. */
#ifndef HN_PIPELINE_CLI_OPEN_FILES_H
#define HN_PIPELINE_CLI_OPEN_FILES_H

#include <stdint.h>

/* Raises the soft limit to the hard one, and the hard one to `wanted` where that is allowed (root). How many
 * files may be open now. */
uint64_t hn_open_files_raise(uint64_t wanted);

#endif
