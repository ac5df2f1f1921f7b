/* A binary heap whose elements know their place. */
#include "broker/group/timer.h"
#include "base/memory.h"
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

void group_timers_init(group_timers *self)
{
    *self = (group_timers){0};
}

void group_timers_done(group_timers *self)
{
    free(self->heap);
    *self = (group_timers){0};
}

static bool sooner(const group_timer *a, const group_timer *b)
{
    return a->deadline_ms != b->deadline_ms ? a->deadline_ms < b->deadline_ms
                                            : a->order < b->order;
}

static void put(group_timers *self, size_t place, group_timer *timer)
{
    self->heap[place - 1] = timer;
    timer->place = place;
}

static void rise(group_timers *self, group_timer *timer)
{
    size_t place = timer->place;
    while (place > 1 && sooner(timer, self->heap[place / 2 - 1])) {
        put(self, place, self->heap[place / 2 - 1]);
        place /= 2;
    }
    put(self, place, timer);
}

static void sink(group_timers *self, group_timer *timer)
{
    size_t place = timer->place;
    for (;;) {
        size_t child = 2 * place;
        if (child > self->count) {
            break;
        }
        if (child < self->count && sooner(self->heap[child], self->heap[child - 1])) {
            child++;
        }
        if (!sooner(self->heap[child - 1], timer)) {
            break;
        }
        put(self, place, self->heap[child - 1]);
        place = child;
    }
    put(self, place, timer);
}

void group_timers_set(group_timers *self, group_timer *timer, int64_t deadline_ms)
{
    if (timer->place == 0) {
        if (self->count == self->room) {
            self->room = self->room == 0 ? 16 : 2 * self->room;
            self->heap = memory_resize(self->heap, self->room * sizeof *self->heap);
        }
        put(self, ++self->count, timer);
    }
    timer->deadline_ms = deadline_ms;
    timer->order = self->order++;
    rise(self, timer);
    sink(self, timer);
}

void group_timers_cancel(group_timers *self, group_timer *timer)
{
    size_t place = timer->place;
    if (place == 0) {
        return;
    }
    assert(self->heap[place - 1] == timer);
    group_timer *last = self->heap[--self->count];
    timer->place = 0;
    if (last != timer) {
        put(self, place, last);
        rise(self, last);
        sink(self, last);
    }
}

group_timer *group_timers_take_due(group_timers *self, int64_t now_ms)
{
    if (self->count == 0 || self->heap[0]->deadline_ms > now_ms) {
        return NULL;
    }
    group_timer *timer = self->heap[0];
    group_timers_cancel(self, timer);
    return timer;
}

int64_t group_timers_deadline(const group_timers *self)
{
    return self->count == 0 ? INT64_MAX : self->heap[0]->deadline_ms;
}
