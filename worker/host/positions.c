/* How far a sink task is in each of its partitions. */
#include "worker/host/positions.h"
#include "base/memory.h"
#include <sluice/offsets.h>
#include <stdlib.h>
#include <string.h>

void positions_done(positions *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->list[i].topic);
    }
    free(self->list);
    *self = (positions){0};
}

static bool is_of(const position *one, const char *topic, int32_t partition)
{
    return one->partition == partition && strcmp(one->topic, topic) == 0;
}

position *positions_find(positions *self, const char *topic, int32_t partition)
{
    if (self->last < self->count && is_of(&self->list[self->last], topic, partition)) {
        return &self->list[self->last];
    }
    for (size_t i = 0; i < self->count; i++) {
        if (is_of(&self->list[i], topic, partition)) {
            self->last = i;
            return &self->list[i];
        }
    }
    return NULL;
}

void positions_add(positions *self, const kafka_position *gained)
{
    position *known = positions_find(self, gained->topic, gained->partition);
    if (known == NULL) {
        self->list = memory_resize(self->list, (self->count + 1) * sizeof *self->list);
        known = &self->list[self->count++];
        known->topic = memory_text(gained->topic);
        known->partition = gained->partition;
    }
    known->next = -1;
    known->committed = gained->offset;
}

void positions_remove(positions *self, const char *topic, int32_t partition)
{
    position *dead = positions_find(self, topic, partition);
    if (dead != NULL) {
        free(dead->topic);
        *dead = self->list[--self->count];
    }
}

static bool moved(const position *one)
{
    return one->next >= 0 && one->next != one->committed;
}

bool positions_moved(const positions *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (moved(&self->list[i])) {
            return true;
        }
    }
    return false;
}

sluice_offsets *positions_safe(const positions *self)
{
    sluice_offsets *safe = sluice_offsets_new();
    for (size_t i = 0; i < self->count; i++) {
        const position *one = &self->list[i];
        if (moved(one)) {
            sluice_offsets_set_topic(safe, one->topic, one->partition, one->next);
        }
    }
    return safe;
}

kafka_position *positions_to_commit(const positions *self, const sluice_offsets *safe,
                                    size_t *ret_count)
{
    kafka_position *list = memory_zero((self->count + 1) * sizeof *list);
    *ret_count = 0;
    for (size_t i = 0; i < self->count; i++) {
        const position *one = &self->list[i];
        int64_t offset = sluice_offsets_find_topic(safe, one->topic, one->partition);
        if (offset > one->next) {
            offset = one->next;
        }
        if (offset >= 0 && offset != one->committed) {
            list[(*ret_count)++] = (kafka_position){one->topic, one->partition, offset};
        }
    }
    return list;
}
