#include "tests/unit/pipeline/port/eal.h"

#include <criterion/criterion.h>
#include <rte_eal.h>
#include <rte_log.h>
#include <stdio.h>
#include <unistd.h>

void eal_start(const char *vdev)
{
    char prefix[64], program[] = "test", no_huge[] = "--no-huge", no_shconf[] = "--no-shconf", m[] = "-m",
                     mib[] = "48", no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry",
                     lcores[] = "--lcores", lcore[] = "0@0", vdev_flag[] = "--vdev", vdev_text[256],
                     log[] = "--log-level=error";
    (void)snprintf(prefix, sizeof prefix, "--file-prefix=hn-test-%d", getpid());
    (void)snprintf(vdev_text, sizeof vdev_text, "%s", vdev != NULL ? vdev : "");
    char *arguments[] = {program, no_huge, no_shconf, m,   mib,       no_pci,   no_telemetry,
                         lcores,  lcore,   prefix,    log, vdev_flag, vdev_text};
    int count = (int)(sizeof arguments / sizeof arguments[0]) - (vdev == NULL ? 2 : 0);
    cr_assert_geq(rte_eal_init(count, arguments), 0, "DPDK does not start");
}
