#include "engine/base/err.h"

static const char *const names[] = {
#define HN_ERR_NAME(name, text) #name,
    HN_ERR_LIST(HN_ERR_NAME)
#undef HN_ERR_NAME
};

static const char *const texts[] = {
#define HN_ERR_TEXT(name, text) text,
    HN_ERR_LIST(HN_ERR_TEXT)
#undef HN_ERR_TEXT
};

const char *hn_err_name(hn_err err)
{
    return (unsigned)err < HN_ERR_COUNT ? names[err] : "UNKNOWN";
}

const char *hn_err_text(hn_err err)
{
    return (unsigned)err < HN_ERR_COUNT ? texts[err] : "unknown error";
}
