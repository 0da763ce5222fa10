/* Files that are pinned, and a backup that goes into a folder or stream and out again, on the real system. */
#include "pipeline/backup/pinned.h"
#include "pipeline/backup/sink.h"
#include "pipeline/backup/unpack.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static hn_backup_problem why;

static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/hanse-backup-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    char line[128];
    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    cr_assert_eq(system(line), 0);
}

TestSuite(folders, .init = begin, .fini = end);

static const char *at(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *content)
{
    FILE *file = fopen(at(name), "wb");
    cr_assert_not_null(file);
    fputs(content, file);
    fclose(file);
}

static void note(void *context, const char *name)
{
    (void)name;
    ++*(unsigned *)context;
}

Test(folders, pinned_files_stay_as_they_were)
{
    put("log-000000000001.segment", "first");
    put("a-00000000000000000001.snapshot", "second");
    put("a-00000000000000000002.snapshot.tmp", "no");
    put("format", "no");
    cr_assert_eq(symlink("/etc/passwd", at("x.segment")), 0);
    cr_assert_eq(mkdir(at("y.segment"), 0700), 0);
    hn_pinned *pinned;
    cr_assert_eq(hn_pinned_open(&pinned, &why, folder), HN_OK, "%s", why.text);
    hn_io io = hn_pinned_face(pinned);
    unsigned count = 0;
    cr_assert_eq(io.operations->list(io.self, note, &count), HN_OK);
    cr_assert_eq(count, 2);
    cr_assert_eq(unlink(at("log-000000000001.segment")), 0);
    put("log-000000000001.segment", "another");
    hn_io_file file;
    uint64_t size = 0;
    char bytes[8] = {0};
    cr_assert_eq(io.operations->open(io.self, &file, "log-000000000001.segment", HN_IO_READ), HN_OK);
    cr_assert_eq(io.operations->size(io.self, &size, file), HN_OK);
    cr_assert_eq(size, 5);
    cr_assert_eq(io.operations->read(io.self, bytes, file, 0, 5), HN_OK);
    cr_assert_str_eq(bytes, "first");
    cr_assert_eq(io.operations->read(io.self, bytes, file, 1, 5), HN_ERR_TRUNCATED);
    cr_assert_eq(io.operations->open(io.self, &file, "format", HN_IO_READ), HN_ERR_NOT_FOUND);
    cr_assert_eq(io.operations->open(io.self, &file, "log-000000000001.segment", HN_IO_WRITE),
                 HN_ERR_UNSUPPORTED);
    hn_pinned_close(pinned);
    cr_assert_eq(hn_pinned_open(&pinned, &why, at("missing")), HN_ERR_NOT_FOUND);
}

static const char segment_name[] = "log-000000000001.segment", ledger_name[] = "ledgers/00000-a.json";

static void write_backup(hn_sink *sink)
{
    hn_manifest manifest = {.data_format = 1, .first_index = 1, .last_index = 0};
    manifest.ledgers[manifest.ledger_count++] = (hn_manifest_ledger){.name = "a"};
    static const struct {
        const char *name, *content;
    } files[] = {{ledger_name, "{}"}, {segment_name, "some frames"}};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(files[i].content);
        hn_digest digest;
        cr_assert_eq(hn_sink_begin(sink, &why, files[i].name, size), HN_OK, "%s", why.text);
        cr_assert_eq(hn_sink_write(sink, &why, hn_bytes_of(files[i].content, 1)), HN_OK, "%s", why.text);
        cr_assert_eq(hn_sink_write(sink, &why, hn_bytes_of(files[i].content + 1, size - 1)), HN_OK);
        cr_assert_eq(hn_sink_end(sink, &why, &digest), HN_OK, "%s", why.text);
        cr_assert_eq(hn_manifest_add_file(&manifest, files[i].name, size, &digest), HN_OK);
    }
    char *text;
    size_t size;
    cr_assert_eq(hn_manifest_write(&text, &size, &manifest), HN_OK);
    cr_assert_eq(hn_sink_finish(sink, &why, hn_bytes_of(text, size)), HN_OK, "%s", why.text);
    hn_sink_close(sink, true);
    free(text);
    hn_manifest_free(&manifest);
}

static void check_content(const char *target)
{
    char path[256], bytes[32] = {0};
    snprintf(path, sizeof path, "%s/%s", target, segment_name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    cr_assert_eq(fread(bytes, 1, sizeof bytes, file), strlen("some frames"));
    cr_assert_str_eq(bytes, "some frames");
    fclose(file);
}

static void make_target(const char *name)
{
    char ledgers[64];
    snprintf(ledgers, sizeof ledgers, "%s/ledgers", name);
    cr_assert_eq(mkdir(at(name), 0700), 0);
    cr_assert_eq(mkdir(at(ledgers), 0700), 0);
}

Test(folders, what_goes_into_a_folder_comes_out)
{
    hn_sink *sink;
    hn_unpacked found;
    cr_assert_eq(hn_sink_folder(&sink, &why, at("b")), HN_OK, "%s", why.text);
    cr_assert_eq(hn_unpack_folder(&found, &why, at("b"), NULL, NULL), HN_ERR_NOT_FOUND, "not finished");
    write_backup(sink);
    cr_assert_eq(hn_sink_folder(&sink, &why, at("b")), HN_ERR_EXISTS);
    make_target("r");
    cr_assert_eq(hn_unpack_folder(&found, &why, at("b"), at("r"), NULL), HN_OK, "%s", why.text);
    cr_assert_eq(found.bytes, 13);
    hn_manifest_free(&found.manifest);
    check_content(at("r"));
    put("b/data/log-000000000001.segment", "some fRames");
    cr_assert_eq(hn_unpack_folder(&found, &why, at("b"), NULL, NULL), HN_ERR_CORRUPT);
    cr_assert_not_null(strstr(why.text, segment_name), "%s", why.text);
    put("b/data/log-000000000001.segment", "some frame");
    cr_assert_eq(hn_unpack_folder(&found, &why, at("b"), NULL, NULL), HN_ERR_CORRUPT);
    cr_assert_eq(unlink(at("b/data/log-000000000001.segment")), 0);
    cr_assert_eq(symlink("/etc/passwd", at("b/data/log-000000000001.segment")), 0);
    cr_assert_neq(hn_unpack_folder(&found, &why, at("b"), NULL, NULL), HN_OK);
}

Test(folders, what_is_given_up_leaves_nothing)
{
    hn_sink *sink;
    cr_assert_eq(mkdir(at("empty"), 0700), 0);
    const char *const names[] = {"empty", "new"};
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(hn_sink_folder(&sink, &why, at(names[i])), HN_OK, "%s", why.text);
        cr_assert_eq(hn_sink_begin(sink, &why, segment_name, 10), HN_OK);
        cr_assert_eq(hn_sink_write(sink, &why, hn_bytes_of("half", 4)), HN_OK);
        hn_sink_close(sink, false);
    }
    cr_assert_eq(rmdir(at("empty")), 0, "it is empty again");
    cr_assert_neq(access(at("new"), F_OK), 0);
}

Test(folders, what_goes_into_a_stream_comes_out)
{
    hn_sink *sink;
    hn_unpacked found;
    int stream = memfd_create("stream", MFD_CLOEXEC);
    cr_assert_eq(hn_sink_stream(&sink, &why, stream, NULL), HN_OK, "%s", why.text);
    write_backup(sink);
    off_t size = lseek(stream, 0, SEEK_CUR);
    cr_assert_eq(size % 512, 0);
    cr_assert_eq(lseek(stream, 0, SEEK_SET), 0);
    make_target("r");
    cr_assert_eq(hn_unpack_stream(&found, &why, stream, at("r"), NULL), HN_OK, "%s", why.text);
    hn_manifest_free(&found.manifest);
    check_content(at("r"));
    /* Cut anywhere before the manifest's last line it is none. */
    char *bytes = malloc((size_t)size);
    cr_assert_eq(pread(stream, bytes, (size_t)size, 0), size);
    const char *last = memmem(bytes, (size_t)size, "\nchecksum ", 10);
    cr_assert_not_null(last);
    for (off_t cut = 0; cut < last - bytes; cut += 97) {
        int piece = memfd_create("piece", MFD_CLOEXEC);
        cr_assert_eq(write(piece, bytes, (size_t)cut), cut);
        cr_assert_eq(lseek(piece, 0, SEEK_SET), 0);
        cr_assert_neq(hn_unpack_stream(&found, &why, piece, NULL, NULL), HN_OK, "%ld", (long)cut);
        cr_assert_neq(why.text[0], '\0');
        close(piece);
    }
    free(bytes);
    close(stream);
}
