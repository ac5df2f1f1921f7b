/* secrets.h - what no log, trace or fault may show, and what stands there instead.
 *
 * A value that came from a provider is shown as the reference to it, a password that
 * stands in a configuration as [hidden], and in every URL the password before its host.
 * Only whole words are replaced, and none that the configuration shows elsewhere or
 * that is too short to be a secret: "sluice" may be a password and a prefix of topics.
 *
 * Threads: a set belongs to one thread until it is watched; the functions that say so
 * may be called from any. */
#ifndef SLUICE_CONFIG_SECRETS_H
#define SLUICE_CONFIG_SECRETS_H

#include <sluice/config.h>

typedef struct secrets secrets;

secrets *secrets_new(void);
void secrets_free(secrets *self); /* NULL is accepted. */

/* `value`, without the space around it, is shown as `shown`. Both are copied. */
void secrets_add(secrets *self, const char *value, const char *shown);

/* Adds the values of names that are passwords' by their look ("….password", "….secret",
 * "….jaas.config"), whatever plugin they are for. */
void secrets_add_named(secrets *self, const sluice_props *props);

/* Adds the values of all keys of type PASSWORD of `table`. */
void secrets_add_keys(secrets *self, const sluice_config *table,
                      const sluice_props *props);

/* Takes away what is shown anyway: the value of a name in `props` that is no
 * password's, by its look or by `table` (or NULL). To be called last. */
void secrets_spare(secrets *self, const sluice_config *table,
                   const sluice_props *props);

/* `text` without secrets, the caller's. */
char *secrets_hide(const secrets *self, const char *text);

/* From now on `self`, which is taken, is what the process has to hide, in its log too.
 * The one before is freed. */
void secrets_watch(secrets *self);

/* Adds to that, and spares, what a plugin's table says of `props`. */
void secrets_watch_keys(const sluice_config *table, const sluice_props *props);

/* `text` without what the process has to hide, the caller's. Any thread. */
char *secrets_hidden(const char *text);

#endif
