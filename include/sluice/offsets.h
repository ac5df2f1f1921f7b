/* sluice/offsets.h - positions: which part of the outside, and how far.
 *
 * One map for both directions. A source's partition and offset are maps of its own
 * making, without a schema, as in Kafka Connect: {"filename": "/var/log/x"} ->
 * {"position": 4711}. A sink's are a topic partition and the offset of the next record
 * to come.
 *
 * Threads: one at a time. Memory: everything added is copied. */
#ifndef SLUICE_OFFSETS_H
#define SLUICE_OFFSETS_H

#include <sluice/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_offsets sluice_offsets;

SLUICE_API sluice_offsets *sluice_offsets_new(void);
SLUICE_API void sluice_offsets_free(sluice_offsets *offsets); /* NULL is accepted. */
SLUICE_API void sluice_offsets_clear(sluice_offsets *offsets);
SLUICE_API size_t sluice_offsets_count(const sluice_offsets *offsets);

/* --- A source's. --- */

/* Sets the offset of `partition`, replacing the one it had. Entries of the maps are
 * compared as a set: their order does not matter. A null `offset` is kept as such. */
SLUICE_API void sluice_offsets_set(sluice_offsets *offsets,
                                   const sluice_value *partition,
                                   const sluice_value *offset);
/* The offset of `partition`, or NULL. Borrowed until `offsets` changes. */
SLUICE_API const sluice_value *sluice_offsets_find(const sluice_offsets *offsets,
                                                   const sluice_value *partition);
SLUICE_API const sluice_value *sluice_offsets_partition(const sluice_offsets *offsets,
                                                        size_t index);
SLUICE_API const sluice_value *sluice_offsets_offset(const sluice_offsets *offsets,
                                                     size_t index);

/* --- A sink's. --- */

/* Sets the next offset of a topic partition. -1 takes the entry out: nothing of this
 * partition is to be committed now. */
SLUICE_API void sluice_offsets_set_topic(sluice_offsets *offsets, const char *topic,
                                         int32_t partition, int64_t offset);
/* The next offset, or -1 where the topic partition is not in the map. */
SLUICE_API int64_t sluice_offsets_find_topic(const sluice_offsets *offsets,
                                             const char *topic, int32_t partition);
/* Entry `index`, below the count. `ret_topic` is borrowed until `offsets` changes. */
SLUICE_API void sluice_offsets_topic(const sluice_offsets *offsets, size_t index,
                                     const char **ret_topic, int32_t *ret_partition,
                                     int64_t *ret_offset);

#ifdef __cplusplus
}
#endif

#endif
