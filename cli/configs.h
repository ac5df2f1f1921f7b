/* cli/configs.h - what the files of `sluice configs` share.
 *
 * Threads: the main one. */
#ifndef CLI_CONFIGS_H
#define CLI_CONFIGS_H

#include "admin_configs.h"

enum { configs_entities_max = 2 };

/* What kinds of things have settings. */
typedef struct config_kind {
    const char *plural;   /* "topics", as --entity-type says it. */
    const char *singular; /* "topic", as the tool says it. */
    int8_t resource;      /* CONFIGS_OF_…; 0: its settings are quotas. */
    int8_t source;        /* CONFIG_FROM_…: where a setting of its own comes from. */
    bool has_default;     /* "" is a name, for what all have. */
} config_kind;

/* A thing with settings. */
typedef struct config_entity {
    const config_kind *kind;
    const char *name; /* NULL: all; "": what all have. */
} config_entity;

typedef struct configs_options {
    cli_connection connection;
    const char *bootstrap_controller;
    bool describe, alter, all, entity_default, force;
    cli_texts entity_types, entity_names;
    const char *add_config, *add_config_file;
    cli_texts delete_config;
    const char *topic, *client, *user, *broker, *broker_logger, *ip, *group, *metrics;
    bool client_defaults, user_defaults, broker_defaults, ip_defaults;
    bool json;
    bool kafkas; /* Speaks as kafka-configs. */
} configs_options;

/* A tool at its work. */
typedef struct configs_work {
    admin *client;
    const configs_options *options;
    config_entity entities[configs_entities_max]; /* Two: a user and a client. */
    size_t entity_count;
    const cli_texts *pairs; /* "key=value", in our dress. */
    int16_t refused;        /* The broker's code, when it was the broker who refused. */
} configs_work;

typedef struct config_pair {
    const char *key, *value;
} config_pair;

/* The kind called `name`, in the plural or, in our dress, the singular. NULL: none. */
const config_kind *config_kind_find(const char *name, bool kafkas);

/* All kinds, ended by one without a name. */
extern const config_kind config_kinds[];

/* SLUICE_BAD_CONFIG is what the tool itself refuses, in Kafka's words. */
sluice_status configs_describe(configs_work *self, sluice_error *err);
sluice_status configs_alter(configs_work *self, sluice_error *err);

/* The same for users, clients and addresses: their quotas. */
sluice_status quotas_describe(configs_work *self, sluice_error *err);
sluice_status quotas_alter(configs_work *self, const config_pair *added,
                           size_t added_count, const char *const *deleted,
                           size_t deleted_count, sluice_error *err);

/* Says that a change was made. */
void configs_say_changed(const configs_work *self);

/* Whether the kind's settings can be had, and in what order: the settings of `entity`
 * whose values are its own, by name. */
sluice_status configs_own(configs_work *self, const config_entity *entity,
                          config_entries *ret_entries, sluice_error *err);

#endif
