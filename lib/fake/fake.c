/* A task without a worker: it has what the test gave it and remembers what was asked.
 */
#include "../base/map.h"
#include "../base/memory.h"
#include "../task.h"
#include "show.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct parsed {
    const sluice_config *table;
    void *config;
} parsed;

struct sluice_fake {
    sluice_task task; /* First, so that a task is its fake. */
    sluice_props *props;
    sluice_offsets *offsets, *rewinds;
    sluice_error *fault;
    sluice_error *dead_letters; /* A message each. */
    sluice_arena *arena;        /* What is shown. */
    parsed *configs;
    size_t config_count;
    map gauges;
    char *doing;
    bool intolerant;
    int commits, splits;
};

static sluice_fake *fake_of(sluice_task *task)
{
    return (sluice_fake *)task;
}

static void rewind_to(sluice_task *task, const char *topic, int32_t partition,
                      int64_t offset)
{
    sluice_offsets_set_topic(fake_of(task)->rewinds, topic, partition, offset);
}

static void ask_commit(sluice_task *task)
{
    fake_of(task)->commits++;
}

static void ask_split(sluice_task *task)
{
    __atomic_add_fetch(&fake_of(task)->splits, 1, __ATOMIC_RELAXED);
}

static sluice_status dead_letter(sluice_task *task, const sluice_record *record,
                                 sluice_error *why)
{
    (void)record;
    sluice_fake *fake = fake_of(task);
    sluice_fail_key(fake->dead_letters, "", "%s", sluice_error_text(why));
    return fake->intolerant ? SLUICE_BAD_RECORD : SLUICE_OK;
}

static void gauge(sluice_task *task, const char *name, int64_t value)
{
    int64_t *place = map_get_text(&fake_of(task)->gauges, name);
    if (place == NULL) {
        place = memory_take(sizeof *place);
        map_put_text(&fake_of(task)->gauges, name, place);
    }
    *place = value;
}

static void doing(sluice_task *task, const char *what)
{
    char *copy = memory_text(what);
    free(fake_of(task)->doing);
    fake_of(task)->doing = copy;
}

static const task_ops ops = {.rewind = rewind_to,
                             .ask_commit = ask_commit,
                             .ask_split = ask_split,
                             .dead_letter = dead_letter,
                             .gauge = gauge,
                             .doing = doing};

sluice_fake *sluice_fake_new(void)
{
    sluice_fake *fake = memory_zero(sizeof *fake);
    fake->props = sluice_props_new();
    fake->offsets = sluice_offsets_new();
    fake->rewinds = sluice_offsets_new();
    fake->fault = sluice_error_new();
    fake->dead_letters = sluice_error_new();
    fake->arena = sluice_arena_new();
    fake->task = (sluice_task){.connector = "fake",
                               .props = fake->props,
                               .offsets = fake->offsets,
                               .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                               .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                               .ops = &ops};
    assert(fake->task.stop_fd >= 0 && fake->task.wake_fd >= 0);
    return fake;
}

void sluice_fake_free(sluice_fake *fake)
{
    if (fake == NULL) {
        return;
    }
    for (size_t i = 0; i < fake->config_count; i++) {
        sluice_config_free(fake->configs[i].table, fake->configs[i].config);
    }
    free(fake->configs);
    size_t at = 0;
    for (const map_entry *one; (one = map_next(&fake->gauges, &at)) != NULL;) {
        free(one->value);
    }
    map_done(&fake->gauges);
    close(fake->task.stop_fd);
    close(fake->task.wake_fd);
    sluice_props_free(fake->props);
    sluice_offsets_free(fake->offsets);
    sluice_offsets_free(fake->rewinds);
    sluice_error_free(fake->fault);
    sluice_error_free(fake->dead_letters);
    sluice_arena_free(fake->arena);
    free(fake->doing);
    free(fake);
}

sluice_task *sluice_fake_task(sluice_fake *fake)
{
    return &fake->task;
}

sluice_props *sluice_fake_props(sluice_fake *fake)
{
    return fake->props;
}

void *sluice_fake_config(sluice_fake *fake, const sluice_config *table, ...)
{
    va_list pairs;
    va_start(pairs, table);
    for (const char *key; (key = va_arg(pairs, const char *)) != NULL;) {
        sluice_props_set(fake->props, key, va_arg(pairs, const char *));
    }
    va_end(pairs);
    void *config = NULL;
    sluice_error_clear(fake->fault);
    if (sluice_config_parse(table, fake->props, &config, fake->fault) != SLUICE_OK) {
        return NULL;
    }
    size_t size = (fake->config_count + 1) * sizeof *fake->configs;
    fake->configs = memory_resize(fake->configs, size);
    fake->configs[fake->config_count++] = (parsed){table, config};
    return config;
}

const char *sluice_fake_fault(const sluice_fake *fake)
{
    return sluice_error_text(fake->fault);
}

sluice_offsets *sluice_fake_offsets(sluice_fake *fake)
{
    return fake->offsets;
}

void sluice_fake_tolerate(sluice_fake *fake, bool tolerate)
{
    fake->intolerant = !tolerate;
}

static void raise_fd(int fd)
{
    ssize_t written = write(fd, &(uint64_t){1}, sizeof(uint64_t));
    assert(written == sizeof(uint64_t));
    (void)written;
}

void sluice_fake_wake(sluice_fake *fake)
{
    raise_fd(fake->task.wake_fd);
}

void sluice_fake_unwake(sluice_fake *fake)
{
    uint64_t count;
    ssize_t got = read(fake->task.wake_fd, &count, sizeof count);
    (void)got; /* It may not have been woken. */
}

void sluice_fake_stop(sluice_fake *fake)
{
    raise_fd(fake->task.stop_fd);
}

size_t sluice_fake_dead_letters(const sluice_fake *fake)
{
    return sluice_error_count(fake->dead_letters);
}

const char *sluice_fake_dead_letter(const sluice_fake *fake, size_t index)
{
    return sluice_error_message(fake->dead_letters, index);
}

const sluice_offsets *sluice_fake_rewinds(const sluice_fake *fake)
{
    return fake->rewinds;
}

int sluice_fake_commits_asked(const sluice_fake *fake)
{
    return fake->commits;
}

int sluice_fake_splits_asked(const sluice_fake *fake)
{
    return __atomic_load_n(&fake->splits, __ATOMIC_RELAXED);
}

int64_t sluice_fake_gauge(const sluice_fake *fake, const char *name)
{
    const int64_t *place = map_get_text(&fake->gauges, name);
    return place == NULL ? INT64_MIN : *place;
}

const char *sluice_fake_doing(const sluice_fake *fake)
{
    return fake->doing == NULL ? "" : fake->doing;
}

sluice_arena *fake_arena(sluice_fake *fake)
{
    return fake->arena;
}
