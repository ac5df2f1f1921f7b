/* sluice/record.h - records, their headers, and the batches they travel in.
 *
 * A batch owns an arena, in which everything of its records lives and with which it
 * dies: no record is made or freed by itself.
 *
 * Threads: whoever holds the batch. Memory: setters borrow what they are given, which
 * therefore lives in the batch's arena or longer; topics and header names are copied.
 */
#ifndef SLUICE_RECORD_H
#define SLUICE_RECORD_H

#include <sluice/offsets.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_batch sluice_batch;
typedef struct sluice_record sluice_record;
typedef struct sluice_headers sluice_headers;

enum { SLUICE_NO_PARTITION = -1, SLUICE_NO_TIMESTAMP = -1, SLUICE_NO_OFFSET = -1 };

typedef enum sluice_timestamp_type {
    SLUICE_TIMESTAMP_NONE = 0,
    SLUICE_TIMESTAMP_CREATE,
    SLUICE_TIMESTAMP_APPEND,
} sluice_timestamp_type;

/* --- Batches. --- */

SLUICE_API sluice_batch *sluice_batch_new(void);
SLUICE_API void sluice_batch_free(sluice_batch *batch); /* NULL is accepted. */
/* Takes all records out and gives their memory back. */
SLUICE_API void sluice_batch_reset(sluice_batch *batch);
SLUICE_API sluice_arena *sluice_batch_arena(sluice_batch *batch);
/* A new record at the end: no topic, no key, null value, no timestamp, no headers. The
 * pointer stays valid until the batch is reset or freed. */
SLUICE_API sluice_record *sluice_batch_add(sluice_batch *batch);
/* Takes the last record out, of a batch that has one: asserted. For whoever fills a
 * batch and finds that a record does not belong in it. */
SLUICE_API void sluice_batch_drop_last(sluice_batch *batch);
SLUICE_API size_t sluice_batch_count(const sluice_batch *batch);
SLUICE_API sluice_record *sluice_batch_record(const sluice_batch *batch, size_t index);

/* --- Records: both directions. --- */

/* The arena of its batch: where a transform makes the new parts. */
SLUICE_API sluice_arena *sluice_record_arena(const sluice_record *record);

SLUICE_API const char *sluice_record_topic(const sluice_record *record); /* Or NULL. */
SLUICE_API void sluice_record_set_topic(sluice_record *record, const char *topic);
/* The same without a copy, for a topic name that outlives the batch. */
SLUICE_API void sluice_record_set_topic_borrowed(sluice_record *record,
                                                 const char *topic);

/* SLUICE_NO_PARTITION: the producer chooses, by the key. */
SLUICE_API int32_t sluice_record_partition(const sluice_record *record);
SLUICE_API void sluice_record_set_partition(sluice_record *record, int32_t partition);

/* Milliseconds since the epoch. SLUICE_NO_TIMESTAMP: the time of production. */
SLUICE_API int64_t sluice_record_timestamp(const sluice_record *record);
SLUICE_API void sluice_record_set_timestamp(sluice_record *record,
                                            int64_t timestamp_ms);
/* The moment of whoever asks, and of production in the log: cheaper than a time for
 * each record, and as good where the time of reading is meant. */
SLUICE_API void sluice_record_set_timestamp_now(sluice_record *record);
SLUICE_API bool sluice_record_is_timestamp_now(const sluice_record *record);

/* A NULL schema says that the value has none. */
SLUICE_API const sluice_schema *sluice_record_key_schema(const sluice_record *record);
SLUICE_API const sluice_value *sluice_record_key(const sluice_record *record);
SLUICE_API void sluice_record_set_key(sluice_record *record,
                                      const sluice_schema *schema,
                                      const sluice_value *value);
SLUICE_API const sluice_schema *sluice_record_value_schema(const sluice_record *record);
SLUICE_API const sluice_value *sluice_record_value(const sluice_record *record);
SLUICE_API void sluice_record_set_value(sluice_record *record,
                                        const sluice_schema *schema,
                                        const sluice_value *value);

/* Its headers, made at the first call. */
SLUICE_API sluice_headers *sluice_record_headers(sluice_record *record);
/* Its headers, or NULL where it has none: for readers. */
SLUICE_API const sluice_headers *
sluice_record_headers_or_null(const sluice_record *record);
/* Gives it the headers of another record of its batch, which is cheaper than adding the
 * same ones again. What either gains or loses later is its own. */
SLUICE_API void sluice_record_repeat_headers(sluice_record *record,
                                             sluice_headers *headers);

/* --- Records from a source. --- */

/* Where it came from, and the position behind it. Both are maps without a schema, both
 * borrowed; records may share them. NULL for a record without a position. A record with
 * a position and without a topic only tells that position: nothing is sent, and the
 * position is stored once all before it is. So a source says how far it is although
 * nothing there was worth a record. */
SLUICE_API void sluice_record_set_source(sluice_record *record,
                                         const sluice_value *partition,
                                         const sluice_value *offset);
SLUICE_API const sluice_value *
sluice_record_source_partition(const sluice_record *record);
SLUICE_API const sluice_value *sluice_record_source_offset(const sluice_record *record);

/* --- Records for a sink. --- */

/* The offset in its topic partition; SLUICE_NO_OFFSET for a record from a source. */
SLUICE_API int64_t sluice_record_offset(const sluice_record *record);
SLUICE_API sluice_timestamp_type
sluice_record_timestamp_type(const sluice_record *record);
/* Where it really was, whatever transforms did to topic and partition (KIP-793). */
SLUICE_API const char *sluice_record_original_topic(const sluice_record *record);
SLUICE_API int32_t sluice_record_original_partition(const sluice_record *record);
/* For the worker and for tests: where a record was consumed. Sets topic and partition
 * too, which transforms may change. `topic` is borrowed. */
SLUICE_API void sluice_record_set_consumed(sluice_record *record, const char *topic,
                                           int32_t partition, int64_t offset,
                                           int64_t timestamp_ms,
                                           sluice_timestamp_type type);

/* --- Headers: an ordered list in which a name may be there more than once. --- */

SLUICE_API size_t sluice_headers_count(const sluice_headers *headers); /* 0 for NULL. */
SLUICE_API const char *sluice_headers_name(const sluice_headers *headers, size_t index);
SLUICE_API const sluice_schema *sluice_headers_schema(const sluice_headers *headers,
                                                      size_t index);
SLUICE_API const sluice_value *sluice_headers_value(const sluice_headers *headers,
                                                    size_t index);
/* Adds one at the end. `name` is copied, the rest borrowed. */
SLUICE_API void sluice_headers_add(sluice_headers *headers, const char *name,
                                   const sluice_schema *schema,
                                   const sluice_value *value);
/* The index of the last header `name`, or -1. */
SLUICE_API int sluice_headers_find(const sluice_headers *headers, const char *name);
/* Takes out every header `name`; returns how many there were. */
SLUICE_API size_t sluice_headers_remove(sluice_headers *headers, const char *name);

#ifdef __cplusplus
}
#endif

#endif
