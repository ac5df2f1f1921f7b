/* worker/host/errors.h - what happens to a record that cannot be handled.
 *
 * errors.retry.* say how long a step that might work later is tried again,
 * errors.tolerance whether a record that cannot be handled is skipped or fails the
 * task, errors.log.* whether skipping is written down. Where Kafka Connect drops a
 * record whose retries ran out without asking for the tolerance, this asks.
 *
 * Threads: one; the counters may be read by any. */
#ifndef SLUICE_WORKER_HOST_ERRORS_H
#define SLUICE_WORKER_HOST_ERRORS_H

#include <jansson.h>
#include <sluice/record.h>
#include <sluice/task.h>
#include <stdatomic.h>

/* Kafka Connect's stages. */
typedef enum error_stage {
    STAGE_TRANSFORMATION,
    STAGE_KEY_CONVERTER,
    STAGE_VALUE_CONVERTER,
    STAGE_HEADER_CONVERTER,
    STAGE_KAFKA_PRODUCE,
    STAGE_TASK_PUT,
    ERROR_STAGES,
} error_stage;

/* "TRANSFORMATION" … */
const char *error_stage_name(error_stage stage);

/* The keys, as common_config.h parses them. */
typedef struct error_settings {
    int64_t retry_timeout_ms; /* -1: for ever. */
    int64_t retry_delay_ms_max;
    bool tolerate; /* errors.tolerance=all */
    bool log;
    bool log_messages;
} error_settings;

typedef struct error_policy {
    error_settings settings;
    const sluice_task *task;
    _Atomic uint64_t failures; /* Attempts that failed. */
    _Atomic uint64_t retries;
    _Atomic uint64_t skipped; /* Records given up and tolerated. */
    _Atomic uint64_t logged;
    _Atomic uint64_t given_up[ERROR_STAGES]; /* Records, tolerated or not. */
    _Atomic int64_t last_ms;                 /* The wall clock; 0: none yet. */
} error_policy;

/* How far the attempts at one step have come; begin with zero. */
typedef struct error_attempts {
    int64_t began_ms;
    int count;
} error_attempts;

/* After a step said RETRY: waits and returns true when it is to be tried again; false
 * when its time is over or the task stops. */
bool errors_try_again(error_policy *self, error_attempts *attempts);

/* A step has failed for good: counts, logs, and decides. OK: the record is skipped.
 * FATAL, with the stage, the class and the record put before the text, otherwise. */
sluice_status errors_judge(error_policy *self, error_stage stage,
                           const char *class_name, const sluice_record *record,
                           sluice_error *err);

/* Counts a record that has failed for good where nobody asks errors_judge(). */
void errors_note(error_policy *self, error_stage stage);

/* The counters under Kafka Connect's names for them, into `figures`; `ret_stages` gets
 * {"VALUE_CONVERTER": 2, …}, the caller's: what was given up, by stage. */
void errors_figures(error_policy *self, json_t *figures, json_t **ret_stages);

/* Back-off of the worker's own, for calls that said RETRY: 100 ms, doubling to 10 s,
 * with up to a fifth taken off at random so that tasks don't knock all at once. */
typedef struct backoff {
    int delay_ms; /* The next one; 0: none yet. */
} backoff;

int backoff_next(backoff *self);

/* Milliseconds that only go forward. */
int64_t clock_ms(void);

#endif
