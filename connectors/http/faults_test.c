/* The HTTP sink against every failure of a server and of its connection: nothing is
 * lost, order is kept, and what has arrived is not sent again. */
#include "played_server.h"
#include "reply.h"

/* A first answer, and how often the first record is sent because of it. */
static const struct {
    const char *what, *answer;
    int requests;
} faults[] = {
    {"closed before the answer", "@close:", 2},
    {"reset before the answer", "@reset:", 2},
    {"reset within the head", "@reset:HTTP/1.1 200 OK\r\nContent-Le", 2},
    {"closed within the head", "@close:HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", 2},
    {"reset after the head", "@reset:HTTP/1.1 200 OK\r\n\r\n", 1},
    {"closed within the body",
     "@close:HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 1},
    {"reset within the body", "@reset:HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
     1},
    {"a busy answer within its body",
     "@close:HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nhalf", 2},
    {"a byte at a time", "@slow:HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1},
    {"a head without an end", "@endless:HTTP/1.1 200 OK\r\n|X-Endless: yes\r\n", 2},
    {"a header line without an end", "@endless:HTTP/1.1 200 OK\r\nX: |yyyyyyyyy", 2},
    {"a status line without an end", "@endless:HTTP/1.1 |yyyyyyyyy", 2},
    {"a body without an end", "@endless:HTTP/1.1 200 OK\r\n\r\n|yyyyyyyyyyyyyyyyy", 1},
    {"chunks without an end",
     "@endless:HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n|3\r\nabc\r\n", 1},
    {"a length that is too short", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabcdef",
     1},
    {"a length that is too long", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 1},
    {"a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 1},
    {"two lengths",
     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 1},
    {"an enormous length",
     "@close:HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 1},
    {"interim answers",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     1},
    {"only an interim answer", "@close:HTTP/1.1 100 Continue\r\n\r\n", 2},
    {"interim answers without an end", "@endless:|HTTP/1.1 102 Processing\r\n\r\n", 2},
    {"another protocol", "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", 2},
    {"a body behind a 204", "HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nabc", 1},
    {"an answer too many",
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
     "0\r\n\r\n",
     1},
    {"a kept connection that is closed",
     "@close:HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1},
    {"a kept connection that is reset",
     "@reset:HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1},
    {"chunks",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n"
     "0\r\nTrailer: x\r\n\r\n",
     1},
    {"a chunk without a size",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 1},
    {"HTTP/1.0", "@close:HTTP/1.0 200 OK\r\n\r\nfine", 1},
    {"line breaks left over", "\r\n\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1},
    {"line breaks without an end", "@endless:|\r\n\r\n\r\n", 2},
    {"line breaks left behind", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\r\n", 1},
    {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 1},
    {"garbage", "garbage\r\n\r\n", 2},
    {"another version", "HTTP/2 200 OK\r\n\r\n", 2},
    {"a status that is none", "HTTP/1.1 2000 OK\r\n\r\n", 2},
    {"a header without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", 2},
    {"bytes that are no text", "\x16\x03\x01\x02\x01\xff\xfe", 2},
};

/* Two records: the first arrives in spite of the fault, then the second, once. */
static void play(rig *self, const char *what, int first)
{
    sluice_fake_consumed(self->batch, "t", 0, "k", "first");
    sluice_fake_consumed(self->batch, "t", 1, "k", "second");
    sluice_status status = rig_put(self);
    if (status != SLUICE_OK || self->server.count != first + 1) {
        printf("# %s: %s, %d requests\n", what, sluice_error_text(self->err),
               self->server.count);
    }
    CHECK(status == SLUICE_OK);
    CHECK_INT(self->server.count, first + 1);
    for (int i = 0; i <= first; i++) {
        CHECK_TEXT(rig_body(self, i), i < first ? "first" : "second");
    }
    CHECK_INT(sluice_fake_dead_letters(self->fake), 0);
}

TEST(no_fault_of_an_answer_loses_reorders_or_repeats_a_record)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const char *answers[] = {faults[i].answer, ok};
        rig self;
        rig_begin(&self, answers, 2);
        RIG_CREATE(&self, "http.timeout", "120", "max.retries", "3");
        play(&self, faults[i].what, faults[i].requests);
        rig_end(&self);
    }
}

TEST(the_same_faults_on_a_kept_connection)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const char *answers[] = {ok, faults[i].answer, ok};
        rig self;
        rig_begin(&self, answers, 3);
        RIG_CREATE(&self, "http.timeout", "120", "max.retries", "3");
        sluice_fake_consumed(self.batch, "t", 0, "k", "zeroth");
        CHECK(rig_put(&self) == SLUICE_OK);
        sluice_batch_reset(self.batch);
        sluice_fake_consumed(self.batch, "t", 1, "k", "first");
        sluice_fake_consumed(self.batch, "t", 2, "k", "second");
        CHECK(rig_put(&self) == SLUICE_OK);
        CHECK_INT(self.server.count, faults[i].requests + 2);
        CHECK_TEXT(rig_body(&self, faults[i].requests), "first");
        CHECK_TEXT(rig_body(&self, faults[i].requests + 1), "second");
        rig_end(&self);
    }
}

TEST(a_server_that_never_answers_is_asked_again_after_the_timeout)
{
    const char *answers[] = {"@hang", ok};
    rig self;
    rig_begin(&self, answers, 2);
    RIG_CREATE(&self, "http.timeout", "1", "max.retries", "1000");
    sluice_fake_consumed(self.batch, "t", 0, "k", "first");
    sluice_fake_consumed(self.batch, "t", 1, "k", "second");
    CHECK(rig_put(&self) == SLUICE_OK);
    int first = 0, count = self.server.count;
    while (first < count && strcmp(rig_body(&self, first), "first") == 0) {
        first++;
    }
    CHECK(first >= 2 && first < count);
    for (int i = first; i < count; i++) {
        CHECK_TEXT(rig_body(&self, i), "second");
    }
    rig_end(&self);
}

TEST(a_busy_answer_before_the_request_is_whole_is_an_answer)
{
    static char text[900001];
    const char *answers[] = {
        "@early:HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ok};
    rig self;
    rig_begin(&self, answers, 2);
    RIG_CREATE(&self, "max.retries", "3");
    memset(text, 'a', sizeof text - 1);
    sluice_fake_consumed(self.batch, "t", 0, "k", text);
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 2);
    CHECK_TEXT(rig_body(&self, 1), text);
    rig_end(&self);
}

TEST(a_success_before_the_request_is_whole_counts_once_it_is)
{
    enum { len = 8 << 20 };
    char *text = calloc(1, len + 1);
    const char *answers[] = {"@ahead:HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ok};
    rig self;
    rig_begin(&self, answers, 2);
    RIG_CREATE(&self, "max.retries", "0", "http.timeout", "60");
    memset(text, 'a', len);
    sluice_fake_consumed(self.batch, "t", 0, "k", text);
    sluice_fake_consumed(self.batch, "t", 1, "k", "next");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 2);
    CHECK_INT(self.server.connections, 1);
    CHECK_TEXT(rig_body(&self, 1), "next");
    rig_end(&self);
    free(text);
}

TEST(a_redirect_is_not_followed_and_no_success)
{
    const char *answers[] = {
        "HTTP/1.1 301 Moved\r\nLocation: http://y/\r\nContent-Length: 0\r\n\r\n"};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "max.retries", "3");
    sluice_fake_consumed(self.batch, "t", 0, "k", "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 1);
    CHECK_INT(sluice_fake_dead_letters(self.fake), 1);
    CHECK(strstr(sluice_fake_dead_letter(self.fake, 0),
                 "status 301, a redirect to 'http://y/', which is not followed") !=
          NULL);
    rig_end(&self);
}

TEST(a_server_that_speaks_no_TLS_and_a_name_that_nobody_has_are_said)
{
    const char *answers[] = {"@close:no TLS here\r\n\r\n"};
    static const char *const urls[] = {
        NULL,
        "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaa.invalid/"};
    for (int i = 0; i < 2; i++) {
        rig self;
        rig_begin(&self, answers, 1);
        if (urls[i] != NULL) {
            sluice_props_set(sluice_fake_props(self.fake), "http.url", urls[i]);
        } else {
            rig_url(&self, "https", "/");
        }
        RIG_CREATE(&self, "max.retries", "1", "http.timeout", "2");
        sluice_fake_consumed(self.batch, "t", 0, "k", "x");
        CHECK(rig_put(&self) == SLUICE_FATAL);
        CHECK(strstr(sluice_error_text(self.err), "no answer from 'http") != NULL);
        CHECK_INT(sluice_fake_dead_letters(self.fake), 0);
        rig_end(&self);
    }
}

enum { keys = 7, records = 150 };

/* Of each key every number from 0 on is taken once, in its order, and nothing comes
 * behind its success. */
static void check_order(server *self)
{
    int next[keys] = {0};
    for (int i = 0; i < self->count; i++) {
        const char *body = strstr(self->requests[i], "\r\n\r\n") + 4;
        int key = body[0] - 'a', number = 0;
        for (const char *at = body + 1; *at != '\0'; at++) {
            number = number * 10 + (*at - '0');
        }
        CHECK(key >= 0 && key < keys);
        CHECK_INT(number, next[key]);
        next[key] += self->taken[i];
    }
    int sum = 0;
    for (int i = 0; i < keys; i++) {
        sum += next[i];
    }
    CHECK_INT(sum, records);
}

TEST(with_many_requests_in_flight_and_many_faults_each_key_keeps_its_order)
{
    const char *answers[] = {ok,
                             busy,
                             ok,
                             "@close:",
                             "@close:HTTP/1.1 200 OK\r\n\r\n",
                             "@reset:",
                             ok,
                             "@slow:HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                             "garbage\r\n\r\n",
                             "@reset:HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                             busy};
    int counts[keys] = {0};
    rig self;
    rig_begin(&self, answers, sizeof answers / sizeof *answers);
    self.server.turns = true;
    RIG_CREATE(&self, "max.in.flight.requests", "4", "max.retries", "2",
               "kafka.retry.backoff.ms", "0", "retry.backoff.max.ms", "4");
    for (int i = 0; i < records; i++) {
        int key = (i * 5 + i / 3) % keys;
        char name[2] = {(char)('a' + key), '\0'}, value[16];
        snprintf(value, sizeof value, "%s%d", name, counts[key]++);
        sluice_fake_consumed(self.batch, "t", i, name, value);
    }
    sluice_status status = SLUICE_RETRY;
    for (int i = 0; i < 1000 && status == SLUICE_RETRY; i++) {
        status = rig_put(&self);
    }
    CHECK(status == SLUICE_OK);
    check_order(&self.server);
    rig_end(&self);
}

static void put_one(rig *self, int64_t offset, const char *key)
{
    sluice_batch_reset(self->batch);
    sluice_fake_consumed(self->batch, "t", offset, key, key);
    CHECK(rig_put(self) == SLUICE_OK);
    CHECK_INT(self->server.count, offset + 1);
    CHECK_TEXT(rig_body(self, (int)offset), key);
}

/* While libcurl makes a connection it closes others that are at their end, once a
 * second; their descriptors are given to the new ones. That second has to pass. */
TEST(connections_that_were_closed_meanwhile_are_not_taken_for_new_ones)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    const char *answers[] = {ok}, *opened[4];
    int count = 0, offset = 0;
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "max.in.flight.requests", "4", "http.timeout", "20",
               "max.retries", "0");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        put_one(&self, offset++, names[i]);
        if (self.server.connections > count) {
            opened[count++] = names[i];
        }
    }
    CHECK(count > 1);
    poll(NULL, 0, 1100);
    server_hang_up(&self.server);
    for (int i = count - 1; i >= 0; i--) {
        put_one(&self, offset++, opened[i]);
        CHECK_INT(self.server.connections, 2 * count - i);
    }
    rig_end(&self);
}

TEST(an_answer_reads_the_same_however_it_is_cut)
{
    static const char text[] =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After:  7 \r\n"
        "Transfer-Encoding: gzip, chunked\r\n\r\n4\r\nab\nc\r\n1;x\r\nd\r\n0\r\n\r\n";
    static http_reply reply;
    for (size_t cut = 1; cut < sizeof text; cut++) {
        http_reply_begin(&reply);
        for (size_t at = 0; at < sizeof text - 1; at += cut) {
            size_t left = sizeof text - 1 - at;
            CHECK(reply.part < HTTP_REPLY_DONE);
            http_reply_feed(&reply, text + at, left < cut ? left : cut);
        }
        CHECK_INT(reply.part, HTTP_REPLY_DONE);
        CHECK_INT(reply.status, 503);
        CHECK_TEXT(reply.retry_after, "7");
        CHECK_TEXT(reply.excerpt, "ab cd");
        CHECK(reply.keep);
    }
}

TEST_MAIN
