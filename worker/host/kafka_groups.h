/* worker/host/kafka_groups.h - the committed offsets of a consumer group, by
 * librdkafka's admin client: what a sink's offsets are.
 *
 * Each call makes a client, waits for its answer and frees it. Failures are FATAL, with
 * librdkafka's name of the error ("NON_EMPTY_GROUP") in `ret_code` ("" for none of
 * them).
 *
 * Threads: any. */
#ifndef SLUICE_WORKER_HOST_KAFKA_GROUPS_H
#define SLUICE_WORKER_HOST_KAFKA_GROUPS_H

#include <jansson.h>
#include <sluice/config.h>

enum { KAFKA_GROUPS_CODE_SIZE = 64 };

/* Offsets as [[{"kafka_topic", "kafka_partition"}, {"kafka_offset"}], …], the caller's.
 * A group that does not exist has none. `settings`: client_settings_layers(). */
sluice_status kafka_groups_list(const sluice_props *settings, const char *group,
                                json_t **ret_offsets, char *ret_code,
                                sluice_error *err);

/* Sets the offsets of the same form; where the second of a pair is null, the
 * partition's is taken out. Every entry must have been checked for its form. */
sluice_status kafka_groups_alter(const sluice_props *settings, const char *group,
                                 const json_t *offsets, char *ret_code,
                                 sluice_error *err);

/* Deletes the group with all its offsets; one that does not exist is deleted. */
sluice_status kafka_groups_delete(const sluice_props *settings, const char *group,
                                  char *ret_code, sluice_error *err);

/* Makes a topic, unless it is there: `*ret_created`. -1 partitions or replicas: as many
 * as the log makes by itself. `configs`: the topic's settings. RETRY when the log does
 * not answer. */
sluice_status kafka_topic_create(const sluice_props *settings, const char *topic,
                                 int32_t partitions, int32_t replication,
                                 const sluice_props *configs, bool *ret_created,
                                 sluice_error *err);

#endif
