#include "shard/order/verdict.h"

static const char *const names[] = {
#define HN_VERDICT_NAME(name, text) #name,
    HN_VERDICT_LIST(HN_VERDICT_NAME)
#undef HN_VERDICT_NAME
};

static const char *const texts[] = {
#define HN_VERDICT_TEXT(name, text) text,
    HN_VERDICT_LIST(HN_VERDICT_TEXT)
#undef HN_VERDICT_TEXT
};

const char *hn_verdict_name(hn_verdict verdict)
{
    return (unsigned)verdict < HN_VERDICT_COUNT ? names[verdict] : "UNKNOWN";
}

const char *hn_verdict_text(hn_verdict verdict)
{
    return (unsigned)verdict < HN_VERDICT_COUNT ? texts[verdict] : "unknown verdict";
}
