#include "pipeline/cli/evm_network.h"

#include <stdlib.h>
#include <string.h>

enum { FORK_NAME_MAX = 64 };

static bool fork_of(hn_fork *out, const char *name, size_t size)
{
    char text[FORK_NAME_MAX];
    if (size >= sizeof text)
        return false;
    memcpy(text, name, size);
    text[size] = '\0';
    return hn_fork_from_name(out, text);
}

/* "5", "Time15k", "DiffC0000" */
static bool set_transition(hn_network *network, hn_fork from, hn_fork to, const char *when)
{
    bool is_time = strncmp(when, "Time", 4) == 0;
    bool is_difficulty = strncmp(when, "Diff", 4) == 0;
    char *end;
    uint64_t value = strtoull(is_time || is_difficulty ? when + 4 : when, &end, is_difficulty ? 16 : 10);
    if (*end == 'k' && end[1] == '\0')
        value *= 1000;
    else if (*end != '\0')
        return false;
    network->merges_by_difficulty = is_difficulty;
    network->terminal_total_difficulty = hn_u256_of(value);
    for (unsigned fork = (unsigned)from + 1; fork <= (unsigned)to; fork++)
        network->config.activation[fork] = is_difficulty ? UINT64_MAX : value;
    if (is_difficulty || (to >= HN_FORK_PARIS && from < HN_FORK_PARIS))
        network->config.terminal_total_difficulty_passed = false;
    network->config.dao_fork_support = to == HN_FORK_DAO;
    return true;
}

bool hn_network_from_name(hn_network *out, const char *name)
{
    hn_network network = {.merges_by_difficulty = false};
    hn_fork to;
    hn_fork from;
    if (hn_fork_from_name(&to, name)) {
        hn_chain_config_at_fork(&network.config, to);
        *out = network;
        return true;
    }
    const char *at = strstr(name, "At");
    for (const char *middle = strstr(name, "To"); at != NULL && middle != NULL && middle < at;
         middle = strstr(middle + 1, "To")) {
        if (!fork_of(&from, name, (size_t)(middle - name)) ||
            !fork_of(&to, middle + 2, (size_t)(at - middle) - 2) || from >= to)
            continue;
        hn_chain_config_at_fork(&network.config, to);
        if (!set_transition(&network, from, to, at + 2))
            return false;
        *out = network;
        return true;
    }
    return false;
}
