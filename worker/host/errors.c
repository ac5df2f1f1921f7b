/* Tries again, tolerates, or fails: the policy for records that cannot be handled. */
#include "worker/host/errors.h"
#include "base/buffer.h"
#include "lib/task.h"
#include "worker/host/json_value.h"
#include <sluice/log.h>
#include <stdlib.h>
#include <time.h>

static const char logger[] = "worker.errors";

enum { delay_ms_first = 300, backoff_ms_first = 100, backoff_ms_max = 10 * 1000 };

const char *error_stage_name(error_stage stage)
{
    static const char *const names[] = {
        [STAGE_TRANSFORMATION] = "TRANSFORMATION",
        [STAGE_KEY_CONVERTER] = "KEY_CONVERTER",
        [STAGE_VALUE_CONVERTER] = "VALUE_CONVERTER",
        [STAGE_HEADER_CONVERTER] = "HEADER_CONVERTER",
        [STAGE_KAFKA_PRODUCE] = "KAFKA_PRODUCE",
        [STAGE_TASK_PUT] = "TASK_PUT",
    };
    return names[stage];
}

int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 0 to below `limit`, from the clock: enough to spread tasks, no secret. */
static int64_t spread(int64_t limit)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return limit <= 0 ? 0 : (int64_t)((uint64_t)now.tv_nsec * 2654435761u >> 8) % limit;
}

int backoff_next(backoff *self)
{
    self->delay_ms = self->delay_ms == 0 ? backoff_ms_first : self->delay_ms * 2;
    if (self->delay_ms > backoff_ms_max) {
        self->delay_ms = backoff_ms_max;
    }
    return self->delay_ms - (int)spread(self->delay_ms / 5);
}

static int64_t delay_of(const error_settings *settings, int attempt)
{
    int64_t delay = (int64_t)delay_ms_first << (attempt < 40 ? attempt : 40);
    return delay <= settings->retry_delay_ms_max ? delay
                                                 : spread(settings->retry_delay_ms_max);
}

static bool wait_ms(error_policy *self, int64_t delay)
{
    int64_t end = clock_ms() + delay;
    for (;;) {
        int64_t left = end - clock_ms();
        if (left <= 0) {
            return true;
        }
        /* Not sluice_task_wait(): a wake-up must not shorten the delay. */
        sluice_task quiet = *self->task;
        quiet.wake_fd = -1;
        if (sluice_task_wait(&quiet, -1, 0, left > 60000 ? 60000 : (int)left) &
            SLUICE_WAIT_STOP) {
            return false;
        }
    }
}

bool errors_try_again(error_policy *self, error_attempts *attempts)
{
    const error_settings *settings = &self->settings;
    int64_t now = clock_ms();
    self->failures++;
    self->last_ms = wall_ms();
    if (attempts->count == 0) {
        attempts->began_ms = now;
    }
    int64_t left = attempts->began_ms + settings->retry_timeout_ms - now;
    if (settings->retry_timeout_ms >= 0 && left <= 0) {
        return false;
    }
    int64_t delay = delay_of(settings, attempts->count++);
    if (settings->retry_timeout_ms >= 0 && delay > left) {
        delay = left;
    }
    self->retries++;
    return wait_ms(self, delay);
}

void errors_note(error_policy *self, error_stage stage)
{
    self->failures++;
    self->given_up[stage]++;
    self->last_ms = wall_ms();
}

static void put(json_t *into, const char *name, uint64_t value)
{
    json_object_set_new_nocheck(into, name, json_integer((json_int_t)value));
}

void errors_figures(error_policy *self, json_t *figures, json_t **ret_stages)
{
    uint64_t all = 0;
    json_t *stages = json_object();
    for (int i = 0; i < ERROR_STAGES; i++) {
        uint64_t count = self->given_up[i];
        all += count;
        put(stages, error_stage_name((error_stage)i), count);
    }
    put(figures, "total-record-failures", self->failures);
    put(figures, "total-record-errors", all);
    put(figures, "total-records-skipped", self->skipped);
    put(figures, "total-retries", self->retries);
    put(figures, "total-errors-logged", self->logged);
    put(figures, "last-error-timestamp", (uint64_t)self->last_ms);
    *ret_stages = stages;
}

static void describe(buffer *out, const sluice_record *record)
{
    if (sluice_record_offset(record) != SLUICE_NO_OFFSET) {
        buffer_print(out, "topic '%s' partition %d offset %lld",
                     sluice_record_original_topic(record),
                     (int)sluice_record_original_partition(record),
                     (long long)sluice_record_offset(record));
        return;
    }
    const char *topic = sluice_record_topic(record);
    buffer_print(out, "topic '%s'", topic == NULL ? "(none)" : topic);
    json_t *place = NULL;
    if (json_of_value(sluice_record_source_offset(record), &place, NULL) == SLUICE_OK) {
        char *text = json_dumps(place, JSON_COMPACT | JSON_ENCODE_ANY);
        buffer_print(out, ", source offset %s", text);
        free(text);
        json_decref(place);
    }
}

static void write_down(const error_policy *self, error_stage stage,
                       const char *class_name, const char *place, const char *reason)
{
    sluice_log(SLUICE_ERROR, logger,
               "Error encountered in task %s-%d. Executing stage '%s' with class '%s'"
               "%s%s%s. %s; %s",
               sluice_task_connector(self->task), sluice_task_number(self->task),
               error_stage_name(stage), class_name,
               self->settings.log_messages ? ", where the record is from " : "",
               self->settings.log_messages ? place : "", "", reason,
               self->settings.tolerate ? "skipping the record" : "the task fails");
}

sluice_status errors_judge(error_policy *self, error_stage stage,
                           const char *class_name, const sluice_record *record,
                           sluice_error *err)
{
    buffer place = BUFFER_INIT;
    describe(&place, record);
    errors_note(self, stage);
    if (self->settings.log) {
        self->logged++;
        write_down(self, stage, class_name, buffer_text(&place),
                   sluice_error_text(err));
    }
    sluice_status status = SLUICE_OK;
    if (self->settings.tolerate) {
        self->skipped++;
    } else {
        status = sluice_fail(err, SLUICE_FATAL,
                             "Tolerance exceeded in error handler: stage %s with "
                             "'%s', record of %s: %s",
                             error_stage_name(stage), class_name, buffer_text(&place),
                             sluice_error_text(err));
    }
    buffer_done(&place);
    return status;
}
