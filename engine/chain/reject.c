#include "engine/chain/reject.h"

typedef struct reject_line {
    const char *name;
    const char *text;
    const char *spec_name;
    const char *legacy_name;
} reject_line;

static const reject_line lines[] = {
#define REJECT_LINE(name, text, spec_name, legacy_name) {#name, text, spec_name, legacy_name},
    HN_REJECT_LIST(REJECT_LINE)
#undef REJECT_LINE
};

static const reject_line unknown = {"UNKNOWN", "unknown reason", "", ""};

static const reject_line *line_of(hn_reject reject)
{
    return (unsigned)reject < HN_REJECT_COUNT ? &lines[reject] : &unknown;
}

const char *hn_reject_name(hn_reject reject)
{
    return line_of(reject)->name;
}

const char *hn_reject_text(hn_reject reject)
{
    return line_of(reject)->text;
}

const char *hn_reject_spec_name(hn_reject reject)
{
    return line_of(reject)->spec_name;
}

const char *hn_reject_legacy_name(hn_reject reject)
{
    return line_of(reject)->legacy_name;
}
