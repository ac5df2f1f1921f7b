/* sluice/config.h - a configuration: one table is the parser, the check and the manual.
 *
 * A feature lists its keys once, with type, default, range and a paragraph. From that
 * table come the filled struct that the plugin works with, the check with all faults at
 * once, `--help`, the pages in docs/, the REST answers and the form of a web page.
 *
 * Values are read as Kafka's ConfigDef reads them (spaces around are cut, numbers are
 * strict), and refused in its words: `Invalid value abc for configuration batch.size:
 * Not a number of type INT`. A key that is nearly a known one is a fault that names
 * the known one; any other unknown key is accepted and named in the log.
 *
 * Threads: tables are constants; props belong to one thread at a time. */
#ifndef SLUICE_CONFIG_H
#define SLUICE_CONFIG_H

#include <sluice/error.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Names and texts, as they come from a file or from REST. --- */

typedef struct sluice_props sluice_props;

SLUICE_API sluice_props *sluice_props_new(void);
SLUICE_API void sluice_props_free(sluice_props *props); /* NULL is accepted. */
/* Sets `name` to `value` (both copied), in the place it had, or at the end. NULL as the
 * value is kept as such: a key that is there without a value. */
SLUICE_API void sluice_props_set(sluice_props *props, const char *name,
                                 const char *value);
/* The value, or NULL where there is none. Borrowed until `props` changes. */
SLUICE_API const char *sluice_props_get(const sluice_props *props, const char *name);
SLUICE_API bool sluice_props_has(const sluice_props *props, const char *name);
SLUICE_API void sluice_props_remove(sluice_props *props, const char *name);
SLUICE_API size_t sluice_props_count(const sluice_props *props);
SLUICE_API const char *sluice_props_name(const sluice_props *props, size_t index);
SLUICE_API const char *sluice_props_value(const sluice_props *props, size_t index);

/* --- Tables of keys. --- */

/* A type and the C type of the field that the value goes to. */
typedef enum sluice_type {
    SLUICE_BOOL,     /* bool: true or false. */
    SLUICE_INT,      /* int32_t, Kafka's INT. */
    SLUICE_LONG,     /* int64_t, Kafka's LONG. */
    SLUICE_DOUBLE,   /* double. */
    SLUICE_STRING,   /* const char *; NULL only for the default SLUICE_NULL. */
    SLUICE_PASSWORD, /* const char *; shown as **** (Kafka's [hidden]) everywhere. */
    SLUICE_CLASS,    /* const char *: the name of a plugin. */
    SLUICE_LIST,     /* sluice_list: texts between commas, trimmed. */
    SLUICE_DURATION, /* int64_t milliseconds: a plain number, or 10s, 5m, 2h, 1d. */
    SLUICE_SIZE, /* int64_t bytes: a plain number, or 64k, 10m, 1g (powers of 1024). */
    SLUICE_ENUM, /* int32_t: the index in `choices`; upper and lower case are equal. */
    SLUICE_FAMILY, /* sluice_family: keys whose names are partly the user's own. */
} sluice_type;

typedef enum sluice_importance {
    SLUICE_HIGH,
    SLUICE_MEDIUM,
    SLUICE_LOW
} sluice_importance;

/* How wide the field of a form is. */
typedef enum sluice_width {
    SLUICE_WIDTH_NONE,
    SLUICE_WIDTH_SHORT,
    SLUICE_WIDTH_MEDIUM,
    SLUICE_WIDTH_LONG
} sluice_width;

/* The value of a SLUICE_LIST key. Borrowed from the configuration. */
typedef struct sluice_list {
    size_t count;
    const char *const *items;
} sluice_list;

/* A default that is no value at all, Kafka's null: the field is NULL, the list empty, a
 * number 0, a bool false. */
#define SLUICE_NULL "\001null"

/* The value of a SLUICE_FAMILY key: every key that was set and has the form of its
 * name, in the order in which they were set. What is the user's own in a name stands in
 * parentheses: (d+) for digits, ([^.]+) for what has no dot, (.+) for anything; as in
 * "column.mask.with.(d+).chars". Its default is SLUICE_NULL, none. Borrowed from the
 * configuration. */
typedef struct sluice_family {
    size_t count;
    const char *const *names;
    const char *const *values;
} sluice_family;

typedef struct sluice_key {
    const char *name;     /* "batch.size"; NULL ends the table. */
    const char *fallback; /* The default, as one would write it; NULL: required. */
    const char *doc;      /* A paragraph, in sentences. */
    const char *group;    /* Its section in the manual and in the web form; or NULL. */
    const char *instead;  /* Deprecated: what to use instead; else NULL. */
    /* Known to the Java original and of no use here: a sentence why. The key is then
     * accepted with any value and logged with this sentence; `offset` is not used. */
    const char *unused;
    const char *const *choices; /* For SLUICE_ENUM, and SLUICE_STRING that has them. */
    const char *shown_type; /* The type that REST shows, where it is another: "INT". */
    /* For numbers; both 0: any; `min` above 0 and `max` 0: no upper limit. For a text
     * or a list, `min` 1: not empty. */
    int64_t min, max;
    sluice_type type;
    sluice_importance importance;
    size_t offset;      /* Where the parsed value goes: SLUICE_AT(). */
    const char *title;  /* What a form calls it; NULL: its name. */
    sluice_width width; /* And how wide it is there. */
    /* Its place in its group there. 0: that among the group's keys in this table, from
     * 1; below 0: before all of them, which REST shows as 0. */
    int32_t order;
} sluice_key;

/* An offset that compiles only if the field has the C type of the key:
 *     SLUICE_AT(int32_t, my_config, batch_size)                                    */
#ifdef __cplusplus
#define SLUICE_AT(type, config, field)                                                 \
    (offsetof(config, field) + 0 * sizeof(static_cast<type *>(&((config *)0)->field)))
#else
#define SLUICE_AT(type, config, field)                                                 \
    _Generic(((config *)0)->field, type : offsetof(config, field))
#endif

typedef struct sluice_config {
    size_t size;
    size_t key_size;    /* sizeof(sluice_key), so that it can grow. */
    size_t struct_size; /* The worker makes, fills and frees this struct. */
    const sluice_key *keys;
    /* Optional. Rules between keys: adds a message per fault with sluice_fail_key(). So
     * that all faults come at once it also runs when single keys are at fault: it then
     * sees their defaults (of a required key: an empty text or list, the least number),
     * and what it says about those keys is dropped. */
    sluice_status (*check)(const void *config, sluice_error *err);
} sluice_config;

/* --- For the worker, for tests, and for plugins with parts of their own. --- */

/* Makes and fills the struct of `table` from `props`. Keys that the table lacks are not
 * looked at. `*ret_config` is given back with sluice_config_free(). SLUICE_BAD_CONFIG
 * with one message per fault, each with its key, those of `table->check` included. */
SLUICE_API sluice_status sluice_config_parse(const sluice_config *table,
                                             const sluice_props *props,
                                             void **ret_config, sluice_error *err);
SLUICE_API void sluice_config_free(const sluice_config *table, void *config);

#ifdef __cplusplus
}
#endif

#endif
