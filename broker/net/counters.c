/* Times of requests, sorted into buckets. */
#include "broker/net/counters.h"
#include <time.h>

const int64_t counters_bounds_us[counters_buckets] = {
    50, 100, 250, 500, 1000, 2500, 5000, 10000, 50000, 250000, 1000000, 5000000};

int64_t counters_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void counters_end(request_counters *self, int64_t time_us)
{
    size_t bucket = 0;
    while (bucket < counters_buckets && time_us > counters_bounds_us[bucket]) {
        bucket++;
    }
    counter_add(&self->ended, 1);
    counter_add(&self->time_us, time_us);
    counter_add(&self->within[bucket], 1);
}
