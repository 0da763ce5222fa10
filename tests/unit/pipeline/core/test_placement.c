/* Memory is asked for near the core that it is for: what the kernel has been told, as it says itself. */
#include "pipeline/core/placement.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <numaif.h>

enum { NODES = 64 };

static int policy(unsigned long *nodes)
{
    int mode = -1;
    *nodes = 0;
    if (get_mempolicy(&mode, nodes, NODES, NULL, 0) != 0)
        cr_skip_test("this kernel knows no NUMA: errno %d", errno);
    return mode;
}

Test(placement, prefers_a_node_until_told_otherwise)
{
    unsigned long nodes;
    cr_assert_eq(policy(&nodes), MPOL_DEFAULT);
    hn_placement_prefer(0);
    cr_assert_eq(policy(&nodes), MPOL_PREFERRED);
    cr_assert_eq(nodes, 1);
    hn_placement_prefer(-1);
    cr_assert_eq(policy(&nodes), MPOL_DEFAULT);
    hn_placement_prefer(NODES); /* no such node can be told: as if none were */
    cr_assert_eq(policy(&nodes), MPOL_DEFAULT);
}

Test(placement, knows_no_node_without_an_environment)
{
    cr_assert_eq(hn_placement_node_of(0), -1);
    cr_assert_eq(hn_placement_node_of(1u << 30), -1);
}
