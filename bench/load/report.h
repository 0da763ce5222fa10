/* What a run gave, for people and for programs. */
#ifndef HN_BENCH_LOAD_REPORT_H
#define HN_BENCH_LOAD_REPORT_H

#include "bench/load/driver.h"

typedef enum hn_load_check {
    HN_LOAD_CHECK_SKIPPED,
    HN_LOAD_CHECK_RIGHT,
    HN_LOAD_CHECK_WRONG,
} hn_load_check;

/* To standard error. `facts`: how many nonces and balances were compared. */
void hn_load_report(const hn_load_run *run, hn_load_check check, uint64_t facts);

/* One JSON object on standard output. */
void hn_load_report_json(const hn_load_run *run, hn_load_check check, uint64_t facts);

#endif
