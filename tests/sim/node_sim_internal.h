/* Shared by the scheduler of the node's simulation (node_sim.c) and by its deaths and damages
 * (node_deaths.c). Nobody else includes this.
 */
#ifndef HN_TESTS_SIM_NODE_SIM_INTERNAL_H
#define HN_TESTS_SIM_NODE_SIM_INTERNAL_H

#include "pipeline/stage/wiring.h"
#include "tests/sim/node_sim.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

/* A disk that is not what it should be, kept until the sound one has been recovered, to compare with. */
typedef struct lie {
    hn_sim_disk *disk; /* NULL: none */
    uint64_t lost;     /* the frame that was not written, or not there */
    uint64_t complete; /* the frames up to this were on the medium when the node died */
    bool is_history_lost;
} lie;

typedef struct simulation {
    hn_node_sim_result *result;
    uint64_t seed;
    const char *directory;
    hn_prng prng;
    hn_sim_world world;
    hn_sim_disk *disk;
    hn_sim_network *network;
    hn_sim_traffic *traffic;
    hn_sim_oracle *oracle;
    hn_signature_context *signatures;
    hn_precompile_context *precompiles;
    hn_node *node;
    uint32_t ledgers;
    uint32_t shards;
    uint32_t in_flight;
    uint64_t segment_bytes;
    hn_prng recycling; /* another one, so that seeds without recycling stay what they were */
    bool recycles;     /* the log gives up what no way back needs */
    uint64_t steps;
    uint64_t life;
    unsigned idle;
    /* of this life */
    bool is_stuck;         /* some writes never complete: only death ends it */
    bool may_fail;         /* the log has a reason to fail */
    bool jumps;            /* the clock */
    bool pauses;           /* a thread now and then */
    unsigned paused_stage; /* UINT32_MAX: none */
    uint64_t paused_until; /* a step */
    uint64_t drift;        /* of the clock, in 1024ths */
    unsigned slow_stage;
    bool is_healed; /* the last life: no faults, and no strangers */
    lie lie;
} simulation;

__attribute__((format(printf, 2, 3))) void hn_node_sim_fail(simulation *sim, const char *format, ...);

hn_err hn_node_sim_check_frame(void *sim, const hn_frame *frame);

/* The node's end, whether it stopped, is killed, or the power fails; the disk works again afterwards. */
void hn_node_sim_die(simulation *sim);

/* Starts copies of the disk on which something was changed: each must tell, or be right. The node has just
 * recovered. */
void hn_node_sim_try_damage(simulation *sim);
void hn_node_sim_forget_lie(simulation *sim);

void hn_node_sim_empty_directory(const char *directory);

#endif
