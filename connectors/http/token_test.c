/* Tokens for an HTTP sink: when they are asked for, who waits for them, and who does
 * not. */
#include "played_server.h"
#include "token.h"

static void token_rig(rig *self, const char *const *answers, int count)
{
    char url[64];
    rig_begin(self, answers, count);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/token", self->server.port);
    sluice_props *props = sluice_fake_props(self->fake);
    sluice_props_set(props, "oauth2.access.token.url", url);
    sluice_props_set(props, "http.authorization.type", "oauth2");
    sluice_props_set(props, "oauth2.client.id", "me");
    sluice_props_set(props, "oauth2.client.secret", "s&p");
}

#define PLAIN_TOKEN(text)                                                              \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"                                     \
    "{\"access_token\":\"" text "\"}"

#define TOKEN(text)                                                                    \
    "@close:HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"                 \
    "{\"access_token\":\"" text "\",\"token_type\":\"bearer\",\"expires_in\":3600}"

static const char unauthorized[] =
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

TEST(a_token_is_got_used_and_renewed_when_it_is_not_taken)
{
    const char *answers[] = {TOKEN("one"), ok, unauthorized, TOKEN("two"), ok};
    rig self;
    token_rig(&self, answers, 5);
    RIG_CREATE(&self, "oauth2.client.scope", "a b", "max.retries", "0");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "y");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 5);
    CHECK(rig_line(&self, 0, "POST /token HTTP/1.1\r\n"));
    CHECK(rig_has(&self, 0, "Authorization: Basic bWU6cyZw\r\n"));
    CHECK_TEXT(rig_body(&self, 0), "grant_type=client_credentials&scope=a+b");
    CHECK(rig_has(&self, 1, "Authorization: Bearer one\r\n"));
    CHECK(rig_has(&self, 2, "Authorization: Bearer one\r\n"));
    CHECK(rig_line(&self, 3, "POST /token HTTP/1.1\r\n"));
    CHECK(rig_has(&self, 4, "Authorization: Bearer two\r\n"));
    CHECK(!rig_has(&self, 4, "Bearer one"));
    CHECK_TEXT(rig_body(&self, 4), "y");
    rig_end(&self);
}

TEST(a_token_that_is_never_taken_is_renewed_once_a_request)
{
    const char *answers[] = {TOKEN("one"), unauthorized, TOKEN("two"), unauthorized};
    rig self;
    token_rig(&self, answers, 4);
    RIG_CREATE(&self, "oauth2.client.authorization.mode", "URL",
               "oauth2.request.client.secret.property", "pw", "max.retries", "0");
    sluice_fake_tolerate(self.fake, false);
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) != SLUICE_OK);
    CHECK_INT(self.server.count, 4);
    CHECK_TEXT(rig_body(&self, 0),
               "grant_type=client_credentials&client_id=me&pw=s%26p");
    CHECK(!rig_has(&self, 0, "Authorization"));
    CHECK(strstr(sluice_error_text(self.err), "answered with status 401") != NULL);
    rig_end(&self);
}

TEST(a_second_token_that_is_not_taken_either_costs_a_retry)
{
    const char *answers[] = {
        TOKEN("one"), ok, unauthorized, TOKEN("two"), unauthorized, TOKEN("three"), ok};
    rig self;
    token_rig(&self, answers, 7);
    RIG_CREATE(&self, "max.retries", "1", "retry.backoff.ms", "0");
    sluice_fake_tolerate(self.fake, false);
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "y");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 7);
    CHECK(rig_has(&self, 6, "Authorization: Bearer three\r\n"));
    CHECK_TEXT(rig_body(&self, 6), "y");
    rig_end(&self);
}

TEST(a_token_server_that_is_busy_is_asked_again_and_one_that_refuses_is_not)
{
    const char *answers[] = {busy, TOKEN("one"), ok, wrong};
    rig self;
    token_rig(&self, answers, 3);
    RIG_CREATE(&self, "max.retries", "1");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.count, 3);
    rig_end(&self);
    token_rig(&self, answers + 3, 1);
    RIG_CREATE(&self, "max.retries", "1");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) == SLUICE_FATAL);
    CHECK_INT(self.server.count, 1);
    CHECK(strstr(sluice_error_text(self.err), "it answered with status 422: 'no!'") !=
          NULL);
    rig_end(&self);
}

/* Token "one" is refused, whoever brings it. */
static const char *refuse_the_first(server *self, const char *request)
{
    if (strncmp(request, "POST /token ", 12) == 0) {
        return __atomic_fetch_add(&self->tokens, 1, __ATOMIC_SEQ_CST) == 0
                   ? TOKEN("one")
                   : TOKEN("two");
    }
    return strstr(request, "Bearer one\r\n") != NULL ? unauthorized : ok;
}

TEST(when_a_token_is_refused_all_lanes_share_one_request_for_the_next)
{
    const char *answers[] = {ok};
    rig self;
    token_rig(&self, answers, 1);
    self.server.decide = refuse_the_first;
    RIG_CREATE(&self, "max.in.flight.requests", "8", "request.order", "none",
               "max.retries", "0");
    sluice_fake_tolerate(self.fake, false);
    for (int i = 0; i < 100; i++) {
        sluice_fake_consumed(self.batch, "t", i, NULL, "x");
    }
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.tokens, 2);
    rig_end(&self);
}

static const char *refuse_all(server *self, const char *request)
{
    if (strncmp(request, "POST /token ", 12) == 0) {
        __atomic_fetch_add(&self->tokens, 1, __ATOMIC_SEQ_CST);
        return TOKEN("one");
    }
    return unauthorized;
}

TEST(a_server_that_takes_no_token_does_not_make_one_for_each_record)
{
    const char *answers[] = {ok};
    rig self;
    token_rig(&self, answers, 1);
    self.server.decide = refuse_all;
    RIG_CREATE(&self, "retry.backoff.ms", "3600000", "max.in.flight.requests", "2");
    for (int i = 0; i < 50; i++) {
        sluice_fake_consumed(self.batch, "t", i, NULL, "x");
    }
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.tokens, 2);
    CHECK_INT(sluice_fake_dead_letters(self.fake), 50);
    rig_end(&self);
}

/* Of two records that go out with token "one" the second is refused; the token that
 * comes then is answered once the connection of the first has been closed, which is
 * answered once that token was asked for. */
static const char *one_waits_for_the_other(server *self, const char *request)
{
    if (strncmp(request, "POST /token ", 12) == 0) {
        return __atomic_fetch_add(&self->tokens, 1, __ATOMIC_SEQ_CST) == 0
                   ? TOKEN("one")
                   : "@ended:" PLAIN_TOKEN("two");
    }
    if (strstr(request, "\r\n\r\nslow") != NULL) {
        return "@tokens:HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0"
               "\r\n\r\n";
    }
    return strstr(request, "Bearer one\r\n") != NULL ? unauthorized : ok;
}

TEST(what_is_in_flight_is_dealt_with_while_a_token_is_awaited)
{
    const char *answers[] = {ok};
    rig self;
    token_rig(&self, answers, 1);
    self.server.decide = one_waits_for_the_other;
    RIG_CREATE(&self, "max.in.flight.requests", "2", "request.order", "none",
               "max.retries", "0");
    sluice_fake_tolerate(self.fake, false);
    sluice_fake_consumed(self.batch, "t", 0, NULL, "slow");
    sluice_fake_consumed(self.batch, "t", 1, NULL, "fast");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_INT(self.server.tokens, 2);
    CHECK_INT(self.server.count, 5);
    rig_end(&self);
}

TEST(every_lane_that_waited_tries_again_when_no_token_came)
{
    const char *answers[] = {"@close:HTTP/1.1 429 Slow\r\n\r\nno"};
    rig self;
    token_rig(&self, answers, 1);
    RIG_CREATE(&self, "max.in.flight.requests", "4", "request.order", "none",
               "max.retries", "1", "http.timeout", "20");
    for (int i = 0; i < 4; i++) {
        sluice_fake_consumed(self.batch, "t", i, NULL, "x");
    }
    CHECK(rig_put(&self) == SLUICE_FATAL);
    CHECK_INT(sluice_fake_dead_letters(self.fake), 0);
    CHECK(self.server.count >= 2);
    CHECK(strstr(sluice_error_text(self.err), "/token': it answered with status 429: "
                                              "'no'; max.retries is 1") != NULL);
    rig_end(&self);
}

TEST(an_answer_without_a_token_is_told_by_its_names_never_by_its_values)
{
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"{\"id_token\":\"abcsecret\",\"scope\":\"x\"}",
         "expected, it has 'id_token', 'scope'"},
        {"{\"access_token\":\"line\\nsecret\"}", "expected, it has 'access_token'"},
        {"{\"access_token\":17}", "expected, it has 'access_token'"},
        {"[\"secret\"]", "was expected"},
        {"secret", "was expected"},
        {"", "was expected"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char answer[256];
        const char *answers[] = {answer};
        rig self;
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(cases[i].body), cases[i].body);
        token_rig(&self, answers, 1);
        RIG_CREATE(&self, "max.retries", "3");
        sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
        CHECK(rig_put(&self) == SLUICE_FATAL);
        const char *text = sluice_error_text(self.err);
        CHECK(strstr(text, cases[i].text) != NULL);
        CHECK(strstr(text, "secret") == NULL);
        CHECK_INT(self.server.count, 1);
        rig_end(&self);
    }
}

TEST(an_answer_without_an_end_is_no_token)
{
    static const char *const endless[] = {
        "@endless:HTTP/1.1 200 OK\r\n\r\n|{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{",
        "@endless:HTTP/1.1 200 OK\r\n|X-Endless: yes, it is and will be\r\n",
        "@close:HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"a\"}",
        "@reset:",
    };
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        const char *answers[] = {endless[i], TOKEN("one"), ok};
        rig self;
        token_rig(&self, answers, 3);
        RIG_CREATE(&self, "max.retries", "1", "http.timeout", "60");
        sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
        CHECK(rig_put(&self) == SLUICE_OK);
        CHECK_INT(self.server.count, 3);
        rig_end(&self);
    }
}

TEST(the_key_of_an_API_is_sent_as_JSON)
{
    const char *answers[] = {TOKEN("one"), ok};
    rig self;
    token_rig(&self, answers, 2);
    RIG_CREATE(&self, "http.authorization.type", "apikey", "oauth2.client.secret",
               "s\"\\p");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK(rig_has(&self, 0, "Content-Type: application/x-www-form-urlencoded\r\n"));
    CHECK(!rig_has(&self, 0, "Authorization"));
    CHECK_TEXT(rig_body(&self, 0), "{\n  \"type\" : \"api-key\",\n  \"key\" : \"me\",\n"
                                   "  \"secret\" : \"s\\\"\\\\p\"\n}");
    CHECK(rig_has(&self, 1, "Authorization: Bearer one\r\n"));
    rig_end(&self);
}

TEST(a_form_is_written_as_Java_writes_it)
{
    const char *answers[] = {TOKEN("one"), ok};
    rig self;
    token_rig(&self, answers, 2);
    RIG_CREATE(&self, "oauth2.client.authorization.mode", "url", "oauth2.client.id",
               "\xc3\xa9 *-._~+&=/", "oauth2.grant.type", "password",
               "oauth2.request.grant.type.property", "grant type");
    sluice_fake_consumed(self.batch, "t", 0, NULL, "x");
    CHECK(rig_put(&self) == SLUICE_OK);
    CHECK_TEXT(rig_body(&self, 0),
               "grant+type=password&client_id=%C3%A9+*-._%7E%2B%26%3D"
               "%2F&client_secret=s%26p");
    rig_end(&self);
}

/* --- By a clock of the test's own. --- */

typedef struct clocked {
    rig rig;
    http_network *network;
    http_token *token;
} clocked;

static void clocked_begin(clocked *self, const char *const *answers, int count)
{
    token_rig(&self->rig, answers, count);
    self->rig.sink = NULL;
    const http_config *config =
        sluice_fake_config(self->rig.fake, &http_config_table, NULL);
    CHECK_TEXT(sluice_fake_fault(self->rig.fake), "");
    CHECK(http_network_new(config, config->url, &self->network, self->rig.err) ==
          SLUICE_OK);
    CHECK(http_token_new(config, self->network, &self->token, self->rig.err) ==
          SLUICE_OK);
}

static void clocked_end(clocked *self)
{
    http_token_free(self->token);
    http_network_free(self->network);
    rig_end(&self->rig);
}

/* Lets the request that is under way come to its end. */
static http_token_news clocked_await(clocked *self, int64_t now_ms)
{
    http_token_news news;
    sluice_error_clear(self->rig.err);
    while (!http_token_take(self->token, now_ms, &news, self->rig.err)) {
        http_network_wait(self->network, NULL, 0, 100);
    }
    return news;
}

#define LASTING(text, seconds)                                                         \
    "@close:HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"" text                          \
    "\",\"expires_in\":" seconds "}"

TEST(a_token_is_asked_for_while_the_last_one_holds)
{
    const char *answers[] = {LASTING("one", "3600"), busy, LASTING("two", "\"3599\""),
                             LASTING("three", "1.5")};
    clocked self;
    clocked_begin(&self, answers, 4);
    CHECK(http_token_get(self.token, 0) == NULL);
    CHECK(clocked_await(&self, 0).status == SLUICE_OK);
    CHECK_TEXT(http_token_get(self.token, 3539999), "Bearer one");
    CHECK_INT(self.rig.server.count, 1);
    CHECK_TEXT(http_token_get(self.token, 3540000), "Bearer one");
    http_token_news news = clocked_await(&self, 3541000);
    CHECK(news.status == SLUICE_RETRY);
    CHECK_INT(news.holds_ms, 49000);
    CHECK_TEXT(http_token_get(self.token, 3541500), "Bearer one");
    CHECK_INT(self.rig.server.count, 2);
    CHECK_TEXT(http_token_get(self.token, 3542000), "Bearer one");
    CHECK(clocked_await(&self, 3542000).status == SLUICE_OK);
    CHECK_TEXT(http_token_get(self.token, 3542000), "Bearer two");
    CHECK_TEXT(http_token_get(self.token, 3542000 + 3538999), "Bearer two");
    CHECK_INT(self.rig.server.count, 3);
    CHECK(http_token_get(self.token, 3542000 + 3589000) == NULL);
    CHECK(clocked_await(&self, 8000000).status == SLUICE_OK);
    CHECK_TEXT(http_token_get(self.token, 8000499), "Bearer three");
    CHECK(http_token_get(self.token, 8000500) == NULL);
    clocked_end(&self);
}

TEST(a_token_that_does_not_say_when_it_ends_is_kept)
{
    static const char *const never[] = {"0", "-5", "\"soon\"", "1e300", "null", "[]"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        char answer[256];
        const char *answers[] = {answer};
        clocked self;
        snprintf(answer, sizeof answer, LASTING("one", "%s"), never[i]);
        clocked_begin(&self, answers, 1);
        CHECK(http_token_get(self.token, 0) == NULL);
        CHECK(clocked_await(&self, 0).status == SLUICE_OK);
        CHECK_TEXT(http_token_get(self.token, INT64_MAX - 1), "Bearer one");
        clocked_end(&self);
    }
}

TEST(a_request_that_was_left_alone_for_too_long_is_made_again)
{
    const char *answers[] = {"@hang", LASTING("one", "60")};
    clocked self;
    clocked_begin(&self, answers, 2);
    CHECK(http_token_get(self.token, 0) == NULL);
    while (server_count(&self.rig.server) == 0) {
        http_network_wait(self.network, NULL, 0, 10);
    }
    http_token_resume(self.token, 29999);
    CHECK(http_token_get(self.token, 29999) == NULL);
    http_token_resume(self.token, 30000);
    CHECK(http_token_get(self.token, 30000) == NULL);
    CHECK(clocked_await(&self, 30000).status == SLUICE_OK);
    CHECK_INT(self.rig.server.count, 2);
    clocked_end(&self);
}

TEST_MAIN
