/* Chains of certificates as files in memory. */
#include "worker/host/client_chain.h"
#include "base/map.h"
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static map files = MAP_INIT; /* From a chain to its descriptor plus one. */

bool client_chain_has_more(const char *pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE";
    const char *first = strstr(pem, begin);
    return first != NULL && strstr(first + 1, begin) != NULL;
}

static int file_with(const char *pem)
{
    size_t len = strlen(pem), done = 0;
    int fd = memfd_create("ssl.keystore", MFD_CLOEXEC);
    while (fd >= 0 && done < len) {
        ssize_t written = write(fd, pem + done, len - done);
        if (written < 0 && errno != EINTR) {
            int reason = errno;
            close(fd);
            errno = reason;
            return -1;
        }
        done += written < 0 ? 0 : (size_t)written;
    }
    return fd;
}

bool client_chain_path(const char *pem, char *out, size_t size)
{
    pthread_mutex_lock(&lock);
    uintptr_t known = (uintptr_t)map_get_text(&files, pem);
    int fd = known == 0 ? file_with(pem) : (int)(known - 1);
    if (known == 0 && fd >= 0) {
        map_put_text(&files, pem, (void *)((uintptr_t)fd + 1));
    }
    pthread_mutex_unlock(&lock);
    snprintf(out, size, "/proc/self/fd/%d", fd);
    return fd >= 0;
}
