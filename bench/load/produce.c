/* bench/load/produce.c - as many Produce requests as the window allows. */
#include "base/memory.h"
#include "load.h"
#include "protocol/wire.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { answers_bytes_max = 65536 };

typedef struct producing producing;

typedef struct producer {
    producing *owner;
    int fd;
    bool blocked;
    const uint8_t *frames; /* `window` of them, one behind the other. */
    int64_t sent;          /* Bytes. */
    int64_t begun, answered;
    double *begun_at; /* A ring of `window`. */
    uint8_t answers[answers_bytes_max];
    size_t answers_len;
} producer;

struct producing {
    const load_options *options;
    load_result result;
    int epoll;
    producer *producers;
    int64_t frame_size, batch_size;
    int64_t left; /* Requests that may still be begun. */
    double until;
};

static bool may_begin(const producing *self)
{
    return self->left > 0 && load_now() < self->until;
}

/* How many bytes may be sent now: whole windows at best. */
static int64_t sendable(producer *self)
{
    producing *owner = self->owner;
    int64_t window = owner->options->window;
    double now = load_now();
    while (self->begun - self->answered < window && may_begin(owner)) {
        self->begun_at[self->begun++ % window] = now;
        owner->left--;
    }
    return self->begun * owner->frame_size - self->sent;
}

static void wait_for(producer *self, bool writable)
{
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0u),
                                .data.ptr = self};
    self->blocked = writable;
    epoll_ctl(self->owner->epoll, EPOLL_CTL_MOD, self->fd, &event);
}

static void send_some(producer *self)
{
    int64_t block = self->owner->frame_size * self->owner->options->window, wanted;
    while ((wanted = sendable(self)) > 0) {
        int64_t at = self->sent % block;
        int64_t len = wanted < block - at ? wanted : block - at;
        ssize_t sent = send(self->fd, self->frames + at, (size_t)len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            wait_for(self, true);
            return;
        }
        if (sent < 0) {
            load_die("cannot send: %s", strerror(errno));
        }
        self->sent += sent;
    }
    if (self->blocked) {
        wait_for(self, false);
    }
}

static void note_answer(producer *self, const uint8_t *frame, size_t size, double now)
{
    producing *owner = self->owner;
    load_result *result = &owner->result;
    size_t error_at = load_produce_error_at(owner->options);
    result->requests++;
    result->bytes += owner->batch_size;
    result->records += owner->options->records;
    load_note_latency(result,
                      now - self->begun_at[self->answered++ % owner->options->window]);
    if (size < error_at + 2 || wire_get_16(frame + error_at) != 0) {
        if (result->errors++ == 0) {
            load_die("the broker refuses a batch: error %d",
                     size < error_at + 2 ? -1 : wire_get_16(frame + error_at));
        }
    }
}

static void receive_some(producer *self)
{
    ssize_t got = recv(self->fd, self->answers + self->answers_len,
                       sizeof self->answers - self->answers_len, 0);
    if (got <= 0 && errno != EAGAIN) {
        load_die("the broker closed a connection");
    }
    self->answers_len += got > 0 ? (size_t)got : 0;
    double now = load_now();
    size_t at = 0;
    while (self->answers_len - at >= 4) {
        size_t size = 4 + (size_t)wire_get_32(self->answers + at);
        if (size > self->answers_len - at) {
            break;
        }
        note_answer(self, self->answers + at, size, now);
        at += size;
    }
    self->answers_len -= at;
    memmove(self->answers, self->answers + at, self->answers_len);
}

static void open_producers(producing *self)
{
    const load_options *options = self->options;
    size_t frame = 0, batch = 0, partitions = (size_t)options->partitions;
    const uint8_t **frames = memory_zero(partitions * sizeof *frames);
    for (size_t i = 0; i < partitions; i++) {
        frames[i] = load_produce_frames(options, (int32_t)i, (size_t)options->window,
                                        &frame, &batch);
    }
    self->frame_size = (int64_t)frame;
    self->batch_size = (int64_t)batch;
    self->left = options->megabytes * 1000000 / self->batch_size + 1;
    self->producers =
        memory_zero((size_t)options->connections * sizeof *self->producers);
    for (int64_t i = 0; i < options->connections; i++) {
        producer *one = &self->producers[i];
        one->owner = self;
        one->frames = frames[i % options->partitions];
        one->begun_at = memory_zero((size_t)options->window * sizeof(double));
        one->fd = load_connect(options->port, false);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
        epoll_ctl(self->epoll, EPOLL_CTL_ADD, one->fd, &event);
    }
}

static int64_t unanswered(const producing *self)
{
    int64_t count = 0;
    for (int64_t i = 0; i < self->options->connections; i++) {
        count += self->producers[i].begun - self->producers[i].answered;
    }
    return count;
}

void load_run_produce(const load_options *options)
{
    producing self = {.options = options, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    open_producers(&self);
    double cpu = load_cpu_seconds(options->pid), began = load_now();
    self.until = began + (double)options->seconds;
    for (int64_t i = 0; i < options->connections; i++) {
        send_some(&self.producers[i]);
    }
    while (unanswered(&self) > 0 || may_begin(&self)) {
        struct epoll_event events[64];
        int count = epoll_wait(self.epoll, events, 64, 1000);
        for (int i = 0; i < count; i++) {
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                receive_some(events[i].data.ptr);
            }
            send_some(events[i].data.ptr);
        }
    }
    self.result.seconds = load_now() - began;
    self.result.cpu_seconds = load_cpu_seconds(options->pid) - cpu;
    load_report(&self.result, "produce");
}
