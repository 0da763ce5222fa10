#include "engine/chain/authorization.h"

#include "engine/chain/parameters.h"

static const uint8_t delegation_prefix[3] = {0xef, 0x01, 0x00};

static bool recover_authority(const hn_block_context *context, hn_address *authority,
                              const hn_authorization *authorization)
{
    hn_u256 chain_id = hn_u256_of(context->block.config->chain_id);
    if (!hn_u256_is_zero(&authorization->chain_id) && !hn_u256_equal(&authorization->chain_id, &chain_id))
        return false;
    if (authorization->nonce == UINT64_MAX || authorization->signature.y_parity > 1 ||
        !hn_signature_in_range(&authorization->signature, true))
        return false;
    hn_hash digest;
    hn_authorization_signing_hash(&digest, authorization);
    return hn_signature_recover(context->signatures, authority, &digest, &authorization->signature) == HN_OK;
}

static void apply_one(hn_block_context *context, const hn_authorization *authorization)
{
    hn_state *state = context->state;
    hn_address authority;
    if (!recover_authority(context, &authority, authorization))
        return;
    hn_state_account *account = hn_state_get(state, &authority);
    hn_state_warm(state, account);
    const hn_code *code = hn_state_code(state, account);
    hn_address target;
    if (code != NULL && code->bytes.size != 0 && !hn_delegation_target(&target, code->bytes))
        return;
    if (account->current.nonce != authorization->nonce)
        return;

    if (account->exists)
        hn_state_add_refund(state, (int64_t)HN_GAS_AUTHORIZATION_REFUND);
    if (hn_address_is_zero(&authorization->address)) {
        hn_state_set_code(state, account, hn_bytes_of(NULL, 0));
    } else {
        uint8_t delegation[sizeof delegation_prefix + sizeof authorization->address.b];
        memcpy(delegation, delegation_prefix, sizeof delegation_prefix);
        memcpy(delegation + sizeof delegation_prefix, authorization->address.b,
               sizeof authorization->address.b);
        hn_state_set_code(state, account, hn_bytes_of(delegation, sizeof delegation));
    }
    hn_state_set_nonce(state, account, account->current.nonce + 1);
}

void hn_authorizations_apply(hn_block_context *context, const hn_authorization *authorizations,
                             uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        apply_one(context, &authorizations[i]);
}
