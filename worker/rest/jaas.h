/* jaas.h - Java's login configuration: who looks at passwords, with which options.
 *
 *     KafkaConnect {
 *         org.example.LoginModule required file="/etc/users.properties" other=1;
 *     };
 *
 * Comments are Java's. Values stand in quotes or have no space, ';' or brace.
 *
 * Threads: any. */
#ifndef SLUICE_REST_JAAS_H
#define SLUICE_REST_JAAS_H

#include <sluice/config.h>

typedef struct jaas_entry {
    char *module;          /* The class, as written; NULL: no such application. */
    char *flag;            /* "required" … */
    sluice_props *options; /* In their order. */
    size_t modules;        /* How many the application has; this is the first. */
} jaas_entry;

/* The first module of `application` in `text`, called `origin` in messages. BAD_CONFIG
 * with the line of the fault. An application that is not there is no fault. */
sluice_status jaas_parse(const char *text, const char *origin, const char *application,
                         jaas_entry *ret_entry, sluice_error *err);
void jaas_entry_done(jaas_entry *self);

#endif
