/* A last word when a page of a file that is mapped into memory cannot be read: the block history is read
 * through a map, and a disk that fails there answers with SIGBUS instead of an error. */
#ifndef HN_PIPELINE_CLI_MAPPED_FILES_H
#define HN_PIPELINE_CLI_MAPPED_FILES_H

/* From now on such a read names the file on standard error and ends the process with exit status 1, like kill
 * -9 otherwise: what was acknowledged is in the log. Main thread, once. */
void hn_mapped_files_guard(void);

#endif
