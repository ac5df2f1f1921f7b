/* cli/line_reader.h - how a line of the console producer is a record: the properties
 * and the rules of Kafka's LineMessageReader (Kafka 4.1, asked by experiment).
 *
 *     HEADER:VALUE,HEADER:VALUE <headers.delimiter> KEY <key.separator> VALUE
 *
 * Threads: any; it has no state. */
#ifndef CLI_LINE_READER_H
#define CLI_LINE_READER_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct line_reader {
    bool parse_key, parse_headers, ignore_error;
    const char *key_separator, *headers_delimiter, *headers_separator,
        *headers_key_separator;
    const char *null_marker; /* NULL: no text means none. */
} line_reader;

#define LINE_READER_INIT                                                               \
    {                                                                                  \
        .key_separator = "\t", .headers_delimiter = "\t", .headers_separator = ",",    \
        .headers_key_separator = ":"                                                   \
    }

/* A part of a line; `base` is NULL for none. */
typedef struct line_part {
    const char *base;
    size_t len;
} line_part;

typedef struct line_header {
    line_part name, value;
} line_header;

typedef struct line_record {
    line_part key, value;
    line_header *headers;
    size_t header_count, header_room;
} line_record;

/* Sets a property by its name, "parse.key" and so on; `value` is borrowed. False when
 * no property has that name. */
bool line_reader_set(line_reader *self, const char *name, const char *value);

/* SLUICE_BAD_CONFIG when two separators that must differ are the same. */
sluice_status line_reader_check(const line_reader *self, sluice_error *err);

/* Takes a line apart. `record` begins as zeros, may be used again for the next line,
 * and is given back with line_record_done(); its parts are borrowed from the line.
 * SLUICE_BAD_RECORD: a separator is missing, and errors are not ignored. */
sluice_status line_reader_parse(const line_reader *self, size_t line_number,
                                const char *line, size_t len, line_record *record,
                                sluice_error *err);

void line_record_done(line_record *record);

#endif
