/* A data directory without a running node: what `import` and `export` work on. Its ledgers are brought to the
 * end of the log as a start of the node would, and nobody else may have it open. Messages go to standard
 * error, with the command's name before them.
 */
#ifndef HN_PIPELINE_CLI_OFFLINE_H
#define HN_PIPELINE_CLI_OFFLINE_H

#include "engine/base/arena.h"
#include "pipeline/stage/node.h"

typedef struct hn_offline {
    hn_node *node;
    uint32_t ledger; /* its number */
    const char *ledger_name;
    bool has_eal;
    hn_arena arena;
} hn_offline;

/* ledger_name NULL: the first one. False when it has said why not; close it all the same. */
bool hn_offline_open(hn_offline *out, const char *command, const char *directory, const char *ledger_name);
void hn_offline_close(hn_offline *offline);

#endif
