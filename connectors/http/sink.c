/* The sink: each record of a put goes to a lane, and each lane sends its requests one
 * after the other until they arrive, are refused, or no retries remain. */
#include "sink.h"
#include "exchange.h"
#include "items.h"
#include "token.h"
#include <sluice/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOGGER "connectors.http"

enum {
    put_ms_max = 60000,  /* Well within max.poll.interval.ms of five minutes. */
    idle_ms_max = 2000,  /* Longer waits are the worker's: it can pause or rebalance. */
    stop_grace_ms = 300, /* For answers that are on their way. */
    retry_after_max_ms = 3600000,
    wait_ms_max = 1000,
    text_max = 1024,
};

/* A connection, the records that go over it, and the request that is under way. */
typedef struct lane {
    http_exchange exchange;
    http_request request;
    http_queue own, *queue;
    int32_t begin, end;   /* The items of the request; `end` is not one of them. */
    bool pending, flying; /* There is a request; it is on its way. */
    bool waiting;         /* For a token, before it is sent. */
    bool renewed;         /* It has been tried with a new token. */
    uint64_t token;       /* Which one it went out with. */
    int32_t attempts;     /* Of the request, or of the one that comes next. */
    int64_t not_before_ms;
} lane;

typedef struct http_sink {
    const http_config *config;
    sluice_task *task;
    http_network *network;
    http_writer *writer;
    http_token *token;
    http_codes success, again, renew;
    http_items items;
    http_queue shared;
    lane *lanes;
    size_t lane_count;
    sluice_arena *scratch;
    sluice_error *why; /* Reused for bad records. */
    uint64_t random;
    /* Of the put that is under way. */
    const sluice_batch *in;
    sluice_status failure; /* SLUICE_OK: none so far. */
    char failure_text[text_max];
    char wait_text[text_max]; /* Why a request waits before it is sent again. */
    bool closing;             /* No more requests are begun. */
    bool doomed;              /* It has failed; the next put says so. */
} http_sink;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- Its life. --- */

static void sink_destroy(void *self)
{
    http_sink *sink = self;
    if (sink == NULL) {
        return;
    }
    for (size_t i = 0; i < sink->lane_count; i++) {
        http_exchange_cancel(&sink->lanes[i].exchange);
        http_request_done(&sink->lanes[i].request);
    }
    free(sink->lanes);
    http_token_free(sink->token);
    http_writer_free(sink->writer);
    http_network_free(sink->network);
    http_items_done(&sink->items);
    sluice_arena_free(sink->scratch);
    sluice_error_free(sink->why);
    free(sink);
}

static sluice_status make_parts(http_sink *sink, sluice_error *err)
{
    const http_config *config = sink->config;
    sluice_status status = http_writer_new(config, sink->task, &sink->writer, err);
    if (status == SLUICE_OK) {
        status = http_network_new(config, http_writer_origin(sink->writer),
                                  &sink->network, err);
    }
    if (status == SLUICE_OK && (config->authorization == HTTP_AUTHORIZATION_OAUTH2 ||
                                config->authorization == HTTP_AUTHORIZATION_APIKEY)) {
        status = http_token_new(config, sink->network, &sink->token, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    sink->lanes = calloc((size_t)config->lanes_max, sizeof *sink->lanes);
    if (sink->lanes == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "no memory for max.in.flight.requests");
    }
    sink->lane_count = (size_t)config->lanes_max;
    for (size_t i = 0; i < sink->lane_count; i++) {
        lane *one = &sink->lanes[i];
        one->queue = config->order == HTTP_ORDER_NONE ? &sink->shared : &one->own;
    }
    return SLUICE_OK;
}

static sluice_status sink_create(const void *config, sluice_task *task, void **ret_self,
                                 sluice_error *err)
{
    http_sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "no memory for an HTTP sink");
    }
    sink->config = config;
    sink->task = task;
    sink->random = (uint64_t)now_ms() * 2 + 1;
    sink->scratch = sluice_arena_new();
    sink->why = sluice_error_new();
    http_items_init(&sink->items);
    http_codes_parse(&sink->config->success_codes, &sink->success);
    http_codes_parse(&sink->config->retry_codes, &sink->again);
    http_codes_parse(&sink->config->oauth2.renew_codes, &sink->renew);
    sluice_status status = make_parts(sink, err);
    if (status != SLUICE_OK) {
        sink_destroy(sink);
        return status;
    }
    *ret_self = sink;
    return SLUICE_OK;
}

/* --- Which record goes where. --- */

static uint64_t mix(uint64_t hash, const void *base, size_t len)
{
    const unsigned char *bytes = base;
    for (size_t i = 0; i < len; i++) { /* FNV-1a */
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

static size_t lane_of(http_sink *sink, size_t index, const sluice_record *record)
{
    const http_item *item = &sink->items.list[index];
    if (sink->lane_count == 1 || sink->config->order == HTTP_ORDER_NONE) {
        return 0;
    }
    uint64_t hash =
        mix(UINT64_C(14695981039346656037), &item->topic, sizeof item->topic);
    hash = mix(hash, &item->partition, sizeof item->partition);
    const sluice_value *key = sluice_record_key(record);
    if (sink->config->order == HTTP_ORDER_KEY && key != NULL) {
        sluice_data_type type = sluice_value_type(key);
        sluice_bytes bytes;
        if (type == SLUICE_TYPE_STRING || type == SLUICE_TYPE_BYTES) {
            bytes = sluice_value_bytes(key);
        } else {
            sluice_arena_reset(sink->scratch);
            bytes.base = sluice_text_of(sink->scratch, sluice_record_key_schema(record),
                                        key, &bytes.len);
        }
        hash = mix(hash, bytes.base, bytes.len);
    }
    return (size_t)((hash ^ hash >> 32) % sink->lane_count);
}

static void distribute(http_sink *sink)
{
    sink->shared = (http_queue){HTTP_NO_ITEM, HTTP_NO_ITEM};
    for (size_t i = 0; i < sink->lane_count; i++) {
        sink->lanes[i].own = sink->shared;
        sink->lanes[i].pending = sink->lanes[i].waiting = false;
    }
    for (size_t i = 0; i < sink->items.count; i++) {
        if (!sink->items.list[i].done) {
            size_t to = lane_of(sink, i, sluice_batch_record(sink->in, i));
            http_items_push(&sink->items, sink->lanes[to].queue, i);
        }
    }
}

/* --- What went wrong. --- */

static void fail(http_sink *sink, sluice_status status, const char *text)
{
    if (sink->failure == SLUICE_OK) {
        sink->failure = status;
        snprintf(sink->failure_text, sizeof sink->failure_text, "%s", text);
    }
    sink->closing = true;
}

/* A record that cannot be delivered, for the reason in `why`: skipped if the worker
 * tolerates it. */
static bool dead_letter(http_sink *sink, int32_t item)
{
    const sluice_record *record = sluice_batch_record(sink->in, (size_t)item);
    sluice_status status = sluice_task_dead_letter(sink->task, record, sink->why);
    if (status != SLUICE_OK) {
        fail(sink, status, sluice_error_text(sink->why));
        return false;
    }
    sink->items.list[item].done = true;
    return true;
}

/* All records of a request that was answered, and will not be taken. */
static void give_up(http_sink *sink, lane *one, const char *text)
{
    for (int32_t item = one->begin; item != one->end;
         item = sink->items.list[item].next) {
        if (!sink->items.list[item].done) {
            sluice_fail(sink->why, SLUICE_FATAL, "%s", text);
            if (!dead_letter(sink, item)) {
                return;
            }
        }
    }
    one->pending = false;
    one->attempts = 0;
}

/* What happened to the request of a lane, for a person. */
static void describe(const http_sink *sink, const lane *one, char *text, size_t room)
{
    const http_exchange *exchange = &one->exchange;
    const http_reply *reply = &exchange->reply;
    const char *url = one->request.url.len > 0 ? one->request.url.base
                                               : http_writer_url(sink->writer);
    if (!exchange->answered) {
        snprintf(text, room, "no answer from '%.400s': %s", url, exchange->text);
        return;
    }
    int len =
        snprintf(text, room, "'%.400s' answered with status %d", url, reply->status);
    if (reply->status >= 300 && reply->status < 400 && reply->location[0] != '\0') {
        len += snprintf(text + len, room - (size_t)len,
                        ", a redirect to '%s', which is not followed", reply->location);
    }
    if (reply->excerpt_len > 0) {
        snprintf(text + len, room - (size_t)len, ": '%s'", reply->excerpt);
    }
}

/* --- A request: made, sent, judged. --- */

/* Takes records from the lane's queue while they fit into one request. */
static void fill(http_sink *sink, lane *one)
{
    const http_config *config = sink->config;
    size_t count_max = config->batching ? (size_t)config->batch_max : 1;
    http_request_clear(&one->request);
    one->begin = one->queue->first;
    while (one->queue->first != HTTP_NO_ITEM && one->request.count < count_max) {
        int32_t item = one->queue->first;
        const sluice_record *record = sluice_batch_record(sink->in, (size_t)item);
        bool joined = true;
        if (sluice_record_value(record) == NULL &&
            config->null_values == HTTP_NULL_IGNORE) {
            sink->items.list[item].done = true;
        } else {
            sluice_error_clear(sink->why);
            sluice_status status = http_request_add(&one->request, sink->writer, record,
                                                    &joined, sink->why);
            if (status != SLUICE_OK && !dead_letter(sink, item)) {
                return;
            }
        }
        if (!joined) {
            break;
        }
        http_items_pop(&sink->items, one->queue);
    }
    one->end = one->queue->first;
    one->pending = one->request.count > 0;
    one->renewed = false;
}

static void send_request(http_sink *sink, lane *one)
{
    const char *token = NULL;
    int64_t now = now_ms();
    if (sink->token != NULL) {
        token = http_token_get(sink->token, now);
        one->token = http_token_number(sink->token);
        one->waiting = token == NULL;
        if (one->waiting) {
            return;
        }
    }
    sluice_error_clear(sink->why);
    if (http_request_finish(&one->request, sink->writer, token, sink->why) !=
        SLUICE_OK) {
        fail(sink, SLUICE_FATAL, sluice_error_text(sink->why));
        return;
    }
    one->flying = true;
    http_exchange_begin(&one->exchange, sink->network, &one->request, &sink->success,
                        now, sink->config->timeout_s * INT64_C(1000));
}

int64_t http_retry_after_ms(const char *value, int64_t now_s)
{
    value += strspn(value, " \t");
    int64_t wait_s = 0;
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && value[digits + strspn(value + digits, " \t\r\n")] == '\0') {
        for (size_t i = 0; i < digits && wait_s < retry_after_max_ms; i++) {
            wait_s = wait_s * 10 + (value[i] - '0');
        }
    } else {
        time_t at = curl_getdate(value, NULL);
        if (at < 0) {
            return -1;
        }
        wait_s = at > now_s ? at - now_s : 0;
    }
    return wait_s * 1000 < retry_after_max_ms ? wait_s * 1000 : retry_after_max_ms;
}

/* By the server's clock, where it tells what time it has. */
static int64_t asked_wait_ms(const lane *one)
{
    const http_reply *reply = &one->exchange.reply;
    time_t date = reply->date[0] == '\0' ? -1 : curl_getdate(reply->date, NULL);
    return http_retry_after_ms(reply->retry_after, date < 0 ? time(NULL) : date);
}

static int64_t next_wait_ms(http_sink *sink, const lane *one)
{
    const http_config *config = sink->config;
    int64_t wait_ms = config->retry_backoff_ms;
    if (config->retry_backoff_max_ms >= 0) {
        for (int32_t i = 0; i < one->attempts && wait_ms < config->retry_backoff_max_ms;
             i++) {
            wait_ms = wait_ms > 0 ? wait_ms * 2 : 1;
        }
        if (wait_ms > config->retry_backoff_max_ms) {
            wait_ms = config->retry_backoff_max_ms;
        }
        sink->random ^= sink->random << 13; /* xorshift64 */
        sink->random ^= sink->random >> 7;
        sink->random ^= sink->random << 17;
        wait_ms -= (int64_t)(sink->random % (uint64_t)(wait_ms / 2 + 1));
    }
    int64_t asked_ms = asked_wait_ms(one);
    return asked_ms > wait_ms ? asked_ms : wait_ms;
}

/* No retries remain. An answer is about these records, and they may be tolerated; no
 * answer is about the server. */
static void exhausted(http_sink *sink, lane *one, bool answered, const char *text)
{
    char whole[text_max];
    int64_t backoff_ms = sink->config->kafka_retry_backoff_ms;
    one->attempts = 0;
    if (backoff_ms >= 0) {
        snprintf(whole, sizeof whole, "%.900s; the same records will be sent again",
                 text);
        snprintf(sink->wait_text, sizeof sink->wait_text, "%s", whole);
        int64_t asked_ms = asked_wait_ms(one);
        one->not_before_ms = now_ms() + (asked_ms > backoff_ms ? asked_ms : backoff_ms);
        fail(sink, SLUICE_RETRY, whole);
        return;
    }
    snprintf(
        whole, sizeof whole,
        "Sending failed and no retries remain, stopping: %.800s; max.retries is %d",
        text, sink->config->retries_max);
    if (answered) {
        give_up(sink, one, whole);
    } else {
        fail(sink, SLUICE_FATAL, whole);
    }
}

static void wait_and_repeat(http_sink *sink, lane *one, bool answered, const char *text)
{
    const http_config *config = sink->config;
    if (one->attempts >= config->retries_max) {
        exhausted(sink, one, answered, text);
        return;
    }
    int64_t wait_ms = next_wait_ms(sink, one);
    one->attempts++;
    one->not_before_ms = now_ms() + wait_ms;
    snprintf(sink->wait_text, sizeof sink->wait_text, "%s", text);
    sluice_log(SLUICE_WARN, LOGGER, "%s; sending again in %lld ms, attempt %d of %d",
               text, (long long)wait_ms, one->attempts, config->retries_max);
}

static void delivered(http_sink *sink, lane *one)
{
    for (int32_t item = one->begin; item != one->end;
         item = sink->items.list[item].next) {
        sink->items.list[item].done = true;
    }
    one->pending = false;
    one->attempts = 0;
    one->not_before_ms = 0;
}

/* The request of a lane is over: what now? */
static void settle(http_sink *sink, lane *one)
{
    const http_exchange *exchange = &one->exchange;
    int status = exchange->answered ? exchange->reply.status : 0;
    char text[text_max];
    one->flying = false;
    if (http_codes_have(&sink->success, status)) {
        if (sink->token != NULL) {
            http_token_accept(sink->token, one->token);
        }
        delivered(sink, one);
        return;
    }
    bool renewable = sink->token != NULL && http_codes_have(&sink->renew, status) &&
                     http_token_drop(sink->token, one->token, now_ms());
    if (renewable && !one->renewed) {
        one->renewed = true;
        return;
    }
    describe(sink, one, text, sizeof text);
    if (renewable || (exchange->answered ? http_codes_have(&sink->again, status)
                                         : !exchange->final)) {
        wait_and_repeat(sink, one, exchange->answered, text);
        return;
    }
    size_t len = strlen(text);
    snprintf(text + len, sizeof text - len, "; the request would be refused again");
    if (exchange->answered) {
        give_up(sink, one, text);
    } else {
        fail(sink, SLUICE_FATAL, text);
    }
}

/* --- Tokens. --- */

/* A request for a token has failed: those that wait for it try again like others, or
 * fail; while nobody waits, there is one that holds. */
static void lack_token(http_sink *sink, const http_token_news *news)
{
    char text[text_max];
    snprintf(text, sizeof text, "%s", sluice_error_text(sink->why));
    if (news->holds_ms > 0) {
        sluice_log(SLUICE_WARN, LOGGER,
                   "%s; asking again, the token that is there holds for %lld s more",
                   text, (long long)news->holds_ms / 1000);
    }
    for (size_t i = 0; i < sink->lane_count; i++) {
        lane *one = &sink->lanes[i];
        if (!one->waiting) {
            continue;
        }
        one->waiting = false;
        if (news->status != SLUICE_RETRY) {
            fail(sink, SLUICE_FATAL, text);
            continue;
        }
        char *retry_after = one->exchange.reply.retry_after;
        snprintf(retry_after, sizeof one->exchange.reply.retry_after, "%lld",
                 (long long)news->retry_after_s);
        wait_and_repeat(sink, one, false, text);
    }
}

/* Whoever waits for a token goes on once its request is over. */
static void attend_token(http_sink *sink, int64_t now)
{
    http_token_news news;
    sluice_error_clear(sink->why);
    if (sink->token == NULL || !http_token_take(sink->token, now, &news, sink->why)) {
        return;
    }
    if (news.status != SLUICE_OK) {
        lack_token(sink, &news);
        return;
    }
    for (size_t i = 0; i < sink->lane_count; i++) {
        sink->lanes[i].waiting = false;
    }
}

/* --- A put. --- */

static bool has_work(const lane *one)
{
    return one->pending || one->queue->first != HTTP_NO_ITEM;
}

/* Begins what can be begun; returns how many requests are under way, and when the next
 * may be begun (INT64_MAX: nothing waits). */
static size_t begin_requests(http_sink *sink, int64_t now, int64_t *ret_next_ms)
{
    size_t flying = 0;
    *ret_next_ms = INT64_MAX;
    for (size_t i = 0; i < sink->lane_count; i++) {
        lane *one = &sink->lanes[i];
        one->waiting = one->waiting && !sink->closing;
        while (!sink->closing && !one->flying && !one->waiting && has_work(one) &&
               one->not_before_ms <= now) {
            if (!one->pending) {
                fill(sink, one);
            }
            if (one->pending && !sink->closing) {
                send_request(sink, one);
            }
        }
        bool under_way = one->flying || one->waiting;
        flying += under_way;
        if (!under_way && has_work(one) && one->not_before_ms < *ret_next_ms) {
            *ret_next_ms = one->not_before_ms;
        }
    }
    return flying;
}

/* Waits for something to happen; false once the task is being stopped. */
static bool wait_for(http_sink *sink, int64_t now, int64_t until_ms, bool stopping)
{
    struct pollfd fds[HTTP_LANES_MAX + 1];
    lane *of[HTTP_LANES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < sink->lane_count; i++) {
        lane *one = &sink->lanes[i];
        if (one->flying && !one->exchange.over) {
            until_ms = one->exchange.deadline_ms < until_ms ? one->exchange.deadline_ms
                                                            : until_ms;
            short events = http_exchange_events(&one->exchange);
            of[count] = one;
            fds[count++] =
                (struct pollfd){events == 0 ? -1 : one->exchange.link.fd, events, 0};
        } else if (one->flying) {
            until_ms = now;
            of[count] = one;
            fds[count++] = (struct pollfd){-1, 0, 0};
        }
    }
    fds[count] =
        (struct pollfd){stopping ? -1 : sluice_task_stop_fd(sink->task), POLLIN, 0};
    int64_t wait_ms = until_ms > now ? until_ms - now : 0;
    http_network_wait(sink->network, fds, count + 1,
                      wait_ms < wait_ms_max ? (int)wait_ms : wait_ms_max);
    now = now_ms();
    attend_token(sink, now);
    for (size_t i = 0; i < count; i++) {
        if (!of[i]->exchange.over) {
            http_exchange_step(&of[i]->exchange, fds[i].revents, now);
        }
        if (of[i]->exchange.over) {
            settle(sink, of[i]);
        }
    }
    return fds[count].revents == 0;
}

/* The task is being stopped: what has been answered by now counts, what has not is left
 * to the next task. */
static void wind_up(http_sink *sink)
{
    for (size_t i = 0; i < sink->lane_count; i++) {
        lane *one = &sink->lanes[i];
        if (one->flying) {
            http_exchange *exchange = &one->exchange;
            if (http_reply_has_head(&exchange->reply) && !exchange->over &&
                http_codes_have(&sink->success, exchange->reply.status)) {
                delivered(sink, one);
            }
            http_exchange_cancel(exchange);
            one->flying = false;
        }
    }
    http_items_abandon(&sink->items);
    http_items_forget(&sink->items);
}

/* Sends until all is dealt with, something fails, or the task is stopped: false then.
 */
static bool send_all(http_sink *sink)
{
    int64_t began = now_ms(), next_ms, stop_ms = INT64_MAX;
    for (;;) {
        int64_t now = now_ms();
        if (now - began > put_ms_max && !sink->closing) {
            fail(sink, SLUICE_RETRY, "the server is slow; the rest will be sent next");
        }
        size_t flying = begin_requests(sink, now, &next_ms);
        if (flying == 0 && (sink->closing || next_ms == INT64_MAX)) {
            return stop_ms == INT64_MAX;
        }
        if (flying == 0 && next_ms - now > idle_ms_max) {
            fail(sink, SLUICE_RETRY, sink->wait_text);
            return true;
        }
        if (now >= stop_ms) {
            return false;
        }
        int64_t until_ms = stop_ms < next_ms && !sink->closing ? stop_ms : next_ms;
        if (sink->closing) {
            until_ms = stop_ms;
        }
        if (!wait_for(sink, now, until_ms, stop_ms != INT64_MAX)) {
            sink->closing = true;
            stop_ms = now_ms() + stop_grace_ms;
        }
    }
}

/* A put that has failed, but whose first records have arrived: these are committed
 * before the task fails, so that no restart sends them again. The others come once
 * more, and are refused for the same reason. */
static sluice_status fail_later(http_sink *sink)
{
    http_items_abandon(&sink->items);
    http_items_rewind(&sink->items, sink->task);
    http_items_forget(&sink->items);
    sluice_task_ask_commit(sink->task);
    sink->doomed = true;
    return SLUICE_OK;
}

static sluice_status sink_put(void *self, const sluice_batch *in, sluice_error *err)
{
    http_sink *sink = self;
    if (sink->doomed) {
        return sluice_fail(err, sink->failure, "%s", sink->failure_text);
    }
    sluice_status status = http_items_take(&sink->items, in, err);
    if (status != SLUICE_OK) {
        return status;
    }
    sink->in = in;
    sink->failure = SLUICE_OK;
    sink->closing = false;
    distribute(sink);
    if (sink->token != NULL) {
        http_token_resume(sink->token, now_ms());
    }
    if (!send_all(sink)) {
        wind_up(sink);
        return SLUICE_OK;
    }
    if (sink->failure != SLUICE_OK) {
        if (sink->failure != SLUICE_RETRY && http_items_are_mixed(&sink->items)) {
            return fail_later(sink);
        }
        return sluice_fail(err, sink->failure, "%s", sink->failure_text);
    }
    http_items_forget(&sink->items);
    return SLUICE_OK;
}

/* What was put has been answered, but for what a stop has left. */
static sluice_status sink_flush(void *self, sluice_offsets *safe, sluice_error *err)
{
    http_sink *sink = self;
    http_items_lower(&sink->items, safe);
    return SLUICE_OK;
}

const sluice_sink_ops http_sink_ops = {
    .size = sizeof(sluice_sink_ops),
    .create = sink_create,
    .destroy = sink_destroy,
    .put = sink_put,
    .flush = sink_flush,
};
