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
    idle_seconds = 120,
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

static sluice_status open_all(rest_server *self, const sluice_list *list, rest_site as,
                              sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    as.server = self;
    for (size_t i = 0; i < list->count && status == SLUICE_OK; i++) {
        if (self->count == sites_max) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "listeners and admin.listeners have more than %d items",
                               sites_max);
        }
        status = listener_open(list->items[i], &as.listener, err);
        if (status == SLUICE_OK) {
            self->sites[self->count++] = as;
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
    sluice_status status = open_sites(self, err);
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

static struct MHD_Daemon *start(rest_site *site)
{
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, call_handle, site, MHD_OPTION_EXTERNAL_LOGGER,
        log_message, NULL, MHD_OPTION_LISTEN_SOCKET, site->listener.fd,
        MHD_OPTION_URI_LOG_CALLBACK, call_begin, site, MHD_OPTION_NOTIFY_COMPLETED,
        call_end, site, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)idle_seconds, MHD_OPTION_END);
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
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->drained);
    free(self);
}
