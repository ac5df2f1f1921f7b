/* connectors/file/source.c - the source: each line that a file gets becomes a record.
 *
 * A file stays open and is read to its end; then inotify says when there is more. What
 * is read when files are cut, renamed and replaced is trail.h's.
 *
 * Positions count bytes. Kafka Connect's count characters and are used as bytes, so a
 * position that it stored is right for ASCII files only. */
#include "file.h"
#include "lines.h"
#include "trail.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sluice/text.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The lines of a batch at most, whatever `batch.size` says. */
enum { LINES_MAX = 16384 };

typedef struct source_config {
    const char *file;
    const char *topic;
    int32_t batch_size;
    int64_t line_bytes_max;
} source_config;

typedef struct source {
    const source_config *config;
    const sluice_task *task;
    sluice_task *task_to_tell;
    bool is_stdin;
    bool is_at_end;  /* The last read found nothing. */
    bool is_cut;     /* The last read found that the file is written anew. */
    bool is_ended;   /* A stream has no more to come. */
    bool is_leaving; /* There is a next file: this one is read to its end once more. */
    bool is_waiting; /* The file is missing, and that was said. */
    trail trail;
    watch watch;
    lines lines;
    line_span *found;
    size_t found_max;
    sluice_arena *arena; /* For the following four, which all records share. */
    const sluice_value *partition;
    const sluice_value *position_key, *file_key;
    const sluice_schema *schema;
} source;

/* --- Begin and end. --- */

/* Which file the stored position is in; an offset that is not from here has none. */
static void source_resume_file(source *self, const sluice_value *stored)
{
    const sluice_value *file = sluice_map_find(stored, "file", NULL);
    if (file == NULL) {
        return;
    }
    bool is_known = false;
    if (sluice_value_type(file) == SLUICE_TYPE_STRING) {
        sluice_bytes text = sluice_value_bytes(file);
        is_known = identity_parse(&self->trail.identity, text.base, text.len);
    }
    if (!is_known) {
        sluice_log(SLUICE_WARN, FILE_LOGGER,
                   "'file' of the stored offset for file '%s' is not one that was "
                   "written here: going by the position alone",
                   self->config->file);
    }
}

/* Where the stored offset says to go on. */
static sluice_status source_resume(source *self, sluice_error *err)
{
    sluice_value *partition = sluice_map_new(self->arena, 1);
    sluice_map_add_text(self->arena, partition, "filename",
                        sluice_text(self->arena, self->config->file));
    self->partition = partition;
    self->position_key = sluice_text(self->arena, "position");
    self->file_key = sluice_text(self->arena, "file");
    const sluice_offsets *offsets = sluice_task_offsets(self->task);
    const sluice_value *stored = sluice_offsets_find(offsets, partition);
    const sluice_value *position =
        stored != NULL && sluice_value_type(stored) == SLUICE_TYPE_MAP
            ? sluice_map_find(stored, "position", NULL)
            : NULL;
    if (position == NULL) {
        return SLUICE_OK;
    }
    if (sluice_value_type(position) != SLUICE_TYPE_INT64 ||
        sluice_value_integer(position) < 0) {
        return sluice_fail(err, SLUICE_FATAL,
                           "Offset position is the incorrect type: '%s' of the stored "
                           "offset for file '%s' must be a whole number from 0 on",
                           "position", self->config->file);
    }
    self->trail.position = sluice_value_integer(position);
    source_resume_file(self, stored);
    return SLUICE_OK;
}

static void source_destroy(void *instance)
{
    source *self = instance;
    if (self == NULL) {
        return;
    }
    trail_done(&self->trail);
    if (!self->is_stdin) {
        watch_done(&self->watch);
    }
    lines_done(&self->lines);
    sluice_arena_free(self->arena);
    free(self->found);
    free(self);
}

static sluice_status source_create(const void *config, sluice_task *task,
                                   void **ret_self, sluice_error *err)
{
    source *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "memory is out");
    }
    self->config = config;
    self->task = self->task_to_tell = task;
    self->is_stdin = self->config->file == NULL || self->config->file[0] == '\0';
    trail_init(&self->trail, self->is_stdin ? NULL : self->config->file);
    lines_init(&self->lines, (size_t)self->config->line_bytes_max);
    int32_t batch_size = self->config->batch_size;
    self->found_max = batch_size < 1           ? 1
                      : batch_size < LINES_MAX ? (size_t)batch_size
                                               : LINES_MAX;
    self->found = calloc(self->found_max, sizeof *self->found);
    self->arena = sluice_arena_new();
    self->schema = sluice_schema_of(SLUICE_TYPE_STRING, false);
    sluice_status status = SLUICE_OK;
    if (!self->is_stdin) {
        watch_init(&self->watch, self->config->file);
        status = source_resume(self, err);
    }
    if (self->found == NULL) {
        status = sluice_fail(err, SLUICE_FATAL, "memory is out");
    }
    if (status != SLUICE_OK) {
        source_destroy(self);
        return status;
    }
    *ret_self = self;
    return SLUICE_OK;
}

/* --- Opening, rotation, truncation. --- */

static void source_say_missing(source *self)
{
    if (!self->is_waiting) {
        self->is_waiting = true;
        sluice_log(SLUICE_WARN, FILE_LOGGER,
                   "Couldn't find file '%s' for FileStreamSourceTask, sleeping to wait "
                   "for it to be created",
                   self->trail.name);
        sluice_task_doing(self->task_to_tell, "waiting for the file to be created");
    }
}

static void source_say_there(source *self)
{
    if (self->is_waiting) {
        self->is_waiting = false;
        sluice_task_doing(self->task_to_tell, NULL);
        sluice_log(SLUICE_INFO, FILE_LOGGER, "file '%s' is there now",
                   trail_path(&self->trail));
    }
}

/* For another file, or another content of this one. */
static void source_start_over(source *self)
{
    lines_clear(&self->lines);
    self->is_at_end = self->is_cut = self->is_leaving = false;
}

/* --- Records. --- */

static void source_set_position(source *self, sluice_record *record,
                                sluice_arena *arena, int64_t position,
                                const sluice_value *file)
{
    sluice_value *offset = sluice_map_new(arena, 2);
    sluice_map_add(arena, offset, self->position_key, sluice_int64(arena, position));
    if (file != NULL) {
        sluice_map_add(arena, offset, self->file_key, file);
    }
    sluice_record_set_source(record, self->partition, offset);
}

/* What the offsets of a batch say of the file; NULL for a stream. */
static const sluice_value *source_file(source *self, sluice_arena *arena)
{
    char text[IDENTITY_TEXT_MAX];
    if (self->trail.is_stream) {
        return NULL;
    }
    trail_note(&self->trail, self->trail.position + (int64_t)lines_left(&self->lines));
    identity_print(&self->trail.identity, text);
    return sluice_text(arena, text);
}

/* Makes records of `count` found lines. Their bytes are copied in one piece. */
static void source_emit(source *self, size_t count, sluice_batch *out)
{
    sluice_arena *arena = sluice_batch_arena(out);
    size_t first = self->found[0].start, behind = self->found[count - 1].next;
    const char *bytes =
        sluice_arena_copy(arena, self->lines.base + first, behind - first);
    bool is_utf8 = sluice_text_is_utf8(bytes, behind - first);
    int64_t base = self->trail.position;
    self->trail.position += (int64_t)(behind - first);
    const sluice_value *file = source_file(self, arena);
    for (size_t i = 0; i < count; i++) {
        const line_span *found = &self->found[i];
        const char *text = bytes + (found->start - first);
        size_t len = found->len;
        if (!is_utf8) {
            text = sluice_text_repair(arena, text, len, &len);
        }
        sluice_record *record = sluice_batch_add(out);
        sluice_record_set_topic_borrowed(record, self->config->topic);
        sluice_record_set_timestamp_now(record);
        sluice_record_set_value(record, self->schema,
                                sluice_string_borrowed(arena, text, len));
        if (!self->is_stdin) {
            source_set_position(self, record, arena,
                                base + (int64_t)(found->next - first), file);
        }
    }
}

/* Reads once, and notes what that says about the file. */
static sluice_status source_read(source *self, sluice_error *err)
{
    size_t room;
    char *to = lines_room(&self->lines, &room);
    if (to == NULL) {
        return sluice_fail(err, SLUICE_FATAL,
                           "the line at byte %lld of %s has more than %lld bytes: "
                           "max.line.bytes is the most that is accepted",
                           (long long)self->trail.position, trail_path(&self->trail),
                           (long long)self->config->line_bytes_max);
    }
    ssize_t size =
        trail_read(&self->trail, lines_left(&self->lines), to, room, &self->is_cut);
    if (size < 0 && errno != EAGAIN) {
        return sluice_fail(err, SLUICE_RETRY, "cannot read %s at byte %lld: %s",
                           trail_path(&self->trail), (long long)self->trail.position,
                           strerror(errno));
    }
    self->is_at_end = size <= 0;
    self->is_ended = size == 0;
    lines_add(&self->lines, size > 0 ? (size_t)size : 0);
    return SLUICE_OK;
}

/* --- Polling. --- */

/* Adds the lines that are already here. Whether there were any. */
static bool source_take(source *self, sluice_batch *out)
{
    size_t count = lines_take(&self->lines, self->found, self->found_max);
    if (count > 0) {
        source_emit(self, count, out);
    }
    return count > 0;
}

/* What was read of a content that is gone: its unfinished last line, which nobody will
 * finish, becomes a record. Whether there was one. */
static bool source_take_rest(source *self, sluice_batch *out)
{
    bool has_rest = lines_take_rest(&self->lines, &self->found[0]);
    if (has_rest) {
        source_emit(self, 1, out);
    }
    return has_rest;
}

/* The file was replaced: the next poll opens the one behind it. Whether there is a
 * record. */
static bool source_leave(source *self, sluice_batch *out)
{
    bool has_rest = source_take_rest(self, out);
    trail_leave(&self->trail);
    source_start_over(self);
    return has_rest;
}

/* The file was cut, whatever was written to it since. `*ret_is_done`: poll() is to
 * return. */
static sluice_status source_rewind(source *self, sluice_batch *out, bool *ret_is_done,
                                   sluice_error *err)
{
    bool has_copy;
    sluice_status status = trail_take_copy(&self->trail, &has_copy, err);
    if (status == SLUICE_OK && !has_copy) {
        *ret_is_done = source_take_rest(self, out);
        trail_rewind(&self->trail);
    }
    source_start_over(self); /* What was unfinished is whole in a copy. */
    return status;
}

/* Waits for more. Whether poll() is to return. */
static bool source_wait(source *self, int fd, int timeout_ms)
{
    unsigned ended = sluice_task_wait(self->task, fd, POLLIN, timeout_ms);
    return (ended & (SLUICE_WAIT_WAKE | SLUICE_WAIT_STOP)) != 0;
}

/* Opens the file if it is there, else waits for it. `*ret_is_done`: poll() is to
 * return. */
static sluice_status source_begin(source *self, bool *ret_is_done, sluice_error *err)
{
    int timeout_ms = watch_arm(&self->watch, -1);
    sluice_status status = trail_open(&self->trail, err);
    if (status == SLUICE_OK && self->trail.file.fd < 0) {
        source_say_missing(self);
        *ret_is_done = source_wait(self, self->watch.fd, timeout_ms);
    } else if (status == SLUICE_OK) {
        source_say_there(self);
    }
    return status;
}

/* Waits at the end of what there is; the watch was armed before that was read. */
static bool source_wait_at_end(source *self, int timeout_ms)
{
    if (!self->trail.is_stream) {
        return source_wait(self, self->watch.fd, timeout_ms);
    }
    return source_wait(self, self->is_ended ? -1 : self->trail.file.fd, -1);
}

/* A record without a topic is a position to be stored, and nothing else. */
static bool source_tell_empty(source *self, sluice_batch *out)
{
    bool is_news = trail_is_news(&self->trail);
    if (is_news) {
        sluice_arena *arena = sluice_batch_arena(out);
        const sluice_value *file = source_file(self, arena);
        source_set_position(self, sluice_batch_add(out), arena, 0, file);
    }
    return is_news;
}

/* At the end of what the file has. A writer may have added to it right before it began
 * with the next one: so it is read once more when that is seen. Whether poll() is to
 * return. */
static bool source_end(source *self, sluice_batch *out, int timeout_ms)
{
    bool is_ready = trail_look_ahead(&self->trail) == TRAIL_READY;
    if (is_ready && self->is_leaving) {
        return source_leave(self, out);
    }
    self->is_leaving = is_ready;
    return is_ready
               ? false
               : source_tell_empty(self, out) || source_wait_at_end(self, timeout_ms);
}

/* One look at the open file. `*ret_is_done`: poll() is to return. */
static sluice_status source_look(source *self, sluice_batch *out, bool *ret_is_done,
                                 sluice_error *err)
{
    bool is_armed = self->is_at_end;
    int timeout_ms = is_armed && !self->trail.is_stream
                         ? watch_arm(&self->watch, self->trail.file.fd)
                         : -1;
    sluice_status status = source_read(self, err);
    if (status != SLUICE_OK || source_take(self, out)) {
        *ret_is_done = true;
    } else if (self->is_cut) {
        status = source_rewind(self, out, ret_is_done, err);
    } else if (self->is_at_end && is_armed) {
        *ret_is_done = source_end(self, out, timeout_ms);
    }
    return status;
}

static sluice_status source_poll(void *instance, sluice_batch *out, sluice_error *err)
{
    source *self = instance;
    bool is_done = source_take(self, out);
    sluice_status status = SLUICE_OK;
    while (!is_done && status == SLUICE_OK) {
        status = self->trail.file.fd < 0 ? source_begin(self, &is_done, err)
                                         : source_look(self, out, &is_done, err);
    }
    return status;
}

/* --- The feature. --- */

static sluice_status source_check(const void *parsed, sluice_error *err)
{
    const source_config *config = parsed;
    if (config->topic[0] == '\0') {
        return sluice_fail_key(err, "topic",
                               "Invalid value  for configuration topic: String must be "
                               "non-empty");
    }
    return SLUICE_OK;
}

static const sluice_key SOURCE_KEYS[] = {
    {.name = "file",
     .fallback = SLUICE_NULL,
     .doc = "Source filename. If not specified, the standard input will be used",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, source_config, file)},
    {.name = "topic",
     .doc = "The topic to publish data to",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, source_config, topic)},
    {.name = "batch.size",
     .fallback = "2000",
     .doc =
         "The maximum number of lines that one look at the file hands over. Less than "
         "one is one.",
     .type = SLUICE_INT,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(int32_t, source_config, batch_size)},
    {.name = "max.line.bytes",
     .fallback = "64m",
     .doc =
         "The longest line that is accepted, without its end. A longer one fails the "
         "task, since memory must hold it whole.",
     .type = SLUICE_SIZE,
     .importance = SLUICE_LOW,
     .min = 1,
     .max = 1 << 30,
     .offset = SLUICE_AT(int64_t, source_config, line_bytes_max)},
    {.name = NULL},
};

static const sluice_config SOURCE_CONFIG = {.size = sizeof(sluice_config),
                                            .key_size = sizeof(sluice_key),
                                            .struct_size = sizeof(source_config),
                                            .keys = SOURCE_KEYS,
                                            .check = source_check};

/* --- Offsets that somebody wants to set. --- */

static bool is_map(const sluice_value *value)
{
    return value != NULL && sluice_value_type(value) == SLUICE_TYPE_MAP;
}

/* Whether it says which file a position is in, or nothing. */
static bool is_file(const sluice_value *value)
{
    identity file;
    if (value == NULL || sluice_value_type(value) != SLUICE_TYPE_STRING) {
        return value == NULL;
    }
    sluice_bytes text = sluice_value_bytes(value);
    return identity_parse(&file, text.base, text.len);
}

static sluice_status source_check_offset(const sluice_value *partition,
                                         const sluice_value *offset, sluice_error *err)
{
    bool has_position, has_file = false;
    const char *reason = NULL;
    if (!is_map(offset)) {
        return SLUICE_OK; /* To be forgotten. */
    }
    const sluice_value *position = sluice_map_find(offset, "position", &has_position);
    if (is_map(partition)) {
        sluice_map_find(partition, "filename", &has_file);
    }
    if (!has_position) {
        reason = "Offset objects should either be null or contain the key 'position'";
    } else if (position == NULL || sluice_value_type(position) != SLUICE_TYPE_INT64) {
        reason = "The value for the 'position' key in the offset is expected to be a "
                 "Long value";
    } else if (sluice_value_integer(position) < 0) {
        reason = "The value for the 'position' key in the offset should be a "
                 "non-negative value";
    } else if (!is_map(partition)) {
        reason = "Partition objects cannot be null";
    } else if (!has_file) {
        reason = "Partition objects should contain the key 'filename'";
    } else if (!is_file(sluice_map_find(offset, "file", NULL))) {
        reason = "The value for the 'file' key in the offset should be one that was "
                 "stored by this connector, or left out: the position is then one in "
                 "whatever file has the name";
    }
    return reason == NULL ? SLUICE_OK
                          : sluice_fail(err, SLUICE_BAD_CONFIG, "%s", reason);
}

static sluice_status source_alter_offsets(const void *config,
                                          const sluice_offsets *offsets,
                                          sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; status == SLUICE_OK && i < sluice_offsets_count(offsets); i++) {
        status = source_check_offset(sluice_offsets_partition(offsets, i),
                                     sluice_offsets_offset(offsets, i), err);
    }
    return status;
}

static const sluice_source_ops SOURCE_OPS = {.size = sizeof(sluice_source_ops),
                                             .create = source_create,
                                             .destroy = source_destroy,
                                             .poll = source_poll,
                                             .alter_offsets = source_alter_offsets};

static const char *const SOURCE_ALIASES[] = {
    "org.apache.kafka.connect.file.FileStreamSourceConnector",
    "FileStreamSourceConnector", "FileStreamSource", NULL};

const sluice_feature file_source_feature = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_SOURCE,
    .name = "file-source",
    .summary = "The lines of a file, or of standard input, as records.",
    .doc =
        "Each line becomes a record whose value is the line as a string, without its "
        "end (`\\n`, `\\r\\n` or `\\r`). The file is followed as it grows, also "
        "when it is cut or replaced by a new one of the same name; a file that is "
        "not there yet is waited for. A last line without an end is kept back until "
        "the end comes. The offset is `{\"position\": BYTES, \"file\": WHICH}` under "
        "`{\"filename\": FILE}`, where `file` tells a file that was rotated while "
        "nobody "
        "read it from the one that has its name now; standard input has none.",
    .aliases = SOURCE_ALIASES,
    .stands_for = "4.1.0",
    .config = &SOURCE_CONFIG,
    .ops.source = &SOURCE_OPS};
