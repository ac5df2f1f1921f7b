/* A fetch that waits: a watch on each partition and a timer are all that is left of it;
 * its arena goes back. Whichever comes first brings it back to its loop, where it is
 * decoded and looks again. */
#include "base/memory.h"
#include "broker/request/fetch_round.h"
#include <stdatomic.h>
#include <stdlib.h>

typedef struct fetch_watch {
    partition_watch inner;
    fetch_park *park;
    partition *log; /* Held by the park; NULL: not watched. */
} fetch_watch;

struct fetch_park {
    request *owner;
    fetch_kind kind;
    int64_t deadline_ms;
    loop_timer timer;
    loop_task task;
    atomic_bool posted; /* The task is on its way to the loop. */
    bool expired, cancelled;
    size_t count;
    fetch_watch watches[];
};

fetch_kind fetch_park_kind(const fetch_park *self)
{
    return self->kind;
}

bool fetch_park_late(const fetch_park *self)
{
    return self->expired || loop_now_ms() >= self->deadline_ms;
}

static void on_wake(partition_watch *inner)
{
    fetch_park *self = ((fetch_watch *)inner)->park;
    if (!atomic_exchange(&self->posted, true)) {
        loop_post(self->owner->loop, &self->task);
    }
}

/* After it no wake comes. Returns whether the task is on its way all the same: it then
 * goes on with the request. */
static bool unwatch(fetch_park *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->watches[i].log != NULL) {
            partition_watch_remove(self->watches[i].log, &self->watches[i].inner);
            partition_unref(self->watches[i].log);
            self->watches[i].log = NULL;
        }
    }
    return atomic_load(&self->posted);
}

void fetch_park_free(fetch_park *self)
{
    if (self == NULL) {
        return;
    }
    request *owner = self->owner;
    loop_timer_remove(owner->loop, &self->timer);
    owner->state = NULL;
    owner->cancel = NULL;
    free(self);
}

static void go_on(fetch_park *self)
{
    request *owner = self->owner;
    if (self->cancelled) {
        fetch_park_free(self);
        request_answer_nothing(owner);
    } else {
        request_dispatch_again(owner);
    }
}

static void on_task(loop_task *task)
{
    fetch_park *self = (fetch_park *)((char *)task - offsetof(fetch_park, task));
    unwatch(self);
    atomic_store(&self->posted, false);
    go_on(self);
}

static void on_timer(loop_timer *timer)
{
    fetch_park *self = (fetch_park *)((char *)timer - offsetof(fetch_park, timer));
    self->expired = true;
    if (!unwatch(self)) {
        go_on(self);
    }
}

static void on_cancel(request *owner)
{
    fetch_park *self = owner->state;
    self->cancelled = true;
    if (!unwatch(self)) {
        go_on(self);
    }
}

static fetch_park *park_new(const fetch_round *round)
{
    fetch_park *self = memory_zero(sizeof *self + round->count * sizeof *self->watches);
    self->owner = round->owner;
    self->kind = round->kind;
    self->count = round->count;
    self->deadline_ms = loop_now_ms() + round->asked->max_wait_ms;
    self->timer.run = on_timer;
    self->task.run = on_task;
    return self;
}

/* Bytes that a partition must have before it is worth a look: of a single partition all
 * that are missing; of several any one more, for they count together. */
static bool watch_one(fetch_park *self, const fetch_round *round, size_t number,
                      partition *log)
{
    fetch_watch *watch = &self->watches[number];
    *watch = (fetch_watch){.inner.wake = on_wake, .park = self};
    if (log == NULL || round->visible[number] < 0) {
        return false;
    }
    int64_t missing = (int64_t)round->bytes_min - (int64_t)round->in_reach;
    watch->inner.wanted_bytes =
        round->visible[number] + (self->count == 1 ? missing : 1);
    watch->log = partition_ref(log);
    return partition_watch_add(log, &watch->inner);
}

/* Returns whether one of them has more already. */
static bool watch_all(fetch_park *self, const fetch_round *round)
{
    bool more = false;
    topic *found = NULL;
    for (size_t i = 0; i < round->count; i++) {
        int16_t code;
        const fetch_wish *wish = &round->wishes[i];
        if (i == 0 || !fetch_wish_same_topic(wish - 1, wish)) {
            topic_unref(found);
            found = fetch_wish_topic(self->owner, wish, &code);
        }
        partition *log = found == NULL ? NULL : topic_partition(found, wish->partition);
        more = watch_one(self, round, i, log) || more;
    }
    topic_unref(found);
    return more;
}

fetch_park *fetch_park_wait(fetch_park *self, fetch_round *round)
{
    request *owner = round->owner;
    fetch_round_release(round->held);
    round->held = NULL;
    if (self == NULL) {
        self = park_new(round);
    }
    owner->state = self;
    owner->cancel = on_cancel;
    if (watch_all(self, round) && !unwatch(self)) {
        return self;
    }
    loop_timer_set(owner->loop, &self->timer, self->deadline_ms);
    request_park(owner);
    return NULL;
}
