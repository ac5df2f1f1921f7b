/* One client's socket: frames are cut and handled where they were received; answers are
 * gathered into as few system calls as possible. */
#include "broker/net/connection.h"
#include "base/memory.h"
#include "broker/net/held.h"
#include "protocol/wire.h"
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    pieces_max = 64,
    /* Measured on loopback, CPU seconds per GB of 1 MB answers: 0.38 in pieces of 64
     * KiB, 0.26 of 256 KiB, 0.18 of 1 MiB and of 4 MiB: each piece wakes the reader. */
    file_piece_bytes_max = 1024 * 1024,
    turn_bytes_max = 4 * 1024 * 1024, /* Sent to one connection, until others go on. */
    receives_max = 8,                 /* Of one connection, until others have a turn. */
    spare_in_bytes_max = 4 * 1024 * 1024,
    unsent_bytes_max = 1 << 20, /* Of answers, until further requests are handled. */
    in_room_least = 64 * 1024,  /* Unless the frame is smaller. */
    in_growth = 4,              /* Room is made for what comes, not for what is said. */
};

/* ---- Life ------------------------------------------------------------------------ */

static void list_remove(connection *self)
{
    net_thread *home = self->home;
    *(self->previous != NULL ? &self->previous->next : &home->idlest) = self->next;
    *(self->next != NULL ? &self->next->previous : &home->newest) = self->previous;
    self->previous = self->next = NULL;
}

static void list_append(connection *self)
{
    net_thread *home = self->home;
    self->previous = home->newest;
    self->next = NULL;
    *(home->newest != NULL ? &home->newest->next : &home->idlest) = self;
    home->newest = self;
}

static void note_activity(connection *self)
{
    self->active_ms = loop_now_ms();
    if (self->home->newest != self) {
        list_remove(self);
        list_append(self);
    }
}

static void in_drop(connection *self)
{
    net_thread *home = self->home;
    if (self->in_room <= spare_in_bytes_max && self->in_room > home->spare_in_room) {
        free(home->spare_in);
        home->spare_in = self->in;
        home->spare_in_room = self->in_room;
    } else {
        free(self->in);
    }
    self->in = NULL;
    self->in_len = self->in_room = 0;
}

static void bury(loop_task *task)
{
    connection *self = (connection *)((char *)task - offsetof(connection, burial));
    in_drop(self);
    free(self);
}

void connection_close(connection *self)
{
    if (self->dead) {
        return;
    }
    self->dead = true;
    loop_watch_remove(self->home->loop, &self->watch);
    close(self->watch.fd);
    list_remove(self);
    if (!self->working) { /* Otherwise a frame in it may be being handled. */
        in_drop(self);
    }
    held_nothing(self);
    atomic_fetch_sub(self->home->connection_count, 1);
    request *one = self->first;
    self->first = NULL;
    while (one != NULL) {
        request *next = one->next;
        one->connection = NULL;
        one->next = NULL;
        if (one->answered) {
            request_give_back(one);
        } else if (one->cancel != NULL) {
            one->cancel(one);
        }
        one = next;
    }
    self->burial.run = bury;
    loop_defer(self->home->loop, &self->burial);
}

/* Returns whether the client is on this machine, by the loopback. */
static bool name_host(connection *self)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    getpeername(self->watch.fd, (struct sockaddr *)&address, &size);
    char text[INET6_ADDRSTRLEN] = "";
    bool loopback = false;
    if (address.ss_family == AF_INET) {
        inet_ntop(AF_INET, &((struct sockaddr_in *)&address)->sin_addr, text,
                  sizeof text);
        loopback = strncmp(text, "127.", 4) == 0;
    } else if (address.ss_family == AF_INET6) {
        const struct in6_addr *in6 = &((struct sockaddr_in6 *)&address)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(in6);
        inet_ntop(mapped ? AF_INET : AF_INET6,
                  mapped ? &in6->s6_addr[12] : in6->s6_addr, text, sizeof text);
        loopback = mapped ? in6->s6_addr[12] == 127 : IN6_IS_ADDR_LOOPBACK(in6);
    }
    self->host[0] = '/';
    memcpy(self->host + 1, text, sizeof text);
    return loopback;
}

/* TCP_NODELAY, always. And no pacing on the loopback, which nothing can congest: where
 * the system's choice is bbr, its timers take two thirds of the CPU of a fetch
 * (measured: 0.11 CPU seconds per GB with reno, 0.30 with bbr). */
static void tune_socket(int fd, bool loopback)
{
    static const char unpaced[] = "reno"; /* Every kernel has it, for everybody. */
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (loopback) {
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, unpaced, sizeof unpaced - 1);
    }
}

static void on_ready(loop_watch *watch, uint32_t events);

void connection_new(net_thread *home, int fd, size_t listener)
{
    connection *self = memory_zero(sizeof *self);
    self->home = home;
    self->watch.fd = fd;
    self->watch.ready = on_ready;
    self->listener = listener;
    self->last = &self->first;
    tune_socket(fd, name_host(self));
    if (!loop_watch_set(home->loop, &self->watch, EPOLLIN)) {
        close(fd);
        free(self);
        atomic_fetch_sub(home->connection_count, 1);
        return;
    }
    self->active_ms = loop_now_ms();
    list_append(self);
    if (home->options->idle_ms_max > 0 && home->idle_timer.place == 0) {
        loop_timer_set(home->loop, &home->idle_timer,
                       self->active_ms + home->options->idle_ms_max);
    }
}

/* ---- Out ------------------------------------------------------------------------- */

typedef struct gathering {
    struct iovec pieces[pieces_max];
    int count;
    size_t skip;               /* Bytes sent before. */
    const message_slice *file; /* What comes next is not in memory. */
    size_t file_skip;
} gathering;

/* Adds a run of bytes; false when there is no more room. */
static bool gather(gathering *self, const void *base, size_t len)
{
    if (self->skip >= len) {
        self->skip -= len;
        return true;
    }
    if (self->count == pieces_max) {
        return false;
    }
    self->pieces[self->count++] =
        (struct iovec){(char *)base + self->skip, len - self->skip};
    self->skip = 0;
    return true;
}

static bool gather_slice(gathering *self, const message_slice *slice)
{
    if (slice->base != NULL) {
        return gather(self, slice->base, slice->len);
    }
    if (self->skip >= slice->len) {
        self->skip -= slice->len;
        return true;
    }
    self->file = slice;
    self->file_skip = self->skip;
    return false;
}

static size_t part_begin(const output *out, size_t part)
{
    return part == 0 ? 0 : out->parts[part - 1].at;
}

static bool gather_answer(gathering *self, const output *out, size_t first_part)
{
    size_t from = part_begin(out, first_part);
    for (size_t i = first_part; i < out->part_count; i++) {
        const output_part *part = &out->parts[i];
        if (!gather(self, out->bytes.base + from, part->at - from) ||
            !gather_slice(self, &part->slice)) {
            return false;
        }
        from = part->at;
    }
    return gather(self, out->bytes.base + from, out->bytes.len - from);
}

/* What is sent is not walked over again: an answer may have very many parts. */
static void pass_parts(connection *self)
{
    const output *out = &self->first->out;
    while (self->sent_parts < out->part_count) {
        const output_part *part = &out->parts[self->sent_parts];
        size_t end = self->sent_parts_end + part->at -
                     part_begin(out, self->sent_parts) + part->slice.len;
        if (end > self->sent) {
            return;
        }
        self->sent_parts++;
        self->sent_parts_end = end;
    }
}

/* Pops the requests whose answers are sent. */
static void count_sent(connection *self, size_t bytes)
{
    counter_add(&self->home->counters.sent_bytes, (int64_t)bytes);
    self->sent += bytes;
    self->unsent -= bytes;
    while (self->first != NULL && self->first->answered) {
        request *one = self->first;
        size_t size = output_size(&one->out);
        if (self->sent < size) {
            pass_parts(self);
            return;
        }
        self->sent -= size;
        self->sent_parts = self->sent_parts_end = 0;
        self->first = one->next;
        if (self->first == NULL) {
            self->last = &self->first;
        }
        self->request_count--;
        request_give_back(one);
    }
}

static ssize_t send_file(connection *self, const gathering *what)
{
    off_t position = what->file->position + (off_t)what->file_skip;
    size_t left = what->file->len - what->file_skip;
    ssize_t sent = sendfile(self->watch.fd, what->file->fd, &position,
                            left < file_piece_bytes_max ? left : file_piece_bytes_max);
    if (sent == 0) { /* The file is shorter than the log believes. */
        errno = EIO;
        return -1;
    }
    return sent;
}

/* Sends what is answered, and returns how many bytes; below 0 when nothing more can be
 * sent now. */
static ssize_t send_some(connection *self)
{
    gathering what;
    what.count = 0;
    what.file = NULL;
    what.skip = self->sent - self->sent_parts_end;
    size_t first_part = self->sent_parts;
    for (request *one = self->first; one != NULL && one->answered; one = one->next) {
        if (!gather_answer(&what, &one->out, first_part)) {
            break;
        }
        first_part = 0;
    }
    ssize_t sent = 0;
    if (what.count > 0) {
        struct msghdr message = {.msg_iov = what.pieces,
                                 .msg_iovlen = (size_t)what.count};
        int more = what.file != NULL ? MSG_MORE : 0;
        sent = sendmsg(self->watch.fd, &message, MSG_NOSIGNAL | more);
    } else if (what.file != NULL) {
        sent = send_file(self, &what);
    }
    if (sent >= 0) {
        count_sent(self, (size_t)sent);
        return sent;
    }
    if (errno == EINTR) {
        return 0;
    }
    self->blocked = errno == EAGAIN;
    if (!self->blocked) {
        connection_close(self);
    }
    return -1;
}

static void flush(connection *self)
{
    ssize_t turn = 0;
    while (self->first != NULL && self->first->answered && !self->blocked) {
        ssize_t sent = send_some(self);
        if (sent < 0) {
            return;
        }
        turn += sent;
        bool more = self->first != NULL && self->first->answered;
        self->blocked = more && turn >= turn_bytes_max; /* epoll says when to go on. */
    }
}

/* ---- In -------------------------------------------------------------------------- */

static bool may_take(const connection *self, const uint8_t *frame, size_t size)
{
    if (self->blocked || self->request_count >= requests_max ||
        self->unsent > unsent_bytes_max) {
        return false;
    }
    if (self->unanswered == 0) {
        return true;
    }
    bool (*overlaps)(int16_t) = self->home->options->overlaps;
    return self->unanswered_overlap && size >= 2 &&
           overlaps((int16_t)wire_get_16(frame));
}

static void keep_frame(request *one, const uint8_t *frame, size_t size)
{
    if (one->frame == NULL || one->frame_room < size) {
        free(one->frame);
        one->frame_room = size > 0 ? size : 1;
        one->frame = memory_take(one->frame_room);
    }
    memcpy(one->frame, frame, size);
}

static void handle_frame(connection *self, uint8_t *frame, size_t size)
{
    net_thread *home = self->home;
    request *one = request_take(home);
    self->unanswered_overlap =
        size >= 2 && home->options->overlaps((int16_t)wire_get_16(frame));
    if (!self->unanswered_overlap) {
        keep_frame(one, frame, size);
        frame = one->frame;
    }
    one->connection = self;
    one->listener = self->listener;
    one->host = self->host;
    one->began_us = counters_now_us();
    one->header.api_key = -1;
    *self->last = one;
    self->last = &one->next;
    self->request_count++;
    self->unanswered++;
    if (request_header_decode(frame, size, &one->header, home->err) == SLUICE_OK) {
        request_counters *counted = counters_of(&home->counters, one->header.api_key);
        if (counted != NULL) {
            counter_add(&counted->begun, 1);
        }
        one->body = frame + one->header.size;
        one->body_size = size - one->header.size;
        home->options->handle(one);
    } else {
        request_refuse(one, sluice_error_text(home->err));
    }
}

/* The size of the frame at `base`, its own four bytes included; 0: not known yet. */
static size_t frame_size(connection *self, const uint8_t *base, size_t len)
{
    if (len < frame_size_bytes) {
        return 0;
    }
    uint32_t size = wire_get_32(base);
    if (size > self->home->options->request_bytes_max) {
        sluice_log(SLUICE_WARN, "broker.net",
                   "a request of %u bytes from '%s' is above socket.request.max.bytes "
                   "(%zu); closing the connection",
                   size, self->host + 1, self->home->options->request_bytes_max);
        connection_close(self);
        return 0;
    }
    return (size_t)size + frame_size_bytes;
}

/* Handles whole frames and returns how many bytes they were. */
static size_t handle_frames(connection *self, uint8_t *base, size_t len)
{
    size_t at = 0;
    while (!self->dead) {
        size_t size = frame_size(self, base + at, len - at);
        if (self->dead || size == 0 || size > len - at) {
            break;
        }
        if (!may_take(self, base + at + frame_size_bytes, size - frame_size_bytes)) {
            flush(self);
            if (self->dead || !may_take(self, base + at + frame_size_bytes,
                                        size - frame_size_bytes)) {
                self->no_input = true;
                break;
            }
        }
        handle_frame(self, base + at + frame_size_bytes, size - frame_size_bytes);
        at += size;
    }
    return at;
}

static bool take_spare(connection *self, size_t size)
{
    net_thread *home = self->home;
    if (self->in != NULL || home->spare_in_room < size) {
        return false;
    }
    self->in = home->spare_in;
    self->in_room = home->spare_in_room;
    home->spare_in = NULL;
    home->spare_in_room = 0;
    return true;
}

/* Makes room in `in`, of which `len` bytes are known, for more of a frame of `size`
 * bytes. */
static bool in_grow(connection *self, size_t len, size_t size)
{
    if (self->in_room > len || self->in_room >= size || take_spare(self, size)) {
        return true;
    }
    size_t room = in_growth * len > in_room_least ? in_growth * len : in_room_least;
    room = room < size ? room : size;
    uint8_t *grown = realloc(self->in, room);
    if (grown == NULL) {
        sluice_log(SLUICE_ERROR, "broker.net",
                   "no memory for a request of %zu bytes from '%s'; closing the "
                   "connection",
                   size, self->host + 1);
        connection_close(self);
        return false;
    }
    self->in = grown;
    self->in_room = room;
    return true;
}

/* Keeps bytes that were received and not handled. */
static void in_keep(connection *self, const uint8_t *base, size_t len)
{
    size_t size = frame_size(self, base, len);
    if (self->dead || !in_grow(self, len, size > len ? size : len)) {
        return;
    }
    memcpy(self->in, base, len);
    self->in_len = len;
}

/* Handles what is in `in`. */
static void in_handle(connection *self)
{
    size_t used = handle_frames(self, self->in, self->in_len);
    if (self->dead) {
        return;
    }
    if (used == self->in_len) {
        in_drop(self);
    } else {
        self->in_len -= used;
        memmove(self->in, self->in + used, self->in_len);
    }
}

static ssize_t receive_into_in(connection *self, size_t *ret_wanted)
{
    size_t size = frame_size(self, self->in, self->in_len);
    size = size > frame_size_bytes ? size : frame_size_bytes;
    if (self->dead || !in_grow(self, self->in_len, size)) {
        return -2;
    }
    *ret_wanted = (size < self->in_room ? size : self->in_room) - self->in_len;
    ssize_t got = recv(self->watch.fd, self->in + self->in_len, *ret_wanted, 0);
    if (got > 0) {
        self->in_len += (size_t)got;
        in_handle(self);
    }
    return got;
}

static ssize_t receive_into_scratch(connection *self, size_t *ret_wanted)
{
    uint8_t *scratch = loop_scratch(self->home->loop, ret_wanted);
    ssize_t got = recv(self->watch.fd, scratch, *ret_wanted, 0);
    if (got > 0) {
        size_t used = handle_frames(self, scratch, (size_t)got);
        if (!self->dead && used < (size_t)got) {
            in_keep(self, scratch + used, (size_t)got - used);
        }
    }
    return got;
}

static void receive(connection *self)
{
    for (int i = 0; i < receives_max && !self->dead && !self->no_input; i++) {
        size_t wanted = 0;
        net_counters *counters = &self->home->counters;
        ssize_t got = self->in != NULL ? receive_into_in(self, &wanted)
                                       : receive_into_scratch(self, &wanted);
        counter_add(&counters->received_bytes, got > 0 ? got : 0);
        if (got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR)) {
            connection_close(self);
            return;
        }
        if (got < 0 || (size_t)got < wanted) {
            return;
        }
    }
}

/* ---- Both ------------------------------------------------------------------------ */

static void wait_for(connection *self)
{
    uint32_t events = (self->no_input ? 0u : EPOLLIN) | (self->blocked ? EPOLLOUT : 0u);
    /* Input that comes while a request is parked is rare: taking EPOLLIN away costs a
     * system call, so it waits until there is some (on_ready). */
    if (self->no_input && !self->blocked && (self->watch.events & EPOLLIN) != 0) {
        return;
    }
    if (!loop_watch_set(self->home->loop, &self->watch, events)) {
        connection_close(self);
    }
}

static void connection_work(connection *self)
{
    if (self->working || self->dead) {
        return;
    }
    self->working = true;
    flush(self);
    while (!self->dead && self->no_input && !self->blocked) {
        size_t len = self->in_len;
        self->no_input = false;
        in_handle(self);
        if (!self->dead) {
            flush(self);
        }
        if (self->in_len == len) {
            break;
        }
    }
    self->working = false;
    if (!self->dead) {
        wait_for(self);
    }
    if (!self->dead) {
        held_update(self);
    }
}

static void take_turn(loop_task *task)
{
    connection *self = (connection *)((char *)task - offsetof(connection, turn));
    self->turn_due = false;
    connection_work(self);
}

void connection_answered(connection *self)
{
    if (self->working || self->dead || self->turn_due) {
        return;
    }
    if (!self->unanswered_overlap) {
        connection_work(self);
        return;
    }
    self->turn_due = true;
    self->turn.run = take_turn;
    loop_defer(self->home->loop, &self->turn);
}

static void on_ready(loop_watch *watch, uint32_t events)
{
    connection *self = (connection *)watch;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0 ||
        (self->no_input && (events & EPOLLRDHUP) != 0)) {
        connection_close(self);
        return;
    }
    note_activity(self);
    if ((events & EPOLLOUT) != 0) {
        self->blocked = false;
    }
    if ((events & EPOLLIN) != 0 && self->no_input) {
        loop_watch_set(self->home->loop, watch, self->blocked ? EPOLLOUT : 0);
    } else if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) {
        self->working = true;
        receive(self);
        self->working = false;
    }
    connection_work(self);
}
