/* cli/dump/log_file.h - a segment's file as what it may be: batches, one behind the
 * other, until the bytes end or make no sense.
 *
 * Goes as far as Kafka's own reader of files: it looks at a batch's first 17 bytes
 * only, so also what is broken inside is found, for somebody to look at.
 *
 * Threads: the main one. Bytes come from a disk: nothing here trusts them. */
#ifndef CLI_DUMP_LOG_FILE_H
#define CLI_DUMP_LOG_FILE_H

#include "broker/log/record_batch.h"

typedef struct log_file {
    int fd; /* Owned; -1: none. */
    const char *path;
    int64_t start, end; /* The part that is read. */
    int64_t position;   /* Of the next batch. */
    uint8_t *room;      /* The last batch, owned. */
    size_t room_size;
} log_file;

typedef struct log_file_batch {
    int64_t position;
    uint8_t *base; /* Borrowed until the next one; a copy, which may be changed. */
    size_t size;
    record_batch_header header; /* Of magic 2 and above; else only the first fields. */
} log_file_batch;

/* Opens the file to read at most `size_max` bytes of it (0 and less: none).
 * SLUICE_FATAL when it cannot be opened. log_file_done() in any case. */
sluice_status log_file_init(log_file *self, const char *path, int64_t size_max,
                            sluice_error *err);
void log_file_done(log_file *self);

/* Reads from `position` on, up to `size` bytes. SLUICE_BAD_RECORD when the file is
 * shorter. */
sluice_status log_file_slice(log_file *self, int64_t position, int64_t size,
                             sluice_error *err);

/* The next batch; `ret_done` at the end of the file, and where only a part of one is
 * left. SLUICE_BAD_RECORD where no batch can be: its size is too small, or memory for
 * it is out. */
sluice_status log_file_next(log_file *self, log_file_batch *ret_batch, bool *ret_done,
                            sluice_error *err);

#endif
