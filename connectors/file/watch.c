/* connectors/file/watch.c - one inotify instance for a file and its folder. */
#include "watch.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
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
    inotify_rm_watch(self->fd, self->named);
    inotify_rm_watch(self->fd, self->open);
    if (!atomic_compare_exchange_strong(&spare, &none, self->fd)) {
        close(self->fd);
    }
}

static bool is_link(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

/* Whether a folder on the way is a link, which may lead elsewhere without any of the
 * folders here being changed. */
static bool has_links(const char *folder)
{
    char *part = strdup(folder);
    bool found = part == NULL || is_link(part);
    for (char *at = part; !found && at != NULL; at = strchr(at + 1, '/')) {
        if (at > part && *at == '/') {
            *at = '\0';
            found = is_link(part);
            *at = '/';
        }
    }
    free(part);
    return found;
}

void watch_init(watch *self, const char *path)
{
    const char *slash = strrchr(path, '/');
    *self = (watch){.path = path, .parent = -1, .named = -1, .open = -1};
    self->folder = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    self->has_links = self->folder != NULL && has_links(self->folder);
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
 * another file by now. */
static int watch_add(int fd, const char *path, uint32_t events, int *ret_errno)
{
    int number = inotify_add_watch(fd, path, events);
    *ret_errno = number < 0 ? errno : 0;
    return number;
}

static bool watch_has(const watch *self, int number)
{
    return number == self->parent || number == self->named || number == self->open;
}

static void watch_drop_old(const watch *self, const watch *old)
{
    int numbers[] = {old->parent, old->named, old->open};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i] >= 0 && !watch_has(self, numbers[i])) {
            inotify_rm_watch(self->fd, numbers[i]);
        }
    }
}

int watch_arm(watch *self, int open_file)
{
    static const uint32_t of_file =
        IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;
    char path[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
    int parent_fault, named_fault, open_fault = 0;
    if (self->fd < 0 || self->folder == NULL) {
        return LOOK_MS;
    }
    watch old = *self;
    forget_news(self->fd);
    self->parent = watch_add(self->fd, self->folder,
                             IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF,
                             &parent_fault);
    self->named = watch_add(self->fd, self->path, of_file, &named_fault);
    self->open = -1;
    if (open_file >= 0) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", open_file);
        self->open = watch_add(self->fd, path, of_file, &open_fault);
    }
    watch_drop_old(self, &old);
    bool is_missing = named_fault == ENOENT;
    if (parent_fault != 0 || open_fault != 0 || (named_fault != 0 && !is_missing)) {
        return LOOK_MS;
    }
    return self->has_links || is_link(self->path) || is_remote(self->folder) ? LOOK_MS
                                                                             : -1;
}
