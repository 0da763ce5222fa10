#include "engine/chain/ancestry.h"

#include "engine/base/check.h"

void hn_ancestry_add(hn_ancestry *ancestry, const hn_hash *hash, const hn_header *header,
                     const hn_header *uncles, uint32_t uncle_count)
{
    HN_CHECK(uncle_count <= HN_UNCLES_MAX);
    if (ancestry->count != 0 && header->number != ancestry->newest + 1)
        ancestry->count = 0;
    hn_ancestor *item = &ancestry->items[header->number % HN_ANCESTRY_GENERATIONS];
    *item = (hn_ancestor){.hash = *hash, .header = *header, .uncle_count = uncle_count};
    item->header.extra_data = hn_bytes_of(NULL, 0);
    for (uint32_t i = 0; i < uncle_count; i++)
        hn_header_hash(&item->uncles[i], &uncles[i]);
    ancestry->newest = header->number;
    if (ancestry->count < HN_ANCESTRY_GENERATIONS)
        ancestry->count++;
}

const hn_ancestor *hn_ancestry_at(const hn_ancestry *ancestry, uint32_t generation)
{
    if (generation == 0 || generation > ancestry->count)
        return NULL;
    return &ancestry->items[(ancestry->newest + 1 - generation) % HN_ANCESTRY_GENERATIONS];
}
