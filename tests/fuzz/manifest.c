/* Any bytes as the manifest of a backup. The first byte of input chooses whether the checksum is put right.
 * What is taken is written again, byte for byte, and names nothing outside. */
#include "pipeline/backup/manifest.h"
#include "engine/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LAST_LINE = sizeof "checksum " - 1 + 32 + 1 };

static void put_checksum_right(char *text, size_t size)
{
    char line[LAST_LINE + 1];
    if (size < LAST_LINE)
        return;
    hn_checksum sum = hn_checksum_of(text, size - LAST_LINE);
    snprintf(line, sizeof line, "checksum %016" PRIx64 "%016" PRIx64 "\n", sum.high, sum.low);
    memcpy(text + size - LAST_LINE, line, LAST_LINE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    HN_CHECK(text != NULL);
    memcpy(text, data + 1, size - 1);
    if ((data[0] & 1) != 0)
        put_checksum_right(text, size - 1);
    static hn_manifest manifest;
    hn_backup_problem problem = {.text = ""};
    hn_err err = hn_manifest_read(&manifest, &problem, hn_bytes_of(text, size - 1));
    HN_CHECK((err == HN_OK) == (problem.text[0] == '\0'));
    if (err == HN_OK) {
        char *again = NULL;
        size_t length = 0;
        for (size_t i = 0; i < manifest.file_count; i++)
            HN_CHECK(hn_backup_name_is_allowed(manifest.files[i].name) &&
                     strstr(manifest.files[i].name, "..") != manifest.files[i].name);
        HN_CHECK(hn_manifest_write(&again, &length, &manifest) == HN_OK);
        HN_CHECK(length == size - 1 && memcmp(again, text, length) == 0);
        free(again);
        hn_manifest_free(&manifest);
    }
    free(text);
    return 0;
}
