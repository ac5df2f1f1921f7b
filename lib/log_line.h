/* lib/log_line.h - the two forms of a line of the log, for who writes such lines
 * himself.
 *
 *     [2026-11-21 10:15:04,123] INFO [orders|task-0] slot 'sluice' created
 * (connectors.postgres)
 *     {"timestamp":"2026-11-21T10:15:04.123Z","level":"INFO","logger":"connectors.postgres",
 *      "connector":"orders","task":0,"message":"slot 'sluice' created"}        (in one
 * line)
 *
 * The first is what Kafka Connect's own pattern gives, in UTC; [orders|worker] stands
 * for what is no task's. The second is valid JSON whatever the message holds.
 *
 * Threads: any. */
#ifndef LIB_LOG_LINE_H
#define LIB_LOG_LINE_H

#include <sluice/log.h>
#include <stdbool.h>
#include <stddef.h>

enum { LOG_LINE_BYTES_MAX = 16 * 1024, LOG_NO_TASK = -1 };

typedef enum log_format { LOG_TEXT, LOG_JSON } log_format;

/* The form of all lines of this process and of those that it forks. Before the first
 * other thread starts. */
SLUICE_API void log_line_set_format(log_format format);

/* The number that is in this thread's lines. */
SLUICE_API void log_line_set_task(int number);

/* Makes a line of at most LOG_LINE_BYTES_MAX with its line end, and returns its length;
 * a longer message is cut. `connector` NULL: it is about none. */
SLUICE_API size_t log_line_make(char *ret_line, sluice_level level, const char *logger,
                                const char *connector, int task, const char *message);

/* Whether `line`, without its line end, has the form that is set. JSON is not parsed.
 */
SLUICE_API bool log_line_is_one(const char *line);

/* This thread's; sluice_log() uses it. */
SLUICE_API int log_line_task(void);

#endif
