#include "pipeline/query/query.h"

#include "engine/base/check.h"

static const uint8_t places[HN_QUERY_COUNT] = {
#define PLACE(name, where) HN_QUERY_PLACE_##where,
    HN_QUERY_LIST(PLACE)
#undef PLACE
};

hn_query_place hn_query_place_of(hn_query_kind kind)
{
    HN_CHECK(kind < HN_QUERY_COUNT);
    return (hn_query_place)places[kind];
}
