/* sluice/error.h - how every function of Sluice says that something went wrong.
 *
 * Two answers, for two readers. The sluice_status tells the calling code what to
 * do; the text in a sluice_error tells a person what happened. A text names the
 * thing, its value, the reason, and what is allowed or happens next:
 *
 *     batch.size is 0: must be 1 to 10000
 *     cannot connect to 'db:5432': connection refused; retrying in 2 s
 *
 * Threads: a sluice_error belongs to one thread at a time.
 * Memory: the caller of a fallible function owns the sluice_error and passes it
 * last; NULL is accepted everywhere and means that nobody will read the text. */
#ifndef SLUICE_ERROR_H
#define SLUICE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Exported from libsluice; everything else in it is hidden. */
#define SLUICE_API __attribute__((visibility("default")))

/* What the caller is to do. */
typedef enum sluice_status {
    SLUICE_OK = 0,
    SLUICE_RETRY,      /* Will pass: back off, then the same call again. */
    SLUICE_BAD_RECORD, /* Never will: tolerate it, or send it to the dead letters. */
    SLUICE_BAD_CONFIG, /* A person must change the configuration. */
    SLUICE_FATAL,      /* Anything else: the task becomes FAILED. */
} sluice_status;

/* "OK", "RETRY", "BAD_RECORD", "BAD_CONFIG" or "FATAL"; a constant. */
SLUICE_API const char *sluice_status_name(sluice_status status);

/* A list of messages. The first is what happened; more are added only where one
 * call can find several independent faults, as the check of a configuration does.
 * Each message may carry the name of the configuration key that it is about. Messages
 * are UTF-8: a byte that is not becomes a question mark. */
typedef struct sluice_error sluice_error;

/* An empty list. Never NULL: aborts when memory is out, as all small allocations
 * of Sluice do. The caller's: sluice_error_free(). */
SLUICE_API sluice_error *sluice_error_new(void);
SLUICE_API void sluice_error_free(sluice_error *err); /* NULL is accepted. */

/* Forgets all messages, so that `err` can be passed to the next call. */
SLUICE_API void sluice_error_clear(sluice_error *err);

/* Replaces all messages by this one and returns `status`, so that a failure is one
 * line where it happens: `return sluice_fail(err, SLUICE_FATAL, "…", …);`
 * The arguments may point into `err` itself. */
SLUICE_API sluice_status sluice_fail(sluice_error *err, sluice_status status,
                                     const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a `va_list`. */
SLUICE_API sluice_status sluice_vfail(sluice_error *err, sluice_status status,
                                      const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Adds a message about the configuration key `key` (copied) behind those already
 * there, and returns SLUICE_BAD_CONFIG. For checks, which report every fault. */
SLUICE_API sluice_status sluice_fail_key(sluice_error *err, const char *key,
                                         const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<prefix>: " before the first message: context, once per layer. */
SLUICE_API void sluice_prefix(sluice_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The number of messages; 0 for NULL. */
SLUICE_API size_t sluice_error_count(const sluice_error *err);

/* All messages, joined by "; " — "" when there are none. Borrowed until `err` is
 * changed or freed. */
SLUICE_API const char *sluice_error_text(const sluice_error *err);

/* Message `index` (0 to count-1), without its key. Borrowed as above. */
SLUICE_API const char *sluice_error_message(const sluice_error *err, size_t index);

/* The key that message `index` is about, or NULL. Borrowed as above. */
SLUICE_API const char *sluice_error_key(const sluice_error *err, size_t index);

#ifdef __cplusplus
}
#endif

#endif
