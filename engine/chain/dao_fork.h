/* EIP-779. */
#ifndef HN_ENGINE_CHAIN_DAO_FORK_H
#define HN_ENGINE_CHAIN_DAO_FORK_H

#include "engine/state/state.h"

/* The blocks from the fork's on that must carry "dao-hard-fork" as extra data. */
enum { HN_DAO_EXTRA_DATA_BLOCKS = 10 };
#define HN_DAO_EXTRA_DATA "dao-hard-fork"

/* Moves the balances, at the beginning of the fork block. */
void hn_dao_fork_apply(hn_state *state);

#endif
