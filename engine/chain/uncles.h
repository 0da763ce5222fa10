/* The rules for uncles (yellow paper, section 11.1). */
#ifndef HN_ENGINE_CHAIN_UNCLES_H
#define HN_ENGINE_CHAIN_UNCLES_H

#include "engine/chain/ancestry.h"
#include "engine/chain/ledger.h"

/* `ancestry` ends with the block's parent. HN_ERR_INVALID with the rule that is broken. */
HN_MUST_USE hn_err hn_uncles_check(hn_import_problem *problem, const hn_chain_config *config,
                                   hn_block_profile profile, const hn_ancestry *ancestry,
                                   const hn_block *block);

#endif
