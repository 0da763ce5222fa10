#include "pipeline/cli/evm_runner.h"

#include "engine/codec/hex.h"

#include <dirent.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FOLDER_DEPTH_MAX = 32,
    WORKER_STACK_BYTES = 64 << 20,
};

static const size_t evm_memory_bytes = (size_t)1 << 30;
static const size_t arena_chunk_bytes = (size_t)1 << 20;
static const size_t arena_limit_bytes = (size_t)4 << 30;
static const hn_json_limits json_limits = {.size_max = (size_t)1 << 30, .depth_max = 1024};

typedef struct path_list {
    char **paths;
    size_t count;
    size_t capacity;
} path_list;

struct hn_evm_shared {
    hn_evm_options options;
    path_list files;
    _Atomic size_t next_file;
    hn_evm_run_file run_file;
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    pthread_mutex_t output;
    hn_evm_results results; /* in geth's form */
    bool shows_progress;
    struct timespec started;
};

/* --- files --- */

static bool path_list_add(path_list *list, const char *path)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 256 : 2 * list->capacity;
        char **grown = realloc(list->paths, capacity * sizeof *grown);
        if (grown == NULL)
            return false;
        list->paths = grown;
        list->capacity = capacity;
    }
    list->paths[list->count] = strdup(path);
    return list->paths[list->count] != NULL && ++list->count != 0;
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t size = strlen(text);
    size_t suffix_size = strlen(suffix);
    return size >= suffix_size && strcmp(text + size - suffix_size, suffix) == 0;
}

static bool collect(path_list *list, const char *path, unsigned depth)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        perror(path);
        return false;
    }
    if (!S_ISDIR(status.st_mode))
        return depth > 0 && !has_suffix(path, ".json") ? true : path_list_add(list, path);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        perror(path);
        return false;
    }
    bool good = depth < FOLDER_DEPTH_MAX;
    for (struct dirent *entry; good && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        char *child = NULL;
        if (asprintf(&child, "%s/%s", path, entry->d_name) < 0)
            good = false;
        else
            good = collect(list, child, depth + 1);
        free(child);
    }
    closedir(folder);
    return good;
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

uint8_t *hn_read_whole_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    uint8_t *data = NULL;
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (end >= 0 && fseek(file, 0, SEEK_SET) == 0) {
        data = malloc((size_t)end + 1);
        if (data != NULL && fread(data, 1, (size_t)end, file) != (size_t)end) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    if (data != NULL)
        *size = (size_t)end;
    return data;
}

uint8_t *hn_read_standard_input(size_t *size)
{
    size_t capacity = (size_t)1 << 16;
    uint8_t *text = malloc(capacity);
    *size = 0;
    for (size_t got; text != NULL && (got = fread(text + *size, 1, capacity - *size, stdin)) > 0;) {
        *size += got;
        if (*size == capacity) {
            uint8_t *grown = realloc(text, capacity *= 2);
            if (grown == NULL)
                free(text);
            text = grown;
        }
    }
    return text;
}

/* --- reports --- */

void hn_evm_pass(hn_evm_worker *worker)
{
    worker->passed++;
}

static void print_line(hn_evm_worker *worker, const char *kind, const char *test, const char *place,
                       const char *text)
{
    pthread_mutex_lock(&worker->shared->output);
    if (worker->shared->shows_progress)
        fputs("\r\033[K", stderr);
    printf("%s %s: %s%s%s: %s\n", kind, worker->path, test, place == NULL ? "" : " ",
           place == NULL ? "" : place, text);
    fflush(stdout);
    pthread_mutex_unlock(&worker->shared->output);
}

void hn_evm_skip(hn_evm_worker *worker, const char *test, const char *reason)
{
    worker->skipped++;
    print_line(worker, "SKIP", test, NULL, reason);
}

void hn_evm_fail(hn_evm_worker *worker, const char *test, const char *place, const char *format, ...)
{
    worker->failed++;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(worker->failure, sizeof worker->failure, format, arguments);
    va_end(arguments);
    if (!worker->options->as_geth)
        print_line(worker, "FAIL", test, place, worker->failure);
}

void hn_evm_report(hn_evm_worker *worker, const hn_evm_outcome *outcome)
{
    hn_evm_results_add(&worker->shared->results, outcome);
}

static bool is_named_by(const hn_evm_worker *worker, const char *test, const char *part)
{
    return strstr(test, part) != NULL || strstr(worker->path, part) != NULL;
}

bool hn_evm_wanted(hn_evm_worker *worker, const char *test)
{
    const hn_evm_options *options = worker->options;
    if (options->has_pattern && regexec(&options->pattern, test, 0, NULL, 0) != 0)
        return false;
    if (options->filter != NULL && !is_named_by(worker, test, options->filter))
        return false;
    for (unsigned i = 0; i < options->exclude_count; i++) {
        if (is_named_by(worker, test, options->excludes[i])) {
            hn_evm_skip(worker, test, "excluded");
            return false;
        }
    }
    return true;
}

hn_hash_text hn_hash_text_of(const hn_hash *hash)
{
    hn_hash_text out = {.text = "0x"};
    *hn_hex_encode(out.text + 2, hash->b, sizeof hash->b) = '\0';
    return out;
}

/* --- workers --- */

static void run_one_file(hn_evm_worker *worker)
{
    size_t size = 0;
    uint8_t *data = hn_read_whole_file(worker->path, &size);
    if (data == NULL) {
        hn_evm_fail(worker, "-", NULL, "cannot be read");
        return;
    }
    hn_json_problem problem = {.text = ""};
    hn_json_document document;
    if (hn_json_parse(&document, &problem, hn_bytes_of(data, size), &json_limits) != HN_OK) {
        hn_evm_fail(worker, "-", NULL, "no JSON: %s", problem.text);
    } else {
        hn_json root = hn_json_root(&document, &problem);
        hn_arena_reset(&worker->arena);
        worker->shared->run_file(worker, &root);
        hn_json_free(&document);
    }
    free(data);
}

static bool time_is_up(const hn_evm_shared *shared)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return shared->options.seconds_max != 0 &&
           now.tv_sec - shared->started.tv_sec >= (time_t)shared->options.seconds_max;
}

static void *work(void *argument)
{
    hn_evm_worker *worker = argument;
    hn_evm_shared *shared = worker->shared;
    for (;;) {
        size_t index = atomic_fetch_add(&shared->next_file, 1);
        if (index >= shared->files.count)
            return NULL;
        worker->path = shared->files.paths[index];
        if (time_is_up(shared)) {
            hn_evm_fail(worker, "-", NULL, "not run: the time limit of %u s has passed",
                        shared->options.seconds_max);
            continue;
        }
        if (shared->shows_progress) {
            pthread_mutex_lock(&shared->output);
            fprintf(stderr, "\r\033[K[%zu/%zu] %.100s", index + 1, shared->files.count, worker->path);
            pthread_mutex_unlock(&shared->output);
        }
        run_one_file(worker);
    }
}

static bool worker_create(hn_evm_worker *worker, hn_evm_shared *shared)
{
    *worker =
        (hn_evm_worker){.shared = shared, .options = &shared->options, .signatures = shared->signatures};
    hn_arena_init(&worker->arena, arena_chunk_bytes, arena_limit_bytes);
    if (hn_evm_create(&worker->evm, shared->precompiles, evm_memory_bytes) != HN_OK)
        return false;
    hn_evm_set_patience(worker->evm, 0); /* the fast interpreter is to be tested, too */
    return true;
}

static void worker_destroy(hn_evm_worker *worker)
{
    hn_evm_destroy(worker->evm);
    hn_arena_destroy(&worker->arena);
}

/* Runs all workers to their end and prints the summary. */
static int run_workers(hn_evm_shared *shared)
{
    unsigned count = shared->options.threads;
    hn_evm_worker *workers = calloc(count, sizeof *workers);
    pthread_t *threads = calloc(count, sizeof *threads);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
    unsigned started = 0;
    for (; workers != NULL && threads != NULL && started < count; started++) {
        if (!worker_create(&workers[started], shared) ||
            pthread_create(&threads[started], &attributes, work, &workers[started]) != 0) {
            worker_destroy(&workers[started]);
            break;
        }
    }
    pthread_attr_destroy(&attributes);
    size_t passed = 0;
    size_t failed = 0;
    size_t skipped = 0;
    for (unsigned i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        passed += workers[i].passed;
        failed += workers[i].failed;
        skipped += workers[i].skipped;
        worker_destroy(&workers[i]);
    }
    free(threads);
    free(workers);
    if (shared->shows_progress)
        fputs("\r\033[K", stderr);
    if (started == 0) {
        fputs("hanse evm: not enough memory for a worker\n", stderr);
        return 1;
    }
    if (shared->options.as_geth) {
        hn_evm_results_end(&shared->results);
        return 0; /* geth's tool has ended well when the tests have run */
    }
    printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
    return failed == 0 ? 0 : 1;
}

/* Paths on standard input, one a line, up to an empty one. */
static bool read_paths(path_list *list)
{
    char *line = NULL;
    size_t capacity = 0;
    bool good = true;
    while (good && getline(&line, &capacity, stdin) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0')
            break;
        char *path = strdup(line);
        good = path != NULL && collect(list, path, 0);
        free(path);
    }
    free(line);
    return good;
}

int hn_evm_run_vectors(int argc, char **argv, hn_evm_run_file run_file)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    hn_evm_shared shared = {
        .options = {.threads = cores < 1                    ? 1
                               : cores > HN_EVM_THREADS_MAX ? HN_EVM_THREADS_MAX
                                                            : (unsigned)cores},
        .run_file = run_file,
        .output = PTHREAD_MUTEX_INITIALIZER,
        .shows_progress = isatty(STDERR_FILENO) == 1,
    };
    int status = hn_evm_options_parse(&shared.options, argc, argv);
    if (status >= 0)
        return status;
    shared.shows_progress &= !shared.options.trace && !shared.options.as_geth;
    shared.results = (hn_evm_results){.file = stdout, .is_for_people = shared.options.for_people};
    clock_gettime(CLOCK_MONOTONIC, &shared.started);
    bool good = true;
    for (int i = optind; i < argc; i++)
        good &= collect(&shared.files, argv[i], 0);
    if (optind == argc)
        good = read_paths(&shared.files);
    if (shared.files.count > 0)
        qsort(shared.files.paths, shared.files.count, sizeof *shared.files.paths, compare_paths);
    if (hn_precompile_context_create(&shared.precompiles) != HN_OK ||
        hn_signature_context_create(&shared.signatures) != HN_OK) {
        fputs("hanse evm: cannot prepare the precompiled contracts\n", stderr);
        return 1;
    }
    status = run_workers(&shared);
    hn_signature_context_destroy(shared.signatures);
    hn_precompile_context_destroy(shared.precompiles);
    for (size_t i = 0; i < shared.files.count; i++)
        free(shared.files.paths[i]);
    free(shared.files.paths);
    if (shared.options.has_pattern)
        regfree(&shared.options.pattern);
    return good ? status : 1;
}
