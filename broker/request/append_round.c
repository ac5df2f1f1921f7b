/* broker/request/append_round.c - the batches of a round, partition by partition, each
 * partition's in the order in which they came. */
#include "broker/request/append_round.h"
#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    group_max = 64,
    round_max = 512,
    copies_bytes_max = 128 * 1024, /* The frames are gone when their round ends. */
};

static void run(loop_task *task)
{
    append_round *self = (append_round *)((char *)task - offsetof(append_round, task));
    self->due = false;
    append_round_flush(self);
}

void append_round_init(append_round *self, loop *its_loop)
{
    *self = (append_round){.loop = its_loop, .task.run = run};
    self->last = &self->first;
}

void append_round_done(append_round *self)
{
    free(self->copies);
}

static uint8_t *copy_batch(append_round *self, const void *base, size_t len)
{
    if (self->copies == NULL) {
        self->copies = memory_take(copies_bytes_max);
    }
    assert(!self->flushing);
    if (self->count == round_max || len > copies_bytes_max - self->copied) {
        append_round_flush(self);
    }
    uint8_t *copy = self->copies + self->copied;
    memcpy(copy, base, len);
    self->copied += len;
    return copy;
}

void append_round_add(append_round *self, round_append *one)
{
    one->copy = copy_batch(self, one->base, one->len);
    if (!self->due) {
        self->due = true;
        loop_defer(self->loop, &self->task);
    }
    one->next = NULL;
    *self->last = one;
    self->last = &one->next;
    self->count++;
}

/* Appends those of the first one's partition; returns the others, in their order. */
static round_append *append_group(round_append *first)
{
    partition_append appends[group_max];
    round_append *members[group_max], *others = NULL, **others_last = &others;
    partition *log = first->log;
    size_t count = 0;
    for (round_append *one = first, *next; one != NULL; one = next) {
        next = one->next;
        if (one->log == log && count < group_max) {
            appends[count].base = one->copy;
            appends[count].len = one->len;
            appends[count].acks = one->acks;
            appends[count].origin = PARTITION_CLIENT;
            members[count++] = one;
        } else {
            *others_last = one;
            others_last = &one->next;
        }
    }
    *others_last = NULL;
    partition_append_batches(log, appends, count, loop_wall_ms());
    for (size_t i = 0; i < count; i++) {
        members[i]->done(members[i], &appends[i]);
    }
    return others;
}

void append_round_flush(append_round *self)
{
    round_append *left = self->first;
    assert(!self->flushing);
    self->flushing = true;
    self->first = NULL;
    self->last = &self->first;
    while (left != NULL) {
        left = append_group(left);
    }
    self->copied = self->count = 0;
    self->flushing = false;
}
