#include "pipeline/history/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The marker is a text file of three lines: format, boot id and place, "open", "durable" or "clean". It is
 * synced before the first write that may come out of order, so after a crash of the machine it says "open"
 * under another boot id; unless all writes are synced, which "durable" says.
 *
 * The place is the inode and the time of birth of the directory and of the marker itself. Whoever copies the
 * directory of a running node gets pages of different moments, just as a crash leaves them; a copy is another
 * inode, so its marker does not speak of it. Moving or renaming the directory changes neither. */
static const char marker_format[] = "hanse history 2";

enum {
    PATH_BYTES = 4096,
    BOOT_ID_BYTES = 64,
    LIFE_BYTES = 256, /* boot id and place */
    MARKER_BYTES = 512,
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

/* One file's part of the place; `path` empty: of the open file itself. False: the system does not tell. */
static bool add_place(char text[LIFE_BYTES], int file, const char *path)
{
    struct statx status;
    if (statx(file, path, AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0)
        return false;
    size_t size = strlen(text);
    /* File systems without times of birth leave them zero. */
    bool has_birth = (status.stx_mask & STATX_BTIME) != 0;
    snprintf(text + size, LIFE_BYTES - size, " %llu@%lld.%u", (unsigned long long)status.stx_ino,
             has_birth ? (long long)status.stx_btime.tv_sec : 0,
             has_birth ? (unsigned)status.stx_btime.tv_nsec : 0);
    return true;
}

/* The second line: boot and place. Empty when the system does not tell them: then nothing is trusted that was
 * not closed. */
static void read_life(char out[LIFE_BYTES], const char *directory, int marker)
{
    read_boot_id(out);
    if (out[0] == '\0' || !add_place(out, AT_FDCWD, directory) || !add_place(out, marker, ""))
        out[0] = '\0';
}

/* The marker's text, and what its second line had to be. */
static hn_err read_marker(char text[MARKER_BYTES], char life[LIFE_BYTES], const char *directory)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/marker", directory);
    HN_TRY(read_file(text, MARKER_BYTES, path));
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return HN_ERR_IO;
    read_life(life, directory, file);
    close(file);
    return HN_OK;
}

hn_err hn_history_marker_check(const char *directory)
{
    char text[MARKER_BYTES];
    char life[LIFE_BYTES];
    hn_err err = read_marker(text, life, directory);
    if (err == HN_ERR_NOT_FOUND) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/data.mdb", directory);
        return access(path, F_OK) == 0 ? HN_ERR_VERSION : HN_ERR_NOT_FOUND;
    }
    HN_TRY(err);

    char same_life[MARKER_BYTES];
    snprintf(same_life, sizeof same_life, "%s\n%s\nopen\n", marker_format, life);
    if (life[0] != '\0' && strcmp(text, same_life) == 0)
        return HN_OK;
    /* Closed cleanly, or synced all the time: boot and place do not matter. */
    char *second = strchr(text, '\n');
    char *third = second == NULL ? NULL : strchr(second + 1, '\n');
    if (third == NULL)
        return HN_ERR_VERSION;
    *second = '\0';
    if (strcmp(text, marker_format) != 0)
        return HN_ERR_VERSION;
    if (strcmp(third, "\nopen\n") == 0)
        return HN_ERR_BUSY;
    return strcmp(third, "\nclean\n") == 0 || strcmp(third, "\ndurable\n") == 0 ? HN_OK : HN_ERR_VERSION;
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
    char temporary[PATH_BYTES];
    char path[PATH_BYTES];
    snprintf(temporary, sizeof temporary, "%s/marker.new", directory);
    snprintf(path, sizeof path, "%s/marker", directory);
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return errno == ENOSPC ? HN_ERR_NO_SPACE : HN_ERR_IO;
    char life[LIFE_BYTES];
    char text[MARKER_BYTES];
    read_life(life, directory, file); /* of this inode: the new name does not change that */
    int size = snprintf(text, sizeof text, "%s\n%s\n%s\n", marker_format, life, words[mark]);
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
