/* The ledger's own parts, shared by executing, importing and restoring. Internal to engine/chain. */
#ifndef HN_ENGINE_CHAIN_LEDGER_INTERNAL_H
#define HN_ENGINE_CHAIN_LEDGER_INTERNAL_H

#include "engine/chain/ancestry.h"
#include "engine/chain/parameters.h"
#include "engine/chain/recent_hashes.h"

struct hn_ledger {
    hn_chain_config config;
    hn_ledger_options options;
    uint64_t gas_limit; /* that built blocks strive for */
    hn_flat *flat;
    hn_state *state;
    hn_header head; /* extra_data points to head_extra */
    uint8_t head_extra[HN_EXTRA_DATA_MAX];
    hn_recent_hashes recent;
    hn_ancestry ancestry; /* of imported blocks: uncles need it */
};

/* Makes `header` the head; its extra data is copied. */
void hn_ledger_set_head(hn_ledger *ledger, const hn_header *header);

/* Resets the state onto the tables and describes the block of this header to the machine. */
void hn_ledger_begin_context(hn_ledger *ledger, hn_block_context *context, const hn_header *header);

/* Room for `count` transactions in *out: receipts, results, and before Byzantium running diffs. */
HN_MUST_USE hn_err hn_executed_block_reserve(hn_executed_block *out, hn_fork fork, uint32_t count);
/* The transaction that *out's newest receipt belongs to has ended: counts it, keeps the diff so far. */
HN_MUST_USE hn_err hn_executed_block_include(hn_executed_block *out, const hn_ledger *ledger,
                                             const hn_signed_transaction *transaction);

/* The sealing of a block without the step onto it, so that importing can compare before it commits. */
HN_MUST_USE hn_err hn_sealer_compute(hn_sealer *sealer, hn_executed_block *block);
HN_MUST_USE hn_err hn_sealer_take_back(hn_sealer *sealer, const hn_executed_block *block);
void hn_sealer_advance(hn_sealer *sealer, const hn_executed_block *block);

#endif
