/* A broker, put together: directories, topics, groups, background work, network; and
 * taken apart in the other order. */
#include "broker/broker.h"
#include "base/memory.h"
#include "broker/background.h"
#include "broker/metrics.h"
#include "broker/net/scrape.h"
#include "broker/request/append_round.h"
#include "broker/request/fetch_session.h"
#include "broker/request/group_edge.h"
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>

struct broker {
    broker_config config;
    log_dir **dirs;
    size_t dir_count;
    topic_set *topics;
    background *background;
    group_edge *groups;
    fetch_sessions *fetch_sessions;
    net_server *server;
    broker_parts parts;
    metrics *metrics;
    scrape *scrape;    /* NULL: nobody is to see them. */
    char *metrics_url; /* The same. */
    char **addresses;  /* Of the listeners. */
    append_round *rounds;
};

static sluice_status open_dirs(broker *self, sluice_error *err)
{
    self->dirs = memory_zero(self->config.log_dir_count * sizeof *self->dirs);
    const char *cluster_id = NULL;
    for (size_t i = 0; i < self->config.log_dir_count; i++) {
        log_dir_options options = {.node_id = self->config.node_id,
                                   .cluster_id = cluster_id,
                                   .sync_none = self->config.sync_none};
        sluice_status status =
            log_dir_open(self->config.log_dirs[i], &options, &self->dirs[i], err);
        if (status != SLUICE_OK) {
            return status;
        }
        self->dir_count = i + 1;
        cluster_id = log_dir_cluster_id(self->dirs[0]);
    }
    return SLUICE_OK;
}

static sluice_status open_network(broker *self, sluice_error *err)
{
    size_t count = self->config.listener_count;
    net_listener *listeners = memory_zero(count * sizeof *listeners);
    for (size_t i = 0; i < count; i++) {
        listeners[i] = (net_listener){self->config.listeners[i].host,
                                      self->config.listeners[i].port};
    }
    net_options options = {.listeners = listeners,
                           .listener_count = count,
                           .threads = (unsigned)self->config.network_threads,
                           .request_bytes_max = (size_t)self->config.request_bytes_max,
                           .queued_bytes_max = self->config.queued_bytes_max,
                           .connections_max = (size_t)self->config.connections_max,
                           .idle_ms_max = self->config.connections_idle_ms_max,
                           .send_buffer_bytes = self->config.send_buffer_bytes,
                           .receive_buffer_bytes = self->config.receive_buffer_bytes,
                           .handle = request_dispatch,
                           .overlaps = request_overlaps,
                           .context = &self->parts};
    sluice_status status = net_server_new(&options, &self->server, err);
    free(listeners);
    return status;
}

static void make_rounds(broker *self)
{
    size_t count = net_server_thread_count(self->server);
    self->rounds = memory_zero(count * sizeof *self->rounds);
    for (size_t i = 0; i < count; i++) {
        append_round_init(&self->rounds[i], net_server_loop(self->server, i));
    }
}

static void free_rounds(broker *self)
{
    size_t count = self->rounds == NULL ? 0 : net_server_thread_count(self->server);
    for (size_t i = 0; i < count; i++) {
        append_round_done(&self->rounds[i]);
    }
    free(self->rounds);
}

static void on_topic_deleted(void *context, const topic *gone)
{
    broker *self = context;
    metrics_topic_gone(self->metrics, gone);
    group_edge_topic_deleted(self->groups, gone);
}

static void name_addresses(broker *self)
{
    size_t count = self->config.listener_count;
    self->addresses = memory_zero((count + 1) * sizeof *self->addresses);
    for (size_t i = 0; i < count; i++) {
        const char *host = self->config.listeners[i].host;
        const char *form = strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u";
        self->addresses[i] = memory_print(form, *host == '\0' ? "0.0.0.0" : host,
                                          net_server_port(self->server, i));
    }
}

static sluice_status open_metrics(broker *self, sluice_error *err)
{
    const net_listener address = {self->config.metrics_host, self->config.metrics_port};
    if (address.host == NULL) {
        return SLUICE_OK;
    }
    sluice_status status = scrape_new(&address, background_loop(self->background),
                                      metrics_page, self->metrics, &self->scrape, err);
    if (status == SLUICE_OK) {
        const char *form = strchr(address.host, ':') != NULL ? "http://[%s]:%u/metrics"
                                                             : "http://%s:%u/metrics";
        self->metrics_url =
            memory_print(form, *address.host == '\0' ? "0.0.0.0" : address.host,
                         scrape_port(self->scrape));
    }
    return status;
}

/* Each step is undone by broker_stop(), as far as it was done. */
static sluice_status start(broker *self, const properties *given, sluice_error *err)
{
    sluice_status status = broker_config_parse(given, &self->config, err);
    if (status == SLUICE_OK) {
        status = open_network(self, err); /* Before any work: the port may be taken. */
    }
    if (status == SLUICE_OK) {
        status = open_dirs(self, err);
    }
    if (status == SLUICE_OK) {
        status = topic_set_open(&self->config, self->dirs, self->dir_count,
                                &self->topics, err);
    }
    if (status == SLUICE_OK) {
        status = background_new(&self->config, self->topics, self->dirs,
                                self->dir_count, &self->background, err);
    }
    if (status == SLUICE_OK) {
        status = group_edge_open(&self->config, self->topics,
                                 background_loop(self->background), &self->groups, err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    make_rounds(self);
    topic_set_on_delete(self->topics, on_topic_deleted, self);
    self->fetch_sessions = fetch_sessions_new((size_t)self->config.fetch_sessions_max,
                                              fetch_session_bytes_max);
    self->parts = (broker_parts){.config = &self->config,
                                 .cluster_id = log_dir_cluster_id(self->dirs[0]),
                                 .topics = self->topics,
                                 .server = self->server,
                                 .groups = self->groups,
                                 .fetch_sessions = self->fetch_sessions,
                                 .dirs = self->dirs,
                                 .dir_count = self->dir_count,
                                 .slow = background_loop(self->background),
                                 .rounds = self->rounds,
                                 .rest = background_rest(self->background)};
    name_addresses(self);
    self->metrics = metrics_new(&self->parts);
    status = open_metrics(self, err);
    if (status != SLUICE_OK) {
        return status;
    }
    status = background_start(self->background, err);
    return status == SLUICE_OK ? net_server_start(self->server, err) : status;
}

static void log_start(const broker *self, int64_t began_ms)
{
    size_t topics;
    topic **list = topic_set_list(self->topics, &topics);
    topic_list_free(list, topics);
    sluice_log(SLUICE_INFO, "broker",
               "started cluster.id=%s node.id=%d listener=%s topics=%zu ms=%lld",
               self->parts.cluster_id, self->config.node_id, self->addresses[0], topics,
               (long long)(loop_now_ms() - began_ms));
}

sluice_status broker_start(const properties *given, broker **ret_broker,
                           sluice_error *err)
{
    int64_t began_ms = loop_now_ms();
    broker *self = memory_zero(sizeof *self);
    sluice_status status = start(self, given, err);
    if (status != SLUICE_OK) {
        broker_stop(self);
        return status;
    }
    log_start(self, began_ms);
    *ret_broker = self;
    return SLUICE_OK;
}

void broker_stop(broker *self)
{
    if (self == NULL) {
        return;
    }
    if (self->server != NULL) {
        net_server_close(self->server);
    }
    if (self->groups != NULL) {
        group_edge_stop(self->groups);
    }
    if (self->server != NULL) {
        net_server_stop(self->server);
    }
    if (self->background != NULL) {
        background_stop(self->background);
    }
    scrape_free(self->scrape);
    metrics_free(self->metrics);
    free(self->metrics_url);
    free_rounds(self);
    net_server_free(self->server);
    background_free(self->background);
    group_edge_free(self->groups);
    fetch_sessions_free(self->fetch_sessions);
    topic_set_close(self->topics);
    for (size_t i = 0; i < self->dir_count; i++) {
        log_dir_close(self->dirs[i]);
    }
    free(self->dirs);
    for (size_t i = 0; self->addresses != NULL && self->addresses[i] != NULL; i++) {
        free(self->addresses[i]);
    }
    free(self->addresses);
    broker_config_done(&self->config);
    free(self);
}

size_t broker_listener_count(const broker *self)
{
    return self->config.listener_count;
}

const char *broker_address(const broker *self, size_t listener)
{
    return self->addresses[listener];
}

const char *broker_metrics_url(const broker *self)
{
    return self->metrics_url;
}
