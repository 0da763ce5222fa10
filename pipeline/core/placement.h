/* Where memory comes from on machines with several NUMA nodes.
 *
 * A core's memory lies near it because it touches it first: that is what the kernel does by itself. What a
 * thread fills for a core before that runs (tables, snapshots) would lie near the wrong one; so the thread
 * says first for whom it works. Only advice: where the node has no room, memory comes from elsewhere. Nothing
 * happens on machines with one node, or for lcores that may run on several.
 *
 * Source: set_mempolicy(2), MPOL_PREFERRED.
 */
#ifndef HN_PIPELINE_CORE_PLACEMENT_H
#define HN_PIPELINE_CORE_PLACEMENT_H

#include "engine/base/err.h"

/* The node of an EAL lcore's processors; -1 when it has none, or the machine has only one. */
int hn_placement_node_of(unsigned lcore);

/* What the calling thread touches first from now on comes preferably from this node; -1: from its own, as
 * usual. */
void hn_placement_prefer(int numa_node);

#endif
