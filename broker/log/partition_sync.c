/* broker/log/partition_sync.c - what is on disk, who waits for that, and who wants to
 * know that more can be read.
 *
 * The group commit needs no timer: while a partition's fdatasync() runs, appends go on;
 * those with acks=all ask for another turn, and this one covers all of them. */
#include "base/memory.h"
#include "broker/log/file.h"
#include "broker/log/partition_internal.h"
#include "protocol/error_code.h"

#include <assert.h>
#include <errno.h>
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>

int64_t partition_watermark(const partition *self, partition_gate *ret_gate)
{
    /* What is syncing was appended before what is pending. */
    const partition_gate *gate = self->syncing.closed ? &self->syncing : &self->pending;
    if (ret_gate != NULL) {
        *ret_gate = *gate;
        if (!gate->closed) {
            ret_gate->bytes = self->end_bytes;
            ret_gate->offset = self->log_end;
        }
    }
    return gate->closed ? gate->offset : self->log_end;
}

bool partition_syncs(const partition *self)
{
    return self->config.sync_always || !self->dir->sync_none;
}

void partition_want_sync(partition *self)
{
    if (self->sync_state == PARTITION_SYNC_IDLE) {
        self->sync_state = PARTITION_SYNC_QUEUED;
        log_dir_enqueue(self->dir, self);
    } else if (self->sync_state == PARTITION_SYNC_RUNNING) {
        self->sync_state = PARTITION_SYNC_AGAIN;
    }
}

/* ---- Waits ----------------------------------------------------------------------- */

bool partition_wait_durable(partition *self, partition_wait *wait, int64_t offset)
{
    wait->offset = offset;
    wait->next = NULL;
    pthread_mutex_lock(&self->lock);
    bool over = offset <= self->durable || !partition_syncs(self);
    int16_t error_code = self->failed    ? ERROR_KAFKA_STORAGE_ERROR
                         : self->deleted ? ERROR_NOT_LEADER_OR_FOLLOWER
                                         : ERROR_NONE;
    if (!over && error_code == ERROR_NONE) {
        *self->waits_last = wait;
        self->waits_last = &wait->next;
        if (self->sync_state != PARTITION_SYNC_RUNNING || offset > self->sync_end) {
            partition_want_sync(self);
        }
    }
    pthread_mutex_unlock(&self->lock);
    if (!over && error_code != ERROR_NONE) {
        wait->done(wait, error_code);
    }
    return !over;
}

/* Takes out those that are over: all of them with `all`. Under the lock. */
static partition_wait *take_waits(partition *self, bool all)
{
    partition_wait *taken = NULL, **taken_last = &taken, **at = &self->waits;
    while (*at != NULL) {
        partition_wait *wait = *at;
        if (all || wait->offset <= self->durable) {
            *at = wait->next;
            wait->next = NULL;
            *taken_last = wait;
            taken_last = &wait->next;
        } else {
            at = &wait->next;
        }
    }
    self->waits_last = at;
    return taken;
}

static void call_waits(partition_wait *wait, int16_t error_code)
{
    while (wait != NULL) {
        partition_wait *next = wait->next; /* done() may free it. */
        wait->done(wait, error_code);
        wait = next;
    }
}

void partition_cancel_waits(partition *self, int16_t error_code)
{
    pthread_mutex_lock(&self->lock);
    partition_wait *waits = take_waits(self, true);
    pthread_mutex_unlock(&self->lock);
    call_waits(waits, error_code);
}

/* ---- Watches --------------------------------------------------------------------- */

bool partition_watch_add(partition *self, partition_watch *watch)
{
    pthread_mutex_lock(&self->watch_lock);
    assert(watch->next == NULL);
    watch->next = &self->watches;
    watch->previous = self->watches.previous;
    watch->previous->next = watch;
    self->watches.previous = watch;
    pthread_mutex_unlock(&self->watch_lock);
    partition_gate gate;
    pthread_mutex_lock(&self->lock);
    partition_watermark(self, &gate);
    hot_tail_want(&self->hot);
    bool there = gate.bytes >= watch->wanted_bytes || self->deleted;
    pthread_mutex_unlock(&self->lock);
    return there;
}

void partition_watch_remove(partition *self, partition_watch *watch)
{
    pthread_mutex_lock(&self->watch_lock);
    if (watch->next != NULL) {
        watch->previous->next = watch->next;
        watch->next->previous = watch->previous;
        watch->next = watch->previous = NULL;
    }
    pthread_mutex_unlock(&self->watch_lock);
}

void partition_wake(partition *self, int64_t visible_bytes, bool always)
{
    pthread_mutex_lock(&self->watch_lock);
    for (partition_watch *watch = self->watches.next; watch != &self->watches;
         watch = watch->next) {
        if (always || visible_bytes >= watch->wanted_bytes) {
            watch->wake(watch);
        }
    }
    pthread_mutex_unlock(&self->watch_lock);
}

/* ---- The turn of a sync thread --------------------------------------------------- */

typedef struct sync_turn {
    segment *
        *segments; /* Referenced; those that have bytes to sync, the oldest first. */
    int64_t *sizes;
    bool *sealed; /* Their indexes too. */
    size_t count;
    int64_t end;
    int64_t folder; /* Its entries too, so many changes of them; 0: they are there. */
    bool deleted;
    bool failed; /* The outcome. */
} sync_turn;

static bool is_dirty(const segment *self)
{
    return self->synced < self->size || self->index_unsynced;
}

/* Dirty segments are at the end; the last may be new and still empty. */
static void take_dirty(partition *self, sync_turn *turn)
{
    size_t first = self->segment_count;
    while (first > 0 && (is_dirty(self->segments[first - 1]) ||
                         self->segments[first - 1]->size == 0)) {
        first--;
    }
    turn->segments = memory_take((self->segment_count - first) * sizeof(segment *));
    turn->sizes = memory_take((self->segment_count - first) * sizeof(int64_t));
    turn->sealed = memory_take((self->segment_count - first) * sizeof(bool));
    for (size_t i = first; i < self->segment_count; i++) {
        segment *each = self->segments[i];
        if (is_dirty(each)) {
            turn->sizes[turn->count] = each->size;
            turn->sealed[turn->count] = each->index_unsynced;
            each->index_unsynced = false;
            turn->segments[turn->count++] = segment_ref(each);
        }
    }
}

static void begin_turn(partition *self, sync_turn *turn)
{
    pthread_mutex_lock(&self->lock);
    assert(self->sync_state == PARTITION_SYNC_QUEUED);
    self->sync_state = PARTITION_SYNC_RUNNING;
    take_dirty(self, turn);
    turn->end = self->sync_end = self->log_end;
    turn->folder =
        self->folder_synced < self->folder_changes ? self->folder_changes : 0;
    turn->deleted = self->deleted;
    if (self->pending.closed && !self->syncing.closed) {
        self->syncing = self->pending;
    }
    self->pending.closed = false;
    self->unflushed_records = 0;
    pthread_mutex_unlock(&self->lock);
}

/* 0 or an errno. */
static int sync_segment(partition *self, segment *each, bool sealed)
{
    int fault = self->dir->disk.sync(each->fd);
    if (fault == 0 && sealed) {
        segment_index_sync(each->path);
    }
    return fault;
}

static bool sync_small(const partition *self, const char *name)
{
    char *path = file_path(self->path, name);
    bool good = file_sync(path, NULL) == SLUICE_OK || errno == ENOENT;
    free(path);
    return good;
}

/* The folder's entries and its own entry; whose it is, or else a topic of the same name
 * that is made later could take its records for its own; and its epochs, or else this
 * leadership's could be given once more. 0 or an errno. */
static int sync_folder(const partition *self)
{
    errno = 0;
    bool good = sync_small(self, "partition.metadata") &&
                sync_small(self, "leader-epoch-checkpoint") &&
                file_sync_folder(self->path, NULL) == SLUICE_OK &&
                file_sync_folder(self->dir->path, NULL) == SLUICE_OK;
    return good ? 0 : errno != 0 ? errno : EIO;
}

/* 0 or an errno. */
static int run_turn(partition *self, const sync_turn *turn)
{
    int fault = 0;
    for (size_t i = 0; i < turn->count && fault == 0; i++) {
        fault = sync_segment(self, turn->segments[i], turn->sealed[i]);
    }
    /* A deleted partition's folder has another name, and nobody waits for it. */
    return fault == 0 && turn->folder > 0 && !turn->deleted ? sync_folder(self) : fault;
}

static void log_failure(const partition *self, int fault)
{
    sluice_log(SLUICE_ERROR, "broker.log",
               "cannot bring partition '%s-%d' to disk: %s; it takes no more records "
               "until the broker is restarted",
               self->topic, self->number, strerror(fault));
}

static void note_success(partition *self, const sync_turn *turn)
{
    for (size_t i = 0; i < turn->count; i++) {
        if (turn->segments[i]->synced < turn->sizes[i]) {
            turn->segments[i]->synced = turn->sizes[i];
        }
    }
    self->durable = turn->end;
    self->syncing.closed = false;
    if (self->folder_synced < turn->folder) {
        self->folder_synced = turn->folder;
    }
}

/* After a sync that did not succeed the kernel takes the pages for clean, though the
 * disk has not got them. What is read from now on is what the disk has. */
static void distrust_cache(const sync_turn *turn)
{
    for (size_t i = 0; i < turn->count; i++) {
        segment_forget_cache(turn->segments[i]);
    }
}

/* Returns the visible bytes. */
static int64_t end_turn(partition *self, sync_turn *turn, int fault,
                        partition_wait **ret_over)
{
    partition_gate gate;
    pthread_mutex_lock(&self->lock);
    bool again = self->sync_state == PARTITION_SYNC_AGAIN;
    self->sync_state = PARTITION_SYNC_IDLE;
    if (fault == 0) {
        note_success(self, turn);
    } else if (!self->deleted) {
        self->failed = turn->failed = true;
        distrust_cache(turn);
    }
    *ret_over = take_waits(self, self->failed);
    partition_watermark(self, &gate);
    if (again && !self->failed) {
        partition_want_sync(self);
    }
    pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; i < turn->count; i++) {
        segment_unref(turn->segments[i]);
    }
    free(turn->segments);
    free(turn->sizes);
    free(turn->sealed);
    return gate.bytes;
}

void partition_sync(partition *self)
{
    sync_turn turn = {0};
    partition_wait *over;
    begin_turn(self, &turn);
    int fault = run_turn(self, &turn);
    int64_t visible_bytes = end_turn(self, &turn, fault, &over);
    if (turn.failed) {
        log_failure(self, fault);
    }
    call_waits(over, fault == 0 ? ERROR_NONE : ERROR_KAFKA_STORAGE_ERROR);
    partition_wake(self, visible_bytes, fault != 0);
}
