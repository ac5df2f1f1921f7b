/* connectors/file/trail.c - the file of the name, the one that was left in the middle,
 * or one that came between them. */
#include "trail.h"

#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void trail_init(trail *self, const char *name)
{
    bool is_stdin = name == NULL;
    *self = (trail){.name = is_stdin ? "standard input" : name,
                    .age = file_age_at(identity_now()),
                    .file = {.fd = is_stdin ? STDIN_FILENO : -1},
                    .is_stream = is_stdin};
}

void trail_done(trail *self)
{
    if (self->file.fd != STDIN_FILENO) {
        opened_file_close(&self->file);
    }
}

const char *trail_path(const trail *self)
{
    return self->file.path != NULL ? self->file.path : self->name;
}

/* --- Opening. --- */

/* Goes on in `file`, which is taken, at `position`, and which is read since `since`. */
static void trail_take(trail *self, opened_file file, int64_t position, int64_t since)
{
    struct stat status;
    self->file = file;
    self->is_left = self->is_stream = self->is_behind_gap = false;
    self->position = position;
    if (file.path == NULL && fstat(file.fd, &status) == 0 &&
        status.st_size < position) {
        sluice_log(SLUICE_WARN, FILE_LOGGER,
                   "file '%s' is shorter than the stored position: reading it from its "
                   "start size=%lld position=%lld",
                   self->name, (long long)status.st_size, (long long)position);
        self->position = 0;
    }
    tail_load(&self->tail, file.fd, self->position);
    self->is_untouched = self->position == 0 && file.path == NULL;
    self->is_news = self->is_untouched;
    identity_begin(&self->identity, file.fd, since);
    trail_note(self, self->position);
}

/* Goes on in a file that has lost the name. */
static void trail_take_old(trail *self, opened_file *named, opened_file old,
                           int64_t position, const char *why)
{
    opened_file_close(named);
    trail_take(self, old, position, identity_now());
    sluice_log(SLUICE_INFO, FILE_LOGGER,
               "file '%s' was rotated: reading '%s' first, %s position=%lld",
               self->name, trail_path(self), why, (long long)position);
}

/* The file of the name; `fd` is -1 where there is none. */
static sluice_status open_named(const char *name, opened_file *ret_file,
                                bool *ret_is_regular, sluice_error *err)
{
    struct stat status;
    /* A pipe opened for writing too never ends, whoever comes and goes. */
    bool is_pipe = stat(name, &status) == 0 && S_ISFIFO(status.st_mode);
    int flags = (is_pipe ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC;
    opened_file file = {.fd = open(name, flags)};
    *ret_file = (opened_file){.fd = -1};
    *ret_is_regular = true;
    if (file.fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return SLUICE_OK;
    }
    if (file.fd < 0 || fstat(file.fd, &status) != 0) {
        sluice_status failed = sluice_fail(
            err, SLUICE_RETRY, "cannot open file '%s': %s", name, strerror(errno));
        opened_file_close(&file);
        return failed;
    }
    if (S_ISDIR(status.st_mode)) {
        opened_file_close(&file);
        return sluice_fail(err, SLUICE_FATAL,
                           "cannot read '%s': it is a folder, and the key 'file' names "
                           "a file",
                           name);
    }
    *ret_is_regular = S_ISREG(status.st_mode);
    *ret_file = file;
    return SLUICE_OK;
}

static bool is_named(const identity *wanted, const opened_file *named)
{
    struct statx file;
    return named->fd >= 0 &&
           statx(named->fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &file) == 0 &&
           identity_is_file(wanted, &file);
}

/* The last file was read to its end: on to the one behind it. */
static sluice_status trail_go_on(trail *self, opened_file *named, sluice_error *err)
{
    if (is_named(&self->identity, named)) { /* It has got its name back. */
        trail_take(self, *named, self->position, self->identity.since);
        return SLUICE_OK;
    }
    opened_file between;
    file_age before = named->fd < 0 ? (file_age){0} : file_age_of(named->fd);
    sluice_status status =
        rotation_next(self->name, &self->age, &before, &between, err);
    if (status != SLUICE_OK) {
        opened_file_close(named);
    } else if (between.fd >= 0) {
        trail_take_old(self, named, between, 0, "which came in between");
    } else if (named->fd >= 0) {
        trail_take(self, *named, 0, identity_now());
    }
    return status;
}

/* The file that a position was stored for is nowhere. */
static void trail_lose(trail *self, bool is_cut)
{
    sluice_log(SLUICE_WARN, FILE_LOGGER,
               is_cut ? "file '%s' was truncated while nobody read it, and its folder "
                        "has no copy: lines that it had behind the position are "
                        "missing; reading it from its start position=%lld"
                      : "file '%s' was replaced while nobody read it, and the one that "
                        "was read is not in its folder any more: lines that it had "
                        "behind the position are missing; reading what came after it "
                        "position=%lld",
               self->name, (long long)self->position);
    /* Copies of a file that was cut are of a later time than its birth. */
    self->age = file_age_at(is_cut ? self->identity.since : self->identity.born);
    self->position = 0;
    self->is_left = true;
}

/* Finds the file in the middle of which reading ended. */
static sluice_status trail_resume(trail *self, opened_file *named, sluice_error *err)
{
    const identity *wanted = &self->identity;
    bool is_same = is_named(wanted, named);
    bool fits = named->fd >= 0 && identity_fits(wanted, named->fd);
    opened_file old = {.fd = -1};
    sluice_status status = SLUICE_OK;
    if (!is_same || !fits) {
        status = rotation_find(self->name, wanted, ROTATION_SAME, &old, err);
    }
    /* What is in the file of the name counts only where the very file is nowhere. */
    bool is_moved = !is_same && fits && wanted->head_len >= IDENTITY_STRONG;
    if (status == SLUICE_OK && old.fd < 0 && fits && (is_same || is_moved)) {
        self->age = file_age_at(wanted->since);
        trail_take(self, *named, self->position, wanted->since);
        return SLUICE_OK;
    }
    if (status == SLUICE_OK && old.fd < 0) {
        status = rotation_find(self->name, wanted, ROTATION_COPY, &old, err);
    }
    if (status != SLUICE_OK) {
        opened_file_close(named);
    } else if (old.fd >= 0) {
        trail_take_old(self, named, old, self->position, "the rest of which is new");
    } else if (named->fd >= 0 && is_same) {
        trail_lose(self, true);
        trail_take(self, *named, 0, identity_now());
        self->is_behind_gap = true;
    } else if (named->fd >= 0) {
        trail_lose(self, false);
        status = trail_go_on(self, named, err);
    }
    return status;
}

sluice_status trail_open(trail *self, sluice_error *err)
{
    opened_file named;
    bool is_regular;
    sluice_status status = open_named(self->name, &named, &is_regular, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (!is_regular) {
        self->file = named;
        self->is_stream = true;
        return SLUICE_OK;
    }
    if (self->is_left) {
        return trail_go_on(self, &named, err);
    }
    if (identity_is_known(&self->identity)) {
        return trail_resume(self, &named, err);
    }
    if (named.fd >= 0) {
        trail_take(self, named, self->position, identity_now());
    }
    return SLUICE_OK;
}

/* --- Reading. --- */

/* At the start of a file: passes over a hole, which a writer leaves that goes on at its
 * old position after a cut. Whether there is anything behind it. */
static bool trail_pass_hole(trail *self)
{
    struct stat status;
    off_t data = lseek(self->file.fd, 0, SEEK_DATA);
    bool is_hole = data < 0 && errno == ENXIO && fstat(self->file.fd, &status) == 0 &&
                   status.st_size > 0;
    if (data > 0) {
        self->position = data;
        self->is_behind_gap = true;
    }
    return !is_hole;
}

/* Takes NUL bytes of a gap away from the front of the `size` bytes that were read. */
static size_t trail_pass_gap(trail *self, char *bytes, size_t size)
{
    size_t gap = 0;
    while (gap < size && bytes[gap] == '\0') {
        gap++;
    }
    memmove(bytes, bytes + gap, size - gap);
    self->position += (int64_t)gap;
    if (gap < size) {
        self->is_behind_gap = false;
        if (self->position > 0) {
            sluice_log(SLUICE_WARN, FILE_LOGGER,
                       "file '%s' begins with NUL bytes, as a writer leaves that goes "
                       "on at its old position after the file was cut: passing over "
                       "them bytes=%lld",
                       trail_path(self), (long long)self->position);
        }
    }
    return size - gap;
}

static ssize_t read_stream(int fd, char *to, size_t room)
{
    ssize_t size;
    do {
        size = read(fd, to, room);
    } while (size < 0 && errno == EINTR);
    return size;
}

/* Right after the first bytes of a file were read, or none: it may have been cut before
 * that, and nothing of it was known. Then there is a copy, which is the next file to
 * read. Whether there is one. */
static bool trail_is_overtaken(trail *self)
{
    opened_file between;
    static const file_age any = {0};
    if (rotation_next(self->name, &self->age, &any, &between, NULL) != SLUICE_OK ||
        between.fd < 0) {
        return false;
    }
    trail_take_old(self, &self->file, between, 0, "which came in between");
    return true;
}

/* Reads from a regular file, without what nobody wrote. */
static ssize_t trail_read_file(trail *self, size_t unread, char *to, size_t room,
                               bool *ret_is_cut)
{
    ssize_t size, left;
    if (self->position + (int64_t)unread == 0 && !trail_pass_hole(self)) {
        return 0;
    }
    do {
        int64_t at = self->position + (int64_t)unread;
        left = size = tail_read(&self->tail, self->file.fd, at, to, room, ret_is_cut);
        if (size > 0 && self->is_behind_gap) {
            left = (ssize_t)trail_pass_gap(self, to, (size_t)size);
        }
    } while (size > 0 && left == 0);
    return left;
}

ssize_t trail_read(trail *self, size_t unread, char *to, size_t room, bool *ret_is_cut)
{
    *ret_is_cut = false;
    if (self->is_stream) {
        return read_stream(self->file.fd, to, room);
    }
    ssize_t size = trail_read_file(self, unread, to, room, ret_is_cut);
    if (self->is_untouched && size >= 0 && trail_is_overtaken(self)) {
        return 0;
    }
    self->is_untouched &= size == 0;
    return size;
}

void trail_note(trail *self, int64_t at)
{
    identity_note(&self->identity, self->file.fd, &self->tail, at);
}

/* --- What comes next. --- */

sluice_status trail_take_copy(trail *self, bool *ret_has_copy, sluice_error *err)
{
    opened_file copy;
    sluice_status status =
        rotation_find(self->name, &self->identity, ROTATION_COPY, &copy, err);
    *ret_has_copy = copy.fd >= 0;
    if (*ret_has_copy) {
        trail_take_old(self, &self->file, copy, self->position,
                       "a copy from before it was cut");
    }
    return status;
}

void trail_rewind(trail *self)
{
    sluice_log(SLUICE_WARN, FILE_LOGGER,
               "file '%s' was truncated: reading it from its start position=%lld",
               trail_path(self), (long long)self->position);
    trail_take(self, self->file, 0, identity_now());
    self->is_behind_gap = true;
}

static bool has_between(const trail *self, const file_age *before)
{
    opened_file between;
    file_age after = file_age_of(self->file.fd);
    bool is_there =
        rotation_next(self->name, &after, before, &between, NULL) != SLUICE_OK ||
        between.fd >= 0;
    opened_file_close(&between);
    return is_there;
}

trail_next trail_look_ahead(const trail *self)
{
    struct stat file, named;
    if (self->is_stream || fstat(self->file.fd, &file) != 0) {
        return TRAIL_NONE;
    }
    bool is_there = stat(self->name, &named) == 0;
    if (is_there && named.st_dev == file.st_dev && named.st_ino == file.st_ino) {
        return TRAIL_NONE;
    }
    if (is_there &&
        (file.st_nlink == 0 || !S_ISREG(named.st_mode) || named.st_size > 0)) {
        return TRAIL_READY;
    }
    file_age before = file_age_of_path(self->name);
    return has_between(self, &before) ? TRAIL_READY
           : is_there                 ? TRAIL_EMPTY
                                      : TRAIL_NONE;
}

bool trail_is_news(trail *self)
{
    bool is_news = self->is_news && self->position == 0 && !self->is_stream;
    self->is_news = false;
    return is_news;
}

void trail_leave(trail *self)
{
    self->age = file_age_of(self->file.fd);
    sluice_log(SLUICE_INFO, FILE_LOGGER,
               "file '%s' was replaced: reading what came after it bytes=%lld",
               trail_path(self), (long long)self->position);
    opened_file_close(&self->file);
    self->is_left = true;
}
