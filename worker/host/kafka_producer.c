/* The producer: messages in without copies, deliveries out as events. */
#include "base/map.h"
#include "base/memory.h"
#include "worker/host/kafka_client.h"
#include "worker/host/kafka_common.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { headers_max = 256, metadata_timeout_ms = 10 * 1000 };

struct kafka_topic {
    rd_kafka_topic_t *topic;
    char *name;
    int32_t partitions; /* As last asked for; 0: never. */
};

struct kafka_producer {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    int fd;
    pthread_mutex_t lock; /* Guards `topics`. */
    map topics;
};

/* linger.ms: records are collected while others are under way (flights.h), and while it
 * waits, librdkafka's thread spins in the last millisecond. queue.buffering.max.*:
 * above what the tasks let be under way, so that they wait at their own limit, which is
 * bytes of memory, and not at this one. */
static const char *const ours[] = {"enable.idempotence",
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
                                   NULL};

sluice_status kafka_producer_new(const sluice_props *settings,
                                 kafka_producer **ret_producer, sluice_error *err)
{
    rd_kafka_conf_t *conf = kafka_conf_new(CLIENT_PRODUCER, ours, settings, err);
    if (conf == NULL) {
        return SLUICE_BAD_CONFIG;
    }
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    char reason[512];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    if (client == NULL) {
        rd_kafka_conf_destroy(conf);
        return sluice_fail(err, SLUICE_BAD_CONFIG, "cannot make a producer: %s",
                           reason);
    }
    kafka_producer *self = memory_zero(sizeof *self);
    self->client = client;
    self->queue = rd_kafka_queue_get_main(client);
    self->fd = kafka_queue_fd(self->queue);
    pthread_mutex_init(&self->lock, NULL);
    map_init(&self->topics);
    *ret_producer = self;
    return SLUICE_OK;
}

void kafka_producer_free(kafka_producer *self)
{
    if (self == NULL) {
        return;
    }
    rd_kafka_purge(self->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_queue_io_event_enable(self->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(self->queue);
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->topics, &at)) != NULL;) {
        kafka_topic *topic = entry->value;
        rd_kafka_topic_destroy(topic->topic);
        free(topic->name);
        free(topic);
    }
    map_done(&self->topics);
    rd_kafka_destroy(self->client);
    close(self->fd);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

kafka_topic *kafka_producer_topic(kafka_producer *self, const char *name, bool *ret_new)
{
    pthread_mutex_lock(&self->lock);
    kafka_topic *topic = map_get_text(&self->topics, name);
    bool is_new = topic == NULL;
    if (is_new) {
        topic = memory_zero(sizeof *topic);
        topic->topic = rd_kafka_topic_new(self->client, name, NULL);
        topic->name = memory_text(name);
        map_put_text(&self->topics, name, topic);
    }
    pthread_mutex_unlock(&self->lock);
    if (ret_new != NULL) {
        *ret_new = is_new;
    }
    return topic;
}

const char *kafka_topic_name(const kafka_topic *topic)
{
    return topic->name;
}

static sluice_status refusal(kafka_producer *self, rd_kafka_resp_err_t code,
                             sluice_error *err)
{
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return SLUICE_RETRY;
    }
    if (kafka_producer_is_dead(self, err)) {
        return SLUICE_FATAL;
    }
    return sluice_fail(err, SLUICE_BAD_RECORD, "%s", rd_kafka_err2str(code));
}

/* Before 2.12, librdkafka frees headers twice when the partition does not exist, so
 * that a partition that is asked for is looked up first. */
static bool partition_exists(kafka_producer *self, const kafka_message *message)
{
    kafka_topic *topic = message->topic;
    if (message->partition < 0 || message->partition < topic->partitions) {
        return true;
    }
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(self->client, 0, topic->topic, &metadata,
                          metadata_timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    for (int i = 0; i < metadata->topic_cnt; i++) {
        topic->partitions = metadata->topics[i].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return message->partition < topic->partitions;
}

static rd_kafka_resp_err_t produce_whole(kafka_producer *self,
                                         const kafka_message *message)
{
    if (message->header_count > 0 && !partition_exists(self, message)) {
        return RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    }
    if (message->header_count > headers_max) {
        return RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    }
    rd_kafka_vu_t parts[6 + headers_max];
    size_t count = 0;
    parts[count].vtype = RD_KAFKA_VTYPE_RKT;
    parts[count++].u.rkt = message->topic->topic;
    parts[count].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts[count++].u.i32 = message->partition;
    parts[count].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[count].u.mem.ptr = (void *)message->value.base;
    parts[count++].u.mem.size = message->value.len;
    parts[count].vtype = RD_KAFKA_VTYPE_KEY;
    parts[count].u.mem.ptr = (void *)message->key.base;
    parts[count++].u.mem.size = message->key.len;
    parts[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
    parts[count++].u.ptr = message->opaque;
    parts[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    parts[count++].u.i64 = message->timestamp < 0 ? 0 : message->timestamp;
    for (size_t i = 0; i < message->header_count; i++) {
        parts[count].vtype = RD_KAFKA_VTYPE_HEADER;
        parts[count].u.header.name = message->headers[i].name;
        parts[count].u.header.val = message->headers[i].value.base;
        parts[count++].u.header.size = (ssize_t)message->headers[i].value.len;
    }
    rd_kafka_error_t *error = rd_kafka_produceva(self->client, parts, count);
    rd_kafka_resp_err_t code =
        error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

sluice_status kafka_produce(kafka_producer *self, const kafka_message *message,
                            sluice_error *err)
{
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (message->timestamp >= 0 || message->header_count > 0) {
        code = produce_whole(self, message);
    } else if (rd_kafka_produce(message->topic->topic, message->partition, 0,
                                (void *)message->value.base, message->value.len,
                                message->key.base, message->key.len,
                                message->opaque) != 0) {
        code = rd_kafka_last_error();
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? SLUICE_OK : refusal(self, code, err);
}

int kafka_producer_fd(const kafka_producer *self)
{
    return self->fd;
}

/* Messages of a batch are delivered in runs: one call a run, not one a message. */
static void serve_event(rd_kafka_event_t *event, const kafka_delivery_ops *ops,
                        void *context)
{
    void *opaque = NULL;
    size_t run = 0;
    const rd_kafka_message_t *message;
    while ((message = rd_kafka_event_message_next(event)) != NULL) {
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            ops->failed(context, message->_private, rd_kafka_topic_name(message->rkt),
                        message->partition, rd_kafka_err2str(message->err));
            continue;
        }
        if (message->_private != opaque && run > 0) {
            ops->delivered(context, opaque, run);
            run = 0;
        }
        opaque = message->_private;
        run++;
    }
    if (run > 0) {
        ops->delivered(context, opaque, run);
    }
}

void kafka_producer_serve(kafka_producer *self, const kafka_delivery_ops *ops,
                          void *context)
{
    kafka_queue_fd_clear(self->fd);
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(self->queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            serve_event(event, ops, context);
        }
        rd_kafka_event_destroy(event);
    }
}

void kafka_producer_cancel(kafka_producer *self)
{
    rd_kafka_purge(self->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

bool kafka_producer_is_dead(kafka_producer *self, sluice_error *err)
{
    char reason[512];
    if (rd_kafka_fatal_error(self->client, reason, sizeof reason) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    sluice_fail(err, SLUICE_FATAL, "the producer cannot go on: %s", reason);
    return true;
}

sluice_status kafka_cluster_id(const sluice_props *settings, int timeout_ms,
                               char **ret_id, sluice_error *err)
{
    kafka_producer *producer;
    sluice_status status = kafka_producer_new(settings, &producer, err);
    if (status != SLUICE_OK) {
        return status;
    }
    char *id = rd_kafka_clusterid(producer->client, timeout_ms);
    if (id == NULL) {
        status =
            sluice_fail(err, SLUICE_RETRY, "'%s' does not answer in %d ms",
                        sluice_props_get(settings, "bootstrap.servers"), timeout_ms);
    } else {
        *ret_id = memory_text(id);
        rd_kafka_mem_free(producer->client, id);
    }
    kafka_producer_free(producer);
    return status;
}
