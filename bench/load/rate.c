/* bench/load/rate.c - latency at a fixed rate, open loop.
 *
 * Request i is due at start + i / rate, and sent then whatever became of those before
 * it. Its latency runs from when it was due, not from when it was sent: a broker that
 * stops for a while is charged for all that had to wait. A consumer with a long poll
 * reads the same partition, and a record's way ends when its batch has arrived there:
 * that is the latency printed as `consumed`; the one of the producer's answer as
 * `answered`. */
#include "base/memory.h"
#include "load.h"
#include "protocol/wire.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { produce_answers_bytes_max = 65536 };

typedef struct rate_run {
    const load_options *options;
    load_result answered, consumed;
    int epoll, producer, consumer;
    uint8_t *frame, *fetch;
    size_t frame_size, fetch_size, batch_size;
    int64_t count, due, sent; /* Requests: of all, begun, and bytes of them sent. */
    int64_t answers, base_offset, next_offset;
    double began;
    uint8_t *in, *fetched;
    size_t in_len, fetched_len, fetched_room;
} rate_run;

static double due_at(const rate_run *self, int64_t request)
{
    return self->began + (double)request / (double)self->options->rate;
}

static void send_due(rate_run *self)
{
    while (self->due < self->count && due_at(self, self->due) <= load_now()) {
        self->due++;
    }
    int64_t size = (int64_t)self->frame_size;
    while (self->sent < self->due * size) {
        int64_t at = self->sent % size;
        ssize_t sent =
            send(self->producer, self->frame + at, (size_t)(size - at), MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            return; /* Tried again when the next is due or an answer comes. */
        }
        if (sent < 0) {
            load_die("cannot send: %s", strerror(errno));
        }
        self->sent += sent;
    }
}

static void receive_answers(rate_run *self)
{
    ssize_t got = recv(self->producer, self->in + self->in_len,
                       produce_answers_bytes_max - self->in_len, 0);
    if (got <= 0 && errno != EAGAIN) {
        load_die("the broker closed a connection");
    }
    self->in_len += got > 0 ? (size_t)got : 0;
    double now = load_now();
    size_t at = 0, error_at = load_produce_error_at(self->options);
    while (self->in_len - at >= 4) {
        size_t size = 4 + (size_t)wire_get_32(self->in + at);
        if (size > self->in_len - at) {
            break;
        }
        if (size < error_at + 2 || wire_get_16(self->in + at + error_at) != 0) {
            load_die("the broker refuses a batch");
        }
        load_note_latency(&self->answered, now - due_at(self, self->answers++));
        at += size;
    }
    self->in_len -= at;
    memmove(self->in, self->in + at, self->in_len);
}

static void ask(rate_run *self)
{
    load_fetch_patch(self->fetch, self->fetch_size, self->next_offset);
    self->fetched_len = 0;
    if (send(self->consumer, self->fetch, self->fetch_size, MSG_NOSIGNAL) !=
        (ssize_t)self->fetch_size) {
        load_die("cannot send: %s", strerror(errno));
    }
}

static void note_fetched(rate_run *self)
{
    double now = load_now();
    size_t records_at = load_fetch_records_at(self->options);
    if (self->fetched_len < records_at + 4 ||
        wire_get_16(self->fetched + load_fetch_error_at(self->options)) != 0) {
        load_die("the broker refuses a fetch");
    }
    const uint8_t *at = self->fetched + records_at + 4;
    const uint8_t *end = self->fetched + self->fetched_len;
    while (end - at >= 61 && end - at >= (int64_t)wire_get_32(at + 8) + 12) {
        int64_t offset = (int64_t)wire_get_64(at);
        int64_t request = (offset - self->base_offset) / self->options->records;
        load_note_latency(&self->consumed, now - due_at(self, request));
        self->next_offset = offset + (int32_t)wire_get_32(at + 23) + 1;
        at += (int64_t)wire_get_32(at + 8) + 12;
    }
}

static void receive_fetched(rate_run *self)
{
    ssize_t got = recv(self->consumer, self->fetched + self->fetched_len,
                       self->fetched_room - self->fetched_len, 0);
    if (got <= 0 && errno != EAGAIN) {
        load_die("the broker closed a connection");
    }
    self->fetched_len += got > 0 ? (size_t)got : 0;
    if (self->fetched_len >= 4 &&
        self->fetched_len == 4 + (size_t)wire_get_32(self->fetched)) {
        note_fetched(self);
        ask(self);
    }
}

/* Sleeps until the next request is due or something arrives. */
static void turn(rate_run *self)
{
    double left = self->due < self->count ? due_at(self, self->due) - load_now() : 0.1;
    struct timespec timeout = {.tv_nsec = left < 0 ? 0 : (long)(left * 1e9)};
    if (timeout.tv_nsec > 999999999) {
        timeout.tv_nsec = 999999999;
    }
    struct epoll_event events[2];
    int count = epoll_pwait2(self->epoll, events, 2, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        events[i].data.fd == self->producer ? receive_answers(self)
                                            : receive_fetched(self);
    }
    send_due(self);
}

static int watched(rate_run *self)
{
    int fd = load_connect(self->options->port, false);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event);
    return fd;
}

static void open_run(rate_run *self)
{
    const load_options *options = self->options;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->producer = watched(self);
    self->consumer = watched(self);
    self->frame =
        load_produce_frames(options, 0, 1, &self->frame_size, &self->batch_size);
    self->fetch = load_fetch_frame(options, 0, &self->fetch_size);
    self->in = memory_take(produce_answers_bytes_max);
    self->fetched_room = (size_t)options->fetch_bytes + 2097152;
    self->fetched = memory_take(self->fetched_room);
    self->count = options->rate * options->seconds;
    self->base_offset = self->next_offset = load_find_offset(options, 0, false);
    prctl(PR_SET_TIMERSLACK, 1);
}

void load_run_rate(const load_options *options)
{
    rate_run self = {.options = options};
    open_run(&self);
    double cpu = load_cpu_seconds(options->pid);
    ask(&self);
    self.began = load_now() + 0.01;
    double until = self.began + (double)options->seconds + 30;
    while (self.answers < self.count ||
           (int64_t)self.consumed.latency_count < self.count) {
        turn(&self);
        if (load_now() > until) {
            load_die("records are missing 30 s after the last was due: %" PRId64
                     " answers and %zu records of %" PRId64,
                     self.answers, self.consumed.latency_count, self.count);
        }
    }
    load_result *results[] = {&self.answered, &self.consumed};
    double seconds = load_now() - self.began;
    double taken = load_cpu_seconds(options->pid) - cpu;
    for (size_t i = 0; i < 2; i++) {
        results[i]->requests = self.count;
        results[i]->records = self.count * options->records;
        results[i]->bytes = self.count * (int64_t)self.batch_size;
        results[i]->seconds = seconds;
        results[i]->cpu_seconds = taken;
        load_report(results[i], i == 0 ? "answered" : "consumed");
    }
}
