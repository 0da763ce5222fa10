#include "bench/load/report.h"

#include <stdio.h>

static const char *const check_names[] = {"skipped", "right", "wrong"};

static const struct {
    const char *name;
    uint32_t per_hundred_thousand;
} percentiles[] = {{"p50", 50000}, {"p90", 90000}, {"p99", 99000}, {"p99.9", 99900}};

enum { PERCENTILES = sizeof percentiles / sizeof percentiles[0] };

static double percentile_ms(const hn_load_run *run, unsigned i)
{
    return (double)hn_histogram_percentile(&run->pacer.latency, percentiles[i].per_hundred_thousand) / 1e6;
}

static double max_ms(const hn_load_run *run)
{
    return (double)run->pacer.latency.max / 1e6;
}

static double seconds_of(const hn_load_run *run)
{
    return (double)(run->pacer.end_ns - run->pacer.begin_ns) / 1e9;
}

static double rate_of(const hn_load_run *run)
{
    double seconds = seconds_of(run);
    return seconds > 0 ? (double)(run->pacer.done - run->pacer.failed) / seconds : 0;
}

void hn_load_show_progress(const hn_load_run *run, uint64_t *last_ns, uint64_t *last_done, uint64_t now_ns)
{
    if (run->title == NULL || now_ns - *last_ns < UINT64_C(1000000000))
        return;
    double rate = (double)(run->pacer.done - *last_done) * 1e9 / (double)(now_ns - *last_ns);
    (void)fprintf(stderr, "%s: %lu of %lu, %.0f/s, %lu unanswered, %lu failed, p99 %.2f ms\n", run->title,
                  (unsigned long)run->pacer.done, (unsigned long)run->pacer.count, rate,
                  (unsigned long)run->pacer.in_flight, (unsigned long)run->pacer.failed,
                  percentile_ms(run, 2));
    *last_ns = now_ns;
    *last_done = run->pacer.done;
}

void hn_load_report(const hn_load_run *run, hn_load_check check, uint64_t facts)
{
    const hn_load_options *options = run->options;
    const hn_load_pacer *pacer = &run->pacer;
    (void)fprintf(stderr, "\nworkload      %s over %s", hn_load_workload_name(options->workload),
                  hn_load_target_name(options->target));
    if (options->target == HN_LOAD_DATAGRAM)
        (void)fprintf(stderr, ", answers when %s", hn_load_level_name(options->level));
    if (options->rate != 0)
        (void)fprintf(stderr, "; open loop, %lu/s wanted\n", (unsigned long)options->rate);
    else
        (void)fprintf(stderr, "; closed loop, window %lu\n", (unsigned long)options->window);
    (void)fprintf(stderr, "transactions  %lu good, %lu failed in %.3f s\n",
                  (unsigned long)(pacer->done - pacer->failed), (unsigned long)pacer->failed,
                  seconds_of(run));
    (void)fprintf(stderr, "throughput    %.0f tx/s\n", rate_of(run));
    (void)fprintf(stderr, "latency       ");
    for (unsigned i = 0; i < PERCENTILES; i++)
        (void)fprintf(stderr, "%s %.3f ms, ", percentiles[i].name, percentile_ms(run, i));
    (void)fprintf(stderr, "max %.3f ms%s\n", max_ms(run),
                  options->rate != 0 ? " (from the intended time)" : "");
    if (options->target == HN_LOAD_DATAGRAM)
        (void)fprintf(stderr, "datagrams     %lu sent, %lu of them again\n",
                      (unsigned long)run->datagrams_sent, (unsigned long)run->datagrams_repeated);
    (void)fprintf(stderr, "generator     %.2f us of processor time for each transaction\n",
                  (double)run->processor_ns / 1e3 / (double)pacer->count);
    for (unsigned i = 0; i < pacer->reason_count; i++)
        (void)fprintf(stderr, "refused       %lu x %s\n", (unsigned long)pacer->reasons[i].count,
                      pacer->reasons[i].text);
    (void)fprintf(stderr, "final state   %s", check_names[check]);
    if (check != HN_LOAD_CHECK_SKIPPED)
        (void)fprintf(stderr, " (%lu nonces and balances compared)", (unsigned long)facts);
    (void)fprintf(stderr, "\n");
}

/* Reasons may come from a node: quotes and control characters must not end the string. */
static void print_text(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned)(unsigned char)*text);
        else
            (void)putchar(*text);
    }
    (void)putchar('"');
}

void hn_load_report_json(const hn_load_run *run, hn_load_check check, uint64_t facts)
{
    const hn_load_options *options = run->options;
    const hn_load_pacer *pacer = &run->pacer;
    printf("{\"workload\":\"%s\",\"target\":\"%s\",\"level\":\"%s\",\"loop\":\"%s\",\"rate\":%lu,\"window\":%"
           "lu,",
           hn_load_workload_name(options->workload), hn_load_target_name(options->target),
           hn_load_level_name(options->level), options->rate != 0 ? "open" : "closed",
           (unsigned long)options->rate, (unsigned long)options->window);
    printf(
        "\"senders\":%lu,\"seed\":%lu,\"transactions\":%lu,\"failed\":%lu,\"retries\":%lu,\"seconds\":%.6f,"
        "\"per_second\":%.1f,\"latency_ms\":{",
        (unsigned long)options->senders, (unsigned long)options->seed,
        (unsigned long)(pacer->done - pacer->failed), (unsigned long)pacer->failed,
        (unsigned long)pacer->retries, seconds_of(run), rate_of(run));
    for (unsigned i = 0; i < PERCENTILES; i++)
        printf("\"%s\":%.6f,", percentiles[i].name, percentile_ms(run, i));
    printf("\"max\":%.6f},\"refused\":{", max_ms(run));
    for (unsigned i = 0; i < pacer->reason_count; i++) {
        printf("%s", i == 0 ? "" : ",");
        print_text(pacer->reasons[i].text);
        printf(":%lu", (unsigned long)pacer->reasons[i].count);
    }
    printf("},\"datagrams\":%lu,\"datagrams_repeated\":%lu,\"generator_us\":%.3f,\"state\":\"%s\",\"state_"
           "facts\":%lu}\n",
           (unsigned long)run->datagrams_sent, (unsigned long)run->datagrams_repeated,
           (double)run->processor_ns / 1e3 / (double)pacer->count, check_names[check], (unsigned long)facts);
}
