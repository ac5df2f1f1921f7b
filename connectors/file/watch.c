/* connectors/file/watch.c - one inotify instance for a file and its folder. */
#include "watch.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Kafka Connect's own pause between looks. */
enum { LOOK_MS = 1000 };

/* Magic numbers that linux/magic.h lacks: from the file systems' sources. */
#define CIFS_MAGIC 0xff534d42u
#define SMB2_MAGIC 0xfe534d42u
#define CEPH_MAGIC 0x00c36400u

/* The instance that was let go last, or -1. Closing one that has watched anything waits
 * for all the kernel's readers of watches, 8 to 24 ms, and ending a process does so
 * too; taking its watches away does not. So a task that stops leaves it to the next
 * one. */
static atomic_int spare = -1;

static int take_instance(void)
{
    int fd = atomic_exchange(&spare, -1);
    return fd >= 0 ? fd : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

static void leave_instance(const watch *self)
{
    int none = -1;
    inotify_rm_watch(self->fd, self->parent);
    inotify_rm_watch(self->fd, self->file);
    if (!atomic_compare_exchange_strong(&spare, &none, self->fd)) {
        close(self->fd);
    }
}

void watch_init(watch *self, const char *path)
{
    const char *slash = strrchr(path, '/');
    *self = (watch){.path = path, .file = -1, .parent = -1};
    self->folder = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    self->fd = take_instance();
}

void watch_done(watch *self)
{
    free(self->folder);
    if (self->fd >= 0) {
        leave_instance(self);
    }
}

/* Whether others may change the file without this machine's kernel knowing. */
static bool is_remote(const char *folder)
{
    struct statfs system;
    if (statfs(folder, &system) != 0) {
        return true;
    }
    switch ((unsigned)system.f_type) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case CIFS_MAGIC:
    case SMB2_MAGIC:
    case CEPH_MAGIC:
    case V9FS_MAGIC:
    case FUSE_SUPER_MAGIC:
        return true;
    default:
        return false;
    }
}

static void forget_news(int fd)
{
    char events[4096];
    while (read(fd, events, sizeof events) > 0) {
    }
}

/* Adding a watch again is free and gives the same number, unless the path names
 * another file by now: then the old one's watch is dropped. */
static int watch_again(int fd, int old, const char *path, uint32_t events)
{
    int new = inotify_add_watch(fd, path, events);
    if (old >= 0 && old != new) {
        inotify_rm_watch(fd, old);
    }
    return new;
}

int watch_arm(watch *self)
{
    if (self->fd < 0 || self->folder == NULL) {
        return LOOK_MS;
    }
    forget_news(self->fd);
    self->parent = watch_again(self->fd, self->parent, self->folder,
                               IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF);
    self->file = watch_again(self->fd, self->file, self->path,
                             IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
    bool is_missing = self->file < 0 && errno == ENOENT;
    if (self->parent < 0 || (self->file < 0 && !is_missing)) {
        return LOOK_MS;
    }
    return is_remote(self->folder) ? LOOK_MS : -1;
}
