/* The memory of all hosts, read beside the herder's thread. */
#include "worker/herder/measure.h"
#include "base/memory.h"
#include "worker/herder/exposition.h"
#include "worker/herder/metrics.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct measure {
    measures *all;
    buffer out;
    measured_host *hosts;
    size_t count;
    measures_end *done;
    void *context;
} measure;

void measures_init(measures *self)
{
    *self = (measures){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
}

void measures_done(measures *self)
{
    pthread_mutex_lock(&self->lock);
    while (self->running > 0) {
        pthread_cond_wait(&self->ended, &self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->ended);
}

/* Its memory in bytes, with its part of what it shares (PSS); 0: it cannot be known. */
static uint64_t memory_of(pid_t pid)
{
    char path[64], line[256];
    unsigned long long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = pid == 0 ? NULL : fopen(path, "re");
    while (file != NULL && kib == 0 && fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "Pss: %llu", &kib);
    }
    if (file != NULL) {
        fclose(file);
    }
    return (uint64_t)kib * 1024;
}

static void put_rows(measure *self, bool inspectors)
{
    const char *family =
        inspectors ? "sluice_inspector_memory_bytes" : "sluice_host_memory_bytes";
    metrics_host_family(&self->out, family);
    for (size_t i = 0; i < self->count; i++) {
        if (self->hosts[i].is_inspector != inspectors) {
            continue;
        }
        expose_row(&self->out, family);
        if (!inspectors) {
            expose_label(&self->out, "connector", self->hosts[i].title);
        }
        expose_value(&self->out, (double)memory_of(self->hosts[i].pid));
    }
}

static void *run(void *context)
{
    measure *self = context;
    measures *all = self->all;
    put_rows(self, false);
    put_rows(self, true);
    self->done(self->context, buffer_text(&self->out));
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

void measures_begin(measures *self, buffer *out, measured_host *hosts, size_t count,
                    measures_end *done, void *context)
{
    measure *one = memory_take(sizeof *one);
    *one = (measure){self, *out, hosts, count, done, context};
    *out = (buffer)BUFFER_INIT;
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
