/* broker/log/log_dir.c - a log directory: lock, identity, checkpoints, sync threads. */
#include "broker/log/log_dir.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/properties.h"
#include "base/text.h"
#include "broker/log/checkpoint.h"
#include "broker/log/file.h"
#include "broker/log/partition_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SYNC_THREADS = 2, SMALL_FILE_SIZE_MAX = 1 << 26 };

/* ---- The disk ----------------------------------------------------------------------
 */

static int write_really(int fd, const struct iovec *pieces, int count, int64_t position)
{
    while (count > 0) {
        ssize_t put = pwritev(fd, pieces, count < IOV_MAX ? count : IOV_MAX, position);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return errno;
        }
        position += put;
        while (count > 0 && (size_t)put >= pieces->iov_len) {
            put -= (ssize_t)pieces->iov_len;
            pieces++;
            count--;
        }
        if (put > 0) { /* In the middle of a piece: the rest of it first. */
            struct iovec rest = {(char *)pieces->iov_base + put,
                                 pieces->iov_len - (size_t)put};
            int fault = write_really(fd, &rest, 1, position);
            if (fault != 0) {
                return fault;
            }
            position += (int64_t)rest.iov_len;
            pieces++;
            count--;
        }
    }
    return 0;
}

static int sync_really(int fd)
{
    return fdatasync(fd) == 0 ? 0 : errno;
}

const log_disk log_disk_real = {write_really, sync_really};

/* ---- Sync threads ---------------------------------------------------------------- */

static partition *next_to_sync(log_dir *self)
{
    pthread_mutex_lock(&self->sync_lock);
    while (self->sync_first == NULL && !self->stopping) {
        pthread_cond_wait(&self->sync_wanted, &self->sync_lock);
    }
    partition *next = self->sync_first;
    if (next != NULL) {
        self->sync_first = next->sync_next;
        if (self->sync_first == NULL) {
            self->sync_last = &self->sync_first;
        }
    }
    pthread_mutex_unlock(&self->sync_lock);
    return next;
}

static void *run_sync_thread(void *context)
{
    log_dir *self = context;
    for (partition *next; (next = next_to_sync(self)) != NULL;) {
        partition_sync(next);
        partition_unref(next);
    }
    return NULL;
}

void log_dir_enqueue(log_dir *self, partition *next)
{
    partition_ref(next);
    pthread_mutex_lock(&self->sync_lock);
    next->sync_next = NULL;
    *self->sync_last = next;
    self->sync_last = &next->sync_next;
    pthread_cond_signal(&self->sync_wanted);
    pthread_mutex_unlock(&self->sync_lock);
}

static sluice_status start_threads(log_dir *self, unsigned count, sluice_error *err)
{
    self->threads = memory_zero(count * sizeof(self->threads[0]));
    while (self->thread_count < count) {
        int fault = pthread_create(&self->threads[self->thread_count], NULL,
                                   run_sync_thread, self);
        if (fault != 0) {
            return sluice_fail(err, SLUICE_FATAL, "cannot start a sync thread: %s",
                               strerror(fault));
        }
        self->thread_count++;
    }
    return SLUICE_OK;
}

/* What is queued is still synced. */
static void stop_threads(log_dir *self)
{
    pthread_mutex_lock(&self->sync_lock);
    self->stopping = true;
    pthread_cond_broadcast(&self->sync_wanted);
    pthread_mutex_unlock(&self->sync_lock);
    for (unsigned i = 0; i < self->thread_count; i++) {
        pthread_join(self->threads[i], NULL);
    }
    self->thread_count = 0;
}

/* ---- Checkpoints ----------------------------------------------------------------- */

static saved_offsets *offsets_of(log_dir *self, const char *topic, size_t topic_len,
                                 int32_t number)
{
    char *key = memory_print("%.*s %d", (int)topic_len, topic, number);
    saved_offsets *offsets = map_get_text(self->offsets, key);
    if (offsets == NULL) {
        offsets = memory_take(sizeof(*offsets));
        *offsets = (saved_offsets){-1, -1};
        map_put_text(self->offsets, key, offsets);
    }
    free(key);
    return offsets;
}

static bool take_line(log_dir *self, const char *line, size_t len,
                      saved_offsets **ret_offsets, int64_t *ret_offset)
{
    size_t topic_len;
    int32_t number;
    if (!checkpoint_topic_line(line, len, &topic_len, &number, ret_offset) ||
        *ret_offset < 0) {
        return false;
    }
    *ret_offsets = offsets_of(self, line, topic_len, number);
    return true;
}

static bool take_recovery_point(const char *line, size_t len, void *context)
{
    saved_offsets *offsets;
    int64_t offset;
    bool good = take_line(context, line, len, &offsets, &offset);
    if (good) {
        offsets->recovery_point = offset;
    }
    return good;
}

static bool take_log_start(const char *line, size_t len, void *context)
{
    saved_offsets *offsets;
    int64_t offset;
    bool good = take_line(context, line, len, &offsets, &offset);
    if (good) {
        offsets->log_start = offset;
    }
    return good;
}

static const char recovery_points_name[] = "recovery-point-offset-checkpoint";
static const char log_starts_name[] = "log-start-offset-checkpoint";

/* A checkpoint that cannot be read is as good as none: partitions are scanned. */
static sluice_status load_checkpoint(log_dir *self, const char *name,
                                     bool (*take)(const char *, size_t, void *),
                                     sluice_error *err)
{
    char *path = file_path(self->path, name);
    buffer content = BUFFER_INIT;
    bool there;
    sluice_status status = file_load(path, SMALL_FILE_SIZE_MAX, &content, &there, err);
    if (status == SLUICE_OK && there) {
        checkpoint_parse(content.base, content.len, take, self);
    }
    buffer_done(&content);
    free(path);
    return status;
}

static void print_checkpoint(const log_dir *self, bool log_start, buffer *ret_text)
{
    buffer lines = BUFFER_INIT;
    const map_entry *entry;
    size_t count = 0;
    for (size_t at = 0; (entry = map_next(self->offsets, &at)) != NULL;) {
        const saved_offsets *offsets = entry->value;
        int64_t offset = log_start ? offsets->log_start : offsets->recovery_point;
        if (offset >= 0) {
            buffer_print(&lines, "%s %lld\n", entry->key, (long long)offset);
            count++;
        }
    }
    buffer_print(ret_text, "0\n%zu\n", count);
    buffer_append(ret_text, lines.base, lines.len);
    buffer_done(&lines);
}

/* `written` is what the file holds; an idle broker writes nothing. */
static sluice_status write_checkpoint(log_dir *self, const char *name, bool log_start,
                                      char **written, sluice_error *err)
{
    buffer text = BUFFER_INIT;
    print_checkpoint(self, log_start, &text);
    sluice_status status = SLUICE_OK;
    if (*written == NULL || strcmp(*written, text.base) != 0) {
        char *path = file_path(self->path, name);
        status = file_replace(path, text.base, text.len, true, err);
        free(path);
        free(*written);
        *written = status == SLUICE_OK ? buffer_take(&text, NULL) : NULL;
    }
    buffer_done(&text);
    return status;
}

static void collect_offsets(log_dir *self)
{
    for (partition *each = self->partitions; each != NULL; each = each->dir_next) {
        saved_offsets *offsets =
            offsets_of(self, each->topic, strlen(each->topic), each->number);
        pthread_mutex_lock(&each->lock);
        if (!each->deleted && !each->offline) {
            offsets->recovery_point = each->durable;
            offsets->log_start = each->log_start_wanted > each->log_start
                                     ? each->log_start_wanted
                                     : each->log_start;
        }
        pthread_mutex_unlock(&each->lock);
    }
}

static sluice_status write_log_starts(log_dir *self, sluice_error *err)
{
    return write_checkpoint(self, log_starts_name, true, &self->log_starts_written,
                            err);
}

sluice_status log_dir_checkpoint_log_starts(log_dir *self, sluice_error *err)
{
    pthread_mutex_lock(&self->lock);
    collect_offsets(self);
    sluice_status status = write_log_starts(self, err);
    pthread_mutex_unlock(&self->lock);
    return status;
}

sluice_status log_dir_checkpoint(log_dir *self, sluice_error *err)
{
    pthread_mutex_lock(&self->lock);
    collect_offsets(self);
    sluice_status status = write_checkpoint(self, recovery_points_name, false,
                                            &self->recovery_points_written, err);
    if (status == SLUICE_OK) {
        status = write_log_starts(self, err);
    }
    self->checkpoints_stale &= status != SLUICE_OK;
    pthread_mutex_unlock(&self->lock);
    return status;
}

saved_offsets log_dir_saved(log_dir *self, const char *topic, int32_t number)
{
    pthread_mutex_lock(&self->lock);
    saved_offsets offsets = *offsets_of(self, topic, strlen(topic), number);
    pthread_mutex_unlock(&self->lock);
    return offsets;
}

void log_dir_attach(log_dir *self, partition *which)
{
    pthread_mutex_lock(&self->lock);
    which->dir_next = self->partitions;
    which->dir_previous = NULL;
    if (self->partitions != NULL) {
        self->partitions->dir_previous = which;
    }
    self->partitions = which;
    pthread_mutex_unlock(&self->lock);
}

void log_dir_detach(log_dir *self, partition *which, saved_offsets offsets, bool closed)
{
    pthread_mutex_lock(&self->lock);
    if (which->dir_next != NULL) {
        which->dir_next->dir_previous = which->dir_previous;
    }
    if (which->dir_previous != NULL) {
        which->dir_previous->dir_next = which->dir_next;
    } else if (self->partitions == which) {
        self->partitions = which->dir_next;
    }
    if (!which->deleted) {
        *offsets_of(self, which->topic, strlen(which->topic), which->number) = offsets;
    }
    self->clean_stop &= closed;
    pthread_mutex_unlock(&self->lock);
}

void log_dir_forget(log_dir *self, const partition *which)
{
    char *key = memory_print("%s %d", which->topic, which->number);
    pthread_mutex_lock(&self->lock);
    saved_offsets *saved = map_remove_text(self->offsets, key);
    if (saved != NULL && (saved->recovery_point >= 0 || saved->log_start >= 0)) {
        self->checkpoints_stale = true;
    }
    pthread_mutex_unlock(&self->lock);
    free(saved);
    free(key);
}

sluice_status log_dir_renew(log_dir *self, const partition *which, sluice_error *err)
{
    log_dir_forget(self, which);
    pthread_mutex_lock(&self->lock);
    bool stale = self->checkpoints_stale;
    pthread_mutex_unlock(&self->lock);
    return stale ? log_dir_checkpoint(self, err) : SLUICE_OK;
}

/* ---- Open and close -------------------------------------------------------------- */

void log_dir_remove_deleted(log_dir *self)
{
    DIR *folder = opendir(self->path);
    if (folder == NULL) {
        return;
    }
    sluice_error *err = sluice_error_new();
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!text_ends(entry->d_name, "-delete")) {
            continue;
        }
        char *path = file_path(self->path, entry->d_name);
        if (file_remove_folder(path, err) != SLUICE_OK) {
            sluice_log(SLUICE_WARN, "broker.log", "%s; the next round tries again",
                       sluice_error_text(err));
        }
        free(path);
    }
    sluice_error_free(err);
    closedir(folder);
}

/* An open file description's lock conflicts with the POSIX lock that Kafka takes, and
 * with one of this same process. */
static sluice_status take_lock(log_dir *self, sluice_error *err)
{
    char *path = file_path(self->path, ".lock");
    self->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    free(path);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (self->lock_fd < 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "cannot write to log directory '%s': %s", self->path,
                           strerror(errno));
    }
    if (fcntl(self->lock_fd, F_OFD_SETLK, &lock) != 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "log directory '%s' is in use by another broker: stop that "
                           "one, or choose another directory with log.dirs",
                           self->path);
    }
    return SLUICE_OK;
}

/* One call for all files instead of one for each: after a clean stop's last writes, so
 * that the mark is true, and before a recovery, so that what it finds in the page cache
 * is on disk too. */
static sluice_status sync_everything(const log_dir *self, sluice_error *err)
{
    if (syncfs(self->lock_fd) != 0) {
        return sluice_fail(err, SLUICE_FATAL, "cannot sync log directory '%s': %s",
                           self->path, strerror(errno));
    }
    return SLUICE_OK;
}

/* The mark says that nothing needs a scan; it is gone before anything is written. */
static sluice_status take_clean_mark(log_dir *self, sluice_error *err)
{
    char *path = file_path(self->path, ".kafka_cleanshutdown");
    self->clean = unlink(path) == 0;
    bool fine = self->clean || errno == ENOENT;
    sluice_status status =
        fine ? SLUICE_OK
             : sluice_fail(err, SLUICE_FATAL, "cannot remove '%s': %s", path,
                           strerror(errno));
    free(path);
    if (status == SLUICE_OK && self->clean) {
        return file_sync_folder(self->path, err);
    }
    if (status == SLUICE_OK && sync_everything(self, err) != SLUICE_OK) {
        sluice_log(SLUICE_WARN, "broker.log",
                   "%s; what was written before the last stop is read from the disk "
                   "itself, and what is not there is cut off",
                   sluice_error_text(err));
        sluice_error_clear(err);
        self->cache_distrusted = true;
    }
    return status;
}

static sluice_status put_clean_mark(log_dir *self, sluice_error *err)
{
    static const char mark[] = "{\"version\":0,\"brokerEpoch\":-1}";
    char *path = file_path(self->path, ".kafka_cleanshutdown");
    sluice_status status = file_replace(path, mark, sizeof(mark) - 1, true, err);
    free(path);
    return status;
}

static sluice_status check_identity(log_dir *self, const properties *meta,
                                    const log_dir_options *options, sluice_error *err)
{
    const char *version = properties_get(meta, "version");
    const char *cluster_id = properties_get(meta, "cluster.id");
    const char *node = properties_get(meta, "node.id");
    const char *directory = properties_get(meta, "directory.id");
    int32_t node_id;
    node = node != NULL ? node : properties_get(meta, "broker.id");
    if (version != NULL && strcmp(version, "0") != 0 && strcmp(version, "1") != 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "log directory '%s' has the format version %s: this broker "
                           "reads 0 and 1; start it with the program that wrote it",
                           self->path, version);
    }
    if (cluster_id != NULL && options->cluster_id != NULL &&
        strcmp(cluster_id, options->cluster_id) != 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "log directory '%s' belongs to cluster '%s', not to '%s'",
                           self->path, cluster_id, options->cluster_id);
    }
    if (node != NULL && (!text_to_int32(node, &node_id) || node_id != self->node_id)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "log directory '%s' belongs to node.id %s, not to %d",
                           self->path, node, self->node_id);
    }
    if (cluster_id != NULL) {
        self->cluster_id = memory_text(cluster_id);
    }
    if (directory != NULL) {
        uuid_parse(directory, strlen(directory), &self->directory_id);
    }
    return SLUICE_OK;
}

static sluice_status write_identity(log_dir *self, const log_dir_options *options,
                                    sluice_error *err)
{
    char text[UUID_TEXT_SIZE];
    if (self->cluster_id == NULL) {
        uuid made = uuid_random();
        uuid_print(&made, text);
        self->cluster_id =
            memory_text(options->cluster_id != NULL ? options->cluster_id : text);
    }
    if (uuid_is_zero(&self->directory_id)) {
        self->directory_id = uuid_random();
    }
    uuid_print(&self->directory_id, text);
    char *content =
        memory_print("#\ncluster.id=%s\nversion=1\nnode.id=%d\ndirectory.id=%s\n",
                     self->cluster_id, self->node_id, text);
    char *path = file_path(self->path, "meta.properties");
    sluice_status status = file_replace(path, content, strlen(content), true, err);
    free(path);
    free(content);
    return status;
}

static sluice_status take_identity(log_dir *self, const log_dir_options *options,
                                   sluice_error *err)
{
    char *path = file_path(self->path, "meta.properties");
    properties *meta = properties_new();
    sluice_status status = SLUICE_OK;
    if (access(path, F_OK) == 0) {
        status = properties_read(meta, path, err);
    }
    if (status == SLUICE_OK) {
        status = check_identity(self, meta, options, err);
    }
    properties_free(meta);
    free(path);
    if (status == SLUICE_OK &&
        (self->cluster_id == NULL || uuid_is_zero(&self->directory_id))) {
        status = write_identity(self, options, err);
    }
    return status;
}

static sluice_status make_folder(const char *path, sluice_error *err)
{
    if (file_make_folders(path, err) == SLUICE_OK) {
        return SLUICE_OK;
    }
    char *reason = memory_text(sluice_error_text(err));
    sluice_error_clear(err);
    sluice_fail(err, SLUICE_BAD_CONFIG,
                "log directory '%s' cannot be had: %s; choose another with log.dirs",
                path, reason);
    free(reason);
    return SLUICE_BAD_CONFIG;
}

static sluice_status open_dir(log_dir *self, const log_dir_options *options,
                              sluice_error *err)
{
    sluice_status status = make_folder(self->path, err);
    char *absolute = status == SLUICE_OK ? realpath(self->path, NULL) : NULL;
    if (absolute != NULL) {
        free(self->path);
        self->path = absolute;
    }
    if (status == SLUICE_OK) {
        status = take_lock(self, err);
    }
    if (status == SLUICE_OK) {
        status = take_identity(self, options, err);
    }
    if (status == SLUICE_OK) {
        status = take_clean_mark(self, err);
    }
    if (status == SLUICE_OK) {
        status = load_checkpoint(self, recovery_points_name, take_recovery_point, err);
    }
    if (status == SLUICE_OK) {
        status = load_checkpoint(self, log_starts_name, take_log_start, err);
    }
    if (status == SLUICE_OK) {
        unsigned threads = options->sync_threads;
        status = start_threads(self, threads == 0 ? SYNC_THREADS : threads, err);
    }
    return status;
}

static void free_dir(log_dir *self)
{
    stop_threads(self);
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(self->offsets, &at)) != NULL;) {
        free(entry->value);
    }
    map_done(self->offsets);
    free(self->offsets);
    if (self->lock_fd >= 0) {
        close(self->lock_fd);
    }
    pthread_mutex_destroy(&self->lock);
    pthread_mutex_destroy(&self->sync_lock);
    pthread_cond_destroy(&self->sync_wanted);
    free(self->threads);
    free(self->recovery_points_written);
    free(self->log_starts_written);
    free(self->cluster_id);
    free(self->path);
    free(self);
}

sluice_status log_dir_open(const char *path, const log_dir_options *options,
                           log_dir **ret_dir, sluice_error *err)
{
    log_dir *self = memory_zero(sizeof(*self));
    self->path = memory_text(path);
    self->lock_fd = -1;
    self->disk = options->disk == NULL ? log_disk_real : *options->disk;
    self->sync_none = options->sync_none;
    self->node_id = options->node_id;
    self->clean_stop = true;
    self->offsets = memory_zero(sizeof(map));
    map_init(self->offsets);
    pthread_mutex_init(&self->lock, NULL);
    pthread_mutex_init(&self->sync_lock, NULL);
    pthread_cond_init(&self->sync_wanted, NULL);
    self->sync_last = &self->sync_first;
    sluice_status status = open_dir(self, options, err);
    if (status != SLUICE_OK) {
        free_dir(self);
        return status;
    }
    *ret_dir = self;
    return SLUICE_OK;
}

void log_dir_close(log_dir *self)
{
    if (self == NULL) {
        return;
    }
    stop_threads(self);
    bool clean = self->partitions == NULL && self->clean_stop;
    if (!self->abandoned && log_dir_checkpoint(self, NULL) == SLUICE_OK && clean &&
        sync_everything(self, NULL) == SLUICE_OK) {
        put_clean_mark(self, NULL);
    }
    free_dir(self);
}

void log_dir_abandon(log_dir *self)
{
    self->abandoned = true;
}

const char *log_dir_path(const log_dir *self)
{
    return self->path;
}

const char *log_dir_cluster_id(const log_dir *self)
{
    return self->cluster_id;
}

bool log_dir_was_clean(const log_dir *self)
{
    return self->clean;
}
