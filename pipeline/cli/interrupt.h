/* SIGINT and SIGTERM ask a command to end in order; a second one ends it at once. */
#ifndef HN_PIPELINE_CLI_INTERRUPT_H
#define HN_PIPELINE_CLI_INTERRUPT_H

/* From now on. A pipe that nobody reads any more, and a file that may not grow, are errors of
 * writing, and no signals. Main thread. */
void hn_interrupt_take(void);

/* Both end the command at once again. */
void hn_interrupt_release(void);

/* Not 0 when one came. */
const volatile int *hn_interrupt_flag(void);

#endif
