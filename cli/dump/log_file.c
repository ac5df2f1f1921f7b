/* Batches of a segment's file. */
#include "log_file.h"
#include "broker/log/file.h"
#include "protocol/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PREFIX_SIZE = 17, /* Up to the magic byte. */
    LENGTH_MIN = 14,  /* Of the smallest record there ever was. */
};

sluice_status log_file_init(log_file *self, const char *path, int64_t size_max,
                            sluice_error *err)
{
    struct stat found;
    *self = (log_file){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (self->fd < 0 || fstat(self->fd, &found) != 0) {
        return sluice_fail(err, SLUICE_FATAL, "'%s' cannot be read: %s", path,
                           strerror(errno));
    }
    if (!S_ISREG(found.st_mode)) {
        return sluice_fail(err, SLUICE_FATAL, "'%s' is no file", path);
    }
    self->end = found.st_size < size_max ? found.st_size : size_max;
    return SLUICE_OK;
}

void log_file_done(log_file *self)
{
    if (self->fd >= 0) {
        close(self->fd);
    }
    free(self->room);
    *self = (log_file){.fd = -1};
}

sluice_status log_file_slice(log_file *self, int64_t position, int64_t size,
                             sluice_error *err)
{
    struct stat found;
    if (fstat(self->fd, &found) != 0 || position < 0 || position > found.st_size) {
        return sluice_fail(
            err, SLUICE_BAD_RECORD,
            "position %lld is behind the end of '%s', which has %lld bytes",
            (long long)position, self->path, (long long)found.st_size);
    }
    int64_t left = found.st_size - position;
    self->start = self->position = position;
    self->end = position + (size < left ? size : left);
    return SLUICE_OK;
}

/* Room for a batch, whose size the file has. */
static sluice_status reserve(log_file *self, size_t size, sluice_error *err)
{
    if (size <= self->room_size) {
        return SLUICE_OK;
    }
    uint8_t *larger = realloc(self->room, size);
    if (larger == NULL) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "memory is out for the %zu bytes of the batch at position "
                           "%lld of '%s'",
                           size, (long long)self->position, self->path);
    }
    self->room = larger;
    self->room_size = size;
    return SLUICE_OK;
}

/* Kafka reads 61 bytes of a header, also where the batch claims to be shorter. */
static sluice_status read_header(const log_file *self, record_batch_header *header,
                                 sluice_error *err)
{
    uint8_t bytes[RECORD_BATCH_HEADER_SIZE];
    int64_t got = file_read_at(self->fd, bytes, sizeof bytes, self->position);
    if (got < (int64_t)sizeof bytes && self->room[16] >= 2) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "'%s' ends within the header of the batch at position %lld",
                           self->path, (long long)self->position);
    }
    memset(bytes + (got < 0 ? 0 : got), 0, sizeof bytes - (size_t)(got < 0 ? 0 : got));
    record_batch_read_header(bytes, header);
    return SLUICE_OK;
}

sluice_status log_file_next(log_file *self, log_file_batch *ret_batch, bool *ret_done,
                            sluice_error *err)
{
    uint8_t prefix[PREFIX_SIZE];
    *ret_done = self->position >= self->end - PREFIX_SIZE;
    if (*ret_done) {
        return SLUICE_OK;
    }
    if (file_read_at(self->fd, prefix, PREFIX_SIZE, self->position) != PREFIX_SIZE) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "'%s' got shorter while it was read",
                           self->path);
    }
    int32_t length = (int32_t)wire_get_32(prefix + 8);
    if (length < LENGTH_MIN) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Found record size %d smaller than minimum record overhead "
                           "(%d) in file %s.",
                           length, LENGTH_MIN, self->path);
    }
    int64_t size = (int64_t)length + RECORD_BATCH_PREFIX_SIZE;
    *ret_done = self->position > self->end - size;
    if (*ret_done) {
        return SLUICE_OK;
    }
    sluice_status status = reserve(self, (size_t)size, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (file_read_at(self->fd, self->room, (size_t)size, self->position) != size) {
        return sluice_fail(err, SLUICE_BAD_RECORD, "'%s' got shorter while it was read",
                           self->path);
    }
    *ret_batch = (log_file_batch){self->position, self->room, (size_t)size, {0}};
    status = read_header(self, &ret_batch->header, err);
    self->position += size;
    return status;
}
