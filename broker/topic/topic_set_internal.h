/* broker/topic/topic_set_internal.h - what the files of the topic set share. */
#ifndef SLUICE_BROKER_TOPIC_TOPIC_SET_INTERNAL_H
#define SLUICE_BROKER_TOPIC_TOPIC_SET_INTERNAL_H

#include "base/map.h"
#include "broker/topic/topic_image.h"
#include "broker/topic/topic_set.h"
#include <pthread.h>

struct topic_set {
    const broker_config *config;
    log_dir **dirs;
    size_t *dir_loads; /* Partitions in each; under `change`. */
    size_t dir_count;

    pthread_mutex_t change; /* Held for a whole change; guards the four below. */
    metadata_log *log;
    int64_t producer_id_next, producer_id_end;
    void (*deleted)(void *context, const topic *gone);
    void *deleted_context;

    pthread_rwlock_t lock; /* Guards the two maps. */
    map by_name, by_id;    /* topic *, each with a reference of by_name. */
};

/* ---- topic_set.c ----------------------------------------------------------------- */

/* Puts a topic in the place of the one of its name. Its reference is taken. */
void topic_set_publish(topic_set *self, topic *made);

/* A topic like `old` with other configs and the same partitions. */
topic *topic_set_remake(const topic_set *self, const topic *old,
                        const config_pair *pairs, size_t count);

/* UNKNOWN_TOPIC_OR_PARTITION, and the text. */
int16_t topic_set_refuse_unknown(const char *name, size_t name_len, sluice_error *err);

/* ---- topic_configure.c ----------------------------------------------------------- */

/* NONE or INVALID_CONFIG. */
int16_t topic_configs_check(const config_pair *pairs, size_t count, sluice_error *err);

/* Adds a record to what metadata_log_commit() writes; a NULL value takes it away. */
void topic_set_add_config(topic_set *self, int8_t type, const char *resource,
                          const char *name, const char *value);

/* The broker configs that were changed while it ran, from the metadata log; those that
 * cannot be any more are passed over. Before topics are opened. */
void topic_set_take_dynamic(topic_set *self, topic_images *images);

#endif
