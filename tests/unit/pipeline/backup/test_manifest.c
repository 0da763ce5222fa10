/* The manifest: what is written is read, in the very bytes that README.md shows, and nothing else is taken.
 */
#include "pipeline/backup/manifest.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static hn_manifest manifest;
static char *text;
static size_t size;

static void make(void)
{
    hn_digest_state *state = hn_digest_create();
    cr_assert_not_null(state);
    hn_digest_add(state, hn_bytes_of("a", 1));
    hn_digest_add(state, hn_bytes_of("bc", 2));
    hn_digest digest = hn_digest_end(state);
    hn_digest_begin(state);
    hn_digest empty = hn_digest_end(state);
    hn_digest_destroy(state);
    manifest = (hn_manifest){.data_format = 1, .made_s = 1700000000, .first_index = 1, .last_index = 42};
    memset(&manifest.chain, 0xab, sizeof manifest.chain);
    manifest.ledgers[0] = (hn_manifest_ledger){.name = "main"};
    manifest.ledgers[1] = (hn_manifest_ledger){.name = "b", .has_snapshot = true, .log_index = 7, .block = 6};
    manifest.ledger_count = 2;
    cr_assert_eq(hn_manifest_add_file(&manifest, "ledgers/00000-main.json", 3, &digest), HN_OK);
    cr_assert_eq(hn_manifest_add_file(&manifest, "log-000000000001.segment", 0, &empty), HN_OK);
    cr_assert_eq(hn_manifest_add_file(&manifest, "log-000000000001.segment", 0, &empty), HN_ERR_INVALID);
    cr_assert_eq(hn_manifest_add_file(&manifest, "../x.segment", 0, &empty), HN_ERR_INVALID);
    cr_assert_eq(hn_manifest_write(&text, &size, &manifest), HN_OK);
}

static void drop(void)
{
    free(text);
    hn_manifest_free(&manifest);
}

TestSuite(manifest, .init = make, .fini = drop);

/* Replaces the last line by one with the right checksum. */
static hn_err read_lines(const char *lines)
{
    char *whole = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&whole, &length);
    hn_checksum sum = hn_checksum_of(lines, strlen(lines));
    fprintf(to, "%schecksum %016llx%016llx\n", lines, (unsigned long long)sum.high,
            (unsigned long long)sum.low);
    fclose(to);
    hn_manifest found;
    hn_backup_problem problem = {.text = ""};
    hn_err err = hn_manifest_read(&found, &problem, hn_bytes_of(whole, length));
    if (err == HN_OK)
        hn_manifest_free(&found);
    cr_assert_eq(err == HN_OK, problem.text[0] == '\0');
    free(whole);
    return err;
}

/* Digests from `printf abc | xxhsum -H2` and `sha256sum`. */
#define LINE_HEAD "hanse backup\nversion 1\n"
#define LINE_LOG  "log 1 42 abababababababababababababababababababababababababababababababab\n"
#define LINE_FIRST                                                                                           \
    "file 3 06b05ab6733a618578af5f94892f3950 "                                                               \
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ledgers/00000-main.json\n"
#define LINE_SECOND                                                                                          \
    "file 0 99aa06d3014798d86001c324468d497f "                                                               \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 log-000000000001.segment\n"
#define LINES                                                                                                \
    LINE_HEAD "format 1\nmade 1700000000\n" LINE_LOG                                                         \
              "ledger main genesis\nledger b snapshot 7 6\n" LINE_FIRST LINE_SECOND

Test(manifest, text_is_as_documented)
{
    cr_assert_eq(strncmp(text, LINES, sizeof LINES - 1), 0, "%s", text);
    cr_assert_eq(size, sizeof LINES - 1 + sizeof "checksum " - 1 + 32 + 1);
    cr_assert_eq(read_lines(LINES), HN_OK);
}

Test(manifest, what_is_written_is_read)
{
    hn_manifest found;
    cr_assert_eq(hn_manifest_read(&found, NULL, hn_bytes_of(text, size)), HN_OK);
    cr_assert_eq(found.last_index, 42);
    cr_assert_eq(found.ledger_count, 2);
    cr_assert_not(found.ledgers[0].has_snapshot);
    cr_assert_eq(found.ledgers[1].block, 6);
    cr_assert_eq(found.file_count, 2);
    cr_assert(hn_digest_equal(&found.files[0].digest, &manifest.files[0].digest));
    cr_assert_not(hn_digest_equal(&found.files[1].digest, &manifest.files[0].digest));
    cr_assert_eq(hn_manifest_find(&found, "log-000000000001.segment"), &found.files[1]);
    cr_assert_null(hn_manifest_find(&found, "log-000000000002.segment"));
    hn_manifest_free(&found);
}

Test(manifest, every_changed_bit_and_every_cut_is_found)
{
    hn_manifest found;
    char *copy = malloc(size);
    for (size_t i = 0; i < size; i++) {
        cr_assert_neq(hn_manifest_read(&found, NULL, hn_bytes_of(text, i)), HN_OK, "cut at %zu", i);
        for (int bit = 0; bit < 8; bit++) {
            memcpy(copy, text, size);
            copy[i] = (char)((uint8_t)copy[i] ^ (1u << bit));
            cr_assert_neq(hn_manifest_read(&found, NULL, hn_bytes_of(copy, size)), HN_OK, "bit %d of %zu",
                          bit, i);
        }
    }
    free(copy);
}

Test(manifest, lines_have_their_order_and_form)
{
    static const char *const bad[] = {
        "",
        LINE_HEAD,
        LINE_HEAD "format 1\nmade 1\n" LINE_LOG,                         /* no ledger */
        LINE_HEAD "format 1\n" LINE_LOG "ledger main genesis\n",         /* no time */
        LINE_HEAD "made 1\nformat 1\n" LINE_LOG "ledger main genesis\n", /* order */
        LINE_HEAD "format 1\nformat 1\nmade 1\n" LINE_LOG "ledger a genesis\n",
        LINE_HEAD "format 01\nmade 1\n" LINE_LOG "ledger main genesis\n",
        LINE_HEAD "format 1 \nmade 1\n" LINE_LOG "ledger main genesis\n",
        LINE_HEAD "format -1\nmade 1\n" LINE_LOG "ledger main genesis\n",
        LINE_HEAD "format 18446744073709551616\nmade 1\n" LINE_LOG "ledger main genesis\n",
        LINE_HEAD "format 1\nmade 1\n" LINE_LOG "ledger main other\n",
        LINE_HEAD "format 1\nmade 1\n" LINE_LOG "ledger main snapshot 1\n",
        LINE_HEAD "format 1\nmade 1\n" LINE_LOG "ledger ../main genesis\n",
        LINE_HEAD "format 1\nmade 1\n" LINE_LOG "ledger main genesis\n" LINE_FIRST LINE_FIRST,
        LINE_HEAD "format 1\nmade 1\n" LINE_LOG "ledger main genesis\n" LINE_FIRST "ledger b genesis\n",
        LINE_HEAD "format 1\nmade 1\n" LINE_LOG "ledger main genesis\nother 1\n",
        LINE_HEAD "format 1\nmade 1\n" LINE_LOG "ledger main genesis\n\n",
        "hanse backup\nversion 0\nformat 1\nmade 1\n" LINE_LOG "ledger main genesis\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(read_lines(bad[i]), HN_ERR_CORRUPT, "%s", bad[i]);
    cr_assert_eq(read_lines(LINE_HEAD "format 1\nmade 1\n" LINE_LOG "ledger main genesis\n"), HN_OK);
    cr_assert_eq(read_lines("hanse backup\nversion 2\nwhatever comes then, with a last line\n"),
                 HN_ERR_VERSION);
}

Test(manifest, names)
{
    static const char *const good[] = {"log-000000000001.segment",
                                       "log-1.segment",
                                       "a-00000000000000000042.snapshot",
                                       "a.b-c_D-00000000000000000042.snapshot",
                                       "ledgers/00000-a.json",
                                       "ledgers/00012-a.strict.json",
                                       "ledgers/00000-dev.development"};
    static const char *const bad[] = {"",
                                      ".",
                                      "..",
                                      "/log-1.segment",
                                      "./log-1.segment",
                                      "../log-1.segment",
                                      "x/log-1.segment",
                                      "ledgers/../log-1.segment",
                                      "ledgers/log-1.segment",
                                      "ledgers/x/00000-a.json",
                                      "ledgers/00000-../a.json",
                                      "ledgers/.00000-a.json",
                                      "ledgers/",
                                      "ledgers",
                                      "ledgers/0000-a.json",
                                      "00000-a.json",
                                      "log-.segment",
                                      "log-1.segment ",
                                      "log-1.segment\n",
                                      "log-123456789012345678901.segment",
                                      "lock",
                                      "format",
                                      "manifest",
                                      "history/data.mdb",
                                      "a-42.snapshot",
                                      "-00000000000000000042.snapshot.tmp",
                                      ".a-00000000000000000042.snapshot",
                                      "a/b-00000000000000000042.snapshot",
                                      "a b-00000000000000000042.snapshot"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert(hn_backup_name_is_allowed(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not(hn_backup_name_is_allowed(bad[i]), "%s", bad[i]);
    char longest[300];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + 250, "-00000000000000000042.snapshot", sizeof "-00000000000000000042.snapshot");
    cr_assert_not(hn_backup_name_is_allowed(longest));
}
