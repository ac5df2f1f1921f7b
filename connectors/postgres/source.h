/* connectors/postgres/source.h - the source task: snapshot, then stream.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_SOURCE_H
#define SLUICE_POSTGRES_SOURCE_H

#include "plan.h"
#include "snapshot.h"
#include <sluice/plugin.h>

typedef enum phase {
    PHASE_START,    /* What to do is to be decided, again after a broken snapshot. */
    PHASE_CATCH_UP, /* Streaming up to a new snapshot. */
    PHASE_SNAPSHOT,
    PHASE_STREAM,
    PHASE_DONE, /* There is nothing more to do. */
} phase;

typedef struct source {
    const postgres_config *config;
    sluice_task *task;
    filter *filter;
    envelope *envelope;
    relations *relations;
    sluice_arena *constants;
    connection query;
    connection exporter; /* Holds a temporary slot until its snapshot is imported. */
    stream stream;
    capture capture;
    snapshot *snapshot;
    slot_start snapshot_start;
    bool ends_after_snapshot;
    bool decodes; /* The server has been one to capture changes from. */
    bool began;   /* What it took counts, not what was stored when it was made. */
    lsn known;    /* The furthest that the slot was told, or stood; 0: not known. */
    phase phase;
    int slot_tries;        /* To stream from a slot that somebody else has. */
    int64_t slot_retry_ms; /* When to try again; 0: now. */
    const progress *progress;
    int64_t told_ms;  /* When metrics were told last. */
    bool untold;      /* Something came since then. */
    lsn head;         /* Of the server's log, when it was asked. */
    int64_t asked_ms; /* When that was. */
    int64_t taken_us,
        stored_us; /* When a change came; when the last stored committed. */
    int64_t server_timeout_ms;
    int64_t heartbeat_ms; /* When the last one was written. */
    int64_t offer_ms;     /* When the last position without a record was. */
    int64_t gather_us;    /* How long changes gather; 0: they are taken at once. */
    size_t drained;       /* Changes that came the last time. */
    int64_t since_us;     /* Their rate is measured from here … */
    int64_t changes;      /* … over so many. */
} source;

extern const sluice_source_ops postgres_source_ops;

/* start.c: connects, prepares the server, decides, and sets the phase. */
sluice_status source_start(source *self, sluice_error *err);

#endif
