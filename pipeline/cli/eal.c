#include "pipeline/cli/eal.h"

#include <rte_eal.h>
#include <rte_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 64, TEXT_BYTES = 4096 };

typedef struct arguments {
    char *list[ARGUMENTS_MAX];
    int count;
    char text[TEXT_BYTES];
    size_t used;
} arguments;

static void add(arguments *self, const char *argument)
{
    size_t size = strlen(argument) + 1;
    if (self->count == ARGUMENTS_MAX - 1 || self->used + size > sizeof self->text)
        return;
    memcpy(self->text + self->used, argument, size);
    self->list[self->count++] = self->text + self->used;
    self->used += size;
}

static void add_words(arguments *self, const char *words)
{
    char word[512];
    while (*words != '\0') {
        size_t size = strcspn(words, " ");
        if (size != 0 && size < sizeof word) {
            memcpy(word, words, size);
            word[size] = '\0';
            add(self, word);
        }
        words += size + (words[size] == ' ');
    }
}

/* The main lcore waits for signals and floats; so do the workers unless they are placed. */
static void add_lcores(arguments *self, const hn_eal_options *options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    char text[1024];
    int size = snprintf(text, sizeof text, "0@(0-%ld)", processors - 1);
    if (options->lcores[0] != '\0') {
        snprintf(text + size, sizeof text - (size_t)size, ",%s", options->lcores);
    } else {
        for (uint32_t i = 1; i <= options->worker_cores; i++)
            size += snprintf(text + size, sizeof text - (size_t)size, ",%u@(0-%ld)", i, processors - 1);
    }
    add(self, "--lcores");
    add(self, text);
    add(self, "--main-lcore");
    add(self, "0");
}

static char runtime_folder[TEXT_BYTES];

/* EAL leaves it behind; when something else is in it, so do we. */
static void remove_runtime_folder(void)
{
    (void)rmdir(runtime_folder);
}

hn_err hn_eal_start(const hn_eal_options *options)
{
    static arguments made; /* EAL keeps pointers into its arguments */
    made.count = 0;
    made.used = 0;
    add(&made, "hanse");
    add_lcores(&made, options);
    add(&made, "--file-prefix");
    add(&made, options->file_prefix);
    add(&made, "--log-level");
    add(&made, "lib.*:error");
    if (!options->has_hugepages) {
        add(&made, "--no-huge");
        add(&made, "--no-shconf");
        add(&made, "-m");
        add(&made, "128");
    }
    if (!options->needs_devices)
        add(&made, "--no-pci");
    add_words(&made, options->extra);
    made.list[made.count] = NULL;
    /* EAL announces itself on standard output; that belongs to the node's own words. */
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    if (saved >= 0)
        dup2(STDERR_FILENO, STDOUT_FILENO);
    /* Registered before EAL's own, it is called after it: that one removes the stats socket. */
    atexit(remove_runtime_folder);
    int result = rte_eal_init(made.count, made.list);
    if (result >= 0)
        snprintf(runtime_folder, sizeof runtime_folder, "%s", rte_eal_get_runtime_dir());
    fflush(stdout);
    if (saved >= 0) {
        dup2(saved, STDOUT_FILENO);
        close(saved);
    }
    return result < 0 ? HN_ERR_SYSTEM : HN_OK;
}

void hn_eal_stop(void)
{
    rte_eal_cleanup();
}
