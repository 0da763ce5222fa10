/* The accounts of a genesis file as tables. */
#ifndef HN_ENGINE_CHAIN_GENESIS_STATE_H
#define HN_ENGINE_CHAIN_GENESIS_STATE_H

#include "engine/state/flat.h"
#include "engine/types/genesis.h"

/* Puts the accounts into new tables; slots of value zero are left out. */
HN_MUST_USE hn_err hn_genesis_fill(hn_flat *flat, const hn_genesis_account *accounts, uint32_t count);

#endif
