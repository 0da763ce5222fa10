/* The face of the engine: pure Ethereum, no threads, sockets, clocks, files.
 *
 * Open a ledger from its genesis (hn_ledger_create, hn_sealer_create), apply batches in order
 * (hn_ledger_execute), seal the blocks that come out (hn_sealer_seal), ask the state through views
 * (hn_call_run, hn_flat_view).
 */
#ifndef HN_ENGINE_ENGINE_H
#define HN_ENGINE_ENGINE_H

#include "engine/chain/call.h"
#include "engine/chain/ledger.h"
#include "engine/chain/transition.h"

#endif
