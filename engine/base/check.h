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

/* Writes the condition and its place to standard error and aborts. */
_Noreturn void hn_check_failed(const char *condition, const char *file, int line);

#endif
