/* Header lists that wait for the next message with the same headers. */
#include "worker/host/kafka_headers.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/* A request has so many messages at most; what one frees, the next takes. */
enum { spare_max = 10000 };

void kafka_headers_init(kafka_headers *self)
{
    *self = (kafka_headers){.spare = NULL};
    pthread_mutex_init(&self->lock, NULL);
}

void kafka_headers_done(kafka_headers *self)
{
    kafka_headers_trim(self);
    pthread_mutex_destroy(&self->lock);
}

static bool same_value(const void *value, size_t size, sluice_bytes wanted)
{
    if (value == NULL || wanted.base == NULL) {
        return value == wanted.base;
    }
    return size == wanted.len && memcmp(value, wanted.base, size) == 0;
}

/* Whether a list has these headers and no others. */
static bool fits(const rd_kafka_headers_t *list, const kafka_header *headers,
                 size_t count)
{
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0; i < count; i++) {
        if (rd_kafka_header_get_all(list, i, &name, &value, &size) !=
                RD_KAFKA_RESP_ERR_NO_ERROR ||
            strcmp(name, headers[i].name) != 0 ||
            !same_value(value, size, headers[i].value)) {
            return false;
        }
    }
    return rd_kafka_header_cnt(list) == count;
}

static rd_kafka_headers_t *make(const kafka_header *headers, size_t count)
{
    rd_kafka_headers_t *made = rd_kafka_headers_new(count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_header_add(made, headers[i].name, -1, headers[i].value.base,
                            (ssize_t)headers[i].value.len);
    }
    return made;
}

rd_kafka_headers_t *kafka_headers_take(kafka_headers *self, const kafka_header *headers,
                                       size_t count)
{
    pthread_mutex_lock(&self->lock);
    rd_kafka_headers_t *found = self->count == 0 ? NULL : self->spare[--self->count];
    pthread_mutex_unlock(&self->lock);
    if (found != NULL && !fits(found, headers, count)) {
        rd_kafka_headers_destroy(found);
        found = NULL;
    }
    return found == NULL ? make(headers, count) : found;
}

/* Keeps as many as there may be; returns how many. The lock is held. */
static size_t keep(kafka_headers *self, rd_kafka_headers_t **lists, size_t count)
{
    size_t free = spare_max - self->count;
    size_t kept = count < free ? count : free;
    if (self->spare == NULL) {
        self->spare = memory_take(spare_max * sizeof(rd_kafka_headers_t *));
    }
    memcpy(self->spare + self->count, lists, kept * sizeof(rd_kafka_headers_t *));
    self->count += kept;
    return kept;
}

void kafka_headers_put(kafka_headers *self, rd_kafka_headers_t **lists, size_t count)
{
    if (count == 0) {
        return;
    }
    pthread_mutex_lock(&self->lock);
    size_t kept = keep(self, lists, count);
    pthread_mutex_unlock(&self->lock);
    for (size_t i = kept; i < count; i++) {
        rd_kafka_headers_destroy(lists[i]);
    }
}

void kafka_headers_trim(kafka_headers *self)
{
    pthread_mutex_lock(&self->lock);
    rd_kafka_headers_t **dead = self->spare;
    size_t count = self->count;
    self->spare = NULL;
    self->count = 0;
    pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_headers_destroy(dead[i]);
    }
    free(dead);
}
