/* connectors/file/identity.h - which file it was, whatever its name is now: the part of
 * a stored offset that tells a file that was rotated from the one that has its name.
 *
 *     inode=131074 born=1763763880.123456789 since=1763763881.000000000
 *     head=1024:9f86d081884c7d65 tail=64@20480:e3b0c44298fc1c14
 *
 * The number of its inode alone is soon another file's, so the time of its birth
 * belongs to it, where the file system keeps one. Both are the file's; what is in it
 * may have changed (copytruncate), or be elsewhere (a copy, a backup that was brought
 * back, a network file system that numbers anew): so there are hashes, FNV-1a, of what
 * was at its beginning and of what was right before a byte that was read. Since when it
 * is read tells which copies of it are of a later time.
 *
 * Threads: one at a time. */
#ifndef SLUICE_CONNECTORS_FILE_IDENTITY_H
#define SLUICE_CONNECTORS_FILE_IDENTITY_H

#include "tail.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct statx;

enum {
    IDENTITY_HEAD_MAX = 1024, /* So many bytes at the beginning are hashed. */
    IDENTITY_TEXT_MAX = 224,  /* The longest text, with its NUL. */
    /* With fewer known bytes two contents are not taken for the same one. */
    IDENTITY_STRONG = 64,
};

/* All zero: no file. */
typedef struct identity {
    uint64_t inode;
    int64_t born;  /* Nanoseconds since 1970; 0 where nobody knows. */
    int64_t since; /* The same of when its first byte was asked for. */
    uint32_t head_len, tail_len;
    uint64_t head, tail;
    int64_t tail_at; /* The byte behind the tail. */
} identity;

/* Birth of a file in nanoseconds since 1970; 0 where nobody knows. */
int64_t identity_birth(const struct statx *file);

/* The time now, by the clock that births are taken from. */
int64_t identity_now(void);

/* The open file `fd`, which is read since `since`, and of which nothing is known yet.
 */
void identity_begin(identity *self, int fd, int64_t since);

/* All before byte `at` of `fd` was read, and `last` is what is right before it. Reads
 * the head as long as it is not complete. */
void identity_note(identity *self, int fd, const tail *last, int64_t at);

/* Whether a file is stored here at all. */
bool identity_is_known(const identity *self);

/* Whether `file` (with STATX_INO and STATX_BTIME) is this very file, whatever is in it
 * now. */
bool identity_is_file(const identity *self, const struct statx *file);

/* Whether what was read is in the open file `fd`, at the same place. So it is where
 * nothing was read. */
bool identity_fits(const identity *self, int fd);

/* Writes the text that is stored. */
void identity_print(const identity *self, char out[IDENTITY_TEXT_MAX]);

/* Reads such a text of `len` bytes. Whether it is one; else `self` is no file. */
bool identity_parse(identity *self, const char *text, size_t len);

#endif
