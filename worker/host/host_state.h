/* worker/host/host_state.h - a running host, as its parts see it.
 *
 * Threads: the main one's, except where a field says otherwise. */
#ifndef SLUICE_WORKER_HOST_HOST_STATE_H
#define SLUICE_WORKER_HOST_HOST_STATE_H

#include "base/map.h"
#include "worker/control/channel.h"
#include "worker/control/control.h"
#include "worker/host/runner.h"

typedef enum host_phase {
    HOST_NEW,      /* Nothing was said yet. */
    HOST_INSPECT,  /* Lists plugins and validates. */
    HOST_RUNNING,  /* Its tasks run, or the connector has failed. */
    HOST_STOPPING, /* Its tasks were told to stop. */
    HOST_OVER,
} host_phase;

struct host {
    channel control; /* channel_send() from any thread. */
    control_doing_page *page;
    int event_fd; /* Any thread: something is to be looked at. */
    host_phase phase;
    int exit_code;
    bool orphaned;         /* The worker is gone. */
    bool damaged;          /* A descriptor of its own is closed. */
    int64_t stop_deadline; /* While stopping: when patience ends. */

    /* From the start message; constant while tasks run, but `offsets`. */
    char *name;
    sluice_props *config, *worker;
    sluice_props *written;   /* The configuration with its references. */
    sluice_offsets *offsets; /* A source's stored ones, as far as the worker said. */
    plugin_set *plugins;
    const plugin_feature *plugin;
    common_config *common;
    void *plugin_config;
    int64_t flush_interval_ms, flush_timeout_ms;
    bool is_source;

    runner **tasks;
    size_t task_count;
    bool tasks_paused;
    _Atomic bool split_asked;  /* Any thread. */
    bool splitting;            /* The tasks are being stopped for a new split … */
    bool rebuilding;           /* … or for a new producer. */
    sluice_props **next_props; /* What they begin with then; NULL: what they had. */
    size_t next_count;

    /* A source's. */
    struct kafka_producer *producer;
    struct topic_creation *creation; /* A source's, or NULL. */
    _Atomic int64_t bytes_in_flight; /* Any thread: of all tasks. */
    int64_t bytes_in_flight_max;
    size_t request_bytes; /* What a request holds. */
    runner **leaving;     /* Tasks that ended while the log still owes them answers. */
    size_t leaving_count;
    int64_t flush_sequence;
    bool flush_under_way;
    sluice_offsets *flushing; /* What is under way. */
    int64_t flushed_ms;

    /* An inspecting host's. */
    pthread_t asker; /* Asks for the cluster's id. */
    bool asking;

    pthread_mutex_t topics_lock; /* Guards `topics`. */
    map topics;
};

/* Replaces the ${provider:path:key} in `config` by what the worker's config.providers
 * say; BAD_CONFIG names the key. From then on neither they nor passwords are told. */
sluice_status host_resolve(const sluice_props *worker, sluice_props *config,
                           sluice_error *err);

/* Any thread: the main thread looks at everything soon. */
void host_nudge(host *self);

#endif
