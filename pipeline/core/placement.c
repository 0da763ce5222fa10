#include "pipeline/core/placement.h"

#include <numaif.h>
#include <rte_lcore.h>

enum { NODES_MAX = 64 };

int hn_placement_node_of(unsigned lcore)
{
    if (lcore >= RTE_MAX_LCORE || rte_socket_count() < 2)
        return -1;
    unsigned node = rte_lcore_to_socket_id(lcore);
    return node < NODES_MAX ? (int)node : -1;
}

void hn_placement_prefer(int numa_node)
{
    unsigned long nodes = numa_node >= 0 && numa_node < NODES_MAX ? 1ul << numa_node : 0;
    /* Advice: a kernel without NUMA refuses, and there is nothing to choose then. */
    if (nodes != 0)
        (void)set_mempolicy(MPOL_PREFERRED, &nodes, NODES_MAX + 1);
    else
        (void)set_mempolicy(MPOL_DEFAULT, NULL, 0);
}
