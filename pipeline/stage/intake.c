/* Whether transactions are taken, and why not. */
#include "pipeline/stage/wiring.h"

/* The gravest first: what ends the node, then what an operator can mend. */
static const struct {
    hn_intake_obstacle why;
    const char *state;
    const char *words;
} obstacles[] = {
    {HN_INTAKE_LOG_FAILED, "failed", "writing its log failed; it is stopping"},
    {HN_INTAKE_STOPPING, "stopping", "it is stopping"},
    {HN_INTAKE_LOG_FULL, "log full", "no space left for its log; it goes on when there is room"},
    {HN_INTAKE_HISTORY_FULL, "history full",
     "no space left for its block history; it goes on when there is room"},
};

void hn_node_close_intake(hn_node *node, hn_intake_obstacle why)
{
    atomic_fetch_or(&node->intake_closed, (uint32_t)why);
}

void hn_node_reopen_intake(hn_node *node, hn_intake_obstacle why)
{
    atomic_fetch_and(&node->intake_closed, ~(uint32_t)why);
}

const char *hn_node_intake_state(const hn_node *node)
{
    uint32_t closed = atomic_load_explicit(&node->intake_closed, memory_order_relaxed);
    for (size_t i = 0; i < sizeof obstacles / sizeof *obstacles; i++)
        if ((closed & obstacles[i].why) != 0)
            return obstacles[i].state;
    return "open";
}

const char *hn_node_intake_words(const hn_node *node)
{
    uint32_t closed = atomic_load_explicit(&node->intake_closed, memory_order_relaxed);
    for (size_t i = 0; i < sizeof obstacles / sizeof *obstacles; i++)
        if ((closed & obstacles[i].why) != 0)
            return obstacles[i].words;
    return "";
}
