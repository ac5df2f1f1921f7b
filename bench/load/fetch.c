/* bench/load/fetch.c - reads the log around and around; and consumers that wait. */
#include "base/memory.h"
#include "load.h"
#include "protocol/wire.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct fetching fetching;

typedef struct fetcher {
    fetching *owner;
    int fd;
    uint8_t *frame;
    size_t frame_size;
    int64_t first, end, next; /* Offsets: of the partition, and to ask for. */
    double asked_at;
    bool asked;
    uint8_t *answer;
    size_t answer_len;
} fetcher;

struct fetching {
    const load_options *options;
    load_result result;
    int epoll;
    size_t answer_room;
    fetcher *fetchers;
    double until;
};

static void ask(fetcher *self)
{
    if (self->next >= self->end) {
        self->next = self->first;
    }
    load_fetch_patch(self->frame, self->frame_size, self->next);
    self->asked = true;
    self->asked_at = load_now();
    self->answer_len = 0;
    if (send(self->fd, self->frame, self->frame_size, MSG_NOSIGNAL) !=
        (ssize_t)self->frame_size) {
        load_die("cannot send: %s", strerror(errno));
    }
}

/* Finds the next offset behind the whole batches of the answer. */
static void walk(fetcher *self, const uint8_t *at, const uint8_t *end)
{
    load_result *result = &self->owner->result;
    while (end - at >= 61) {
        int64_t size = (int64_t)wire_get_32(at + 8) + 12;
        if (size > end - at) {
            break;
        }
        self->next = (int64_t)wire_get_64(at) + (int32_t)wire_get_32(at + 23) + 1;
        result->records += (int32_t)wire_get_32(at + 57);
        at += size;
    }
}

static void note_answer(fetcher *self)
{
    load_result *result = &self->owner->result;
    size_t error_at = load_fetch_error_at(self->owner->options);
    size_t records_at = load_fetch_records_at(self->owner->options);
    if (self->answer_len < records_at + 4 ||
        wire_get_16(self->answer + error_at) != 0) {
        load_die("the broker refuses a fetch: error %d",
                 self->answer_len < records_at + 4
                     ? -1
                     : wire_get_16(self->answer + error_at));
    }
    int64_t before = self->next;
    walk(self, self->answer + records_at + 4, self->answer + self->answer_len);
    if (self->next == before && self->owner->options->wait_ms == 0) {
        load_die("a fetch brought no whole batch: fetch_bytes is too small");
    }
    result->requests++;
    result->bytes += (int32_t)wire_get_32(self->answer + records_at);
    load_note_latency(result, load_now() - self->asked_at);
    self->asked = false;
}

static void receive_some(fetcher *self)
{
    ssize_t got = recv(self->fd, self->answer + self->answer_len,
                       self->owner->answer_room - self->answer_len, 0);
    if (got <= 0 && errno != EAGAIN) {
        load_die("the broker closed a connection");
    }
    self->answer_len += got > 0 ? (size_t)got : 0;
    if (self->answer_len >= 4 &&
        self->answer_len == 4 + (size_t)wire_get_32(self->answer)) {
        note_answer(self);
    }
}

static void open_fetchers(fetching *self)
{
    const load_options *options = self->options;
    self->answer_room = (size_t)options->fetch_bytes + 2097152;
    self->fetchers = memory_zero((size_t)options->connections * sizeof *self->fetchers);
    uint8_t *shared = memory_take(self->answer_room); /* For those that only wait. */
    for (int64_t i = 0; i < options->connections; i++) {
        fetcher *one = &self->fetchers[i];
        int32_t partition = (int32_t)(i % options->partitions);
        one->owner = self;
        one->frame = load_fetch_frame(options, partition, &one->frame_size);
        bool own = options->connections <= 64;
        one->answer = own ? memory_take(self->answer_room) : shared;
        if (i < options->partitions) {
            one->first = load_find_offset(options, partition, true);
            one->end = load_find_offset(options, partition, false);
        } else {
            one->first = self->fetchers[partition].first;
            one->end = self->fetchers[partition].end;
        }
        one->next = one->first;
        one->fd = load_connect(options->port, false);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
        epoll_ctl(self->epoll, EPOLL_CTL_ADD, one->fd, &event);
    }
}

static bool go_on(const fetching *self)
{
    return load_now() < self->until &&
           self->result.bytes < self->options->megabytes * 1000000;
}

static bool any_asked(const fetching *self)
{
    bool any = false;
    for (int64_t i = 0; i < self->options->connections; i++) {
        any = any || self->fetchers[i].asked;
    }
    return any;
}

void load_run_fetch(const load_options *options)
{
    fetching self = {.options = options, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    open_fetchers(&self);
    double cpu = load_cpu_seconds(options->pid), began = load_now();
    self.until = began + (double)options->seconds;
    for (int64_t i = 0; i < options->connections; i++) {
        ask(&self.fetchers[i]);
    }
    while (any_asked(&self)) {
        struct epoll_event events[64];
        int count = epoll_wait(self.epoll, events, 64, 1000);
        for (int i = 0; i < count; i++) {
            fetcher *one = events[i].data.ptr;
            receive_some(one);
            if (!one->asked && go_on(&self)) {
                ask(one);
            }
        }
    }
    self.result.seconds = load_now() - began;
    self.result.cpu_seconds = load_cpu_seconds(options->pid) - cpu;
    load_report(&self.result, "fetch");
}

/* Consumers at the end of the log; whoever is answered asks again, as clients do. */
void load_run_park(const load_options *options)
{
    fetching self = {.options = options, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    open_fetchers(&self);
    for (int64_t i = 0; i < options->connections; i++) {
        self.fetchers[i].next = self.fetchers[i].end;
        self.fetchers[i].end++; /* Stay there. */
        ask(&self.fetchers[i]);
    }
    double cpu = load_cpu_seconds(options->pid), began = load_now();
    self.until = began + (double)options->seconds;
    while (load_now() < self.until) {
        struct epoll_event events[64];
        int count = epoll_wait(self.epoll, events, 64, 100);
        for (int i = 0; i < count; i++) {
            fetcher *one = events[i].data.ptr;
            receive_some(one);
            if (!one->asked) {
                ask(one);
            }
        }
    }
    self.result.seconds = load_now() - began;
    self.result.cpu_seconds = load_cpu_seconds(options->pid) - cpu;
    load_report(&self.result, "park");
}
