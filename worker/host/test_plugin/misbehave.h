/* worker/host/test_plugin/misbehave.h - all that a plugin should not do, on request.
 *
 * Threads: the caller's. */
#ifndef SLUICE_WORKER_HOST_TEST_PLUGIN_MISBEHAVE_H
#define SLUICE_WORKER_HOST_TEST_PLUGIN_MISBEHAVE_H

#include <sluice/config.h>

/* Part of a configuration that wants it. */
typedef struct misbehaviour {
    const char *how;  /* One of misbehave.c's; "": none. */
    const char *at;   /* The callback: "poll", "put" … */
    const char *once; /* A file that is made by the first time; NULL: each time. */
} misbehaviour;

#define MISBEHAVE_KEYS(config_type, field)                                             \
    {.name = "test.misbehave",                                                         \
     .fallback = "",                                                                   \
     .doc = "What it does that it should not.",                                        \
     .type = SLUICE_STRING,                                                            \
     .offset = SLUICE_AT(const char *, config_type, field.how)},                       \
        {.name = "test.misbehave.at",                                                  \
         .fallback = "",                                                               \
         .doc = "Where.",                                                              \
         .type = SLUICE_STRING,                                                        \
         .offset = SLUICE_AT(const char *, config_type, field.at)},                    \
    {                                                                                  \
        .name = "test.misbehave.once", .fallback = SLUICE_NULL,                        \
        .doc = "A file that says it was done.", .type = SLUICE_STRING,                 \
        .offset = SLUICE_AT(const char *, config_type, field.once)                     \
    }

/* hostile.c */
void hostile_say_nonsense(void);
void hostile_flood(void);
void hostile_say_much(void);
void hostile_many_tasks(void);
void hostile_damage_page(void);
void hostile_print_without_end(void);
void hostile_stop(void);
void hostile_many_processes(void);
void hostile_attack_parent(void);
void hostile_take_away_limits(void);
void hostile_replace_channel(void);

/* Does it when `at` is the place. */
void misbehave(const misbehaviour *self, const char *at);

#endif
