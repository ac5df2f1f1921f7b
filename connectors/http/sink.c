/* The sink: groups the records of a put into requests, and sends each until it arrives.
 */
#include "sink.h"
#include "body.h"
#include "request.h"
#include <stdlib.h>
#include <string.h>

#define LOGGER "connectors.http"

typedef struct http_sink {
    const http_config *config;
    sluice_task *task;
    http_client *client;
    http_body *body;
    /* How many records of the batch that begins with this one have arrived: a batch
     * that comes again after SLUICE_RETRY goes on there. */
    size_t delivered;
    const char *first_topic; /* Compared as a text; owned. */
    int32_t first_partition;
    int64_t first_offset;
    sluice_error *why;                       /* Reused for bad records. */
    const char *prefix, *suffix, *separator; /* Of a batch; borrowed from the task. */
} http_sink;

/* A text as it was configured: spaces and line breaks count here, and parsing trims. */
static const char *exact(const sluice_task *task, const char *key, const char *fallback)
{
    const char *value = sluice_props_get(sluice_task_props(task), key);
    return value == NULL ? fallback : value;
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
    sink->first_offset = SLUICE_NO_OFFSET;
    sink->body = http_body_new(config);
    sluice_status status =
        sink->body == NULL
            ? sluice_fail(err, SLUICE_FATAL, "no memory for an HTTP sink")
            : http_client_new(config, &sink->client, err);
    if (status != SLUICE_OK) {
        http_body_free(sink->body);
        free(sink);
        return status;
    }
    sink->why = sluice_error_new();
    sink->prefix = exact(task, "batch.prefix", "");
    sink->suffix = exact(task, "batch.suffix", "\n");
    sink->separator = exact(task, "batch.separator", "\n");
    *ret_self = sink;
    return SLUICE_OK;
}

static void sink_destroy(void *self)
{
    http_sink *sink = self;
    if (sink == NULL) {
        return;
    }
    http_client_free(sink->client);
    http_body_free(sink->body);
    sluice_error_free(sink->why);
    free((char *)sink->first_topic);
    free(sink);
}

/* Whether `in` is the batch that was given before; if not, counting begins anew. */
static void recognise(http_sink *sink, const sluice_batch *in)
{
    const sluice_record *first = sluice_batch_record(in, 0);
    const char *topic = sluice_record_original_topic(first);
    int32_t partition = sluice_record_original_partition(first);
    int64_t offset = sluice_record_offset(first);
    bool same = sink->first_topic != NULL && topic != NULL &&
                strcmp(sink->first_topic, topic) == 0 &&
                sink->first_partition == partition && sink->first_offset == offset &&
                sink->delivered <= sluice_batch_count(in);
    if (!same) {
        free((char *)sink->first_topic);
        sink->first_topic = topic == NULL ? NULL : strdup(topic);
        sink->first_partition = partition;
        sink->first_offset = offset;
        sink->delivered = 0;
    }
}

/* Sends the body until it arrives, is refused, or no retries remain. */
static http_result send_body(http_sink *sink, http_answer *answer)
{
    const http_config *config = sink->config;
    sluice_bytes bytes = http_body_bytes(sink->body);
    for (int32_t attempt = 0;; attempt++) {
        http_client_post(sink->client, sink->task, bytes, answer);
        if (answer->result != HTTP_AGAIN || attempt >= config->retries_max) {
            return answer->result;
        }
        int64_t wait_ms = config->retry_backoff_ms > answer->retry_after_ms
                              ? config->retry_backoff_ms
                              : answer->retry_after_ms;
        sluice_log(SLUICE_WARN, LOGGER,
                   "%s; sending again in %lld ms, attempt %d of %d", answer->text,
                   (long long)wait_ms, attempt + 1, config->retries_max);
        if (sluice_task_wait(sink->task, -1, 0, (int)wait_ms) & SLUICE_WAIT_STOP) {
            answer->result = HTTP_STOPPED;
            return answer->result;
        }
    }
}

static sluice_status failure(const http_sink *sink, const http_answer *answer,
                             sluice_error *err)
{
    if (answer->result == HTTP_STOPPED) {
        return sluice_fail(err, SLUICE_RETRY, "stopped while records were being sent");
    }
    if (answer->result == HTTP_AGAIN && sink->config->kafka_retry_backoff_ms >= 0) {
        return sluice_fail(err, SLUICE_RETRY, "%s; the same records will be sent again",
                           answer->text);
    }
    if (answer->result == HTTP_AGAIN) {
        return sluice_fail(err, SLUICE_FATAL,
                           "Sending failed and no retries remain, stopping: %s; "
                           "max.retries is %d",
                           answer->text, sink->config->retries_max);
    }
    return sluice_fail(err, SLUICE_FATAL, "%s; the request would be refused again",
                       answer->text);
}

/* A record that cannot be rendered: skipped if the worker tolerates it. */
static sluice_status bad_record(http_sink *sink, const sluice_record *record,
                                sluice_error *err)
{
    sluice_status status = sluice_task_dead_letter(sink->task, record, sink->why);
    return status == SLUICE_OK
               ? SLUICE_OK
               : sluice_fail(err, status, "%s", sluice_error_text(sink->why));
}

static bool ignored(const http_sink *sink, const sluice_record *record)
{
    return sluice_record_value(record) == NULL &&
           sink->config->null_values == HTTP_NULL_IGNORE;
}

static sluice_status add_text(http_sink *sink, const char *text, sluice_error *err)
{
    return http_body_add(sink->body, text, strlen(text), err);
}

/* Appends a record, behind the prefix or a separator where records are batched. On
 * failure the body is as it was. */
static sluice_status add_record(http_sink *sink, const sluice_record *record,
                                bool first, sluice_error *err)
{
    const http_config *config = sink->config;
    size_t len_before = http_body_bytes(sink->body).len;
    sluice_status status = SLUICE_OK;
    if (config->batching) {
        status = add_text(sink, first ? sink->prefix : sink->separator, err);
    }
    if (status == SLUICE_OK) {
        status = http_body_record(sink->body, record, err);
    }
    if (status != SLUICE_OK) {
        http_body_cut(sink->body, len_before);
    }
    return status;
}

/* Fills the body with records from `begin` on; `*ret_end` is the first that is not in
 * it,
 * `*ret_rendered` how many are. */
static sluice_status fill(http_sink *sink, const sluice_batch *in, size_t begin,
                          size_t *ret_end, size_t *ret_rendered, sluice_error *err)
{
    const http_config *config = sink->config;
    size_t count_max = config->batching ? (size_t)config->batch_max : 1;
    size_t count = sluice_batch_count(in), index = begin, rendered = 0;
    http_body_cut(sink->body, 0);
    for (; index < count && rendered < count_max; index++) {
        const sluice_record *record = sluice_batch_record(in, index);
        if (ignored(sink, record)) {
            continue;
        }
        sluice_error_clear(sink->why);
        if (add_record(sink, record, rendered == 0, sink->why) == SLUICE_OK) {
            rendered++;
            continue;
        }
        sluice_status status = bad_record(sink, record, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    *ret_end = index;
    *ret_rendered = rendered;
    return config->batching && rendered > 0 ? add_text(sink, sink->suffix, err)
                                            : SLUICE_OK;
}

/* A request that was refused for good: `last`, its only record, may be tolerated. */
static sluice_status refused(http_sink *sink, const sluice_record *last,
                             const http_answer *answer, sluice_error *err)
{
    if (answer->result != HTTP_REFUSED || sink->config->batching) {
        return failure(sink, answer, err);
    }
    sluice_fail(sink->why, SLUICE_FATAL, "%s; the request would be refused again",
                answer->text);
    return bad_record(sink, last, err);
}

static sluice_status sink_put(void *self, const sluice_batch *in, sluice_error *err)
{
    http_sink *sink = self;
    size_t count = sluice_batch_count(in);
    if (count == 0) {
        return SLUICE_OK;
    }
    recognise(sink, in);
    while (sink->delivered < count) {
        size_t end, rendered;
        sluice_status status = fill(sink, in, sink->delivered, &end, &rendered, err);
        http_answer answer;
        if (status == SLUICE_OK && rendered > 0 &&
            send_body(sink, &answer) != HTTP_DELIVERED) {
            status = refused(sink, sluice_batch_record(in, end - 1), &answer, err);
        }
        if (status != SLUICE_OK) {
            return status;
        }
        sink->delivered = end;
    }
    sink->first_offset = SLUICE_NO_OFFSET;
    return SLUICE_OK;
}

/* What was put has been answered: there is nothing else to make durable. */
static sluice_status sink_flush(void *self, sluice_offsets *safe, sluice_error *err)
{
    return SLUICE_OK;
}

const sluice_sink_ops http_sink_ops = {
    .size = sizeof(sluice_sink_ops),
    .create = sink_create,
    .destroy = sink_destroy,
    .put = sink_put,
    .flush = sink_flush,
};
