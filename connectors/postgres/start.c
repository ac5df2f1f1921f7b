/* connectors/postgres/start.c - from a configuration and what is stored to the first
 * phase.
 */
#include "source.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define LOGGER "connectors.postgres"

/* --- What is stored, and whether it is of this server. --- */

static sluice_status read_offset(source *self, const char *system,
                                 pg_position *ret_done, bool *ret_found,
                                 sluice_error *err)
{
    const sluice_value *offset = sluice_offsets_find(
        sluice_task_offsets(self->task), envelope_partition(self->envelope));
    *ret_done = (pg_position){0};
    *ret_found = offset != NULL && position_read(offset, ret_done);
    const sluice_value *stored = *ret_found ? position_system(offset) : NULL;
    if (stored != NULL && !sluice_value_is_text(stored, system) &&
        !ret_done->in_snapshot) {
        sluice_bytes text = sluice_value_bytes(stored);
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "the stored position is of database system %.*s, and '%s:%d' "
            "is %s: connect to the former, or delete the connector's "
            "offsets to begin anew",
            (int)text.len, (const char *)text.base, self->config->hostname,
            (int)self->config->port, system);
    }
    return SLUICE_OK;
}

static sluice_status check_slot_behind(source *self, const slot_facts *slot,
                                       const pg_position *done, sluice_error *err)
{
    if (self->config->mismatch != MISMATCH_TRUST_OFFSET || done->end == 0 ||
        slot->confirmed <= done->end) {
        return SLUICE_OK;
    }
    char there[LSN_TEXT_SIZE], here[LSN_TEXT_SIZE];
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "slot '%s' stands at %s, behind the stored position %s, so that "
                       "changes in between may be missing (was it created anew?): set "
                       "offset.mismatch.strategy=trust_slot to go on from there, or "
                       "delete the connector's offsets to begin with a snapshot",
                       self->config->slot, lsn_print(slot->confirmed, there),
                       lsn_print(done->end, here));
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
        status = snapshot_new(self->config, self->task, self->filter,
                              &self->snapshot_start, &self->snapshot, err);
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
        self->phase = PHASE_STREAM;
    }
    return status;
}

static sluice_status begin(source *self, plan way, sluice_error *err)
{
    const char *slot = self->config->slot;
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
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "slot '%s' does not exist any more, and changes since the "
            "stored position are lost: set snapshot.mode=when_needed, or "
            "delete the connector's offsets, to read the tables again",
            slot);
    case PLAN_LOST:
        break;
    }
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "the server has removed changes that slot '%s' needs (its "
                       "wal_status is 'lost'; see max_slot_wal_keep_size): set "
                       "snapshot.mode=when_needed to drop it and read the tables again",
                       slot);
}

static sluice_status connect_all(source *self, char **ret_system, sluice_error *err)
{
    sluice_status status = connection_open(&self->query, err);
    if (status == SLUICE_OK) {
        status = server_check(&self->query, &self->server_timeout_ms, err);
    }
    if (status == SLUICE_OK) {
        status = publication_prepare(&self->query, self->filter, err);
    }
    if (status == SLUICE_OK) {
        status = connection_open(&self->stream.link, err);
    }
    if (status == SLUICE_OK) {
        status = server_identify(&self->stream.link, ret_system, err);
    }
    return status;
}

static sluice_status decide(source *self, const char *system, sluice_error *err)
{
    pg_position done;
    slot_facts slot;
    plan_facts facts = {.has_offset = false};
    sluice_status status = read_offset(self, system, &done, &facts.has_offset, err);
    if (status == SLUICE_OK) {
        status = slot_find(&self->query, &slot, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    facts.in_snapshot = facts.has_offset && done.in_snapshot;
    facts.slot_exists = slot.exists;
    facts.slot_lost = slot.lost;
    bool drop;
    plan way = plan_make(self->config, &facts, &drop);
    if (drop) {
        status = slot_drop(&self->query, self->config->slot, err);
    }
    if (status == SLUICE_OK && way == PLAN_STREAM) {
        status = check_slot_behind(self, &slot, &done, err);
    }
    if (facts.has_offset && !facts.in_snapshot) {
        self->capture.done = self->capture.ledger.stored = done;
    }
    return status == SLUICE_OK ? begin(self, way, err) : status;
}

sluice_status source_start(source *self, sluice_error *err)
{
    char *system = NULL;
    sluice_status status = connect_all(self, &system, err);
    if (status == SLUICE_OK) {
        position_writer_init(&self->capture.writer, self->constants, self->config->slot,
                             system);
        status = decide(self, system, err);
    }
    free(system);
    return status;
}
