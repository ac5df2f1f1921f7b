/* lib/task.h - what stands behind a sluice_task: filled by the host, or by a fake.
 *
 * The functions of sluice/task.h are the same for everybody; what differs between a
 * connector host and a unit test of a plugin is in `ops`. Whoever makes a task embeds
 * this struct, fills it, and passes its address to the plugin. An operation that is
 * NULL does nothing.
 *
 * Threads: as sluice/task.h. Memory: all pointers are borrowed while the task runs. */
#ifndef SLUICE_LIB_TASK_H
#define SLUICE_LIB_TASK_H

#include <sluice/task.h>
#include <stdatomic.h>

/* This bit of `call` is set while the plugin waits by sluice_task_wait(). */
#define TASK_WAITS 0x80000000U

typedef struct task_ops {
    void (*rewind)(sluice_task *task, const char *topic, int32_t partition,
                   int64_t offset);
    void (*ask_commit)(sluice_task *task);
    void (*ask_split)(sluice_task *task); /* Any thread. */
    /* NULL: SLUICE_BAD_RECORD, as with errors.tolerance=none. */
    sluice_status (*dead_letter)(sluice_task *task, const sluice_record *record,
                                 sluice_error *why);
    void (*gauge)(sluice_task *task, const char *name, int64_t value);
    void (*doing)(sluice_task *task, const char *what);
} task_ops;

struct sluice_task {
    const char *connector;
    int number;
    const sluice_props *props;
    const sluice_offsets *offsets; /* A source's stored ones; empty for a sink. */
    int stop_fd;                   /* Readable once it should stop. */
    int wake_fd;                   /* An eventfd; its maker clears it. */
    const task_ops *ops;
    _Atomic uint32_t *call; /* Which call the thread is in; NULL: nobody asks. */
};

#endif
