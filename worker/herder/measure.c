/* The text of /metrics: what the herder knew, and what the kernel says of each host. */
#include "worker/herder/measure.h"
#include "base/memory.h"
#include "worker/herder/exposition.h"
#include "worker/herder/metrics.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    kept_seconds = 60,
    change_bytes = 256 * 1024,
};

/* What the kernel said of the memory of a process. */
typedef struct memory_reading {
    uint64_t share_bytes;    /* With its part of what it shares (PSS). */
    uint64_t resident_bytes; /* At that time. */
    int64_t read_at;         /* In seconds. */
} memory_reading;

typedef struct measure {
    measures *all;
    herder *snapshot;
    buffer out;
    measured_host *hosts;
    size_t count;
    measures_end *done;
    void *context;
} measure;

void measures_init(measures *self)
{
    *self = (measures){.lock = PTHREAD_MUTEX_INITIALIZER,
                       .ended = PTHREAD_COND_INITIALIZER,
                       .memory_lock = PTHREAD_MUTEX_INITIALIZER};
    map_init(&self->memory);
}

void measures_wait(measures *self)
{
    pthread_mutex_lock(&self->lock);
    while (self->running > 0) {
        pthread_cond_wait(&self->ended, &self->lock);
    }
    pthread_mutex_unlock(&self->lock);
}

static void free_values(map *readings)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(readings, &at)) != NULL;) {
        free(entry->value);
    }
    map_done(readings);
}

void measures_done(measures *self)
{
    measures_wait(self);
    free_values(&self->memory);
    pthread_mutex_destroy(&self->memory_lock);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->ended);
}

/* --- Memory. --- */

static FILE *open_proc(pid_t pid, const char *file)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    return pid == 0 ? NULL : fopen(path, "re");
}

static uint64_t resident_bytes(pid_t pid)
{
    unsigned long long pages = 0;
    FILE *file = open_proc(pid, "statm");
    if (file != NULL) {
        if (fscanf(file, "%*u %llu", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t share_bytes(pid_t pid)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *file = open_proc(pid, "smaps_rollup");
    while (file != NULL && kib == 0 && fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "Pss: %llu", &kib);
    }
    if (file != NULL) {
        fclose(file);
    }
    return (uint64_t)kib * 1024;
}

static bool is_good(const memory_reading *old, uint64_t resident, int64_t now)
{
    uint64_t change = resident > old->resident_bytes ? resident - old->resident_bytes
                                                     : old->resident_bytes - resident;
    return change < change_bytes && now < old->read_at + kept_seconds;
}

/* The reading of a host, `old` (taken) where that will do still. */
static memory_reading *read_memory(const measured_host *host, memory_reading *old,
                                   int64_t now)
{
    uint64_t resident = resident_bytes(host->pid);
    if (old == NULL || !is_good(old, resident, now)) {
        free(old);
        old = memory_take(sizeof *old);
        *old = (memory_reading){share_bytes(host->pid), resident, now};
    }
    return old;
}

/* What is known of processes that are gone is forgotten. */
static void read_all(measure *self)
{
    map fresh = MAP_INIT;
    map *known = &self->all->memory;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (size_t i = 0; i < self->count; i++) {
        const measured_host *host = &self->hosts[i];
        memory_reading *old = map_remove(known, &host->id, sizeof host->id);
        map_put(&fresh, &host->id, sizeof host->id,
                read_memory(host, old, (int64_t)now.tv_sec));
    }
    free_values(known);
    *known = fresh;
}

/* --- Rows. --- */

static double memory_of(const measure *self, const measured_host *host)
{
    const memory_reading *reading =
        map_get(&self->all->memory, &host->id, sizeof host->id);
    return (double)reading->share_bytes;
}

/* Of the process, with all its threads; 0: it is gone. */
static double processor_of(const measure *self, const measured_host *host)
{
    (void)self;
    clockid_t clock;
    struct timespec used = {0};
    if (host->pid != 0 && clock_getcpuclockid(host->pid, &clock) == 0) {
        clock_gettime(clock, &used);
    }
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double held_of(const measure *self, const measured_host *host)
{
    (void)self;
    return (double)host->held_ms / 1000;
}

static void put_rows(measure *self, const char *family, bool inspectors,
                     double (*value)(const measure *self, const measured_host *host))
{
    metrics_host_family(&self->out, family);
    for (size_t i = 0; i < self->count; i++) {
        if (self->hosts[i].is_inspector != inspectors) {
            continue;
        }
        expose_row(&self->out, family);
        if (!inspectors) {
            expose_label(&self->out, "connector", self->hosts[i].title);
        }
        expose_value(&self->out, value(self, &self->hosts[i]));
    }
}

static void put_hosts(measure *self)
{
    pthread_mutex_lock(&self->all->memory_lock);
    read_all(self);
    put_rows(self, "sluice_host_memory_bytes", false, memory_of);
    put_rows(self, "sluice_inspector_memory_bytes", true, memory_of);
    pthread_mutex_unlock(&self->all->memory_lock);
    put_rows(self, "sluice_host_cpu_seconds_total", false, processor_of);
    put_rows(self, "sluice_host_held_seconds_total", false, held_of);
}

static void *run(void *context)
{
    measure *self = context;
    measures *all = self->all;
    metrics_put(self->snapshot, &self->out);
    put_hosts(self);
    self->done(self->context, buffer_text(&self->out), self->snapshot);
    for (size_t i = 0; i < self->count; i++) {
        free(self->hosts[i].title);
    }
    free(self->hosts);
    buffer_done(&self->out);
    free(self);
    pthread_mutex_lock(&all->lock);
    all->running--;
    pthread_cond_broadcast(&all->ended);
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

void measures_begin(measures *self, herder *snapshot, measured_host *hosts,
                    size_t count, measures_end *done, void *context)
{
    measure *one = memory_take(sizeof *one);
    *one = (measure){self, snapshot, BUFFER_INIT, hosts, count, done, context};
    pthread_mutex_lock(&self->lock);
    self->running++;
    pthread_mutex_unlock(&self->lock);
    pthread_t thread;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &detached, run, one) != 0) {
        run(one); /* Then whoever waits waits. */
    }
    pthread_attr_destroy(&detached);
}
