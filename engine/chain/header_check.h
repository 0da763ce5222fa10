/* The rules that a header from outside must meet, against its parent's (yellow paper, section 4.3.4;
 * EIP-1559, 3675, 4844, 4895, 7685).
 */
#ifndef HN_ENGINE_CHAIN_HEADER_CHECK_H
#define HN_ENGINE_CHAIN_HEADER_CHECK_H

#include "engine/chain/ledger.h"

/* HN_ERR_INVALID with the rule that it breaks. */
HN_MUST_USE hn_err hn_header_check(hn_import_problem *problem, const hn_chain_config *config,
                                   hn_block_profile profile, const hn_header *header, const hn_header *parent,
                                   bool parent_has_uncles);

/* Writes the text and returns HN_ERR_INVALID. */
__attribute__((format(printf, 2, 3))) hn_err hn_refuse(hn_import_problem *problem, const char *format, ...);

#endif
