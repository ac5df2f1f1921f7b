/* The thread that makes offsets and configurations durable, in groups. */
#include "worker/store/writer.h"
#include "base/memory.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { retry_seconds = 1 };

typedef struct order {
    writer_kind kind;
    uint64_t id;
    char *connector;
    json_t *json;
    struct order *next;
} order;

struct writer {
    writer_settings settings;
    pthread_t thread;
    pthread_cond_t changed;
    pthread_mutex_t lock; /* Guards all below. */
    order *first;
    order **end;
    bool stopping;
};

static void order_free(order *self)
{
    free(self->connector);
    json_decref(self->json);
    free(self);
}

/* Waits for orders; NULL: there are none and there will be none. */
static order *take_all(writer *self, bool *ret_last)
{
    pthread_mutex_lock(&self->lock);
    while (self->first == NULL && !self->stopping) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    order *taken = self->first;
    self->first = NULL;
    self->end = &self->first;
    *ret_last = self->stopping;
    pthread_mutex_unlock(&self->lock);
    return taken;
}

static worker_file *file_of(writer *self, writer_kind kind)
{
    return kind == WRITER_OFFSETS ? self->settings.offsets : self->settings.configs;
}

static sluice_status write_one(writer *self, const order *o, worker_file *file,
                               sluice_error *err)
{
    if (file_of(self, o->kind) != file) {
        return SLUICE_OK;
    }
    return o->kind == WRITER_OFFSETS
               ? worker_file_put_offsets(file, o->connector, o->json, err)
               : worker_file_put_config(file, o->connector, o->json, err);
}

static sluice_status write_file(writer *self, const order *orders, worker_file *file,
                                sluice_error *err)
{
    if (file == NULL) {
        return SLUICE_OK;
    }
    sluice_status status = worker_file_begin(file, err);
    for (const order *o = orders; o != NULL && status == SLUICE_OK; o = o->next) {
        status = write_one(self, o, file, err);
    }
    if (status == SLUICE_OK) {
        status = worker_file_commit(file, err);
    }
    if (status != SLUICE_OK) {
        worker_file_rollback(file);
    }
    return status;
}

static sluice_status write_all(writer *self, const order *orders, sluice_error *err)
{
    sluice_status status = write_file(self, orders, self->settings.offsets, err);
    if (status == SLUICE_OK && self->settings.configs != self->settings.offsets) {
        status = write_file(self, orders, self->settings.configs, err);
    }
    return status;
}

/* Returns whether the writer was told to stop meanwhile. */
static bool wait_before_retry(writer *self)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += retry_seconds;
    pthread_mutex_lock(&self->lock);
    while (!self->stopping &&
           pthread_cond_timedwait(&self->changed, &self->lock, &until) != ETIMEDOUT) {
    }
    bool stopping = self->stopping;
    pthread_mutex_unlock(&self->lock);
    return stopping;
}

static void report(writer *self, order *orders)
{
    size_t count = 0, at = 0;
    for (const order *o = orders; o != NULL; o = o->next) {
        count++;
    }
    uint64_t *ids = memory_take((count + 1) * sizeof *ids);
    for (const order *o = orders; o != NULL; o = o->next) {
        ids[at++] = o->id;
    }
    self->settings.done(self->settings.context, ids, count);
    free(ids);
}

static void carry_out(writer *self, order *orders)
{
    sluice_error *err = sluice_error_new();
    bool told = false;
    while (write_all(self, orders, err) != SLUICE_OK) {
        if (!told) {
            self->settings.trouble(self->settings.context, sluice_error_text(err));
            told = true;
        }
        if (wait_before_retry(self)) {
            sluice_error_free(err);
            return; /* Not stored, and nobody is told that it is. */
        }
    }
    sluice_error_free(err);
    report(self, orders);
}

static void *writer_run(void *context)
{
    writer *self = context;
    bool last = false;
    while (!last) {
        order *orders = take_all(self, &last);
        if (orders != NULL) {
            carry_out(self, orders);
        }
        while (orders != NULL) {
            order *next = orders->next;
            order_free(orders);
            orders = next;
        }
    }
    return NULL;
}

sluice_status writer_start(const writer_settings *settings, writer **ret_writer,
                           sluice_error *err)
{
    writer *self = memory_zero(sizeof *self);
    pthread_condattr_t monotonic;
    self->settings = *settings;
    self->end = &self->first;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int refused = pthread_create(&self->thread, NULL, writer_run, self);
    if (refused != 0) {
        pthread_cond_destroy(&self->changed);
        pthread_mutex_destroy(&self->lock);
        free(self);
        return sluice_fail(err, SLUICE_FATAL, "cannot start the store's thread: %s",
                           strerror(refused));
    }
    *ret_writer = self;
    return SLUICE_OK;
}

void writer_stop(writer *self)
{
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

void writer_put(writer *self, writer_kind kind, uint64_t id, const char *connector,
                json_t *json)
{
    order *o = memory_zero(sizeof *o);
    *o = (order){.kind = kind,
                 .id = id,
                 .connector = memory_text(connector),
                 .json = json == NULL ? NULL : json_deep_copy(json)};
    pthread_mutex_lock(&self->lock);
    *self->end = o;
    self->end = &o->next;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}
