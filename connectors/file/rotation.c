/* connectors/file/rotation.c - a look through the folder, as often as it changes
 * meanwhile. */
#include "rotation.h"

#include "file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NANOSECONDS = 1000000000,
    LOOKS_MAX = 5,    /* At a folder that somebody changes all the time. */
    NUMBER_LEN = 6,   /* Longer ones are dates. */
    DATE_LEN_MIN = 6, /* "app-2.log" may be another program's, "app-202611.log" not. */
};

void opened_file_close(opened_file *self)
{
    if (self->fd >= 0) {
        close(self->fd);
    }
    free(self->path);
    *self = (opened_file){.fd = -1};
}

/* --- Names. --- */

static bool is_counter(const char *text, size_t len, size_t digits_min)
{
    size_t digits = 0;
    if (len == 0 || memchr(".-_", text[0], 3) == NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (!is_digit && memchr(".-_:TZ", text[i], 6) == NULL) {
            return false;
        }
        digits += is_digit;
    }
    return digits >= digits_min;
}

/* What a rotation added to the base name, behind it or before its extension; NULL:
 * nothing of that kind. */
static const char *counter_of(const char *base, const char *name, size_t *ret_len)
{
    size_t base_len = strlen(base), len = strlen(name);
    if (len > base_len && memcmp(name, base, base_len) == 0) {
        *ret_len = len - base_len;
        return is_counter(name + base_len, *ret_len, 1) ? name + base_len : NULL;
    }
    const char *extension = strrchr(base, '.');
    size_t stem_len = extension == NULL ? 0 : (size_t)(extension - base);
    if (stem_len == 0 || len <= base_len || memcmp(name, base, stem_len) != 0 ||
        strcmp(name + len - (base_len - stem_len), extension) != 0) {
        return NULL;
    }
    *ret_len = len - base_len;
    size_t digits_min = name[stem_len] == '.' ? 1 : DATE_LEN_MIN;
    return is_counter(name + stem_len, *ret_len, digits_min) ? name + stem_len : NULL;
}

bool rotation_is_name(const char *base, const char *name)
{
    size_t len, base_len = strlen(base);
    return counter_of(base, name, &len) != NULL ||
           (strncmp(name, base, base_len) == 0 && strcmp(name + base_len, ".old") == 0);
}

static int64_t number_of(const char *base, const char *name)
{
    size_t len;
    int64_t number = 0;
    const char *counter = counter_of(base, name, &len);
    if (counter == NULL || len > NUMBER_LEN) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if (counter[i] < '0' || counter[i] > '9') {
            return 0;
        }
        number = 10 * number + (counter[i] - '0');
    }
    return number;
}

/* --- Ages. --- */

static file_age age_of(const struct statx *file, int64_t number)
{
    return (file_age){.is_known = true,
                      .inode = file->stx_ino,
                      .born = identity_birth(file),
                      .modified = file->stx_mtime.tv_sec * NANOSECONDS +
                                  file->stx_mtime.tv_nsec,
                      .number = number};
}

static file_age age_at(int folder, const char *path, int flags)
{
    struct statx file;
    if (statx(folder, path, flags, STATX_BASIC_STATS | STATX_BTIME, &file) != 0) {
        return (file_age){0};
    }
    return age_of(&file, 0);
}

file_age file_age_of(int fd)
{
    return age_at(fd, "", AT_EMPTY_PATH);
}

file_age file_age_of_path(const char *path)
{
    return age_at(AT_FDCWD, path, 0);
}

file_age file_age_at(int64_t born)
{
    return (file_age){.is_known = born > 0, .born = born, .number = INT64_MAX};
}

static bool is_same_file(const file_age *one, const file_age *other)
{
    return one->inode == other->inode && one->born == other->born;
}

static int sign_of(int64_t one, int64_t other)
{
    return (one > other) - (one < other);
}

/* Below 0: `one` is the older one. Births have the grain of the kernel's clock tick, 4
 * ms: files of the same tick are told apart by their numbers. */
static int file_age_compare(const file_age *one, const file_age *other)
{
    bool have_births = one->born > 0 && other->born > 0;
    int by_birth = have_births ? sign_of(one->born, other->born) : 0;
    int by_change = sign_of(one->modified, other->modified);
    int by_number = sign_of(other->number, one->number);
    int first = have_births ? by_number : by_change;
    int second = have_births ? by_change : by_number;
    return by_birth != 0 ? by_birth : first != 0 ? first : second;
}

/* --- The folder. --- */

typedef struct sibling {
    char *path;
    file_age age;
    struct statx file;
} sibling;

typedef struct siblings {
    sibling *all;
    size_t count, room;
    bool has_changed; /* The folder, while it was listed. */
} siblings;

static void siblings_done(siblings *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->all[i].path);
    }
    free(self->all);
}

static void siblings_add(siblings *self, const char *folder, const char *name,
                         const struct statx *file, int64_t number)
{
    if (self->count == self->room) {
        size_t room = self->room == 0 ? 16 : 2 * self->room;
        sibling *all = realloc(self->all, room * sizeof *all);
        if (all == NULL) {
            return;
        }
        self->all = all;
        self->room = room;
    }
    size_t folder_len = strlen(folder), name_len = strlen(name);
    char *path = malloc(folder_len + name_len + 2);
    if (path == NULL) {
        return;
    }
    memcpy(path, folder, folder_len);
    path[folder_len] = '/';
    memcpy(path + folder_len + 1, name, name_len + 1);
    self->all[self->count++] =
        (sibling){.path = path, .age = age_of(file, number), .file = *file};
}

/* The entries that have inode `inode`, or a name that a rotation of `base` gives. */
static void siblings_list(siblings *self, const char *folder, const char *base,
                          uint64_t inode)
{
    struct stat before, after;
    struct dirent *entry;
    DIR *open_folder = opendir(folder);
    if (open_folder == NULL) {
        sluice_log(SLUICE_WARN, FILE_LOGGER,
                   "cannot list folder '%s' to see what became of a file: %s", folder,
                   strerror(errno));
        return;
    }
    int fd = dirfd(open_folder);
    bool is_known = fstat(fd, &before) == 0;
    while ((entry = readdir(open_folder)) != NULL) {
        struct statx file;
        if ((entry->d_ino == inode || rotation_is_name(base, entry->d_name)) &&
            strcmp(entry->d_name, base) != 0 &&
            statx(fd, entry->d_name, AT_SYMLINK_NOFOLLOW,
                  STATX_BASIC_STATS | STATX_BTIME, &file) == 0 &&
            S_ISREG(file.stx_mode)) {
            siblings_add(self, folder, entry->d_name, &file,
                         number_of(base, entry->d_name));
        }
    }
    self->has_changed |= is_known && fstat(fd, &after) == 0 &&
                         (before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
                          before.st_mtim.tv_nsec != after.st_mtim.tv_nsec);
    closedir(open_folder);
}

/* Lists the folder of `path`, which is changed by this and restored. */
static void siblings_list_beside(siblings *self, char *path, uint64_t inode)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        siblings_list(self, ".", path, inode);
        return;
    }
    *slash = '\0';
    siblings_list(self, slash == path ? "/" : path, slash + 1, inode);
    *slash = '/';
}

/* The folder of the name, and that of the file it leads to if it is a link. */
static void siblings_init(siblings *self, const char *path, uint64_t inode)
{
    char *named = strdup(path);
    char *real = realpath(path, NULL);
    struct stat status;
    *self = (siblings){0};
    if (named != NULL) {
        siblings_list_beside(self, named, inode);
    }
    if (real != NULL && lstat(path, &status) == 0 && S_ISLNK(status.st_mode)) {
        siblings_list_beside(self, real, inode);
    }
    free(named);
    free(real);
}

/* Opens one that was listed; `*ret_fd` is -1 if its name is another's by now. */
static sluice_status sibling_open(const sibling *self, int *ret_fd, sluice_error *err)
{
    int fd = open(self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    *ret_fd = -1;
    if (fd < 0) {
        return errno == ENOENT
                   ? SLUICE_OK
                   : sluice_fail(err, SLUICE_RETRY,
                                 "cannot open file '%s', which has the lines from "
                                 "before a rotation: %s",
                                 self->path, strerror(errno));
    }
    file_age age = file_age_of(fd);
    if (is_same_file(&age, &self->age)) {
        *ret_fd = fd;
    } else {
        close(fd);
    }
    return SLUICE_OK;
}

/* --- Looking. --- */

/* Opens `self` if it is what was wanted, else `*ret_fd` is -1. A copy that nobody may
 * read is none. */
static sluice_status sibling_open_if(const sibling *self, const identity *wanted,
                                     rotation_match match, int *ret_fd,
                                     sluice_error *err)
{
    *ret_fd = -1;
    bool has_content = wanted->head_len > 0;
    if (identity_is_file(wanted, &self->file) != (match == ROTATION_SAME) ||
        (match == ROTATION_COPY && !has_content)) {
        return SLUICE_OK;
    }
    sluice_status status = sibling_open(self, ret_fd, err);
    if (*ret_fd >= 0 && !identity_fits(wanted, *ret_fd)) {
        close(*ret_fd);
        *ret_fd = -1;
    }
    return match == ROTATION_COPY ? SLUICE_OK : status;
}

/* Of several copies the youngest: older ones may be of an earlier time when the file
 * had the same beginning. */
static sluice_status siblings_open_match(const siblings *self, const identity *wanted,
                                         rotation_match match, opened_file *ret_file,
                                         sluice_error *err)
{
    const sibling *found = NULL;
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < self->count && status == SLUICE_OK; i++) {
        const sibling *each = &self->all[i];
        int fd = -1;
        if (found == NULL || file_age_compare(&found->age, &each->age) < 0) {
            status = sibling_open_if(each, wanted, match, &fd, err);
        }
        if (fd >= 0) {
            opened_file_close(ret_file);
            *ret_file = (opened_file){.fd = fd, .path = strdup(each->path)};
            found = each;
        }
    }
    return status;
}

sluice_status rotation_find(const char *path, const identity *wanted,
                            rotation_match match, opened_file *ret_file,
                            sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    bool is_again = true;
    *ret_file = (opened_file){.fd = -1};
    for (int looks = 0; is_again && looks < LOOKS_MAX; looks++) {
        siblings all;
        siblings_init(&all, path, wanted->inode);
        status = siblings_open_match(&all, wanted, match, ret_file, err);
        is_again = status == SLUICE_OK && ret_file->fd < 0 && all.has_changed;
        siblings_done(&all);
    }
    if (status != SLUICE_OK) {
        opened_file_close(ret_file);
    }
    return status;
}

/* The number that the file of `age` has now; `otherwise`: it is not here. */
static file_age age_with_number(const siblings *self, file_age age, int64_t otherwise)
{
    age.number = otherwise;
    for (size_t i = 0; i < self->count; i++) {
        if (is_same_file(&self->all[i].age, &age)) {
            age.number = self->all[i].age.number;
        }
    }
    return age;
}

/* Whether `self` is younger than `after` and older than `before`, if that is known. */
static bool sibling_is_between(const sibling *self, const file_age *after,
                               const file_age *before)
{
    bool is_comparable = (self->age.born > 0) == (after->born > 0);
    return is_comparable && !is_same_file(&self->age, after) &&
           file_age_compare(after, &self->age) < 0 &&
           (!before->is_known || (!is_same_file(&self->age, before) &&
                                  file_age_compare(&self->age, before) < 0));
}

static const sibling *siblings_next(const siblings *self, const file_age *last,
                                    const file_age *before)
{
    const sibling *found = NULL;
    /* One that is gone from here is the oldest of its tick, the one of the name the
     * youngest. */
    file_age after = age_with_number(self, *last, INT64_MAX);
    file_age until = age_with_number(self, *before, 0);
    /* Copies are younger than the file of the name, from which they were made. */
    bool are_copies = until.born > 0 && until.born <= after.born;
    until.is_known &= !are_copies && file_age_compare(&after, &until) < 0;
    for (size_t i = 0; i < self->count; i++) {
        const sibling *each = &self->all[i];
        if (sibling_is_between(each, &after, &until) &&
            (found == NULL || file_age_compare(&each->age, &found->age) < 0)) {
            found = each;
        }
    }
    return found;
}

sluice_status rotation_next(const char *path, const file_age *after,
                            const file_age *before, opened_file *ret_file,
                            sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    bool is_again = after->is_known;
    *ret_file = (opened_file){.fd = -1};
    for (int looks = 0; is_again && looks < LOOKS_MAX; looks++) {
        siblings all;
        siblings_init(&all, path, after->inode);
        const sibling *found = siblings_next(&all, after, before);
        if (found != NULL) {
            status = sibling_open(found, &ret_file->fd, err);
        }
        if (ret_file->fd >= 0) {
            ret_file->path = strdup(found->path);
        }
        is_again = status == SLUICE_OK && ret_file->fd < 0 &&
                   (all.has_changed || found != NULL);
        siblings_done(&all);
    }
    return status;
}
