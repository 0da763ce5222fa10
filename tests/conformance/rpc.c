/* The exchanges of execution-apis' rpc-compat: its chain is imported, its requests are sent over HTTP, and
 * the answers compared, byte for byte where the exchange does not say that only the form is specified.
 * Methods that a node does not offer are skipped, by name, each with its reason.
 */
#include "pipeline/rpc/method.h"
#include "pipeline/rpc/server.h"
#include "tests/support/vectors.h"
#include "tests/unit/pipeline/rpc/http_client.h"
#include "tests/unit/pipeline/rpc/small_node.h"

#include "engine/base/check.h"
#include "engine/codec/rlp.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAMES_MAX = 512 };

typedef struct names {
    char *items[NAMES_MAX];
    size_t count;
} names;

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Sorted; those that begin with a dot are left out. */
static void list(names *out, const char *folder)
{
    out->count = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        if (entry->d_name[0] != '.' && out->count < NAMES_MAX)
            out->items[out->count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(out->items, out->count, sizeof out->items[0], compare_names);
}

static void free_names(names *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->items[i]);
}

/* --- the node --- */

static small_node *import_chain(vectors *set, hn_genesis *genesis)
{
    hn_bytes text;
    hn_bytes chain;
    hn_genesis_problem problem = {{0}};
    small_node *node = small_node_create();
    if (vectors_read_file(&text, set, "genesis.json") != HN_OK ||
        hn_genesis_read(genesis, &problem, &node->genesis_arena, text) != HN_OK ||
        vectors_read_file(&chain, set, "chain.rlp") != HN_OK) {
        vectors_fail(set, "genesis", "%s", problem.text);
        small_node_destroy(node);
        return NULL;
    }
    small_node_add_ledger(node, "main", genesis);
    hn_rlp_cursor cursor = hn_rlp_cursor_of(chain);
    while (!hn_rlp_at_end(&cursor)) {
        hn_bytes block;
        HN_CHECK(hn_rlp_read_raw(&block, &cursor) == HN_OK);
        small_node_import(node, 0, block);
    }
    return node;
}

/* --- comparing --- */

static unsigned exact_count; /* answers that are the same byte for byte, whether they had to be or not */

/* The same names and kinds of values: all that can be asked where the specification leaves the values open.
 */
static bool same_shape(const json_t *left, const json_t *right)
{
    if (json_typeof(left) != json_typeof(right))
        return json_is_number(left) && json_is_number(right);
    if (json_is_array(left))
        return json_array_size(left) == 0 || json_array_size(right) == 0 ||
               same_shape(json_array_get(left, 0), json_array_get(right, 0));
    if (!json_is_object(left))
        return true;
    if (json_object_size(left) != json_object_size(right))
        return false;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)left, key, value)
    {
        const json_t *other = json_object_get(right, key);
        if (other == NULL || !same_shape(value, other))
            return false;
    }
    return true;
}

/* The same bytes, but for white space at the end. */
static bool same_text(const char *wanted, const char *got)
{
    size_t size = strlen(wanted), got_size = strlen(got);
    while (size != 0 && (wanted[size - 1] == '\r' || wanted[size - 1] == ' '))
        size--;
    return size == got_size && memcmp(wanted, got, size) == 0;
}

static bool same_form(const char *wanted_text, const char *got_text)
{
    json_t *wanted = json_loads(wanted_text, 0, NULL);
    json_t *got = json_loads(got_text, 0, NULL);
    bool good = wanted != NULL && got != NULL && same_shape(wanted, got);
    json_decref(wanted);
    json_decref(got);
    return good;
}

/* One request and the answer that is expected. */
static void exchange(vectors *set, uint16_t port, const char *name, const char *request, const char *expected,
                     bool shape_only)
{
    http_response response = http_post(port, "/", request, strlen(request));
    bool is_same = same_text(expected, response.body);
    exact_count += is_same;
    if (is_same || (shape_only && same_form(expected, response.body)))
        vectors_pass(set);
    else
        vectors_fail(set, name, "\n  wanted %.1500s\n  got    %.1500s", expected, response.body);
    if (!is_same && getenv("HANSE_SHOW_INEXACT") != NULL)
        printf("not the same bytes: %s\n  wanted %.1500s\n  got    %.1500s\n", name, expected, response.body);
    http_response_free(&response);
}

/* Lines of ">> request" and "<< answer"; "// speconly" above them leaves the values open. */
static void run_exchanges(vectors *set, uint16_t port, const char *path)
{
    hn_bytes content;
    hn_arena_reset(&set->arena);
    if (vectors_read_file(&content, set, path) != HN_OK) {
        vectors_fail(set, path, "cannot be read");
        return;
    }
    char *text = strndup((const char *)content.data, content.size);
    HN_CHECK(text != NULL);
    bool shape_only = strstr(text, "speconly:") != NULL;
    const char *request = NULL;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strncmp(line, ">> ", 3) == 0)
            request = line + 3;
        else if (strncmp(line, "<< ", 3) == 0 && request != NULL)
            exchange(set, port, path, request, line + 3, shape_only);
    }
    free(text);
}

/* Exchanges, or all of a method's, that this node cannot have. */
static const struct {
    const char *path; /* as it begins */
    const char *reason;
} left_out[] = {
    {"testing_buildBlockV1/",
     "builds blocks on demand for consensus clients' tests; here the order makes them"},
};

static const char *reason_to_skip(const char *path)
{
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
        if (strncmp(left_out[i].path, path, strlen(left_out[i].path)) == 0)
            return left_out[i].reason;
    return NULL;
}

static void run_method(vectors *set, uint16_t port, const char *method)
{
    char folder[PATH_MAX + 64];
    snprintf(folder, sizeof folder, "%s/%s", set->folder, method);
    names files;
    list(&files, folder);
    for (size_t i = 0; i < files.count; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", method, files.items[i]);
        const char *reason = reason_to_skip(path);
        if (reason != NULL)
            vectors_skip(set, path, "%s", reason);
        else
            run_exchanges(set, port, path);
    }
    free_names(&files);
}

int main(void)
{
    vectors set = {.passed = 0};
    if (!vectors_open(&set, "rpc-compat"))
        return VECTORS_EXIT_SKIPPED;
    hn_genesis genesis;
    small_node *node = import_chain(&set, &genesis);
    if (node == NULL)
        return vectors_close(&set);
    hn_rpc_server *server;
    hn_rpc_problem problem;
    hn_rpc_config config = {.port = 0};
    HN_CHECK(hn_rpc_server_start(&server, &problem, &config, &node->backend) == HN_OK);

    static const char changing[] = "eth_sendRawTransaction"; /* last: it makes blocks */
    names methods;
    list(&methods, set.folder);
    for (size_t i = 0; i < methods.count; i++)
        if (strcmp(methods.items[i], changing) != 0)
            run_method(&set, hn_rpc_server_port(server), methods.items[i]);
    run_method(&set, hn_rpc_server_port(server), changing);
    free_names(&methods);
    printf("%u answers are the same byte for byte\n", exact_count);

    hn_rpc_server_stop(server, 1000);
    small_node_destroy(node);
    return vectors_close(&set);
}
