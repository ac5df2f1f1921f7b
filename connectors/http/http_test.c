/* The HTTP sink against a scripted server: what arrives, what is sent again, and what
 * is not. */
#include "config.h"
#include "request.h"
#include "sink.h"
#include "test.h"
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sluice/test.h>
#include <sys/socket.h>
#include <unistd.h>

enum { requests_max = 64 };

/* A server that answers request i with answers[i], the last one again and again; ""
 * closes the connection without an answer, "hang" never answers. */
typedef struct server {
    int listener, port;
    const char *const *answers;
    int answer_count;
    pthread_t thread;
    int stop[2];
    char *requests[requests_max]; /* Whole texts, head and body. */
    int count;
    int connections;
} server;

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
static const char busy[] = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";
static const char wrong[] = "HTTP/1.1 422 No\r\nContent-Length: 3\r\n\r\nno!";

static size_t body_len(const char *text)
{
    const char *header = strstr(text, "Content-Length: ");
    size_t len = 0;
    for (const char *at = header == NULL ? "" : header + 16; *at >= '0' && *at <= '9';
         at++) {
        len = len * 10 + (size_t)(*at - '0');
    }
    return len;
}

/* Reads one request; NULL at the end of the connection. */
static char *read_request(server *self, int connection)
{
    char *text = calloc(1, 1 << 20);
    size_t len = 0;
    for (;;) {
        struct pollfd fds[2] = {{connection, POLLIN, 0}, {self->stop[0], POLLIN, 0}};
        poll(fds, 2, -1);
        ssize_t got =
            fds[1].revents ? 0 : read(connection, text + len, (1 << 20) - 1 - len);
        if (got <= 0) {
            free(text);
            return NULL;
        }
        len += (size_t)got;
        char *end = strstr(text, "\r\n\r\n");
        if (end != NULL && len >= (size_t)(end + 4 - text) + body_len(text)) {
            return text;
        }
    }
}

static void serve_connection(server *self, int connection)
{
    char *request;
    while ((request = read_request(self, connection)) != NULL) {
        int index =
            self->count < self->answer_count ? self->count : self->answer_count - 1;
        const char *answer = self->answers[index];
        self->requests[self->count % requests_max] = request;
        __atomic_add_fetch(&self->count, 1, __ATOMIC_SEQ_CST);
        if (*answer == '\0') {
            return;
        }
        if (strcmp(answer, "hang") != 0) {
            ssize_t written = write(connection, answer, strlen(answer));
            (void)written;
        }
    }
}

static void *serve(void *argument)
{
    server *self = argument;
    for (;;) {
        struct pollfd fds[2] = {{self->listener, POLLIN, 0},
                                {self->stop[0], POLLIN, 0}};
        poll(fds, 2, -1);
        if (fds[1].revents) {
            return NULL;
        }
        int connection = accept(self->listener, NULL, NULL);
        self->connections++;
        serve_connection(self, connection);
        close(connection);
    }
}

static void server_begin(server *self, const char *const *answers, int count)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    *self = (server){.answers = answers, .answer_count = count};
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(self->listener, (struct sockaddr *)&address, len) == 0);
    CHECK(listen(self->listener, 8) == 0);
    CHECK(getsockname(self->listener, (struct sockaddr *)&address, &len) == 0);
    self->port = ntohs(address.sin_port);
    CHECK(pipe(self->stop) == 0);
    CHECK(pthread_create(&self->thread, NULL, serve, self) == 0);
}

static void server_end(server *self)
{
    CHECK(write(self->stop[1], "x", 1) == 1);
    pthread_join(self->thread, NULL);
    close(self->listener);
    close(self->stop[0]);
    close(self->stop[1]);
}

static void server_free(server *self)
{
    for (int i = 0; i < self->count && i < requests_max; i++) {
        free(self->requests[i]);
    }
}

/* A sink that posts to a server, with its batch. */
typedef struct rig {
    server server;
    sluice_fake *fake;
    sluice_batch *batch;
    sluice_error *err;
    void *sink;
} rig;

static void rig_begin(rig *self, const char *const *answers, int count)
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

#define RIG_CREATE(self, ...)                                                          \
    do {                                                                               \
        void *config =                                                                 \
            sluice_fake_config((self)->fake, &http_config_table, __VA_ARGS__, NULL);   \
        CHECK_TEXT(sluice_fake_fault((self)->fake), "");                               \
        CHECK(http_sink_ops.create(config, sluice_fake_task((self)->fake),             \
                                   &(self)->sink, (self)->err) == SLUICE_OK);          \
    } while (0)

static sluice_status rig_put(rig *self)
{
    return http_sink_ops.put(self->sink, self->batch, self->err);
}

static const char *rig_body(rig *self, int index)
{
    return strstr(self->server.requests[index], "\r\n\r\n") + 4;
}

static void rig_end(rig *self)
{
    http_sink_ops.destroy(self->sink);
    server_end(&self->server);
    server_free(&self->server);
    sluice_batch_free(self->batch);
    sluice_fake_free(self->fake);
    sluice_error_free(self->err);
}

TEST(records_are_posted_one_by_one_on_one_connection)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "http.headers.content.type", "text/plain",
               "http.headers.additional", "X-One:1,X-Two: two",
               "http.authorization.type", "static", "http.headers.authorization",
               "Token abc");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "first");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "second");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 2);
    CHECK_INT(self.server.connections, 1);
    CHECK_TEXT(rig_body(&self, 0), "first");
    CHECK_TEXT(rig_body(&self, 1), "second");
    CHECK(strncmp(self.server.requests[0], "POST /in HTTP/1.1\r\n", 19) == 0);
    CHECK(strstr(self.server.requests[0], "Content-Type: text/plain\r\n") != NULL);
    CHECK(strstr(self.server.requests[0], "X-One: 1\r\n") != NULL);
    CHECK(strstr(self.server.requests[0], "X-Two: two\r\n") != NULL);
    CHECK(strstr(self.server.requests[0], "Authorization: Token abc\r\n") != NULL);
    rig_end(&self);
}

TEST(basic_and_bearer_authorization_are_sent)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "http.authorization.type", "basic", "http.basic.user", "Aladdin",
               "http.basic.password", "open sesame");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK(strstr(self.server.requests[0],
                 "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n") != NULL);
    CHECK(strstr(self.server.requests[0], "Content-Type") == NULL);
    rig_end(&self);
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "http.authorization.type", "bearer", "http.bearer.token", "t0k");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK(strstr(self.server.requests[0], "Authorization: Bearer t0k\r\n") != NULL);
    rig_end(&self);
}

TEST(a_batch_is_one_request_with_prefix_separator_and_suffix)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "batching.enabled", "true", "batch.max.size", "2", "batch.prefix",
               "[", "batch.separator", ",", "batch.suffix", "]");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "1");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "2");
    sluice_record *map = sluice_fake_consumed(self.batch, "t", 2, NULL, NULL);
    sluice_arena *arena = sluice_batch_arena(self.batch);
    sluice_value *value = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, value, "a", sluice_int64(arena, 3));
    sluice_record_set_value(map, NULL, value);
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 2);
    CHECK_TEXT(rig_body(&self, 0), "[1,2]");
    CHECK_TEXT(rig_body(&self, 1), "[{\"a\":3}]");
    rig_end(&self);
}

TEST(records_of_a_batch_stand_on_lines_unless_it_is_configured)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "batching.enabled", "true");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "1");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "2");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_TEXT(rig_body(&self, 0), "1\n2\n");
    rig_end(&self);
}

TEST(a_busy_or_silent_server_is_asked_again_and_nothing_is_lost_or_reordered)
{
    const char *answers[] = {busy, "", busy, ok, "HTTP/1.1 garbage\r\n\r\n", ok};
    rig self;
    rig_begin(&self, answers, 6);
    RIG_CREATE(&self, "max.retries", "5");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "first");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "second");
    CHECK(rig_put(&self) == SLUICE_OK);
    const char *bodies[] = {"first", "first", "first", "first", "second", "second"};
    CHECK_INT(self.server.count, 6);
    for (int i = 0; i < 6; i++) {
        CHECK_TEXT(rig_body(&self, i), bodies[i]);
    }
    rig_end(&self);
}

TEST(when_no_retries_remain_the_task_fails_with_the_answer)
{
    const char *answers[] = {busy};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "max.retries", "2");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) == SLUICE_FATAL);
    CHECK_INT(self.server.count, 3);
    const char *text = sluice_error_text(self.err);
    CHECK(strstr(text, "Sending failed and no retries remain, stopping") != NULL);
    CHECK(strstr(text, "answered with status 503: 'busy'; max.retries is 2") != NULL);
    rig_end(&self);
}

TEST(with_kafka_retry_backoff_the_rest_of_the_batch_is_sent_later_and_nothing_twice)
{
    const char *answers[] = {ok, busy, busy, ok};
    rig self;
    rig_begin(&self, answers, 4);
    RIG_CREATE(&self, "max.retries", "1", "kafka.retry.backoff.ms", "10");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "first");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "second");
    CHECK(rig_put(&self) == SLUICE_RETRY);
    CHECK(rig_put(&self) == SLUICE_OK);
    const char *bodies[] = {"first", "second", "second", "second"};
    CHECK_INT(self.server.count, 4);
    for (int i = 0; i < 4; i++) {
        CHECK_TEXT(rig_body(&self, i), bodies[i]);
    }
    rig_end(&self);
}

TEST(a_refused_record_is_a_dead_letter_and_the_next_goes_on)
{
    const char *answers[] = {wrong, ok};
    rig self;
    rig_begin(&self, answers, 2);
    RIG_CREATE(&self, "max.retries", "3");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "bad");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "good");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 2);
    CHECK_INT(sluice_fake_dead_letters(self.fake), 1);
    CHECK(strstr(sluice_fake_dead_letter(self.fake, 0), "status 422: 'no!'") != NULL);
    rig_end(&self);
}

TEST(a_refused_record_fails_the_task_where_nothing_is_tolerated)
{
    const char *answers[] = {wrong};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "max.retries", "3");
    sluice_fake_tolerate(self.fake, false);
    sluice_fake_consumed(self.batch, "t", 0, NULL, "bad");
    CHECK(rig_put(&self) != SLUICE_OK);
    CHECK_INT(self.server.count, 1);
    rig_end(&self);
}

TEST(tombstones_are_bad_records_unless_they_are_ignored)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "max.retries", "0");
    sluice_fake_consumed(self.batch, "t", 0, NULL, NULL);
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(sluice_fake_dead_letters(self.fake), 1);
    rig_end(&self);
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "behavior.on.null.values", "ignore");
    sluice_fake_consumed(self.batch, "t", 0, NULL, NULL);
    sluice_fake_consumed(self.batch, "t", 1, NULL, "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(sluice_fake_dead_letters(self.fake), 0);
    CHECK_INT(self.server.count, 1);
    rig_end(&self);
}

static void *stop_soon(void *argument)
{
    rig *self = argument;
    while (__atomic_load_n(&self->server.count, __ATOMIC_SEQ_CST) == 0) {
        poll(NULL, 0, 1);
    }
    sluice_fake_stop(self->fake);
    return NULL;
}

TEST(a_task_that_is_stopped_does_not_wait_for_a_server_that_hangs)
{
    const char *answers[] = {"hang"};
    rig self;
    pthread_t stopper;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "http.timeout", "3600");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(pthread_create(&stopper, NULL, stop_soon, &self) == 0);
    CHECK(rig_put(&self) == SLUICE_RETRY);
    pthread_join(stopper, NULL);
    rig_end(&self);
}

TEST(nobody_listening_is_said_with_the_url)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "http.url", "http://127.0.0.1:1/x", "max.retries", "0");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) == SLUICE_FATAL);
    CHECK(strstr(sluice_error_text(self.err), "no answer from 'http://127.0.0.1:1/x': "
                                              "Failed to connect") != NULL);
    rig_end(&self);
}

static const char *fault(const char *key, const char *value)
{
    static char text[512];
    sluice_fake *fake = sluice_fake_new();
    sluice_fake_config(fake, &http_config_table, "http.url", "http://x/", key, value,
                       NULL);
    snprintf(text, sizeof text, "%s", sluice_fake_fault(fake));
    sluice_fake_free(fake);
    return text;
}

TEST(mistakes_in_the_configuration_are_named)
{
    CHECK_TEXT(fault("http.url", "ftp://x"),
               "http.url is 'ftp://x': must begin with http:// or https://");
    CHECK_TEXT(
        fault("http.headers.additional", "novalue"),
        "http.headers.additional has 'novalue': must be Name:value, in one line");
    CHECK_TEXT(fault("http.headers.additional", "A:1,a:2"),
               "http.headers.additional has 'a' twice: once is allowed");
    CHECK_TEXT(
        fault("http.authorization.type", "static"),
        "http.headers.authorization is needed by http.authorization.type=static, "
        "and not set");
    CHECK_TEXT(fault("http.proxy.host", "proxy"),
               "http.proxy.host and http.proxy.port belong together: set both or none");
    CHECK(strstr(fault("http.ssl.ca.location", "/nowhere"), "cannot be read") != NULL);
}

TEST(retry_after_is_seconds_or_a_date)
{
    CHECK_INT(http_retry_after_ms("5", 0), 5000);
    CHECK_INT(http_retry_after_ms(" 99999999999999 ", 0), 60000);
    CHECK_INT(http_retry_after_ms("Thu, 01 Jan 1970 00:00:30 GMT", 10), 20000);
    CHECK_INT(http_retry_after_ms("Thu, 01 Jan 1970 00:00:30 GMT", 100), 0);
    CHECK_INT(http_retry_after_ms("soon", 0), -1);
}

TEST_MAIN
