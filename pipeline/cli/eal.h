/* Starting DPDK's environment so that it works for anybody: no hugepages, no PCI devices, no shared
 * configuration, unless asked for. */
#ifndef HN_PIPELINE_CLI_EAL_H
#define HN_PIPELINE_CLI_EAL_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct hn_eal_options {
    const char *file_prefix;
    uint32_t worker_cores;
    const char *lcores; /* placing of the worker lcores 1, 2, ...; empty: anywhere */
    const char *extra;  /* further arguments, separated by spaces */
    bool has_hugepages;
    bool needs_devices; /* PCI devices may be wanted */
} hn_eal_options;

/* Once per process, before a node is made. HN_ERR_SYSTEM when EAL refuses: it has said why. */
HN_MUST_USE hn_err hn_eal_start(const hn_eal_options *options);
void hn_eal_stop(void);

#endif
