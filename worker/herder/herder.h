/* herder.h - who runs what: the worker's decisions, without any input or output.
 *
 * The herder is a step function. What happens outside (a REST request, a line from a
 * connector host, a death, offsets that are durable, the time) comes in as an event;
 * what is to be done (fork a host, send it a line, kill it, store, answer) goes out as
 * a list of actions. No clock, no socket, no file is used in here, so that every story
 * a worker can live through is a test of a few lines. loop.h is the edge that does the
 * deeds.
 *
 *     REST, hosts, store, clock ──event──► herder_step() ──actions──► loop
 *
 * A connector is one host process, or none while it is stopped, paused from the
 * beginning, or waits for its next attempt after a death. Plugins are listed and
 * configurations checked in one more host, the inspector.
 *
 * Threads: one. Memory: as each function says. */
#ifndef SLUICE_HERDER_H
#define SLUICE_HERDER_H

#include <jansson.h>
#include <sluice/log.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct herder herder;

/* When a dead host or a failed task is started again without being asked. */
typedef enum herder_policy {
    herder_never,
    herder_on_crash,   /* A host that died. */
    herder_on_failure, /* And a task or a connector that reported FAILED. */
} herder_policy;

typedef struct herder_restart {
    herder_policy policy;
    int64_t backoff_initial_ms;
    int64_t backoff_max_ms;
    int64_t attempts_max;   /* In a row; then a person must restart it. */
    int64_t attempts_reset; /* Milliseconds of running after which the row ends. */
} herder_restart;

enum { HERDER_CPU_PERCENT_MAX = 100000 }; /* A thousand processors. */

/* What the process of a connector may use. 0: no limit. */
typedef struct herder_limits {
    int64_t memory_bytes;
    int64_t files;
    int64_t nice;        /* Is added to the worker's. */
    int64_t cpu_percent; /* Of one processor. */
    int64_t call_ms;     /* How long a callback of a plugin may take. */
} herder_limits;

/* What a connector may say for itself: restart_keys.h. */
typedef struct herder_own {
    herder_restart restart;
    herder_limits limits;
} herder_own;

/* What the worker's configuration decides. Texts and `worker` are copied. */
typedef struct herder_settings {
    const char *worker_id;   /* "host:port", as status shows it. */
    json_t *worker;          /* All worker properties, passed to hosts. */
    herder_own own;          /* Unless a connector says otherwise. */
    int64_t graceful_ms;     /* For a host to stop, before it is killed. */
    int64_t liveness_ms;     /* For a host to answer a ping, before it is killed. */
    int64_t request_ms;      /* For a request, before it is answered with 500. */
    int64_t wall_minus_mono; /* Wall clock minus `now`, in ms: for texts only. */
    bool topic_tracking;
    bool topic_tracking_reset;
} herder_settings;

/* --- Requests: what REST, and the worker at its start, ask for. --- */

typedef enum herder_operation {
    herder_root,
    herder_health,
    herder_list,
    herder_create,
    herder_info,
    herder_delete,
    herder_get_config,
    herder_put_config,
    herder_patch_config,
    herder_status,
    herder_tasks,
    herder_task_status,
    herder_restart_task,
    herder_restart_connector,
    herder_pause,
    herder_resume,
    herder_stop,
    herder_topics,
    herder_reset_topics,
    herder_offsets,
    herder_alter_offsets,
    herder_reset_offsets,
    herder_plugins,
    herder_plugin_config,
    herder_validate,
    herder_loggers,
    herder_logger,
    herder_set_logger,
    herder_metrics,
    herder_logs,
    herder_ready, /* The worker has created the connectors of its command line. */
} herder_operation;

/* Everything is borrowed until the step returns. `body` has been checked for its shape:
 *   create              {"name": text or null, "config": map, "initial_state": text?}
 *   put, validate       a map of texts and nulls
 *   patch               the same; null takes a key away
 *   alter offsets       {"offsets": [{"partition": map|null, "offset": map|null}]|null}
 *   set logger          {"level": text?} */
typedef struct herder_request {
    uint64_t id; /* The asker's; comes back in the answer. */
    herder_operation operation;
    const char *name;    /* The connector, plugin or logger; or NULL. */
    const char *version; /* plugin config: the versions asked for; or NULL. */
    int32_t task;
    json_t *body;
    bool include_tasks, only_failed;         /* restart */
    bool expand, expand_status, expand_info; /* list */
    bool all_plugins;                        /* plugins: connectorsOnly=false */
    bool in_cluster;                         /* set logger: scope=cluster */
    int64_t lines, after;                    /* logs: journal.h says what; -1: all */
} herder_request;

/* --- Events. --- */

typedef enum herder_event_type {
    herder_event_start, /* Once, first. */
    herder_event_request,
    herder_event_restore, /* A connector that the store remembers, or its offsets. */
    herder_event_message, /* A line from a host. */
    herder_event_closed,  /* A host has nothing more to say; its end should follow. */
    herder_event_exited,
    herder_event_stored,
    herder_event_tick, /* herder_deadline() has come. */
    herder_event_stop,
} herder_event_type;

typedef struct herder_event {
    herder_event_type type;
    const herder_request *request;
    uint64_t host;   /* message, closed, exited */
    json_t *message; /* message; restore: {"name", "config", "target"} or
                        {"name", "offsets": [[partition, offset], ...]} */
    int exit_code,
        exit_signal;    /* exited; a host that could not be forked has code -1 */
    const char *doing;  /* exited: "in poll of task 0", "" or NULL */
    const char *log;    /* exited: its last lines; closed: why it is; or NULL */
    int64_t data_bytes; /* exited by a crash: what it had allocated; 0: unknown */
    uint64_t store;     /* stored: the number of the action that is done */
} herder_event;

/* --- Actions. --- */

typedef enum herder_action_type {
    herder_fork, /* `id` a new host, `text` its title, within `limits`; `number` 1: the
                    inspector */
    herder_send, /* to host `id` the line `json` */
    herder_kill, /* host `id` with `number` as the signal */
    herder_store_offsets, /* as `id`: of connector `text` the pairs `json`; null: remove
                           */
    herder_store_config,  /* as `id`: of connector `text` {"config", "target"}; or null
                           */
    herder_answer,        /* request `id`: status `number`, body `json` or NULL */
    herder_answer_metrics, /* request `id`: status `number`, the metrics of `snapshot`
                            */
    herder_answer_logs,    /* request `id`: the lines about connector `text`, of which
                              `json` {"lines", "after"} says how many */
    herder_log,       /* `text` at level `number`, about connector `json`, or NULL */
    herder_set_level, /* of logger `text` to level `number` */
    herder_finished,  /* the last host is gone after a stop event */
} herder_action_type;

typedef struct herder_action {
    herder_action_type type;
    uint64_t id;
    int number;
    json_t *json;
    char *text;
    herder_limits limits;
    herder *snapshot;
} herder_action;

/* Made by a step; the caller carries them out in order and clears the list. */
typedef struct herder_actions {
    herder_action *items;
    size_t count, room;
} herder_actions;

/* Forgets all actions, and frees what they hold. The list stays usable. */
void herder_actions_clear(herder_actions *actions);
/* The same, and frees the list itself. */
void herder_actions_done(herder_actions *actions);

/* --- The herder. --- */

herder *herder_new(const herder_settings *settings);
void herder_free(herder *self); /* NULL is accepted. */

/* Takes one event at the time `now_ms` (any monotonic clock) and appends what is to be
 * done to `actions`. Never fails: what is wrong becomes an answer, a state or a log
 * line. Messages from a host that is no longer known are dropped, offsets excepted. */
void herder_step(herder *self, const herder_event *event, int64_t now_ms,
                 herder_actions *actions);

/* When the next tick is wanted; INT64_MAX: never, nothing runs or waits. */
int64_t herder_deadline(const herder *self);

#endif
