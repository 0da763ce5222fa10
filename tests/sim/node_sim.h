/* Simulation of a whole node: many lives of one data directory, with clients that go on through all of them,
 * under one seeded scheduler that decides every delay, loss, failure and death. After each start everything
 * is compared with what must be (oracle.h).
 */
#ifndef HN_TESTS_SIM_NODE_SIM_H
#define HN_TESTS_SIM_NODE_SIM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct hn_node_sim_result {
    bool is_good;
    uint64_t runs;
    uint64_t steps;
    uint64_t lives;
    uint64_t crashes; /* power failures */
    uint64_t kills;   /* of the process alone */
    uint64_t stops;   /* orderly */
    uint64_t pauses;  /* of one thread */
    uint64_t refused; /* starts that ended with a reason, for a fault that was there */
    uint64_t frames;
    uint64_t acknowledged;
    uint64_t recycled;  /* starts with a log that gave up its beginning */
    uint64_t snapshots; /* written while a node ran */
    uint64_t times_full;
    uint64_t times_failed;
    uint64_t damages; /* disks with changed bytes that were tried */
    uint64_t damages_told;
    uint64_t lies; /* disks that had not done what they said */
    uint64_t lies_told;
    uint64_t digest;   /* of the newest run: the same seed gives the same */
    char problem[512]; /* when not good */
} hn_node_sim_result;

/* Adds to the sums in *result. `directory` exists, is empty, and takes the block history; it is empty again
 * afterwards. */
void hn_node_sim_run(hn_node_sim_result *result, uint64_t seed, const char *directory);

/* For a message when the process itself is about to end: seed and step of the run that is under way. */
void hn_node_sim_where(uint64_t *seed, uint64_t *step);

#endif
