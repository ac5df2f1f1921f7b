/* What the metadata log says, record by record. */
#include "broker/topic/topic_image.h"
#include "base/memory.h"
#include "broker/topic/metadata_log.h"
#include <stdlib.h>
#include <string.h>

static void image_free(topic_image *self)
{
    config_pairs_free(self->pairs, self->pair_count);
    free(self->name);
    free(self);
}

static topic_image *image_by_name(const topic_images *self, message_text name)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->by_id, &at)) != NULL;) {
        topic_image *one = entry->value;
        if (message_text_equal(name, (message_text){one->name, one->name_len})) {
            return one;
        }
    }
    return NULL;
}

static void apply_topic(topic_images *self, const topic_record *record)
{
    topic_image *made = memory_zero(sizeof *made);
    made->name = memory_copy(record->name.base, record->name.len);
    made->name_len = record->name.len;
    memcpy(made->id.bytes, record->topic_id.bytes, sizeof made->id.bytes);
    /* One of this name can be left that was made when the disk was full: its creation
     * failed, and so did its removal. */
    topic_image *old = image_by_name(self, record->name);
    if (old != NULL) {
        map_remove(&self->by_id, old->id.bytes, sizeof old->id.bytes);
        image_free(old);
    }
    old = map_put(&self->by_id, made->id.bytes, sizeof made->id.bytes, made);
    if (old != NULL) {
        image_free(old);
    }
}

static void apply_partition(topic_images *self, const partition_record *record)
{
    topic_image *found =
        map_get(&self->by_id, record->topic_id.bytes, sizeof record->topic_id.bytes);
    if (found != NULL && record->partition_id == found->partition_count &&
        record->partition_id < topic_partitions_max) {
        found->partition_count++;
    }
}

/* Sets a value, or takes it away when it is null. */
static void set_pair(config_pair **pairs, size_t *count, message_text name,
                     message_text value)
{
    size_t i = 0;
    while (i < *count && !message_text_is(name, (*pairs)[i].name)) {
        i++;
    }
    if (i < *count) {
        free((*pairs)[i].name);
        free((*pairs)[i].value);
        (*pairs)[i] = (*pairs)[--*count];
    }
    if (value.base != NULL) {
        *pairs = memory_resize(*pairs, (*count + 1) * sizeof **pairs);
        (*pairs)[(*count)++] = (config_pair){memory_copy(name.base, name.len),
                                             memory_copy(value.base, value.len)};
    }
}

static void apply_config(topic_images *self, const config_record *record)
{
    if (record->resource_type == config_resource_topic) {
        topic_image *found = image_by_name(self, record->resource_name);
        if (found != NULL) {
            set_pair(&found->pairs, &found->pair_count, record->name, record->value);
        }
    } else if (record->resource_type == config_resource_broker) {
        config_image *of =
            record->resource_name.len == 0 ? &self->all_nodes : &self->node;
        set_pair(&of->pairs, &of->count, record->name, record->value);
    }
}

static sluice_status apply_record(void *context, record_type type, const void *record,
                                  sluice_error *err)
{
    topic_images *self = context;
    switch (type) {
    case RECORD_TOPIC_RECORD:
        apply_topic(self, record);
        break;
    case RECORD_PARTITION_RECORD:
        apply_partition(self, record);
        break;
    case RECORD_CONFIG_RECORD:
        apply_config(self, record);
        break;
    case RECORD_REMOVE_TOPIC_RECORD: {
        const remove_topic_record *removal = record;
        topic_image *gone = map_remove(&self->by_id, removal->topic_id.bytes,
                                       sizeof removal->topic_id.bytes);
        if (gone != NULL) {
            image_free(gone);
        }
        map_put(&self->removed, removal->topic_id.bytes, sizeof removal->topic_id.bytes,
                self);
        break;
    }
    case RECORD_PRODUCER_IDS_RECORD:
        self->producer_id_next =
            ((const producer_ids_record *)record)->next_producer_id;
        break;
    default: /* Of a cluster: no topic's. */
        break;
    }
    return SLUICE_OK;
}

sluice_status topic_images_load(metadata_log *log, topic_images *ret_images,
                                sluice_error *err)
{
    *ret_images = (topic_images){.by_id = MAP_INIT, .removed = MAP_INIT};
    return metadata_log_replay(log, apply_record, ret_images, err);
}

void topic_images_done(topic_images *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->by_id, &at)) != NULL;) {
        image_free(entry->value);
    }
    map_done(&self->by_id);
    config_pairs_free(self->node.pairs, self->node.count);
    config_pairs_free(self->all_nodes.pairs, self->all_nodes.count);
    map_done(&self->removed);
}
