/* Kafka Connect's REST interface over HTTP: its listeners, and their loops' life. */
#include "worker/rest/server.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/rest/call.h"
#include "worker/rest/edge.h"
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    connections_max = 1024,
    connections_kept = 960, /* From here on a new one ends an old one. */
    idle_seconds = 60,
    drain_seconds = 5,
};

/* Paths are decoded by url.c, segment by segment: nothing is to be done before. */
static size_t leave_escaped(void *context, struct MHD_Connection *connection,
                            char *text)
{
    return strlen(text);
}

static void log_message(void *context, const char *format, va_list arguments)
{
    char *text = memory_vprint(format, arguments);
    text[strcspn(text, "\n")] = '\0';
    sluice_log(SLUICE_DEBUG, "worker.rest", "%s", text);
    free(text);
}

/* --- Life. --- */

/* One for all listeners of a kind, made when the first one needs it. */
static sluice_status open_tls(rest_server *self, rest_site *site, sluice_error *err)
{
    const char *prefix = site->regular ? "listeners.https." : "admin.listeners.https.";
    tls **made = site->regular ? &self->tls : &self->admin_tls;
    sluice_status status = SLUICE_OK;
    if (site->listener.tls && *made == NULL) {
        sluice_props *props = tls_props(self->settings.worker, prefix);
        status = tls_new(props, made, err);
        sluice_props_free(props);
    }
    site->tls = site->listener.tls ? *made : NULL;
    return status;
}

static sluice_status open_all(rest_server *self, const sluice_list *list, rest_site as,
                              sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    as.server = self;
    as.patience.max = connections_kept;
    for (size_t i = 0; i < list->count && status == SLUICE_OK; i++) {
        if (self->count == sites_max) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "listeners and admin.listeners have more than %d items",
                               sites_max);
        }
        status = listener_open(list->items[i], &as.listener, err);
        if (status == SLUICE_OK) {
            rest_site *site = &self->sites[self->count++];
            *site = as;
            status = open_tls(self, site, err);
        }
    }
    return status;
}

static sluice_status open_sites(rest_server *self, sluice_error *err)
{
    const rest_settings *settings = &self->settings;
    rest_site regular = {.regular = true, .admin = !settings->has_admin_listeners};
    sluice_status status = open_all(self, &settings->listeners, regular, err);
    if (status == SLUICE_OK && settings->has_admin_listeners) {
        status =
            open_all(self, &settings->admin_listeners, (rest_site){.admin = true}, err);
        if (status != SLUICE_OK) {
            sluice_prefix(err, "admin.listeners");
        }
    }
    return status;
}

static sluice_status open_auth(rest_server *self, sluice_error *err)
{
    bool wanted;
    const char *file = self->settings.login_file;
    sluice_status status = basic_auth_wanted(&self->settings.extensions, &wanted, err);
    if (status != SLUICE_OK || !wanted) {
        return status;
    }
    if (file == NULL || file[0] == '\0') {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "rest.extension.classes asks for passwords: set "
                           "java.security.auth.login.config to a file of login modules "
                           "with KafkaConnect, or have it in KAFKA_OPTS as "
                           "-Djava.security.auth.login.config=FILE");
    }
    return basic_auth_new(file, &self->auth, err);
}

/* What is asked and said with every request. */
static sluice_status open_rules(rest_server *self, sluice_error *err)
{
    const rest_settings *settings = &self->settings;
    sluice_status status = cors_new(settings->allow_origin, &self->cors, err);
    if (status != SLUICE_OK) {
        sluice_prefix(err, "access.control.allow.origin");
        return status;
    }
    status = header_rules_parse(settings->response_headers, &self->headers, err);
    if (status != SLUICE_OK) {
        sluice_prefix(err, "response.http.headers.config");
        return status;
    }
    return open_auth(self, err);
}

sluice_status rest_open(const rest_settings *settings, rest_server **ret_server,
                        sluice_error *err)
{
    if (settings->listeners.count == 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Invalid value for listeners, at least one URL is expected, "
                           "ex: http://localhost:8080,https://localhost:8443.");
    }
    rest_server *self = memory_zero(sizeof *self);
    self->settings = *settings;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->drained, NULL);
    sluice_status status = open_rules(self, err);
    if (status == SLUICE_OK) {
        status = open_sites(self, err);
    }
    if (status != SLUICE_OK) {
        rest_stop(self);
        return status;
    }
    *ret_server = self;
    return SLUICE_OK;
}

const listener *rest_listener(const rest_server *self, const char *protocol)
{
    for (size_t i = 0; i < self->count && protocol != NULL; i++) {
        const rest_site *site = &self->sites[i];
        if (site->regular &&
            text_equal_nocase(protocol, listener_protocol(&site->listener))) {
            return &site->listener;
        }
    }
    return &self->sites[0].listener;
}

const listener *rest_site_at(const rest_server *self, size_t index,
                             bool *ret_admin_only)
{
    if (index >= self->count) {
        return NULL;
    }
    *ret_admin_only = !self->sites[index].regular;
    return &self->sites[index].listener;
}

static void notice(void *context, struct MHD_Connection *connection,
                   void **connection_context, enum MHD_ConnectionNotificationCode what)
{
    rest_site *site = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        patience_end(&site->patience, *connection_context);
        *connection_context = NULL;
        return;
    }
    *connection_context = patience_begin(&site->patience, connection);
    if (site->tls != NULL) {
        tls_begin(site->tls, connection);
    }
}

/* libmicrohttpd's options for TLS; without it, none. */
static void list_tls(const tls *self, struct MHD_OptionItem *ret_options)
{
    const struct MHD_OptionItem end = {MHD_OPTION_END, 0, NULL};
    size_t count = 0;
    if (self != NULL) {
        const struct MHD_OptionItem options[] = {
            {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)tls_key(self)},
            {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)tls_certificates(self)},
            {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls_priorities(self)},
            {MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)tls_trusted(self)}};
        count = tls_trusted(self) == NULL ? 3 : 4;
        memcpy(ret_options, options, count * sizeof *options);
    }
    ret_options[count] = end;
}

static struct MHD_Daemon *start(rest_site *site)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_ERROR_LOG | (site->tls == NULL ? 0 : MHD_USE_TLS);
    struct MHD_OptionItem tls_options[5];
    list_tls(site->tls, tls_options);
    return MHD_start_daemon(
        flags, 0, NULL, NULL, call_handle, site, MHD_OPTION_EXTERNAL_LOGGER,
        log_message, NULL, MHD_OPTION_LISTEN_SOCKET, site->listener.fd,
        MHD_OPTION_URI_LOG_CALLBACK, call_begin, site, MHD_OPTION_NOTIFY_COMPLETED,
        call_end, site, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, notice, site, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)idle_seconds, MHD_OPTION_ARRAY, tls_options, MHD_OPTION_END);
}

sluice_status rest_serve(rest_server *self, herder_loop *asked, sluice_error *err)
{
    self->herder = asked;
    for (size_t i = 0; i < self->count; i++) {
        self->sites[i].daemon = start(&self->sites[i]);
        if (self->sites[i].daemon == NULL) {
            return sluice_fail(err, SLUICE_FATAL,
                               "REST cannot be served: libmicrohttpd refuses to start");
        }
        self->sites[i].listener.fd = -1; /* The daemon closes it. */
    }
    return SLUICE_OK;
}

void rest_close(rest_server *self)
{
    pthread_mutex_lock(&self->lock);
    self->closed = true;
    pthread_mutex_unlock(&self->lock);
}

static void drain(rest_server *self)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += drain_seconds;
    pthread_mutex_lock(&self->lock);
    while (self->calls > 0 &&
           pthread_cond_timedwait(&self->drained, &self->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&self->lock);
}

void rest_stop(rest_server *self)
{
    if (self == NULL) {
        return;
    }
    drain(self);
    for (size_t i = 0; i < self->count; i++) {
        if (self->sites[i].daemon != NULL) {
            MHD_stop_daemon(self->sites[i].daemon);
        }
        listener_done(&self->sites[i].listener);
    }
    cors_free(self->cors);
    header_rules_done(&self->headers);
    basic_auth_free(self->auth);
    tls_free(self->tls);
    tls_free(self->admin_tls);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->drained);
    free(self);
}
