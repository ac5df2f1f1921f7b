/* Retention and checkpoints, by two timers. */
#include "broker/background.h"
#include "base/memory.h"
#include <sluice/log.h>
#include <stdlib.h>

enum { checkpoint_interval_ms = 60000 };

struct background {
    loop *loop;
    const broker_config *config;
    topic_set *topics;
    log_dir **dirs;
    size_t dir_count;
    loop_timer retention, checkpoint;
};

static void each_partition(background *self,
                           void (*work)(partition *log, int64_t now_ms))
{
    int64_t now_ms = loop_wall_ms();
    size_t count;
    topic **list = topic_set_list(self->topics, &count);
    for (size_t i = 0; i < count; i++) {
        for (int32_t j = 0; j < list[i]->partition_count; j++) {
            work(list[i]->partitions[j], now_ms);
        }
    }
    topic_list_free(list, count);
}

static void retain(partition *log, int64_t now_ms)
{
    size_t deleted = partition_apply_retention(log, now_ms);
    if (deleted > 0) {
        sluice_log(SLUICE_INFO, "broker.log",
                   "segments deleted by retention partition=%s-%d count=%zu",
                   partition_topic(log), partition_number(log), deleted);
    }
}

static void on_retention(loop_timer *timer)
{
    background *self = (background *)((char *)timer - offsetof(background, retention));
    each_partition(self, retain);
    loop_timer_set(self->loop, timer,
                   loop_now_ms() + self->config->retention_check_interval_ms);
}

static void on_checkpoint(loop_timer *timer)
{
    background *self = (background *)((char *)timer - offsetof(background, checkpoint));
    each_partition(self, partition_checkpoint);
    sluice_error *err = sluice_error_new();
    for (size_t i = 0; i < self->dir_count; i++) {
        if (log_dir_checkpoint(self->dirs[i], err) != SLUICE_OK) {
            sluice_log(SLUICE_ERROR, "broker.log", "%s; trying again in a minute",
                       sluice_error_text(err));
        }
        log_dir_remove_deleted(self->dirs[i]);
    }
    sluice_error_free(err);
    loop_timer_set(self->loop, timer, loop_now_ms() + checkpoint_interval_ms);
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
    *ret_background = self;
    return SLUICE_OK;
}

sluice_status background_start(background *self, sluice_error *err)
{
    int64_t now_ms = loop_now_ms();
    loop_timer_set(self->loop, &self->retention,
                   now_ms + self->config->retention_check_interval_ms);
    loop_timer_set(self->loop, &self->checkpoint, now_ms + checkpoint_interval_ms);
    return loop_start(self->loop, err);
}

loop *background_loop(background *self)
{
    return self->loop;
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
