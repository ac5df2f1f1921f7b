/* What a running source or sink may ask, passed on to whoever runs it. */
#include "task.h"
#include <errno.h>
#include <poll.h>
#include <sluice/log.h>
#include <stdlib.h>
#include <time.h>

const char *sluice_task_connector(const sluice_task *task)
{
    return task->connector;
}

int sluice_task_number(const sluice_task *task)
{
    return task->number;
}

const sluice_props *sluice_task_props(const sluice_task *task)
{
    return task->props;
}

int sluice_task_stop_fd(const sluice_task *task)
{
    return task->stop_fd;
}

int sluice_task_wake_fd(const sluice_task *task)
{
    return task->wake_fd;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void note_waiting(const sluice_task *task, bool waiting)
{
    if (task->call != NULL) {
        uint32_t call = atomic_load_explicit(task->call, memory_order_relaxed);
        atomic_store_explicit(task->call,
                              waiting ? call | TASK_WAITS : call & ~TASK_WAITS,
                              memory_order_relaxed);
    }
}

/* A descriptor of the task's that is none any more would be ready for ever. */
static void check_whole(const sluice_task *task, const struct pollfd *own)
{
    if (((own[0].revents | own[1].revents) & POLLNVAL) != 0) {
        sluice_log(SLUICE_ERROR, "worker.task",
                   "a descriptor of task %s-%d was closed by code that does not own "
                   "it: the process ends",
                   task->connector, task->number);
        abort();
    }
}

unsigned sluice_task_wait(const sluice_task *task, int fd, short events, int timeout_ms)
{
    struct pollfd waits[] = {{.fd = fd, .events = events},
                             {.fd = task->wake_fd, .events = POLLIN},
                             {.fd = task->stop_fd, .events = POLLIN}};
    int64_t end = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
    note_waiting(task, true);
    while (poll(waits, 3, timeout_ms) < 0 && errno == EINTR) {
        if (end >= 0) {
            int64_t left = end - now_ms();
            timeout_ms = left > 0 ? (int)left : 0;
        }
    }
    note_waiting(task, false);
    check_whole(task, &waits[1]);
    return (waits[0].revents != 0 ? SLUICE_WAIT_READY : 0U) |
           (waits[1].revents != 0 ? SLUICE_WAIT_WAKE : 0U) |
           (waits[2].revents != 0 ? SLUICE_WAIT_STOP : 0U);
}

const sluice_offsets *sluice_task_offsets(const sluice_task *task)
{
    return task->offsets;
}

void sluice_task_rewind(sluice_task *task, const char *topic, int32_t partition,
                        int64_t offset)
{
    if (task->ops->rewind != NULL) {
        task->ops->rewind(task, topic, partition, offset);
    }
}

void sluice_task_ask_commit(sluice_task *task)
{
    if (task->ops->ask_commit != NULL) {
        task->ops->ask_commit(task);
    }
}

void sluice_task_ask_split(sluice_task *task)
{
    if (task->ops->ask_split != NULL) {
        task->ops->ask_split(task);
    }
}

sluice_status sluice_task_dead_letter(sluice_task *task, const sluice_record *record,
                                      sluice_error *why)
{
    if (task->ops->dead_letter == NULL) {
        return SLUICE_BAD_RECORD;
    }
    return task->ops->dead_letter(task, record, why);
}

void sluice_task_gauge(sluice_task *task, const char *name, int64_t value)
{
    if (task->ops->gauge != NULL) {
        task->ops->gauge(task, name, value);
    }
}

void sluice_task_doing(sluice_task *task, const char *what)
{
    if (task->ops->doing != NULL) {
        task->ops->doing(task, what);
    }
}
