/* bench/load/floor.c - a server that does with a Produce request what no broker can
 * leave out: it receives the bytes, computes the CRC of the batch once, writes them
 * into a file, and answers. With sync=1 it answers after fdatasync(), one for all that
 * came in together. No offsets, no checks, no decoding; one thread.
 *
 * Prints its port, then serves until its standard input ends. */
#include "base/crc32c.h"
#include "base/memory.h"
#include "load.h"
#include "protocol/header.h"
#include "protocol/messages.h"
#include "protocol/wire.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { room_first = 1048576, file_bytes_max = 1 << 30, clients_max = 1024 };

typedef struct floor_client {
    int fd;
    uint8_t *in;
    size_t len, room;
    int64_t answers; /* That are due. */
} floor_client;

typedef struct floor_server {
    const load_options *options;
    int epoll, listener, file;
    int64_t written;
    uint32_t crc;
    output answer;
    floor_client *dirty[clients_max]; /* Whose answers wait for the end of the round. */
    size_t dirty_count;
} floor_server;

static void make_answer(floor_server *self)
{
    produce_response_partition one = produce_response_partition_defaults;
    produce_response_topic its = produce_response_topic_defaults;
    produce_response answer;
    produce_response_init(&answer);
    its.name = message_text_of(self->options->topic);
    its.partition_responses.items = &one;
    its.partition_responses.count = 1;
    answer.responses.items = &its;
    answer.responses.count = 1;
    output_init(&self->answer);
    response_encode(message_api_find(0), load_produce_version, 1, &answer,
                    &self->answer, NULL);
}

static void begin_file(floor_server *self)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/floor", self->options->folder);
    unlink(path);
    if (self->file >= 0) {
        close(self->file);
    }
    self->file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    self->written = 0;
    if (self->file < 0) {
        load_die("cannot write '%s': %s", path, strerror(errno));
    }
}

static void write_frame(floor_server *self, const uint8_t *frame, size_t size)
{
    size_t head = 50 < size ? 50 : 0;
    self->crc ^= crc32c(0, frame + head, size - head);
    if (self->written + (int64_t)size > file_bytes_max) {
        begin_file(self);
    }
    if (pwrite(self->file, frame, size, self->written) != (ssize_t)size) {
        load_die("cannot write: %s", strerror(errno));
    }
    self->written += (int64_t)size;
}

static void drop(floor_server *self, floor_client *client)
{
    close(client->fd);
    free(client->in);
    free(client);
}

/* Returns whether the client is still there. */
static bool receive_some(floor_server *self, floor_client *client)
{
    ssize_t got =
        recv(client->fd, client->in + client->len, client->room - client->len, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        return false;
    }
    client->len += got > 0 ? (size_t)got : 0;
    size_t at = 0, size = 0;
    while (client->len - at >= 4) {
        size = 4 + (size_t)wire_get_32(client->in + at);
        if (size > client->len - at) {
            break;
        }
        write_frame(self, client->in + at, size);
        client->answers++;
        at += size;
    }
    client->len -= at;
    memmove(client->in, client->in + at, client->len);
    if (client->room < size) {
        client->room = size;
        client->in = memory_resize(client->in, size);
    }
    return true;
}

static void answer(floor_server *self, floor_client *client)
{
    for (; client->answers > 0; client->answers--) {
        send(client->fd, self->answer.bytes.base, self->answer.bytes.len,
             MSG_NOSIGNAL | (client->answers > 1 ? MSG_MORE : 0));
    }
}

static void accept_one(floor_server *self)
{
    int one = 1;
    floor_client *client = memory_zero(sizeof *client);
    client->fd = accept4(self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    client->room = room_first;
    client->in = memory_take(client->room);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(self->epoll, EPOLL_CTL_ADD, client->fd, &event);
}

static void end_round(floor_server *self)
{
    if (self->options->sync != 0 && self->dirty_count > 0 &&
        fdatasync(self->file) != 0) {
        load_die("cannot bring the file to disk: %s", strerror(errno));
    }
    for (size_t i = 0; i < self->dirty_count; i++) {
        answer(self, self->dirty[i]);
    }
    self->dirty_count = 0;
}

static void listen_here(floor_server *self)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(self->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(self->listener, clients_max) != 0) {
        load_die("cannot listen: %s", strerror(errno));
    }
    getsockname(self->listener, (struct sockaddr *)&address, &len);
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    static int input = STDIN_FILENO;
    int *const watched[] = {&self->listener, &input};
    for (size_t i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = watched[i]};
        epoll_ctl(self->epoll, EPOLL_CTL_ADD, *watched[i], &event);
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

static void serve(floor_server *self, floor_client *client)
{
    if (!receive_some(self, client)) {
        drop(self, client);
    } else if (client->answers > 0) {
        self->dirty[self->dirty_count++] = client;
    }
}

void load_run_floor(const load_options *options)
{
    floor_server self = {.options = options, .file = -1};
    if (options->folder == NULL) {
        load_die("floor wants folder=DIR");
    }
    make_answer(&self);
    begin_file(&self);
    listen_here(&self);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(self.epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == &self.listener) {
                accept_one(&self);
            } else if (*(int *)events[i].data.ptr == STDIN_FILENO) {
                return;
            } else {
                serve(&self, events[i].data.ptr);
            }
        }
        end_round(&self);
    }
}
