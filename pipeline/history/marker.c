#include "pipeline/history/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The marker is a text file of three lines: format, boot id, "open", "durable" or "clean". It is synced
 * before the first write that may come out of order, so after a crash of the machine it says "open" under
 * another boot id; unless all writes are synced, which "durable" says. */
static const char marker_format[] = "hanse history 2";

enum {
    PATH_BYTES = 4096,
    BOOT_ID_BYTES = 64,
    MARKER_BYTES = 256,
};

static hn_err read_file(char *text, size_t capacity, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT ? HN_ERR_NOT_FOUND : HN_ERR_IO;
    ssize_t size = read(file, text, capacity - 1);
    close(file);
    if (size < 0)
        return HN_ERR_IO;
    text[size] = '\0';
    return HN_OK;
}

/* Changes with every start of the machine; empty when the system has none: then nothing is trusted that was
 * not closed cleanly. */
static void read_boot_id(char id[BOOT_ID_BYTES])
{
    if (read_file(id, BOOT_ID_BYTES, "/proc/sys/kernel/random/boot_id") != HN_OK)
        id[0] = '\0';
    id[strcspn(id, "\n")] = '\0';
}

hn_err hn_history_marker_check(const char *directory)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/marker", directory);
    char text[MARKER_BYTES];
    hn_err err = read_file(text, sizeof text, path);
    if (err == HN_ERR_NOT_FOUND) {
        snprintf(path, sizeof path, "%s/data.mdb", directory);
        return access(path, F_OK) == 0 ? HN_ERR_VERSION : HN_ERR_NOT_FOUND;
    }
    HN_TRY(err);

    char boot_id[BOOT_ID_BYTES];
    read_boot_id(boot_id);
    char clean[MARKER_BYTES];
    char same_boot[MARKER_BYTES];
    snprintf(same_boot, sizeof same_boot, "%s\n%s\nopen\n", marker_format, boot_id);
    if (boot_id[0] != '\0' && strcmp(text, same_boot) == 0)
        return HN_OK;
    /* Closed cleanly, or synced all the time: the boot id does not matter. */
    char *second = strchr(text, '\n');
    char *third = second == NULL ? NULL : strchr(second + 1, '\n');
    if (third == NULL)
        return HN_ERR_VERSION;
    *second = '\0';
    snprintf(clean, sizeof clean, "%s", third + 1);
    bool is_whole = strcmp(clean, "clean\n") == 0 || strcmp(clean, "durable\n") == 0;
    return strcmp(text, marker_format) == 0 && is_whole ? HN_OK : HN_ERR_VERSION;
}

static hn_err sync_directory(const char *directory)
{
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return HN_ERR_IO;
    int code = fsync(file);
    close(file);
    return code == 0 ? HN_OK : HN_ERR_IO;
}

hn_err hn_history_marker_write(const char *directory, hn_history_mark mark)
{
    static const char *const words[] = {
        [HN_HISTORY_OPEN] = "open", [HN_HISTORY_DURABLE] = "durable", [HN_HISTORY_CLEAN] = "clean"};
    char boot_id[BOOT_ID_BYTES];
    read_boot_id(boot_id);
    char text[MARKER_BYTES];
    int size = snprintf(text, sizeof text, "%s\n%s\n%s\n", marker_format, boot_id, words[mark]);

    char temporary[PATH_BYTES];
    char path[PATH_BYTES];
    snprintf(temporary, sizeof temporary, "%s/marker.new", directory);
    snprintf(path, sizeof path, "%s/marker", directory);
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return errno == ENOSPC ? HN_ERR_NO_SPACE : HN_ERR_IO;
    bool written = write(file, text, (size_t)size) == size && fsync(file) == 0;
    int reason = errno;
    close(file);
    if (!written)
        return reason == ENOSPC ? HN_ERR_NO_SPACE : HN_ERR_IO;
    if (rename(temporary, path) != 0)
        return HN_ERR_IO;
    return sync_directory(directory);
}

void hn_history_marker_remove(const char *directory)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/marker", directory);
    unlink(path);
    (void)!sync_directory(directory);
}
