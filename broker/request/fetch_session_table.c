/* The partitions of a fetch session: places in an array, a hash over them with linear
 * probing, and a list through them. */
#include "broker/request/fetch_session_table.h"
#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { map_bytes_per_topic = 96 }; /* An entry, a copied key, slots. */

fetch_session *fetch_session_new(bool uses_ids)
{
    fetch_session *self = memory_zero(sizeof *self);
    self->uses_ids = uses_ids;
    self->first = self->last = fetch_session_nowhere;
    self->free_place = self->free_topic = fetch_session_nowhere;
    return self;
}

void fetch_session_free(fetch_session *self)
{
    for (uint32_t i = 0; i < self->topic_used; i++) {
        free(self->topics[i].name);
    }
    map_done(&self->topic_places);
    free(self->topics);
    free(self->partitions);
    free(self->slots);
    free(self);
}

size_t fetch_session_bytes(const fetch_session *self)
{
    return sizeof *self + self->room * sizeof *self->partitions +
           self->slot_count * sizeof *self->slots +
           self->topic_room * (sizeof *self->topics + map_bytes_per_topic) +
           2 * self->name_bytes;
}

/* ---- Topics ---------------------------------------------------------------------- */

static sluice_bytes key_of(const fetch_session *self, message_text name,
                           const message_uuid *id)
{
    return self->uses_ids
               ? (sluice_bytes){id->bytes, sizeof id->bytes}
               : (sluice_bytes){name.base == NULL ? "" : name.base, name.len};
}

static uint32_t find_topic(const fetch_session *self, message_text name,
                           const message_uuid *id)
{
    sluice_bytes key = key_of(self, name, id);
    return (uint32_t)(uintptr_t)map_get(&self->topic_places, key.base, key.len) - 1;
}

static uint32_t free_topic_place(fetch_session *self)
{
    uint32_t place = self->free_topic;
    if (place != fetch_session_nowhere) {
        self->free_topic = self->topics[place].next_free;
        return place;
    }
    if (self->topic_used == self->topic_room) {
        self->topic_room = self->topic_room == 0 ? 2 : 2 * self->topic_room;
        self->topics =
            memory_resize(self->topics, self->topic_room * sizeof *self->topics);
    }
    return self->topic_used++;
}

static uint32_t add_topic(fetch_session *self, message_text name,
                          const message_uuid *id)
{
    uint32_t place = free_topic_place(self);
    session_topic *made = &self->topics[place];
    *made = (session_topic){.id = *id};
    if (!self->uses_ids) {
        made->name = memory_copy(name.base == NULL ? "" : name.base, name.len);
        made->name_len = name.len;
        self->name_bytes += name.len;
    }
    sluice_bytes key = key_of(self, name, id);
    map_put(&self->topic_places, key.base, key.len, (void *)(uintptr_t)(place + 1));
    return place;
}

static void remove_topic(fetch_session *self, uint32_t place)
{
    session_topic *gone = &self->topics[place];
    message_text name = {gone->name, gone->name_len};
    sluice_bytes key = key_of(self, name, &gone->id);
    map_remove(&self->topic_places, key.base, key.len);
    self->name_bytes -= gone->name_len;
    free(gone->name);
    *gone = (session_topic){.next_free = self->free_topic};
    self->free_topic = place;
}

/* ---- The hash -------------------------------------------------------------------- */

static uint32_t home_slot(const fetch_session *self, uint32_t topic, int32_t number)
{
    uint32_t key[2] = {topic, (uint32_t)number};
    return (uint32_t)map_hash(key, sizeof key) & (self->slot_count - 1);
}

static uint32_t home_of_place(const fetch_session *self, uint32_t place)
{
    const session_partition *one = &self->partitions[place];
    return home_slot(self, one->topic, one->number);
}

/* The slot that has the partition, or else the free one where it would be. */
static uint32_t find_slot(const fetch_session *self, uint32_t topic, int32_t number)
{
    uint32_t at = home_slot(self, topic, number);
    while (self->slots[at] != 0) {
        const session_partition *one = &self->partitions[self->slots[at] - 1];
        if (one->topic == topic && one->number == number) {
            break;
        }
        at = (at + 1) & (self->slot_count - 1);
    }
    return at;
}

static void grow_slots(fetch_session *self)
{
    free(self->slots);
    self->slot_count = self->slot_count == 0 ? 4 : 2 * self->slot_count;
    self->slots = memory_zero(self->slot_count * sizeof *self->slots);
    for (uint32_t at = self->first; at != fetch_session_nowhere;
         at = self->partitions[at].next) {
        const session_partition *one = &self->partitions[at];
        self->slots[find_slot(self, one->topic, one->number)] = at + 1;
    }
}

/* Empties the slot and moves up what would not be found any more. */
static void remove_slot(fetch_session *self, uint32_t gap)
{
    uint32_t mask = self->slot_count - 1;
    for (uint32_t at = (gap + 1) & mask; self->slots[at] != 0; at = (at + 1) & mask) {
        uint32_t home = home_of_place(self, self->slots[at] - 1);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            self->slots[gap] = self->slots[at];
            gap = at;
        }
    }
    self->slots[gap] = 0;
}

/* ---- The order ------------------------------------------------------------------- */

static void list_append(fetch_session *self, uint32_t place)
{
    session_partition *one = &self->partitions[place];
    one->previous = self->last;
    one->next = fetch_session_nowhere;
    *(self->last != fetch_session_nowhere ? &self->partitions[self->last].next
                                          : &self->first) = place;
    self->last = place;
}

static void list_remove(fetch_session *self, uint32_t place)
{
    const session_partition *one = &self->partitions[place];
    *(one->previous != fetch_session_nowhere ? &self->partitions[one->previous].next
                                             : &self->first) = one->next;
    *(one->next != fetch_session_nowhere ? &self->partitions[one->next].previous
                                         : &self->last) = one->previous;
}

void fetch_session_move_last(fetch_session *self, uint32_t place)
{
    list_remove(self, place);
    list_append(self, place);
}

/* ---- Partitions ------------------------------------------------------------------ */

static uint32_t free_place(fetch_session *self)
{
    uint32_t place = self->free_place;
    if (place != fetch_session_nowhere) {
        self->free_place = self->partitions[place].next;
        return place;
    }
    if (self->used == self->room) {
        self->room = self->room == 0 ? 2 : 2 * self->room;
        self->partitions =
            memory_resize(self->partitions, self->room * sizeof *self->partitions);
    }
    return self->used++;
}

static uint32_t add_partition(fetch_session *self, uint32_t topic, int32_t number)
{
    if (self->count >= self->slot_count / 4 * 3) {
        grow_slots(self);
    }
    uint32_t place = free_place(self);
    self->partitions[place] = (session_partition){
        .high_watermark = -1, .log_start_offset = -1, .number = number, .topic = topic};
    self->slots[find_slot(self, topic, number)] = place + 1;
    list_append(self, place);
    self->topics[topic].partitions++;
    self->count++;
    return place;
}

uint32_t fetch_session_put(fetch_session *self, const fetch_wish *wish)
{
    uint32_t topic = find_topic(self, wish->topic, &wish->topic_id);
    uint32_t slot = 0;
    if (topic == fetch_session_nowhere) {
        topic = add_topic(self, wish->topic, &wish->topic_id);
    } else {
        slot = self->slots[find_slot(self, topic, wish->partition)];
    }
    uint32_t place = slot > 0 ? slot - 1 : add_partition(self, topic, wish->partition);
    session_partition *one = &self->partitions[place];
    one->offset = wish->offset;
    one->bytes_max = wish->bytes_max;
    one->current_leader_epoch = wish->current_leader_epoch;
    one->last_fetched_epoch = wish->last_fetched_epoch;
    return place;
}

void fetch_session_forget(fetch_session *self, message_text topic_name,
                          const message_uuid *id, int32_t number)
{
    uint32_t topic = find_topic(self, topic_name, id);
    if (topic == fetch_session_nowhere) {
        return;
    }
    uint32_t slot = find_slot(self, topic, number);
    if (self->slots[slot] == 0) {
        return;
    }
    uint32_t place = self->slots[slot] - 1;
    remove_slot(self, slot);
    list_remove(self, place);
    self->partitions[place].next = self->free_place;
    self->free_place = place;
    self->count--;
    assert(self->topics[topic].partitions > 0);
    if (--self->topics[topic].partitions == 0) {
        remove_topic(self, topic);
    }
}
