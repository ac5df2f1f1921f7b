/* java_map.h - reads a HashMap<byte[], byte[]> as Java serialises it: the file that
 * Kafka Connect keeps a standalone worker's offsets in.
 *
 * Only what that file holds is understood; anything else is refused.
 *
 * Threads: any. */
#ifndef SLUICE_STORE_JAVA_MAP_H
#define SLUICE_STORE_JAVA_MAP_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>

/* Takes an entry, borrowed; a NULL `value` is Java's null. Anything but OK ends the
 * reading. */
typedef sluice_status java_map_entry(void *context, const char *key, size_t key_len,
                                     const char *value, size_t value_len,
                                     sluice_error *err);

/* Whether the file begins as a Java serialisation does. */
bool java_map_is(const char *path);

/* Gives each entry of the file at `path` (of at most 64 MiB) to `take`. FATAL: it
 * cannot be read, or is not such a map. */
sluice_status java_map_read(const char *path, java_map_entry *take, void *context,
                            sluice_error *err);

#endif
