/* The records of a put. */
#include "items.h"
#include <stdlib.h>
#include <string.h>

void http_items_init(http_items *items)
{
    *items = (http_items){.unsent = sluice_offsets_new()};
}

void http_items_done(http_items *items)
{
    for (size_t i = 0; i < items->topic_count; i++) {
        free(items->topics[i]);
    }
    free(items->topics);
    free(items->list);
    free(items->last_list);
    sluice_offsets_free(items->unsent);
}

/* The index of a topic's name; -1 when memory is out. */
static int32_t topic_index(http_items *items, const char *topic)
{
    for (size_t i = 0; i < items->topic_count; i++) {
        if (strcmp(items->topics[i], topic) == 0) {
            return (int32_t)i;
        }
    }
    char **grown = realloc(items->topics, (items->topic_count + 1) * sizeof *grown);
    if (grown == NULL) {
        return -1;
    }
    items->topics = grown;
    grown[items->topic_count] = strdup(topic);
    return grown[items->topic_count] == NULL ? -1 : (int32_t)items->topic_count++;
}

static bool is_same(const http_item *one, const http_item *other)
{
    return one->offset == other->offset && one->partition == other->partition &&
           one->topic == other->topic;
}

/* Both lists have the same order; the new one may lack some. A record that was not
 * there before tells that the rest is new too. */
static void recognise(http_items *items)
{
    size_t last = 0;
    for (size_t i = 0; i < items->count; i++) {
        size_t at = last;
        while (at < items->last_count &&
               !is_same(&items->list[i], &items->last_list[at])) {
            at++;
        }
        if (at == items->last_count) {
            return;
        }
        items->list[i].done = items->last_list[at].done;
        last = at + 1;
    }
}

static void swap_lists(http_items *items)
{
    http_item *list = items->list;
    size_t room = items->room;
    items->list = items->last_list;
    items->room = items->last_room;
    items->last_list = list;
    items->last_room = room;
    items->last_count = items->count;
    items->count = 0;
}

sluice_status http_items_take(http_items *items, const sluice_batch *in,
                              sluice_error *err)
{
    size_t count = sluice_batch_count(in);
    swap_lists(items);
    if (count > items->room) {
        http_item *grown = realloc(items->list, count * sizeof *grown);
        if (grown == NULL) {
            return sluice_fail(err, SLUICE_FATAL, "no memory for %zu records", count);
        }
        items->list = grown;
        items->room = count;
    }
    const char *name = NULL;
    int32_t topic = -1;
    for (size_t i = 0; i < count; i++) {
        const sluice_record *record = sluice_batch_record(in, i);
        const char *its = sluice_record_original_topic(record);
        if (topic < 0 || its != name) {
            name = its;
            topic = topic_index(items, its == NULL ? "" : its);
        }
        if (topic < 0) {
            return sluice_fail(err, SLUICE_FATAL, "no memory for a topic's name");
        }
        items->list[i] =
            (http_item){.offset = sluice_record_offset(record),
                        .partition = sluice_record_original_partition(record),
                        .topic = topic,
                        .next = HTTP_NO_ITEM};
    }
    items->count = count;
    recognise(items);
    return SLUICE_OK;
}

void http_items_push(http_items *items, http_queue *queue, size_t index)
{
    int32_t item = (int32_t)index;
    items->list[item].next = HTTP_NO_ITEM;
    if (queue->first == HTTP_NO_ITEM) {
        queue->first = item;
    } else {
        items->list[queue->last].next = item;
    }
    queue->last = item;
}

int32_t http_items_pop(http_items *items, http_queue *queue)
{
    int32_t item = queue->first;
    queue->first = items->list[item].next;
    return item;
}

size_t http_items_left(const http_items *items)
{
    size_t left = 0;
    for (size_t i = 0; i < items->count; i++) {
        left += !items->list[i].done;
    }
    return left;
}

void http_items_forget(http_items *items)
{
    items->count = 0;
}

void http_items_abandon(http_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        const http_item *one = &items->list[i];
        const char *topic = items->topics[one->topic];
        int64_t known = sluice_offsets_find_topic(items->unsent, topic, one->partition);
        if (!one->done && (known < 0 || one->offset < known)) {
            sluice_offsets_set_topic(items->unsent, topic, one->partition, one->offset);
        }
    }
}

void http_items_lower(const http_items *items, sluice_offsets *safe)
{
    for (size_t i = 0; i < sluice_offsets_count(items->unsent); i++) {
        const char *topic;
        int32_t partition;
        int64_t offset;
        sluice_offsets_topic(items->unsent, i, &topic, &partition, &offset);
        if (sluice_offsets_find_topic(safe, topic, partition) > offset) {
            sluice_offsets_set_topic(safe, topic, partition, offset);
        }
    }
}

bool http_items_are_mixed(const http_items *items)
{
    size_t left = http_items_left(items);
    return left > 0 && left < items->count;
}

void http_items_rewind(const http_items *items, sluice_task *task)
{
    for (size_t i = 0; i < sluice_offsets_count(items->unsent); i++) {
        const char *topic;
        int32_t partition;
        int64_t offset;
        sluice_offsets_topic(items->unsent, i, &topic, &partition, &offset);
        sluice_task_rewind(task, topic, partition, offset);
    }
}
