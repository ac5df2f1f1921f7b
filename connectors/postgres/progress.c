/* connectors/postgres/progress.c - where the source stands. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Debezium's names, by the context they are of. */
enum {
    SNAPSHOT_RUNNING,
    SNAPSHOT_COMPLETED,
    SNAPSHOT_ABORTED,
    SNAPSHOT_DURATION,
    TABLES_LEFT,
    TABLES,
    CONNECTED,
    BEHIND,
    EVENTS,
    FILTERED,
    TRANSACTIONS,
    NAMES,
};
static const struct {
    const char *name;
    bool streaming;
} names[NAMES] = {
    {"SnapshotRunning", false},
    {"SnapshotCompleted", false},
    {"SnapshotAborted", false},
    {"SnapshotDurationInSeconds", false},
    {"RemainingTableCount", false},
    {"TotalTableCount", false},
    {"Connected", true},
    {"MilliSecondsBehindSource", true},
    {"TotalNumberOfEventsSeen", true},
    {"NumberOfEventsFiltered", true},
    {"NumberOfCommittedTransactions", true},
};

struct progress {
    sluice_task *task;
    const char *names[NAMES];
};

progress *progress_new(sluice_arena *arena, sluice_task *task,
                       const postgres_config *config)
{
    progress *self = sluice_arena_take(arena, sizeof *self);
    self->task = task;
    for (int i = 0; i < NAMES; i++) {
        self->names[i] = sluice_arena_print(
            arena, NULL,
            "debezium_metrics_%s{context=\"%s\",name=\"%s\",plugin=\"postgres\"}",
            names[i].name, names[i].streaming ? "streaming" : "snapshot",
            config->topic_prefix);
    }
    return self;
}

static void tell(const progress *self, int name, int64_t value)
{
    sluice_task_gauge(self->task, self->names[name], value);
}

/* All rows, as far as known. -1: not known. */
static int64_t expected(const snapshot_figures *figures)
{
    int64_t sum;
    bool known = figures->rows_left >= 0 &&
                 !__builtin_add_overflow(figures->rows, figures->rows_left, &sum);
    return known ? sum : -1;
}

int64_t progress_left_ms(const snapshot_figures *figures)
{
    int64_t spent = figures->end_ms - figures->begin_ms;
    if (figures->rows_left < 0 || figures->rows == 0 || spent <= 0) {
        return -1;
    }
    double time = (double)figures->rows_left / (double)figures->rows * (double)spent;
    return time < 1e15 ? (int64_t)time : -1;
}

void progress_snapshot(const progress *self, const snapshot_figures *figures)
{
    int64_t left_ms = figures->running ? progress_left_ms(figures) : 0;
    sluice_task_gauge(self->task, "snapshot.rows", figures->rows);
    sluice_task_gauge(self->task, "snapshot.rows.expected", expected(figures));
    sluice_task_gauge(self->task, "snapshot.seconds.left",
                      left_ms < 0 ? -1 : left_ms / 1000);
    tell(self, SNAPSHOT_RUNNING, figures->running);
    tell(self, SNAPSHOT_COMPLETED, figures->completed);
    tell(self, SNAPSHOT_ABORTED, figures->aborted);
    tell(self, SNAPSHOT_DURATION, (figures->end_ms - figures->begin_ms) / 1000);
    tell(self, TABLES_LEFT, figures->tables_left);
    tell(self, TABLES, figures->tables);
}

void progress_stream(const progress *self, const stream_figures *figures,
                     int64_t now_us)
{
    bool behind = figures->head > figures->acknowledged;
    int64_t bytes = behind ? (int64_t)(figures->head - figures->acknowledged) : 0;
    int64_t since =
        figures->acknowledged_us > 0 ? now_us - figures->acknowledged_us : 0;
    sluice_task_gauge(self->task, "lag.bytes", bytes);
    sluice_task_gauge(self->task, "lag.seconds",
                      behind && since > 0 ? since / 1000000 : 0);
    tell(self, CONNECTED, figures->connected);
    tell(self, BEHIND,
         figures->taken_us == 0 ? -1 : (figures->taken_us - figures->event_us) / 1000);
    tell(self, EVENTS, (int64_t)figures->events);
    tell(self, FILTERED, (int64_t)figures->filtered);
    tell(self, TRANSACTIONS, (int64_t)figures->transactions);
}

const char *progress_text(const snapshot_figures *figures, const char *table,
                          char out[PROGRESS_TEXT_SIZE])
{
    int64_t left_ms = progress_left_ms(figures);
    int len = snprintf(out, PROGRESS_TEXT_SIZE,
                       "snapshot of %.128s, table %" PRId64 " of %" PRId64 ", %" PRId64,
                       table, figures->tables - figures->tables_left, figures->tables,
                       figures->rows);
    size_t at = len < PROGRESS_TEXT_SIZE ? (size_t)len : PROGRESS_TEXT_SIZE - 1;
    if (expected(figures) >= 0) {
        len = snprintf(out + at, PROGRESS_TEXT_SIZE - at, " of about %" PRId64 " rows",
                       expected(figures));
    } else {
        len = snprintf(out + at, PROGRESS_TEXT_SIZE - at, " rows");
    }
    at += (size_t)len < PROGRESS_TEXT_SIZE - at ? (size_t)len : 0;
    if (left_ms >= 0) {
        snprintf(out + at, PROGRESS_TEXT_SIZE - at, ", about %" PRId64 " s left",
                 (left_ms + 999) / 1000);
    }
    return out;
}
