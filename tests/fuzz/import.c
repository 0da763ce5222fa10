/* Any bytes as a block from outside, on the development ledger: whatever is refused leaves no trace, and what
 * is taken has the hash that its header says. The first byte chooses how the rest is used: as it is, or as
 * the header and body of a block that is otherwise made to fit, so that the fuzzer gets past the first
 * checks.
 */
#include "engine/base/check.h"
#include "engine/engine.h"
#include "engine/types/genesis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static hn_arena boot;
static hn_genesis genesis;
static hn_precompile_context *precompiles;
static hn_signature_context *signatures;
static hn_evm *evm;

static void prepare(void)
{
    hn_arena_init(&boot, 0, 1 << 28);
    HN_CHECK(hn_genesis_development(&genesis, &boot) == HN_OK);
    HN_CHECK(hn_precompile_context_create(&precompiles) == HN_OK);
    HN_CHECK(hn_signature_context_create(&signatures) == HN_OK);
    HN_CHECK(hn_evm_create(&evm, precompiles, 1 << 26) == HN_OK);
}

/* Puts right what nobody finds by chance: parent, number, base fee and the like. */
static bool mend(hn_bytes *rlp, hn_arena *arena, const hn_ledger *ledger, const hn_hash *parent_hash)
{
    const hn_header *parent = hn_ledger_head(ledger);
    const hn_chain_config *config = hn_ledger_config(ledger);
    hn_block block;
    if (hn_block_decode(&block, arena, *rlp) != HN_OK)
        return false;
    hn_header *header = &block.header;
    header->parent_hash = *parent_hash;
    header->number = parent->number + 1;
    header->form = hn_header_form_of(hn_fork_at(config, header->number, header->timestamp));
    header->gas_limit = parent->gas_limit;
    header->base_fee_per_gas = hn_next_base_fee(config, parent);
    header->excess_blob_gas = hn_next_excess_blob_gas(config, parent, header->timestamp);
    header->difficulty = hn_u256_of(0);
    block.has_withdrawals = true;
    if (hn_uncles_hash(&header->uncles_hash, arena, block.uncles, block.uncle_count) != HN_OK)
        return false;
    return hn_block_encode(rlp, arena, &block) == HN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (evm == NULL)
        prepare();
    if (size == 0)
        return 0;
    hn_ledger *ledger;
    hn_sealer *sealer;
    hn_ledger_options options = {.profile = HN_PROFILE_FAST};
    hn_arena arena;
    hn_arena_init(&arena, 0, 1 << 28);
    HN_CHECK(hn_ledger_create(&ledger, &genesis, &options) == HN_OK);
    HN_CHECK(hn_sealer_create(&sealer, &genesis, 1) == HN_OK);
    hn_hash before;
    hn_hash after;
    (void)hn_sealer_head(sealer, &before);

    hn_bytes rlp = hn_bytes_of(data + 1, size - 1);
    if (data[0] % 2 == 0 || mend(&rlp, &arena, ledger, &before)) {
        hn_executed_block executed;
        hn_import_problem problem;
        hn_err err = hn_ledger_import(ledger, sealer, &executed, &problem, &arena, evm, signatures, rlp);
        (void)hn_sealer_head(sealer, &after);
        if (err == HN_OK) {
            hn_hash hash;
            hn_header_hash(&hash, &executed.header);
            HN_CHECK(hn_hash_equal(&hash, &after) && hn_ledger_head(ledger)->number == 1);
        } else {
            HN_CHECK(hn_hash_equal(&before, &after) && hn_ledger_head(ledger)->number == 0);
        }
    }
    hn_sealer_destroy(sealer);
    hn_ledger_destroy(ledger);
    hn_arena_destroy(&arena);
    return 0;
}
