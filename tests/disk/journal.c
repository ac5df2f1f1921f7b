/* tests/disk/journal.c - changes below the root, one behind the other in a file. */
#include "disk.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int journal_fd = -1;
static uint32_t journal_count;

void journal_open(const char *path)
{
    journal_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

bool journal_is_open(void)
{
    return journal_fd >= 0;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t journal_put(disk_change type, uint64_t inode, int64_t offset, const char *path,
                     const char *path2, const void *data, size_t len)
{
    if (journal_fd < 0) {
        return 0;
    }
    disk_record head = {.type = (uint8_t)type,
                        .path_len = (uint16_t)(path == NULL ? 0 : strlen(path)),
                        .path2_len = (uint16_t)(path2 == NULL ? 0 : strlen(path2)),
                        .data_len = (uint32_t)len,
                        .number = ++journal_count,
                        .inode = inode,
                        .offset = offset,
                        .time_ns = now_ns()};
    struct iovec pieces[] = {{&head, sizeof head},
                             {(void *)path, head.path_len},
                             {(void *)path2, head.path2_len},
                             {(void *)data, len}};
    /* One call, and not the interposed one: a process that is killed leaves a whole
     * record or none. */
    if (syscall(SYS_writev, journal_fd, pieces, 4) < 0) {
        journal_fd = -1;
    }
    if (faults_die()) {
        kill(getpid(), SIGKILL);
    }
    return head.number;
}
