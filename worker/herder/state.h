/* state.h - what the herder knows, and the verbs its own files share.
 *
 * Only files of worker/herder include this. */
#ifndef SLUICE_HERDER_STATE_H
#define SLUICE_HERDER_STATE_H

#include "base/map.h"
#include "herder.h"
#include "worker/kafka_version.h"

/* Kafka Connect's words for what is wanted and for what is. */
typedef enum target_state {
    target_started,
    target_paused,
    target_stopped
} target_state;

typedef enum run_state {
    state_unassigned,
    state_running,
    state_paused,
    state_failed,
    state_restarting,
    state_stopped,
} run_state;

typedef struct task {
    run_state state;
    char *trace; /* or NULL */
    char *retry; /* why it waits before its next attempt, or NULL */
    char *doing; /* what it says it does, or NULL */
    json_t *config;
    json_t *gauges; /* its part of the last pong, or NULL */
    json_t *places; /* a sink's partitions, as told last; or NULL */
    uint64_t restarts;
} task;

/* A process that runs a connector, or the inspector. */
typedef struct host_slot {
    uint64_t id; /* 0: none */
    bool stopping;
    bool killed;       /* The grace time is over: SIGKILL was sent. */
    char *reason;      /* Why we killed it, for the trace; or NULL */
    int64_t kill_at;   /* While stopping; INT64_MAX otherwise. */
    int64_t closed_at; /* It can say nothing more since then; 0: it can. */
    herder_limits limits;
    int64_t pinged_at;
    int64_t unanswered_since; /* The first ping that has no answer yet; 0: none. */
    int64_t started_at;
} host_slot;

typedef struct connector {
    char *name;
    json_t *config;
    target_state target;
    run_state state;
    char *trace;
    char *type;    /* "source", "sink" or "unknown" */
    char *class;   /* As the plugin calls itself, or NULL before it was found. */
    char *version; /* or NULL */
    task *tasks;
    size_t task_count;
    json_t *topics; /* An object; its keys are what was used. */
    host_slot host;
    bool configured;    /* The host has sent its task configurations. */
    bool leaving;       /* Deleted, and gone as soon as its host is. */
    bool rerun;         /* To be started again when the host has stopped. */
    bool outdated;      /* The host is paused, and the configuration newer than it. */
    int64_t restart_at; /* INT64_MAX: never. */
    int64_t attempts;
    uint64_t restarts; /* Since the worker's start, for metrics. */
} connector;

/* Where a request stands that could not be answered at once. */
typedef enum wait_phase {
    wait_plugins,    /* for the inspector's list */
    wait_validation, /* for its turn at the inspector, and its answer */
    wait_start,      /* for the connector to have tasks, or to fail */
    wait_exit,       /* for its host to be gone */
    wait_store,      /* for the store, and nothing else */
} wait_phase;

typedef struct pending {
    uint64_t id;
    herder_operation operation;
    wait_phase phase;
    char *name;
    json_t *body;
    char *target;    /* create: the initial state, or NULL */
    char *version;   /* plugin config: those that are asked for, or NULL */
    bool created;    /* The answer is 201. */
    bool sent;       /* wait_validation: the inspector has it now … */
    int64_t sent_at; /* … since then. */
    bool exited;     /* wait_exit: the host is gone, or is as good as that. */
    bool external;   /* alter, reset offsets: the connector has seen to its outside. */
    bool all_plugins;
    uint64_t store; /* What must be stored before the answer; 0: nothing more. */
    int64_t deadline;
    int64_t began; /* The phase, for the message of a timeout. */
    struct pending *next;
} pending;

/* Offsets on their way to the store. */
typedef struct store_wait {
    uint64_t id;
    char *name;
    json_t *pairs; /* NULL: all are removed. */
    uint64_t host; /* Who gets to know, unless 0 */
    json_int_t sequence;
    struct store_wait *next;
} store_wait;

struct herder {
    herder_settings settings;
    map connectors; /* name -> connector */
    map offsets;    /* name -> json object: partition's text -> [partition, offset] */
    store_wait *stores; /* In the order in which they were given to the store. */
    store_wait **stores_end;
    pending *waiting;
    pending **waiting_end;
    json_t *plugins;     /* NULL: not known yet */
    char *plugins_fault; /* Why they cannot be known; or NULL. */
    host_slot inspector;
    int64_t inspector_at; /* When to fork it again; INT64_MAX: not. */
    int inspector_deaths;
    char *cluster_id; /* NULL: not known yet */
    bool cluster_asked;
    json_t *loggers;   /* name -> {"level", "last_modified"} */
    uint64_t last_id;  /* of a host or a store action */
    int64_t looked_at; /* When somebody asked for what hosts report. */
    bool ready, stopping, finished;
    uint64_t host_deaths;
    int64_t began_wall_ms; /* The worker's start, for metrics. */
    uint64_t startups, startup_successes, startup_failures;
    uint64_t task_attempts, task_startups, task_failures;
    /* Of the step being taken. */
    herder_actions *actions;
    int64_t now;
};

/* --- actions.c --- */
void act_fork(herder *self, uint64_t id, const char *title, const herder_limits *limits,
              bool is_inspector);
void act_send(herder *self, uint64_t host, json_t *line_taken);
void act_kill(herder *self, uint64_t host, int signal);
uint64_t act_store_offsets(herder *self, const char *name, json_t *pairs);
uint64_t act_store_config(herder *self, const connector *c);
uint64_t act_forget_config(herder *self, const char *name);
void act_answer(herder *self, uint64_t request, int status, json_t *body_taken);
void act_answer_metrics(herder *self, uint64_t request);
void act_fault(herder *self, uint64_t request, int status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void act_log(herder *self, sluice_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same about a connector. */
void act_log_of(herder *self, const connector *c, sluice_level level,
                const char *format, ...) __attribute__((format(printf, 4, 5)));
void act_answer_logs(herder *self, const herder_request *request);
void act_set_level(herder *self, const char *logger, sluice_level level);
void act_finished(herder *self);

/* --- connector.c: one connector and its host. --- */
connector *herder_connector_find(const herder *self,
                                 const char *name); /* not leaving */
connector *herder_connector_add(herder *self, const char *name);
void herder_connector_free(connector *c);
void herder_connector_set_config(connector *c, json_t *config);
/* Starts the host if the target says so and nothing is in the way. */
void herder_connector_start(herder *self, connector *c);
/* Asks the host to stop; what happens then is up to target, leaving and rerun. */
void herder_connector_stop(herder *self, connector *c);
/* Stops and starts it, or only starts it when it does not run. */
void herder_connector_bounce(herder *self, connector *c, run_state shown);
void herder_connector_restart_task(herder *self, connector *c, size_t number);
void herder_connector_message(herder *self, connector *c, const json_t *message);
/* Its host has closed its channel, which is the last that it does. */
void herder_connector_closed(herder *self, connector *c);
void herder_connector_exited(herder *self, connector *c, const herder_event *event);
void herder_connector_tick(herder *self, connector *c);
int64_t herder_connector_deadline(const herder *self, const connector *c);
herder_own herder_connector_own(const herder *self, const connector *c);
const char *herder_connector_property(const connector *c, const char *key);

/* --- host_slot.c: stopping, killing, asking whether it still lives. --- */
/* Levels that were set; after the first message, which says what the host is. */
void host_slot_tell_levels(herder *self, uint64_t host);
void host_slot_begin(herder *self, host_slot *host, const char *title,
                     const herder_limits *limits);
void host_slot_stop(herder *self, host_slot *host);
/* It can say nothing more, or has said what cannot be: `fault`, or NULL. */
void host_slot_closed(herder *self, host_slot *host, const char *fault);
/* A task of it says that a plugin's function has not returned for so long. */
void host_slot_stuck(herder *self, host_slot *host, int64_t number, const char *call,
                     int64_t stuck_ms);
/* Somebody looks at what hosts report: they are asked often for a while. */
void host_slot_looked_at(herder *self);
void host_slot_tick(herder *self, host_slot *host, bool asked_to_answer);
int64_t host_slot_deadline(const herder *self, const host_slot *host,
                           bool asked_to_answer);
void host_slot_forget(host_slot *host);
/* What a death was, as a sentence; the caller's. `what` is "connector host of 'c'". */
char *host_slot_obituary(const host_slot *host, const char *what,
                         const herder_event *event);

/* --- plugins.c: the inspector. --- */
void inspector_start(herder *self);
void inspector_stop(herder *self);
/* Asks for the cluster's id, if it is not known and nobody is asking. */
void inspector_ask_cluster(herder *self);
void inspector_message(herder *self, json_t *message);
void inspector_exited(herder *self, const herder_event *event);
void inspector_tick(herder *self);
/* The check in hand is not awaited any more: kills the inspector. */
void inspector_overdue(herder *self);
int64_t inspector_deadline(const herder *self);
/* Sends the next validation, if the inspector is free. */
void inspector_next(herder *self);
/* The source or sink that `name` means, or NULL. `ret_ambiguous`: several do. */
const json_t *plugin_find(const herder *self, const char *name, bool *ret_ambiguous);
const json_t *plugin_find_any(const herder *self, const char *name);
json_t *plugin_listing(const herder *self, bool all);

/* What REST shows as its version, borrowed. */
const char *plugin_version(const json_t *plugin);
json_t *plugin_keys(const json_t *plugin, const json_t *validated);
/* "PluginDesc{…}, …", as Kafka Connect names what there is; the caller's. */
char *plugin_available(const herder *self);

/* --- pending.c: requests that wait. --- */
pending *pending_add(herder *self, const herder_request *request, wait_phase phase);
void pending_remove(herder *self, pending *p);
void pending_to(herder *self, pending *p, wait_phase phase);
/* Answers those whose condition is met. */
void pending_wake(herder *self, const char *name);   /* A connector has changed. */
void pending_exited(herder *self, const char *name); /* Its host does nothing more. */
void pending_stored(herder *self, uint64_t store);
void pending_plugins(herder *self); /* The plugins are known, or cannot be. */
void pending_tick(herder *self);
int64_t pending_deadline(const herder *self);
void pending_refuse_all(herder *self, const char *message);
void pending_free_all(herder *self);

/* --- change.c: what changes configurations. --- */
void change_request(herder *self, const herder_request *request);
/* The plugins are known: checks what can be checked without the inspector. Returns
 * false when it has answered. */
bool change_admit(herder *self, pending *p);
/* The inspector has spoken: {"validated": Kafka Connect's body or null, "error"?}. */
void change_validated(herder *self, pending *p, const json_t *message);
/* A restored connector, from the store. */
void change_restore(herder *self, const json_t *stored);

/* --- request.c: everything else that is asked. --- */
void herder_request_take(herder *self, const herder_request *request);
void herder_request_answer_plugins(herder *self, pending *p);

/* --- control.c: pause, resume, stop, delete and restart. --- */
void control_request(herder *self, const herder_request *request);

/* --- offsets.c --- */
void offsets_restore(herder *self, const json_t *stored);
void offsets_arrived(herder *self, connector *c, uint64_t host, const json_t *message);
void offsets_stored(herder *self, uint64_t store);
/* Whether some of its offsets are not durable yet. */
bool offsets_in_flight(const herder *self, const char *name);
json_t *offsets_pairs(const herder *self, const char *name);
void offsets_request(herder *self, const herder_request *request);
void offsets_answer(herder *self, uint64_t request, const json_t *pairs);
void offsets_answer_changed(herder *self, const pending *p);
void offsets_free(herder *self);

/* Asks the connector whether offsets may be altered, through the inspector. */
void offsets_ask(herder *self, const pending *p, const connector *c);
/* It has answered: they are stored, or it was refused. */
void offsets_asked(herder *self, pending *p, const json_t *message);

/* --- group_offsets.c: a sink's. --- */
void group_offsets_request(herder *self, const herder_request *request);
bool group_offsets_is(const pending *p);
void group_offsets_ask(herder *self, const pending *p);
void group_offsets_answered(herder *self, pending *p, const json_t *message);

/* --- answer.c: Kafka Connect's bodies. --- */
const char *state_name(run_state state);
json_t *answer_info(const connector *c);
json_t *answer_status(const herder *self, const connector *c);
json_t *answer_task_status(const herder *self, const connector *c, size_t number);
json_t *answer_tasks(const connector *c);
/* "Request timed out. The worker is currently …"; the caller's. */
char *answer_timeout(const herder *self, const pending *p);

/* --- loggers.c --- */
void loggers_request(herder *self, const herder_request *request);

#endif
