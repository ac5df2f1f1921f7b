/* Two layers of pairs below a lock, and which keys may be in them. */
#include "broker/config/dynamic_config.h"
#include "base/memory.h"
#include "broker/config/broker_config.h"
#include "broker/config/topic_config.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct layer {
    config_pair *pairs;
    size_t count;
} layer;

struct dynamic_config {
    pthread_mutex_t lock;
    layer node, all_nodes;
};

dynamic_config *dynamic_config_new(void)
{
    dynamic_config *self = memory_zero(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

void dynamic_config_free(dynamic_config *self)
{
    if (self == NULL) {
        return;
    }
    config_pairs_free(self->node.pairs, self->node.count);
    config_pairs_free(self->all_nodes.pairs, self->all_nodes.count);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

config_pair *config_pairs_copy(const config_pair *pairs, size_t count)
{
    config_pair *copy = memory_take(count * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i].name = memory_text(pairs[i].name);
        copy[i].value = memory_text(pairs[i].value);
    }
    return copy;
}

void config_pairs_free(config_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
}

static layer *layer_of(const dynamic_config *self, config_source source)
{
    dynamic_config *inner = (dynamic_config *)self;
    return source == CONFIG_SOURCE_NODE ? &inner->node : &inner->all_nodes;
}

static void lock(const dynamic_config *self)
{
    pthread_mutex_lock(&((dynamic_config *)self)->lock);
}

static void unlock(const dynamic_config *self)
{
    pthread_mutex_unlock(&((dynamic_config *)self)->lock);
}

bool dynamic_config_get(const dynamic_config *self, config_source source,
                        const char *name, char room[dynamic_value_size])
{
    bool found = false;
    lock(self);
    const layer *from = layer_of(self, source);
    for (size_t i = 0; i < from->count && !found; i++) {
        found = strcmp(from->pairs[i].name, name) == 0;
        if (found) {
            size_t len = strlen(from->pairs[i].value);
            len = len < dynamic_value_size ? len : dynamic_value_size - 1;
            memcpy(room, from->pairs[i].value, len);
            room[len] = '\0';
        }
    }
    unlock(self);
    return found;
}

config_pair *dynamic_config_list(const dynamic_config *self, config_source source,
                                 size_t *ret_count)
{
    lock(self);
    const layer *from = layer_of(self, source);
    config_pair *copy = config_pairs_copy(from->pairs, from->count);
    *ret_count = from->count;
    unlock(self);
    return copy;
}

void dynamic_config_replace(dynamic_config *self, config_source source,
                            const config_pair *pairs, size_t count)
{
    layer made = {config_pairs_copy(pairs, count), count};
    lock(self);
    layer *into = layer_of(self, source);
    layer old = *into;
    *into = made;
    unlock(self);
    config_pairs_free(old.pairs, old.count);
}

/* Keys that Kafka changes while it runs and that mean nothing to one node: its tools
 * set and clear them around a reassignment. */
static const setting throttles[] = {
    {"leader.replication.throttled.rate", CONFIG_LONG, NULL, 0, INT64_MAX, NULL, -1,
     NULL},
    {"follower.replication.throttled.rate", CONFIG_LONG, NULL, 0, INT64_MAX, NULL, -1,
     NULL},
    {"replica.alter.log.dirs.io.max.bytes.per.second", CONFIG_LONG, NULL, 0, INT64_MAX,
     NULL, -1, NULL},
    {NULL, CONFIG_STRING, NULL, 0, 0, NULL, -1, NULL},
};

bool dynamic_config_can(const char *name)
{
    static const char *const fixed[] = {"log.retention.minutes", "log.retention.hours",
                                        "log.roll.hours", NULL};
    for (size_t i = 0; fixed[i] != NULL; i++) {
        if (strcmp(fixed[i], name) == 0) {
            return false;
        }
    }
    return topic_config_is_default(name) || setting_find(throttles, name) != NULL;
}

sluice_status dynamic_config_check(const char *name, const char *value,
                                   sluice_error *err)
{
    if (!dynamic_config_can(name)) {
        return sluice_fail_key(
            err, name, "Cannot update these configs dynamically: Set(%s)", name);
    }
    if (strlen(value) >= dynamic_value_size) {
        return sluice_fail_key(err, name, "%s is longer than %d bytes", name,
                               dynamic_value_size - 1);
    }
    const setting *key = setting_find(broker_config_keys, name);
    return setting_check_as_kafka(key != NULL ? key : setting_find(throttles, name),
                                  value, err);
}
