#include "pipeline/cli/mapped_files.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* Everything here may be called by a signal handler, whatever was interrupted. */

enum { NAME_BYTES = 1024, EXIT_FAILED = 1 };

static void say(const char *text, size_t size)
{
    (void)!write(STDERR_FILENO, text, size);
}

/* One number in hexadecimal digits, up to the character that ends it. */
static uint64_t read_number(const char **text)
{
    uint64_t number = 0;
    for (;; (*text)++) {
        unsigned digit = (unsigned char)**text;
        if (digit >= '0' && digit <= '9')
            number = number * 16 + (digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            number = number * 16 + (digit - 'a' + 10);
        else
            return number;
    }
}

/* "FIRST-END rights offset device inode   /name": the name, when the address lies in it. */
static const char *name_in_line(const char *line, uint64_t address)
{
    uint64_t first = read_number(&line);
    if (*line++ != '-' || address < first)
        return NULL;
    return address < read_number(&line) ? strchr(line, '/') : NULL;
}

/* Copies the name of the file that is mapped at `address`; false: none is found. */
static bool find_name(char name[NAME_BYTES], const void *address)
{
    char line[NAME_BYTES], piece[NAME_BYTES];
    size_t size = 0;
    bool is_found = false;
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    for (ssize_t got; maps >= 0 && !is_found && (got = read(maps, piece, sizeof piece)) > 0;)
        for (ssize_t i = 0; i < got && !is_found; i++) {
            if (piece[i] != '\n') {
                line[size] = piece[i];
                size += size + 1 < sizeof line;
                continue;
            }
            line[size] = '\0';
            size = 0;
            const char *found = name_in_line(line, (uintptr_t)address);
            is_found = found != NULL;
            if (is_found)
                memcpy(name, found, strlen(found) + 1);
        }
    if (maps >= 0)
        close(maps);
    return is_found;
}

static void tell_and_end(int number, siginfo_t *cause, void *context)
{
    static const char begin[] = "hanse: ", nameless[] = "a file",
                      end[] =
                          ": a page of it that is mapped into memory cannot be read (an input or output "
                          "error, or the file was made shorter): stopping at once; everything acknowledged "
                          "is in the log; if it happens again, hanse reindex makes the block history again\n";
    (void)number, (void)context;
    char name[NAME_BYTES];
    bool is_known = find_name(name, cause->si_addr);
    say(begin, sizeof begin - 1);
    say(is_known ? name : nameless, is_known ? strlen(name) : sizeof nameless - 1);
    say(end, sizeof end - 1);
    _exit(EXIT_FAILED);
}

void hn_mapped_files_guard(void)
{
    struct sigaction action = {.sa_sigaction = tell_and_end, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, NULL); /* it fails for signals alone that there are not */
}
