/* Verify: decode, check what needs no state, recover the signer. Runs on every core that verifies, in
 * batches.
 *
 * The signature is what a transaction costs (5 to 40 us, less when the sender was seen before and is told);
 * everything else here is done first because it is cheap.
 */
#include "pipeline/stage/wiring.h"

static bool is_for_its_ledger(const hn_node *node, const hn_pending *pending)
{
    const hn_transaction *transaction = &pending->content.transaction;
    return pending->ledger != HN_LEDGER_NONE &&
           (!transaction->is_replay_protected ||
            transaction->chain_id == node->ledgers[pending->ledger]->genesis.config.chain_id);
}

/* Everything that can be said without state and without the signature. For want of gas, *bound is what is
 * needed. */
static hn_reject check_cheaply(const hn_node *node, hn_u256 *bound, hn_pending *pending, uint64_t now_s)
{
    hn_transaction *transaction = &pending->content.transaction;
    hn_bytes raw = transaction->raw;
    hn_err err = hn_transaction_decode(transaction, &pending->arena, raw);
    if (err == HN_ERR_UNSUPPORTED)
        return HN_REJECT_TYPE_NOT_SUPPORTED;
    if (err != HN_OK)
        return HN_REJECT_MALFORMED;
    if (!is_for_its_ledger(node, pending))
        return HN_REJECT_WRONG_CHAIN_ID;
    const hn_node_ledger *ledger = node->ledgers[pending->ledger];
    /* Blobs travel in a sidecar that a ledger without a beacon chain has no use for. */
    if (transaction->type == HN_TRANSACTION_BLOB)
        return HN_REJECT_TYPE_NOT_SUPPORTED;
    if (transaction->gas_limit > ledger->block_gas_limit)
        return HN_REJECT_BLOCK_GAS;
    hn_fork fork =
        hn_fork_at(&ledger->genesis.config,
                   atomic_load_explicit(&ledger->executed_number, memory_order_relaxed) + 1, now_s);
    hn_reject reject = hn_transaction_check_static(&ledger->genesis.config, fork, transaction);
    uint64_t intrinsic, floor;
    if ((reject == HN_REJECT_INTRINSIC_GAS || reject == HN_REJECT_FLOOR_GAS) &&
        hn_transaction_intrinsic_gas(&intrinsic, &floor, fork, transaction))
        *bound = hn_u256_of(reject == HN_REJECT_INTRINSIC_GAS ? intrinsic : floor);
    if (reject != HN_REJECT_NONE)
        return reject;
    return hn_signature_in_range(&transaction->signature, fork >= HN_FORK_HOMESTEAD)
               ? HN_REJECT_NONE
               : HN_REJECT_INVALID_SIGNATURE;
}

static void refuse(hn_verifier *verifier, hn_pending *pending, hn_reject reject, const hn_u256 *bound)
{
    hn_count(&verifier->refused, 1);
    hn_node_refuse_bound(verifier->node, pending, HN_VERDICT_REJECTED, reject, bound);
}

/* How many to take. Signatures are recovered in groups that cost the same, full or not: of more than one
 * group the incomplete one stays, and is fuller the next time. */
static unsigned burst_of(const hn_verifier *verifier)
{
    const size_t batch = hn_signature_batch(verifier->node->signatures);
    const unsigned most = batch < HN_VERIFY_BURST ? (unsigned)batch : HN_VERIFY_BURST;
    const unsigned waiting = hn_ring_count(verifier->node->verify);
    if (waiting >= most || waiting < HN_SIGNATURE_GROUP)
        return most;
    return waiting - waiting % HN_SIGNATURE_GROUP;
}

unsigned hn_stage_verify(void *self)
{
    hn_verifier *verifier = self;
    hn_node *node = verifier->node;
    hn_pending *items[HN_VERIFY_BURST];
    hn_recovery recoveries[HN_VERIFY_BURST];
    hn_address hints[HN_VERIFY_BURST];
    unsigned count = hn_ring_pop(node->verify, items, burst_of(verifier));
    unsigned kept = 0;
    uint64_t now_s = count != 0 ? hn_clock_realtime_ns() / 1000000000u : 0;
    for (unsigned i = 0; i < count; i++) {
        hn_u256 bound = hn_u256_of(0);
        hn_reject reject = check_cheaply(node, &bound, items[i], now_s);
        hn_arena_reset(&verifier->arena);
        const hn_transaction *transaction = &items[i]->content.transaction;
        if (reject == HN_REJECT_NONE &&
            hn_transaction_signing_hash(&recoveries[kept].digest, &verifier->arena, transaction) != HN_OK)
            reject = HN_REJECT_MALFORMED;
        if (reject != HN_REJECT_NONE) {
            refuse(verifier, items[i], reject, &bound);
            continue;
        }
        recoveries[kept].signature = transaction->signature;
        hints[kept] = items[i]->hint;
        items[kept++] = items[i];
    }
    if (node->known_keys != NULL)
        hn_known_keys_recover(node->known_keys, verifier->index, recoveries, hints, kept);
    else
        hn_signature_recover_batch(node->signatures, recoveries, kept);
    for (unsigned i = 0; i < kept; i++) {
        hn_pending *pending = items[i];
        if (recoveries[i].status != HN_OK) {
            hn_u256 none = hn_u256_of(0);
            refuse(verifier, pending, HN_REJECT_INVALID_SIGNATURE, &none);
            continue;
        }
        pending->content.sender = recoveries[i].signer;
        hn_shard_lane *lane = node->shards[node->ledgers[pending->ledger]->shard];
        if (hn_ring_push(lane->admit, &pending, 1) == 0)
            hn_node_refuse(node, pending, HN_VERDICT_BUSY, HN_REJECT_NONE);
    }
    hn_count(&verifier->verified, kept);
    return count;
}
