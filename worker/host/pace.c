/* How much is handed to the Kafka client at a time, and in which lane. */
#include "worker/host/pace.h"
#include <assert.h>

enum {
    bulk_bytes_min = 128 * 1000, /* Waiting: the bulk lane begins. */
    bulk_rate_min = 20 * 1000,   /* Bytes a millisecond: it ends below. */
    rate_period_ms = 50,
};

void pace_init(pace *self, size_t window, bool two_lanes)
{
    *self = (pace){.window = window, .two_lanes = two_lanes};
}

void pace_launch(pace *self, size_t bytes, int64_t now_ms)
{
    self->waiting += bytes;
    self->launched += bytes;
    int64_t taken = now_ms - self->since_ms;
    if (taken >= rate_period_ms) {
        self->brisk = (int64_t)self->launched >= taken * bulk_rate_min;
        self->since_ms = now_ms;
        self->launched = 0;
    }
}

static void begin(pace *self, int64_t now_ms)
{
    bool bulk = self->two_lanes && self->waiting >= bulk_bytes_min;
    if (bulk) { /* What has come together says that it is brisk. */
        self->brisk = true;
        self->since_ms = now_ms;
        self->launched = 0;
    }
    self->lane = bulk ? KAFKA_BULK : KAFKA_QUICK;
    self->open = true;
    self->lot = 0;
}

static size_t bulk_room(const pace *self)
{
    int64_t depth = (int64_t)(self->window / 2 * 7);
    return self->brisk && self->out < depth ? (size_t)(depth - self->out) : 0;
}

size_t pace_room(pace *self, int64_t now_ms)
{
    if (self->out_count == 0) {
        begin(self, now_ms);
    }
    if (self->lane == KAFKA_BULK) {
        return bulk_room(self);
    }
    return self->open && self->lot < self->window ? self->window - self->lot : 0;
}

void pace_close(pace *self)
{
    self->open = false;
}

void pace_hand(pace *self, size_t bytes, size_t count)
{
    assert(bytes <= self->waiting);
    self->waiting -= bytes;
    self->lot += bytes;
    self->out += (int64_t)bytes;
    self->out_count += count;
}

void pace_take_back(pace *self, size_t bytes, size_t count)
{
    self->waiting += bytes;
    pace_answer(self, bytes, count);
}

void pace_answer(pace *self, size_t bytes, size_t count)
{
    assert(count <= self->out_count);
    self->out -= (int64_t)bytes;
    self->out_count -= count;
}

bool pace_wants(const pace *self)
{
    if (self->waiting == 0 && self->out_count > 0) {
        return false;
    }
    return self->out_count == 0 ||
           (self->lane == KAFKA_BULK && bulk_room(self) >= self->window / 4);
}
