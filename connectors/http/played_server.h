/* connectors/http/played_server.h - for tests: an HTTP server that follows a script,
 * and a sink that sends to it.
 *
 * Request i is answered with answers[i], the last one again and again (or all in turn,
 * with `turns`). An answer is text that is written as it is, or begins with
 *     @close:TEXT      writes TEXT, then closes the connection
 *     @reset:TEXT      writes TEXT, then resets it
 *     @slow:TEXT       writes TEXT byte by byte
 *     @early:TEXT      writes TEXT before it has read the body, then closes
 *     @ahead:TEXT      writes TEXT before it has read the body, which it reads later
 *     @endless:TEXT    writes TEXT again and again until the other side has enough
 *     @together:TEXT   writes TEXT once as many requests have come as there are answers
 *     @ended:TEXT      writes TEXT once two other connections have ended, closes
 *     @tokens:TEXT     writes TEXT once two tokens were asked for
 *     @hang            never answers
 * Or `decide` gives the answer to each request.
 *
 * A thread per connection; `lock` guards what they write down. */
#ifndef HTTP_PLAYED_SERVER_H
#define HTTP_PLAYED_SERVER_H

#include "config.h"
#include "sink.h"
#include "test.h"
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sluice/test.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    requests_max = 4096,
    connections_max = 2048,
    request_max = 1 << 20,
    patience_ms = 60000
};

typedef struct server {
    int listener, port;
    const char *const *answers;
    int answer_count;
    bool turns;
    pthread_t thread, threads[connections_max];
    int stop[2];
    pthread_mutex_t lock;
    char *requests[requests_max]; /* Whole texts, head and body. */
    bool taken[requests_max];     /* Was answered with status 200. */
    int count, connections, ended;
    const char *(*decide)(struct server *self, const char *request); /* NULL: none. */
    int tokens;                                                      /* For `decide`. */
    int fds[connections_max]; /* Of the connections; -1: closed. */
} server;

typedef struct server_connection {
    server *server;
    int fd, index;
} server_connection;

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
static const char busy[] = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";
static const char wrong[] = "HTTP/1.1 422 No\r\nContent-Length: 3\r\n\r\nno!";

static inline size_t body_len(const char *text)
{
    const char *header = strstr(text, "Content-Length: ");
    size_t len = 0;
    for (const char *at = header == NULL ? "" : header + 16; *at >= '0' && *at <= '9';
         at++) {
        len = len * 10 + (size_t)(*at - '0');
    }
    return len;
}

static inline int server_count(server *self)
{
    return __atomic_load_n(&self->count, __ATOMIC_SEQ_CST);
}

/* The answer to a request, which is written down; it is taken over. */
static inline const char *server_note(server *self, char *request)
{
    pthread_mutex_lock(&self->lock);
    int number = self->count;
    int index = self->turns                   ? number % self->answer_count
                : number < self->answer_count ? number
                                              : self->answer_count - 1;
    const char *answer =
        self->decide == NULL ? self->answers[index] : self->decide(self, request);
    if (number < requests_max) {
        self->requests[number] = request;
        self->taken[number] = strstr(answer, "HTTP/1.1 200 OK\r\n\r\n") != NULL ||
                              strstr(answer, "HTTP/1.1 200 OK\r\nContent-Length: 0"
                                             "\r\n\r\n") != NULL;
        __atomic_add_fetch(&self->count, 1, __ATOMIC_SEQ_CST);
    } else {
        free(request);
    }
    pthread_mutex_unlock(&self->lock);
    return answer;
}

static inline bool is_early(const char *answer)
{
    return strncmp(answer, "@early:", 7) == 0 || strncmp(answer, "@ahead:", 7) == 0;
}

/* Reads one request; NULL at the end of the connection. With an early answer, only its
 * head. */
static inline char *read_request(server *self, int connection)
{
    char *text = calloc(1, request_max);
    size_t len = 0;
    for (;;) {
        struct pollfd fds[2] = {{connection, POLLIN, 0}, {self->stop[0], POLLIN, 0}};
        poll(fds, 2, -1);
        ssize_t got =
            fds[1].revents ? 0 : read(connection, text + len, request_max - 1 - len);
        if (got <= 0) {
            free(text);
            return NULL;
        }
        len += (size_t)got;
        char *end = strstr(text, "\r\n\r\n");
        int next = server_count(self);
        bool early = next < self->answer_count && is_early(self->answers[next]);
        if (end != NULL &&
            (early || len >= (size_t)(end + 4 - text) + body_len(text))) {
            char *whole = realloc(text, len + 1);
            return whole == NULL ? text : whole;
        }
    }
}

static inline bool server_write(int fd, const char *text, size_t len)
{
    return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static inline void server_reset(int fd)
{
    struct linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static inline const char *behind(const char *answer, const char *word)
{
    size_t len = strlen(word);
    return strncmp(answer, word, len) == 0 ? answer + len : NULL;
}

static inline void server_await(const int *number, int least)
{
    for (int i = 0;
         i < patience_ms && __atomic_load_n(number, __ATOMIC_SEQ_CST) < least; i++) {
        poll(NULL, 0, 1);
    }
}

/* False: the connection ends here. */
static inline bool server_answer(server *self, int fd, const char *answer)
{
    const char *text;
    if ((text = behind(answer, "@close:")) || (text = behind(answer, "@early:"))) {
        server_write(fd, text, strlen(text));
        return false;
    }
    if ((text = behind(answer, "@ahead:"))) {
        return server_write(fd, text, strlen(text));
    }
    if ((text = behind(answer, "@reset:"))) {
        server_write(fd, text, strlen(text));
        server_reset(fd);
        return false;
    }
    if ((text = behind(answer, "@slow:"))) {
        for (; *text != '\0' && server_write(fd, text, 1); text++) {
            poll(NULL, 0, 1);
        }
        return true;
    }
    if ((text = behind(answer, "@endless:"))) {
        const char *line = strstr(text, "|");
        server_write(fd, text, (size_t)(line - text));
        while (server_write(fd, line + 1, strlen(line + 1))) {
        }
        return false;
    }
    if ((text = behind(answer, "@ended:"))) {
        server_await(&self->ended, 2);
        server_write(fd, text, strlen(text));
        return false;
    }
    if ((text = behind(answer, "@tokens:"))) {
        server_await(&self->tokens, 2);
        return server_write(fd, text, strlen(text));
    }
    if ((text = behind(answer, "@together:"))) {
        server_await(&self->count, self->answer_count);
        return server_write(fd, text, strlen(text));
    }
    return strcmp(answer, "@hang") == 0 || server_write(fd, answer, strlen(answer));
}

/* After more than the time in which the rest of an answer is awaited. */
static inline bool read_rest(int fd, size_t missing)
{
    char bytes[4096];
    poll(NULL, 0, missing > 0 ? 1200 : 0);
    while (missing > 0) {
        ssize_t got = read(fd, bytes, missing < sizeof bytes ? missing : sizeof bytes);
        if (got <= 0) {
            return false;
        }
        missing -= (size_t)got;
    }
    return true;
}

static inline void *serve_connection(void *argument)
{
    server_connection *self = argument;
    char *request;
    while ((request = read_request(self->server, self->fd)) != NULL) {
        size_t missing = body_len(request) - strlen(strstr(request, "\r\n\r\n") + 4);
        const char *answer = server_note(self->server, request);
        if (!server_answer(self->server, self->fd, answer) ||
            !read_rest(self->fd, missing)) {
            break;
        }
    }
    pthread_mutex_lock(&self->server->lock);
    self->server->fds[self->index] = -1;
    __atomic_add_fetch(&self->server->ended, 1, __ATOMIC_SEQ_CST);
    close(self->fd);
    pthread_mutex_unlock(&self->server->lock);
    free(self);
    return NULL;
}

/* Closes all connections. */
static inline void server_hang_up(server *self)
{
    pthread_mutex_lock(&self->lock);
    for (int i = 0; i < self->connections; i++) {
        if (self->fds[i] >= 0) {
            shutdown(self->fds[i], SHUT_RDWR);
        }
    }
    pthread_mutex_unlock(&self->lock);
}

static inline void *serve(void *argument)
{
    server *self = argument;
    for (;;) {
        struct pollfd fds[2] = {{self->listener, POLLIN, 0},
                                {self->stop[0], POLLIN, 0}};
        poll(fds, 2, -1);
        if (fds[1].revents) {
            return NULL;
        }
        server_connection *one = malloc(sizeof *one);
        int index = self->connections;
        *one = (server_connection){self, accept(self->listener, NULL, NULL), index};
        if (one->fd < 0 || index == connections_max) {
            close(one->fd);
            free(one);
            return NULL;
        }
        self->fds[index] = one->fd;
        /* Counted before it can answer: a test looks once it has. */
        __atomic_store_n(&self->connections, index + 1, __ATOMIC_SEQ_CST);
        if (pthread_create(&self->threads[index], NULL, serve_connection, one) != 0) {
            abort();
        }
    }
}

static inline void server_begin(server *self, const char *const *answers, int count)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    *self = (server){.answers = answers, .answer_count = count};
    pthread_mutex_init(&self->lock, NULL);
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(self->listener, (struct sockaddr *)&address, len) == 0);
    CHECK(listen(self->listener, 128) == 0);
    CHECK(getsockname(self->listener, (struct sockaddr *)&address, &len) == 0);
    self->port = ntohs(address.sin_port);
    CHECK(pipe(self->stop) == 0);
    CHECK(pthread_create(&self->thread, NULL, serve, self) == 0);
}

static inline void server_end(server *self)
{
    CHECK(write(self->stop[1], "x", 1) == 1);
    pthread_join(self->thread, NULL);
    for (int i = 0; i < self->connections; i++) {
        pthread_join(self->threads[i], NULL);
    }
    close(self->listener);
    close(self->stop[0]);
    close(self->stop[1]);
    pthread_mutex_destroy(&self->lock);
    for (int i = 0; i < self->count; i++) {
        free(self->requests[i]);
    }
}

/* A sink that sends to a server, with its batch. */
typedef struct rig {
    server server;
    sluice_fake *fake;
    sluice_batch *batch;
    sluice_error *err;
    void *sink;
} rig;

static inline void rig_begin(rig *self, const char *const *answers, int count)
{
    char url[64];
    server_begin(&self->server, answers, count);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/in", self->server.port);
    self->fake = sluice_fake_new();
    self->batch = sluice_batch_new();
    self->err = sluice_error_new();
    sluice_props_set(sluice_fake_props(self->fake), "http.url", url);
    sluice_props_set(sluice_fake_props(self->fake), "retry.backoff.ms", "1");
}

/* http.url with another scheme and path. */
static inline void rig_url(rig *self, const char *scheme, const char *path)
{
    char url[256];
    snprintf(url, sizeof url, "%s://127.0.0.1:%d%s", scheme, self->server.port, path);
    sluice_props_set(sluice_fake_props(self->fake), "http.url", url);
}

#define RIG_CREATE(self, ...)                                                          \
    do {                                                                               \
        void *config =                                                                 \
            sluice_fake_config((self)->fake, &http_config_table, __VA_ARGS__, NULL);   \
        CHECK_TEXT(sluice_fake_fault((self)->fake), "");                               \
        CHECK(http_sink_ops.create(config, sluice_fake_task((self)->fake),             \
                                   &(self)->sink, (self)->err) == SLUICE_OK);          \
    } while (0)

static inline sluice_status rig_put(rig *self)
{
    return http_sink_ops.put(self->sink, self->batch, self->err);
}

static inline const char *rig_body(rig *self, int index)
{
    return strstr(self->server.requests[index], "\r\n\r\n") + 4;
}

/* Whether request `index` begins with, or has, a text. */
static inline bool rig_line(rig *self, int index, const char *line)
{
    return strncmp(self->server.requests[index], line, strlen(line)) == 0;
}

static inline bool rig_has(rig *self, int index, const char *text)
{
    return strstr(self->server.requests[index], text) != NULL;
}

static inline void rig_end(rig *self)
{
    http_sink_ops.destroy(self->sink);
    server_end(&self->server);
    sluice_batch_free(self->batch);
    sluice_fake_free(self->fake);
    sluice_error_free(self->err);
}

#endif
