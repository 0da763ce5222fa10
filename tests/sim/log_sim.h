/* Simulation of the log on a bad disk: many lives of one log, ended by crashes, closes and failures, all from
 * one seed. After each, what is read back is compared with what was appended.
 */
#ifndef HN_TESTS_SIM_LOG_SIM_H
#define HN_TESTS_SIM_LOG_SIM_H

#include "shard/log/log.h"

typedef struct hn_log_sim_result {
    bool is_good;
    uint64_t lives;
    uint64_t frames_acknowledged;
    uint64_t tails_cut;
    uint64_t times_full;
    uint64_t times_failed;
    uint64_t damages_found;
    uint64_t recycled;
    char problem[512]; /* when not good */
} hn_log_sim_result;

/* Adds to the sums in *result. */
void hn_log_sim_run(hn_log_sim_result *result, uint64_t seed);

#endif
