/* Requests: answers from any thread, and their reuse. */
#include "broker/net/request.h"
#include "base/memory.h"
#include "broker/net/connection.h"
#include <assert.h>
#include <sluice/log.h>
#include <stdlib.h>

enum { spare_requests_max = 256, kept_bytes_max = 16 * 1024 };

request *request_take(net_thread *home)
{
    atomic_fetch_add_explicit(&home->drain->requests, 1, memory_order_relaxed);
    request *self = home->spare_requests;
    if (self == NULL) {
        self = memory_zero(sizeof *self);
        self->home = home;
        self->loop = home->loop;
        self->context = home->options->context;
        output_init(&self->out);
        return self;
    }
    home->spare_requests = self->next;
    home->spare_request_count--;
    self->next = NULL;
    return self;
}

void request_free(request *self)
{
    request_park(self);
    output_done(&self->out);
    free(self->frame);
    free(self);
}

void request_park(request *self)
{
    sluice_arena_free(self->arena);
    self->arena = NULL;
}

sluice_arena *request_arena(request *self)
{
    if (self->arena == NULL) {
        self->arena = sluice_arena_new();
    }
    return self->arena;
}

static void request_clear(request *self)
{
    if (self->sent != NULL) {
        self->sent(self);
    }
    request_park(self);
    self->state = NULL;
    self->cancel = self->sent = NULL;
    self->connection = NULL;
    self->answered = self->broken = false;
    output_clear(&self->out);
}

static void keep_or_free(request *self)
{
    net_thread *home = self->home;
    bool large =
        self->frame_room > kept_bytes_max || self->out.bytes.room > kept_bytes_max;
    if (large || home->spare_request_count >= spare_requests_max ||
        !loop_is_here(self->loop)) {
        request_free(self);
        return;
    }
    self->next = home->spare_requests;
    home->spare_requests = self;
    home->spare_request_count++;
}

void request_give_back(request *self)
{
    net_thread *home = self->home;
    request_clear(self);
    keep_or_free(self);
    if (atomic_fetch_sub(&home->drain->requests, 1) == 1 &&
        atomic_load(&home->drain->wanted)) {
        sem_post(&home->drain->empty);
    }
}

/* On the loop's thread, or when that has ended. */
static void request_over(request *self)
{
    self->answered = true;
    request_counters *counted =
        counters_of(&self->home->counters, self->header.api_key);
    if (counted != NULL) {
        counters_end(counted, counters_now_us() - self->began_us);
        counter_add(&counted->refused, self->broken);
    }
    if (self->connection == NULL) {
        request_give_back(self);
        return;
    }
    if (self->sent == NULL) {
        request_park(self); /* The answer borrows nothing of it. */
    }
    self->connection->unanswered--;
    self->connection->unsent += output_size(&self->out);
    if (self->broken) {
        connection_close(self->connection);
    } else {
        connection_answered(self->connection);
    }
}

static void task_run(loop_task *task)
{
    request_over((request *)((char *)task - offsetof(request, task)));
}

static void request_end(request *self)
{
    assert(!self->answered);
    if (loop_is_here(self->loop)) {
        request_over(self);
    } else {
        self->task.run = task_run;
        loop_post(self->loop, &self->task);
    }
}

static sluice_status encode(request *self, int version, const void *response,
                            sluice_error *err)
{
    output_clear(&self->out);
    return response_encode(self->header.api, version, self->header.correlation_id,
                           response, &self->out, err);
}

void request_answer(request *self, int version, const void *response)
{
    if (encode(self, version, response, NULL) == SLUICE_OK) {
        request_end(self);
        return;
    }
    sluice_error *err = sluice_error_new();
    encode(self, version, response, err);
    request_refuse(self, sluice_error_text(err));
    sluice_error_free(err);
}

void request_answer_nothing(request *self)
{
    output_clear(&self->out);
    request_end(self);
}

void request_refuse(request *self, const char *reason)
{
    sluice_log(SLUICE_WARN, "broker.net",
               "request %d version %d is refused: %s; closing the connection",
               self->header.api_key, self->header.api_version, reason);
    self->broken = true;
    request_end(self);
}
