/* worker/host/entries.h - what a validation answers: every key with its definition, its
 * value and its faults, in the order in which they were met.
 *
 * Threads: one. */
#ifndef SLUICE_WORKER_HOST_ENTRIES_H
#define SLUICE_WORKER_HOST_ENTRIES_H

#include <jansson.h>
#include <sluice/config.h>

typedef struct entries {
    const sluice_props *config; /* The whole configuration, borrowed. */
    json_t *configs, *groups;   /* Taken by entries_body(). */
    json_int_t error_count;
} entries;

void entries_init(entries *self, const sluice_props *config);

/* {"name","error_count","groups","configs"}, the caller's; `self` is empty then. */
json_t *entries_body(entries *self, const char *name);

/* The entry of key `name` of the whole configuration, borrowed, or NULL. */
json_t *entries_find(const entries *self, const char *name);
json_t *entries_definition(const entries *self, const char *name);
json_t *entries_value(const entries *self, const char *name);

/* A fault of a key; one that has no definition gets an entry without one. */
void entries_fault(entries *self, const char *name, const char *text);

/* What Kafka Connect says of a key without a value. */
extern const char entries_null_text[];

/* A fault of a key that has no entry yet, which becomes the first one. */
void entries_fault_first(entries *self, const char *name, const char *text);

/* Every key of `table` with what `props`, a part of the configuration, gives it.
 * `prefix` goes before the names. `group`, unless NULL, is what all of them belong to.
 * A key that is there already is defined anew. Only connectors recommend values. */
void entries_add(entries *self, const sluice_config *table, const sluice_props *props,
                 const char *prefix, const char *group);

/* A key as a plugin declares it, by itself: {"definition","value"}. */
void entries_add_one(entries *self, json_t *entry_taken);

/* What key `name` is where the configuration does not say it. */
void entries_default(entries *self, const char *name, const char *value);
void entries_recommend(entries *self, const char *name, json_t *values_taken);

/* Puts the entries from index `first` on, whose names all begin with `prefix`, into the
 * order of a Java HashMap. */
void entries_order_as_map(entries *self, size_t first, const char *prefix);

/* Puts the entries from index `first` on into Kafka's order, those that must be given
 * and the important ones first, then by name; and numbers them from `order`. */
void entries_sort(entries *self, size_t first, int order);

#endif
