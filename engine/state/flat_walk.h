/* Visiting the flat tables in small pieces while their owner goes on writing between the pieces.
 *
 * A code, account or slot that is in the tables from the beginning of the walk to its end is visited exactly
 * once, with the value that it has at that moment; one that comes or goes meanwhile is visited once or not at
 * all. (Who knows what was changed meanwhile makes of that the state at one block: pipeline/query/walk.h.)
 *
 * Pieces go along the hashes, not along the places in the tables: these move when a table grows or something
 * is removed, the hash of a thing stays. The slots of a contract come right after its account when there are
 * few; those of large contracts come at the end, from one pass over all slots.
 */
#ifndef HN_ENGINE_STATE_FLAT_WALK_H
#define HN_ENGINE_STATE_FLAT_WALK_H

#include "engine/state/flat.h"

typedef struct hn_flat_walk hn_flat_walk;

/* Begins a walk over what `flat` holds. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_flat_walk_begin(hn_flat_walk **out, const hn_flat *flat);
void hn_flat_walk_end(hn_flat_walk *walk);

/* Visits about `most` codes, accounts and slots (a contract with up to 512 slots is not divided); the tables
 * do not change meanwhile. Codes come first. An account or a slot may come without the other. *is_done: there
 * is nothing left. A function of the visitor may be NULL; one that returns other than HN_OK ends the walk
 * with that. HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_flat_walk_step(hn_flat_walk *walk, bool *is_done, const hn_flat *flat,
                                     const hn_flat_visitor *visitor, unsigned most);

#endif
