/* Operating errors: one list, from which the enum, the names and the texts are made.
 *
 * A function that can fail for a reason outside the program (input, disk, memory) returns hn_err and is
 * must-use; its out-parameters are written only on HN_OK. A broken invariant is no error: it is HN_CHECK
 * (check.h). The outcome of a transaction (reverted, rejected because ...) is no error either: those enums
 * live with the rules they belong to (engine/evm/evm.h, engine/chain/reject.h).
 */
#ifndef HN_ENGINE_BASE_ERR_H
#define HN_ENGINE_BASE_ERR_H

#define HN_ERR_LIST(X)                                                                                       \
    X(OK, "success")                                                                                         \
    X(NO_MEMORY, "out of memory, or an arena is full")                                                       \
    X(LIMIT, "a configured bound was reached")                                                               \
    X(INVALID, "the input is malformed")                                                                     \
    X(TRUNCATED, "the input ends too early")                                                                 \
    X(TRAILING, "bytes follow the end of the input")                                                         \
    X(NOT_CANONICAL, "the encoding is not the shortest one")                                                 \
    X(RANGE, "a number is out of range")                                                                     \
    X(UNSUPPORTED, "not supported")                                                                          \
    X(NOT_FOUND, "not found")                                                                                \
    X(PRUNED, "was there once and is kept no more")                                                          \
    X(EXISTS, "already exists")                                                                              \
    X(BUSY, "in use by another process")                                                                     \
    X(AGAIN, "not ready yet")                                                                                \
    X(SIGNATURE, "the signature is invalid")                                                                 \
    X(MISMATCH, "a computed value differs from the recorded one")                                            \
    X(CORRUPT, "stored data is corrupt")                                                                     \
    X(VERSION, "stored data has an unknown version")                                                         \
    X(NO_SPACE, "no space left on the device")                                                               \
    X(IO, "an input or output operation failed")                                                             \
    X(CLOSED, "the peer or the object is closed")                                                            \
    X(TIMEOUT, "timed out")                                                                                  \
    X(SYSTEM, "an operating system call failed")

typedef enum hn_err {
#define HN_ERR_ENUM(name, text) HN_ERR_##name,
    HN_ERR_LIST(HN_ERR_ENUM)
#undef HN_ERR_ENUM
        HN_ERR_COUNT
} hn_err;

/* Success has a short name of its own because it is compared against everywhere. */
#define HN_OK HN_ERR_OK

/* The name ("NO_MEMORY") and the text of an error; both static strings, never NULL. */
const char *hn_err_name(hn_err err);
const char *hn_err_text(hn_err err);

#define HN_MUST_USE __attribute__((warn_unused_result))

/* Returns from the calling function when `expression` is not HN_OK. */
#define HN_TRY(expression)                                                                                   \
    do {                                                                                                     \
        hn_err hn_try_err = (expression);                                                                    \
        if (hn_try_err != HN_OK)                                                                             \
            return hn_try_err;                                                                               \
    } while (0)

#endif
