/* sluice/plugin.h - all that a plugin gives to the worker, and nothing else.
 *
 * Threads: an instance belongs to one thread. No function below is called from
 * another, nor twice at once with the same `self`. A task learns that it must
 * stop from sluice_task_stop_fd(), never from a call.
 * Memory: `const` in is borrowed until the call returns (a configuration struct: until
 * `destroy` has returned). `ret_` is set on SLUICE_OK only, and is then the caller's.
 * Records, schemas, values and encoded bytes live in an arena and die with it, never
 * one by one.
 * Errors: what can fail returns a sluice_status and takes `err` last. The status
 * tells the worker what to do; the text in `err` tells a person what happened.
 * Growth: every struct begins with its size, and members are only ever appended, so
 * that an older plugin is seen as not having what came later. */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include <sluice/log.h>
#include <sluice/task.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_ABI_MAJOR 1 /* The plugin's must equal the worker's. */
#define SLUICE_ABI_MINOR 2 /* The plugin's must not exceed the worker's. */
#define SLUICE_MAGIC     UINT32_C(0x31434c53)

/* --- Operations. After `size` only pointers; new ones go at the end. --- */

typedef struct sluice_source_ops {
    size_t size;
    /* Optional; without it there is one task. Divides the work: fills the first
     * `*ret_count` (1 to `max_tasks`) of `max_tasks` empty maps with what that task's
     * configuration has besides the connector's own. Keeps no state. */
    sluice_status (*split)(const void *config, int max_tasks,
                           sluice_props *const *tasks, int *ret_count,
                           sluice_error *err);
    /* Begins a task. `config` was made from the task's configuration. SLUICE_RETRY: the
     * outside is not there now; called again with back-off, the task stays RUNNING
     * with the reason shown. On failure nothing is left behind: no destroy follows. */
    sluice_status (*create)(const void *config, sluice_task *task, void **ret_self,
                            sluice_error *err);
    void (*destroy)(void *self); /* Accepts NULL, as every destroy here. */
    /* Adds the next records to the empty batch `out`. Waits for the first one with
     * sluice_task_wait() and returns as soon as there is something; returns an empty
     * batch when it is woken or stopped. SLUICE_RETRY: what `out` holds is sent, then
     * poll is called again after a back-off. */
    sluice_status (*poll)(void *self, sluice_batch *out, sluice_error *err);
    /* Optional: all up to `done` is now stored in Kafka, and so is this offset itself.
     * For sources whose outside keeps what is not yet acknowledged. */
    sluice_status (*committed)(void *self, const sluice_offsets *done,
                               sluice_error *err);
    /* Optional, without a task: somebody wants these offsets instead of those that are
     * stored, none (NULL) for some, or refuses to keep any (an empty map). Says no with
     * a reason, or makes sure that a task could go on from them. Without this function
     * the user is told to see to the outside as well. */
    sluice_status (*alter_offsets)(const void *config, const sluice_offsets *offsets,
                                   sluice_error *err);
} sluice_source_ops;

typedef struct sluice_sink_ops {
    size_t size;
    sluice_status (*split)(const void *config, int max_tasks,
                           sluice_props *const *tasks, int *ret_count,
                           sluice_error *err); /* As a source's. */
    sluice_status (*create)(const void *config, sluice_task *task, void **ret_self,
                            sluice_error *err);
    void (*destroy)(void *self);
    /* Takes the records, in order. SLUICE_RETRY: the same batch comes again after a
     * back-off; what was already delivered of it may then be delivered twice, unless
     * the sink remembers. SLUICE_BAD_RECORD is for sluice_task_dead_letter(). */
    sluice_status (*put)(void *self, const sluice_batch *in, sluice_error *err);
    /* Makes puts durable. `safe` is all that was put; it may be lowered to what is
     * durable. On failure nothing is committed, and the records come again. */
    sluice_status (*flush)(void *self, sluice_offsets *safe, sluice_error *err);
    /* Optional: these topic partitions are now this task's, from these offsets on. */
    sluice_status (*open)(void *self, const sluice_offsets *gained, sluice_error *err);
    /* Optional: they are no longer. Flush came before, unless they were lost. */
    sluice_status (*close)(void *self, const sluice_offsets *lost, sluice_error *err);
    /* As a source's. Here the partitions are {"kafka_topic", "kafka_partition"}, the
     * offsets {"kafka_offset"}, maps without a schema too. */
    sluice_status (*alter_offsets)(const void *config, const sluice_offsets *offsets,
                                   sluice_error *err);
} sluice_sink_ops;

typedef struct sluice_converter_ops {
    size_t size;
    sluice_status (*create)(const void *config, bool is_key, void **ret_self,
                            sluice_error *err);
    void (*destroy)(void *self);
    /* Value to bytes, in `arena`; `ret_bytes->base` NULL is a null payload (a
     * tombstone). `schema` NULL: the value has none. May add to `headers`, which may be
     * NULL. */
    sluice_status (*encode)(void *self, const char *topic, sluice_headers *headers,
                            const sluice_schema *schema, const sluice_value *value,
                            sluice_arena *arena, sluice_bytes *ret_bytes,
                            sluice_error *err);
    /* Bytes to value. `bytes` outlives `arena`: the value may point into it. The schema
     * may be NULL, and lives at least as long as the records of this batch. */
    sluice_status (*decode)(void *self, const char *topic,
                            const sluice_headers *headers, sluice_bytes bytes,
                            sluice_arena *arena, const sluice_schema **ret_schema,
                            const sluice_value **ret_value, sluice_error *err);
} sluice_converter_ops;

typedef struct sluice_transform_ops {
    size_t size;
    sluice_status (*create)(const void *config, void **ret_self, sluice_error *err);
    void (*destroy)(void *self);
    /* Changes `record` in place; new parts are made in its arena. `*ret_keep` is true
     * on entry; false drops the record, whose offset still counts as done. */
    sluice_status (*apply)(void *self, sluice_record *record, bool *ret_keep,
                           sluice_error *err);
} sluice_transform_ops;

typedef struct sluice_predicate_ops {
    size_t size;
    sluice_status (*create)(const void *config, void **ret_self, sluice_error *err);
    void (*destroy)(void *self);
    sluice_status (*test)(void *self, const sluice_record *record, bool *ret_match,
                          sluice_error *err);
} sluice_predicate_ops;

/* --- The manifest: constant data, read without running the plugin. --- */

typedef enum sluice_kind {
    SLUICE_SOURCE = 1,
    SLUICE_SINK,
    SLUICE_CONVERTER,
    SLUICE_TRANSFORM,
    SLUICE_PREDICATE,
} sluice_kind;

typedef struct sluice_feature {
    size_t size;
    sluice_kind kind;
    const char *name;    /* "file-source": lower case, digits, dashes; unique. */
    const char *summary; /* A line. */
    const char *doc;     /* A page, in Markdown. */
    /* Names by which configurations written for Kafka Connect ask for it, NULL-ended;
     * the first is the Java class that REST shows. NULL: none. */
    const char *const *aliases;
    const sluice_config *config;
    union {
        const sluice_source_ops *source;
        const sluice_sink_ops *sink;
        const sluice_converter_ops *converter;
        const sluice_transform_ops *transform;
        const sluice_predicate_ops *predicate;
    } ops;
    /* Since 1.2. The version of the Java class whose place it takes, "4.1.0": what REST
     * shows, and what `connector.plugin.version` and its like ask for. NULL: the
     * plugin's own version. */
    const char *stands_for;
} sluice_feature;

typedef struct sluice_manifest {
    uint32_t magic; /* These three stay where they are, in every version. */
    uint16_t abi_major, abi_minor;
    size_t size;
    const char *name, *version, *license;
    const sluice_feature *const *features; /* Pointers, NULL-ended. */
} sluice_manifest;

/* The one symbol that a plugin exports, and the same in every plugin. */
#define SLUICE_PLUGIN(...)                                                             \
    extern __attribute__((visibility("default")))                                      \
    const sluice_manifest sluice_plugin_manifest;                                      \
    const sluice_manifest sluice_plugin_manifest = {.magic = SLUICE_MAGIC,             \
                                                    .abi_major = SLUICE_ABI_MAJOR,     \
                                                    .abi_minor = SLUICE_ABI_MINOR,     \
                                                    .size = sizeof(sluice_manifest),   \
                                                    __VA_ARGS__}

#ifdef __cplusplus
}
#endif

#endif
