/* Topics: references and the way back. */
#include "broker/topic/topic.h"
#include <stdlib.h>
#include <string.h>

topic *topic_ref(topic *self)
{
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void topic_unref(topic *self)
{
    if (self == NULL ||
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (int32_t i = 0; i < self->partition_count; i++) {
        partition_unref(self->partitions[i]);
    }
    for (size_t i = 0; i < self->config_count; i++) {
        free(self->configs[i].name);
        free(self->configs[i].value);
    }
    free(self->partitions);
    free(self->configs);
    free(self->name);
    free(self);
}

const char *topic_config_own(const topic *self, const char *name)
{
    for (size_t i = 0; i < self->config_count; i++) {
        if (strcmp(self->configs[i].name, name) == 0) {
            return self->configs[i].value;
        }
    }
    return NULL;
}
