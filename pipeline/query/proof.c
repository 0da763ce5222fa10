/* eth_getProof: an account and slots with the nodes of the tries on the way to them. The tries are the
 * sealer's, taken back to the block. */
#include "pipeline/query/rewind.h"

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

static hn_err prove(hn_query *query, const hn_state_trie *trie, const hn_state_view *view)
{
    HN_TRY(hn_state_trie_prove_account(trie, &query->proof->account, query->arena, &query->address));
    hn_state_trie_storage_root(trie, &query->proof->storage_root, &query->address);
    return prove_slots(query, trie, view);
}

hn_err hn_query_run_proof(hn_query_engine *engine, hn_query *query, const hn_query_place_in_chain *place)
{
    hn_rewind rewind;
    HN_TRY(hn_rewind_begin(&rewind, engine, query, place));
    hn_err err = prove(query, hn_sealer_trie(rewind.sealer), place->view);
    hn_rewind_end(&rewind);
    return err;
}
