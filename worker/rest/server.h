/* server.h - Kafka Connect's REST interface over HTTP.
 *
 * An epoll loop of libmicrohttpd's per listener takes requests, checks their form, and
 * gives them to the herder; a connection sleeps until its answer is there, so that a
 * request that waits holds up no other.
 *
 * Threads: open, serve, close and stop from one. */
#ifndef SLUICE_REST_SERVER_H
#define SLUICE_REST_SERVER_H

#include "worker/herder/loop.h"
#include "worker/rest/listener.h"
#include <sluice/config.h>

typedef struct rest_server rest_server;

typedef struct rest_settings {
    sluice_list listeners; /* "http://127.0.0.1:0" */
    /* Where alone /admin is served, perhaps nowhere; else `listeners` have it too. */
    bool has_admin_listeners;
    sluice_list admin_listeners;
    const char *allow_origin;     /* "" : no browser of another origin may ask. */
    const char *allow_methods;    /* "" : GET, POST, HEAD. */
    const char *response_headers; /* response.http.headers.config */
    sluice_list extensions;       /* rest.extension.classes */
    const char *login_file;       /* java.security.auth.login.config, or NULL. */
    const json_t *worker;         /* All properties, of which TLS takes its own. */
} rest_settings;

/* Binds all listeners, so that connections are taken from now on, and answered once
 * rest_serve() was called. SLUICE_BAD_CONFIG: a listener is not of the right form;
 * FATAL: its address cannot be had. The texts of `settings` are borrowed until
 * rest_stop(), its lists until it returns. */
sluice_status rest_open(const rest_settings *settings, rest_server **ret_server,
                        sluice_error *err);

/* The first of the listeners that has `protocol` ("http", "https"), or, where none has
 * or it is NULL, the first of all. Borrowed from the server. */
const listener *rest_listener(const rest_server *self, const char *protocol);

/* The listener of that number, those of admin.listeners last; NULL behind the last.
 * Borrowed from the server. */
const listener *rest_site_at(const rest_server *self, size_t index,
                             bool *ret_admin_only);

/* Starts to answer, by asking `asked`, which is borrowed until rest_close(). */
sluice_status rest_serve(rest_server *self, herder_loop *asked, sluice_error *err);

/* From here on the herder is not asked any more: 500 "Worker is shutting down". */
void rest_close(rest_server *self);

/* Waits (for some seconds) until the answers that are there are sent, then closes all
 * connections and frees the server. NULL is accepted. The herder must have answered
 * everything. */
void rest_stop(rest_server *self);

#endif
