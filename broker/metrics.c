/* The page of metrics: requests, topics, partitions, groups, the process. */
#include "broker/metrics.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/process_metrics.h"
#include "broker/group/coordinator.h"
#include "broker/request/fetch_session.h"
#include "broker/request/group_edge.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct metrics {
    const broker_parts *parts;
    pthread_mutex_t lock;
    partition_traffic gone; /* Of topics that were deleted. */
};

/* A topic's sums and its partitions', as of one moment. */
typedef struct topic_measures {
    const topic *of;
    partition_traffic sum;
    partition_measures *partitions;
} topic_measures;

typedef struct page {
    buffer out;
    const broker_parts *parts;
    topic_measures *topics;
    size_t topic_count;
    int64_t partition_count, offline_count;
    partition_traffic sum; /* Of all topics there were. */
} page;

metrics *metrics_new(const broker_parts *parts)
{
    metrics *self = memory_zero(sizeof *self);
    self->parts = parts;
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

void metrics_free(metrics *self)
{
    if (self != NULL) {
        pthread_mutex_destroy(&self->lock);
        free(self);
    }
}

static void add_traffic(partition_traffic *sum, const partition_traffic *more)
{
    sum->appended_bytes += more->appended_bytes;
    sum->appended_records += more->appended_records;
    sum->appends += more->appends;
    sum->refused_appends += more->refused_appends;
    sum->read_bytes += more->read_bytes;
}

void metrics_topic_gone(metrics *self, const topic *gone)
{
    pthread_mutex_lock(&self->lock);
    for (int32_t i = 0; i < gone->partition_count; i++) {
        partition_measures measures;
        partition_measure(gone->partitions[i], &measures);
        add_traffic(&self->gone, &measures.traffic);
    }
    pthread_mutex_unlock(&self->lock);
}

/* ---- Lines ----------------------------------------------------------------------- */

static void head(page *self, const char *name, const char *type, const char *help)
{
    buffer_print(&self->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put(page *self, const char *name, int64_t value)
{
    buffer_print(&self->out, "%s %" PRId64 "\n", name, value);
}

static void put_gauge(page *self, const char *name, const char *help, int64_t value)
{
    head(self, name, "gauge", help);
    put(self, name, value);
}

/* ---- Topics and partitions ------------------------------------------------------- */

/* Names of topics need no escapes: they have no quotes, backslashes or line ends. */
static void put_traffic(page *self, const char *name, const char *help, size_t field)
{
    head(self, name, "counter", help);
    put(self, name, *(const int64_t *)((const char *)&self->sum + field));
    for (size_t i = 0; i < self->topic_count; i++) {
        const topic_measures *one = &self->topics[i];
        buffer_print(&self->out, "%s{topic=\"%s\"} %" PRId64 "\n", name, one->of->name,
                     *(const int64_t *)((const char *)&one->sum + field));
    }
}

static void put_topics(page *self)
{
    static const struct {
        const char *name, *help;
        size_t field;
    } rows[] = {
        {"kafka_server_brokertopicmetrics_messagesin_total", "Records appended.",
         offsetof(partition_traffic, appended_records)},
        {"kafka_server_brokertopicmetrics_bytesin_total", "Bytes appended.",
         offsetof(partition_traffic, appended_bytes)},
        {"kafka_server_brokertopicmetrics_bytesout_total", "Bytes given to consumers.",
         offsetof(partition_traffic, read_bytes)},
        {"kafka_server_brokertopicmetrics_totalproducerequests_total",
         "Batches that were to be appended.", offsetof(partition_traffic, appends)},
        {"kafka_server_brokertopicmetrics_failedproducerequests_total",
         "Batches that were refused.", offsetof(partition_traffic, refused_appends)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_traffic(self, rows[i].name, rows[i].help, rows[i].field);
    }
}

static void put_partition_gauge(page *self, const char *name, const char *help,
                                int64_t (*value)(const partition_measures *of))
{
    head(self, name, "gauge", help);
    for (size_t i = 0; i < self->topic_count; i++) {
        const topic_measures *one = &self->topics[i];
        for (int32_t j = 0; j < one->of->partition_count; j++) {
            buffer_print(&self->out,
                         "%s{topic=\"%s\",partition=\"%" PRId32 "\"} %" PRId64 "\n",
                         name, one->of->name, j, value(&one->partitions[j]));
        }
    }
}

static int64_t size_of(const partition_measures *of)
{
    return of->bytes;
}

static int64_t start_of(const partition_measures *of)
{
    return of->log_start;
}

static int64_t end_of(const partition_measures *of)
{
    return of->log_end;
}

static int64_t segments_of(const partition_measures *of)
{
    return (int64_t)of->segments;
}

static void put_partitions(page *self)
{
    put_partition_gauge(self, "kafka_log_log_size", "Bytes of all segments.", size_of);
    put_partition_gauge(self, "kafka_log_log_logstartoffset", "The first offset.",
                        start_of);
    put_partition_gauge(self, "kafka_log_log_logendoffset",
                        "The offset of the next record.", end_of);
    put_partition_gauge(self, "kafka_log_log_numlogsegments", "Segments.", segments_of);
    put_gauge(self, "kafka_server_replicamanager_partitioncount", "Partitions here.",
              self->partition_count);
    put_gauge(self, "kafka_server_replicamanager_leadercount", "Partitions led here.",
              self->partition_count - self->offline_count);
    put_gauge(self, "kafka_server_replicamanager_offlinereplicacount",
              "Partitions whose disk failed.", self->offline_count);
    put_gauge(self, "kafka_server_replicamanager_underreplicatedpartitions",
              "Always 0 on one node.", 0);
    put_gauge(self, "kafka_controller_kafkacontroller_globaltopiccount", "Topics.",
              (int64_t)self->topic_count);
    put_gauge(self, "kafka_controller_kafkacontroller_globalpartitioncount",
              "Partitions.", self->partition_count);
    put_gauge(self, "kafka_controller_kafkacontroller_offlinepartitionscount",
              "Partitions without a leader.", self->offline_count);
    put_gauge(self, "kafka_controller_kafkacontroller_activecontrollercount",
              "Always 1: this node.", 1);
}

/* ---- Requests and connections ---------------------------------------------------- */

typedef struct request_sums {
    const char *name;
    int64_t begun, ended, refused, time_us, within[counters_buckets + 1];
} request_sums;

static request_sums sum_requests(const page *self, int16_t key)
{
    request_sums sum = {.name = message_api_find(key)->name};
    for (size_t i = 0; i < net_server_thread_count(self->parts->server); i++) {
        const request_counters *one =
            &net_server_counters(self->parts->server, i)->apis[key];
        sum.begun += counter_read(&one->begun);
        sum.ended += counter_read(&one->ended);
        sum.refused += counter_read(&one->refused);
        sum.time_us += counter_read(&one->time_us);
        for (size_t j = 0; j <= counters_buckets; j++) {
            sum.within[j] += counter_read(&one->within[j]);
        }
    }
    return sum;
}

static void put_times(page *self, const request_sums *one)
{
    static const char name[] = "kafka_network_requestmetrics_totaltimems";
    int64_t count = 0;
    for (size_t i = 0; i < counters_buckets; i++) {
        count += one->within[i];
        buffer_print(&self->out, "%s_bucket{request=\"%s\",le=\"%g\"} %" PRId64 "\n",
                     name, one->name, (double)counters_bounds_us[i] / 1000, count);
    }
    count += one->within[counters_buckets];
    buffer_print(&self->out,
                 "%s_bucket{request=\"%s\",le=\"+Inf\"} %" PRId64 "\n"
                 "%s_sum{request=\"%s\"} %g\n%s_count{request=\"%s\"} %" PRId64 "\n",
                 name, one->name, count, name, one->name, (double)one->time_us / 1000,
                 name, one->name, count);
}

static void put_requests(page *self)
{
    request_sums *sums = memory_zero(served_api_count * sizeof *sums);
    head(self, "kafka_network_requestmetrics_requests_total", "counter", "Requests.");
    for (size_t i = 0; i < served_api_count; i++) {
        sums[i] = sum_requests(self, served_apis[i].key);
        buffer_print(&self->out,
                     "kafka_network_requestmetrics_requests_total{request=\"%s\"} "
                     "%" PRId64 "\n",
                     sums[i].name, sums[i].begun);
    }
    head(self, "kafka_network_requestmetrics_errors_total", "counter",
         "Requests that ended by closing their connection.");
    for (size_t i = 0; i < served_api_count; i++) {
        buffer_print(&self->out,
                     "kafka_network_requestmetrics_errors_total{request=\"%s\"} "
                     "%" PRId64 "\n",
                     sums[i].name, sums[i].refused);
    }
    head(self, "kafka_server_delayedoperationpurgatory_purgatorysize", "gauge",
         "Requests that are waiting for their answer.");
    for (size_t i = 0; i < served_api_count; i++) {
        buffer_print(&self->out,
                     "kafka_server_delayedoperationpurgatory_purgatorysize{"
                     "delayedOperation=\"%s\"} %" PRId64 "\n",
                     sums[i].name, sums[i].begun - sums[i].ended);
    }
    head(self, "kafka_network_requestmetrics_totaltimems", "histogram",
         "Milliseconds from a request's last byte to its answer.");
    for (size_t i = 0; i < served_api_count; i++) {
        if (sums[i].ended > 0) {
            put_times(self, &sums[i]);
        }
    }
    free(sums);
}

static void put_network(page *self)
{
    int64_t received = 0, sent = 0;
    const net_server *server = self->parts->server;
    for (size_t i = 0; i < net_server_thread_count(server); i++) {
        received += counter_read(&net_server_counters(server, i)->received_bytes);
        sent += counter_read(&net_server_counters(server, i)->sent_bytes);
    }
    put_gauge(self, "kafka_server_socket_server_metrics_connection_count",
              "Connections that are open.", (int64_t)net_server_connections(server));
    head(self, "kafka_server_socket_server_metrics_incoming_byte_total", "counter",
         "Bytes received.");
    put(self, "kafka_server_socket_server_metrics_incoming_byte_total", received);
    head(self, "kafka_server_socket_server_metrics_outgoing_byte_total", "counter",
         "Bytes sent.");
    put(self, "kafka_server_socket_server_metrics_outgoing_byte_total", sent);
    put_gauge(self, "kafka_server_kafkaserver_brokerstate", "3: running.", 3);
}

/* ---- Groups ---------------------------------------------------------------------- */

static void put_groups(page *self)
{
    static const char *const names[] = {
        "kafka_coordinator_group_groupmetadatamanager_numgroupsempty",
        "kafka_coordinator_group_groupmetadatamanager_numgroupspreparingrebalance",
        "kafka_coordinator_group_groupmetadatamanager_numgroupscompletingrebalance",
        "kafka_coordinator_group_groupmetadatamanager_numgroupsstable",
        "kafka_coordinator_group_groupmetadatamanager_numgroupsdead"};
    enum { states = sizeof names / sizeof *names };
    int64_t by_state[states] = {0};
    sluice_arena *arena = sluice_arena_new();
    group_coordinator *coordinator = group_edge_coordinator(self->parts->groups);
    group_description *groups;
    size_t count;
    group_core_list(group_coordinator_read(coordinator), arena, &groups, &count);
    group_coordinator_read_end(coordinator);
    for (size_t i = 0; i < count; i++) {
        if ((size_t)groups[i].state < states) {
            by_state[groups[i].state]++;
        }
    }
    put_gauge(self, "kafka_coordinator_group_groupmetadatamanager_numgroups",
              "Consumer groups.", (int64_t)count);
    for (size_t i = 0; i < states; i++) {
        put_gauge(self, names[i], "Of them, in this state.", by_state[i]);
    }
    sluice_arena_free(arena);
}

/* ---- Fetch sessions -------------------------------------------------------------- */

static void put_fetch_sessions(page *self)
{
    static const char evictions[] =
        "kafka_server_fetchsessioncache_incrementalfetchsessionevictions_total";
    fetch_session_numbers now = fetch_sessions_numbers(self->parts->fetch_sessions);
    put_gauge(self, "kafka_server_fetchsessioncache_numincrementalfetchsessions",
              "Fetch sessions.", (int64_t)now.sessions);
    put_gauge(self,
              "kafka_server_fetchsessioncache_numincrementalfetchpartitionscached",
              "Partitions of all fetch sessions.", (int64_t)now.partitions);
    head(self, evictions, "counter", "Fetch sessions that made place for others.");
    put(self, evictions, (int64_t)now.evictions);
}

/* ---- The page -------------------------------------------------------------------- */

static void measure(page *self, topic **list)
{
    for (size_t i = 0; i < self->topic_count; i++) {
        topic_measures *one = &self->topics[i];
        int32_t count = list[i]->partition_count;
        one->of = list[i];
        one->partitions = memory_take((size_t)count * sizeof *one->partitions);
        for (int32_t j = 0; j < count; j++) {
            partition_measure(list[i]->partitions[j], &one->partitions[j]);
            add_traffic(&one->sum, &one->partitions[j].traffic);
            self->offline_count += one->partitions[j].offline;
        }
        self->partition_count += count;
        add_traffic(&self->sum, &one->sum);
    }
}

char *metrics_page(void *context, size_t *ret_len)
{
    metrics *self = context;
    page one = {.out = BUFFER_INIT, .parts = self->parts};
    topic **list = topic_set_list(self->parts->topics, &one.topic_count);
    one.topics = memory_zero(one.topic_count * sizeof *one.topics);
    pthread_mutex_lock(&self->lock);
    one.sum = self->gone;
    pthread_mutex_unlock(&self->lock);
    measure(&one, list);
    put_topics(&one);
    put_requests(&one);
    put_network(&one);
    put_partitions(&one);
    put_groups(&one);
    put_fetch_sessions(&one);
    for (size_t i = 0; i < one.topic_count; i++) {
        free(one.topics[i].partitions);
    }
    free(one.topics);
    topic_list_free(list, one.topic_count);
    char *text = process_metrics_append(buffer_text(&one.out));
    buffer_done(&one.out);
    *ret_len = strlen(text);
    return text;
}
