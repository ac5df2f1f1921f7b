/* edge.h - what the parts of the REST server share: itself, its sites, a request.
 *
 * A site is a listener with what is served there: everything, all but the resources
 * below /admin, or only these. Each has a loop of libmicrohttpd's, whose thread runs
 * the functions of call.h, answer.h and patience.h.
 *
 * Threads: as said at each field; what is not said is constant once it is served. */
#ifndef SLUICE_REST_EDGE_H
#define SLUICE_REST_EDGE_H

#include "base/buffer.h"
#include "worker/rest/basic_auth.h"
#include "worker/rest/cors.h"
#include "worker/rest/header_rules.h"
#include "worker/rest/listener.h"
#include "worker/rest/patience.h"
#include "worker/rest/route.h"
#include "worker/rest/server.h"
#include "worker/rest/tls.h"
#include <microhttpd.h>
#include <pthread.h>

enum { sites_max = 32 };

typedef struct rest_site {
    rest_server *server;
    listener listener;
    struct MHD_Daemon *daemon; /* NULL before rest_serve(). */
    bool regular;              /* Serves what is not below /admin, with CORS. */
    bool admin;                /* Serves what is below /admin. */
    patience patience;         /* Its thread's. */
    tls *tls;                  /* NULL: plain. Borrowed from the server. */
} rest_site;

struct rest_server {
    rest_settings settings;
    cors *cors; /* NULL: no page of another origin may ask. */
    header_rules headers;
    basic_auth *auth;     /* NULL: everybody may ask. */
    tls *tls, *admin_tls; /* Of listeners and admin.listeners, where they need it. */
    rest_site sites[sites_max];
    size_t count;
    herder_loop *herder;
    pthread_mutex_t lock; /* Guards all below. */
    pthread_cond_t drained;
    bool closed;
    size_t body_bytes; /* Of all requests that are not yet completed. */
    size_t calls;      /* Requests that have come whole and are not yet completed. */
};

/* One request, from its first line to its last byte. Of its site's thread; while the
 * herder is asked, of the herder's. */
typedef struct rest_call {
    rest_site *site;
    struct MHD_Connection *connection;
    char *target; /* Path and query, as they came. */
    char *accept; /* All Accept headers in one; NULL: there is none. */
    buffer body;
    size_t body_taken; /* What has come, kept or not. */
    bool crowded;      /* The bodies of all requests together are too large. */
    bool begun, dispatched;
    bool preflight; /* A browser asks whether it may ask. */
    int status;     /* 0: not answered yet. */
    char *text;     /* The body of the answer, or NULL. */
    const char *type;
    const char *allow;
    char *created; /* The connector that a 201 is about. */
} rest_call;

#endif
