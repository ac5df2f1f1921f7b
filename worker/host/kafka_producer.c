/* The producer: messages in without copies, deliveries out as events. */
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/host/kafka_client.h"
#include "worker/host/kafka_common.h"
#include "worker/host/kafka_headers.h"
#include "worker/host/kafka_topic.h"
#include <pthread.h>
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    detached_max = 64,     /* Header lists that are given back at a time. */
    message_overhead = 41, /* Of a message in a request, at most … */
    header_overhead = 10,  /* … and of a header. */
    lanes = 2,             /* KAFKA_QUICK, and KAFKA_BULK once it is used. */
    together_max = 256,    /* Messages handed over at once. */
    broker_request_max = 100 * 1024 * 1024, /* socket.request.max.bytes */
};

struct kafka_topic {
    topic_side *_Atomic in[lanes]; /* NULL: not made yet. */
    char *name;
};

/* A client, and where its events are. */
typedef struct lane_client {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
} lane_client;

struct kafka_producer {
    lane_client quick, bulk;
    lane_client *_Atomic in[lanes]; /* NULL: not made yet. */
    int fd;
    pthread_mutex_t lock; /* Guards `topics` and the making of lanes. */
    map topics;
    rd_kafka_conf_t *quick_conf; /* NULL: it is made already … */
    rd_kafka_conf_t *bulk_conf;  /* … or there is none. */
    bool two_lanes;
    kafka_headers headers;
    bool ignores_keys;
    size_t message_max, batch_max; /* message.max.bytes, batch.size */
};

/* linger.ms: pace.h says when records wait for others, and while it waits, librdkafka's
 * thread spins in the last millisecond. batch.num.messages: a lot of the smallest
 * records is one request. queue.buffering.max.*: above what the tasks let be under way,
 * so that they wait at their own limit, which is bytes of memory, and not at this one.
 * message.copy.max.bytes: larger values are sent from where they are.
 * sticky.partitioning.linger.ms: kafka_topic.h does that. message.max.bytes: Java's
 * max.request.size. log.connection.close: a broker that closes while records are on
 * their way may not like them. */
static const char *const ours[] = {"message.max.bytes",
                                   "1048576",
                                   "enable.idempotence",
                                   "true",
                                   "acks",
                                   "all",
                                   "partitioner",
                                   "murmur2_random",
                                   "linger.ms",
                                   "0",
                                   "message.timeout.ms",
                                   "0",
                                   "queue.buffering.max.kbytes",
                                   "131072",
                                   "queue.buffering.max.messages",
                                   "2000000",
                                   "batch.num.messages",
                                   "25000",
                                   "message.copy.max.bytes",
                                   "1000",
                                   "sticky.partitioning.linger.ms",
                                   "0",
                                   "log.connection.close",
                                   "true",
                                   NULL};

static const char in_flight_setting[] = "max.in.flight.requests.per.connection";

/* What else the bulk lane is told. A request is full at so many messages too. */
static const char *const bulk_ours[] = {"linger.ms", "25", "batch.num.messages",
                                        "10000", NULL};

static rd_kafka_conf_t *bulk_conf_of(const rd_kafka_conf_t *quick)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(quick);
    for (const char *const *pair = bulk_ours; *pair != NULL; pair += 2) {
        rd_kafka_conf_set(conf, pair[0], pair[1], NULL, 0);
    }
    return conf;
}

/* Takes `conf` when it returns true. */
static bool lane_open(kafka_producer *self, lane_client *lane, rd_kafka_conf_t *conf,
                      char *reason, size_t size)
{
    lane->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, size);
    if (lane->client != NULL) {
        lane->queue = rd_kafka_queue_get_main(lane->client);
        kafka_queue_join(lane->queue, self->fd);
    }
    return lane->client != NULL;
}

static size_t number_of(const rd_kafka_conf_t *conf, const char *name)
{
    char text[64];
    size_t size = sizeof text;
    int32_t number = 0;
    bool good = rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK &&
                text_to_int32(text, &number);
    return good && number > 0 ? (size_t)number : 0;
}

/* What the settings have come to. */
static void read_settings(kafka_producer *self, const rd_kafka_conf_t *conf)
{
    char text[64];
    size_t size = sizeof text;
    self->ignores_keys =
        rd_kafka_conf_get(conf, "partitioner", text, &size) == RD_KAFKA_CONF_OK &&
        strcmp(text, "random") == 0;
    self->message_max = number_of(conf, "message.max.bytes");
    self->batch_max = number_of(conf, "batch.size");
    if (self->message_max > broker_request_max) {
        sluice_log(SLUICE_WARN, "worker.client",
                   "max.request.size is %zu: the broker must take requests as large, "
                   "or it closes connections and records stay unsent (its "
                   "socket.request.max.bytes is %d where nobody has set it)",
                   self->message_max, broker_request_max);
    }
}

int kafka_producer_fd(const kafka_producer *self)
{
    return self->fd;
}

/* Also when a lane has been made: a queue rings when it is no longer empty, and what
 * came before the lane was known rang in vain. */
void kafka_producer_nudge(kafka_producer *self)
{
    static const uint64_t one = 1;
    (void)!write(self->fd, &one, sizeof one);
}

/* Whether nothing but the client's own table of values could refuse it: then it need
 * not be made to know that it can be. */
static bool is_plain(const sluice_props *settings)
{
    for (size_t i = 0; i < sluice_props_count(settings); i++) {
        const char *name = sluice_props_name(settings, i);
        if (strcmp(name, "bootstrap.servers") != 0 && strcmp(name, "client.id") != 0) {
            return false;
        }
    }
    return true;
}

/* The quick lane's client, made when it is first wanted: a source that has nothing to
 * send costs no threads and no connection. Under the lock, or by the only thread. */
static sluice_status open_quick(kafka_producer *self, sluice_error *err)
{
    char reason[512];
    if (self->in[KAFKA_QUICK] != NULL) {
        return SLUICE_OK;
    }
    if (!lane_open(self, &self->quick, self->quick_conf, reason, sizeof reason)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "cannot make a producer: %s",
                           reason);
    }
    self->quick_conf = NULL;
    self->in[KAFKA_QUICK] = &self->quick;
    kafka_producer_nudge(self);
    return SLUICE_OK;
}

/* Whether idempotence, which nobody has asked for, cannot go with what is asked for. */
static bool forgoes_idempotence(const sluice_props *settings)
{
    const char *acks = sluice_props_get(settings, "acks");
    return (acks != NULL && strcmp(acks, "all") != 0 && strcmp(acks, "-1") != 0) ||
           client_settings_number(settings, "retries", 1) == 0 ||
           client_settings_number(settings, in_flight_setting, 1) > 5;
}

/* Kafka Connect's producers keep the order by one request at a time; so do ours where
 * they cannot by idempotence. */
static void settle_order(const sluice_props *settings, rd_kafka_conf_t *conf)
{
    const char *asked = sluice_props_get(settings, "enable.idempotence");
    bool off = asked != NULL ? text_equal_nocase(asked, "false")
                             : forgoes_idempotence(settings);
    if (off) {
        rd_kafka_conf_set(conf, "enable.idempotence", "false", NULL, 0);
    }
    if (off && sluice_props_get(settings, in_flight_setting) == NULL) {
        rd_kafka_conf_set(conf, "max.in.flight", "1", NULL, 0);
    }
}

sluice_status kafka_producer_new(const sluice_props *settings,
                                 kafka_producer **ret_producer, sluice_error *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(CLIENT_PRODUCER, ours, settings, err);
    if (conf == NULL) {
        return SLUICE_BAD_CONFIG;
    }
    settle_order(settings, conf);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    kafka_producer *self = memory_zero(sizeof *self);
    read_settings(self, conf);
    self->fd = kafka_queue_fd();
    self->two_lanes = sluice_props_get(settings, "linger.ms") == NULL;
    self->quick_conf = conf;
    self->bulk_conf = self->two_lanes ? bulk_conf_of(conf) : NULL;
    pthread_mutex_init(&self->lock, NULL);
    kafka_headers_init(&self->headers);
    map_init(&self->topics);
    sluice_status status = is_plain(settings) ? SLUICE_OK : open_quick(self, err);
    if (status != SLUICE_OK) {
        kafka_producer_free(self);
        return status;
    }
    *ret_producer = self;
    return SLUICE_OK;
}

bool kafka_producer_has_bulk(const kafka_producer *self)
{
    return self->two_lanes;
}

/* The lanes' clients that there are: how many. */
static int lane_list(const kafka_producer *self, lane_client *ret_list[lanes])
{
    int count = 0;
    for (int i = 0; i < lanes; i++) {
        lane_client *lane = self->in[i];
        if (lane != NULL && (count == 0 || lane != ret_list[0])) {
            ret_list[count++] = lane;
        }
    }
    return count;
}

static void lane_close(lane_client *lane)
{
    rd_kafka_purge(lane->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_queue_io_event_enable(lane->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(lane->queue);
}

static void topic_leave(kafka_topic *topic)
{
    topic_side *quick = topic->in[KAFKA_QUICK], *bulk = topic->in[KAFKA_BULK];
    topic_side_leave(quick);
    if (bulk != NULL && bulk != quick) {
        topic_side_leave(bulk);
    }
}

static void topic_free(kafka_topic *topic)
{
    topic_side *quick = topic->in[KAFKA_QUICK], *bulk = topic->in[KAFKA_BULK];
    free(quick);
    if (bulk != quick) {
        free(bulk);
    }
    free(topic->name);
    free(topic);
}

static void each_topic(kafka_producer *self, void (*what)(kafka_topic *topic))
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->topics, &at)) != NULL;) {
        what(entry->value);
    }
}

void kafka_producer_free(kafka_producer *self)
{
    if (self == NULL) {
        return;
    }
    lane_client *list[lanes];
    int count = lane_list(self, list);
    for (int i = 0; i < count; i++) {
        lane_close(list[i]);
    }
    each_topic(self, topic_leave);
    for (int i = 0; i < count; i++) {
        rd_kafka_destroy(list[i]->client);
    }
    each_topic(self, topic_free);
    map_done(&self->topics);
    if (self->quick_conf != NULL) {
        rd_kafka_conf_destroy(self->quick_conf);
    }
    if (self->bulk_conf != NULL) {
        rd_kafka_conf_destroy(self->bulk_conf);
    }
    close(self->fd);
    kafka_headers_done(&self->headers);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* The lane's client; the quick one's also where a second cannot be made. */
static lane_client *lane_of(kafka_producer *self, kafka_lane lane)
{
    lane_client *found = self->in[lane];
    if (found != NULL) {
        return found;
    }
    pthread_mutex_lock(&self->lock);
    if (self->in[lane] == NULL) {
        char reason[512];
        bool made =
            lane_open(self, &self->bulk, self->bulk_conf, reason, sizeof reason);
        if (made) {
            self->bulk_conf = NULL;
        } else {
            sluice_log(SLUICE_WARN, "worker.client",
                       "cannot make a second producer: %s; going on with one", reason);
        }
        self->in[lane] = made ? &self->bulk : &self->quick;
        kafka_producer_nudge(self);
    }
    pthread_mutex_unlock(&self->lock);
    return self->in[lane];
}

/* The topic in a lane. */
static topic_side *side_of(kafka_producer *self, kafka_topic *topic, kafka_lane lane)
{
    topic_side *found = topic->in[lane];
    if (found != NULL) {
        return found;
    }
    lane_client *in = lane_of(self, lane);
    pthread_mutex_lock(&self->lock);
    if (topic->in[lane] == NULL) {
        topic->in[lane] = in == &self->quick ? topic->in[KAFKA_QUICK]
                                             : topic_side_new(in->client, topic->name,
                                                              self->ignores_keys);
    }
    pthread_mutex_unlock(&self->lock);
    return topic->in[lane];
}

kafka_topic *kafka_producer_topic(kafka_producer *self, const char *name,
                                  sluice_error *err)
{
    pthread_mutex_lock(&self->lock);
    kafka_topic *topic = map_get_text(&self->topics, name);
    if (topic == NULL && open_quick(self, err) == SLUICE_OK) {
        topic = memory_zero(sizeof *topic);
        topic->in[KAFKA_QUICK] =
            topic_side_new(self->quick.client, name, self->ignores_keys);
        topic->name = memory_text(name);
        map_put_text(&self->topics, name, topic);
    }
    pthread_mutex_unlock(&self->lock);
    return topic;
}

const char *kafka_topic_name(const kafka_topic *topic)
{
    return topic->name;
}

static sluice_status refusal(kafka_producer *self, rd_kafka_resp_err_t code,
                             const kafka_message *message, sluice_error *err)
{
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return SLUICE_RETRY;
    }
    if (kafka_producer_is_dead(self, err)) {
        return SLUICE_FATAL;
    }
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "it has %zu bytes, and max.request.size is %zu: set "
                           "producer.override.max.request.size and the topic's "
                           "max.message.bytes to more",
                           message->key.len + message->value.len, self->message_max);
    }
    return sluice_fail(err, SLUICE_BAD_RECORD, "%s", rd_kafka_err2str(code));
}

pace_size kafka_message_size(const kafka_message *message)
{
    size_t payload = message->key.len + message->value.len;
    size_t wire = message_overhead + payload;
    for (size_t i = 0; i < message->header_count; i++) {
        const kafka_header *header = &message->headers[i];
        wire += header_overhead + strlen(header->name) + header->value.len;
    }
    return (pace_size){wire, payload, 1};
}

/* A message with a time or headers. Before 2.12, librdkafka frees headers that it made
 * itself twice when the partition does not exist; a list of ours stays ours then. */
static rd_kafka_resp_err_t produce_whole(kafka_producer *self, kafka_lane lane,
                                         const kafka_message *message)
{
    bool headed = message->header_count > 0;
    rd_kafka_headers_t *headers =
        !headed ? NULL
                : kafka_headers_take(&self->headers, message->headers,
                                     message->header_count);
    rd_kafka_vu_t parts[] = {
        {RD_KAFKA_VTYPE_RKT, .u.rkt = side_of(self, message->topic, lane)->object},
        {RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition},
        {RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)message->value.base, message->value.len}},
        {RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)message->key.base, message->key.len}},
        {RD_KAFKA_VTYPE_OPAQUE, .u.ptr = message->opaque},
        {RD_KAFKA_VTYPE_TIMESTAMP,
         .u.i64 = message->timestamp < 0 ? 0 : message->timestamp},
        {RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof parts / sizeof *parts - !headed;
    rd_kafka_error_t *error =
        rd_kafka_produceva(lane_of(self, lane)->client, parts, count);
    if (error == NULL) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    kafka_headers_put(&self->headers, &headers, headed);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

static rd_kafka_resp_err_t produce_one(kafka_producer *self, kafka_lane lane,
                                       const kafka_message *message)
{
    if (message->timestamp >= 0 || message->header_count > 0) {
        return produce_whole(self, lane, message);
    }
    int result = rd_kafka_produce(side_of(self, message->topic, lane)->object,
                                  message->partition, 0, (void *)message->value.base,
                                  message->value.len, message->key.base,
                                  message->key.len, message->opaque);
    return result == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
}

/* Whether a message can go together with `first`: nothing but key and value, to the
 * same place, and small enough for certain, so that what refuses it refuses all behind
 * it, too. */
static bool goes_with(const kafka_producer *self, const kafka_message *first,
                      const kafka_message *message)
{
    return message->topic == first->topic && message->partition == first->partition &&
           message->timestamp < 0 && message->header_count == 0 &&
           kafka_message_size(message).wire + message_overhead < self->message_max;
}

/* Hands over those at the front that can go together. `*ret_taken`: how many did. */
static rd_kafka_resp_err_t produce_together(kafka_producer *self, kafka_lane lane,
                                            const kafka_message *messages, size_t count,
                                            size_t *ret_taken)
{
    rd_kafka_message_t list[together_max];
    topic_side *side = side_of(self, messages->topic, lane);
    int32_t partition = topic_side_known(side, messages->partition);
    size_t used = 0, max = count < together_max ? count : together_max;
    *ret_taken = 0;
    if (partition < 0) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    for (; used < max && goes_with(self, messages, &messages[used]); used++) {
        const kafka_message *one = &messages[used];
        list[used] = (rd_kafka_message_t){.payload = (void *)one->value.base,
                                          .len = one->value.len,
                                          .key = (void *)one->key.base,
                                          .key_len = one->key.len,
                                          ._private = one->opaque};
    }
    if (used == 0) {
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    rd_kafka_produce_batch(side->object, partition, 0, list, (int)used);
    while (*ret_taken < used && list[*ret_taken].err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++*ret_taken;
    }
    return *ret_taken < used ? list[*ret_taken].err : RD_KAFKA_RESP_ERR_NO_ERROR;
}

sluice_status kafka_produce(kafka_producer *self, kafka_lane lane,
                            const kafka_message *messages, size_t count,
                            size_t *ret_taken, sluice_error *err)
{
    size_t more = 0;
    rd_kafka_resp_err_t code = produce_one(self, lane, messages);
    *ret_taken = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (*ret_taken > 0 && count > 1) {
        code = produce_together(self, lane, messages + 1, count - 1, &more);
    }
    *ret_taken += more;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? SLUICE_OK
               : refusal(self, code, messages + *ret_taken, err);
}

/* Why a message was not delivered. The log looks at batches, which hold records up to
 * batch.size, and at least one. */
static const char *loss(const kafka_producer *self, const rd_kafka_message_t *message,
                        char *out, size_t size)
{
    size_t bytes = message->len + message->key_len;
    if (message->err != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        return rd_kafka_err2str(message->err);
    }
    if (bytes >= self->batch_max) {
        snprintf(out, size,
                 "it has %zu bytes, more than the broker allows: set the topic's "
                 "max.message.bytes (the broker's message.max.bytes) to more",
                 bytes);
    } else {
        snprintf(out, size,
                 "it has %zu bytes, and the broker refuses the batch that it is in: "
                 "set the topic's max.message.bytes (the broker's message.max.bytes) "
                 "to more than batch.size, which is %zu, or "
                 "producer.override.batch.size to less",
                 bytes, self->batch_max);
    }
    return out;
}

/* Header lists on their way from messages to the next ones. */
typedef struct detached {
    rd_kafka_headers_t *lists[detached_max];
    size_t count;
} detached;

static void detach(kafka_producer *self, detached *to,
                   const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *list;
    if (rd_kafka_message_detach_headers((rd_kafka_message_t *)message, &list) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    to->lists[to->count++] = list;
    if (to->count == detached_max) {
        kafka_headers_put(&self->headers, to->lists, to->count);
        to->count = 0;
    }
}

/* Messages of a batch are delivered in runs: one call a run, not one a message. */
static void serve_event(kafka_producer *self, rd_kafka_event_t *event,
                        const kafka_delivery_ops *ops, void *context)
{
    void *opaque = NULL;
    size_t run = 0;
    detached headers = {.count = 0};
    const rd_kafka_message_t *message;
    while ((message = rd_kafka_event_message_next(event)) != NULL) {
        detach(self, &headers, message);
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            char why[320];
            ops->failed(context, message->_private, rd_kafka_topic_name(message->rkt),
                        message->partition, loss(self, message, why, sizeof why));
            continue;
        }
        if (message->_private != opaque && run > 0) {
            ops->delivered(context, opaque, run);
            run = 0;
        }
        opaque = message->_private;
        run++;
    }
    kafka_headers_put(&self->headers, headers.lists, headers.count);
    if (run > 0) {
        ops->delivered(context, opaque, run);
    }
}

static void serve_lane(kafka_producer *self, lane_client *lane,
                       const kafka_delivery_ops *ops, void *context)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(lane->queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            serve_event(self, event, ops, context);
        }
        rd_kafka_event_destroy(event);
    }
}

void kafka_producer_serve(kafka_producer *self, const kafka_delivery_ops *ops,
                          void *context)
{
    kafka_queue_fd_clear(self->fd);
    lane_client *list[lanes];
    int count = lane_list(self, list);
    for (int i = 0; i < count; i++) {
        serve_lane(self, list[i], ops, context);
    }
}

void kafka_producer_trim(kafka_producer *self)
{
    kafka_headers_trim(&self->headers);
}

void kafka_producer_cancel(kafka_producer *self)
{
    lane_client *list[lanes];
    int count = lane_list(self, list);
    for (int i = 0; i < count; i++) {
        rd_kafka_purge(list[i]->client,
                       RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    }
}

bool kafka_producer_is_dead(kafka_producer *self, sluice_error *err)
{
    char reason[512];
    lane_client *list[lanes];
    int count = lane_list(self, list);
    for (int i = 0; i < count; i++) {
        if (rd_kafka_fatal_error(list[i]->client, reason, sizeof reason) !=
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            sluice_fail(err, SLUICE_FATAL, "the producer cannot go on: %s", reason);
            return true;
        }
    }
    return false;
}

sluice_status kafka_cluster_id(const sluice_props *settings, int timeout_ms,
                               char **ret_id, sluice_error *err)
{
    kafka_producer *producer;
    sluice_status status = kafka_producer_new(settings, &producer, err);
    if (status != SLUICE_OK) {
        return status;
    }
    status = open_quick(producer, err);
    char *id = status != SLUICE_OK
                   ? NULL
                   : rd_kafka_clusterid(producer->quick.client, timeout_ms);
    if (status == SLUICE_OK && id == NULL) {
        status =
            sluice_fail(err, SLUICE_RETRY, "'%s' does not answer in %d ms",
                        sluice_props_get(settings, "bootstrap.servers"), timeout_ms);
    } else if (status == SLUICE_OK) {
        *ret_id = memory_text(id);
        rd_kafka_mem_free(producer->quick.client, id);
    }
    kafka_producer_free(producer);
    return status;
}
