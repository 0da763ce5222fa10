/* What a log has besides its frames: nothing. Finds bytes that no frame accounts for, which a start would not
 * read, or would cut as the tail of a write that nobody was told of.
 */
#ifndef HN_PIPELINE_CLI_VERIFY_LOG_H
#define HN_PIPELINE_CLI_VERIFY_LOG_H

#include "shard/log/io.h"

/* The log was replayed without error and ends with frame `last_index`. Calls `tell` for each place in a
 * segment where something stands that no frame accounts for; behind the last frame it only prints a note,
 * because a crash may leave a write there that was never acknowledged. */
HN_MUST_USE hn_err hn_verify_log_rest(const hn_io *io, uint64_t first_segment, uint64_t last_index,
                                      void (*tell)(void *self, const char *text), void *self);

#endif
