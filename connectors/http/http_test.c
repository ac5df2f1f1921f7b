/* The HTTP sink against a scripted server: what arrives, what is sent again, and what
 * is not. */
#include "played_server.h"
#include <zlib.h>

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
    const char *answers[] = {busy, "@close:", busy, ok, "HTTP/1.1 garbage\r\n\r\n", ok};
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
    sluice_fake_tolerate(self.fake, false);
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) != SLUICE_OK);
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

TEST(what_arrived_before_a_failure_is_committed_before_the_task_fails)
{
    const char *answers[] = {ok, wrong};
    rig self;
    rig_begin(&self, answers, 2);
    RIG_CREATE(&self, "max.retries", "3");
    sluice_fake_tolerate(self.fake, false);
    sluice_fake_consumed(self.batch, "t", 10, NULL, "good");
    sluice_fake_consumed(self.batch, "t", 11, NULL, "bad");
    sluice_fake_consumed(self.batch, "t", 12, NULL, "good");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(sluice_fake_commits_asked(self.fake), 1);
    CHECK_INT(sluice_offsets_find_topic(sluice_fake_rewinds(self.fake), "t", 0), 11);
    sluice_offsets *safe = sluice_offsets_new();
    sluice_offsets_set_topic(safe, "t", 0, 13);
    CHECK(http_sink_ops.flush(self.sink, safe, self.err) == SLUICE_OK);
    CHECK_INT(sluice_offsets_find_topic(safe, "t", 0), 11);
    sluice_offsets_free(safe);
    CHECK(rig_put(&self) != SLUICE_OK);
    CHECK(strstr(sluice_error_text(self.err), "status 422") != NULL);
    CHECK_INT(self.server.count, 2);
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

TEST(what_no_retry_mended_is_a_dead_letter_where_that_is_tolerated)
{
    const char *answers[] = {busy, busy, ok};
    rig self;
    rig_begin(&self, answers, 3);
    RIG_CREATE(&self, "max.retries", "1");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "y");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(sluice_fake_dead_letters(self.fake), 1);
    CHECK(strstr(sluice_fake_dead_letter(self.fake, 0),
                 "status 503: 'busy'; max.retries is 1") != NULL);
    CHECK_TEXT(rig_body(&self, 2), "y");
    rig_end(&self);
}

TEST(each_record_of_a_refused_batch_is_reported)
{
    const char *answers[] = {wrong, ok};
    rig self;
    rig_begin(&self, answers, 2);
    RIG_CREATE(&self, "batching.enabled", "true", "batch.max.size", "2");
    for (int i = 0; i < 3; i++) {
        sluice_fake_consumed(self.batch, "t", i, NULL, "x");
    }
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 2);
    CHECK_INT(sluice_fake_dead_letters(self.fake), 2);
    CHECK(strstr(sluice_fake_dead_letter(self.fake, 1), "status 422: 'no!'") != NULL);
    rig_end(&self);
}

TEST(the_record_chooses_method_path_and_headers)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    rig_url(&self, "http", "/${topic}/${key}?p=${partition}&o=${offset}");
    RIG_CREATE(&self, "request.method", "${header.method}", "http.headers.additional",
               "X-Key: <${key}>");
    sluice_arena *arena = sluice_batch_arena(self.batch);
    sluice_record *one = sluice_fake_consumed(self.batch, "t", 7, "a b/\xc3\xa9", "x");
    sluice_headers_add(sluice_record_headers(one), "method", NULL,
                       sluice_text(arena, "PUT"));
    sluice_record *bad = sluice_fake_consumed(self.batch, "t", 8, "..", "y");
    sluice_headers_add(sluice_record_headers(bad), "method", NULL,
                       sluice_text(arena, "PUT"));
    sluice_fake_consumed(self.batch, "t", 9, "k", "no header");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 1);
    CHECK(rig_line(&self, 0, "PUT /t/a%20b%2F%C3%A9?p=0&o=7 HTTP/1.1\r\n"));
    CHECK(rig_has(&self, 0, "X-Key: <a b/\xc3\xa9>\r\n"));
    CHECK_INT(sluice_fake_dead_letters(self.fake), 2);
    CHECK(strstr(sluice_fake_dead_letter(self.fake, 0), "would lead elsewhere") !=
          NULL);
    CHECK(strstr(sluice_fake_dead_letter(self.fake, 1),
                 "request.method needs ${header.method}") != NULL);
    rig_end(&self);
}

TEST(fields_of_key_and_value_stand_in_the_url)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    rig_url(&self, "http", "/${key.id}/${value.after.n}");
    RIG_CREATE(&self, "request.method", "PATCH");
    sluice_arena *arena = sluice_batch_arena(self.batch);
    sluice_record *record = sluice_fake_consumed(self.batch, "t", 0, NULL, NULL);
    sluice_value *key = sluice_map_new(arena, 1), *value = sluice_map_new(arena, 1),
                 *after = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, key, "id", sluice_int64(arena, -5));
    sluice_map_add_text(arena, after, "n", sluice_float64(arena, 1.5));
    sluice_map_add_text(arena, value, "after", after);
    sluice_record_set_key(record, NULL, key);
    sluice_record_set_value(record, NULL, value);
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK(rig_line(&self, 0, "PATCH /-5/1.5 HTTP/1.1\r\n"));
    CHECK_TEXT(rig_body(&self, 0), "{\"after\":{\"n\":1.5}}");
    rig_end(&self);
}

TEST(a_tombstone_deletes_what_its_key_names)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    rig_url(&self, "http", "/things/${key}");
    RIG_CREATE(&self, "request.method", "PUT", "behavior.on.null.values", "delete",
               "batching.enabled", "true", "batch.suffix", "");
    sluice_fake_consumed(self.batch, "t", 0, "1", "x");
    sluice_fake_consumed(self.batch, "t", 1, "1", "y");
    sluice_fake_consumed(self.batch, "t", 2, "1", NULL);
    sluice_fake_consumed(self.batch, "t", 3, "2", "z");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 3);
    CHECK(rig_line(&self, 0, "PUT /things/1 HTTP/1.1\r\n"));
    CHECK_TEXT(rig_body(&self, 0), "x\ny");
    CHECK(rig_line(&self, 1, "DELETE /things/1 HTTP/1.1\r\n"));
    CHECK_TEXT(rig_body(&self, 1), "");
    CHECK(!rig_has(&self, 1, "Content-Length"));
    CHECK(rig_line(&self, 2, "PUT /things/2 HTTP/1.1\r\n"));
    rig_end(&self);
}

TEST(a_proxy_is_asked_for_the_whole_URL)
{
    char port[16];
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    snprintf(port, sizeof port, "%d", self.server.port);
    RIG_CREATE(&self, "http.url", "http://me@shop.invalid:81/in?a=b", "http.proxy.host",
               "127.0.0.1", "http.proxy.port", port);
    sluice_fake_consumed(self.batch, "t", 0, "k", "x");
    sluice_fake_consumed(self.batch, "t", 1, "k", "y");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 2);
    CHECK_INT(self.server.connections, 1);
    CHECK(rig_line(&self, 1, "POST http://shop.invalid:81/in?a=b HTTP/1.1\r\n"));
    CHECK(rig_has(&self, 1, "Host: shop.invalid:81\r\n"));
    rig_end(&self);
}

TEST(gzip_packs_the_body)
{
    static char text[100001], unpacked[sizeof text];
    const char *answers[] = {"@together:HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "http.compression", "gzip");
    memset(text, 'a', sizeof text - 1);
    sluice_fake_consumed(self.batch, "t", 0, NULL, text);
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK(rig_has(&self, 0, "Content-Encoding: gzip\r\n"));
    size_t len = body_len(self.server.requests[0]);
    CHECK(len > 0 && len < 1000);
    z_stream reader = {.next_in = (unsigned char *)rig_body(&self, 0),
                       .avail_in = (unsigned)len,
                       .next_out = (unsigned char *)unpacked,
                       .avail_out = sizeof unpacked};
    CHECK(inflateInit2(&reader, 15 + 16) == Z_OK);
    CHECK(inflate(&reader, Z_FINISH) == Z_STREAM_END);
    inflateEnd(&reader);
    CHECK_TEXT(unpacked, text);
    rig_end(&self);
}

TEST(which_statuses_are_successes_and_which_are_repeated_can_be_chosen)
{
    const char *answers[] = {"HTTP/1.1 404 None\r\nContent-Length: 0\r\n\r\n",
                             "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n",
                             "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n", ok};
    rig self;
    rig_begin(&self, answers, 4);
    RIG_CREATE(&self, "retry.on.status.codes", "400-404", "success.on.status.codes",
               "200-299,409");
    for (int i = 0; i < 3; i++) {
        sluice_fake_consumed(self.batch, "t", i, NULL, "x");
    }
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 4);
    CHECK_INT(sluice_fake_dead_letters(self.fake), 1);
    CHECK(strstr(sluice_fake_dead_letter(self.fake, 0), "status 500") != NULL);
    rig_end(&self);
}

TEST(several_requests_are_in_flight_at_once)
{
    static const char together[] =
        "@together:HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    const char *answers[] = {together, together, together, together};
    rig self;
    rig_begin(&self, answers, 4);
    RIG_CREATE(&self, "max.in.flight.requests", "4", "request.order", "none");
    for (int i = 0; i < 4; i++) {
        sluice_fake_consumed(self.batch, "t", i, NULL, "x");
    }
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 4);
    CHECK_INT(self.server.connections, 4);
    rig_end(&self);
}

static void *stop_soon(void *argument)
{
    rig *self = argument;
    while (server_count(&self->server) < 2) {
        poll(NULL, 0, 1);
    }
    sluice_fake_stop(self->fake);
    return NULL;
}

TEST(a_stop_does_not_wait_for_a_server_that_hangs_and_commits_what_was_answered)
{
    const char *answers[] = {ok, "@hang"};
    rig self;
    pthread_t stopper;
    rig_begin(&self, answers, 2);
    RIG_CREATE(&self, "http.timeout", "3600");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "y");
    sluice_fake_consumed(self.batch, "t", 2, NULL, "z");
    CHECK(pthread_create(&stopper, NULL, stop_soon, &self) == 0);
    CHECK(rig_put(&self) == SLUICE_OK);
    pthread_join(stopper, NULL);
    sluice_offsets *safe = sluice_offsets_new();
    sluice_offsets_set_topic(safe, "t", 0, 3);
    CHECK(http_sink_ops.flush(self.sink, safe, self.err) == SLUICE_OK);
    CHECK_INT(sluice_offsets_find_topic(safe, "t", 0), 1);
    sluice_offsets_free(safe);
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
    CHECK_TEXT(fault("http.url", "http://${key}/"),
               "http.url is 'http://${key}/': must name a host, in which ${…} cannot "
               "stand");
    CHECK(strstr(fault("http.url", "http://x/${nothing}"), "${key.FIELD}") != NULL);
    CHECK_TEXT(fault("behavior.on.null.values", "delete"),
               "behavior.on.null.values=delete would delete 'http://x/' itself: "
               "http.url must have ${key} or a field of it");
    CHECK_TEXT(fault("request.method", "FETCH"),
               "request.method is 'FETCH': must be POST, PUT, PATCH or DELETE, or have "
               "${…} in it");
    CHECK_TEXT(fault("retry.on.status.codes", "5xx"),
               "retry.on.status.codes has '5xx': must be a status such as 503, or a "
               "range such as 500-599 or 500-");
    CHECK_TEXT(fault("http.headers.additional", "Content-Length:3"),
               "http.headers.additional has 'Content-Length:3': that header is made by "
               "the sink, and cannot be set");
    CHECK(strstr(fault("http.authorization.type", "oauth2"),
                 "oauth2.client.id is needed by http.authorization.type=oauth2") !=
          NULL);
    CHECK_TEXT(
        fault("http.authorization.type", "static"),
        "http.headers.authorization is needed by http.authorization.type=static, "
        "and not set");
    CHECK_TEXT(fault("http.headers.authorization", "Token x"),
               "http.headers.authorization is set, and not sent with "
               "http.authorization.type=none: static sends it");
    CHECK(strstr(fault("http.headers.content.type", "  "), "content.type") != NULL);
    static const char *const bad_headers[] = {
        "A B:1", "A(:1", "A\t:1", "\xc3\xa9:1", ":1", "A:a\x01z", "A:1\x7f"};
    for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
        CHECK(strstr(fault("http.headers.additional", bad_headers[i]),
                     "must be Name:value, in one line") != NULL);
    }
    CHECK(strstr(fault("http.url", "http://x:port/"), "not a usable URL: ") != NULL);
    CHECK(strstr(fault("http.url", "http://x:99999/"), "not a usable URL: ") != NULL);
    CHECK(strstr(fault("http.url", "http://[::1/"), "not a usable URL: ") != NULL);
    CHECK_TEXT(fault("http.proxy.host", "proxy"),
               "http.proxy.host and http.proxy.port belong together: set both or none");
    CHECK(strstr(fault("http.ssl.ca.location", "/nowhere"), "cannot be read") != NULL);
}

TEST(retry_after_is_seconds_or_a_date)
{
    CHECK_INT(http_retry_after_ms("5", 0), 5000);
    CHECK_INT(http_retry_after_ms(" 99999999999999 ", 0), 3600000);
    CHECK_INT(http_retry_after_ms("Thu, 01 Jan 1970 00:00:30 GMT", 10), 20000);
    CHECK_INT(http_retry_after_ms("Thu, 01 Jan 1970 00:00:30 GMT", 100), 0);
    CHECK_INT(http_retry_after_ms("soon", 0), -1);
    CHECK_INT(http_retry_after_ms("-5", 0), -1);
    CHECK_INT(http_retry_after_ms("", 0), -1);
}

/* The date is by the server's clock, which is fifty years late. */
TEST(a_long_wait_is_left_to_the_worker_and_nothing_is_sent_meanwhile)
{
    const char *answers[] = {
        "HTTP/1.1 503 Busy\r\nDate: Thu, 01 Jan 1976 00:00:00 GMT\r\n"
        "Retry-After: Thu, 01 Jan 1976 00:10:00 GMT\r\nContent-Length: 0\r\n\r\n"};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "max.retries", "1");
    sluice_fake_consumed(self.batch, "t", 0, "k", "x");
    for (int i = 0; i < 3; i++) {
        CHECK(rig_put(&self) == SLUICE_RETRY);
        CHECK(strstr(sluice_error_text(self.err), "status 503") != NULL);
        sluice_error_clear(self.err);
    }
    CHECK_INT(self.server.count, 1);
    rig_end(&self);
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "max.retries", "0", "kafka.retry.backoff.ms", "86400000");
    sluice_fake_consumed(self.batch, "t", 0, "k", "x");
    CHECK(rig_put(&self) == SLUICE_RETRY);
    CHECK(rig_put(&self) == SLUICE_RETRY);
    CHECK_INT(self.server.count, 1);
    rig_end(&self);
}

TEST(a_user_in_the_URL_is_neither_sent_nor_shown)
{
    char url[128];
    const char *answers[] = {wrong};
    rig self;
    rig_begin(&self, answers, 1);
    snprintf(url, sizeof url, "http://me:hid%%40den@127.0.0.1:%d", self.server.port);
    RIG_CREATE(&self, "http.url", url);
    sluice_fake_consumed(self.batch, "t", 0, "k", "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK(!rig_has(&self, 0, "Authorization") && !rig_has(&self, 0, "den"));
    CHECK(rig_line(&self, 0, "POST / HTTP/1.1\r\n"));
    CHECK(strstr(sluice_fake_dead_letter(self.fake, 0), "'http://127.0.0.1:") != NULL);
    CHECK(strstr(sluice_fake_dead_letter(self.fake, 0), "den@") == NULL);
    rig_end(&self);
}

TEST(an_empty_text_may_stand_in_the_query)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    rig_url(&self, "http", "/in?k=${key}&t=${topic}");
    RIG_CREATE(&self, "request.method", "PUT");
    sluice_fake_consumed(self.batch, "t", 0, "", "x");
    sluice_fake_consumed(self.batch, "t", 1, "..", "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 2);
    CHECK(rig_line(&self, 0, "PUT /in?k=&t=t HTTP/1.1\r\n"));
    CHECK(rig_line(&self, 1, "PUT /in?k=..&t=t HTTP/1.1\r\n"));
    rig_end(&self);
}

TEST(a_type_of_content_is_sent_once)
{
    const char *answers[] = {ok};
    rig self;
    rig_begin(&self, answers, 1);
    RIG_CREATE(&self, "http.headers.content.type", "text/plain",
               "http.headers.additional", "content-type:text/csv");
    sluice_fake_consumed(self.batch, "t", 0, "k", "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK(rig_has(&self, 0, "content-type: text/csv\r\n"));
    CHECK(!rig_has(&self, 0, "text/plain"));
    rig_end(&self);
}

TEST_MAIN
