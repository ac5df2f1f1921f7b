/* cli/record_printer.h - how the console consumer prints a record: the properties and
 * the order of Kafka's DefaultMessageFormatter (Kafka 4.1).
 *
 * Threads: the main one. */
#ifndef CLI_RECORD_PRINTER_H
#define CLI_RECORD_PRINTER_H

#include <librdkafka/rdkafka.h>
#include <sluice/error.h>
#include <stdbool.h>
#include <stdio.h>

/* How bytes are shown. */
typedef enum record_form {
    RECORD_BYTES, /* As they are. */
    RECORD_SHORT,
    RECORD_INTEGER,
    RECORD_LONG,
    RECORD_BOOLEAN,
} record_form;

typedef struct record_printer {
    bool nothing; /* Prints no record at all. */
    bool timestamp, partition, offset, delivery, epoch, headers, key, value;
    const char *key_separator, *headers_separator, *line_separator, *null_literal;
    record_form key_form, value_form, headers_form;
} record_printer;

#define RECORD_PRINTER_INIT                                                            \
    {                                                                                  \
        .value = true, .key_separator = "\t", .headers_separator = ",",                \
        .line_separator = "\n", .null_literal = "null"                                 \
    }

/* Sets a property by its name, "print.key" and so on; `value` is borrowed. `ret_known`
 * tells whether a property has that name. SLUICE_BAD_CONFIG for a deserializer that is
 * not there. */
sluice_status record_printer_set(record_printer *self, const char *name,
                                 const char *value, bool *ret_known, sluice_error *err);

/* Takes the class of a formatter of Kafka's. SLUICE_BAD_CONFIG: it is not there. */
sluice_status record_printer_choose(record_printer *self, const char *class,
                                    sluice_error *err);

/* SLUICE_BAD_RECORD: bytes are not of the form that they are to be shown in; what
 * stands before them is printed. */
sluice_status record_printer_print(const record_printer *self,
                                   const rd_kafka_message_t *message, FILE *out,
                                   sluice_error *err);

#endif
