/* connectors/postgres/progress.h - where the source stands, as numbers for metrics and
 * as a sentence for /status.
 *
 * The numbers are sluice_task_gauge()s: our own (`lag.bytes`, `snapshot.rows`, …) and
 * those of Debezium's dashboards, debezium_metrics_NAME with the labels context, name
 * (topic.prefix) and plugin.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_PROGRESS_H
#define SLUICE_POSTGRES_PROGRESS_H

#include "config.h"
#include "lsn.h"
#include <sluice/arena.h>
#include <sluice/task.h>

/* Of a snapshot. What is left is the server's estimate; of a table that is read nothing
 * is, however wrong that was. */
typedef struct snapshot_figures {
    bool running, completed, aborted;
    int64_t tables, tables_left;
    int64_t rows, rows_left;  /* -1: not known. */
    int64_t begin_ms, end_ms; /* Monotonic; `end_ms` while it runs: now. */
} snapshot_figures;

/* Of the stream. */
typedef struct stream_figures {
    bool connected;
    lsn head;         /* The furthest that is known of the server's log. */
    lsn acknowledged; /* All before it is stored, and the server was told. */
    int64_t event_us; /* When the last change was committed, since 1970; 0: none. */
    int64_t taken_us; /* When it came; 0: none did. */
    int64_t acknowledged_us; /* When the last stored change was committed; 0: none. */
    uint64_t events, filtered, transactions;
} stream_figures;

typedef struct progress progress;

/* The names are made once, in `arena`. */
progress *progress_new(sluice_arena *arena, sluice_task *task,
                       const postgres_config *config);

void progress_snapshot(const progress *self, const snapshot_figures *figures);
void progress_stream(const progress *self, const stream_figures *figures,
                     int64_t now_us);

/* Milliseconds until a snapshot ends at its rate so far, -1: not known. */
int64_t progress_left_ms(const snapshot_figures *figures);

/* "public.t, table 2 of 5, 120000 of about 300000 rows, about 40 s left". */
enum { PROGRESS_TEXT_SIZE = 320 };
const char *progress_text(const snapshot_figures *figures, const char *table,
                          char out[PROGRESS_TEXT_SIZE]);

#endif
