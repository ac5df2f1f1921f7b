/* broker/log/partition_retention.c - old segments go, and what the background keeps in
 * order.
 *
 * A deleted file's space is given back when the last reader lets go of its segment,
 * which holds the file open; so the files are unlinked at once and file.delete.delay.ms
 * has nothing to wait for. */
#include "base/memory.h"
#include "broker/log/file.h"
#include "broker/log/partition_internal.h"
#include "protocol/error_code.h"

#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The newest time in a segment; without timestamps when its file was last written. */
static int64_t newest_ms(partition *self, segment *which)
{
    struct stat about;
    if (partition_ready_segment(self, which, NULL) != SLUICE_OK) {
        return INT64_MAX;
    }
    if (which->max_timestamp >= 0 || fstat(which->fd, &about) != 0) {
        return which->max_timestamp >= 0 ? which->max_timestamp : INT64_MAX;
    }
    return about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
}

static bool is_too_old(partition *self, segment *which, int64_t now_ms)
{
    int64_t age;
    return self->config.cleanup_delete && self->config.retention_ms >= 0 &&
           which->size > 0 &&
           !__builtin_sub_overflow(now_ms, newest_ms(self, which), &age) &&
           age > self->config.retention_ms;
}

static bool is_too_much(const partition *self, const segment *which, int64_t total)
{
    return self->config.cleanup_delete && self->config.retention_bytes >= 0 &&
           total - which->size >= self->config.retention_bytes;
}

/* Whether segment `i`, the oldest one left, is to go: it must be below the high
 * watermark. `total`: the bytes of it and all behind it. */
static bool must_go(partition *self, size_t i, int64_t total, int64_t now_ms)
{
    segment *oldest = self->segments[i];
    bool last = i + 1 == self->segment_count;
    int64_t end = last ? self->log_end : self->segments[i + 1]->base_offset;
    if (oldest->size == 0 || end > partition_watermark(self, NULL)) {
        return false;
    }
    return is_too_old(self, oldest, now_ms) ||
           (!last && (is_too_much(self, oldest, total) || end <= self->log_start));
}

/* Where the log is to start: behind the segments that must go. Under the lock. */
static int64_t start_behind_old(partition *self, int64_t now_ms)
{
    size_t count = 0;
    int64_t total = 0;
    for (size_t i = 0; i < self->segment_count; i++) {
        total += self->segments[i]->size;
    }
    while (must_go(self, count, total, now_ms)) {
        if (count + 1 == self->segment_count &&
            partition_roll(self, NULL) != SLUICE_OK) {
            break;
        }
        total -= self->segments[count++]->size;
    }
    return count > 0 ? self->segments[count]->base_offset : -1;
}

/* Takes the segments below `start` out of the list, which keeps one. Under the lock. */
static size_t take_below(partition *self, int64_t start, segment **ret_old)
{
    size_t count = 0;
    while (count + 1 < self->segment_count &&
           self->segments[count + 1]->base_offset <= start) {
        ret_old[count] = self->segments[count];
        count++;
    }
    self->segment_count -= count;
    memmove(self->segments, self->segments + count,
            self->segment_count * sizeof(segment *));
    if (self->log_start < start) {
        self->log_start = start;
    }
    epoch_cache_truncate_start(&self->epochs, self->log_start);
    partition_write_epochs(self, NULL);
    return count;
}

/* A power loss can bring any of the files back, and a hole between those that are there
 * would look like one that the loss has made. So the new start is on disk before; where
 * it could not be saved, on a full disk, one deletion is before the next begins. */
static void delete_files(partition *self, segment **old, size_t count, bool saved)
{
    for (size_t i = 0; i < count; i++) {
        segment_delete_files(old[i]);
        segment_unref(old[i]);
        if (!saved) {
            file_sync_folder(self->path, NULL);
        }
    }
}

static int64_t choose_start(partition *self, int64_t now_ms)
{
    segment *active = partition_active(self);
    if (active->size > 0 && active->first_timestamp >= 0 &&
        now_ms - active->first_timestamp > self->config.segment_ms) {
        partition_roll(self, NULL);
    }
    return start_behind_old(self, now_ms);
}

static void want_start(partition *self, int64_t offset)
{
    if (offset > self->log_start_wanted) {
        self->log_start_wanted = offset;
    }
}

/* Nobody is shown the new start before it is on disk: a crash takes nothing back. A
 * disk where nothing can be saved, because it is full, is still given its space. */
size_t partition_apply_retention(partition *self, int64_t now_ms)
{
    pthread_mutex_lock(&self->lock);
    bool serves = !self->deleted && !self->failed;
    int64_t start = serves ? choose_start(self, now_ms) : -1;
    want_start(self, start);
    pthread_mutex_unlock(&self->lock);
    if (start < 0) {
        return 0;
    }
    bool saved = log_dir_checkpoint_log_starts(self->dir, NULL) == SLUICE_OK;
    pthread_mutex_lock(&self->lock);
    segment **old = memory_take(self->segment_count * sizeof(segment *));
    size_t count = self->deleted || self->failed ? 0 : take_below(self, start, old);
    pthread_mutex_unlock(&self->lock);
    delete_files(self, old, count, saved);
    free(old);
    if (count > 0) {
        partition_wake(self, 0, true);
    }
    return count;
}

/* `time_ms` + `more_ms`, and one: what is just as old stays. */
static int64_t after(int64_t time_ms, int64_t more_ms)
{
    int64_t sum;
    return __builtin_add_overflow(time_ms, more_ms, &sum) || sum == INT64_MAX
               ? INT64_MAX
               : sum + 1;
}

int64_t partition_retention_due(partition *self)
{
    int64_t due = INT64_MAX, roll = INT64_MAX;
    pthread_mutex_lock(&self->lock);
    segment *active = partition_active(self), *oldest = self->segments[0];
    bool serves = !self->deleted && !self->failed;
    if (serves && active->size > 0 && active->first_timestamp >= 0) {
        roll = after(active->first_timestamp, self->config.segment_ms);
    }
    if (serves && oldest->size > 0 && self->config.cleanup_delete &&
        self->config.retention_ms >= 0) {
        due = after(newest_ms(self, oldest), self->config.retention_ms);
    }
    if (serves && partition_watermark(self, NULL) < self->log_end) {
        due = 0;
    }
    pthread_mutex_unlock(&self->lock);
    return roll < due ? roll : due;
}

static sluice_status save_log_starts(partition *self)
{
    sluice_error *err = sluice_error_new();
    sluice_status status = log_dir_checkpoint_log_starts(self->dir, err);
    if (status != SLUICE_OK) {
        sluice_log(SLUICE_ERROR, "broker.log",
                   "records of '%s-%d' cannot be deleted: %s; they stay", self->topic,
                   self->number, sluice_error_text(err));
    }
    sluice_error_free(err);
    return status;
}

static int16_t check_deletion(partition *self, int64_t offset, int64_t watermark)
{
    return self->deleted                      ? ERROR_NOT_LEADER_OR_FOLLOWER
           : offset < 0 || offset > watermark ? ERROR_OFFSET_OUT_OF_RANGE
           : !self->config.cleanup_delete     ? ERROR_POLICY_VIOLATION
                                              : ERROR_NONE;
}

/* Saved before anybody sees it: a crash shows nobody again what he saw to be gone. */
static int16_t raise_log_start(partition *self, int64_t offset)
{
    pthread_mutex_lock(&self->lock);
    want_start(self, offset);
    pthread_mutex_unlock(&self->lock);
    bool saved = save_log_starts(self) == SLUICE_OK;
    pthread_mutex_lock(&self->lock);
    if (saved && offset > self->log_start) {
        self->log_start = offset;
    }
    if (!saved && self->log_start_wanted == offset) {
        self->log_start_wanted = self->log_start;
    }
    pthread_mutex_unlock(&self->lock);
    if (saved) {
        partition_wake(self, 0, true);
    }
    return saved ? ERROR_NONE : ERROR_KAFKA_STORAGE_ERROR;
}

int16_t partition_delete_records(partition *self, int64_t offset,
                                 int64_t *ret_low_watermark)
{
    pthread_mutex_lock(&self->lock);
    int64_t watermark = partition_watermark(self, NULL);
    offset = offset == -1 ? watermark : offset;
    int16_t error_code = check_deletion(self, offset, watermark);
    bool raised = error_code == ERROR_NONE && offset > self->log_start;
    pthread_mutex_unlock(&self->lock);
    if (raised) {
        error_code = raise_log_start(self, offset);
    }
    *ret_low_watermark =
        error_code == ERROR_NONE ? partition_log_start_offset(self) : -1;
    return error_code;
}

void partition_checkpoint(partition *self, int64_t now_ms)
{
    pthread_mutex_lock(&self->lock);
    segment *active = partition_active(self);
    if (!self->deleted && active->loaded) {
        segment_index_save(&active->index, active->path, NULL);
    }
    for (size_t i = 0; i + 1 < self->segment_count; i++) {
        segment_unload(self->segments[i]);
    }
    hot_tail_rest(&self->hot, &self->dir->hot_bytes);
    producer_state_expire(&self->producers,
                          now_ms - self->config.producer_id_expiration_ms,
                          PARTITION_PRODUCERS_MAX);
    if (self->end_bytes > 0 && self->config.flush_ms != INT64_MAX) {
        partition_want_sync(self);
    }
    pthread_mutex_unlock(&self->lock);
}
