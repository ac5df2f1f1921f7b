/* connectors/file/tail.h - remembers the last bytes that were read, so that a file
 * whose beginning was written anew is recognized however long it has become since.
 *
 *     file as it was:  …one\ntwo\n          after `truncate`:  other\nlines\nhere\n
 *                          └──┘└ at                                └──┘└ at
 *                          tail                                    not the tail
 *
 * A size alone cannot tell: a file that is cut and gets more than was there before the
 * reader looks again (copytruncate, a busy writer, a reader without a processor) is
 * longer than the position, and reading on from there would begin inside a line. The
 * tail is read together with what follows it, so this costs no system call.
 *
 * Two contents that agree in these bytes at that very place cannot be told apart.
 *
 * Threads: one at a time. */
#ifndef SLUICE_CONNECTORS_FILE_TAIL_H
#define SLUICE_CONNECTORS_FILE_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The most bytes that are compared. */
enum { TAIL_MAX = 64 };

typedef struct tail {
    size_t len;
    char bytes[TAIL_MAX];
} tail;

/* Forgets the bytes, for a file that is read from its start. */
void tail_clear(tail *self);

/* Takes what is right before byte `at` of the regular file `fd` as the tail. What
 * cannot be read is not compared. */
void tail_load(tail *self, int fd, int64_t at);

/* Reads up to `len` bytes from byte `at` on, which follow what was loaded or read last.
 * Returns how many; 0: there are none yet, or `*ret_is_other`: the bytes before them
 * are no longer there or others, `to` is of no use. -1 with errno: as pread(). */
ssize_t tail_read(tail *self, int fd, int64_t at, char *to, size_t len,
                  bool *ret_is_other);

#endif
