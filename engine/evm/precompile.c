#include "engine/evm/precompile.h"

#include "engine/crypto/bls12_381.h"
#include "engine/crypto/bn254.h"
#include "engine/evm/precompile_table.h"

#include <stdlib.h>

static const hn_precompile table[] = {
#define LINE(function, text, address, fork, price_)                                                          \
    {.number = (address),                                                                                    \
     .since = HN_FORK_##fork,                                                                                \
     .name = (text),                                                                                         \
     .run = hn_precompile_run_##function,                                                                    \
     HN_PRECOMPILE_##price_},
    HN_PRECOMPILE_LIST(LINE)
#undef LINE
};

enum { COUNT = sizeof table / sizeof table[0], FIRST_GAP = 0x12 };

/* The table is in the order of addresses without a gap from 1 on, and P-256 comes last. */
static const hn_precompile *line_of(uint32_t number)
{
    if (number - 1 < FIRST_GAP - 1)
        return &table[number - 1];
    return number == table[COUNT - 1].number ? &table[COUNT - 1] : NULL;
}
_Static_assert(COUNT == FIRST_GAP, "one line for each address below the gap, and one beyond it");

hn_err hn_precompile_context_create(hn_precompile_context **out)
{
    hn_precompile_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = hn_signature_context_create(&context->signature);
    if (err == HN_OK)
        err = hn_p256_context_create(&context->p256);
    if (err == HN_OK)
        err = hn_kzg_context_create(&context->kzg);
    if (err != HN_OK) {
        hn_precompile_context_destroy(context);
        return err;
    }
    *out = context;
    return HN_OK;
}

void hn_precompile_context_destroy(hn_precompile_context *context)
{
    if (context == NULL)
        return;
    hn_kzg_context_destroy(context->kzg);
    hn_p256_context_destroy(context->p256);
    hn_signature_context_destroy(context->signature);
    free(context);
}

const hn_precompile *hn_precompile_find(const hn_address *address, hn_fork fork)
{
    uint64_t upper = hn_load_be64(address->b) | hn_load_be64(address->b + 8) | hn_load_be16(address->b + 16);
    if (HN_LIKELY(upper != 0))
        return NULL;
    const hn_precompile *precompile = line_of(hn_load_be16(address->b + 18));
    return precompile != NULL && fork >= precompile->since ? precompile : NULL;
}

size_t hn_precompile_addresses(hn_address *out, size_t capacity, hn_fork fork)
{
    size_t written = 0;
    for (size_t i = 0; i < COUNT && written < capacity; i++) {
        if (fork < table[i].since)
            continue;
        memset(&out[written], 0, sizeof out[written]);
        hn_store_be16(out[written].b + 18, table[i].number);
        written++;
    }
    return written;
}

const char *hn_precompile_name(const hn_precompile *precompile)
{
    return precompile->name;
}

uint64_t hn_precompile_gas(const hn_precompile *precompile, hn_fork fork, hn_bytes input)
{
    if (precompile->gas != NULL)
        return precompile->gas(fork, input);
    const hn_precompile_price *price =
        fork >= precompile->repriced ? &precompile->later_price : &precompile->price;
    if (price->unit_bytes == 0)
        return price->base;
    uint64_t size = input.size + (price->rounds_up ? price->unit_bytes - 1u : 0);
    return price->base + price->per_unit * (size / price->unit_bytes);
}

bool hn_precompile_run(const hn_precompile *precompile, const hn_precompile_context *context,
                       hn_bytes *output, hn_arena *arena, hn_fork fork, hn_bytes input)
{
    return precompile->run(&(hn_precompile_call){context, output, arena, fork, input});
}
