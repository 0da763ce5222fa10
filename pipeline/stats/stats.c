#include "pipeline/stats/stats.h"

#include "engine/base/check.h"

#include <pthread.h>
#include <rte_telemetry.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { COMMANDS_MAX = 32, NAME_BYTES = RTE_TEL_MAX_STRING_LEN };

struct hn_stats_writer {
    struct rte_tel_data *data;
};

typedef struct command {
    const char *name;
    hn_stats_answer answer; /* NULL: forgotten */
    void *self;
} command;

/* DPDK's registry is one per process and hands no context to its callbacks: so is this table, guarded against
 * the telemetry thread asking while the node goes away. */
static command commands[COMMANDS_MAX];
static unsigned command_count;
static bool is_open = true;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

void hn_stats_put(hn_stats_writer *writer, const char *name, uint64_t value)
{
    rte_tel_data_add_dict_u64(writer->data, name, value);
}

void hn_stats_put_text(hn_stats_writer *writer, const char *name, const char *value)
{
    rte_tel_data_add_dict_string(writer->data, name, value);
}

void hn_stats_put_latency(hn_stats_writer *writer, const char *name, const hn_histogram *histogram)
{
    static const struct {
        const char *suffix;
        uint32_t per_hundred_thousand;
    } percentiles[] = {{"p50", 50000}, {"p90", 90000}, {"p99", 99000}, {"p999", 99900}, {"max", 100000}};
    char full[NAME_BYTES];
    for (size_t i = 0; i < sizeof percentiles / sizeof *percentiles; i++) {
        snprintf(full, sizeof full, "%s_%s_us", name, percentiles[i].suffix);
        hn_stats_put(writer, full,
                     hn_histogram_percentile(histogram, percentiles[i].per_hundred_thousand) / 1000);
    }
    snprintf(full, sizeof full, "%s_count", name);
    hn_stats_put(writer, full, atomic_load_explicit(&histogram->total, memory_order_relaxed));
}

static int answer_command(const char *name, const char *parameter, struct rte_tel_data *data)
{
    hn_err err = HN_ERR_NOT_FOUND;
    pthread_mutex_lock(&guard);
    rte_tel_data_start_dict(data);
    for (unsigned i = 0; i < command_count && is_open; i++) {
        if (strcmp(commands[i].name, name) == 0 && commands[i].answer != NULL) {
            hn_stats_writer writer = {.data = data};
            err = commands[i].answer(commands[i].self, &writer, parameter);
            break;
        }
    }
    pthread_mutex_unlock(&guard);
    return err == HN_OK ? 0 : -1;
}

hn_err hn_stats_register(const char *name, const char *help, hn_stats_answer answer, void *self)
{
    hn_err err = HN_OK;
    pthread_mutex_lock(&guard);
    if (command_count == COMMANDS_MAX) {
        err = HN_ERR_LIMIT;
    } else {
        commands[command_count++] = (command){.name = name, .answer = answer, .self = self};
        is_open = true;
    }
    pthread_mutex_unlock(&guard);
    if (err == HN_OK && rte_telemetry_register_cmd(name, answer_command, help) != 0)
        err = HN_ERR_SYSTEM;
    return err;
}

void hn_stats_forget(const void *self)
{
    pthread_mutex_lock(&guard);
    for (unsigned i = 0; i < command_count; i++)
        if (commands[i].self == self)
            commands[i].answer = NULL;
    pthread_mutex_unlock(&guard);
}

void hn_stats_close(void)
{
    pthread_mutex_lock(&guard);
    is_open = false;
    pthread_mutex_unlock(&guard);
}
