/* broker/log/file.c - small files written whole, reads that are complete. */
#include "broker/log/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static sluice_status fail_errno(sluice_error *err, const char *path, const char *verb)
{
    return sluice_fail(err, SLUICE_FATAL, "cannot %s '%s': %s", verb, path,
                       strerror(errno));
}

int64_t file_read_at(int fd, void *ret_bytes, size_t len, int64_t position)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got =
            pread(fd, (char *)ret_bytes + done, len - done, position + (int64_t)done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        done += (size_t)got;
    }
    return (int64_t)done;
}

static sluice_status load_fd(int fd, const char *path, size_t size_max,
                             buffer *ret_content, sluice_error *err)
{
    struct stat about;
    if (fstat(fd, &about) != 0) {
        return fail_errno(err, path, "read");
    }
    if (about.st_size > (off_t)size_max) {
        return sluice_fail(err, SLUICE_FATAL,
                           "'%s' has %lld bytes: at most %zu expected", path,
                           (long long)about.st_size, size_max);
    }
    char *to = buffer_reserve(ret_content, (size_t)about.st_size + 1);
    int64_t got = file_read_at(fd, to, (size_t)about.st_size, 0);
    if (got < 0) {
        return fail_errno(err, path, "read");
    }
    buffer_advance(ret_content, (size_t)got);
    return SLUICE_OK;
}

sluice_status file_load(const char *path, size_t size_max, buffer *ret_content,
                        bool *ret_there, sluice_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *ret_there = fd >= 0;
    if (fd < 0) {
        return errno == ENOENT ? SLUICE_OK : fail_errno(err, path, "open");
    }
    sluice_status status = load_fd(fd, path, size_max, ret_content, err);
    close(fd);
    return status;
}

static bool write_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            at += put;
            len -= (size_t)put;
        }
    }
    return true;
}

static sluice_status sync_opened(const char *path, int flags, sluice_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0) {
        return fail_errno(err, path, "open");
    }
    sluice_status status = fsync(fd) == 0 ? SLUICE_OK : fail_errno(err, path, "sync");
    int fault = errno;
    close(fd);
    errno = fault;
    return status;
}

sluice_status file_sync(const char *path, sluice_error *err)
{
    return sync_opened(path, 0, err);
}

sluice_status file_sync_folder(const char *path, sluice_error *err)
{
    return sync_opened(path, O_DIRECTORY, err);
}

/* The folder that `path` lies in: the caller's. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL   ? memory_text(".")
           : slash == path ? memory_text("/")
                           : memory_copy(path, (size_t)(slash - path));
}

static sluice_status sync_folder_of(const char *path, sluice_error *err)
{
    char *folder = folder_of(path);
    sluice_status status = file_sync_folder(folder, err);
    free(folder);
    return status;
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

sluice_status file_make_folders(const char *path, sluice_error *err)
{
    if (is_folder(path)) {
        return SLUICE_OK;
    }
    int outcome = mkdir(path, 0755);
    if (outcome != 0 && errno == ENOENT && strchr(path, '/') != NULL) {
        char *parent = folder_of(path);
        sluice_status status = file_make_folders(parent, err);
        free(parent);
        if (status != SLUICE_OK) {
            return status;
        }
        outcome = mkdir(path, 0755);
    }
    int fault = errno;
    if (outcome == 0 || is_folder(path)) {
        return sync_folder_of(path, err);
    }
    errno = fault;
    return fail_errno(err, path, "make");
}

sluice_status file_replace(const char *path, const void *base, size_t len, bool durable,
                           sluice_error *err)
{
    char *temporary = memory_print("%s.tmp", path);
    sluice_status status = SLUICE_OK;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || !write_all(fd, base, len) || (durable && fsync(fd) != 0)) {
        status = fail_errno(err, temporary, "write");
    }
    if (fd >= 0 && close(fd) != 0 && status == SLUICE_OK) {
        status = fail_errno(err, temporary, "write");
    }
    if (status == SLUICE_OK && rename(temporary, path) != 0) {
        status = fail_errno(err, path, "replace");
    }
    free(temporary);
    return status == SLUICE_OK && durable ? sync_folder_of(path, err) : status;
}

char *file_path(const char *folder, const char *name)
{
    return memory_print("%s/%s", folder, name);
}

sluice_status file_remove_folder(const char *path, sluice_error *err)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return errno == ENOENT ? SLUICE_OK : fail_errno(err, path, "open");
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    closedir(folder);
    return rmdir(path) == 0 || errno == ENOENT ? SLUICE_OK
                                               : fail_errno(err, path, "remove");
}
