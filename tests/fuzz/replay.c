/* Feeds every file of the given folders to the fuzz target that it is linked with: a corpus as a test.
 *
 * Small files are fed cut off at every length too, which costs nothing and finds reads past the end.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUT_SIZE_MAX = 2048 };

/* A copy of exactly this size lets AddressSanitizer see a byte too many being read. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size != 0 ? size : 1);
    if (copy == NULL)
        abort();
    if (size != 0)
        memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void feed_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
    size_t size = (size_t)status.st_size;
    uint8_t *data = malloc(size + 1);
    if (data == NULL || fread(data, 1, size, file) != size) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    feed(data, size);
    if (size <= CUT_SIZE_MAX)
        for (size_t cut = 0; cut < size; cut++)
            feed(data, cut);
    free(data);
}

static size_t feed_folder(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    size_t fed = 0;
    if (count < 0) {
        fprintf(stderr, "%s is no folder\n", folder);
        exit(EXIT_FAILURE);
    }
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        if (entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
            feed_file(path);
            fed++;
        }
        free(entries[i]);
    }
    free(entries);
    return fed;
}

int main(int argc, char **argv)
{
    size_t fed = 0;
    for (int i = 1; i < argc; i++)
        fed += feed_folder(argv[i]);
    printf("%zu inputs replayed\n", fed);
    return fed != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
