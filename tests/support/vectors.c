#include "tests/support/vectors.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Runs a program found in PATH without a shell in between, so that no character of a path matters. */
static bool run_program(char *const arguments[])
{
    pid_t child = fork();
    if (child == 0) {
        execvp(arguments[0], arguments);
        _exit(127);
    }
    int status = -1;
    if (child > 0)
        while (waitpid(child, &status, 0) == -1)
            continue;
    return status == 0;
}

static bool unpack(vectors *set, const char *fixtures, const char *name)
{
    char archive[PATH_MAX];
    snprintf(archive, sizeof archive, "%s/%s.tar.xz", fixtures, name);
    if (access(archive, R_OK) != 0)
        return false;
    snprintf(set->temporary, sizeof set->temporary, "/tmp/hanse-vectors-XXXXXX");
    if (mkdtemp(set->temporary) == NULL) {
        set->temporary[0] = '\0';
        return false;
    }
    snprintf(set->folder, sizeof set->folder, "%.64s/%s", set->temporary, name);
    char option_unpack[] = "-xJf", option_into[] = "-C", tar[] = "tar";
    char *const arguments[] = {tar, option_unpack, archive, option_into, set->temporary, NULL};
    return run_program(arguments) && is_folder(set->folder);
}

static void remove_temporary(vectors *set)
{
    if (set->temporary[0] == '\0')
        return;
    char rm[] = "rm", options[] = "-rf";
    char *const arguments[] = {rm, options, set->temporary, NULL};
    if (!run_program(arguments))
        fprintf(stderr, "cannot remove %s\n", set->temporary);
}

bool vectors_open(vectors *set, const char *name)
{
    *set = (vectors){.passed = 0};
    const char *unpacked = getenv("HANSE_FIXTURES_UNPACKED"), *fixtures = getenv("HANSE_FIXTURES");
    if (fixtures == NULL)
        fixtures = HN_FIXTURES_DEFAULT;
    const char *const roots[] = {unpacked, fixtures};
    bool found = false;
    for (size_t i = 0; i < sizeof roots / sizeof *roots && !found; i++) {
        if (roots[i] == NULL)
            continue;
        snprintf(set->folder, sizeof set->folder, "%s/%s", roots[i], name);
        found = is_folder(set->folder);
    }
    if (!found && !unpack(set, fixtures, name)) {
        printf("skipped: no test vectors \"%s\"; name their folder in HANSE_FIXTURES\n", name);
        remove_temporary(set);
        return false;
    }
    hn_arena_init(&set->arena, 1 << 20, 0);
    return true;
}

void vectors_release(vectors *set)
{
    remove_temporary(set);
    hn_arena_destroy(&set->arena);
}

int vectors_close(vectors *set)
{
    vectors_release(set);
    printf("%zu passed, %zu failed, %zu skipped\n", set->passed, set->failed, set->skipped);
    return set->failed == 0 && set->passed != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void vectors_pass(vectors *set)
{
    set->passed++;
}

static void report(const char *what, const char *test, const char *format, va_list arguments)
{
    printf("%s %s: ", what, test);
    vprintf(format, arguments);
    putchar('\n');
}

void vectors_fail(vectors *set, const char *test, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report("FAIL", test, format, arguments);
    va_end(arguments);
    set->failed++;
}

void vectors_skip(vectors *set, const char *test, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report("skipped", test, format, arguments);
    va_end(arguments);
    set->skipped++;
}

static hn_err read_open_file(hn_bytes *out, vectors *set, FILE *file)
{
    struct stat status;
    if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode))
        return HN_ERR_IO;
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = hn_arena_alloc(&set->arena, size);
    if (bytes == NULL)
        return HN_ERR_NO_MEMORY;
    if (fread(bytes, 1, size, file) != size)
        return HN_ERR_IO;
    *out = hn_bytes_of(bytes, size);
    return HN_OK;
}

static hn_err read_path(hn_bytes *out, vectors *set, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return HN_ERR_NOT_FOUND;
    hn_err err = read_open_file(out, set, file);
    fclose(file);
    return err;
}

hn_err vectors_read_file(hn_bytes *out, vectors *set, const char *path)
{
    char full[2 * PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", set->folder, path);
    return read_path(out, set, full);
}

static void run_json(vectors *set, const char *path, vectors_run_file *run)
{
    static const hn_json_limits limits = {.size_max = SIZE_MAX, .depth_max = 256};
    hn_json_problem problem = {""};
    hn_json_document document;
    hn_bytes text;
    hn_arena_reset(&set->arena);
    hn_err err = read_path(&text, set, path);
    if (err == HN_OK)
        err = hn_json_parse(&document, &problem, text, &limits);
    if (err != HN_OK) {
        vectors_fail(set, path, "%s %s", hn_err_text(err), problem.text);
        return;
    }
    hn_json root = hn_json_root(&document, &problem);
    run(set, path, &root);
    hn_json_free(&document);
}

static void walk(vectors *set, const char *folder, vectors_run_file *run)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) {
        vectors_skip(set, folder, "no such folder");
        return;
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        const char *name = entries[i]->d_name;
        size_t size = strlen(name);
        if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
            vectors_fail(set, folder, "the path is too long");
        else if (name[0] != '.' && is_folder(path))
            walk(set, path, run);
        else if (size > 5 && strcmp(name + size - 5, ".json") == 0)
            run_json(set, path, run);
        free(entries[i]);
    }
    free(entries);
}

void vectors_each_json(vectors *set, const char *under, vectors_run_file *run)
{
    char folder[2 * PATH_MAX];
    snprintf(folder, sizeof folder, "%s/%s", set->folder, under);
    walk(set, folder, run);
}
