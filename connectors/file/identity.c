/* connectors/file/identity.c - inode, birth and two hashes, and their text. */
#include "identity.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NANOSECONDS = 1000000000 };

static const char FORMAT[] =
    "inode=%" PRIu64 " born=%" PRId64 ".%09" PRId64 " since=%" PRId64 ".%09" PRId64
    " head=%" PRIu32 ":%016" PRIx64 " tail=%" PRIu32 "@%" PRId64 ":%016" PRIx64;

/* http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash_of(const char *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    }
    return hash;
}

int64_t identity_birth(const struct statx *file)
{
    return (file->stx_mask & STATX_BTIME) == 0 || file->stx_btime.tv_sec < 0
               ? 0
               : file->stx_btime.tv_sec * NANOSECONDS + file->stx_btime.tv_nsec;
}

int64_t identity_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec * NANOSECONDS + now.tv_nsec;
}

void identity_begin(identity *self, int fd, int64_t since)
{
    struct statx file;
    *self = (identity){.since = since};
    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &file) == 0) {
        self->inode = file.stx_ino;
        self->born = identity_birth(&file);
    }
}

/* The hash of `len` bytes up to byte `at`; whether they are there. */
static bool hash_in_file(int fd, int64_t at, size_t len, uint64_t *ret_hash)
{
    char bytes[IDENTITY_HEAD_MAX];
    if (pread(fd, bytes, len, at - (int64_t)len) != (ssize_t)len) {
        return false;
    }
    *ret_hash = hash_of(bytes, len);
    return true;
}

void identity_note(identity *self, int fd, const tail *last, int64_t at)
{
    uint32_t head_len = at < IDENTITY_HEAD_MAX ? (uint32_t)at : IDENTITY_HEAD_MAX;
    if (head_len > self->head_len &&
        hash_in_file(fd, head_len, head_len, &self->head)) {
        self->head_len = head_len;
    }
    self->tail_len = (uint32_t)last->len;
    self->tail_at = at;
    self->tail = hash_of(last->bytes, last->len);
}

bool identity_is_known(const identity *self)
{
    return self->inode != 0;
}

bool identity_is_file(const identity *self, const struct statx *file)
{
    int64_t born = identity_birth(file);
    return identity_is_known(self) && self->inode == file->stx_ino &&
           (self->born == 0 || born == 0 || self->born == born);
}

static bool has_hash(int fd, int64_t at, uint32_t len, uint64_t hash)
{
    uint64_t there;
    return len == 0 || (hash_in_file(fd, at, len, &there) && there == hash);
}

bool identity_fits(const identity *self, int fd)
{
    return has_hash(fd, self->head_len, self->head_len, self->head) &&
           has_hash(fd, self->tail_at, self->tail_len, self->tail);
}

void identity_print(const identity *self, char out[IDENTITY_TEXT_MAX])
{
    snprintf(out, IDENTITY_TEXT_MAX, FORMAT, self->inode, self->born / NANOSECONDS,
             self->born % NANOSECONDS, self->since / NANOSECONDS,
             self->since % NANOSECONDS, self->head_len, self->head, self->tail_len,
             self->tail_at, self->tail);
}

/* Whether hashing as it says stays within limits. */
static bool is_sound(const identity *self)
{
    return identity_is_known(self) && self->head_len <= IDENTITY_HEAD_MAX &&
           self->tail_len <= TAIL_MAX && self->tail_at >= (int64_t)self->tail_len;
}

bool identity_parse(identity *self, const char *text, size_t len)
{
    char copy[IDENTITY_TEXT_MAX], again[IDENTITY_TEXT_MAX];
    int64_t born[2], since[2];
    *self = (identity){0};
    if (len >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    int found =
        sscanf(copy,
               "inode=%20" SCNu64 " born=%10" SCNd64 ".%9" SCNd64 " since=%10" SCNd64
               ".%9" SCNd64 " head=%4" SCNu32 ":%16" SCNx64 " tail=%2" SCNu32
               "@%19" SCNd64 ":%16" SCNx64,
               &self->inode, &born[0], &born[1], &since[0], &since[1], &self->head_len,
               &self->head, &self->tail_len, &self->tail_at, &self->tail);
    if (found == 10) {
        self->born = born[0] * NANOSECONDS + born[1];
        self->since = since[0] * NANOSECONDS + since[1];
        identity_print(self, again);
    }
    /* What prints as the same text was that text, whatever sscanf() lets pass. */
    if (found != 10 || !is_sound(self) || strcmp(copy, again) != 0) {
        *self = (identity){0};
        return false;
    }
    return true;
}
