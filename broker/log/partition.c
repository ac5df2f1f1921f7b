/* broker/log/partition.c - a partition's life: opened, configured, rolled, closed,
 * deleted. */
#include "broker/log/partition.h"
#include "base/memory.h"
#include "base/text.h"
#include "broker/log/file.h"
#include "broker/log/partition_internal.h"
#include "protocol/error_code.h"

#include <assert.h>
#include <errno.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static partition *make(log_dir *dir, const char *topic, int32_t number,
                       const uuid *topic_id, const log_config *config)
{
    partition *self = memory_zero(sizeof(*self));
    atomic_init(&self->references, 1);
    self->dir = dir;
    self->topic = memory_text(topic);
    self->number = number;
    self->topic_id = *topic_id;
    self->path = memory_print("%s/%s-%d", dir->path, topic, number);
    self->config = *config;
    self->folder_changes = 1;
    self->waits_last = &self->waits;
    self->watches.next = self->watches.previous = &self->watches;
    pthread_mutex_init(&self->lock, NULL);
    pthread_mutex_init(&self->watch_lock, NULL);
    return self;
}

static void free_partition(partition *self)
{
    assert(self->waits == NULL && self->watches.next == &self->watches);
    for (size_t i = 0; i < self->segment_count; i++) {
        segment_unref(self->segments[i]);
    }
    hot_tail_done(&self->hot, &self->dir->hot_bytes);
    epoch_cache_done(&self->epochs);
    producer_state_done(&self->producers);
    pthread_mutex_destroy(&self->lock);
    pthread_mutex_destroy(&self->watch_lock);
    free(self->segments);
    free(self->topic);
    free(self->path);
    free(self);
}

sluice_status partition_open(log_dir *dir, const char *topic, int32_t number,
                             const uuid *topic_id, const log_config *config,
                             partition **ret_partition, sluice_error *err)
{
    partition *self = make(dir, topic, number, topic_id, config);
    sluice_status status = partition_load(self, err);
    if (status != SLUICE_OK) {
        sluice_prefix(err, "partition '%s-%d'", topic, number);
        free_partition(self);
        return status;
    }
    log_dir_attach(dir, self);
    *ret_partition = self;
    return SLUICE_OK;
}

partition *partition_open_offline(log_dir *dir, const char *topic, int32_t number,
                                  const uuid *topic_id, const log_config *config)
{
    partition *self = make(dir, topic, number, topic_id, config);
    self->failed = self->offline = true;
    partition_add_segment(self, segment_new(self->path, 0, 0));
    log_dir_attach(dir, self);
    return self;
}

partition *partition_ref(partition *self)
{
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

/* Everything that a clean start relies on, except the final sync of the small files,
 * which is one for all partitions. */
static sluice_status close_files(partition *self, sluice_error *err)
{
    for (size_t i = 0; i < self->segment_count; i++) {
        segment *each = self->segments[i];
        if (each->synced < each->size && self->dir->disk.sync(each->fd) != 0) {
            return sluice_fail(err, SLUICE_FATAL, "cannot sync '%s.log'", each->path);
        }
    }
    self->durable = self->log_end;
    sluice_status status = partition_cut_remains(self, err);
    if (self->log_end == 0) {
        return status; /* Nothing was ever written: there are no files. */
    }
    if (status == SLUICE_OK && partition_active(self)->loaded) {
        status = segment_seal(partition_active(self), err);
    }
    return status == SLUICE_OK ? partition_write_snapshot(self, err) : status;
}

static void close_partition(partition *self)
{
    sluice_error *err = sluice_error_new();
    bool closed = true;
    if (!self->deleted && !self->dir->abandoned) {
        closed = self->failed
                     ? sluice_fail(err, SLUICE_FATAL, "its disk failed") == SLUICE_OK
                     : close_files(self, err) == SLUICE_OK;
    }
    if (!closed) {
        sluice_log(SLUICE_WARN, "broker.log",
                   "partition '%s-%d' could not be closed cleanly: %s; the next start "
                   "scans it",
                   self->topic, self->number, sluice_error_text(err));
    }
    sluice_error_free(err);
    saved_offsets offsets = {self->durable, self->log_start};
    if (self->offline) {
        offsets = log_dir_saved(self->dir, self->topic, self->number);
    }
    log_dir_detach(self->dir, self, offsets, closed);
}

void partition_unref(partition *self)
{
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    close_partition(self);
    free_partition(self);
}

const char *partition_topic(const partition *self)
{
    return self->topic;
}

int32_t partition_number(const partition *self)
{
    return self->number;
}

uuid partition_topic_id(const partition *self)
{
    return self->topic_id;
}

int64_t partition_producer_id_max(partition *self)
{
    int64_t highest = -1;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < self->producers.room; i++) {
        int64_t id = self->producers.entries[i].producer_id;
        highest = id > highest ? id : highest;
    }
    pthread_mutex_unlock(&self->lock);
    return highest;
}

void partition_set_config(partition *self, const log_config *config)
{
    pthread_mutex_lock(&self->lock);
    self->config = *config;
    pthread_mutex_unlock(&self->lock);
}

/* ---- Segments -------------------------------------------------------------------- */

void partition_add_segment(partition *self, segment *added)
{
    if (self->segment_count == self->segment_room) {
        self->segment_room = self->segment_room == 0 ? 2 : 2 * self->segment_room;
        self->segments =
            memory_resize(self->segments, self->segment_room * sizeof(segment *));
    }
    self->segments[self->segment_count++] = added;
    self->recent_count = 0;
}

sluice_status partition_cut_remains(partition *self, sluice_error *err)
{
    segment *active = partition_active(self);
    sluice_status status =
        self->uncut ? segment_cut(active, active->size, err) : SLUICE_OK;
    self->uncut &= status != SLUICE_OK;
    return status;
}

sluice_status partition_roll(partition *self, sluice_error *err)
{
    segment *active = partition_active(self), *next;
    assert(active->size > 0);
    sluice_status status = partition_cut_remains(self, err);
    if (status == SLUICE_OK && self->folder_synced < self->folder_changes) {
        /* No segment is there after a power loss without those before it. */
        status = file_sync_folder(self->path, err);
    }
    if (status == SLUICE_OK) {
        status = segment_create(self->path, self->log_end, &next, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    /* Indexes and snapshots can be made anew from the log, so only the log matters. */
    if (segment_seal(active, err) != SLUICE_OK ||
        partition_write_snapshot(self, err) != SLUICE_OK) {
        sluice_log(SLUICE_WARN, "broker.log",
                   "an index of partition '%s-%d' could not be written: %s; it is made "
                   "anew when it is needed",
                   self->topic, self->number, sluice_error_text(err));
        sluice_error_clear(err);
    }
    partition_add_segment(self, next);
    self->folder_changes++;
    partition_want_sync(self);
    return SLUICE_OK;
}

/* ---- Watermarks ------------------------------------------------------------------ */

int64_t partition_log_start_offset(partition *self)
{
    pthread_mutex_lock(&self->lock);
    int64_t offset = self->log_start;
    pthread_mutex_unlock(&self->lock);
    return offset;
}

int64_t partition_high_watermark(partition *self)
{
    pthread_mutex_lock(&self->lock);
    int64_t offset = partition_watermark(self, NULL);
    pthread_mutex_unlock(&self->lock);
    return offset;
}

int64_t partition_stable_offset(partition *self)
{
    int64_t watermark = partition_watermark(self, NULL);
    int64_t first = producer_state_first_unstable(&self->producers, watermark);
    return first < watermark ? first : watermark;
}

int64_t partition_last_stable_offset(partition *self)
{
    pthread_mutex_lock(&self->lock);
    int64_t offset = partition_stable_offset(self);
    pthread_mutex_unlock(&self->lock);
    return offset;
}

int64_t partition_log_end_offset(partition *self)
{
    pthread_mutex_lock(&self->lock);
    int64_t offset = self->log_end;
    pthread_mutex_unlock(&self->lock);
    return offset;
}

int32_t partition_leader_epoch(partition *self)
{
    return self->leader_epoch; /* Never changes. */
}

void partition_epoch_end(partition *self, int32_t epoch, int32_t *ret_epoch,
                         int64_t *ret_end_offset)
{
    pthread_mutex_lock(&self->lock);
    if (epoch == self->leader_epoch) {
        *ret_epoch = epoch;
        *ret_end_offset = self->log_end;
    } else if (epoch < 0 || epoch > self->leader_epoch) {
        *ret_epoch = -1;
        *ret_end_offset = -1;
    } else {
        epoch_cache_end_of(&self->epochs, epoch, self->log_end, ret_epoch,
                           ret_end_offset);
    }
    pthread_mutex_unlock(&self->lock);
}

int64_t partition_size(partition *self)
{
    int64_t size = 0;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < self->segment_count; i++) {
        size += self->segments[i]->size;
    }
    pthread_mutex_unlock(&self->lock);
    return size;
}

/* ---- Delete ---------------------------------------------------------------------- */

void partition_rename_away(const partition *self, const char *suffix)
{
    uuid unique = uuid_random();
    char digits[2 * sizeof(unique.bytes) + 1];
    text_hex(digits, unique.bytes, sizeof(unique.bytes));
    char *away = memory_print("%s.%s-%s", self->path, digits, suffix);
    if (rename(self->path, away) != 0) {
        sluice_log(SLUICE_WARN, "broker.log",
                   "cannot rename '%s' to '%s': %s; the directory stays", self->path,
                   away, strerror(errno));
    }
    free(away);
}

void partition_delete(partition *self)
{
    pthread_mutex_lock(&self->lock);
    bool already = self->deleted;
    self->deleted = true;
    pthread_mutex_unlock(&self->lock);
    if (already) {
        return;
    }
    log_dir_forget(self->dir, self);
    partition_rename_away(self, "delete");
    partition_cancel_waits(self, ERROR_NOT_LEADER_OR_FOLLOWER);
    partition_wake(self, 0, true);
}
