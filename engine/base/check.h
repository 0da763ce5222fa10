/* Invariants that stay on in release builds.
 *
 * HN_CHECK says where it failed and aborts. It guards what the program itself guarantees, never input:
 * bad input is an hn_err. Cheap enough for the hot path; leave it on.
 */
#ifndef HN_ENGINE_BASE_CHECK_H
#define HN_ENGINE_BASE_CHECK_H

#define HN_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define HN_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#define HN_CHECK(condition)                                                                                  \
    do {                                                                                                     \
        if (HN_UNLIKELY(!(condition)))                                                                       \
            hn_check_failed(#condition, __FILE__, __LINE__);                                                 \
    } while (0)

/* After a step that must not be left half done and can fail for want of memory alone: then the process ends
 * with a word and exit status 1, and the log has everything that was acknowledged. Any other error breaks an
 * invariant. */
#define HN_CHECK_MEMORY(err)                                                                                 \
    do {                                                                                                     \
        if (HN_UNLIKELY((err) != HN_OK)) {                                                                   \
            HN_CHECK((err) == HN_ERR_NO_MEMORY);                                                             \
            hn_memory_failed();                                                                              \
        }                                                                                                    \
    } while (0)

_Noreturn void hn_memory_failed(void);

/* Writes the condition and its place to standard error and aborts. */
_Noreturn void hn_check_failed(const char *condition, const char *file, int line);

#endif
