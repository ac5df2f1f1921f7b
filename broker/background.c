/* Retention and checkpoints, by two timers. */
#include "broker/background.h"
#include "base/memory.h"
#include <sluice/log.h>
#include <stdlib.h>

/* However far away the next deletion is: the clock may be set. */
enum { retention_rest_ms_max = 24 * 60 * 60 * 1000 };

struct background {
    loop *loop;
    const broker_config *config;
    topic_set *topics;
    log_dir **dirs;
    size_t dir_count;
    loop_timer retention, checkpoint;
    int64_t retention_due_ms; /* Wall time; INT64_MAX: nothing will be too old. */
    rest rest;
};

static void each_partition(background *self,
                           void (*work)(background *self, partition *log,
                                        int64_t now_ms))
{
    int64_t now_ms = loop_wall_ms();
    size_t count;
    topic **list = topic_set_list(self->topics, &count);
    for (size_t i = 0; i < count; i++) {
        for (int32_t j = 0; j < list[i]->partition_count; j++) {
            work(self, list[i]->partitions[j], now_ms);
        }
    }
    topic_list_free(list, count);
}

static void retain(background *self, partition *log, int64_t now_ms)
{
    size_t deleted = partition_apply_retention(log, now_ms);
    if (deleted > 0) {
        sluice_log(SLUICE_INFO, "broker.log",
                   "segments deleted by retention partition=%s-%d count=%zu",
                   partition_topic(log), partition_number(log), deleted);
    }
    int64_t due_ms = partition_retention_due(log);
    self->retention_due_ms =
        due_ms < self->retention_due_ms ? due_ms : self->retention_due_ms;
}

/* While nothing is appended there is nothing to do before it is due. */
static int64_t retention_pause_ms(const background *self)
{
    int64_t interval = self->config->retention_check_interval_ms, left;
    if (!rest_is_on(&self->rest)) {
        return interval;
    }
    if (__builtin_sub_overflow(self->retention_due_ms, loop_wall_ms(), &left) ||
        left > retention_rest_ms_max) {
        left = retention_rest_ms_max;
    }
    return left > interval ? left : interval;
}

static void on_retention(loop_timer *timer)
{
    background *self = (background *)((char *)timer - offsetof(background, retention));
    self->retention_due_ms = INT64_MAX;
    each_partition(self, retain);
    loop_timer_set(self->loop, timer, loop_now_ms() + retention_pause_ms(self));
}

static void keep_in_order(background *self, partition *log, int64_t now_ms)
{
    partition_checkpoint(log, now_ms);
}

static void on_checkpoint(loop_timer *timer)
{
    background *self = (background *)((char *)timer - offsetof(background, checkpoint));
    each_partition(self, keep_in_order);
    sluice_error *err = sluice_error_new();
    for (size_t i = 0; i < self->dir_count; i++) {
        if (log_dir_checkpoint(self->dirs[i], err) != SLUICE_OK) {
            sluice_log(SLUICE_ERROR, "broker.log", "%s; trying again in %lld ms",
                       sluice_error_text(err),
                       (long long)self->config->checkpoint_interval_ms);
            rest_disturb(&self->rest);
        }
        log_dir_remove_deleted(self->dirs[i]);
    }
    sluice_error_free(err);
    if (!rest_begin(&self->rest)) {
        loop_timer_set(self->loop, timer,
                       loop_now_ms() + self->config->checkpoint_interval_ms);
    }
}

static void set_timers(background *self)
{
    int64_t now_ms = loop_now_ms();
    int64_t retention_ms = now_ms + self->config->retention_check_interval_ms;
    if (self->retention.place == 0 || self->retention.at_ms > retention_ms) {
        loop_timer_set(self->loop, &self->retention, retention_ms);
    }
    loop_timer_set(self->loop, &self->checkpoint,
                   now_ms + self->config->checkpoint_interval_ms);
}

static void on_wake(loop_task *task)
{
    set_timers((background *)((char *)task - offsetof(background, rest.wake)));
}

sluice_status background_new(const broker_config *config, topic_set *topics,
                             log_dir **dirs, size_t dir_count,
                             background **ret_background, sluice_error *err)
{
    loop *made;
    sluice_status status = loop_new("background", &made, err);
    if (status != SLUICE_OK) {
        return status;
    }
    background *self = memory_zero(sizeof *self);
    *self = (background){.loop = made,
                         .config = config,
                         .topics = topics,
                         .dirs = dirs,
                         .dir_count = dir_count,
                         .retention.run = on_retention,
                         .checkpoint.run = on_checkpoint};
    rest_init(&self->rest, made, on_wake);
    *ret_background = self;
    return SLUICE_OK;
}

sluice_status background_start(background *self, sluice_error *err)
{
    set_timers(self);
    return loop_start(self->loop, err);
}

loop *background_loop(background *self)
{
    return self->loop;
}

rest *background_rest(background *self)
{
    return &self->rest;
}

void background_stop(background *self)
{
    loop_stop(self->loop);
}

void background_free(background *self)
{
    if (self == NULL) {
        return;
    }
    loop_free(self->loop);
    free(self);
}
