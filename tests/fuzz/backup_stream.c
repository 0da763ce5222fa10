/* Any bytes as the stream of a backup: read to its end or refused with a reason, and nothing is written. */
#include "engine/base/check.h"
#include "pipeline/backup/unpack.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static hn_unpacked found;
    hn_backup_problem problem = {.text = ""};
    int descriptor = memfd_create("stream", MFD_CLOEXEC);
    HN_CHECK(descriptor >= 0 && (size == 0 || write(descriptor, data, size) == (ssize_t)size));
    HN_CHECK(lseek(descriptor, 0, SEEK_SET) == 0);
    hn_err err = hn_unpack_stream(&found, &problem, descriptor, NULL, NULL);
    HN_CHECK((err == HN_OK) == (problem.text[0] == '\0'));
    if (err == HN_OK)
        hn_manifest_free(&found.manifest);
    close(descriptor);
    return 0;
}
