/* The tools' own client: brokers by id, versions agreed with each, answers kept. */
#include "admin.h"
#include "admin_socket.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/properties.h"
#include "base/text.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    open_timeout_ms = CLI_TIMEOUT_MS,
    request_timeout_ms_default = 30000,
    retry_pause_ms = 100,
};

/* A broker that was talked to. */
typedef struct node {
    int32_t id; /* ADMIN_ANY for the one found first. */
    char *host;
    uint16_t port;
    admin_socket socket;
    api_versions_response versions;
} node;

struct admin {
    char **servers;
    size_t server_count;
    char *client_id;
    int64_t timeout_ms;
    node *nodes;
    size_t node_count;
    sluice_arena *arena;
    void **frames; /* Answers point into them. */
    size_t frame_count;
    int32_t correlation_id;
};

int32_t admin_timeout_ms(const admin *self)
{
    return (int32_t)self->timeout_ms;
}

sluice_arena *admin_arena(admin *self)
{
    return self->arena;
}

const char *admin_text(admin *self, message_text text)
{
    return text.len == 0 ? "" : sluice_arena_copy(self->arena, text.base, text.len);
}

static sluice_status take_setting(admin *self, const char *key, const char *value,
                                  sluice_error *err)
{
    if (strcmp(key, "security.protocol") == 0 && strcmp(value, "PLAINTEXT") != 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "security.protocol is '%s': this tool speaks PLAINTEXT only",
                           value);
    }
    if (strcmp(key, "client.id") == 0) {
        free(self->client_id);
        self->client_id = memory_text(value);
    }
    if (strcmp(key, "request.timeout.ms") == 0 &&
        (!text_to_int64(value, &self->timeout_ms) || self->timeout_ms < 0 ||
         self->timeout_ms > INT32_MAX)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "request.timeout.ms is '%s': must be 0 to %d", value,
                           INT32_MAX);
    }
    return SLUICE_OK;
}

static sluice_status take_settings(admin *self, const char *path, sluice_error *err)
{
    properties *file = properties_new();
    sluice_status status = properties_read(file, path, err);
    for (size_t i = 0; i < properties_count(file) && status == SLUICE_OK; i++) {
        status =
            take_setting(self, properties_key(file, i), properties_value(file, i), err);
        if (status != SLUICE_OK) {
            sluice_prefix(err, "%s", properties_origin(file, i));
        }
    }
    properties_free(file);
    return status;
}

/* "host:port" or "[::1]:port", perhaps with "PLAINTEXT://" before. */
static sluice_status parse_server(const char *server, char **ret_host,
                                  uint16_t *ret_port, sluice_error *err)
{
    static const char scheme[] = "PLAINTEXT://";
    const char *host = server;
    if (text_starts(host, scheme)) {
        host += sizeof scheme - 1;
    }
    const char *colon = strrchr(host, ':');
    int64_t port = 0;
    if (colon == NULL || colon == host || !text_to_int64(colon + 1, &port) ||
        port < 1 || port > 65535) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "bootstrap server '%s': must be HOST:PORT", server);
    }
    size_t len = (size_t)(colon - host);
    if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    *ret_host = memory_copy(host, len);
    *ret_port = (uint16_t)port;
    return SLUICE_OK;
}

/* Sends and receives on one connection; the answer's frame is kept. */
static sluice_status exchange(admin *self, node *to, const message_api *api,
                              int version, const void *request, void *ret_response,
                              sluice_error *err)
{
    int64_t deadline = admin_clock_ms() + self->timeout_ms;
    output out;
    output_init(&out);
    int32_t id = ++self->correlation_id;
    sluice_status status = request_encode(
        api, version, id, message_text_of(self->client_id), request, &out, err);
    uint8_t *frame = NULL;
    size_t size = 0;
    if (status == SLUICE_OK) {
        status = admin_socket_exchange(&to->socket, &out, deadline, &frame, &size, err);
    }
    output_done(&out);
    if (status != SLUICE_OK) {
        return status;
    }
    self->frames =
        memory_resize(self->frames, (self->frame_count + 1) * sizeof *self->frames);
    self->frames[self->frame_count++] = frame;
    int32_t answered = 0;
    size_t start = 0;
    status = response_header_decode(frame, size, api, version, &answered, &start, err);
    if (status == SLUICE_OK && answered != id) {
        status = sluice_fail(err, SLUICE_BAD_RECORD, "it is the answer to request %d",
                             answered);
    }
    if (status == SLUICE_OK) {
        status = message_decode(api->response, version, frame + start, size - start,
                                self->arena, ret_response, err);
    }
    if (status != SLUICE_OK) {
        sluice_prefix(err, "the answer to %s", api->name);
        admin_socket_close(&to->socket);
        return SLUICE_FATAL;
    }
    return SLUICE_OK;
}

static int least(int one, int other)
{
    return one < other ? one : other;
}

/* The version to speak `api` in with `to`, or -1. */
static int common_version(const node *to, const message_api *api)
{
    for (size_t i = 0; i < to->versions.api_keys.count; i++) {
        const api_versions_response_api *known = &to->versions.api_keys.items[i];
        if (known->api_key == api->key) {
            int version = least(known->max_version, least(api->request->version_max,
                                                          api->response->version_max));
            return version < known->min_version || version < api->request->version_min
                       ? -1
                       : version;
        }
    }
    return -1;
}

/* Asks for the versions; a broker that does not know our newest is asked again as it
 * says. */
static sluice_status agree(admin *self, node *to, sluice_error *err)
{
    const message_api *api = message_api_find(API_API_VERSIONS);
    api_versions_request request;
    api_versions_request_init(&request);
    request.client_software_name = message_text_of("sluice");
    request.client_software_version = message_text_of("0.1");
    int version = api->request->version_max;
    sluice_status status =
        exchange(self, to, api, version, &request, &to->versions, err);
    if (status == SLUICE_FATAL ||
        (status == SLUICE_OK && to->versions.error_code == ERROR_UNSUPPORTED_VERSION)) {
        admin_socket_close(&to->socket);
        status = admin_socket_open(&to->socket, to->host, to->port,
                                   admin_clock_ms() + self->timeout_ms, err);
        if (status == SLUICE_OK) {
            status = exchange(self, to, api, 0, &request, &to->versions, err);
        }
    }
    if (status == SLUICE_OK && to->versions.error_code != ERROR_NONE) {
        status = admin_refused(err, to->versions.error_code, (message_text){0});
    }
    return status;
}

static sluice_status connect_node(admin *self, node *to, int64_t deadline_ms,
                                  sluice_error *err)
{
    if (admin_socket_is_open(&to->socket)) {
        return SLUICE_OK;
    }
    sluice_status status =
        admin_socket_open(&to->socket, to->host, to->port, deadline_ms, err);
    if (status == SLUICE_OK) {
        status = agree(self, to, err);
        if (status != SLUICE_OK) {
            admin_socket_close(&to->socket);
        }
    }
    if (status != SLUICE_OK) {
        sluice_prefix(err, "'%s:%u'", to->host, to->port);
    }
    return status;
}

static node *add_node(admin *self, int32_t id, char *host, uint16_t port)
{
    self->nodes =
        memory_resize(self->nodes, (self->node_count + 1) * sizeof *self->nodes);
    node *added = &self->nodes[self->node_count++];
    *added = (node){.id = id, .host = host, .port = port};
    admin_socket_init(&added->socket);
    return added;
}

static sluice_status try_server(admin *self, const char *server, int64_t deadline_ms,
                                sluice_error *err)
{
    node *first = &self->nodes[0];
    free(first->host);
    first->host = NULL;
    sluice_status status = parse_server(server, &first->host, &first->port, err);
    return status == SLUICE_OK ? connect_node(self, first, deadline_ms, err) : status;
}

/* Tries the servers in turn until one answers or the time is over. */
static sluice_status find_broker(admin *self, sluice_error *err)
{
    int64_t deadline = admin_clock_ms() + open_timeout_ms;
    add_node(self, ADMIN_ANY, NULL, 0);
    for (;;) {
        for (size_t i = 0; i < self->server_count; i++) {
            sluice_status status = try_server(self, self->servers[i], deadline, err);
            if (status != SLUICE_RETRY) {
                return status;
            }
        }
        if (admin_clock_ms() + retry_pause_ms >= deadline) {
            sluice_prefix(err, "no broker answered in %d s", open_timeout_ms / 1000);
            return SLUICE_RETRY;
        }
        poll(NULL, 0, retry_pause_ms);
    }
}

sluice_status admin_open(const cli_connection *connection, admin **ret_admin,
                         sluice_error *err)
{
    admin *self = memory_zero(sizeof *self);
    const char *servers = connection->bootstrap_server != NULL
                              ? connection->bootstrap_server
                              : "127.0.0.1:9092";
    self->arena = sluice_arena_new();
    self->timeout_ms = request_timeout_ms_default;
    self->client_id = memory_text("sluice-tool");
    self->servers = text_split(servers, &self->server_count);
    sluice_status status = connection->command_config == NULL
                               ? SLUICE_OK
                               : take_settings(self, connection->command_config, err);
    if (status == SLUICE_OK && self->server_count == 0) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG, "no bootstrap server is given");
    }
    if (status == SLUICE_OK) {
        status = find_broker(self, err);
    }
    if (status != SLUICE_OK) {
        admin_close(self);
        return status;
    }
    *ret_admin = self;
    return SLUICE_OK;
}

void admin_close(admin *self)
{
    if (self == NULL) {
        return;
    }
    for (size_t i = 0; i < self->node_count; i++) {
        admin_socket_close(&self->nodes[i].socket);
        free(self->nodes[i].host);
    }
    for (size_t i = 0; i < self->frame_count; i++) {
        free(self->frames[i]);
    }
    free(self->nodes);
    free(self->frames);
    free(self->servers);
    free(self->client_id);
    sluice_arena_free(self->arena);
    free(self);
}

/* The broker `id`, connected; what it is called is asked of the first. */
static sluice_status find_node(admin *self, int32_t id, node **ret_node,
                               sluice_error *err)
{
    const metadata_response *metadata = NULL;
    for (size_t i = 0; i < self->node_count && id != ADMIN_CONTROLLER; i++) {
        if (self->nodes[i].id == id) {
            *ret_node = &self->nodes[i];
            return connect_node(self, *ret_node, admin_clock_ms() + self->timeout_ms,
                                err);
        }
    }
    sluice_status status = admin_metadata(self, false, &metadata, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (id == ADMIN_CONTROLLER) {
        /* Where none is known, any broker passes the request on or says why not. */
        return find_node(
            self, metadata->controller_id >= 0 ? metadata->controller_id : ADMIN_ANY,
            ret_node, err);
    }
    for (size_t i = 0; i < metadata->brokers.count; i++) {
        const metadata_response_broker *broker = &metadata->brokers.items[i];
        if (broker->node_id == id && broker->port > 0 && broker->port <= 65535) {
            *ret_node =
                add_node(self, id, memory_copy(broker->host.base, broker->host.len),
                         (uint16_t)broker->port);
            return connect_node(self, *ret_node, admin_clock_ms() + self->timeout_ms,
                                err);
        }
    }
    return sluice_fail(err, SLUICE_RETRY, "broker %d is not there", id);
}

sluice_status admin_call(admin *self, int32_t node_id, int16_t key, const void *request,
                         void *ret_response, sluice_error *err)
{
    const message_api *api = message_api_find(key);
    node *to = NULL;
    sluice_status status = find_node(self, node_id, &to, err);
    if (status != SLUICE_OK) {
        return status;
    }
    int version = common_version(to, api);
    if (version < 0) {
        return sluice_fail(err, SLUICE_FATAL,
                           "the broker '%s:%u' does not speak %s in a version known "
                           "here",
                           to->host, to->port, api->name);
    }
    status = exchange(self, to, api, version, request, ret_response, err);
    if (status != SLUICE_OK) {
        sluice_prefix(err, "'%s:%u'", to->host, to->port);
    }
    return status;
}

int admin_version(admin *self, int32_t node_id, int16_t key)
{
    node *to = NULL;
    return find_node(self, node_id, &to, NULL) == SLUICE_OK
               ? common_version(to, message_api_find(key))
               : -1;
}

sluice_status admin_api_versions(admin *self, int32_t node_id,
                                 const api_versions_response **ret_versions,
                                 sluice_error *err)
{
    node *to = NULL;
    sluice_status status = find_node(self, node_id, &to, err);
    if (status == SLUICE_OK) {
        api_versions_response *copy = sluice_arena_take(self->arena, sizeof *copy);
        *copy = to->versions;
        *ret_versions = copy;
    }
    return status;
}

sluice_status admin_metadata(admin *self, bool topics,
                             const metadata_response **ret_metadata, sluice_error *err)
{
    static metadata_request_topic none;
    metadata_request request;
    metadata_request_init(&request);
    request.topics.items = topics ? NULL : &none;
    request.allow_auto_topic_creation = false;
    metadata_response *response = sluice_arena_take(self->arena, sizeof *response);
    sluice_status status =
        admin_call(self, ADMIN_ANY, API_METADATA, &request, response, err);
    if (status == SLUICE_OK) {
        *ret_metadata = response;
    }
    return status;
}

/* The answer to FindCoordinator, whose shape changed with version 4. */
static int16_t read_coordinator(const find_coordinator_response *response,
                                int32_t *ret_node, message_text *ret_message)
{
    if (response->coordinators.count > 0) {
        *ret_node = response->coordinators.items[0].node_id;
        *ret_message = response->coordinators.items[0].error_message;
        return response->coordinators.items[0].error_code;
    }
    *ret_node = response->node_id;
    *ret_message = response->error_message;
    return response->error_code;
}

sluice_status admin_group_coordinator(admin *self, const char *group, int32_t *ret_node,
                                      sluice_error *err)
{
    int64_t deadline = admin_clock_ms() + self->timeout_ms;
    message_text key = message_text_of(group);
    find_coordinator_request request;
    find_coordinator_request_init(&request);
    request.key = key;
    request.coordinator_keys.items = &key;
    request.coordinator_keys.count = 1;
    for (;;) {
        find_coordinator_response response;
        message_text message;
        sluice_status status =
            admin_call(self, ADMIN_ANY, API_FIND_COORDINATOR, &request, &response, err);
        if (status != SLUICE_OK) {
            return status;
        }
        int16_t code = read_coordinator(&response, ret_node, &message);
        if (code == ERROR_NONE) {
            return SLUICE_OK;
        }
        if (!admin_code_passes(code) || admin_clock_ms() >= deadline) {
            return admin_refused(err, code, message);
        }
        poll(NULL, 0, retry_pause_ms);
    }
}
