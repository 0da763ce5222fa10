/* What the flat tables are made of, for flat.c and flat_walk.c alone. */
#ifndef HN_ENGINE_STATE_FLAT_INTERNAL_H
#define HN_ENGINE_STATE_FLAT_INTERNAL_H

#include "engine/state/account_table.h"
#include "engine/state/code_table.h"
#include "engine/state/flat.h"
#include "engine/state/slot_table.h"

struct hn_flat {
    hn_account_table accounts;
    hn_slot_table slots;
    hn_code_table codes;
};

/* An account as the outside sees it. */
void hn_flat_read_account(const hn_flat *flat, hn_account *out, const hn_account_slot *slot);

#endif
