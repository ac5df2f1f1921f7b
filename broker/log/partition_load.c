/* broker/log/partition_load.c - a partition's files are found and, after an unclean
 * stop, recovered.
 *
 * What is on disk may end anywhere: a torn batch, zeros, garbage. From the segment that
 * holds the recovery point on, every batch is read and its CRC checked; the log ends
 * before the first that is not whole. Indexes, producer state and epochs are made anew
 * on the way. Nothing that was acknowledged can be behind a torn batch, since a sync
 * brings all bytes before it to disk too. */
#include "base/memory.h"
#include "base/text.h"
#include "broker/log/file.h"
#include "broker/log/partition_internal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OFFSET_DIGITS = 20,
    SMALL_FILE_SIZE_MAX = 1 << 26,
    IDENTITY_SIZE_MAX = 4096,
    /* Five requests of max.request.size, 1 MB. */
    RESENT_SIZE_MAX = 5 * 1024 * 1024,
};

typedef struct offset_list {
    int64_t *offsets;
    size_t count, room;
} offset_list;

static void add_offset(offset_list *self, int64_t offset)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 4 : 2 * self->room;
        self->offsets = memory_resize(self->offsets, self->room * sizeof(int64_t));
    }
    self->offsets[self->count++] = offset;
}

static int compare_offsets(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void sort_offsets(offset_list *self)
{
    if (self->count > 1) {
        qsort(self->offsets, self->count, sizeof(int64_t), compare_offsets);
    }
}

static bool has_offset(const offset_list *self, int64_t offset)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->offsets[i] == offset) {
            return true;
        }
    }
    return false;
}

/* ---- The folder ------------------------------------------------------------------ */

/* What lies in the folder of a partition, by the suffix of its name. */
typedef struct folder_files {
    offset_list logs, indexes, snapshots;
} folder_files;

static void note_file(folder_files *files, int folder, const char *name)
{
    int64_t offset;
    if (strlen(name) > OFFSET_DIGITS &&
        text_to_int64_of(name, OFFSET_DIGITS, &offset) && offset >= 0 &&
        name[0] >= '0') {
        const char *suffix = name + OFFSET_DIGITS;
        if (strcmp(suffix, ".log") == 0) {
            add_offset(&files->logs, offset);
        } else if (strcmp(suffix, ".index") == 0 || strcmp(suffix, ".timeindex") == 0 ||
                   strcmp(suffix, ".txnindex") == 0) {
            add_offset(&files->indexes, offset);
        } else if (strcmp(suffix, ".snapshot") == 0) {
            add_offset(&files->snapshots, offset);
        }
    }
    if (text_ends(name, ".deleted") || text_ends(name, ".cleaned") ||
        text_ends(name, ".tmp")) {
        unlinkat(folder, name, 0);
    }
}

static void free_files(folder_files *files)
{
    free(files->logs.offsets);
    free(files->indexes.offsets);
    free(files->snapshots.offsets);
}

static sluice_status list_folder(const partition *self, folder_files *ret_files,
                                 sluice_error *err)
{
    DIR *folder = opendir(self->path);
    if (folder == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "cannot open '%s': %s", self->path,
                           strerror(errno));
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        note_file(ret_files, dirfd(folder), entry->d_name);
    }
    closedir(folder);
    sort_offsets(&ret_files->logs);
    sort_offsets(&ret_files->snapshots);
    return SLUICE_OK;
}

static void remove_file(const partition *self, int64_t offset, const char *suffix)
{
    char *name = memory_print("%s/%020" PRId64 "%s", self->path, offset, suffix);
    unlink(name);
    free(name);
}

static sluice_status add_segments(partition *self, const folder_files *files,
                                  sluice_error *err)
{
    for (size_t i = 0; i < files->logs.count; i++) {
        struct stat about;
        segment *each = segment_new(self->path, files->logs.offsets[i], 0);
        char *name = memory_print("%s.log", each->path);
        int outcome = stat(name, &about);
        free(name);
        if (outcome != 0) {
            sluice_fail(err, SLUICE_FATAL, "cannot read '%s.log': %s", each->path,
                        strerror(errno));
            segment_unref(each);
            return SLUICE_FATAL;
        }
        each->size = each->synced = about.st_size;
        partition_add_segment(self, each);
    }
    for (size_t i = 0; i < files->indexes.count; i++) {
        if (!has_offset(&files->logs, files->indexes.offsets[i])) {
            remove_file(self, files->indexes.offsets[i], ".index");
            remove_file(self, files->indexes.offsets[i], ".timeindex");
            remove_file(self, files->indexes.offsets[i], ".txnindex");
        }
    }
    return SLUICE_OK;
}

/* ---- Identity -------------------------------------------------------------------- */

/* The topic id of a partition.metadata; false when it has none. */
static bool parse_identity(const buffer *content, uuid *ret_there)
{
    static const char start[] = "version: 0\ntopic_id: ";
    const char *text = buffer_text(content);
    size_t len = sizeof(start) - 1;
    return strncmp(text, start, len) == 0 &&
           uuid_parse(text + len, strcspn(text + len, "\r\n"), ret_there);
}

bool partition_read_identity(const char *path, uuid *ret_topic_id)
{
    char *name = file_path(path, "partition.metadata");
    buffer content = BUFFER_INIT;
    bool there;
    bool known =
        file_load(name, IDENTITY_SIZE_MAX, &content, &there, NULL) == SLUICE_OK &&
        parse_identity(&content, ret_topic_id);
    buffer_done(&content);
    free(name);
    return known;
}

/* A topic of the same name was deleted, and the process died before its directory was
 * gone; or somebody copied one here. It is kept under another name. */
static void put_stray_away(const partition *self, const uuid *there)
{
    char wanted[UUID_TEXT_SIZE], got[UUID_TEXT_SIZE];
    uuid_print(&self->topic_id, wanted);
    uuid_print(there, got);
    sluice_log(SLUICE_WARN, "broker.log",
               "'%s' is of topic id %s, but topic '%s' has the id %s; renaming it to "
               "…-stray and starting an empty partition",
               self->path, got, self->topic, wanted);
    log_dir_forget(self->dir, self);
    partition_rename_away(self, "stray");
}

static sluice_status write_identity(const partition *self, const char *path,
                                    sluice_error *err)
{
    char id[UUID_TEXT_SIZE];
    uuid_print(&self->topic_id, id);
    char *text = memory_print("version: 0\ntopic_id: %s", id);
    sluice_status status = file_replace(path, text, strlen(text), false, err);
    free(text);
    return status;
}

/* What the checkpoints say of a partition whose folder was not there is said of a
 * deleted one. */
static sluice_status make_folder(const partition *self, sluice_error *err)
{
    if (mkdir(self->path, 0755) == 0) {
        return log_dir_renew(self->dir, self, err);
    }
    if (errno != EEXIST) {
        return sluice_fail(err, SLUICE_FATAL, "cannot make '%s': %s", self->path,
                           strerror(errno));
    }
    return SLUICE_OK;
}

/* Has the folder, with a partition.metadata of this topic. One without an id is what a
 * power loss leaves before anything was acknowledged. */
static sluice_status load_identity(const partition *self, sluice_error *err)
{
    char *path = file_path(self->path, "partition.metadata");
    buffer content = BUFFER_INIT;
    bool there;
    uuid id;
    sluice_status status = file_load(path, IDENTITY_SIZE_MAX, &content, &there, err);
    there = status == SLUICE_OK && parse_identity(&content, &id);
    if (there && !uuid_equal(&id, &self->topic_id)) {
        put_stray_away(self, &id);
        there = false;
    }
    if (status == SLUICE_OK && !there) {
        status = make_folder(self, err);
        if (status == SLUICE_OK) {
            status = write_identity(self, path, err);
        }
    }
    buffer_done(&content);
    free(path);
    return status;
}

/* ---- Producer state and epochs --------------------------------------------------- */

sluice_status partition_write_snapshot(partition *self, sluice_error *err)
{
    if (self->snapshot_offset == self->log_end) {
        return SLUICE_OK;
    }
    buffer bytes = BUFFER_INIT;
    producer_state_print(&self->producers, &bytes);
    char *path = memory_print("%s/%020" PRId64 ".snapshot", self->path, self->log_end);
    sluice_status status = file_replace(path, bytes.base, bytes.len, false, err);
    free(path);
    buffer_done(&bytes);
    if (status == SLUICE_OK) {
        self->snapshot_offset = self->log_end;
    }
    return status;
}

sluice_status partition_write_epochs(partition *self, sluice_error *err)
{
    buffer text = BUFFER_INIT;
    epoch_cache_print(&self->epochs, &text);
    char *path = file_path(self->path, "leader-epoch-checkpoint");
    sluice_status status = file_replace(path, text.base, text.len, false, err);
    free(path);
    buffer_done(&text);
    return status;
}

/* `ret_known` is false when there is no whole file. */
static sluice_status load_epochs(partition *self, bool *ret_known, sluice_error *err)
{
    char *path = file_path(self->path, "leader-epoch-checkpoint");
    buffer text = BUFFER_INIT;
    bool there;
    sluice_status status = file_load(path, SMALL_FILE_SIZE_MAX, &text, &there, err);
    *ret_known = status == SLUICE_OK && there &&
                 epoch_cache_parse(&self->epochs, buffer_text(&text), text.len);
    buffer_done(&text);
    free(path);
    return status;
}

/* The newest good snapshot at or below `offset`; what it knows up to is returned. */
static int64_t load_snapshot(partition *self, const offset_list *snapshots,
                             int64_t offset)
{
    for (size_t i = snapshots->count; i-- > 0;) {
        if (snapshots->offsets[i] > offset) {
            continue;
        }
        char *path = memory_print("%s/%020" PRId64 ".snapshot", self->path,
                                  snapshots->offsets[i]);
        buffer bytes = BUFFER_INIT;
        bool there = false,
             good = file_load(path, SMALL_FILE_SIZE_MAX, &bytes, &there, NULL) ==
                        SLUICE_OK &&
                    producer_state_parse(&self->producers, bytes.base, bytes.len);
        buffer_done(&bytes);
        free(path);
        if (good) {
            return self->snapshot_offset = snapshots->offsets[i];
        }
    }
    producer_state_clear(&self->producers);
    return self->snapshot_offset = -1;
}

static void note_producer(void *context, const record_batch_header *header)
{
    partition *self = context;
    producer_state_note(&self->producers, header);
}

static void note_epoch(void *context, const record_batch_header *header)
{
    partition *self = context;
    epoch_cache_assign(&self->epochs, header->leader_epoch, header->base_offset);
}

static void note_batch(void *context, const record_batch_header *header)
{
    note_producer(context, header);
    note_epoch(context, header);
}

/* Tells `visit` of the batches from `from` to `to`, by their headers. */
static sluice_status replay(partition *self, segment *each, int64_t from, int64_t to,
                            segment_visit *visit, sluice_error *err)
{
    uint8_t window[SEGMENT_WINDOW_SIZE];
    segment_cursor cursor;
    sluice_status status = segment_open(each, err);
    if (status != SLUICE_OK) {
        return status;
    }
    segment_cursor_init(&cursor, each, 0, each->size, window, sizeof(window));
    while (segment_cursor_next(&cursor) == SEGMENT_BATCH &&
           cursor.header.base_offset < to) {
        if (cursor.header.base_offset >= from) {
            visit(self, &cursor.header);
        }
    }
    return SLUICE_OK;
}

/* From the batches, when the checkpoint is lost: a leadership must not get an epoch
 * that an earlier one had. */
static sluice_status rebuild_epochs(partition *self, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    epoch_cache_truncate_end(&self->epochs, 0);
    for (size_t i = 0; i < self->segment_count && status == SLUICE_OK; i++) {
        if (self->segments[i]->size > 0) {
            status = replay(self, self->segments[i], 0, self->log_end, note_epoch, err);
        }
    }
    return status;
}

/* Producer state as of `offset`: the newest snapshot, and the batches behind it. */
static sluice_status load_producers(partition *self, const offset_list *snapshots,
                                    int64_t offset, sluice_error *err)
{
    int64_t from = load_snapshot(self, snapshots, offset);
    for (size_t i = 0; i < self->segment_count; i++) {
        int64_t base = self->segments[i]->base_offset;
        int64_t next = i + 1 < self->segment_count ? self->segments[i + 1]->base_offset
                                                   : INT64_MAX;
        if (from < offset && base < offset && next > from) {
            sluice_status status =
                replay(self, self->segments[i], from, offset, note_producer, err);
            if (status != SLUICE_OK) {
                return status;
            }
        }
    }
    return SLUICE_OK;
}

/* Those at segment bases and the newest are kept. */
static void drop_snapshots(const partition *self, const offset_list *snapshots,
                           const offset_list *bases)
{
    for (size_t i = 0; i < snapshots->count; i++) {
        int64_t offset = snapshots->offsets[i];
        if (offset > self->log_end ||
            (offset < self->log_end && !has_offset(bases, offset))) {
            remove_file(self, offset, ".snapshot");
        }
    }
}

/* ---- Recovery -------------------------------------------------------------------- */

static size_t segment_with(const partition *self, int64_t offset)
{
    size_t i = self->segment_count - 1;
    while (i > 0 && self->segments[i]->base_offset > offset) {
        i--;
    }
    return i;
}

/* Those behind a broken one are worth nothing: their offsets would leave a gap. */
static void drop_segments_from(partition *self, size_t first)
{
    while (self->segment_count > first) {
        segment *last = self->segments[--self->segment_count];
        segment_delete_files(last);
        segment_unref(last);
    }
}

static void drop_segments_behind(partition *self, const segment *last)
{
    size_t count = self->segment_count;
    while (count > 0 && self->segments[count - 1] != last) {
        count--;
    }
    drop_segments_from(self, count);
}

static sluice_status recover_segment(partition *self, segment *each, sluice_error *err)
{
    sluice_status status = segment_open(each, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (self->dir->cache_distrusted) {
        segment_forget_cache(each);
    }
    int64_t before = each->size;
    status = segment_recover(each, &self->config, true, note_batch, self, err);
    if (status == SLUICE_OK && each->size < before) {
        sluice_log(SLUICE_WARN, "broker.log",
                   "partition '%s-%d' ends at offset %" PRId64 ": the %" PRId64
                   " bytes behind it hold no whole batch and are cut off",
                   self->topic, self->number, each->next_offset, before - each->size);
        drop_segments_behind(self, each);
    }
    each->synced = each->size;
    return status;
}

/* What was not synced can be lost at the end of any file that was written, not only of
 * the last. Records behind such a hole were not acknowledged either: kept, they would
 * come before those that their producer sends again. Compaction, which makes holes of
 * its own, stays below the recovery point. */
static bool is_hole(const partition *self, size_t i)
{
    return i + 1 < self->segment_count && !self->config.cleanup_compact &&
           !self->config.foreign &&
           self->segments[i]->next_offset < self->segments[i + 1]->base_offset;
}

static sluice_status recover_from(partition *self, size_t first, sluice_error *err)
{
    for (size_t i = first; i < self->segment_count; i++) {
        segment *each = self->segments[i];
        sluice_status status = recover_segment(self, each, err);
        if (status != SLUICE_OK) {
            return status;
        }
        if (is_hole(self, i)) {
            sluice_log(SLUICE_WARN, "broker.log",
                       "partition '%s-%d' ends at offset %" PRId64
                       ": the segment behind it begins at %" PRId64
                       ", what was between them never reached the disk; it and all "
                       "behind it are removed",
                       self->topic, self->number, each->next_offset,
                       self->segments[i + 1]->base_offset);
            drop_segments_behind(self, each);
        }
        if (i + 1 < self->segment_count && segment_seal(each, err) != SLUICE_OK) {
            sluice_error_clear(err); /* Made anew when it is needed. */
        }
    }
    return SLUICE_OK;
}

/* A snapshot has of each producer the last batch, as Kafka's; but a client that was not
 * answered sends up to five again, of which the first may be in segments before
 * `first`. So those that may hold them are read, too: their headers only. */
static sluice_status recover_producers(partition *self, const offset_list *snapshots,
                                       size_t first, sluice_error *err)
{
    size_t from = first;
    for (int64_t bytes = 0; from > 0 && bytes < RESENT_SIZE_MAX;) {
        bytes += self->segments[--from]->size;
    }
    sluice_status status =
        load_producers(self, snapshots, self->segments[from]->base_offset, err);
    for (size_t i = from; i < first && status == SLUICE_OK; i++) {
        status = replay(self, self->segments[i], 0, self->segments[i + 1]->base_offset,
                        note_producer, err);
    }
    return status;
}

static sluice_status recover(partition *self, const offset_list *snapshots,
                             int64_t recovery_point, sluice_error *err)
{
    size_t first = segment_with(self, recovery_point);
    int64_t base = self->segments[first]->base_offset;
    epoch_cache_truncate_end(&self->epochs, base);
    sluice_status status = recover_producers(self, snapshots, first, err);
    if (status == SLUICE_OK) {
        status = recover_from(self, first, err);
    }
    self->log_end = partition_active(self)->next_offset;
    return status;
}

/* Without a scan: the indexes and the end of the last segment. `ret_good` is false when
 * they are not what a clean stop leaves. */
static sluice_status load_clean(partition *self, const offset_list *snapshots,
                                bool *ret_good, sluice_error *err)
{
    segment *active = partition_active(self);
    sluice_status status = segment_load(active, ret_good, err);
    if (status != SLUICE_OK || !*ret_good) {
        return status;
    }
    self->log_end = active->next_offset;
    epoch_cache_truncate_end(&self->epochs, self->log_end);
    return load_producers(self, snapshots, self->log_end, err);
}

/* Deleted records must not come back: when the log ends before where it was said to
 * start, it starts empty there. */
static sluice_status start_empty(partition *self, int64_t offset, sluice_error *err)
{
    drop_segments_from(self, 0);
    self->snapshot_offset = -1;
    producer_state_clear(&self->producers);
    epoch_cache_truncate_end(&self->epochs, 0);
    segment *only;
    sluice_status status = segment_create(self->path, offset, &only, err);
    if (status == SLUICE_OK) {
        partition_add_segment(self, only);
        self->log_end = self->log_start = offset;
    }
    return status;
}

/* Their deletion was on the way to the disk. */
static void drop_segments_below(partition *self, int64_t log_start)
{
    size_t count = 0;
    while (count + 1 < self->segment_count &&
           self->segments[count + 1]->base_offset <= log_start) {
        segment_delete_files(self->segments[count]);
        segment_unref(self->segments[count++]);
    }
    self->segment_count -= count;
    memmove(self->segments, self->segments + count,
            self->segment_count * sizeof(segment *));
}

static sluice_status load_segments(partition *self, const folder_files *files,
                                   sluice_error *err)
{
    saved_offsets saved = log_dir_saved(self->dir, self->topic, self->number);
    bool good = self->dir->clean && saved.recovery_point >= 0;
    sluice_status status = add_segments(self, files, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (self->segment_count == 0) {
        return start_empty(self, saved.log_start > 0 ? saved.log_start : 0, err);
    }
    drop_segments_below(self, saved.log_start);
    if (good) {
        status = load_clean(self, &files->snapshots, &good, err);
    }
    if (status == SLUICE_OK && !good) {
        status = recover(self, &files->snapshots, saved.recovery_point, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    self->log_start = self->segments[0]->base_offset;
    if (saved.log_start > self->log_end) {
        return start_empty(self, saved.log_start, err);
    }
    if (saved.log_start > self->log_start) {
        self->log_start = saved.log_start;
    }
    drop_snapshots(self, &files->snapshots, &files->logs);
    return SLUICE_OK;
}

sluice_status partition_load(partition *self, sluice_error *err)
{
    folder_files files = {0};
    bool epochs_known = false;
    sluice_status status = load_identity(self, err);
    if (status == SLUICE_OK) {
        status = load_epochs(self, &epochs_known, err);
    }
    if (status == SLUICE_OK) {
        status = list_folder(self, &files, err);
    }
    if (status == SLUICE_OK) {
        status = load_segments(self, &files, err);
    }
    free_files(&files);
    if (status == SLUICE_OK && !epochs_known) {
        status = rebuild_epochs(self, err);
    }
    if (status == SLUICE_OK) {
        epoch_cache_truncate_start(&self->epochs, self->log_start);
        self->leader_epoch = epoch_cache_latest(&self->epochs) + 1;
        self->durable = self->log_end;
    }
    return status;
}
