/* broker/topic/topic_set.h - all topics of the broker, and the changes to them.
 *
 * The truth is the metadata log; the set is its image in memory with the partitions
 * open. A change is on disk before it is seen.
 *
 * Threads: any. Finding a topic takes a read lock for a moment; changes wait for each
 * other and for the disk: some milliseconds.
 * Errors of changes are Kafka's codes, with a text in `err`. */
#ifndef SLUICE_BROKER_TOPIC_TOPIC_SET_H
#define SLUICE_BROKER_TOPIC_TOPIC_SET_H

#include "broker/log/log_dir.h"
#include "broker/topic/topic.h"
#include "broker/topic/topic_name.h"

typedef struct topic_set topic_set;

/* Opens all topics. `config` and the directories are borrowed until the close; the
 * first directory has the metadata log. */
sluice_status topic_set_open(const broker_config *config, log_dir **dirs,
                             size_t dir_count, topic_set **ret_set, sluice_error *err);

/* Releases everything. Topics that are still held live on, and make the stop of their
 * log directory an unclean one. NULL is accepted. */
void topic_set_close(topic_set *self);

/* The topic, the caller's: topic_unref(); or NULL. */
topic *topic_set_find(topic_set *self, const char *name, size_t name_len);
topic *topic_set_find_id(topic_set *self, const uuid *id);

/* All topics, by name; the array is the caller's: topic_list_free(). */
topic **topic_set_list(topic_set *self, size_t *ret_count);
void topic_list_free(topic **topics, size_t count);

typedef struct topic_creation {
    const char *name;
    size_t name_len;
    int32_t partition_count;    /* -1: num.partitions */
    int16_t replication_factor; /* -1 or 1. */
    const config_pair *configs;
    size_t config_count;
    bool validate_only;
    bool internal; /* Made by the broker itself: any legal name. */
} topic_creation;

/* `ret_topic` (NULL: not wanted) is the caller's, and NULL when only validated.
 * INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS,
 * INVALID_REPLICATION_FACTOR, INVALID_CONFIG, KAFKA_STORAGE_ERROR. */
int16_t topic_set_create(topic_set *self, const topic_creation *creation,
                         topic **ret_topic, sluice_error *err);

/* UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION (an internal topic),
 * KAFKA_STORAGE_ERROR. */
int16_t topic_set_delete(topic_set *self, const char *name, size_t name_len,
                         sluice_error *err);

/* Adds partitions until there are `partition_count`: INVALID_PARTITIONS unless that is
 * more than now. */
int16_t topic_set_grow(topic_set *self, const char *name, size_t name_len,
                       int32_t partition_count, bool validate_only, sluice_error *err);

/* Replaces the topic's own configs by `pairs`: INVALID_CONFIG. */
int16_t topic_set_configure(topic_set *self, const char *name, size_t name_len,
                            const config_pair *pairs, size_t count, bool validate_only,
                            sluice_error *err);

/* Replaces what is set for this node or for all (`layer`), and lets all topics take it
 * up: INVALID_REQUEST with Kafka's words, KAFKA_STORAGE_ERROR. */
int16_t topic_set_configure_broker(topic_set *self, config_source layer,
                                   const config_pair *pairs, size_t count,
                                   bool validate_only, sluice_error *err);

/* A producer id that nobody had before; -1: the disk refuses. */
int64_t topic_set_producer_id(topic_set *self);

/* Where the metadata log ends, for DescribeQuorum. */
int64_t topic_set_metadata_end(topic_set *self, int32_t *ret_leader_epoch);

/* Told after a topic was deleted, on the thread that deleted it, without locks. Set
 * before requests come. */
void topic_set_on_delete(topic_set *self,
                         void (*deleted)(void *context, const topic *gone),
                         void *context);

#endif
