/* lib/config/key.h - one key of a table: reading it, its type's name, its value.
 *
 * A table may come from a plugin that was built when sluice_key was shorter; nobody
 * may index `table->keys`: config_key() reads with the table's own stride, and members
 * that the plugin did not know are zero.
 *
 * Threads: any. */
#ifndef SLUICE_CONFIG_KEY_H
#define SLUICE_CONFIG_KEY_H

#include <sluice/arena.h>
#include <sluice/config.h>

/* Key `index` of the table; false behind the last. `table` NULL is an empty one. */
bool config_key(const sluice_config *table, size_t index, sluice_key *ret_key);

/* The key called `name`. */
bool config_key_find(const sluice_config *table, const char *name, sluice_key *ret_key);

/* Whether `name` has the form of `family`, the name of a key of type SLUICE_FAMILY. */
bool key_family_has(const char *family, const char *name);

/* The table's check, or NULL. */
typedef sluice_status (*config_check)(const void *config, sluice_error *err);
config_check config_check_of(const sluice_config *table);

/* The type that REST shows: "BOOLEAN", "INT", "LONG", "DOUBLE", "STRING", "PASSWORD",
 * "CLASS" or "LIST". */
const char *key_type_name(const sluice_key *key);

/* "HIGH", "MEDIUM" or "LOW". */
const char *key_importance_name(const sluice_key *key);

/* "NONE", "SHORT", "MEDIUM" or "LONG". */
const char *key_width_name(const sluice_key *key);

/* The default as REST shows it, or NULL where there is none or it is Kafka's null. */
const char *key_default(const sluice_key *key);

/* Whether the key must be given. */
bool key_is_required(const sluice_key *key);

/* The size of the struct's field, for checks of a table. */
size_t key_field_size(sluice_type type);

/* What the rules of `key` say about no value at all: a message where they forbid it. */
void key_refuse_null(const sluice_key *key, sluice_error *err);

/* Parses `text` as a value of `key` and stores it at `field`; texts and lists are put
 * in `arena`. SLUICE_BAD_CONFIG with Kafka's messages, added to those in `err`. A
 * PASSWORD is in no message. */
sluice_status key_parse(const sluice_key *key, const char *text, sluice_arena *arena,
                        void *field, sluice_error *err);

#endif
