/* worker/host/topic_creation.h - topics that a source needs are created before the
 * first record, as its topic.creation.* keys say (KIP-158).
 *
 * The first group of topic.creation.groups whose regular expressions match the whole
 * name has its partitions, replicas and settings; else the group default.
 *
 * Threads: any; topic_creation_ensure() waits for the log. */
#ifndef SLUICE_WORKER_HOST_TOPIC_CREATION_H
#define SLUICE_WORKER_HOST_TOPIC_CREATION_H

#include <sluice/config.h>

typedef struct topic_creation topic_creation;

typedef struct topic_plan {
    int32_t partitions;  /* -1: as many as the log makes by itself. */
    int16_t replication; /* -1: the same. */
    sluice_props *settings;
} topic_plan;

/* `*ret_creation` NULL: the connector has no such keys, or the worker has
 * topic.creation.enable=false. BAD_CONFIG in Kafka Connect's words. */
sluice_status topic_creation_new(const sluice_props *config, const sluice_props *worker,
                                 topic_creation **ret_creation, sluice_error *err);
void topic_creation_free(topic_creation *self); /* NULL is accepted. */

/* What a topic of this name would be made like; borrowed. */
const topic_plan *topic_creation_plan(const topic_creation *self, const char *topic);

/* The topic is there, or is made; asks the log once for each name. NULL: does nothing.
 * FATAL: it cannot be made, and why. */
sluice_status topic_creation_ensure(topic_creation *self, const char *topic,
                                    sluice_error *err);

#endif
