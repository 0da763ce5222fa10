/* The sealed state that readers see, and the machine that answers queries over it.
 *
 * Owned by the back core. Per ledger a second copy of the flat state, fed by the diff of each sealed block,
 * and what the last blocks replaced, in memory or in the history, so that a query may ask for the state at
 * any of them. Other threads
 * read it through machines of their own (hn_query_reader_create). Nothing here is seen by the executor.
 */
#ifndef HN_PIPELINE_QUERY_ENGINE_H
#define HN_PIPELINE_QUERY_ENGINE_H

#include "engine/chain/ledger.h"
#include "pipeline/history/history.h"
#include "pipeline/query/query.h"

typedef struct hn_query_engine hn_query_engine;

enum { HN_QUERY_WINDOW_BLOCKS_DEFAULT = 10000 };

typedef struct hn_query_options {
    uint32_t window_blocks;  /* states at this many blocks before the newest are kept; 0: the default;
                                UINT32_MAX: all */
    size_t window_bytes;     /* what that may take of memory, per ledger; 0: 1 GiB; the oldest go first, and
                                are then read from the history when there is one */
    size_t evm_memory_bytes; /* 0: 64 MiB */
    uint64_t call_gas_cap;   /* 0: 50,000,000 */
    uint64_t table_seed;
} hn_query_options;

/* `history` (may be NULL: nothing is written, and the state is in memory alone), `precompiles` and
 * `signatures` outlive the engine. */
HN_MUST_USE hn_err hn_query_engine_create(hn_query_engine **out, const hn_query_options *options,
                                          const hn_precompile_context *precompiles,
                                          const hn_signature_context *signatures, hn_history *history);
void hn_query_engine_destroy(hn_query_engine *engine);

/* A machine of its own over the ledgers of `owner` (all have been added), for one other thread, which calls
 * hn_query_run with it while the owner goes on sealing. `number` is its own, from 1 to 127; the lane's
 * threads count from 1, JSON-RPC's thread has the last, and who writes snapshots the one before. It is
 * destroyed before its owner. HN_ERR_NO_MEMORY. */
enum { HN_QUERY_READER_OF_SNAPSHOTS = 126, HN_QUERY_READER_OF_RPC = 127 };
HN_MUST_USE hn_err hn_query_reader_create(hn_query_engine **out, const hn_query_engine *owner,
                                          uint32_t number);

/* Something that a reader needs done by the owner, whose tries nobody else may touch: the reader waits for
 * it. `carry` is called on a reader's thread and takes the errand to the owner's, where hn_query_errand_run
 * does it; none is lost. Set before the first reader is created. */
typedef struct hn_query_errand hn_query_errand;
void hn_query_engine_set_carrier(hn_query_engine *engine, void (*carry)(void *self, hn_query_errand *errand),
                                 void *self);
void hn_query_errand_run(hn_query_errand *errand);

/* A ledger as it stands at its sealed head: copies the whole of `flat` (which must be the state right after
 * `head`), the header, and the hashes of head, its parent, ... (at least one, at most 256). `config` outlives
 * the engine. Ledgers are added with indexes 0, 1, 2, ... HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_query_engine_add_ledger(hn_query_engine *engine, uint32_t index,
                                              const hn_chain_config *config, const hn_flat *flat,
                                              const hn_header *head, const hn_hash *recent_hashes,
                                              size_t recent_hash_count);

/* Where a ledger's proofs come from; it outlives the engine. Without one there are no proofs. */
void hn_query_engine_set_sealer(hn_query_engine *engine, uint32_t ledger, hn_sealer *sealer);

/* The next block is sealed, and its diff is in the ledger's tries, but queries do not see it yet:
 * hn_query_engine_note_sealed will take it in, and `block` stays until then. At most HN_QUERY_AHEAD_MAX of a
 * ledger; whoever seals and lets queries see at once need not call it. */
enum { HN_QUERY_AHEAD_MAX = 64 };
void hn_query_engine_note_ahead(hn_query_engine *engine, uint32_t ledger, const hn_executed_block *block);

/* Takes in the next sealed block of a ledger: its diff, header and hash, and puts it into the history (which
 * the caller commits). Copies what it keeps. HN_ERR_NO_MEMORY: the ledger's state is unusable. Errors of
 * hn_history_put_block are given back after the state was taken in. */
HN_MUST_USE hn_err hn_query_engine_note_sealed(hn_query_engine *engine, uint32_t ledger,
                                               const hn_executed_block *block);

/* Answers one query of the HERE, BACK or LANE kinds, synchronously: query->err tells how. */
void hn_query_run(hn_query_engine *engine, hn_query *query);

/* The same for a CALL that may turn out to be short, which costs less on the asker's thread
 * than handing it over would. False: it is longer than some 100 us, or looks so; the query is as it was. What
 * it answers is what hn_query_run would. */
HN_MUST_USE bool hn_query_run_brief(hn_query_engine *engine, hn_query *query);

/* From any thread: the running query ends soon, with HN_ERR_TIMEOUT, when its deadline has come; at
 * UINT64_MAX it has always come. */
void hn_query_expire(hn_query_engine *engine, uint64_t now_ms);

/* What a ledger's state takes. Any thread. */
typedef struct hn_query_counts {
    uint64_t undo_bytes; /* in memory */
    uint32_t undo_blocks;
    uint64_t oldest_block; /* whose state can be asked for */
    uint64_t oldest_block_in_memory;
    uint64_t flat_bytes;
} hn_query_counts;
hn_query_counts hn_query_count(const hn_query_engine *engine, uint32_t ledger);

#endif
