/* A source that is never the limit and a sink that keeps nothing: what a host takes.
 *
 *     bench.kind=bytes    values of bench.bytes bytes, the same memory for all
 *     bench.kind=change   structs shaped like a change event, about 720 bytes as JSON
 *
 * Both say in the log how long they took, and what CPU time the process used. */
#include <sluice/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

typedef struct bench_config {
    const char *topic, *kind;
    int64_t count;
    int32_t batch, bytes;
} bench_config;

static const sluice_key source_keys[] = {
    {.name = "bench.topic",
     .fallback = "bench",
     .doc = "The topic.",
     .type = SLUICE_STRING,
     .offset = SLUICE_AT(const char *, bench_config, topic)},
    {.name = "bench.kind",
     .fallback = "bytes",
     .doc = "bytes or change.",
     .type = SLUICE_STRING,
     .offset = SLUICE_AT(const char *, bench_config, kind)},
    {.name = "bench.count",
     .fallback = "1000000",
     .doc = "How many records.",
     .type = SLUICE_LONG,
     .offset = SLUICE_AT(int64_t, bench_config, count)},
    {.name = "bench.batch",
     .fallback = "1000",
     .doc = "Records a poll.",
     .type = SLUICE_INT,
     .offset = SLUICE_AT(int32_t, bench_config, batch)},
    {.name = "bench.bytes",
     .fallback = "720",
     .doc = "Bytes a record.",
     .type = SLUICE_INT,
     .offset = SLUICE_AT(int32_t, bench_config, bytes)},
    {0},
};

static const sluice_config source_table = {.size = sizeof(sluice_config),
                                           .key_size = sizeof(sluice_key),
                                           .struct_size = sizeof(bench_config),
                                           .keys = source_keys};

typedef struct bench_task {
    const bench_config *config;
    sluice_task *task;
    int64_t next, last_told;
    double began, began_cpu;
    sluice_arena *arena;
    const sluice_schema *row, *origin, *envelope;
    const sluice_value *partition, *origin_value, *value;
} bench_task;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void tell(bench_task *self, const char *what, int64_t count)
{
    double wall = now() - self->began, used = cpu() - self->began_cpu;
    sluice_log(SLUICE_INFO, "bench",
               "%s %lld records in %.2f s: %.0f/s, %.2f us of CPU a record", what,
               (long long)count, wall, (double)count / wall,
               used * 1e6 / (double)count);
}

static const sluice_schema *make_row(sluice_arena *arena)
{
    static const char *const names[] = {"id", "a", "name", "price", "at", "note"};
    static const sluice_data_type types[] = {SLUICE_TYPE_INT64,  SLUICE_TYPE_INT64,
                                             SLUICE_TYPE_STRING, SLUICE_TYPE_STRING,
                                             SLUICE_TYPE_STRING, SLUICE_TYPE_STRING};
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_optional(builder);
    for (size_t i = 0; i < 6; i++) {
        sluice_schema_builder_field(builder, names[i],
                                    sluice_schema_of(types[i], true));
    }
    const sluice_schema *schema = NULL;
    sluice_schema_builder_finish(builder, &schema, NULL);
    return schema;
}

static const char *const origin_names[] = {"version", "connector", "name",   "snapshot",
                                           "db",      "sequence",  "schema", "table"};

static const sluice_schema *make_origin(sluice_arena *arena)
{
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    for (size_t i = 0; i < 8; i++) {
        sluice_schema_builder_field(builder, origin_names[i],
                                    sluice_schema_of(SLUICE_TYPE_STRING, true));
    }
    sluice_schema_builder_field(builder, "ts_ms",
                                sluice_schema_of(SLUICE_TYPE_INT64, false));
    sluice_schema_builder_field(builder, "txId",
                                sluice_schema_of(SLUICE_TYPE_INT64, true));
    sluice_schema_builder_field(builder, "lsn",
                                sluice_schema_of(SLUICE_TYPE_INT64, true));
    const sluice_schema *schema = NULL;
    sluice_schema_builder_finish(builder, &schema, NULL);
    return schema;
}

static void make_schemas(bench_task *self)
{
    self->row = make_row(self->arena);
    self->origin = make_origin(self->arena);
    sluice_schema_builder *builder =
        sluice_schema_builder_new(self->arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(builder, "before", self->row);
    sluice_schema_builder_field(builder, "after", self->row);
    sluice_schema_builder_field(builder, "source", self->origin);
    sluice_schema_builder_field(builder, "op",
                                sluice_schema_of(SLUICE_TYPE_STRING, false));
    sluice_schema_builder_field(builder, "ts_ms",
                                sluice_schema_of(SLUICE_TYPE_INT64, true));
    sluice_schema_builder_finish(builder, &self->envelope, NULL);
}

static sluice_status create(const void *config, sluice_task *task, void **ret_self,
                            sluice_error *err)
{
    bench_task *self = calloc(1, sizeof *self);
    self->config = config;
    self->task = task;
    self->arena = sluice_arena_new();
    make_schemas(self);
    sluice_value *partition = sluice_map_new(self->arena, 1);
    sluice_map_add_text(self->arena, partition, "bench",
                        sluice_text(self->arena, "bench"));
    self->partition = partition;
    char *bytes = sluice_arena_take(self->arena, (size_t)self->config->bytes);
    memset(bytes, 'x', (size_t)self->config->bytes);
    self->value =
        sluice_string_borrowed(self->arena, bytes, (size_t)self->config->bytes);
    *ret_self = self;
    return SLUICE_OK;
}

static void destroy(void *argument)
{
    bench_task *self = argument;
    if (self != NULL) {
        sluice_arena_free(self->arena);
        free(self);
    }
}

static const sluice_value *make_change(bench_task *self, sluice_arena *arena,
                                       const sluice_value *origin)
{
    static const char text[] = "the quick brown fox jumps over the lazy dog";
    sluice_value *row = sluice_struct_new(arena, self->row);
    sluice_struct_set(row, 0, sluice_int64(arena, self->next));
    sluice_struct_set(row, 1, sluice_int64(arena, self->next * 7919));
    sluice_struct_set(row, 2, sluice_string(arena, text, 40));
    sluice_struct_set(row, 3, sluice_string(arena, "1234567.89", 10));
    sluice_struct_set(row, 4, sluice_string(arena, "2026-11-21T10:15:04.123456Z", 27));
    sluice_struct_set(row, 5, sluice_string(arena, text, 43));
    sluice_value *value = sluice_struct_new(arena, self->envelope);
    sluice_struct_set(value, 1, row);
    sluice_struct_set(value, 2, origin);
    sluice_struct_set(value, 3, sluice_string(arena, "c", 1));
    sluice_struct_set(value, 4, sluice_int64(arena, 1795259516628));
    return value;
}

static const sluice_value *make_origin_value(bench_task *self, sluice_arena *arena)
{
    static const char *const texts[] = {"3.3.1.Final", "postgresql",
                                        "server1",     "false",
                                        "inventory",   "[\"24023128\",\"24023128\"]",
                                        "public",      "wide"};
    sluice_value *origin = sluice_struct_new(arena, self->origin);
    for (size_t i = 0; i < 8; i++) {
        sluice_struct_set(origin, i, sluice_text(arena, texts[i]));
    }
    sluice_struct_set(origin, 8, sluice_int64(arena, 1795259516000));
    sluice_struct_set(origin, 9, sluice_int64(arena, 555));
    sluice_struct_set(origin, 10, sluice_int64(arena, 24023128));
    return origin;
}

static sluice_status poll_bench(void *argument, sluice_batch *out, sluice_error *err)
{
    bench_task *self = argument;
    const bench_config *config = self->config;
    if (self->next >= config->count) {
        sluice_task_wait(self->task, -1, 0, -1);
        return SLUICE_OK;
    }
    if (self->next == 0) {
        self->began = now();
        self->began_cpu = cpu();
    }
    bool change = strcmp(config->kind, "change") == 0;
    sluice_arena *arena = sluice_batch_arena(out);
    const sluice_value *origin = change ? make_origin_value(self, arena) : NULL;
    for (int i = 0; i < config->batch && self->next < config->count; i++) {
        sluice_record *record = sluice_batch_add(out);
        sluice_record_set_topic_borrowed(record, config->topic);
        if (change) {
            sluice_record_set_value(record, self->envelope,
                                    make_change(self, arena, origin));
        } else {
            sluice_record_set_value(record, sluice_schema_of(SLUICE_TYPE_STRING, false),
                                    self->value);
        }
        self->next++;
        sluice_value *offset = sluice_map_new(arena, 1);
        sluice_map_add_text(arena, offset, "next", sluice_int64(arena, self->next));
        sluice_record_set_source(record, self->partition, offset);
    }
    return SLUICE_OK;
}

static sluice_status committed(void *argument, const sluice_offsets *done,
                               sluice_error *err)
{
    bench_task *self = argument;
    const sluice_value *offset = sluice_offsets_find(done, self->partition);
    int64_t at = sluice_value_integer(sluice_map_find(offset, "next", NULL));
    tell(self, at == self->config->count ? "all stored:" : "stored:", at);
    return SLUICE_OK;
}

/* --- The sink. --- */

static const sluice_config sink_table = {.size = sizeof(sluice_config),
                                         .key_size = sizeof(sluice_key),
                                         .struct_size = 1,
                                         .keys = (const sluice_key[]){{0}}};

static sluice_status sink_create(const void *config, sluice_task *task, void **ret_self,
                                 sluice_error *err)
{
    bench_task *self = calloc(1, sizeof *self);
    self->task = task;
    self->arena = sluice_arena_new();
    *ret_self = self;
    return SLUICE_OK;
}

static sluice_status put(void *argument, const sluice_batch *in, sluice_error *err)
{
    bench_task *self = argument;
    if (self->next == 0) {
        self->began = now();
        self->began_cpu = cpu();
    }
    self->next += (int64_t)sluice_batch_count(in);
    if (self->next - self->last_told >= 500000) {
        self->last_told = self->next;
        tell(self, "put:", self->next);
    }
    return SLUICE_OK;
}

static sluice_status flush(void *argument, sluice_offsets *safe, sluice_error *err)
{
    return SLUICE_OK;
}

static const sluice_source_ops source_ops = {.size = sizeof(sluice_source_ops),
                                             .create = create,
                                             .destroy = destroy,
                                             .poll = poll_bench,
                                             .committed = committed};
static const sluice_sink_ops sink_ops = {.size = sizeof(sluice_sink_ops),
                                         .create = sink_create,
                                         .destroy = destroy,
                                         .put = put,
                                         .flush = flush};

static const sluice_feature source = {.size = sizeof(sluice_feature),
                                      .kind = SLUICE_SOURCE,
                                      .name = "bench-source",
                                      .summary = "Makes records.",
                                      .config = &source_table,
                                      .ops.source = &source_ops};
static const sluice_feature sink = {.size = sizeof(sluice_feature),
                                    .kind = SLUICE_SINK,
                                    .name = "bench-sink",
                                    .summary = "Drops records.",
                                    .config = &sink_table,
                                    .ops.sink = &sink_ops};

SLUICE_PLUGIN(.name = "bench", .version = "1.0", .license = "Apache-2.0",
              .features = (const sluice_feature *const[]){&source, &sink, NULL});
