/* EIP-7702: the authorization list of a set-code transaction. */
#ifndef HN_ENGINE_CHAIN_AUTHORIZATION_H
#define HN_ENGINE_CHAIN_AUTHORIZATION_H

#include "engine/chain/transition.h"

/* Applies each valid authorization in order and skips the others; adds the refunds that are due. */
void hn_authorizations_apply(hn_block_context *context, const hn_authorization *authorizations,
                             uint32_t count);

#endif
