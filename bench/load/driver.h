/* Sending a batch through one of the targets. */
#ifndef HN_BENCH_LOAD_DRIVER_H
#define HN_BENCH_LOAD_DRIVER_H

#include "bench/load/batch.h"
#include "bench/load/options.h"
#include "bench/load/pacer.h"
#include "bench/load/plan.h"

/* One batch on its way. */
typedef struct hn_load_run {
    const hn_load_options *options;
    const hn_load_batch *batch;
    uint32_t level;           /* hn_reply_level */
    const hn_load_plan *told; /* datagrams tell the senders that are in it; NULL: none */
    const char *title;        /* of the progress line, once a second; NULL: silent */
    hn_load_pacer pacer;      /* open; filled in */
    uint64_t datagrams_sent;
    uint64_t datagrams_repeated;
    uint64_t processor_ns; /* that the generator itself used for it */
} hn_load_run;

/* Each sends the batch, returns when everything has its answer. On an error it has said why on standard
 * error. HN_ERR_TIMEOUT: options->timeout_s without any answer. */
HN_MUST_USE hn_err hn_load_run_datagram(hn_load_run *run);
HN_MUST_USE hn_err hn_load_run_rpc(hn_load_run *run);

/* The progress line, when a second has passed since *last_ns. */
void hn_load_show_progress(const hn_load_run *run, uint64_t *last_ns, uint64_t *last_done, uint64_t now_ns);

#endif
