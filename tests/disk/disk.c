/* tests/disk/disk.c - a library that is preloaded into a broker: it stands between the
 * broker and the disk, records what changes there, and fails on command.
 *
 * Each call of libc that can change a file, or its name, is defined here once more. One
 * lock makes the order of the journal the order of the changes. */
#include "disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

/* The next definition of a function: the sanitizer's, or libc's. */
#define REAL(name) ((__typeof__(&name))real_of(#name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_len;
static unsigned sync_us_max;
static bool sync_is_fake;

static void *real_of(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void begin(void)
{
    const char *wanted = getenv("SLUICE_DISK_ROOT");
    const char *journal = getenv("SLUICE_DISK_JOURNAL");
    const char *faults = getenv("SLUICE_DISK_FAULTS");
    const char *us = getenv("SLUICE_DISK_SYNC_US");
    if (us != NULL) {
        sync_is_fake = true;
        sscanf(us, "%u", &sync_us_max);
    }
    if (faults != NULL) {
        faults_open(faults);
    }
    if (journal != NULL) {
        journal_open(journal);
    }
    if (wanted != NULL && strlen(wanted) < sizeof root) {
        root_len = strlen(wanted);
        memcpy(root, wanted, root_len + 1);
    }
    journal_put(DISK_START, 0, 0, NULL, NULL, NULL, 0);
}

static bool is_below(const char *path)
{
    return root_len > 0 && strncmp(path, root, root_len) == 0 &&
           (path[root_len] == '/' || path[root_len] == '\0');
}

/* The path of an open file that counts. */
static bool path_of(int fd, char path[PATH_MAX])
{
    char link[32];
    if (root_len == 0) {
        return false;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, PATH_MAX - 1);
    if (len <= 0) {
        return false;
    }
    path[len] = '\0';
    return is_below(path);
}

static uint64_t inode_of(int fd)
{
    struct stat about;
    return fstat(fd, &about) == 0 ? about.st_ino : 0;
}

static int fail(int fault)
{
    errno = fault;
    return -1;
}

/* ---- Data ------------------------------------------------------------------------ */

/* Records what has been written: `pieces` up to `len` bytes. */
static void note_write(int fd, const struct iovec *pieces, size_t len, int64_t offset)
{
    uint64_t inode = inode_of(fd);
    for (size_t i = 0; journal_is_open() && len > 0; i++) {
        size_t piece = pieces[i].iov_len < len ? pieces[i].iov_len : len;
        journal_put(DISK_WRITE, inode, offset, NULL, NULL, pieces[i].iov_base, piece);
        offset += (int64_t)piece;
        len -= piece;
    }
}

/* `offset` -1: at the file's own position. */
static ssize_t write_some(int fd, const struct iovec *pieces, int count, int64_t offset)
{
    char path[PATH_MAX];
    if (!path_of(fd, path)) {
        return offset < 0 ? REAL(writev)(fd, pieces, count)
                          : REAL(pwritev64)(fd, pieces, count, offset);
    }
    pthread_mutex_lock(&lock);
    size_t wanted = 0;
    for (int i = 0; i < count; i++) {
        wanted += pieces[i].iov_len;
    }
    size_t len = wanted;
    int fault = faults_meet(DISK_CALL_WRITE, path, &len);
    int64_t at = offset < 0 ? lseek(fd, 0, SEEK_CUR) : offset;
    size_t done = 0;
    ssize_t put = 0;
    for (int i = 0; i < count && done < len && put >= 0; i++) {
        size_t piece = pieces[i].iov_len < len - done ? pieces[i].iov_len : len - done;
        put = REAL(pwrite64)(fd, pieces[i].iov_base, piece, at + (int64_t)done);
        done += put > 0 ? (size_t)put : 0;
    }
    if (offset < 0) {
        lseek(fd, at + (int64_t)done, SEEK_SET);
    }
    note_write(fd, pieces, done, at);
    pthread_mutex_unlock(&lock);
    if (done > 0 || wanted == 0) {
        return (ssize_t)done;
    }
    return fault != 0 ? fail(fault) : -1;
}

PUBLIC ssize_t write(int fd, const void *base, size_t len)
{
    struct iovec piece = {(void *)base, len};
    return write_some(fd, &piece, 1, -1);
}

PUBLIC ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return write_some(fd, pieces, count, -1);
}

PUBLIC ssize_t pwrite64(int fd, const void *base, size_t len, off64_t offset)
{
    struct iovec piece = {(void *)base, len};
    return write_some(fd, &piece, 1, offset);
}

PUBLIC ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset)
{
    return write_some(fd, pieces, count, offset);
}

PUBLIC int ftruncate64(int fd, off64_t size)
{
    char path[PATH_MAX];
    if (!path_of(fd, path)) {
        return REAL(ftruncate64)(fd, size);
    }
    pthread_mutex_lock(&lock);
    int fault = faults_meet(DISK_CALL_CUT, path, NULL);
    int outcome = fault != 0 ? fail(fault) : REAL(ftruncate64)(fd, size);
    if (outcome == 0) {
        journal_put(DISK_CUT, inode_of(fd), size, NULL, NULL, NULL, 0);
    }
    int code = errno;
    pthread_mutex_unlock(&lock);
    errno = code;
    return outcome;
}

/* ---- Reading --------------------------------------------------------------------- */

static int meet_read(int fd)
{
    char path[PATH_MAX];
    if (!path_of(fd, path)) {
        return 0;
    }
    pthread_mutex_lock(&lock);
    int fault = faults_meet(DISK_CALL_READ, path, NULL);
    pthread_mutex_unlock(&lock);
    return fault;
}

PUBLIC ssize_t pread64(int fd, void *base, size_t len, off64_t offset)
{
    int fault = meet_read(fd);
    return fault != 0 ? fail(fault) : REAL(pread64)(fd, base, len, offset);
}

PUBLIC ssize_t sendfile64(int to, int from, off64_t *offset, size_t len)
{
    int fault = meet_read(from);
    return fault != 0 ? fail(fault) : REAL(sendfile64)(to, from, offset, len);
}

/* ---- Syncs ----------------------------------------------------------------------- */

static void take_a_while(void)
{
    static _Thread_local unsigned state;
    if (sync_us_max > 0) {
        state = state * 1103515245u + 12345u + (unsigned)(uintptr_t)&state;
        struct timespec wait = {0, (long)(state % sync_us_max) * 1000};
        nanosleep(&wait, NULL);
    }
}

typedef int sync_call(int fd);

static int sync_some(int fd, sync_call *really, disk_change type)
{
    char path[PATH_MAX];
    if (!path_of(fd, path)) {
        return really(fd);
    }
    pthread_mutex_lock(&lock);
    int fault = faults_meet(DISK_CALL_SYNC, path, NULL);
    uint64_t inode = inode_of(fd);
    uint32_t number = fault != 0 ? 0 : journal_put(type, inode, 0, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    if (fault != 0) {
        return fail(fault);
    }
    if (sync_is_fake) {
        take_a_while();
    } else if (really(fd) != 0) {
        return -1;
    }
    pthread_mutex_lock(&lock);
    journal_put(DISK_SYNCED, inode, number, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return 0;
}

PUBLIC int fsync(int fd)
{
    return sync_some(fd, REAL(fsync), DISK_SYNC);
}

PUBLIC int fdatasync(int fd)
{
    return sync_some(fd, REAL(fdatasync), DISK_SYNC);
}

PUBLIC int syncfs(int fd)
{
    return sync_some(fd, REAL(syncfs), DISK_SYNC_ALL);
}

/* ---- Names ----------------------------------------------------------------------- */

static int open_some(const char *path, int flags, mode_t mode)
{
    __typeof__(&open64) really = REAL(open64);
    bool changes = (flags & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR)) != 0;
    if (!changes || !is_below(path)) {
        return really(path, flags, mode);
    }
    pthread_mutex_lock(&lock);
    int fault = faults_meet(DISK_CALL_OPEN, path, NULL);
    bool there = access(path, F_OK) == 0;
    int fd = fault != 0 ? fail(fault) : really(path, flags, mode);
    int code = errno;
    if (fd >= 0 && !there) {
        journal_put(DISK_CREATE, inode_of(fd), 0, path, NULL, NULL, 0);
    } else if (fd >= 0 && (flags & O_TRUNC) != 0) {
        journal_put(DISK_CUT, inode_of(fd), 0, NULL, NULL, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = code;
    return fd;
}

PUBLIC int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_some(path, flags, mode);
}

/* Records a change of names that has worked. */
static int end_name(int outcome, disk_change type, const char *path, const char *path2)
{
    int code = errno;
    struct stat about = {0};
    if (outcome == 0 && type == DISK_FOLDER) {
        stat(path, &about);
    }
    if (outcome == 0) {
        journal_put(type, about.st_ino, 0, path, path2, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = code;
    return outcome;
}

/* Takes the lock, which end_name() gives back. */
static int begin_name(const char *path)
{
    pthread_mutex_lock(&lock);
    return faults_meet(DISK_CALL_NAME, path, NULL);
}

PUBLIC int mkdir(const char *path, mode_t mode)
{
    if (!is_below(path)) {
        return REAL(mkdir)(path, mode);
    }
    int fault = begin_name(path);
    return end_name(fault != 0 ? fail(fault) : REAL(mkdir)(path, mode), DISK_FOLDER,
                    path, NULL);
}

PUBLIC int rename(const char *from, const char *to)
{
    if (!is_below(from)) {
        return REAL(rename)(from, to);
    }
    int fault = begin_name(from);
    return end_name(fault != 0 ? fail(fault) : REAL(rename)(from, to), DISK_RENAME,
                    from, to);
}

PUBLIC int link(const char *from, const char *to)
{
    if (!is_below(from)) {
        return REAL(link)(from, to);
    }
    int fault = begin_name(to);
    return end_name(fault != 0 ? fail(fault) : REAL(link)(from, to), DISK_LINK, from,
                    to);
}

PUBLIC int unlink(const char *path)
{
    if (!is_below(path)) {
        return REAL(unlink)(path);
    }
    int fault = begin_name(path);
    return end_name(fault != 0 ? fail(fault) : REAL(unlink)(path), DISK_UNLINK, path,
                    NULL);
}

PUBLIC int rmdir(const char *path)
{
    if (!is_below(path)) {
        return REAL(rmdir)(path);
    }
    int fault = begin_name(path);
    return end_name(fault != 0 ? fail(fault) : REAL(rmdir)(path), DISK_RMDIR, path,
                    NULL);
}

PUBLIC int unlinkat(int folder, const char *name, int flags)
{
    char path[PATH_MAX], whole[PATH_MAX + NAME_MAX + 2];
    if (!path_of(folder, path)) {
        return REAL(unlinkat)(folder, name, flags);
    }
    snprintf(whole, sizeof whole, "%s/%s", path, name);
    int fault = begin_name(whole);
    return end_name(fault != 0 ? fail(fault) : REAL(unlinkat)(folder, name, flags),
                    (flags & AT_REMOVEDIR) != 0 ? DISK_RMDIR : DISK_UNLINK, whole,
                    NULL);
}
