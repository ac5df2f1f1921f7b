/* lib/base/properties.h - Java's .properties syntax, for configuration files.
 *
 * As java.util.Properties reads it: "key=value", "key: value", "key value"; comments
 * begin with '#' or '!'; a line that ends in a backslash goes on in the next one, whose
 * leading white space is dropped; \t \n \r \f \uXXXX; any other escaped character is
 * itself. White space at the end of a value belongs to it. A key that comes twice has
 * its last value (and its first place).
 * One thing is kinder than Java: a file that is valid UTF-8 is read as that; only
 * otherwise as Latin-1. One thing is stricter: a NUL is refused.
 *
 * Threads: belongs to one thread at a time; several may read it at once. */
#ifndef SLUICE_BASE_PROPERTIES_H
#define SLUICE_BASE_PROPERTIES_H

#include <sluice/error.h>
#include <stddef.h>

typedef struct properties properties;

properties *properties_new(void);
void properties_free(properties *self); /* NULL is accepted. */

/* Adds the pairs of a file, of at most 16 MiB. BAD_CONFIG with "'FILE': reason" or
 * "FILE:LINE: reason"; what came before the fault may have been added. */
sluice_status properties_read(properties *self, const char *path, sluice_error *err);

/* The same for `len` bytes in memory, called `origin` in messages. */
sluice_status properties_parse(properties *self, const char *base, size_t len,
                               const char *origin, sluice_error *err);

/* Sets a key; both texts are copied. */
void properties_set(properties *self, const char *key, const char *value);

/* "key=value" as on a command line (`-o key=value`): BAD_CONFIG without a '='. */
sluice_status properties_set_pair(properties *self, const char *pair,
                                  sluice_error *err);

/* The value of a key, or NULL. Borrowed until the key is set again. */
const char *properties_get(const properties *self, const char *key);

/* The pairs in the order of their first appearance; borrowed as above. */
size_t properties_count(const properties *self);
const char *properties_key(const properties *self, size_t index);
const char *properties_value(const properties *self, size_t index);

/* Where a pair came from, "FILE:LINE", or "" if it was set by a call. */
const char *properties_origin(const properties *self, size_t index);

#endif
