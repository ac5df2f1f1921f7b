/* The consumer: records out, rebalances told, commits that are waited for. */
#include "base/buffer.h"
#include "base/memory.h"
#include "worker/host/kafka_client.h"
#include "worker/host/kafka_common.h"
#include "worker/host/kafka_nudge.h"
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char logger[] = "worker.client";

enum {
    committed_timeout_ms = 10 * 1000,
    watermark_timeout_ms = 5 * 1000,
    seek_timeout_ms = 10 * 1000,
    poll_max = 512, /* Records at once. */
};

typedef enum reset { RESET_EARLIEST, RESET_LATEST, RESET_NONE } reset;

struct kafka_consumer {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    int fd;
    reset reset; /* auto.offset.reset */
    const kafka_rebalance_ops *ops;
    void *context;
    bool nudges; /* The client has to be told of room in its queue. */
    kafka_nudge nudge;
    size_t burst; /* Bytes taken since nothing was left, or since a nudge. */
};

/* Two nudges while the queue, once full, is emptied. */
enum { burst_bytes = 512 * 1024, nudge_bytes = 1536 * 1024 };

/* queued.*, fetch.*: a client left alone with its defaults fetches 147 MB ahead.
 * Records of 100 bytes need five times that in memory; what is still in a cache of the
 * processor is taken out faster, too. */
static const char *const ours[] = {"enable.auto.commit",
                                   "false",
                                   "enable.auto.offset.store",
                                   "false",
                                   "enable.partition.eof",
                                   "false",
                                   "auto.offset.reset",
                                   "earliest",
                                   "queued.max.messages.kbytes",
                                   "4096",
                                   "queued.min.messages",
                                   "1000000",
                                   "fetch.message.max.bytes",
                                   "1048576",
                                   "fetch.max.bytes",
                                   "4194304",
                                   NULL};

/* The positions of a list, the caller's: free(). */
static kafka_position *positions_of(const rd_kafka_topic_partition_list_t *list)
{
    kafka_position *positions =
        memory_zero(((size_t)list->cnt + 1) * sizeof *positions);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &list->elems[i];
        positions[i] = (kafka_position){one->topic, one->partition,
                                        one->offset >= 0 ? one->offset : -1};
    }
    return positions;
}

static rd_kafka_topic_partition_list_t *list_of(const kafka_position *positions,
                                                size_t count)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, positions[i].topic,
                                          positions[i].partition)
            ->offset = positions[i].offset;
    }
    return list;
}

/* Nothing is committed: the log's start or its end. Where the answer does not come in
 * time, the client finds it out by itself, later. */
static void find_reset(kafka_consumer *self, rd_kafka_topic_partition_t *one)
{
    int64_t low, high;
    if (self->reset != RESET_NONE &&
        rd_kafka_query_watermark_offsets(self->client, one->topic, one->partition, &low,
                                         &high, watermark_timeout_ms) ==
            RD_KAFKA_RESP_ERR_NO_ERROR) {
        one->offset = self->reset == RESET_EARLIEST ? low : high;
    }
}

/* Where consuming will begin, so that a sink can be told, and sent back there. */
static void find_starts(kafka_consumer *self, rd_kafka_topic_partition_list_t *list)
{
    if (rd_kafka_committed(self->client, list, committed_timeout_ms) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; i < list->cnt; i++) {
            list->elems[i].offset = RD_KAFKA_OFFSET_STORED;
        }
        return;
    }
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].offset < 0) {
            find_reset(self, &list->elems[i]);
        }
    }
}

static void assign(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list)
{
    if (strcmp(rd_kafka_rebalance_protocol(client), "COOPERATIVE") == 0) {
        rd_kafka_error_destroy(rd_kafka_incremental_assign(client, list));
    } else {
        rd_kafka_assign(client, list);
    }
}

static void unassign(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list)
{
    if (strcmp(rd_kafka_rebalance_protocol(client), "COOPERATIVE") == 0) {
        rd_kafka_error_destroy(rd_kafka_incremental_unassign(client, list));
    } else {
        rd_kafka_assign(client, NULL);
    }
}

static void rebalanced(rd_kafka_t *client, rd_kafka_resp_err_t code,
                       rd_kafka_topic_partition_list_t *list, void *opaque)
{
    kafka_consumer *self = opaque;
    size_t count = (size_t)list->cnt;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        find_starts(self, list);
        assign(client, list);
        kafka_position *gained = positions_of(list);
        self->ops->assigned(self->context, gained, count);
        free(gained);
        return;
    }
    if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        sluice_log(SLUICE_WARN, logger, "a rebalance went wrong: %s; trying again",
                   rd_kafka_err2str(code));
    }
    kafka_position *revoked = positions_of(list);
    self->ops->revoked(self->context, revoked, count,
                       rd_kafka_assignment_lost(client) != 0);
    free(revoked);
    unassign(client, list);
}

static reset reset_of(const sluice_props *settings)
{
    const char *text = sluice_props_get(settings, "auto.offset.reset");
    return text == NULL || strcmp(text, "earliest") == 0 ? RESET_EARLIEST
           : strcmp(text, "latest") == 0                 ? RESET_LATEST
                                                         : RESET_NONE;
}

/* Whether this client does not look for room in its queue often enough by itself. */
static bool needs_nudges(rd_kafka_conf_t *conf, const sluice_props *settings)
{
    static const char name[] = "fetch.queue.backoff.ms";
    return sluice_props_get(settings, name) == NULL &&
           rd_kafka_conf_set(conf, name, "10", NULL, 0) != RD_KAFKA_CONF_OK;
}

sluice_status kafka_consumer_new(const sluice_props *settings,
                                 const kafka_rebalance_ops *ops, void *context,
                                 kafka_consumer **ret_consumer, sluice_error *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(CLIENT_CONSUMER, ours, settings, err);
    if (conf == NULL) {
        return SLUICE_BAD_CONFIG;
    }
    kafka_consumer *self = memory_zero(sizeof *self);
    self->ops = ops;
    self->context = context;
    self->reset = reset_of(settings);
    rd_kafka_conf_set_opaque(conf, self);
    rd_kafka_conf_set_rebalance_cb(conf, rebalanced);
    self->nudges = needs_nudges(conf, settings);
    char reason[512];
    self->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (self->client == NULL) {
        rd_kafka_conf_destroy(conf);
        free(self);
        return sluice_fail(err, SLUICE_BAD_CONFIG, "cannot make a consumer: %s",
                           reason);
    }
    kafka_nudge_init(&self->nudge, self->client);
    rd_kafka_poll_set_consumer(self->client);
    self->queue = rd_kafka_queue_get_consumer(self->client);
    self->fd = kafka_queue_fd();
    kafka_queue_join(self->queue, self->fd);
    *ret_consumer = self;
    return SLUICE_OK;
}

void kafka_consumer_close(kafka_consumer *self)
{
    self->nudges = false;
    kafka_nudge_done(&self->nudge);
    rd_kafka_consumer_close(self->client);
}

void kafka_consumer_free(kafka_consumer *self)
{
    if (self == NULL) {
        return;
    }
    rd_kafka_queue_io_event_enable(self->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(self->queue);
    rd_kafka_destroy(self->client);
    close(self->fd);
    free(self);
}

/* Java's regex as a POSIX extended one, where they differ in what people write. */
static void add_regex(buffer *out, const char *regex)
{
    buffer_append_text(out, "^(");
    for (const char *at = regex; *at != '\0'; at++) {
        if (at[0] == '\\' && at[1] == 'd') {
            buffer_append_text(out, "[0-9]");
            at++;
        } else if (at[0] == '\\' && at[1] == 'w') {
            buffer_append_text(out, "[A-Za-z0-9_]");
            at++;
        } else if (at[0] == '(' && at[1] == '?' && at[2] == ':') {
            buffer_append_byte(out, '(');
            at += 2;
        } else {
            buffer_append_byte(out, *at);
        }
    }
    buffer_append_text(out, ")$");
}

sluice_status kafka_consumer_subscribe(kafka_consumer *self, const sluice_list *topics,
                                       const char *regex, sluice_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    if (regex != NULL) {
        buffer pattern = BUFFER_INIT;
        add_regex(&pattern, regex);
        rd_kafka_topic_partition_list_add(list, buffer_text(&pattern),
                                          RD_KAFKA_PARTITION_UA);
        buffer_done(&pattern);
    } else {
        for (size_t i = 0; i < topics->count; i++) {
            rd_kafka_topic_partition_list_add(list, topics->items[i],
                                              RD_KAFKA_PARTITION_UA);
        }
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(self->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "cannot subscribe to %s%s%s: %s",
                           regex != NULL ? "'" : "the topics",
                           regex != NULL ? regex : "", regex != NULL ? "'" : "",
                           rd_kafka_err2str(code));
    }
    return SLUICE_OK;
}

int kafka_consumer_fd(const kafka_consumer *self)
{
    return self->fd;
}

static void fill(kafka_consumed *record, rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    *record = (kafka_consumed){
        .topic = rd_kafka_topic_name(message->rkt),
        .partition = message->partition,
        .offset = message->offset,
        .timestamp = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp,
        .timestamp_of_log = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME,
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
        .message = message,
    };
}

/* An error that came instead of a record. */
static sluice_status judge(kafka_consumer *self, rd_kafka_message_t *message,
                           sluice_error *err)
{
    rd_kafka_resp_err_t code = message->err;
    const char *text = rd_kafka_message_errstr(message);
    sluice_status status = SLUICE_OK;
    char reason[512];
    if (rd_kafka_fatal_error(self->client, reason, sizeof reason) != 0) {
        status =
            sluice_fail(err, SLUICE_FATAL, "the consumer cannot go on: %s", reason);
    } else if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
               code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
               code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
        status = sluice_fail(err, SLUICE_FATAL, "cannot consume: %s", text);
    } else {
        sluice_log(SLUICE_WARN, logger, "consuming: %s; trying again", text);
    }
    rd_kafka_message_destroy(message);
    return status;
}

/* Tells the client of room in its queue when a good part of that was taken out, and
 * when nothing is left of it. */
static void look_for_room(kafka_consumer *self, const kafka_consumed *last, bool more)
{
    if (self->nudges && last != NULL &&
        self->burst > (more ? nudge_bytes : burst_bytes)) {
        kafka_nudge_ask(&self->nudge, last->topic, last->partition);
        self->burst = 0;
    }
    if (!more) {
        self->burst = 0;
    }
}

/* Before 2.1, rd_kafka_consume_batch_queue() loses records when a pause, a seek or a
 * rebalance happens meanwhile in another thread: here they are this one's, rebalances
 * within the call. */
sluice_status kafka_consumer_poll(kafka_consumer *self, kafka_consumed *ret_records,
                                  size_t max, size_t *ret_count, sluice_error *err)
{
    rd_kafka_message_t *messages[poll_max];
    sluice_status status = SLUICE_OK;
    kafka_queue_fd_clear(self->fd);
    *ret_count = 0;
    size_t wanted, got = 0;
    do {
        wanted = max - *ret_count < poll_max ? max - *ret_count : poll_max;
        ssize_t result = rd_kafka_consume_batch_queue(self->queue, 0, messages, wanted);
        got = result > 0 ? (size_t)result : 0;
        for (size_t i = 0; i < got; i++) {
            if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                self->burst += messages[i]->len;
                fill(&ret_records[(*ret_count)++], messages[i]);
            } else if (judge(self, messages[i], err) != SLUICE_OK) {
                status = SLUICE_FATAL;
            }
        }
    } while (status == SLUICE_OK && got == wanted && *ret_count < max);
    look_for_room(self, *ret_count > 0 ? &ret_records[*ret_count - 1] : NULL,
                  *ret_count == max);
    return status;
}

void kafka_consumed_release(kafka_consumed *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rd_kafka_message_destroy(records[i].message);
    }
}

bool kafka_consumed_header(const kafka_consumed *record, size_t index,
                           kafka_header *ret_header)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(record->message, &headers) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    return rd_kafka_header_get_all(headers, index, &ret_header->name,
                                   &ret_header->value.base, &ret_header->value.len) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void with_assignment(
    kafka_consumer *self,
    rd_kafka_resp_err_t (*what)(rd_kafka_t *, rd_kafka_topic_partition_list_t *))
{
    rd_kafka_topic_partition_list_t *list;
    if (rd_kafka_assignment(self->client, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        what(self->client, list);
        rd_kafka_topic_partition_list_destroy(list);
    }
}

void kafka_consumer_pause(kafka_consumer *self)
{
    with_assignment(self, rd_kafka_pause_partitions);
}

void kafka_consumer_resume(kafka_consumer *self)
{
    with_assignment(self, rd_kafka_resume_partitions);
}

sluice_status kafka_consumer_seek(kafka_consumer *self, const kafka_position *to,
                                  size_t count, sluice_error *err)
{
    rd_kafka_topic_partition_list_t *list = list_of(to, count);
    sluice_status status = SLUICE_OK;
    rd_kafka_error_t *error =
        rd_kafka_seek_partitions(self->client, list, seek_timeout_ms);
    if (error != NULL) {
        status = sluice_fail(err, SLUICE_RETRY, "cannot go back to an offset: %s",
                             rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

static sluice_status commit_answer(rd_kafka_event_t *event, sluice_error *err)
{
    if (event == NULL) {
        return sluice_fail(err, SLUICE_RETRY,
                           "no answer to a commit of offsets in time");
    }
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NO_OFFSET) {
        return SLUICE_OK;
    }
    return sluice_fail(err, SLUICE_RETRY, "cannot commit offsets: %s",
                       rd_kafka_err2str(code));
}

sluice_status kafka_consumer_commit(kafka_consumer *self, const kafka_position *next,
                                    size_t count, int timeout_ms, sluice_error *err)
{
    if (count == 0) {
        return SLUICE_OK;
    }
    rd_kafka_topic_partition_list_t *list = list_of(next, count);
    rd_kafka_queue_t *answers = rd_kafka_queue_new(self->client);
    rd_kafka_resp_err_t code =
        rd_kafka_commit_queue(self->client, list, answers, NULL, NULL);
    sluice_status status = SLUICE_OK;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        status = sluice_fail(err, SLUICE_RETRY, "cannot commit offsets: %s",
                             rd_kafka_err2str(code));
    } else {
        rd_kafka_event_t *event = rd_kafka_queue_poll(answers, timeout_ms);
        status = commit_answer(event, err);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(answers);
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

int64_t kafka_consumer_lag(kafka_consumer *self, const char *topic, int32_t partition,
                           int64_t offset)
{
    int64_t low, high;
    if (rd_kafka_get_watermark_offsets(self->client, topic, partition, &low, &high) !=
            RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0) {
        return -1;
    }
    return offset > high ? 0 : high - offset;
}
