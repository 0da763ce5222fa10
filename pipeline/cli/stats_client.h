/* Asking the stats socket of a running node: a SEQPACKET socket that speaks JSON (DPDK telemetry v2). */
#ifndef HN_PIPELINE_CLI_STATS_CLIENT_H
#define HN_PIPELINE_CLI_STATS_CLIENT_H

#include <jansson.h>

/* A descriptor to be closed; negative: no node of this name (a pattern of glob) answers. */
int hn_stats_connect(const char *name);

/* The answer to one command, to be given back by json_decref; NULL: there is none. */
json_t *hn_stats_ask(int fd, const char *command);

#endif
