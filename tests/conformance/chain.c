/* A chain that another program made, through every fork up to Osaka and two parameter-only ones: importing it
 * must lead to exactly its head. From the execution-apis tests: genesis.json, chain.rlp, headfcu.json. */
#include "engine/codec/rlp.h"
#include "engine/engine.h"
#include "engine/types/genesis.h"
#include "tests/support/vectors.h"

#include <stdio.h>

/* What importing needs. */
typedef struct importer {
    vectors *set;
    hn_genesis genesis;
    hn_precompile_context *precompiles;
    hn_signature_context *signatures;
    hn_evm *evm;
    hn_ledger *ledger;
    hn_sealer *sealer;
    hn_arena block;
} importer;

static hn_err open_importer(importer *self)
{
    hn_bytes json;
    hn_genesis_problem problem;
    hn_ledger_options options = {.profile = HN_PROFILE_STRICT};
    HN_TRY(vectors_read_file(&json, self->set, "genesis.json"));
    HN_TRY(hn_genesis_read(&self->genesis, &problem, &self->set->arena, json));
    HN_TRY(hn_precompile_context_create(&self->precompiles));
    HN_TRY(hn_signature_context_create(&self->signatures));
    HN_TRY(hn_evm_create(&self->evm, self->precompiles, (size_t)1 << 28));
    HN_TRY(hn_ledger_create(&self->ledger, &self->genesis, &options));
    return hn_sealer_create(&self->sealer, &self->genesis, 1);
}

static void close_importer(importer *self)
{
    hn_sealer_destroy(self->sealer);
    hn_ledger_destroy(self->ledger);
    hn_evm_destroy(self->evm);
    hn_signature_context_destroy(self->signatures);
    hn_precompile_context_destroy(self->precompiles);
    hn_arena_destroy(&self->block);
}

static hn_err read_head(hn_hash *out, vectors *set)
{
    hn_bytes text;
    hn_json_document document;
    hn_json_problem problem;
    hn_json_limits limits = {.size_max = 1 << 20, .depth_max = 16};
    HN_TRY(vectors_read_file(&text, set, "headfcu.json"));
    HN_TRY(hn_json_parse(&document, &problem, text, &limits));
    hn_json root = hn_json_root(&document, &problem);
    hn_json parameters;
    hn_json head;
    hn_err err = hn_json_get(&parameters, &root, "params");
    if (err == HN_OK) {
        hn_json first = hn_json_at(&parameters, 0);
        err = hn_json_get(&head, &first, "headBlockHash");
        if (err == HN_OK)
            err = hn_json_read_fixed(out->b, sizeof out->b, &head);
    }
    hn_json_free(&document);
    return err;
}

static hn_err import_all(importer *self, hn_bytes chain)
{
    hn_rlp_cursor cursor = hn_rlp_cursor_of(chain);
    for (unsigned number = 1; !hn_rlp_at_end(&cursor); number++) {
        char name[32];
        hn_bytes rlp;
        hn_executed_block block;
        hn_import_problem problem = {.text = ""};
        HN_TRY(hn_rlp_read_raw(&rlp, &cursor));
        hn_arena_reset(&self->block);
        hn_err err = hn_ledger_import(self->ledger, self->sealer, &block, &problem, &self->block, self->evm,
                                      self->signatures, rlp);
        (void)snprintf(name, sizeof name, "block %u", number);
        if (err != HN_OK) {
            vectors_fail(self->set, name, "%s: %s", hn_err_text(err), problem.text);
            return HN_OK;
        }
        vectors_pass(self->set);
    }
    hn_hash expected;
    hn_hash got;
    HN_TRY(read_head(&expected, self->set));
    (void)hn_sealer_head(self->sealer, &got);
    if (hn_hash_equal(&expected, &got))
        vectors_pass(self->set);
    else
        vectors_fail(self->set, "head", "another hash than expected");
    return HN_OK;
}

int main(void)
{
    vectors set;
    if (!vectors_open(&set, "rpc-compat"))
        return VECTORS_EXIT_SKIPPED;
    importer self = {.set = &set};
    hn_arena_init(&self.block, 0, (size_t)1 << 30);
    hn_bytes chain;
    hn_err err = open_importer(&self);
    if (err == HN_OK)
        err = vectors_read_file(&chain, &set, "chain.rlp");
    if (err == HN_OK)
        err = import_all(&self, chain);
    if (err != HN_OK)
        vectors_fail(&set, "chain", "%s", hn_err_text(err));
    close_importer(&self);
    return vectors_close(&set);
}
