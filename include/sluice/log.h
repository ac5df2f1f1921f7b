/* sluice/log.h - one line per event, for the person who runs the worker.
 *
 * A plugin does not log what it returns: an error text reaches the log, `/status`
 * and the dead letters through the worker, once. It logs what nobody asked for and
 * somebody will want to know: a connection made again, a slot created, a file that
 * was rotated. A warning ends in what happens now ("… skipping the record").
 *
 * The line goes to standard error, in one write; in UTC, as Kafka Connect's:
 *     [2026-11-21 10:15:04,123] INFO [orders|task-0] slot 'sluice' created lsn=0/1A2B
 *     (connectors.postgres)
 * (in one), or, with the worker's key log.format=json, as an object. A line break
 * inside a message is written as "\n". Never log a value of a SLUICE_PASSWORD key.
 *
 * Threads: any. */
#ifndef SLUICE_LOG_H
#define SLUICE_LOG_H

#include <sluice/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kafka Connect's levels, as /admin/loggers names them. */
typedef enum sluice_level {
    SLUICE_TRACE = 0,
    SLUICE_DEBUG,
    SLUICE_INFO,
    SLUICE_WARN,
    SLUICE_ERROR,
    SLUICE_OFF,
} sluice_level;

/* Writes a line if `logger` ("connectors.http", named by folder) is at `level` or
 * below. `format` holds the message, then key=value pairs. */
SLUICE_API void sluice_log(sluice_level level, const char *logger, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

/* Whether such a line would be written: for messages that are dear to make. */
SLUICE_API bool sluice_log_enabled(sluice_level level, const char *logger);

/* Sets the level of `logger` and of all loggers below it (dots separate); "" is the
 * root, INFO at start. */
SLUICE_API void sluice_log_set_level(const char *logger, sluice_level level);

/* "TRACE" … "OFF" to a level, upper or lower case. Returns whether it is one. */
SLUICE_API bool sluice_level_parse(const char *name, sluice_level *ret_level);
SLUICE_API const char *sluice_level_name(sluice_level level);

/* The connector that all lines of this process are about. Copied; NULL for none. Called
 * before the first other thread starts; by the worker, not by plugins. */
SLUICE_API void sluice_log_set_context(const char *connector);

/* What every message of this process goes through before it is written: returns it
 * without what nobody may see, the caller's. Any thread; NULL for none. For the worker.
 * Called before the first other thread starts. */
SLUICE_API void sluice_log_set_filter(char *(*filter)(const char *message));

#ifdef __cplusplus
}
#endif

#endif
