#include "pipeline/cli/stats_client.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 64 * 1024, PATH_BYTES = 256 };

/* A connection to the socket at `path`; negative when nobody answers there. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = 5};
    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    return fd;
}

/* Looks where DPDK puts its sockets: the first match of root's and the user's runtime folders. */
static bool find_socket(char path[PATH_BYTES], const char *name)
{
    char patterns[3][PATH_BYTES];
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    snprintf(patterns[0], PATH_BYTES, "/var/run/dpdk/%s/dpdk_telemetry.v2", name);
    snprintf(patterns[1], PATH_BYTES, "%s/dpdk/%s/dpdk_telemetry.v2", runtime != NULL ? runtime : "/run",
             name);
    snprintf(patterns[2], PATH_BYTES, "/tmp/dpdk/%s/dpdk_telemetry.v2", name);
    for (size_t i = 0; i < 3; i++) {
        glob_t found;
        if (glob(patterns[i], 0, NULL, &found) == 0) {
            /* Sockets of ended nodes stay behind: take one that answers. */
            for (size_t j = 0; j < found.gl_pathc; j++) {
                int fd = connect_to(found.gl_pathv[j]);
                bool answers = fd >= 0;
                if (answers)
                    close(fd);
                if (answers) {
                    snprintf(path, PATH_BYTES, "%s", found.gl_pathv[j]);
                    globfree(&found);
                    return true;
                }
            }
            globfree(&found);
        }
    }
    return false;
}

int hn_stats_connect(const char *name)
{
    static char greeting[ANSWER_BYTES_MAX]; /* version and process id, sent unasked */
    char path[PATH_BYTES];
    int fd = find_socket(path, name) ? connect_to(path) : -1;
    if (fd >= 0 && recv(fd, greeting, sizeof greeting, 0) <= 0) {
        close(fd);
        return -1;
    }
    return fd;
}

json_t *hn_stats_ask(int fd, const char *command)
{
    static char answer[ANSWER_BYTES_MAX];
    ssize_t size = send(fd, command, strlen(command), 0) < 0 ? -1 : recv(fd, answer, sizeof answer, 0);
    json_error_t error;
    return size > 0 ? json_loadb(answer, (size_t)size, 0, &error) : NULL;
}
