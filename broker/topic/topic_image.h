/* broker/topic/topic_image.h - topics as the metadata log tells of them, before their
 * partitions are opened. */
#ifndef SLUICE_BROKER_TOPIC_TOPIC_IMAGE_H
#define SLUICE_BROKER_TOPIC_TOPIC_IMAGE_H

#include "base/map.h"
#include "base/uuid.h"
#include "broker/config/topic_config.h"
#include "broker/topic/metadata_log.h"

typedef struct topic_image {
    char *name;
    size_t name_len;
    uuid id;
    int32_t partition_count;
    config_pair *pairs;
    size_t pair_count;
} topic_image;

typedef struct config_image {
    config_pair *pairs;
    size_t count;
} config_image;

typedef struct topic_images {
    map by_id;   /* topic_image * */
    map removed; /* Ids of topics that were deleted; the values are not NULL. */
    config_image node, all_nodes; /* Broker configs. */
    int64_t producer_id_next;
} topic_images;

enum {
    topic_partitions_max = 100000,
    config_resource_topic = 2, /* ConfigRecord.resource_type */
    config_resource_broker = 4,
};

/* Reads the whole log; topic_images_done() also after a failure. */
sluice_status topic_images_load(metadata_log *log, topic_images *ret_images,
                                sluice_error *err);
void topic_images_done(topic_images *self);

#endif
