/* connectors/file/output.c - a 256 KiB buffer in front of an append-only file. */
#include "output.h"

#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    ROOM = 256 * 1024,
    LARGE = 16 * 1024, /* From here on a copy costs more than an iovec. */
    TAIL = 64 * 1024,  /* What is looked at in one go for the end of a line. */
};

static const char *output_name(const output *self)
{
    return self->path == NULL ? "standard output" : self->path;
}

static bool output_is_locked(const output *self)
{
    return self->path != NULL && flock(self->fd, LOCK_EX) == 0;
}

static void output_unlock(const output *self, bool is_locked)
{
    if (is_locked) {
        flock(self->fd, LOCK_UN);
    }
}

/* --- What a crash left. --- */

/* Where the last whole line of the first `size` bytes ends; -1 where they cannot be
 * read. */
static off_t whole_lines_end(int fd, off_t size)
{
    char tail[TAIL];
    while (size > 0) {
        size_t len = size < TAIL ? (size_t)size : TAIL;
        if (pread(fd, tail, len, size - (off_t)len) != (ssize_t)len) {
            return -1;
        }
        const char *found = memrchr(tail, '\n', len);
        if (found != NULL) {
            return size - (off_t)len + (found - tail) + 1;
        }
        size -= (off_t)len;
    }
    return 0;
}

/* Whether a sink has had this file before: it leaves a mark, where the file system
 * keeps marks. Sets the mark. */
static bool output_was_ours(const output *self)
{
    static const char mark[] = "user.sluice.file-sink";
    char value;
    bool ours = fgetxattr(self->fd, mark, &value, sizeof value) > 0;
    if (!ours) {
        fsetxattr(self->fd, mark, "1", 1, 0);
    }
    return ours;
}

/* An unfinished line at the end. One of ours was not committed, so its record comes
 * again: it is cut off. Anybody else's is ended, and stays. */
static void output_mend(output *self)
{
    struct stat status;
    bool is_locked = output_is_locked(self);
    bool ours = output_was_ours(self);
    off_t end = -1;
    if (fstat(self->fd, &status) == 0 && S_ISREG(status.st_mode)) {
        end = whole_lines_end(self->fd, status.st_size);
    }
    if (end >= 0 && end < status.st_size) {
        bool mended =
            ours ? ftruncate(self->fd, end) == 0 : write(self->fd, "\n", 1) == 1;
        sluice_log(SLUICE_WARN, FILE_LOGGER,
                   "file '%s' ended in the middle of a line%s bytes=%lld", self->path,
                   !mended ? ", and cannot be mended"
                   : ours
                       ? ", as a crash leaves it: that part is taken out, the whole "
                         "line comes again"
                       : " that is not from here: it is ended, records begin behind it",
                   (long long)(status.st_size - end));
    }
    output_unlock(self, is_locked);
}

/* --- Begin and end. --- */

static int open_to_append(const char *path)
{
    int flags = O_CREAT | O_APPEND | O_CLOEXEC;
    int fd = open(path, flags | O_RDWR, 0666);
    return fd < 0 && errno == EACCES ? open(path, flags | O_WRONLY, 0666) : fd;
}

/* Begins with the file of the path, which was opened as `fd`. */
static void output_take(output *self, int fd)
{
    self->fd = fd;
    self->is_named_for_good = false;
    output_mend(self);
}

static sluice_status output_open(output *self, sluice_error *err)
{
    if (self->path == NULL) {
        self->fd = STDOUT_FILENO;
        return SLUICE_OK;
    }
    int fd = open_to_append(self->path);
    if (fd < 0) {
        return sluice_fail(
            err, SLUICE_FATAL,
            "Couldn't find or create file '%s' for FileStreamSinkTask: %s", self->path,
            strerror(errno));
    }
    output_take(self, fd);
    return SLUICE_OK;
}

sluice_status output_init(output *self, const char *path, sluice_error *err)
{
    *self = (output){.path = path, .fd = -1, .base = malloc(ROOM)};
    if (self->base == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "memory is out");
    }
    sluice_status status = output_open(self, err);
    if (status != SLUICE_OK) {
        output_done(self);
    }
    return status;
}

void output_done(output *self)
{
    if (self->path != NULL && self->fd >= 0) {
        close(self->fd);
    }
    free(self->base);
    self->fd = -1;
    self->base = NULL;
}

void output_follow(output *self)
{
    struct stat own, named;
    if (self->path == NULL || fstat(self->fd, &own) != 0) {
        return;
    }
    bool is_there = stat(self->path, &named) == 0;
    if (is_there && own.st_dev == named.st_dev && own.st_ino == named.st_ino) {
        return;
    }
    const char *what = is_there ? "replaced" : "moved away";
    int fd = open_to_append(self->path);
    if (fd < 0) {
        sluice_log(
            SLUICE_WARN, FILE_LOGGER,
            "file '%s' was %s, and a new one cannot be made: %s; going on in the "
            "old one",
            self->path, what, strerror(errno));
        return;
    }
    sluice_log(SLUICE_INFO, FILE_LOGGER, "file '%s' was %s: writing to a new one",
               self->path, what);
    close(self->fd);
    output_take(self, fd);
}

/* --- Writing. --- */

/* Writes both pieces whole, however often the kernel takes a part only. */
static bool write_all(int fd, struct iovec *pieces, int count)
{
    while (count > 0) {
        ssize_t size = writev(fd, pieces, count);
        if (size < 0 && errno != EINTR) {
            return false;
        }
        size_t left = size < 0 ? 0 : (size_t)size;
        while (count > 0 && left >= pieces->iov_len) {
            left -= pieces->iov_len;
            pieces++;
            count--;
        }
        if (count > 0) {
            pieces->iov_base = (char *)pieces->iov_base + left;
            pieces->iov_len -= left;
        }
    }
    return true;
}

/* Writes what was collected and then `large`, or nothing of both. */
static sluice_status output_write_with(output *self, const void *large, size_t len,
                                       sluice_error *err)
{
    struct iovec pieces[] = {
        {self->base, self->len}, {(void *)large, len}, {"\n", large == NULL ? 0 : 1}};
    struct stat before;
    bool is_locked = output_is_locked(self);
    bool is_regular =
        self->path != NULL && fstat(self->fd, &before) == 0 && S_ISREG(before.st_mode);
    sluice_status status = SLUICE_OK;
    if (!write_all(self->fd, pieces, 3)) {
        status = sluice_fail(err, SLUICE_RETRY, "cannot write to '%s': %s",
                             output_name(self), strerror(errno));
        if (is_regular && is_locked && ftruncate(self->fd, before.st_size) != 0) {
            sluice_prefix(err, "the file keeps a part of a line");
        }
    }
    output_unlock(self, is_locked);
    self->len = 0;
    return status;
}

sluice_status output_write(output *self, sluice_error *err)
{
    return self->len == 0 ? SLUICE_OK : output_write_with(self, NULL, 0, err);
}

sluice_status output_line(output *self, const void *base, size_t len, sluice_error *err)
{
    if (len >= LARGE) {
        return output_write_with(self, base, len, err);
    }
    if (self->len + len + 1 > ROOM) {
        sluice_status status = output_write(self, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    memcpy(self->base + self->len, base, len);
    self->base[self->len + len] = '\n';
    self->len += len + 1;
    return SLUICE_OK;
}

/* Makes the name of a file durable, without which a new one is gone after a power
 * failure. A folder that may not be opened is left to the kernel. */
static bool sync_name(const char *path)
{
    char *real = realpath(path, NULL);
    char *slash = real == NULL ? NULL : strrchr(real, '/');
    if (slash == NULL) {
        free(real);
        return true;
    }
    slash[slash == real ? 1 : 0] = '\0';
    int folder = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = folder < 0 || fsync(folder) == 0 || errno == EINVAL;
    if (folder >= 0) {
        close(folder);
    }
    free(real);
    return is_synced;
}

sluice_status output_sync(output *self, sluice_error *err)
{
    if (self->path == NULL) {
        return SLUICE_OK;
    }
    /* EINVAL: a pipe or a device, which keeps nothing. */
    bool is_synced = fdatasync(self->fd) == 0 || errno == EINVAL;
    if (!is_synced || (!self->is_named_for_good && !sync_name(self->path))) {
        return sluice_fail(err, SLUICE_RETRY, "cannot make file '%s' durable: %s",
                           self->path, strerror(errno));
    }
    self->is_named_for_good = true;
    return SLUICE_OK;
}

void output_forget(output *self)
{
    self->len = 0;
}
