/* worker/standalone.h - a worker by itself: connectors from files and REST, offsets in
 * a file. What `sluice standalone` runs.
 *
 * Threads: the main one, before there are others. */
#ifndef SLUICE_WORKER_STANDALONE_H
#define SLUICE_WORKER_STANDALONE_H

#include "base/properties.h"
#include "worker/nursery.h"

typedef struct standalone_settings {
    const properties *worker;      /* The worker's .properties. */
    const char *const *connectors; /* Paths of connector files and of folders of
                                    * them, NULL-ended. */
    const char *ready_file;        /* Where "rest=URL" and "admin=URL" of each
                                    * listener are written once ready; or NULL. */
    const char *java_options; /* KAFKA_OPTS, which may name a login file; or NULL. */
    nursery_child child;      /* What a connector host runs: host_main(). */
} standalone_settings;

/* Kafka Connect's exit codes of connect-standalone. */
enum {
    STANDALONE_STOPPED = 0,
    STANDALONE_DIED = 1,    /* It could not go on. */
    STANDALONE_REFUSED = 2, /* Its configuration is wrong, or it could not start. */
    STANDALONE_CONNECTOR =
        3 /* A connector of the command line has a wrong configuration
             or none. One that cannot start is FAILED, no more. */
};

/* Runs until SIGINT or SIGTERM and returns the exit code. What is wrong is on standard
 * error; "REST at URL", a line for each listener, goes to standard output when
 * connections are taken.
 * A second signal ends the process at once; its hosts then stop by themselves. */
int standalone_run(const standalone_settings *settings);

#endif
