/* cli/topics.h - what the files of `sluice topics` share.
 *
 * Threads: the main one. */
#ifndef CLI_TOPICS_H
#define CLI_TOPICS_H

#include "admin.h"
#include "topic_filter.h"

typedef struct topics_options {
    cli_connection connection;
    bool list, describe, create, alter, delete;
    const char *topic;    /* A pattern, but for create. */
    const char *topic_id; /* For describe. */
    const char *replica_assignment;
    int64_t partitions, replication_factor; /* INT64_MIN: not given. */
    cli_texts config;
    bool if_exists, if_not_exists, exclude_internal;
    bool overrides, under_replicated, unavailable, under_min_isr, at_min_isr;
    int64_t response_partitions_max; /* Of one answer to describe. */
    bool offsets, json;
    bool kafkas; /* Speaks as kafka-topics. */
} topics_options;

/* A tool at its work. */
typedef struct topics_work {
    admin *client;
    const topics_options *options;
    topic_filter filter;
    int16_t refused; /* The broker's code, when it was the broker who refused. */
} topics_work;

/* The topics that there are, in order of their names, those left out that are not
 * wanted. */
sluice_status topics_wanted(topics_work *self,
                            const metadata_response_topic ***ret_topics,
                            size_t *ret_count, sluice_error *err);

/* Fails with what kafka-topics says of a topic that is not there. */
sluice_status topics_missing(const topics_work *self, sluice_error *err);

sluice_status topics_list(topics_work *self, sluice_error *err);
sluice_status topics_describe(topics_work *self, sluice_error *err);
sluice_status topics_create(topics_work *self, sluice_error *err);
sluice_status topics_alter(topics_work *self, sluice_error *err);
sluice_status topics_delete(topics_work *self, sluice_error *err);

#endif
