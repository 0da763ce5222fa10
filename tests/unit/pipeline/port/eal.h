/* DPDK for a test process: no hugepages, no files left behind, no telemetry. */
#ifndef HN_TESTS_UNIT_PIPELINE_PORT_EAL_H
#define HN_TESTS_UNIT_PIPELINE_PORT_EAL_H

/* Once a process; each test is a process of its own. `vdev`: one "--vdev" argument, or NULL. */
void eal_start(const char *vdev);

#endif
