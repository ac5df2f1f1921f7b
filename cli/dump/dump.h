/* cli/dump/dump.h - kafka-dump-log: what stands in the files of a partition, for
 * people.
 *
 * Each function prints one file to `out` as Kafka's tool does, and notes what does not
 * fit together, for the summary at the end. A file that cannot be read on gives
 * SLUICE_BAD_RECORD or SLUICE_FATAL; what was good before it is printed.
 *
 * Threads: the main one. Files are read only. */
#ifndef CLI_DUMP_DUMP_H
#define CLI_DUMP_DUMP_H

#include "cli/dump/decoder.h"
#include <sluice/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* How bytes are shown where no decoder of records is asked for. */
typedef enum dump_class {
    DUMP_CLASS_STRING,
    DUMP_CLASS_INTEGER, /* 4 bytes, big-endian. */
    DUMP_CLASS_LONG,    /* 8 bytes. */
    DUMP_CLASS_BYTES,   /* Base64. */
} dump_class;

typedef struct dump {
    FILE *out;
    bool print_data, deep, skip_record_metadata;
    bool verify_only, sanity_check;
    dump_decoder decoder;
    dump_class key_class, value_class;
    int64_t message_size_max, bytes_max;
    /* The lines of the summary, a paragraph for each kind. */
    buffer index_mismatches, time_mismatches, time_disorder, not_found, gaps;
} dump;

#define DUMP_INIT                                                                      \
    {                                                                                  \
        .out = stdout, .message_size_max = 5 * 1024 * 1024, .bytes_max = INT32_MAX,    \
    }

void dump_done(dump *self);

/* A file of any kind, told by the end of its name. */
sluice_status dump_path(dump *self, const char *path, sluice_error *err);

/* The summary: what does not fit together. */
void dump_summary(const dump *self, FILE *out);

sluice_status dump_log(dump *self, const char *path, sluice_error *err);
sluice_status dump_offset_index(dump *self, const char *path, sluice_error *err);
sluice_status dump_time_index(dump *self, const char *path, sluice_error *err);
sluice_status dump_transaction_index(dump *self, const char *path, sluice_error *err);
sluice_status dump_producer_snapshot(dump *self, const char *path, sluice_error *err);

/* Puts `line` in front of the lines that `paragraph` has behind `start`, for Kafka's
 * tool prints the last first. */
void dump_put_first(buffer *paragraph, size_t start, const char *line);

/* The part behind the last slash. */
const char *dump_name(const char *path);

/* The offset that the file's name begins with; false when it is none. */
bool dump_base_offset(const char *path, int64_t *ret_offset);

/* The absolute path, as summaries name files. The caller's: free(). */
char *dump_absolute(const char *path);

#endif
