/* sim [--seed N] [--seeds COUNT]: runs the log's simulation for COUNT seeds from N on, and says which one
 * failed. The same seed gives the same run on every machine.
 */
#include "tests/sim/log_sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    uint64_t seed = 1, seeds = 1;
    bool is_good = true;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
            seed = strtoull(argv[i + 1], NULL, 0);
        } else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0) {
            seeds = strtoull(argv[i + 1], NULL, 0);
        } else {
            fprintf(stderr, "usage: sim [--seed N] [--seeds COUNT]\n");
            return 2;
        }
    }
    hn_log_sim_result sum = {0};
    for (uint64_t i = 0; i < seeds; i++) {
        hn_log_sim_run(&sum, seed + i);
        if (!sum.is_good) {
            printf("seed %" PRIu64 ": %s\n", seed + i, sum.problem);
            is_good = false;
        }
    }
    printf("%" PRIu64 " seeds, %" PRIu64 " lives, %" PRIu64 " frames acknowledged, %" PRIu64
           " tails cut, %" PRIu64 " times full, %" PRIu64 " times failed, %" PRIu64 " damages found: %s\n",
           seeds, sum.lives, sum.frames_acknowledged, sum.tails_cut, sum.times_full, sum.times_failed,
           sum.damages_found, is_good ? "good" : "FAILED");
    return is_good ? 0 : 1;
}
