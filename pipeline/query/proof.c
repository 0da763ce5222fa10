/* eth_getProof: an account and slots with the nodes of the tries on the way to them. The tries are the
 * sealer's, which has those of its newest block alone. */
#include "pipeline/query/engine_internal.h"

static hn_err prove_slots(hn_query *query, const hn_state_trie *trie, const hn_state_view *view)
{
    hn_proof_question *question = query->proof;
    for (uint32_t i = 0; i < question->key_count; i++) {
        view->operations->storage(view->self, &question->values[i], &query->address, &question->keys[i]);
        HN_TRY(hn_state_trie_prove_slot(trie, &question->proofs[i], query->arena, &query->address,
                                        &question->keys[i]));
    }
    return HN_OK;
}

hn_err hn_query_run_proof(hn_query_engine *engine, hn_query *query, const hn_query_place_in_chain *place)
{
    const hn_sealer *sealer = engine->sealers[query->ledger];
    if (sealer == NULL)
        return HN_ERR_UNSUPPORTED;
    hn_hash root;
    const hn_state_trie *trie = hn_sealer_trie(sealer);
    hn_state_trie_root(trie, &root);
    if (!hn_hash_equal(&root, &place->header->state_root))
        return place->header->number == place->sealed->window.last ? HN_ERR_AGAIN : HN_ERR_LIMIT;
    HN_TRY(hn_state_trie_prove_account(trie, &query->proof->account, query->arena, &query->address));
    hn_state_trie_storage_root(trie, &query->proof->storage_root, &query->address);
    return prove_slots(query, trie, place->view);
}
