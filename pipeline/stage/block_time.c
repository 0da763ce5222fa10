/* The machine's clock can be set back. Time in the log does not follow it: it stands still until the clock
 * has caught up. That is enough for fast ledgers, whose timestamps may repeat. Those of a strict one must
 * rise: the engine gives its block at least the second after its parent's (engine/chain/execute.c), so it
 * can go on and its timestamps run ahead of the clock. It then gets a block every two seconds instead of
 * every one, so that the clock gains on it under full load too: an hour that the clock was set back is made
 * good in at most two. Ethereum's own clients take no block that is more than 15 s ahead of their clocks from
 * others; here nobody else checks it, and waiting for the clock would stop the ledger for as long as it is
 * behind.
 */
#include "pipeline/stage/block_time.h"

#include <inttypes.h>
#include <stdio.h>

/* Less is what clocks that are adjusted do now and then. */
static const uint64_t told_from_ns = UINT64_C(2000000000);
static const uint64_t second_ns = UINT64_C(1000000000);
static const uint64_t behind_period_ns = UINT64_C(2000000000);

static void tell_of_clock(hn_node *node, uint64_t behind_ns)
{
    if (!node->is_clock_behind && behind_ns >= told_from_ns) {
        node->is_clock_behind = true;
        fprintf(stderr,
                "hanse: the clock is %" PRIu64 " s behind the newest block: timestamps stand still until it "
                "has caught up, and strict ledgers get a block every two seconds\n",
                behind_ns / second_ns);
    } else if (node->is_clock_behind && behind_ns == 0) {
        node->is_clock_behind = false;
        fprintf(stderr, "hanse: the clock has caught up with the newest block\n");
    }
}

uint64_t hn_node_clock_behind_ns(const hn_node *node)
{
    uint64_t last_ns = atomic_load_explicit(&node->last_timestamp_ns, memory_order_relaxed);
    uint64_t now_ns = hn_clock_realtime_ns();
    return last_ns > now_ns ? last_ns - now_ns : 0;
}

uint64_t hn_node_next_timestamp_ns(hn_node *node)
{
    uint64_t now_ns = hn_clock_realtime_ns();
    uint64_t last_ns = atomic_load_explicit(&node->last_timestamp_ns, memory_order_relaxed);
    tell_of_clock(node, last_ns > now_ns ? last_ns - now_ns : 0);
    if (now_ns < last_ns)
        return last_ns;
    atomic_store_explicit(&node->last_timestamp_ns, now_ns, memory_order_relaxed);
    return now_ns;
}

bool hn_node_is_period_over(const hn_node_ledger *ledger, uint64_t timestamp_ns, uint64_t monotonic_ns)
{
    return !ledger->is_strict ||
           timestamp_ns / second_ns > atomic_load_explicit(&ledger->cut_second, memory_order_relaxed) ||
           monotonic_ns - atomic_load_explicit(&ledger->cut_ns, memory_order_relaxed) >= behind_period_ns;
}

void hn_node_note_cut(hn_node_ledger *ledger, uint64_t timestamp_ns, uint64_t monotonic_ns)
{
    uint64_t second = timestamp_ns / second_ns;
    uint64_t earliest = atomic_load_explicit(&ledger->cut_second, memory_order_relaxed) + ledger->is_strict;
    atomic_store_explicit(&ledger->cut_ns, monotonic_ns, memory_order_relaxed);
    atomic_store_explicit(&ledger->cut_second, second > earliest ? second : earliest, memory_order_relaxed);
}
