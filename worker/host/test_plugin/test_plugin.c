/* A plugin for the tests of the host: it counts, collects, and misbehaves on demand.
 *
 * What it does is steered by keys and told to a file, line by line, so that it can run
 * in the process of the test or in another one. */
#include "misbehave.h"
#include <errno.h>
#include <fcntl.h>
#include <sluice/plugin.h>
#include <sluice/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct test_config {
    const char *topic, *tell, *trouble, *tasks_file;
    int64_t count;
    int32_t batch, times, partitions, tasks;
    misbehaviour misbehaviour;
} test_config;

#define TEST_KEYS                                                                      \
    MISBEHAVE_KEYS(test_config, misbehaviour),                                         \
        {.name = "test.tell",                                                          \
         .fallback = SLUICE_NULL,                                                      \
         .doc = "The file to tell everything to.",                                     \
         .type = SLUICE_STRING,                                                        \
         .offset = SLUICE_AT(const char *, test_config, tell)},                        \
        {.name = "test.trouble",                                                       \
         .fallback = "",                                                               \
         .doc = "What goes wrong.",                                                    \
         .type = SLUICE_STRING,                                                        \
         .offset = SLUICE_AT(const char *, test_config, trouble)},                     \
    {                                                                                  \
        .name = "test.times", .fallback = "1000000",                                   \
        .doc = "How often it goes wrong.", .type = SLUICE_INT,                         \
        .offset = SLUICE_AT(int32_t, test_config, times)                               \
    }

static const sluice_key source_keys[] = {
    TEST_KEYS,
    {.name = "test.topic",
     .doc = "The topic to write to.",
     .type = SLUICE_STRING,
     .offset = SLUICE_AT(const char *, test_config, topic)},
    {.name = "test.count",
     .fallback = "10",
     .doc = "How many records there are.",
     .type = SLUICE_LONG,
     .offset = SLUICE_AT(int64_t, test_config, count)},
    {.name = "test.batch",
     .fallback = "5",
     .doc = "How many records a poll brings.",
     .type = SLUICE_INT,
     .offset = SLUICE_AT(int32_t, test_config, batch)},
    {.name = "test.partitions",
     .fallback = "1",
     .doc = "How many source partitions there are.",
     .type = SLUICE_INT,
     .offset = SLUICE_AT(int32_t, test_config, partitions)},
    {.name = "test.tasks",
     .fallback = "1",
     .doc = "How many tasks it makes, whatever it may.",
     .type = SLUICE_INT,
     .offset = SLUICE_AT(int32_t, test_config, tasks)},
    {.name = "test.tasks.file",
     .fallback = SLUICE_NULL,
     .doc = "A file that says it instead, each time it is asked.",
     .type = SLUICE_STRING,
     .offset = SLUICE_AT(const char *, test_config, tasks_file)},
    {0},
};

static const sluice_key sink_keys[] = {TEST_KEYS, {0}};

static sluice_status check(const void *config, sluice_error *err)
{
    misbehave(&((const test_config *)config)->misbehaviour, "check");
    return SLUICE_OK;
}

static const sluice_config source_table = {.size = sizeof(sluice_config),
                                           .key_size = sizeof(sluice_key),
                                           .struct_size = sizeof(test_config),
                                           .keys = source_keys,
                                           .check = check};
static const sluice_config sink_table = {.size = sizeof(sluice_config),
                                         .key_size = sizeof(sluice_key),
                                         .struct_size = sizeof(test_config),
                                         .keys = sink_keys,
                                         .check = check};

typedef struct test_task {
    const test_config *config;
    sluice_task *task;
    int64_t next;
    int32_t troubles;
    int tell;
    sluice_arena *arena;
} test_task;

__attribute__((format(printf, 2, 3))) static void tell(test_task *self,
                                                       const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[len] = '\n';
    if (self->tell >= 0) {
        (void)!write(self->tell, line, (size_t)len + 1);
    }
}

static bool goes_wrong(test_task *self, const char *how)
{
    return strcmp(self->config->trouble, how) == 0 &&
           self->troubles++ < self->config->times;
}

static test_task *task_new(const void *config, sluice_task *task)
{
    test_task *self = calloc(1, sizeof *self);
    self->config = config;
    self->task = task;
    self->arena = sluice_arena_new();
    self->tell =
        self->config->tell == NULL
            ? -1
            : open(self->config->tell, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return self;
}

static void task_free(void *argument)
{
    test_task *self = argument;
    if (self != NULL) {
        misbehave(&self->config->misbehaviour, "destroy");
        tell(self, "destroy");
        close(self->tell);
        sluice_arena_free(self->arena);
        free(self);
    }
}

static sluice_value *partition_map(sluice_arena *arena, int64_t number)
{
    sluice_value *map = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, map, "partition", sluice_int64(arena, number));
    return map;
}

static sluice_status split(const void *config, int max_tasks,
                           sluice_props *const *tasks, int *ret_count,
                           sluice_error *err)
{
    const test_config *keys = config;
    misbehave(&keys->misbehaviour, "split");
    *ret_count = keys->tasks;
    FILE *file = keys->tasks_file == NULL ? NULL : fopen(keys->tasks_file, "re");
    if (file != NULL) {
        *ret_count = fgetc(file) - '0';
        fclose(file);
    }
    return SLUICE_OK;
}

static sluice_status source_create(const void *config, sluice_task *task,
                                   void **ret_self, sluice_error *err)
{
    static int refusals;
    const test_config *keys = config;
    misbehave(&keys->misbehaviour, "create");
    if (strcmp(keys->trouble, "create-retry") == 0 && refusals++ < keys->times) {
        return sluice_fail(err, SLUICE_RETRY, "the outside is not there");
    }
    if (strcmp(keys->trouble, "create-nothing") == 0) {
        return SLUICE_OK;
    }
    if (strcmp(keys->trouble, "create") == 0) {
        return sluice_fail(err, SLUICE_FATAL, "cannot be made");
    }
    test_task *self = task_new(config, task);
    for (int i = 0; i < keys->partitions; i++) {
        const sluice_value *at = sluice_offsets_find(sluice_task_offsets(task),
                                                     partition_map(self->arena, i));
        if (at != NULL) {
            int64_t next = sluice_value_integer(sluice_map_find(at, "next", NULL));
            self->next = next > self->next ? next : self->next;
        }
    }
    tell(self, "create %lld", (long long)self->next);
    *ret_self = self;
    return SLUICE_OK;
}

static void add_record(test_task *self, sluice_batch *out)
{
    sluice_arena *arena = sluice_batch_arena(out);
    sluice_record *record = sluice_batch_add(out);
    size_t len;
    const char *text =
        sluice_arena_print(arena, &len, "record %lld", (long long)self->next);
    bool silent = strcmp(self->config->trouble, "positions") == 0 && self->next >= 3;
    if (!silent) {
        sluice_record_set_topic(record, self->config->topic);
    }
    sluice_record_set_value(record, sluice_schema_of(SLUICE_TYPE_STRING, false),
                            sluice_string_borrowed(arena, text, len));
    sluice_record_set_key(record, sluice_schema_of(SLUICE_TYPE_STRING, false),
                          sluice_text(arena, "key"));
    int64_t partition = self->next++ % self->config->partitions;
    sluice_value *offset = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, offset, "next", sluice_int64(arena, self->next));
    sluice_record_set_source(record, partition_map(arena, partition), offset);
}

static sluice_status poll_records(void *argument, sluice_batch *out, sluice_error *err)
{
    test_task *self = argument;
    misbehave(&self->config->misbehaviour, "poll");
    if (goes_wrong(self, "poll-crash")) {
        sluice_task_doing(self->task, "nothing good");
        abort();
    }
    if (goes_wrong(self, "poll-silent")) {
        return (sluice_status)77;
    }
    if (goes_wrong(self, "poll-long")) {
        return sluice_fail(err, SLUICE_FATAL, "\xff%*s", 50000000, "long");
    }
    if (goes_wrong(self, "poll-retry")) {
        return sluice_fail(err, SLUICE_RETRY, "not now");
    }
    if (self->next >= self->config->count) {
        if (goes_wrong(self, "poll-fatal")) {
            return sluice_fail(err, SLUICE_FATAL, "the outside is broken");
        }
        if (goes_wrong(self, "ask-split")) {
            sluice_task_ask_split(self->task);
        }
        sluice_task_wait(self->task, -1, 0, -1);
        return SLUICE_OK;
    }
    for (int i = 0; i < self->config->batch && self->next < self->config->count; i++) {
        add_record(self, out);
    }
    sluice_task_gauge(self->task, "polls", self->next);
    return SLUICE_OK;
}

static sluice_status committed(void *argument, const sluice_offsets *done,
                               sluice_error *err)
{
    test_task *self = argument;
    misbehave(&self->config->misbehaviour, "committed");
    for (size_t i = 0; i < sluice_offsets_count(done); i++) {
        const sluice_value *offset = sluice_offsets_offset(done, i);
        tell(self, "committed %lld",
             (long long)sluice_value_integer(sluice_map_find(offset, "next", NULL)));
    }
    return SLUICE_OK;
}

static sluice_status sink_create(const void *config, sluice_task *task, void **ret_self,
                                 sluice_error *err)
{
    misbehave(&((const test_config *)config)->misbehaviour, "create");
    *ret_self = task_new(config, task);
    tell(*ret_self, "create");
    return SLUICE_OK;
}

static sluice_status put(void *argument, const sluice_batch *in, sluice_error *err)
{
    test_task *self = argument;
    misbehave(&self->config->misbehaviour, "put");
    if (goes_wrong(self, "put-retry")) {
        tell(self, "refused %zu", sluice_batch_count(in));
        return sluice_fail(err, SLUICE_RETRY, "the target is not there");
    }
    if (goes_wrong(self, "put-fatal")) {
        return sluice_fail(err, SLUICE_FATAL, "the target is broken");
    }
    for (size_t i = 0; i < sluice_batch_count(in); i++) {
        const sluice_record *record = sluice_batch_record(in, i);
        const sluice_value *value = sluice_record_value(record);
        if (value != NULL && sluice_value_is_text(value, "bad") &&
            goes_wrong(self, "dead-letter")) {
            sluice_error *why = sluice_error_new();
            sluice_fail(why, SLUICE_BAD_RECORD, "it is bad");
            sluice_status status = sluice_task_dead_letter(self->task, record, why);
            if (status != SLUICE_OK) {
                sluice_fail(err, status, "%s", sluice_error_text(why));
                sluice_error_free(why);
                return status;
            }
            sluice_error_free(why);
            continue;
        }
        sluice_bytes text = {"", 0};
        if (value != NULL && sluice_value_type(value) == SLUICE_TYPE_STRING) {
            text = sluice_value_bytes(value);
        }
        tell(self, "put %s-%d@%lld %.*s", sluice_record_topic(record),
             (int)sluice_record_partition(record),
             (long long)sluice_record_offset(record), (int)text.len,
             (const char *)text.base);
    }
    if (strcmp(self->config->trouble, "ask-commit") == 0) {
        sluice_task_ask_commit(self->task);
    }
    if (goes_wrong(self, "rewind")) {
        sluice_task_rewind(self->task, "t", 0, 0);
    }
    return SLUICE_OK;
}

static void tell_offsets(test_task *self, const char *what, const sluice_offsets *list)
{
    for (size_t i = 0; i < sluice_offsets_count(list); i++) {
        const char *topic;
        int32_t partition;
        int64_t offset;
        sluice_offsets_topic(list, i, &topic, &partition, &offset);
        tell(self, "%s %s-%d@%lld", what, topic, (int)partition, (long long)offset);
    }
}

static sluice_status flush(void *argument, sluice_offsets *safe, sluice_error *err)
{
    test_task *self = argument;
    misbehave(&self->config->misbehaviour, "flush");
    if (goes_wrong(self, "flush-retry")) {
        tell(self, "flush refused");
        return sluice_fail(err, SLUICE_RETRY, "the disk is slow");
    }
    if (goes_wrong(self, "lower")) {
        sluice_offsets_set_topic(safe, "t", 0, 1);
    }
    tell_offsets(self, "flush", safe);
    return SLUICE_OK;
}

static sluice_status opened(void *argument, const sluice_offsets *gained,
                            sluice_error *err)
{
    misbehave(&((test_task *)argument)->config->misbehaviour, "open");
    tell_offsets(argument, "open", gained);
    return SLUICE_OK;
}

static sluice_status closed(void *argument, const sluice_offsets *lost,
                            sluice_error *err)
{
    misbehave(&((test_task *)argument)->config->misbehaviour, "close");
    tell_offsets(argument, "close", lost);
    return SLUICE_OK;
}

static const sluice_key no_more_keys[] = {
    MISBEHAVE_KEYS(test_config, misbehaviour),
    {0},
};
static const sluice_config part_table = {.size = sizeof(sluice_config),
                                         .key_size = sizeof(sluice_key),
                                         .struct_size = sizeof(test_config),
                                         .keys = no_more_keys};

/* A converter of strings. */
static sluice_status converter_create(const void *config, bool is_key, void **ret_self,
                                      sluice_error *err)
{
    *ret_self = calloc(1, sizeof(test_config));
    **(test_config **)ret_self = *(const test_config *)config;
    return SLUICE_OK;
}

static sluice_status encode(void *self, const char *topic, sluice_headers *headers,
                            const sluice_schema *schema, const sluice_value *value,
                            sluice_arena *arena, sluice_bytes *ret_bytes,
                            sluice_error *err)
{
    misbehave(&((const test_config *)self)->misbehaviour, "encode");
    ret_bytes->base = sluice_text_of(arena, schema, value, &ret_bytes->len);
    return SLUICE_OK;
}

static sluice_status decode(void *self, const char *topic,
                            const sluice_headers *headers, sluice_bytes bytes,
                            sluice_arena *arena, const sluice_schema **ret_schema,
                            const sluice_value **ret_value, sluice_error *err)
{
    misbehave(&((const test_config *)self)->misbehaviour, "decode");
    *ret_schema = sluice_schema_of(SLUICE_TYPE_STRING, true);
    *ret_value = sluice_string_borrowed(arena, bytes.base, bytes.len);
    return SLUICE_OK;
}

/* A transformation that drops "drop", cannot bear "bad", and marks the rest. */
static sluice_status transform_create(const void *config, void **ret_self,
                                      sluice_error *err)
{
    *ret_self = calloc(1, sizeof(test_config));
    **(test_config **)ret_self = *(const test_config *)config;
    return SLUICE_OK;
}

static sluice_status transform_apply(void *self, sluice_record *record, bool *ret_keep,
                                     sluice_error *err)
{
    misbehave(&((const test_config *)self)->misbehaviour, "apply");
    const sluice_value *value = sluice_record_value(record);
    if (value == NULL || sluice_value_type(value) != SLUICE_TYPE_STRING) {
        return SLUICE_OK;
    }
    sluice_bytes text = sluice_value_bytes(value);
    if (text.len > 0 && ((const char *)text.base)[text.len - 1] == '3') {
        return sluice_fail(err, SLUICE_BAD_RECORD, "a text that ends in 3");
    }
    *ret_keep = text.len == 0 || ((const char *)text.base)[text.len - 1] != '4';
    return SLUICE_OK;
}

static const sluice_source_ops source_ops = {.size = sizeof(sluice_source_ops),
                                             .split = split,
                                             .create = source_create,
                                             .destroy = task_free,
                                             .poll = poll_records,
                                             .committed = committed};
static const sluice_sink_ops sink_ops = {.size = sizeof(sluice_sink_ops),
                                         .create = sink_create,
                                         .destroy = task_free,
                                         .put = put,
                                         .flush = flush,
                                         .open = opened,
                                         .close = closed};
static const sluice_transform_ops transform_ops = {.size = sizeof(sluice_transform_ops),
                                                   .create = transform_create,
                                                   .destroy = free,
                                                   .apply = transform_apply};

static const sluice_converter_ops converter_ops = {.size = sizeof(sluice_converter_ops),
                                                   .create = converter_create,
                                                   .destroy = free,
                                                   .encode = encode,
                                                   .decode = decode};

static const sluice_feature source = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_SOURCE,
    .name = "test-source",
    .summary = "Counts.",
    .aliases = (const char *const[]){"org.example.TestSourceConnector", NULL},
    .config = &source_table,
    .ops.source = &source_ops,
};
static const sluice_feature sink = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_SINK,
    .name = "test-sink",
    .summary = "Collects.",
    .aliases = (const char *const[]){"org.example.TestSinkConnector", NULL},
    .config = &sink_table,
    .ops.sink = &sink_ops,
};
static const sluice_feature transform = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_TRANSFORM,
    .name = "test-transform",
    .summary = "Drops 4, cannot bear 3.",
    .config = &part_table,
    .ops.transform = &transform_ops,
};
static const sluice_feature converter = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_CONVERTER,
    .name = "test-converter",
    .summary = "Strings.",
    .config = &part_table,
    .ops.converter = &converter_ops,
};

SLUICE_PLUGIN(.name = "test", .version = "1.0", .license = "Apache-2.0",
              .features = (const sluice_feature *const[]){&source, &sink, &transform,
                                                          &converter, NULL});
