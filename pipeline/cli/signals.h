/* SIGTERM and SIGINT, taken by a thread of their own, so that they act whatever the main thread is waiting
 * for.
 *
 * While the node starts, one ends the process at once. While it runs, the first asks for an orderly end; from
 * then on another ends the process at once, in every phase of the end. Ending at once is like kill -9: the
 * log has everything that was acknowledged. Exit status then: 128 and the signal's number.
 */
#ifndef HN_PIPELINE_CLI_SIGNALS_H
#define HN_PIPELINE_CLI_SIGNALS_H

#include "engine/base/err.h"

#include <stdbool.h>

/* Before any other thread is made: all threads made later leave these signals alone. HN_ERR_SYSTEM. */
HN_MUST_USE hn_err hn_signals_start(void);

/* A directory that goes away when the process ends at once; the string lives as long as the process. */
void hn_signals_remove_at_end(const char *directory);

/* The node runs: from now on the first signal asks for an orderly end. */
void hn_signals_now_running(void);

/* Waits at most `milliseconds`; true when an orderly end was asked for. Main thread. */
bool hn_signals_wait(unsigned milliseconds);

/* Removes a directory and all below it, as far as that goes. */
void hn_remove_tree(const char *directory);

#endif
