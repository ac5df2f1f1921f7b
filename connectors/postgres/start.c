/* connectors/postgres/start.c - from a configuration and what is stored to the first
 * phase.
 */
#include "server.h"
#include "source.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define LOGGER "connectors.postgres"

/* --- What is stored, and whether it is of this server. --- */

/* What there is to decide from. */
typedef struct findings {
    server_facts server;
    slot_facts slot;
    pg_position done; /* Stored, or taken since then. */
    plan_facts plan;
    lsn left; /* Where the server left the timeline of `done`. */
} findings;

static sluice_status read_offset(source *self, findings *here, sluice_error *err)
{
    const sluice_value *offset = sluice_offsets_find(
        sluice_task_offsets(self->task), envelope_partition(self->envelope));
    here->plan.has_offset = offset != NULL && position_read(offset, &here->done);
    here->plan.in_snapshot = here->plan.has_offset && here->done.in_snapshot;
    const sluice_value *stored = here->plan.has_offset ? position_system(offset) : NULL;
    if (stored == NULL || sluice_value_is_text(stored, here->server.system) ||
        here->done.in_snapshot) {
        return SLUICE_OK;
    }
    sluice_bytes text = sluice_value_bytes(stored);
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "the stored position is of database system %.*s, and '%s:%d' "
                       "is %s: connect to the former, or delete the connector's "
                       "offsets to begin anew",
                       (int)text.len, (const char *)text.base, self->config->hostname,
                       (int)self->config->port, here->server.system);
}

/* Where to go on: behind what was taken in this run, or else behind what is stored. */
static sluice_status find_position(source *self, findings *here, sluice_error *err)
{
    if (self->began) {
        here->done = self->capture.done;
        here->plan.has_offset = here->plan.resumes = true;
        return SLUICE_OK;
    }
    sluice_status status = read_offset(self, here, err);
    if (status == SLUICE_OK && here->plan.has_offset && !here->done.in_snapshot &&
        here->done.version >= 2) {
        self->known = here->done.end;
    }
    return status;
}

/* A server that was promoted, or restored from a backup, goes on with another log than
 * the one that the position is of; the same up to where it left that one. */
static sluice_status check_log(source *self, findings *here, sluice_error *err)
{
    pg_position *done = &here->done;
    if (!here->plan.has_offset || here->plan.in_snapshot) {
        return SLUICE_OK;
    }
    here->plan.diverged = done->end > here->server.end;
    if (done->timeline == 0 || done->timeline == here->server.timeline) {
        return SLUICE_OK;
    }
    sluice_status status =
        server_diverged(&self->stream.link, done->timeline, here->server.timeline,
                        done->end, &here->plan.diverged, &here->left, err);
    if (status == SLUICE_OK && !here->plan.diverged) {
        char text[LSN_TEXT_SIZE];
        sluice_log(
            SLUICE_WARN, LOGGER,
            "the server is on timeline %u now, and was on %u: it was promoted or "
            "restored; its log is the same up to the stored position, going on "
            "from there lsn=%s",
            (unsigned)here->server.timeline, (unsigned)done->timeline,
            lsn_print(done->end, text));
    }
    return status;
}

/* A slot never stands behind what we told it, unless somebody moved it or made it anew.
 * How far Debezium may have told it is not in its offsets. */
static void check_slot(source *self, findings *here)
{
    pg_position *done = &here->done;
    if (!here->slot.exists || !here->plan.has_offset || here->plan.in_snapshot ||
        here->plan.diverged || done->end == 0) {
        return;
    }
    bool manual = self->config->flush_mode == FLUSH_MANUAL; /* Others move it then. */
    lsn known = manual ? 0 : self->known, confirmed = here->slot.confirmed;
    lsn begin = plan_begin(self->config, done->end, known, confirmed, &here->plan.gap);
    if (confirmed > done->end && !here->plan.gap && (known == 0 || confirmed > known)) {
        char there[LSN_TEXT_SIZE], text[LSN_TEXT_SIZE];
        sluice_log(SLUICE_WARN, LOGGER,
                   "slot '%s' stands at %s, behind the stored position %s; changes in "
                   "between, if there were any, are not delivered",
                   self->config->slot, lsn_print(confirmed, there),
                   lsn_print(done->end, text));
    }
    if (begin < done->end) {
        *done = (pg_position){.end = begin, .version = 2};
    }
    done->end = begin;
}

/* --- The ways to begin. --- */

/* snapshot.delay.ms, unless the task is stopped first. */
static sluice_status wait_before_snapshot(source *self, sluice_error *err)
{
    struct pollfd stop = {sluice_task_stop_fd(self->task), POLLIN, 0};
    int64_t delay = self->config->snapshot_delay_ms;
    if (delay > 0 && poll(&stop, 1, (int)delay) > 0) {
        return sluice_fail(err, SLUICE_RETRY, "stopped before the snapshot");
    }
    return SLUICE_OK;
}

/* Creates a slot with a snapshot through `replication`, and imports it. */
static sluice_status begin_snapshot(source *self, connection *replication,
                                    const char *slot, bool temporary, sluice_error *err)
{
    sluice_status status = wait_before_snapshot(self, err);
    if (status == SLUICE_OK) {
        sluice_task_doing(self->task, "waiting for a slot to be created");
        status = slot_create(replication, &self->query, slot, temporary, true,
                             &self->snapshot_start, err);
    }
    if (status == SLUICE_OK) {
        status =
            snapshot_new(self->config, self->task, self->filter, &self->snapshot_start,
                         self->progress, &self->snapshot, err);
    }
    sluice_task_doing(self->task, NULL);
    return status;
}

static sluice_status snapshot_of_new_slot(source *self, sluice_error *err)
{
    sluice_status status =
        begin_snapshot(self, &self->stream.link, self->config->slot, false, err);
    if (status == SLUICE_OK) {
        sluice_log(SLUICE_INFO, LOGGER, "slot '%s' created", self->config->slot);
        self->known = self->snapshot_start.at;
        self->phase = PHASE_SNAPSHOT;
    }
    return status;
}

/* A snapshot at a temporary slot, which ends with `exporter`. */
static sluice_status snapshot_aside(source *self, sluice_error *err)
{
    char name[64];
    snprintf(name, sizeof name, "sluice_%llx", (unsigned long long)clock_us());
    sluice_status status = connection_open(&self->exporter, err);
    if (status == SLUICE_OK) {
        status = begin_snapshot(self, &self->exporter, name, true, err);
    }
    connection_close(&self->exporter);
    return status;
}

static sluice_status snapshot_behind_slot(source *self, sluice_error *err)
{
    char text[LSN_TEXT_SIZE];
    sluice_status status = snapshot_aside(self, err);
    if (status == SLUICE_OK) {
        sluice_log(
            SLUICE_INFO, LOGGER,
            "slot '%s' is there and no snapshot of it has ended; changes since it "
            "began are delivered first, then a new snapshot lsn=%s",
            self->config->slot, lsn_print(self->snapshot_start.at, text));
        self->phase = PHASE_CATCH_UP;
        self->capture.until = self->snapshot_start.at;
        self->capture.before_snapshot = true;
    }
    return status;
}

static sluice_status only_snapshot(source *self, sluice_error *err)
{
    sluice_status status = snapshot_aside(self, err);
    if (status == SLUICE_OK) {
        self->phase = PHASE_SNAPSHOT;
        self->ends_after_snapshot = true;
    }
    return status;
}

static sluice_status stream_of_new_slot(source *self, sluice_error *err)
{
    slot_start start;
    sluice_task_doing(self->task, "waiting for a slot to be created");
    sluice_status status = slot_create(&self->stream.link, &self->query,
                                       self->config->slot, false, false, &start, err);
    sluice_task_doing(self->task, NULL);
    if (status == SLUICE_OK) {
        sluice_log(SLUICE_INFO, LOGGER, "slot '%s' created", self->config->slot);
        pg_position none = {.end = start.at, .version = 2};
        capture_resume(&self->capture, &none);
        self->capture.offered = 0; /* So that it is stored at once. */
        self->capture.asked = true;
        self->known = start.at;
        self->phase = PHASE_STREAM;
    }
    return status;
}

static sluice_status refuse(const source *self, plan way, const findings *here,
                            sluice_error *err)
{
    static const char remedy[] =
        "set snapshot.mode=when_needed, or delete the connector's offsets, to read the "
        "tables again";
    const char *slot = self->config->slot;
    char one[LSN_TEXT_SIZE], two[LSN_TEXT_SIZE];
    if (way == PLAN_MISSING) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "slot '%s' does not exist any more, and changes since the "
                           "stored position are lost: %s",
                           slot, remedy);
    }
    if (way == PLAN_LOST) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "slot '%s' is invalid, because the server says: %s (see "
            "max_slot_wal_keep_size), and changes since the stored "
            "position are lost: set snapshot.mode=when_needed to drop it "
            "and read the tables again",
            slot, here->slot.reason);
    }
    if (way == PLAN_GAP) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "slot '%s' stands at %s, behind the stored position %s: it "
                           "was created anew "
                           "or moved, and changes in between are lost: %s; or go on "
                           "from the slot with "
                           "offset.mismatch.strategy=trust_slot",
                           slot, lsn_print(here->slot.confirmed, one),
                           lsn_print(here->done.end, two), remedy);
    }
    if (here->left > 0) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "the stored position %s is of timeline %u, which the server, now on %u, "
            "left "
            "at %s: changes were delivered that it does not have, because a standby "
            "was "
            "promoted that had not got them, or a backup was restored: %s",
            lsn_print(here->done.end, one), (unsigned)here->done.timeline,
            (unsigned)here->server.timeline, lsn_print(here->left, two), remedy);
    }
    return sluice_fail(
        err, SLUICE_BAD_CONFIG,
        "the server's log (timeline %u) ends at %s and has not got as far as the "
        "stored "
        "position %s of timeline %u: was an older backup restored, or is this another "
        "standby? Connect to the right server, or %s",
        (unsigned)here->server.timeline, lsn_print(here->server.end, one),
        lsn_print(here->done.end, two), (unsigned)here->done.timeline, remedy);
}

static sluice_status begin(source *self, plan way, const findings *here,
                           sluice_error *err)
{
    switch (way) {
    case PLAN_STREAM:
        self->phase = PHASE_STREAM;
        return SLUICE_OK;
    case PLAN_STREAM_NEW:
        return stream_of_new_slot(self, err);
    case PLAN_SNAPSHOT_NEW:
        return snapshot_of_new_slot(self, err);
    case PLAN_SNAPSHOT_AGAIN:
        return snapshot_behind_slot(self, err);
    case PLAN_SNAPSHOT_ONLY:
        return only_snapshot(self, err);
    case PLAN_NOTHING:
        self->phase = PHASE_DONE;
        return SLUICE_OK;
    case PLAN_MISSING:
    case PLAN_LOST:
    case PLAN_GAP:
    case PLAN_DIVERGED:
        break;
    }
    return refuse(self, way, here, err);
}

static sluice_status connect_all(source *self, findings *here, sluice_error *err)
{
    bool goes_on =
        self->decodes || sluice_offsets_find(sluice_task_offsets(self->task),
                                             envelope_partition(self->envelope));
    sluice_status status = connection_open(&self->query, err);
    if (status == SLUICE_OK) {
        status = server_check(&self->query, goes_on, &self->server_timeout_ms, err);
    }
    self->decodes = self->decodes || status == SLUICE_OK;
    if (status == SLUICE_OK) {
        status = publication_prepare(&self->query, self->filter, err);
    }
    if (status == SLUICE_OK) {
        status = connection_open(&self->stream.link, err);
    }
    if (status == SLUICE_OK) {
        status = server_identify(&self->stream.link, &here->server, err);
    }
    return status;
}

static sluice_status look(source *self, findings *here, sluice_error *err)
{
    sluice_status status = find_position(self, here, err);
    if (status == SLUICE_OK) {
        status = check_log(self, here, err);
    }
    if (status == SLUICE_OK) {
        status = slot_find(&self->query, &here->slot, err);
    }
    if (status == SLUICE_OK) {
        here->plan.slot_exists = here->slot.exists;
        here->plan.slot_lost = here->slot.lost;
        check_slot(self, here);
    }
    return status;
}

static sluice_status decide(source *self, findings *here, sluice_error *err)
{
    bool drop;
    plan way = plan_make(self->config, &here->plan, &drop);
    if (drop) {
        sluice_log(SLUICE_WARN, LOGGER, "slot '%s' is invalid (%s); dropping it",
                   self->config->slot, here->slot.reason);
        sluice_status status = slot_drop(&self->query, self->config->slot, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    if (way == PLAN_STREAM || way == PLAN_SNAPSHOT_AGAIN) {
        pg_position none = {.version = 2};
        bool usable =
            here->plan.has_offset && !here->plan.in_snapshot && !here->plan.diverged;
        capture_resume(&self->capture, usable ? &here->done : &none);
        self->stream.flush = usable ? self->known : 0;
        self->known = usable ? self->known : here->slot.confirmed;
    }
    self->began = self->began && way == PLAN_STREAM;
    return begin(self, way, here, err);
}

sluice_status source_start(source *self, sluice_error *err)
{
    findings here = {.left = 0};
    sluice_status status = connect_all(self, &here, err);
    if (status == SLUICE_OK) {
        position_writer_init(&self->capture.writer, self->constants, self->config->slot,
                             here.server.system, here.server.timeline);
        status = look(self, &here, err);
    }
    return status == SLUICE_OK ? decide(self, &here, err) : status;
}
