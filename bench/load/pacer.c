#include "bench/load/pacer.h"

#include <stdio.h>
#include <stdlib.h>

static const uint64_t retry_pause_ns = 10000000;

hn_err hn_load_pacer_open(hn_load_pacer *out, uint64_t count, uint64_t rate, uint64_t window)
{
    memset(out, 0, sizeof *out);
    out->count = count;
    out->window = rate != 0 ? UINT64_MAX : window;
    out->gap_ns = rate != 0 ? 1e9 / (double)rate : 0;
    out->since_ns = calloc(count, sizeof *out->since_ns);
    out->outcomes = calloc(count, sizeof *out->outcomes);
    out->tries = calloc(count, sizeof *out->tries);
    out->retry_queue = calloc(count, sizeof *out->retry_queue);
    out->retry_due_ns = calloc(count, sizeof *out->retry_due_ns);
    if (out->since_ns == NULL || out->outcomes == NULL || out->tries == NULL || out->retry_queue == NULL ||
        out->retry_due_ns == NULL) {
        hn_load_pacer_close(out);
        return HN_ERR_NO_MEMORY;
    }
    return HN_OK;
}

void hn_load_pacer_close(hn_load_pacer *pacer)
{
    free(pacer->since_ns);
    free(pacer->outcomes);
    free(pacer->tries);
    free(pacer->retry_queue);
    free(pacer->retry_due_ns);
}

void hn_load_pacer_start(hn_load_pacer *pacer, uint64_t now_ns)
{
    pacer->begin_ns = pacer->end_ns = pacer->last_progress_ns = now_ns;
}

static uint64_t intended_ns(const hn_load_pacer *pacer, uint64_t index)
{
    return pacer->begin_ns + (uint64_t)((double)index * pacer->gap_ns);
}

bool hn_load_pacer_next(hn_load_pacer *pacer, uint64_t *index, uint64_t now_ns)
{
    if (pacer->in_flight >= pacer->window)
        return false;
    uint64_t place = pacer->retry_begin;
    if (pacer->retry_count != 0 && pacer->retry_due_ns[place] <= now_ns) {
        *index = pacer->retry_queue[place];
        pacer->retry_begin = (place + 1) % pacer->count;
        pacer->retry_count--;
    } else if (pacer->next < pacer->count &&
               (pacer->gap_ns == 0 || intended_ns(pacer, pacer->next) <= now_ns)) {
        *index = pacer->next++;
        pacer->since_ns[*index] = pacer->gap_ns == 0 ? now_ns : intended_ns(pacer, *index);
    } else {
        return false;
    }
    pacer->tries[*index]++;
    pacer->in_flight++;
    return true;
}

void hn_load_pacer_put_back(hn_load_pacer *pacer, uint64_t index, uint64_t now_ns)
{
    pacer->in_flight--;
    pacer->tries[index]--;
    pacer->retry_begin = (pacer->retry_begin + pacer->count - 1) % pacer->count;
    pacer->retry_count++;
    pacer->retry_queue[pacer->retry_begin] = index;
    pacer->retry_due_ns[pacer->retry_begin] = now_ns;
}

static void count_reason(hn_load_pacer *pacer, const char *text)
{
    for (unsigned i = 0; i < pacer->reason_count; i++) {
        if (strncmp(pacer->reasons[i].text, text, HN_LOAD_REASON_BYTES - 1) == 0) {
            pacer->reasons[i].count++;
            return;
        }
    }
    if (pacer->reason_count == HN_LOAD_REASONS_MAX) {
        pacer->reasons[HN_LOAD_REASONS_MAX - 1].count++;
        return;
    }
    hn_load_reason *reason = &pacer->reasons[pacer->reason_count++];
    (void)snprintf(reason->text, sizeof reason->text, "%s",
                   pacer->reason_count == HN_LOAD_REASONS_MAX ? "other reasons" : text);
    reason->count = 1;
}

void hn_load_pacer_answer(hn_load_pacer *pacer, uint64_t index, hn_load_answer answer, const char *reason,
                          uint64_t now_ns)
{
    pacer->in_flight--;
    if (answer != HN_LOAD_ANSWER_DONE)
        count_reason(pacer, reason);
    if (answer == HN_LOAD_ANSWER_RETRY && pacer->tries[index] < HN_LOAD_TRIES_MAX) {
        uint64_t place = (pacer->retry_begin + pacer->retry_count++) % pacer->count;
        pacer->retry_queue[place] = index;
        pacer->retry_due_ns[place] = now_ns + retry_pause_ns;
        pacer->retries++;
        return;
    }
    pacer->done++;
    pacer->end_ns = pacer->last_progress_ns = now_ns;
    if (answer == HN_LOAD_ANSWER_DONE) {
        pacer->outcomes[index] = HN_LOAD_DONE;
        hn_histogram_add(&pacer->latency, now_ns - pacer->since_ns[index]);
    } else {
        pacer->outcomes[index] = HN_LOAD_FAILED;
        pacer->failed++;
    }
}

uint64_t hn_load_pacer_next_ns(const hn_load_pacer *pacer)
{
    uint64_t soonest = UINT64_MAX;
    if (pacer->in_flight >= pacer->window)
        return soonest;
    if (pacer->retry_count != 0)
        soonest = pacer->retry_due_ns[pacer->retry_begin];
    if (pacer->next < pacer->count) {
        uint64_t intended = pacer->gap_ns == 0 ? 0 : intended_ns(pacer, pacer->next);
        soonest = intended < soonest ? intended : soonest;
    }
    return soonest;
}

bool hn_load_pacer_is_finished(const hn_load_pacer *pacer)
{
    return pacer->done == pacer->count;
}
