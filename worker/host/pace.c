/* How much is handed to the Kafka client at a time, and in which lane. */
#include "worker/host/pace.h"
#include <assert.h>

enum {
    bulk_rate_min = 25 * 1000, /* Bytes a millisecond. */
    rate_period_ms = 50,
    bulk_count_max =
        25000,   /* Messages with the client: two and a half full requests. */
    few_max = 5, /* Messages in requests of one partition that librdkafka overlaps. */
};

void pace_init(pace *self, size_t window, bool two_lanes)
{
    *self = (pace){.window = window, .two_lanes = two_lanes};
}

void pace_launch(pace *self, size_t wire, size_t count, int64_t now_ms)
{
    self->waiting += wire;
    self->waiting_count += count;
    self->launched += wire;
    int64_t taken = now_ms - self->since_ms;
    if (taken >= rate_period_ms) {
        self->brisk = (int64_t)self->launched >= taken * bulk_rate_min;
        self->since_ms = now_ms;
        self->launched = 0;
    }
}

static void begin(pace *self, int64_t now_ms)
{
    if (!self->brisk && self->waiting >= self->window) {
        self->brisk = true; /* What has come together says so. */
        self->since_ms = now_ms;
        self->launched = 0;
    }
    self->lane = self->two_lanes && self->brisk ? KAFKA_BULK : KAFKA_QUICK;
    self->open = true;
    self->lot = 0;
}

/* Bytes of payload that the bulk lane takes. */
static size_t bulk_room(const pace *self)
{
    size_t depth = self->window / 2 * 5;
    bool takes = self->brisk && self->out < depth && self->out_count < bulk_count_max;
    return takes ? depth - self->out : 0;
}

/* Whether what waits need not wait for what is out. */
static bool are_few(const pace *self)
{
    return !self->brisk && self->out_count + self->waiting_count <= few_max;
}

static size_t quick_room(const pace *self)
{
    bool takes = (self->open || are_few(self)) && self->lot < self->window;
    return takes ? self->window - self->lot : 0;
}

size_t pace_allot(pace *self, const pace_size *sizes, size_t count, int64_t now_ms,
                  pace_size *ret_sum)
{
    if (self->out_count == 0) {
        begin(self, now_ms);
    }
    bool bulk = self->lane == KAFKA_BULK;
    size_t room = bulk ? bulk_room(self) : quick_room(self);
    pace_size sum = {0, 0, 0};
    for (; sum.count < count; sum.count++) {
        const pace_size *next = &sizes[sum.count];
        size_t size = bulk ? sum.payload + next->payload : sum.wire + next->wire;
        bool first = sum.count == 0 && self->out_count == 0;
        if (room == 0 || (size > room && !first)) {
            break; /* A message that is larger than a request goes alone. */
        }
        sum.wire += next->wire;
        sum.payload += next->payload;
    }
    assert(sum.wire <= self->waiting && sum.count <= self->waiting_count);
    self->waiting -= sum.wire;
    self->waiting_count -= sum.count;
    self->lot += sum.wire;
    self->out += sum.payload;
    self->out_count += sum.count;
    *ret_sum = sum;
    return sum.count;
}

void pace_close(pace *self)
{
    self->open = false;
}

void pace_answer(pace *self, size_t payload, size_t count)
{
    assert(count <= self->out_count && payload <= self->out);
    self->out -= payload;
    self->out_count -= count;
}

void pace_take_back(pace *self, const pace_size *what)
{
    self->waiting += what->wire;
    self->waiting_count += what->count;
    pace_answer(self, what->payload, what->count);
}

bool pace_wants(const pace *self)
{
    if (self->out_count == 0) {
        return true;
    }
    return self->waiting > 0 &&
           (self->lane == KAFKA_BULK ? bulk_room(self) >= self->window / 4
                                     : are_few(self) && quick_room(self) > 0);
}
