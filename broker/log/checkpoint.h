/* broker/log/checkpoint.h - the text of Kafka's checkpoint files: a line "0" (the
 * version), a line with the number of entries, then a line each.
 *
 * Threads: any. */
#ifndef SLUICE_BROKER_LOG_CHECKPOINT_H
#define SLUICE_BROKER_LOG_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls `take` with each entry's line, of `len` bytes without the line's end. Returns
 * false when the text is not a whole checkpoint or `take` returned false. */
bool checkpoint_parse(const char *text, size_t len,
                      bool (*take)(const char *line, size_t len, void *context),
                      void *context);

/* Reads exactly `count` numbers, separated by single spaces. */
bool checkpoint_numbers(const char *line, size_t len, size_t count,
                        int64_t *ret_numbers);

/* Splits "topic partition offset". `ret_topic_len` bytes of `line` are the topic. */
bool checkpoint_topic_line(const char *line, size_t len, size_t *ret_topic_len,
                           int32_t *ret_partition, int64_t *ret_offset);

#endif
