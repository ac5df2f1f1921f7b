/* connectors/file/source_rig.h - a source task on a file of its own, for tests.
 *
 * Threads: the test's. */
#ifndef SLUICE_CONNECTORS_FILE_SOURCE_RIG_H
#define SLUICE_CONNECTORS_FILE_SOURCE_RIG_H

#include "file.h"

#include "test.h"
#include <dirent.h>
#include <fcntl.h>
#include <sluice/test.h>
#include <sys/stat.h>
#include <unistd.h>

/* A source task on a file of its own. */
typedef struct rig {
    char folder[64], path[96];
    sluice_fake *fake;
    sluice_batch *batch;
    sluice_error *err;
    void *self;
} rig;

static inline const sluice_source_ops *ops(void)
{
    return file_source_feature.ops.source;
}

static inline void rig_init(rig *self)
{
    alarm(60); /* A poll that never returns ends the program. */
    memset(self, 0, sizeof *self);
    snprintf(self->folder, sizeof self->folder, "/tmp/sluice-file-XXXXXX");
    CHECK(mkdtemp(self->folder) != NULL);
    snprintf(self->path, sizeof self->path, "%s/in.txt", self->folder);
    self->fake = sluice_fake_new();
    self->batch = sluice_batch_new();
    self->err = sluice_error_new();
    sluice_log_set_level("", SLUICE_OFF);
}

static inline void rig_start_with(rig *self, const char *batch_size,
                                  const char *line_bytes)
{
    void *config = sluice_fake_config(self->fake, file_source_feature.config, "file",
                                      self->path, "topic", "lines", "batch.size",
                                      batch_size, "max.line.bytes", line_bytes, NULL);
    CHECK(config != NULL);
    CHECK(ops()->create(config, sluice_fake_task(self->fake), &self->self, self->err) ==
          SLUICE_OK);
}

static inline void rig_start(rig *self)
{
    rig_start_with(self, "2000", "1m");
}

/* Ends the task and begins another, as after a crash: with what was stored. */
static inline void rig_restart(rig *self)
{
    ops()->destroy(self->self);
    rig_start(self);
}

/* Stores the offset of the last record that was polled. */
static inline void rig_commit(rig *self)
{
    size_t count = sluice_batch_count(self->batch);
    CHECK(count > 0);
    const sluice_record *last = sluice_batch_record(self->batch, count - 1);
    sluice_offsets_set(sluice_fake_offsets(self->fake),
                       sluice_record_source_partition(last),
                       sluice_record_source_offset(last));
}

static inline void rig_done(rig *self)
{
    struct dirent *entry;
    ops()->destroy(self->self);
    DIR *folder = opendir(self->folder);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    rmdir(self->folder);
    sluice_batch_free(self->batch);
    sluice_error_free(self->err);
    sluice_fake_free(self->fake);
}

static inline void append(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    close(fd);
}

#define APPEND(self, text) append((self)->path, text, sizeof(text) - 1)

/* Polls once. Whether that only tells a position, and gives no line. */
static inline bool rig_poll(rig *self)
{
    sluice_batch_reset(self->batch);
    CHECK(ops()->poll(self->self, self->batch, self->err) == SLUICE_OK);
    return sluice_batch_count(self->batch) == 1 &&
           sluice_record_topic(sluice_batch_record(self->batch, 0)) == NULL;
}

/* What one poll gives, positions that are told apart, which are stored: lines with
 * their positions, "one@4|two@8|". */
static inline const char *polled(rig *self)
{
    static char out[4096];
    size_t used = 0;
    while (rig_poll(self)) {
        rig_commit(self);
    }
    out[0] = '\0';
    for (size_t i = 0; i < sluice_batch_count(self->batch); i++) {
        const sluice_record *record = sluice_batch_record(self->batch, i);
        const sluice_value *offset = sluice_record_source_offset(record);
        sluice_bytes text = sluice_value_bytes(sluice_record_value(record));
        used += (size_t)snprintf(
            out + used, sizeof out - used, "%.*s@%lld|", (int)text.len,
            (const char *)text.base,
            (long long)sluice_value_integer(sluice_map_find(offset, "position", NULL)));
        CHECK_TEXT(sluice_record_topic(record), "lines");
        CHECK_TEXT(
            sluice_fake_show_schema(self->fake, sluice_record_value_schema(record)),
            "STRING");
        CHECK(sluice_record_key(record) == NULL);
        CHECK(sluice_record_timestamp(record) > 0);
        CHECK(sluice_value_is_text(
            sluice_map_find(sluice_record_source_partition(record), "filename", NULL),
            self->path));
    }
    return out;
}

/* The same of a poll that the worker ends if there is nothing. */
static inline const char *polled_now(rig *self)
{
    sluice_fake_wake(self->fake);
    const char *out = polled(self);
    sluice_fake_unwake(self->fake);
    return out;
}

static inline void store_position(rig *self, const sluice_value *position)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_value *partition = sluice_map_new(arena, 1),
                 *offset = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, partition, "filename", sluice_text(arena, self->path));
    sluice_map_add_text(arena, offset, "position", position);
    sluice_offsets_set(sluice_fake_offsets(self->fake), partition, offset);
    sluice_arena_free(arena);
}

#endif
