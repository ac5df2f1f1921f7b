/* broker/topic/metadata_log.h - what the broker knows of itself, as a log of records.
 *
 * The log is a partition like any other, `__cluster_metadata-0`, and its records are
 * those of Kafka's KRaft metadata, so that its tools can dump them. What is appended is
 * on disk when the append returns.
 *
 * Threads: one at a time; the caller's lock. */
#ifndef SLUICE_BROKER_TOPIC_METADATA_LOG_H
#define SLUICE_BROKER_TOPIC_METADATA_LOG_H

#include "broker/log/log_dir.h"
#include "protocol/messages.h"

#define METADATA_TOPIC "__cluster_metadata"

typedef struct metadata_log metadata_log;

sluice_status metadata_log_open(log_dir *dir, metadata_log **ret_log,
                                sluice_error *err);
void metadata_log_close(metadata_log *self); /* NULL is accepted. */

/* Calls `apply` with each stored record in order: its type and its value, the C struct
 * of that type, borrowed for the call. Types that are not defined are passed over.
 * A status other than SLUICE_OK ends it. */
typedef sluice_status metadata_apply(void *context, record_type type,
                                     const void *record, sluice_error *err);
sluice_status metadata_log_replay(metadata_log *self, metadata_apply *apply,
                                  void *context, sluice_error *err);

/* Collects records; metadata_log_commit() appends them as one batch, all or none. */
void metadata_log_add(metadata_log *self, record_type type, const void *record);
sluice_status metadata_log_commit(metadata_log *self, sluice_error *err);

/* As metadata_log_commit(), and what was added is the whole log from then on: all that
 * was before is deleted. */
sluice_status metadata_log_replace(metadata_log *self, sluice_error *err);

/* Records in the log, known after the replay. */
size_t metadata_log_record_count(const metadata_log *self);

/* The offset behind the last record, and the epoch of the log. Any thread. */
int64_t metadata_log_end(const metadata_log *self, int32_t *ret_leader_epoch);

#endif
