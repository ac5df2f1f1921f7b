/* cli/connectors/connectors.h - what the actions of `sluice connectors` share.
 *
 * Threads: the main one. */
#ifndef CLI_CONNECTORS_H
#define CLI_CONNECTORS_H

#include "cli/command.h"
#include "cli/options.h"
#include "cli/rest_client.h"
#include <jansson.h>
#include <stdbool.h>

/* How it ends: scripts rely on these. CLI_FAILED: the worker refused, a configuration
 * is not valid, or something differs. */
enum {
    CONNECTORS_UNREACHABLE = 3, /* The worker, or it does not let us in. */
    CONNECTORS_NOT_SO = 4, /* What was waited for failed, or did not come in time. */
};

typedef struct connectors_options {
    const char *url, *user, *ca_file, *cert_file;
    const char *state, *to;
    bool insecure, json, names, update, tasks, only_failed, reset, stop;
    bool wait, prune, dry_run, follow, actions;
    int64_t task, timeout, lines;
    cli_texts removed;
} connectors_options;

typedef struct session {
    const connectors_options *options;
    rest_worker worker;
    int code; /* Of the first thing that went wrong; else CLI_DONE. */
} session;

typedef void action_run(session *s, const cli_texts *arguments);

/* --- ask.c: requests, and what comes of them. --- */

/* Says on standard error what is wrong, and remembers the code. */
void complain(session *s, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether the worker did it; else standard error says why not. The answer is to be
 * released in any case. */
bool ask(session *s, const char *method, const char *path, const json_t *body,
         rest_answer *ret_answer);
/* The same for a path below /connectors/NAME. */
bool ask_about(session *s, const char *method, const char *name, const char *rest,
               const json_t *body, rest_answer *ret_answer);
/* The same, for an answer of status 404 that is none to complain about: false, and
 * `ret_answer` has that status. */
bool ask_whether(session *s, const char *name, const char *rest,
                 rest_answer *ret_answer);
/* The same, where the answer does not matter but for --json. */
bool command(session *s, const char *method, const char *name, const char *rest,
             const json_t *body);

/* The text under `key`; "" where there is none. */
const char *text_of(const json_t *object, const char *key);
void print_json(const json_t *value);
void print_indented(const char *text, const char *indent);
/* A value of a configuration as a text, "null" too; borrowed. */
const char *value_text(const json_t *value);

/* --- table.c: columns as wide as they must be. --- */

enum { table_columns_max = 6 };
typedef struct table table;
/* `heads` are printed first; ended by NULL. */
table *table_new(const char *const *heads);
void table_add(table *self, const char *const *cells);
void table_print(const table *self);
void table_free(table *self);

/* --- secrets.c --- */

/* The names of keys of `config` whose values are not to be shown, as an object; the
 * caller's. */
json_t *secret_keys(session *s, const json_t *config);

/* --- wait.c --- */

/* Waits until a connector and its tasks are in a state; "" : until it is gone.
 * Complains with CONNECTORS_NOT_SO. */
bool await(session *s, const char *name, const char *state);

/* --- files.c --- */

/* {"name", "config", "initial_state"?} of a file, the caller's; NULL: complained. */
json_t *read_connector(session *s, const char *path);
/* Those of files and folders, by name: {"name": {…}}; NULL: complained. */
json_t *read_connectors(session *s, const cli_texts *paths);
/* Whether its plugin accepts a configuration; complains of what it does not accept.
 * `show`: prints the worker's answer. */
bool is_valid(session *s, const char *about, const json_t *config, bool show);
json_t *read_json(session *s, const char *path);

/* --- The actions, by file. --- */
action_run do_list, do_show, do_status, do_topics, do_plugins, do_info, do_loggers;
action_run do_pause, do_resume, do_stop, do_restart, do_delete, do_wait, do_config;
action_run do_create, do_validate, do_diff, do_apply, do_offsets, do_logs;

#endif
