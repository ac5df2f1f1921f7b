/* connectors/file/sink.c - the sink: each record's value as a line of text.
 *
 * A put is written to the file before it returns, as Kafka Connect's is; a flush makes
 * it durable before offsets are committed. */
#include "file.h"
#include "output.h"

#include <sluice/text.h>
#include <stdlib.h>

typedef enum sink_sync { SYNC_FLUSH, SYNC_NEVER } sink_sync;

typedef struct sink_config {
    const char *file;
    int32_t sync;
} sink_config;

typedef struct sink {
    const sink_config *config;
    output output;
    sluice_arena *arena; /* For texts; reset with each put. */
} sink;

static sluice_status sink_create(const void *config, sluice_task *task, void **ret_self,
                                 sluice_error *err)
{
    sink *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "memory is out");
    }
    self->config = config;
    bool is_stdout = self->config->file == NULL || self->config->file[0] == '\0';
    const char *path = is_stdout ? NULL : self->config->file;
    sluice_status status = output_init(&self->output, path, err);
    if (status != SLUICE_OK) {
        free(self);
        return status;
    }
    self->arena = sluice_arena_new();
    *ret_self = self;
    return SLUICE_OK;
}

static void sink_destroy(void *instance)
{
    sink *self = instance;
    if (self == NULL) {
        return;
    }
    output_done(&self->output);
    sluice_arena_free(self->arena);
    free(self);
}

/* The line of a record. Bytes without a meaning of their own go out as they are, where
 * Kafka Connect prints an address. */
static sluice_bytes sink_line(sink *self, const sluice_record *record)
{
    const sluice_schema *schema = sluice_record_value_schema(record);
    const sluice_value *value = sluice_record_value(record);
    sluice_data_type type =
        value == NULL ? SLUICE_TYPE_STRUCT : sluice_value_type(value);
    bool is_named = schema != NULL && sluice_schema_name(schema) != NULL;
    if (type == SLUICE_TYPE_STRING || (type == SLUICE_TYPE_BYTES && !is_named)) {
        return sluice_value_bytes(value);
    }
    sluice_bytes line;
    line.base = sluice_text_of(self->arena, schema, value, &line.len);
    return line;
}

static sluice_status sink_put(void *instance, const sluice_batch *in, sluice_error *err)
{
    sink *self = instance;
    sluice_status status = SLUICE_OK;
    size_t count = sluice_batch_count(in);
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        sluice_bytes line = sink_line(self, sluice_batch_record(in, i));
        status = output_line(&self->output, line.base, line.len, err);
    }
    if (status == SLUICE_OK) {
        status = output_write(&self->output, err);
    }
    output_forget(&self->output);
    sluice_arena_reset(self->arena);
    return status;
}

static sluice_status sink_flush(void *instance, sluice_offsets *safe, sluice_error *err)
{
    sink *self = instance;
    sluice_status status = SLUICE_OK;
    if (self->config->sync == SYNC_FLUSH) {
        status = output_sync(&self->output, err);
    }
    if (status == SLUICE_OK) {
        output_follow(&self->output);
    }
    return status;
}

/* --- The feature. --- */

static const char *const SYNC_CHOICES[] = {"flush", "never", NULL};

static const sluice_key SINK_KEYS[] = {
    {.name = "file",
     .fallback = SLUICE_NULL,
     .doc = "Destination filename. If not specified, the standard output will be used",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .offset = SLUICE_AT(const char *, sink_config, file)},
    {.name = "file.sync",
     .fallback = "flush",
     .doc =
         "When lines are forced to the disk: 'flush' before offsets are committed, so "
         "that a power failure loses nothing; 'never' leaves it to the kernel, as "
         "Kafka Connect does.",
     .choices = SYNC_CHOICES,
     .type = SLUICE_ENUM,
     .importance = SLUICE_LOW,
     .offset = SLUICE_AT(int32_t, sink_config, sync)},
    {.name = NULL},
};

static const sluice_config SINK_CONFIG = {.size = sizeof(sluice_config),
                                          .key_size = sizeof(sluice_key),
                                          .struct_size = sizeof(sink_config),
                                          .keys = SINK_KEYS};

/* What it wrote stays written, wherever it goes on. */
static sluice_status
sink_alter_offsets(const void *config, const sluice_offsets *offsets, sluice_error *err)
{
    return SLUICE_OK;
}

static const sluice_sink_ops SINK_OPS = {.size = sizeof(sluice_sink_ops),
                                         .create = sink_create,
                                         .destroy = sink_destroy,
                                         .put = sink_put,
                                         .flush = sink_flush,
                                         .alter_offsets = sink_alter_offsets};

static const char *const SINK_ALIASES[] = {
    "org.apache.kafka.connect.file.FileStreamSinkConnector", "FileStreamSinkConnector",
    "FileStreamSink", NULL};

const sluice_feature file_sink_feature = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_SINK,
    .name = "file-sink",
    .summary = "Records as lines of a file, or of standard output.",
    .doc = "Each record's value becomes a line: a string as it is, anything else as "
           "Java's `toString` prints it (`Struct{id=1,name=x}`, `{a=1, b=null}`, "
           "`null`). Lines are appended and written whole; a line that a crash cut off "
           "is taken out at the next start, when its record comes again.",
    .aliases = SINK_ALIASES,
    .stands_for = "4.1.0",
    .config = &SINK_CONFIG,
    .ops.sink = &SINK_OPS};
