/* The "config" object of a genesis file. Part of reading a genesis file; use engine/types/genesis.h. */
#ifndef HN_ENGINE_TYPES_GENESIS_CONFIG_H
#define HN_ENGINE_TYPES_GENESIS_CONFIG_H

#include "engine/codec/json.h"
#include "engine/types/fork.h"

/* Reads the fork schedule and the other parameters. `genesis_timestamp` decides which timed forks are active
 * from the start on. Forks that the file leaves out come together with the next later one it has; forks out
 * of order are an error. Errors as hn_genesis_read. */
HN_MUST_USE hn_err hn_genesis_config_read(hn_chain_config *out, const hn_json *config,
                                          uint64_t genesis_timestamp);

#endif
