/* connectors/file/tail.c - the tail and what follows it in one preadv(). */
#include "tail.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void tail_clear(tail *self)
{
    self->len = 0;
}

void tail_load(tail *self, int fd, int64_t at)
{
    size_t wanted = at < TAIL_MAX ? (size_t)at : TAIL_MAX;
    ssize_t size = pread(fd, self->bytes, wanted, at - (int64_t)wanted);
    self->len = size == (ssize_t)wanted ? wanted : 0;
}

/* The last bytes of the tail and the `len` bytes at `more`, as far as they have room.
 */
static void tail_add(tail *self, const char *more, size_t len)
{
    size_t added = len < TAIL_MAX ? len : TAIL_MAX;
    size_t kept = self->len < TAIL_MAX - added ? self->len : TAIL_MAX - added;
    memmove(self->bytes, self->bytes + self->len - kept, kept);
    memcpy(self->bytes + kept, more + len - added, added);
    self->len = kept + added;
}

ssize_t tail_read(tail *self, int fd, int64_t at, char *to, size_t len,
                  bool *ret_is_other)
{
    char before[TAIL_MAX];
    struct iovec parts[] = {{before, self->len}, {to, len}};
    ssize_t size;
    *ret_is_other = false;
    do {
        size = preadv(fd, parts, 2, at - (int64_t)self->len);
    } while (size < 0 && errno == EINTR);
    if (size < 0) {
        return -1;
    }
    if ((size_t)size < self->len || memcmp(before, self->bytes, self->len) != 0) {
        *ret_is_other = true;
        return 0;
    }
    size_t read = (size_t)size - self->len;
    tail_add(self, to, read);
    return (ssize_t)read;
}
