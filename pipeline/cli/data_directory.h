/* The ledgers that a data directory holds: DIRECTORY/ledgers/NNNNN-NAME.KIND, numbered in the order of their
 * making, which is the number that the log knows them by. KIND is json (a genesis file), strict.json (the
 * same, under the strict profile) or development (the built-in one, no content).
 */
#ifndef HN_PIPELINE_CLI_DATA_DIRECTORY_H
#define HN_PIPELINE_CLI_DATA_DIRECTORY_H

#include "engine/base/arena.h"
#include "engine/base/err.h"
#include "pipeline/stage/node.h"

typedef struct hn_data_problem {
    char text[512];
} hn_data_problem;

/* Told what is damaged and can be mended. */
typedef void (*hn_data_tell)(void *self, const char *text);

/* Makes the directory and its `ledgers` folder when they are not there. */
HN_MUST_USE hn_err hn_data_directory_make(hn_data_problem *problem, const char *path);

/* The ledgers, in order; names and genesis texts in `arena`. A missing directory has none. A file that is
 * damaged is told on standard error, and its copy stands in (data_format.h). HN_ERR_VERSION: the directory is
 * of a newer version. */
HN_MUST_USE hn_err hn_data_directory_list(const hn_node_ledger_options **out, uint32_t *count,
                                          hn_data_problem *problem, hn_arena *arena, const char *path);

/* The files of DIRECTORY/ledgers and their content, in order, to be copied while a node may be running there:
 * nothing is changed. `each` gets a file's name, and the ledger with its genesis text; both are valid during
 * the call. *version: of the directory. HN_ERR_NOT_FOUND: there is no ledger. HN_ERR_CORRUPT, HN_ERR_VERSION,
 * and what `each` fails with. */
typedef hn_err (*hn_data_visitor)(void *self, const char *file_name, const hn_node_ledger_options *ledger);
HN_MUST_USE hn_err hn_data_directory_visit(hn_data_problem *problem, unsigned *version, const char *path,
                                           hn_data_visitor each, void *self);

/* Adds a ledger behind the others. genesis_json empty: the development ledger. HN_ERR_EXISTS: the name or the
 * chain id is taken; what reading the genesis fails with. Nothing is written then. */
HN_MUST_USE hn_err hn_data_directory_add(hn_data_problem *problem, const char *path, const char *name,
                                         hn_bytes genesis_json, bool is_strict);

/* The same check, telling to somebody else; HN_OK when nothing is lost. */
HN_MUST_USE hn_err hn_data_directory_check(hn_data_problem *problem, const char *path, hn_data_tell tell,
                                           void *tell_self);

/* Brings the directory to the version of this program, and mends what is damaged and has a copy. Nobody else
 * may be using it. */
HN_MUST_USE hn_err hn_data_directory_upgrade(hn_data_problem *problem, const char *path);

/* A whole file of at most `limit` bytes. */
HN_MUST_USE hn_err hn_read_file(hn_bytes *out, hn_data_problem *problem, hn_arena *arena, const char *path,
                                size_t limit);

#endif
