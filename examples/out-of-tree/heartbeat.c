/* A source that sends a record every so often: a whole connector, to be copied. */
#include <inttypes.h>
#include <sluice/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The configuration: a struct, and the table that fills and documents it. */
typedef struct settings {
    const char *topic;
    const char *message;
    int64_t interval_ms;
} settings;

static const sluice_key keys[] = {
    {.name = "topic",
     .type = SLUICE_STRING,
     .min = 1,
     .doc = "The topic that gets the heartbeats.",
     .offset = SLUICE_AT(const char *, settings, topic)},
    {.name = "message",
     .type = SLUICE_STRING,
     .fallback = "alive",
     .doc = "What each heartbeat says.",
     .offset = SLUICE_AT(const char *, settings, message)},
    {.name = "interval.ms",
     .type = SLUICE_DURATION,
     .fallback = "1s",
     .min = 1,
     .max = 86400000,
     .doc = "The time from one heartbeat to the next.",
     .offset = SLUICE_AT(int64_t, settings, interval_ms)},
    {.name = NULL}};

static const sluice_config config = {.size = sizeof config,
                                     .key_size = sizeof(sluice_key),
                                     .struct_size = sizeof(settings),
                                     .keys = keys};

/* A running task. */
typedef struct heartbeat {
    const settings *settings;
    sluice_task *task;
    int64_t count; /* Goes on where the stored offset ends. */
} heartbeat;

/* {"heartbeat": the connector's name}: what the offset belongs to. */
static const sluice_value *partition(const heartbeat *self, sluice_arena *arena)
{
    sluice_value *map = sluice_map_new(arena, 1);
    const char *name = sluice_task_connector(self->task);
    sluice_map_add_text(arena, map, "heartbeat", sluice_text(arena, name));
    return map;
}

static void read_offset(heartbeat *self)
{
    sluice_arena *arena = sluice_arena_new();
    const sluice_value *offset =
        sluice_offsets_find(sluice_task_offsets(self->task), partition(self, arena));
    if (offset != NULL && sluice_value_type(offset) == SLUICE_TYPE_MAP) {
        const sluice_value *count = sluice_map_find(offset, "count", NULL);
        if (count != NULL && sluice_value_type(count) <= SLUICE_TYPE_INT64) {
            self->count = sluice_value_integer(count);
        }
    }
    sluice_arena_free(arena);
}

static sluice_status create(const void *parsed, sluice_task *task, void **ret_self,
                            sluice_error *err)
{
    heartbeat *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return sluice_fail(err, SLUICE_RETRY, "out of memory");
    }
    self->settings = parsed;
    self->task = task;
    read_offset(self);
    *ret_self = self;
    return SLUICE_OK;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for the next beat; a task that is woken or stopped returns what it has. */
static sluice_status poll_beat(void *instance, sluice_batch *out, sluice_error *err)
{
    (void)err;
    heartbeat *self = instance;
    int interval_ms = (int)self->settings->interval_ms;
    if (sluice_task_wait(self->task, -1, 0, interval_ms) != SLUICE_WAIT_TIMEOUT) {
        return SLUICE_OK;
    }
    sluice_arena *arena = sluice_batch_arena(out);
    sluice_record *record = sluice_batch_add(out);
    sluice_value *offset = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, offset, "count", sluice_int64(arena, ++self->count));
    sluice_record_set_source(record, partition(self, arena), offset);
    sluice_record_set_topic(record, self->settings->topic);
    sluice_record_set_timestamp(record, now_ms());
    size_t len;
    const char *text = sluice_arena_print(arena, &len, "%s %" PRId64,
                                          self->settings->message, self->count);
    sluice_record_set_value(record, sluice_schema_of(SLUICE_TYPE_STRING, false),
                            sluice_string_borrowed(arena, text, len));
    return SLUICE_OK;
}

static const sluice_source_ops ops = {
    .size = sizeof ops, .create = create, .destroy = free, .poll = poll_beat};

static const char *const aliases[] = {"org.example.HeartbeatConnector", NULL};

static const sluice_feature feature = {
    .size = sizeof feature,
    .kind = SLUICE_SOURCE,
    .name = "heartbeat-source",
    .summary = "A record every so often.",
    .doc =
        "Sends `MESSAGE COUNT` to a topic, again and again; the count goes on after a "
        "restart.",
    .aliases = aliases,
    .config = &config,
    .ops.source = &ops};

static const sluice_feature *const features[] = {&feature, NULL};

SLUICE_PLUGIN(.name = "heartbeat", .version = "1.0.0", .license = "Apache-2.0",
              .features = features);
