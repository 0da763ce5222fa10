/* Makes the N-th allocation fail. In two forms: linked into `hanse_failing` with --wrap, where it sees the
 * calls of the program's own code (every build, sanitizers too), and as a library that is preloaded, where it
 * sees those that shared libraries make.
 *
 * HANSE_FAIL_FILE names a file of `control`, zeroes and the number of the call that fails; without it nothing
 * fails. Each call writes down where it came from, so that a test can choose one of each place. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PLACES = 1 << 18, LIBRARY_BYTES = 64 };

typedef struct {
    _Atomic uint64_t count; /* calls so far */
    uint64_t failing;       /* counted from 1; 0: none */
    _Atomic uint64_t failed;
    char library[LIBRARY_BYTES];     /* whose call it was that failed */
    _Atomic uint32_t places[PLACES]; /* of the first calls: the return address below the object's beginning */
} control;

static control *shared;

extern const char __executable_start[];

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("HANSE_FAIL_FILE");
    int file = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *memory =
        (void *)syscall(SYS_mmap, NULL, sizeof(control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0L);
    close(file);
    if ((intptr_t)memory > 0)
        shared = memory;
}

static bool must_fail(const void *caller)
{
    if (shared == NULL)
        return false;
    uintptr_t base = 0;
#ifdef PRELOADED
    struct dl_find_object object;
    if (_dl_find_object((void *)(uintptr_t)caller, &object) != 0 || object.dlfo_link_map->l_name[0] == '\0')
        return false; /* the program's own */
    base = object.dlfo_link_map->l_addr;
#else
    base = (uintptr_t)__executable_start;
#endif
    uint64_t number = atomic_fetch_add(&shared->count, 1) + 1;
    if (number <= PLACES)
        atomic_store(&shared->places[number - 1], (uint32_t)((uintptr_t)caller - base));
    if (number != shared->failing)
        return false;
    atomic_fetch_add(&shared->failed, 1);
#ifdef PRELOADED
    const char *name = strrchr(object.dlfo_link_map->l_name, '/');
    strncpy(shared->library, name != NULL ? name + 1 : object.dlfo_link_map->l_name, LIBRARY_BYTES - 1);
#endif
    errno = ENOMEM;
    return true;
}

#ifdef PRELOADED
#define OURS(name) name
#define REAL(name) __libc_##name
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
#define REAL_ALIGNED __libc_memalign
#else
#define OURS(name)   __wrap_##name
#define REAL(name)   __real_##name
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *OURS(malloc)(size_t size);
void *OURS(calloc)(size_t count, size_t size);
void *OURS(realloc)(void *old, size_t size);
void *OURS(aligned_alloc)(size_t alignment, size_t size);
#define REAL_ALIGNED __real_aligned_alloc
#endif

void *OURS(malloc)(size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : REAL(malloc)(size);
}

void *OURS(calloc)(size_t count, size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : REAL(calloc)(count, size);
}

void *OURS(realloc)(void *old, size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : REAL(realloc)(old, size);
}

void *OURS(aligned_alloc)(size_t alignment, size_t size)
{
    return must_fail(__builtin_return_address(0)) ? NULL : REAL_ALIGNED(alignment, size);
}

#ifdef PRELOADED
int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *made = must_fail(__builtin_return_address(0)) ? NULL : __libc_memalign(alignment, size);
    if (made != NULL)
        *out = made;
    return made != NULL ? 0 : ENOMEM;
}
#else
/* What the operating system and libraries make for the program in one piece. */
#define WRAP(result, name, failure, parameters, arguments)                                                   \
    result __real_##name parameters;                                                                         \
    result OURS(name) parameters;                                                                            \
    result OURS(name) parameters                                                                             \
    {                                                                                                        \
        if (must_fail(__builtin_return_address(0)))                                                          \
            return failure;                                                                                  \
        return __real_##name arguments;                                                                      \
    }

struct io_uring;
struct rte_mempool;
WRAP(char *, strdup, NULL, (const char *text), (text))
WRAP(void *, mmap, MAP_FAILED, (void *at, size_t size, int rights, int flags, int file, off_t offset),
     (at, size, rights, flags, file, offset))
WRAP(int, pthread_create, EAGAIN,
     (pthread_t * out, const pthread_attr_t *how, void *(*run)(void *), void *self), (out, how, run, self))
WRAP(int, eventfd, -1, (unsigned initial, int flags), (initial, flags))
WRAP(int, io_uring_queue_init, -ENOMEM, (unsigned entries, struct io_uring *ring, unsigned flags),
     (entries, ring, flags))
WRAP(struct rte_mempool *, rte_pktmbuf_pool_create, NULL,
     (const char *name, unsigned count, unsigned cache, uint16_t private_size, uint16_t room, int socket),
     (name, count, cache, private_size, room, socket))
#endif
