/* sluice/test.h - fakes for the unit tests of a plugin: a task without a worker.
 *
 * In libsluice-test, which only tests link. A fake task has the configuration and the
 * stored offsets that a test gives it, remembers what the plugin asked for, and is
 * woken and stopped by the test:
 *
 *     sluice_fake *fake = sluice_fake_new();
 *     void *config = sluice_fake_config(fake, &table, "file", path, NULL);
 *     ops->create(config, sluice_fake_task(fake), &self, err);
 *     ops->poll(self, batch, err);
 *     CHECK_TEXT(sluice_fake_show(fake, sluice_record_value(…)), "\"a line\"");
 *
 * Threads: all from the test's own; wake and stop from any. */
#ifndef SLUICE_TEST_H
#define SLUICE_TEST_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_fake sluice_fake;

/* A task 0 of the connector "fake", with nothing configured and nothing stored. */
sluice_fake *sluice_fake_new(void);
void sluice_fake_free(sluice_fake *fake); /* NULL is accepted. Frees its parts too. */
sluice_task *sluice_fake_task(sluice_fake *fake);

/* --- What it is given. --- */

/* The configuration of the task: set pairs before it is parsed. */
sluice_props *sluice_fake_props(sluice_fake *fake);
/* Sets the pairs "key", "value", … NULL in the props and parses all of them with
 * `table`. The struct, which lives as long as the fake; NULL when it is refused: read
 * sluice_fake_fault() then. */
void *sluice_fake_config(sluice_fake *fake, const sluice_config *table, ...)
    __attribute__((sentinel));
/* Why the last configuration was refused, all messages; "" if it was not. */
const char *sluice_fake_fault(const sluice_fake *fake);
/* The offsets that the task finds stored. */
sluice_offsets *sluice_fake_offsets(sluice_fake *fake);
/* Whether dead letters are tolerated; they are at first. */
void sluice_fake_tolerate(sluice_fake *fake, bool tolerate);

/* Makes the wake fd readable, or not again; makes the stop fd readable for good. */
void sluice_fake_wake(sluice_fake *fake);
void sluice_fake_unwake(sluice_fake *fake);
void sluice_fake_stop(sluice_fake *fake);

/* --- What it remembers. --- */

/* Dead letters, with their reasons. */
size_t sluice_fake_dead_letters(const sluice_fake *fake);
const char *sluice_fake_dead_letter(const sluice_fake *fake, size_t index);
/* The offsets the sink rewound to. */
const sluice_offsets *sluice_fake_rewinds(const sluice_fake *fake);
/* How often it asked. */
int sluice_fake_commits_asked(const sluice_fake *fake);
int sluice_fake_splits_asked(const sluice_fake *fake);
/* The last value of a gauge; INT64_MIN if it was never set. */
int64_t sluice_fake_gauge(const sluice_fake *fake, const char *name);
/* What it said it was doing; "" for nothing special. */
const char *sluice_fake_doing(const sluice_fake *fake);

/* --- Records. --- */

/* Adds a record for a sink: STRING key and value (NULL: null), partition 0 of `topic`,
 * at `offset`, timestamp 0. */
sluice_record *sluice_fake_consumed(sluice_batch *batch, const char *topic,
                                    int64_t offset, const char *key, const char *value);

/* A value as text for comparing: JSON, but bytes as 0x00ff, a struct or a map as
 * {"name":value}, floats with all their digits. Lives as long as the fake. */
const char *sluice_fake_show(sluice_fake *fake, const sluice_value *value);

/* A schema as text: INT32, STRING?, ARRAY(INT8), MAP(STRING,INT8), STRUCT{a INT32,b
 * STRING?}; a name follows in brackets: INT32[org.apache.kafka.connect.data.Date]. */
const char *sluice_fake_show_schema(sluice_fake *fake, const sluice_schema *schema);

#ifdef __cplusplus
}
#endif

#endif
