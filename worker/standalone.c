/* A worker by itself: puts nursery, files, herder and REST together, and takes them
 * apart again in the other direction. */
#include "worker/standalone.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/config/connector_file.h"
#include "worker/config/secrets.h"
#include "worker/config/worker_config.h"
#include "worker/herder/loop.h"
#include "worker/rest/basic_auth.h"
#include "worker/rest/server.h"
#include "worker/store/worker_file.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    request_ms = 90000, /* Kafka Connect's. */
    files_wanted = 65536
};

typedef struct standalone {
    const standalone_settings *settings;
    worker_config config;
    json_t *connectors;      /* The command line's, as bodies of herder_create … */
    json_t *connector_paths; /* … and the files that they are from. */
    nursery nursery;
    bool has_nursery;
    rest_server *rest;
    worker_file *offsets, *configs; /* May be the same file. */
    herder_loop *loop;
    char *worker_id;
    atomic_bool died, stopping;
} standalone;

static const char *value_or(const char *text, const char *fallback)
{
    return text == NULL || text[0] == '\0' ? fallback : text;
}

/* --- Starting, step by step. --- */

static sluice_status read_files_of(standalone *self, const json_t *paths,
                                   sluice_error *err)
{
    size_t index;
    json_t *path, *body;
    json_array_foreach(paths, index, path)
    {
        sluice_status status = connector_file_read(json_string_value(path), &body, err);
        if (status != SLUICE_OK) {
            return status;
        }
        json_array_append_new(self->connectors, body);
        json_array_append(self->connector_paths, path);
    }
    return SLUICE_OK;
}

static sluice_status read_connectors(standalone *self, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    self->connectors = json_array();
    self->connector_paths = json_array();
    for (const char *const *path = self->settings->connectors;
         *path != NULL && status == SLUICE_OK; path++) {
        json_t *paths;
        status = connector_files(*path, &paths, err);
        if (status == SLUICE_OK) {
            status = read_files_of(self, paths, err);
            json_decref(paths);
        }
    }
    return status;
}

/* rest.port and rest.host.name count only where there are no listeners. */
static sluice_status open_rest(standalone *self, sluice_error *err)
{
    const worker_values *values = self->config.values;
    bool own = json_object_get(self->config.properties, "listeners") != NULL;
    char *old = memory_print("http://%s:%s", value_or(values->rest_host, ""),
                             value_or(values->rest_port, "8083"));
    const char *item = old;
    rest_settings settings = {.listeners = values->listeners,
                              .has_admin_listeners = values->admin_listeners != NULL,
                              .allow_origin = values->allow_origin,
                              .allow_methods = values->allow_methods,
                              .response_headers = values->response_headers,
                              .extensions = values->rest_extensions,
                              .login_file = values->login_file,
                              .worker = self->config.properties};
    char *login_file = basic_auth_file_of(self->settings->java_options);
    if (settings.login_file == NULL) {
        settings.login_file = login_file;
    }
    char **admin = text_split(value_or(values->admin_listeners, ""),
                              &settings.admin_listeners.count);
    settings.admin_listeners.items = (const char *const *)admin;
    if (!own) {
        settings.listeners = (sluice_list){1, &item};
    }
    sluice_status status = rest_open(&settings, &self->rest, err);
    free(admin);
    free(login_file);
    free(old);
    return status;
}

/* The protocol that others are told to use: http where that is served. */
static const listener *advertised_listener(const standalone *self)
{
    const char *protocol = value_or(self->config.values->advertised_listener, "http");
    return rest_listener(self->rest, protocol);
}

static void name_worker(standalone *self)
{
    char host[256] = "localhost";
    const worker_values *values = self->config.values;
    const listener *at = advertised_listener(self);
    gethostname(host, sizeof host - 1);
    self->worker_id = memory_print(
        "%s:%d", value_or(values->advertised_host, value_or(at->host, host)),
        values->advertised_port > 0 ? values->advertised_port : at->port);
}

static sluice_status open_files(standalone *self, sluice_error *err)
{
    int imported;
    const char *offsets = self->config.values->offset_file;
    const char *configs = self->config.values->config_file;
    sluice_status status = worker_file_open(offsets, &self->offsets, &imported, err);
    if (status != SLUICE_OK) {
        sluice_prefix(err, "offset.storage.file.filename");
        return status;
    }
    if (imported >= 0) {
        sluice_log(SLUICE_INFO, "worker.store",
                   "%d offsets of Kafka Connect were taken over; its file is kept as "
                   "'%s.kafka-connect'",
                   imported, offsets);
    }
    if (strcmp(configs, offsets) == 0) {
        self->configs = self->offsets;
    } else if (configs[0] != '\0') {
        status = worker_file_open(configs, &self->configs, &imported, err);
        if (status != SLUICE_OK) {
            sluice_prefix(err, "config.storage.file.filename");
        }
    }
    return status;
}

static sluice_status read_files(standalone *self, json_t **ret_restored,
                                sluice_error *err)
{
    json_t *restored, *configs;
    sluice_status status = worker_file_offsets(self->offsets, &restored, err);
    if (status == SLUICE_OK && self->configs != NULL) {
        status = worker_file_configs(self->configs, &configs, err);
        if (status == SLUICE_OK) {
            json_array_extend(restored, configs);
            json_decref(configs);
        } else {
            json_decref(restored);
        }
    }
    if (status == SLUICE_OK) {
        *ret_restored = restored;
    }
    return status;
}

static void on_end(void *context)
{
    standalone *self = context;
    if (!atomic_load(&self->stopping)) {
        atomic_store(&self->died, true);
        kill(getpid(), SIGTERM); /* Wakes the main thread. */
    }
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static herder_settings herder_settings_of(const standalone *self)
{
    const worker_values *values = self->config.values;
    return (herder_settings){
        .worker_id = self->worker_id,
        .worker = self->config.properties,
        .own = {.restart = {.policy = (herder_policy)values->restart_policy,
                            .backoff_initial_ms = values->restart_backoff_ms,
                            .backoff_max_ms = values->restart_backoff_max_ms,
                            .attempts_max = values->restart_attempts,
                            .attempts_reset = values->restart_reset_ms},
                .limits = {.memory_bytes = values->host_memory_bytes,
                           .files = values->host_files,
                           .nice = values->host_nice,
                           .cpu_percent = values->host_cpu_percent,
                           .call_ms = values->call_timeout_ms}},
        .graceful_ms = values->graceful_ms,
        .liveness_ms = values->liveness_ms,
        .request_ms = request_ms,
        .wall_minus_mono = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_MONOTONIC),
        .topic_tracking = values->topic_tracking,
        .topic_tracking_reset = values->topic_tracking_reset,
    };
}

static sluice_status start_herder(standalone *self, sluice_error *err)
{
    json_t *restored;
    sluice_status status = read_files(self, &restored, err);
    if (status != SLUICE_OK) {
        return status;
    }
    herder_loop_settings settings = {.herder = herder_settings_of(self),
                                     .nursery = &self->nursery,
                                     .offsets = self->offsets,
                                     .configs = self->configs,
                                     .restored = restored,
                                     .failed = on_end,
                                     .context = self};
    status = herder_loop_start(&settings, &self->loop, err);
    json_decref(restored);
    return status;
}

/* REST's connections are files too, and 1,024 is what many systems allow at first.
 * Hosts have been given what the system allows them. */
static void allow_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < files_wanted) {
        limit.rlim_cur = limit.rlim_max < files_wanted ? limit.rlim_max : files_wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The nursery comes before the first thread, and before anything it should not have. */
static sluice_status start(standalone *self, sluice_error *err)
{
    sluice_status status =
        worker_config_parse(self->settings->worker, &self->config, err);
    if (status == SLUICE_OK) {
        status = read_connectors(self, err);
    }
    if (status == SLUICE_OK) {
        status = nursery_start(&self->nursery, self->settings->child, err);
        self->has_nursery = status == SLUICE_OK;
    }
    if (status == SLUICE_OK) {
        allow_files();
        status = open_rest(self, err);
    }
    if (status == SLUICE_OK) {
        name_worker(self);
        status = open_files(self, err);
    }
    if (status == SLUICE_OK) {
        status = start_herder(self, err);
    }
    return status == SLUICE_OK ? rest_serve(self->rest, self->loop, err) : status;
}

static void stop(standalone *self)
{
    atomic_store(&self->stopping, true);
    if (self->rest != NULL) {
        rest_close(self->rest);
    }
    if (self->loop != NULL) {
        herder_loop_stop(self->loop);
    }
    rest_stop(self->rest);
    if (self->has_nursery) {
        nursery_done(&self->nursery);
    }
    if (self->configs != self->offsets) {
        worker_file_close(self->configs);
    }
    worker_file_close(self->offsets);
    worker_config_done(&self->config);
    json_decref(self->connectors);
    json_decref(self->connector_paths);
    free(self->worker_id);
}

/* --- Asking the herder and waiting for the answer. --- */

typedef struct reply {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int status; /* 0: not yet. */
    char *message;
} reply;

static void on_reply(void *context, int status, const json_t *body, const char *text)
{
    reply *self = context;
    const char *message = json_string_value(json_object_get(body, "message"));
    (void)text;
    pthread_mutex_lock(&self->lock);
    self->status = status;
    self->message = memory_text(message == NULL ? "" : message);
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* The status; `ret_message` is the caller's. */
static int ask(standalone *self, const herder_request *request, char **ret_message)
{
    reply answer = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, NULL};
    herder_loop_ask(self->loop, request, on_reply, &answer);
    pthread_mutex_lock(&answer.lock);
    while (answer.status == 0) {
        pthread_cond_wait(&answer.changed, &answer.lock);
    }
    pthread_mutex_unlock(&answer.lock);
    *ret_message = answer.message;
    return answer.status;
}

/* A connector that is remembered from an earlier run gets its file's configuration. */
static int create_or_update(standalone *self, json_t *body, char **ret_message)
{
    const char *name = json_string_value(json_object_get(body, "name"));
    herder_request request = {.operation = herder_create, .body = json_deep_copy(body)};
    int status = ask(self, &request, ret_message);
    if (status == 409 && self->configs != NULL) {
        free(*ret_message);
        request =
            (herder_request){.operation = herder_put_config,
                             .name = name,
                             .body = json_deep_copy(json_object_get(body, "config"))};
        status = ask(self, &request, ret_message);
    }
    return status;
}

/* Whether there is one of this name, though the request for it was answered with a
 * fault: it was made, and its host has died or has said that it cannot start. */
static bool is_kept(standalone *self, const char *name)
{
    herder_request request = {.operation = herder_info, .name = name};
    char *message;
    int status = ask(self, &request, &message);
    free(message);
    return status == 200;
}

/* Only a wrong configuration ends the worker: what fails later has a state and a policy
 * of its own, and neighbours. */
static bool create_connector(standalone *self, json_t *body, const char *path)
{
    char *message;
    const char *name = json_string_value(json_object_get(body, "name"));
    int status = create_or_update(self, body, &message);
    bool made = status < 400;
    if (made) {
        sluice_log(SLUICE_INFO, "worker", "connector '%s' was made from '%s'", name,
                   path);
    } else if (status >= 500 && is_kept(self, name)) {
        sluice_log(SLUICE_ERROR, "worker",
                   "connector '%s' was made from '%s', and is FAILED: %s; the worker "
                   "goes on, restart.policy says whether it is started again",
                   name, path, message);
        made = true;
    } else if (status == 404) {
        sluice_log(SLUICE_WARN, "worker",
                   "connector '%s' was made from '%s', and somebody has deleted it "
                   "before it was started; the worker goes on",
                   name, path);
        made = true;
    } else {
        sluice_log(SLUICE_ERROR, "worker",
                   "connector '%s' of file '%s' cannot be made: %s", name, path,
                   message);
    }
    free(message);
    return made;
}

static bool create_connectors(standalone *self)
{
    size_t index;
    json_t *body;
    json_array_foreach(self->connectors, index, body)
    {
        if (!create_connector(
                self, body,
                json_string_value(json_array_get(self->connector_paths, index)))) {
            return false;
        }
    }
    return true;
}

/* --- Telling where it is. --- */

/* Lines of "rest=URL" and "admin=URL": what is served where. The caller's. */
static char *list_sites(const standalone *self)
{
    buffer text = BUFFER_INIT;
    const listener *at;
    bool admin_only;
    for (size_t i = 0; (at = rest_site_at(self->rest, i, &admin_only)) != NULL; i++) {
        bool six = strchr(at->host, ':') != NULL;
        buffer_print(&text, "%s=%s://%s%s%s:%d\n", admin_only ? "admin" : "rest",
                     listener_protocol(at), six ? "[" : "",
                     value_or(at->host, "localhost"), six ? "]" : "", at->port);
    }
    return buffer_take(&text, NULL);
}

/* Whole or not at all, so that who waits for the file can read it at once. */
static void write_ready_file(const char *path, const char *lines)
{
    char *made = memory_print("%s.new", path);
    FILE *file = fopen(made, "we");
    bool written = file != NULL && fputs(lines, file) >= 0;
    written = (file == NULL || fclose(file) == 0) && written && rename(made, path) == 0;
    if (!written) {
        sluice_log(SLUICE_WARN, "worker", "'%s' cannot be written: %s", path,
                   strerror(errno));
    }
    free(made);
}

static void tell(const standalone *self)
{
    char *lines = list_sites(self);
    for (const char *line = lines; *line != '\0'; line += strcspn(line, "\n") + 1) {
        const char *url = strchr(line, '=') + 1;
        printf("%s at %.*s\n",
               text_starts(line, "admin") ? "REST below /admin" : "REST",
               (int)strcspn(url, "\n"), url);
    }
    fflush(stdout);
    if (self->settings->ready_file != NULL) {
        write_ready_file(self->settings->ready_file, lines);
    }
    free(lines);
}

/* --- Running. --- */

static int serve(standalone *self, const sigset_t *signals)
{
    herder_request request = {.operation = herder_ready};
    char *message;
    int signal_number;
    tell(self);
    if (!create_connectors(self)) {
        return STANDALONE_CONNECTOR;
    }
    ask(self, &request, &message);
    free(message);
    sigwait(signals, &signal_number);
    if (atomic_load(&self->died)) {
        return STANDALONE_DIED;
    }
    sluice_log(SLUICE_INFO, "worker", "%s: stopping", strsignal(signal_number));
    return STANDALONE_STOPPED;
}

static void block_signals(sigset_t *ret_signals)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
}

int standalone_run(const standalone_settings *settings)
{
    standalone self = {.settings = settings};
    sluice_error *err = sluice_error_new();
    sigset_t signals;
    int code = STANDALONE_REFUSED;
    block_signals(&signals);
    if (start(&self, err) == SLUICE_OK) {
        code = serve(&self, &signals);
    } else {
        for (size_t i = 0; i < sluice_error_count(err); i++) {
            char *shown = secrets_hidden(sluice_error_message(err, i));
            fprintf(stderr, "%s\n", shown);
            free(shown);
        }
    }
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    stop(&self);
    sluice_error_free(err);
    return code;
}
