#include "pipeline/cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1024 * 1024 };

static hn_err fail(hn_output_file *file, const char *path, int error)
{
    snprintf(file->trouble, sizeof file->trouble, "%.400s: %s", path, strerror(error));
    return error == ENOSPC || error == EDQUOT ? HN_ERR_NO_SPACE : HN_ERR_IO;
}

static hn_err refuse(hn_output_file *file, hn_err err, const char *why)
{
    snprintf(file->trouble, sizeof file->trouble, "%.400s: %s", file->path, why);
    return err;
}

static hn_err open_stream(hn_output_file *file, const char *path, int flags)
{
    int descriptor = open(path, flags | O_WRONLY | O_CLOEXEC, 0644);
    file->stream = descriptor >= 0 ? fdopen(descriptor, "wb") : NULL;
    if (file->stream == NULL) {
        int error = errno;
        if (descriptor >= 0)
            close(descriptor);
        return fail(file, path, error);
    }
    return HN_OK;
}

hn_err hn_output_file_open(hn_output_file *out, const char *path, bool may_replace)
{
    struct stat status;
    *out = (hn_output_file){.path = path, .is_standard = strcmp(path, "-") == 0, .may_replace = may_replace};
    if (out->is_standard) {
        out->path = "standard output";
        if (isatty(STDOUT_FILENO) == 1)
            return refuse(out, HN_ERR_INVALID, "is a terminal; name a file");
        out->stream = stdout;
    } else if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        HN_TRY(open_stream(out, path, 0));
    } else if (access(path, F_OK) == 0 && !may_replace) {
        return refuse(out, HN_ERR_EXISTS, "is there already; --force replaces it");
    } else {
        if ((size_t)snprintf(out->temporary, sizeof out->temporary, "%s.partial", path) >=
            sizeof out->temporary)
            return fail(out, path, ENAMETOOLONG);
        HN_TRY(open_stream(out, out->temporary, O_CREAT | O_TRUNC));
    }
    (void)setvbuf(out->stream, NULL, _IOFBF, BUFFER_BYTES);
    return HN_OK;
}

hn_err hn_output_file_write(hn_output_file *file, hn_bytes bytes)
{
    return fwrite(bytes.data, 1, bytes.size, file->stream) == bytes.size ? HN_OK
                                                                         : fail(file, file->path, errno);
}

/* The name and its removal survive a crash. */
static void sync_folder(const char *path)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    fsync(folder);
    close(folder);
}

static hn_err give_name(hn_output_file *file)
{
    unsigned flags = file->may_replace ? 0 : RENAME_NOREPLACE;
    int result = renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, flags);
    if (result != 0 && errno == EINVAL && access(file->path, F_OK) != 0)
        result = rename(file->temporary, file->path); /* a file system that knows no flags */
    if (result != 0)
        return fail(file, file->path, errno);
    file->temporary[0] = '\0';
    sync_folder(file->path);
    return HN_OK;
}

hn_err hn_output_file_finish(hn_output_file *file)
{
    if (fflush(file->stream) != 0)
        return fail(file, file->path, errno);
    /* Pipes and devices cannot be synced, and need not. */
    if (fsync(fileno(file->stream)) != 0 && errno != EINVAL && errno != EROFS)
        return fail(file, file->path, errno);
    return file->temporary[0] != '\0' ? give_name(file) : HN_OK;
}

void hn_output_file_close(hn_output_file *file)
{
    if (file->stream != NULL && !file->is_standard)
        (void)fclose(file->stream);
    if (file->temporary[0] != '\0')
        unlink(file->temporary);
    file->stream = NULL;
}
