/* What a task has done: counters, and statistics over a moving window. */
#include "worker/host/figures.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/host/errors.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { window_ms_default = 30 * 1000, samples_default = 2, samples_max = 100 };

int64_t figures_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t setting(const sluice_props *worker, const char *key, int64_t fallback)
{
    int64_t value;
    const char *text = sluice_props_get(worker, key);
    return text != NULL && text_to_int64(text, &value) && value > 0 ? value : fallback;
}

void figures_init(figures *self, const sluice_props *worker)
{
    memset(self, 0, sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    int64_t piece_ms = setting(worker, "metrics.sample.window.ms", window_ms_default);
    int64_t pieces = setting(worker, "metrics.num.samples", samples_default);
    pieces = pieces > samples_max ? samples_max : pieces;
    for (size_t i = 0; i < FIGURE_COUNTS; i++) {
        window_init(&self->rates[i], (size_t)pieces, piece_ms);
    }
    for (size_t i = 0; i < FIGURE_VALUES; i++) {
        window_init(&self->values[i], (size_t)pieces, piece_ms);
    }
}

static void free_places(figures *self)
{
    for (size_t i = 0; i < self->place_count; i++) {
        free(self->places[i].topic);
    }
    free(self->places);
}

void figures_done(figures *self)
{
    free_places(self);
    for (size_t i = 0; i < FIGURE_COUNTS; i++) {
        window_done(&self->rates[i]);
    }
    for (size_t i = 0; i < FIGURE_VALUES; i++) {
        window_done(&self->values[i]);
    }
    pthread_mutex_destroy(&self->lock);
}

/* --- Noting. --- */

void figures_note(figures *self, figure_value what, double value)
{
    int64_t now = clock_ms();
    pthread_mutex_lock(&self->lock);
    window_note(&self->values[what], value, now);
    pthread_mutex_unlock(&self->lock);
}

void figures_polled(figures *self, int64_t began_us, size_t records)
{
    if (records > 0) {
        int64_t now = figures_clock_us();
        figures_add(self, COUNT_POLLED, records);
        pthread_mutex_lock(&self->lock);
        window_note(&self->values[VALUE_POLL_MS], (double)(now - began_us) / 1000,
                    now / 1000);
        pthread_mutex_unlock(&self->lock);
    }
}

static int64_t active_of(const figures *self)
{
    int64_t active = (int64_t)self->counts[COUNT_POLLED] -
                     (int64_t)self->counts[COUNT_WRITTEN] -
                     (int64_t)self->counts[COUNT_DROPPED];
    return active < 0 ? 0 : active;
}

void figures_launched(figures *self, size_t polled, size_t launched)
{
    int64_t now = clock_ms();
    figures_add(self, COUNT_DROPPED, polled - launched);
    pthread_mutex_lock(&self->lock);
    window_note(&self->values[VALUE_BATCH], (double)launched, now);
    window_note(&self->values[VALUE_ACTIVE], (double)active_of(self), now);
    pthread_mutex_unlock(&self->lock);
}

void figures_committed(figures *self, int64_t began_ms, bool done)
{
    int64_t now = clock_ms();
    pthread_mutex_lock(&self->lock);
    if (done) {
        window_note(&self->values[VALUE_COMMIT_MS], (double)(now - began_ms), now);
    }
    window_note(&self->values[VALUE_COMMIT_OK], done, now);
    pthread_mutex_unlock(&self->lock);
}

/* The time since the last state counts for that. The lock is held. */
static void settle(figures *self, int64_t now)
{
    int64_t passed = now - self->state_ms;
    if (self->state != NULL && strcmp(self->state, "RUNNING") == 0) {
        self->running_ms += passed;
    } else if (self->state != NULL && strcmp(self->state, "PAUSED") == 0) {
        self->paused_ms += passed;
    }
    self->state_ms = now;
}

void figures_state(figures *self, const char *state)
{
    int64_t now = clock_ms();
    pthread_mutex_lock(&self->lock);
    settle(self, now);
    if (self->state == NULL) {
        self->first_ms = now;
    }
    self->state = state;
    pthread_mutex_unlock(&self->lock);
}

void figures_places(figures *self, figure_place *places, size_t count, int64_t active)
{
    int64_t now = clock_ms();
    pthread_mutex_lock(&self->lock);
    free_places(self);
    self->places = places;
    self->place_count = count;
    self->places_new = true;
    self->active = active;
    window_note(&self->values[VALUE_ACTIVE], (double)active, now);
    pthread_mutex_unlock(&self->lock);
}

/* --- Telling. --- */

/* JSON has no NaN: what is not known is null. */
static void put(json_t *into, const char *name, double value)
{
    json_object_set_new_nocheck(into, name,
                                isnan(value) ? json_null() : json_real(value));
}

static void put_count(json_t *into, const char *name, int64_t value)
{
    json_object_set_new_nocheck(into, name, json_integer(value));
}

static void put_task(const figures *self, json_t *into, int64_t now)
{
    double all = (double)(now - self->first_ms);
    double done = window_average(&self->values[VALUE_COMMIT_OK], now);
    bool lived = self->state != NULL && all > 0;
    put(into, "running-ratio", lived ? (double)self->running_ms / all : 0);
    put(into, "pause-ratio", lived ? (double)self->paused_ms / all : 0);
    put(into, "batch-size-avg", window_average(&self->values[VALUE_BATCH], now));
    put(into, "batch-size-max", window_highest(&self->values[VALUE_BATCH], now));
    put(into, "offset-commit-avg-time-ms",
        window_average(&self->values[VALUE_COMMIT_MS], now));
    put(into, "offset-commit-max-time-ms",
        window_highest(&self->values[VALUE_COMMIT_MS], now));
    put(into, "offset-commit-success-percentage", isnan(done) ? 0 : done);
    put(into, "offset-commit-failure-percentage", isnan(done) ? 0 : 1 - done);
}

static void put_source(const figures *self, json_t *into, int64_t now)
{
    put_count(into, "source-record-poll-total", (int64_t)self->counts[COUNT_POLLED]);
    put(into, "source-record-poll-rate", window_rate(&self->rates[COUNT_POLLED], now));
    put_count(into, "source-record-write-total", (int64_t)self->counts[COUNT_WRITTEN]);
    put(into, "source-record-write-rate",
        window_rate(&self->rates[COUNT_WRITTEN], now));
    put_count(into, "source-record-active-count", active_of(self));
    put(into, "source-record-active-count-avg",
        window_average(&self->values[VALUE_ACTIVE], now));
    put(into, "source-record-active-count-max",
        window_highest(&self->values[VALUE_ACTIVE], now));
    put(into, "poll-batch-avg-time-ms",
        window_average(&self->values[VALUE_POLL_MS], now));
    put(into, "poll-batch-max-time-ms",
        window_highest(&self->values[VALUE_POLL_MS], now));
}

static int64_t lag_max(const figures *self)
{
    int64_t most = 0;
    for (size_t i = 0; i < self->place_count; i++) {
        most = self->places[i].lag > most ? self->places[i].lag : most;
    }
    return most;
}

static void put_sink(const figures *self, json_t *into, int64_t now)
{
    put_count(into, "sink-record-read-total", (int64_t)self->counts[COUNT_READ]);
    put(into, "sink-record-read-rate", window_rate(&self->rates[COUNT_READ], now));
    put_count(into, "sink-record-send-total", (int64_t)self->counts[COUNT_SENT]);
    put(into, "sink-record-send-rate", window_rate(&self->rates[COUNT_SENT], now));
    put_count(into, "sink-record-lag-max", lag_max(self));
    put_count(into, "sink-record-active-count", self->active);
    put(into, "sink-record-active-count-avg",
        window_average(&self->values[VALUE_ACTIVE], now));
    put(into, "sink-record-active-count-max",
        window_highest(&self->values[VALUE_ACTIVE], now));
    put_count(into, "partition-count", (int64_t)self->place_count);
    put_count(into, "offset-commit-seq-no", (int64_t)self->counts[COUNT_COMMITS]);
    put_count(into, "offset-commit-completion-total",
              (int64_t)self->counts[COUNT_COMMITS]);
    put(into, "offset-commit-completion-rate",
        window_rate(&self->rates[COUNT_COMMITS], now));
    put_count(into, "offset-commit-skip-total", (int64_t)self->counts[COUNT_SKIPS]);
    put(into, "offset-commit-skip-rate", window_rate(&self->rates[COUNT_SKIPS], now));
    put(into, "put-batch-avg-time-ms",
        window_average(&self->values[VALUE_PUT_MS], now));
    put(into, "put-batch-max-time-ms",
        window_highest(&self->values[VALUE_PUT_MS], now));
}

/* What was counted since the last look goes into the rates. */
static void note_counts(figures *self, int64_t now)
{
    for (size_t i = 0; i < FIGURE_COUNTS; i++) {
        uint64_t count = self->counts[i];
        if (count != self->seen[i]) {
            window_note(&self->rates[i], (double)(count - self->seen[i]), now);
            self->seen[i] = count;
        }
    }
}

json_t *figures_json(figures *self, bool is_source)
{
    json_t *into = json_object();
    int64_t now = clock_ms();
    pthread_mutex_lock(&self->lock);
    note_counts(self, now);
    settle(self, now);
    put_task(self, into, now);
    if (is_source) {
        put_source(self, into, now);
    } else {
        put_sink(self, into, now);
    }
    pthread_mutex_unlock(&self->lock);
    return into;
}

json_t *figures_places_json(figures *self)
{
    json_t *list = NULL;
    pthread_mutex_lock(&self->lock);
    if (self->places_new) {
        list = json_array();
        for (size_t i = 0; i < self->place_count && i < FIGURE_PLACES_MAX; i++) {
            const figure_place *one = &self->places[i];
            json_array_append_new(
                list, json_pack("[s,i,I,I,I]", one->topic, (int)one->partition,
                                (json_int_t)one->next, (json_int_t)one->committed,
                                (json_int_t)one->lag));
        }
        self->places_new = false;
    }
    pthread_mutex_unlock(&self->lock);
    return list;
}
