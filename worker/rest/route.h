/* route.h - which path and method means which operation: one table.
 *
 * Threads: any. */
#ifndef SLUICE_REST_ROUTE_H
#define SLUICE_REST_ROUTE_H

#include "worker/herder/herder.h"
#include "worker/rest/url.h"

typedef enum route_body {
    route_no_body,
    route_create,  /* {"name", "config", "initial_state"} */
    route_map,     /* texts by name */
    route_patch,   /* the same, or null */
    route_offsets, /* {"offsets": [...]} */
    route_tasks,   /* a list of maps */
} route_body;

typedef struct route_match {
    int status;          /* 200, 404, or 405 with `allow`. */
    const char *allow;   /* "HEAD,GET": what this path takes, for 405 and OPTIONS. */
    bool numberless;     /* 404 once all else is right: a task's number is none. */
    const char *refusal; /* 500 once all else is right: what standalone mode lacks. */
    bool is_admin;       /* A resource below /admin. */
    route_body body;     /* What is to be parsed for the request. */
    herder_request request; /* Texts are borrowed from the url. */
} route_match;

/* Finds the operation. HEAD is GET. `method` OPTIONS gives status 200 for any known
 * path, with `allow` set and nothing else. */
void route_find(const char *method, const url *target, route_match *ret_match);

#endif
