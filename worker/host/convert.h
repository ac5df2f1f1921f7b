/* worker/host/convert.h - a task's converters: records to bytes and back.
 *
 * Key, value and headers each have theirs: the connector's, where its configuration
 * names one, else the worker's.
 *
 * Threads: one, from create to free. */
#ifndef SLUICE_WORKER_HOST_CONVERT_H
#define SLUICE_WORKER_HOST_CONVERT_H

#include "worker/host/errors.h"
#include "worker/host/kafka_client.h"
#include "worker/host/plugins.h"
#include <sluice/config.h>

typedef struct converters converters;

/* BAD_CONFIG with what is wrong; whatever a plugin's create returns. */
sluice_status converters_new(const sluice_props *connector, const sluice_props *worker,
                             plugin_set *plugins, converters **ret_converters,
                             sluice_error *err);
void converters_free(converters *self); /* NULL is accepted. */

/* A batch begins: nothing of earlier ones is there any more. */
void converters_begin(converters *self);

/* Fills key, value and headers of `message` with bytes in the record's arena.
 * `*ret_keep` false: it could not be converted and is tolerated. FATAL: it could not,
 * and that is not tolerated. */
sluice_status converters_encode(converters *self, error_policy *errors,
                                sluice_record *record, kafka_message *message,
                                bool *ret_keep, sluice_error *err);

/* Fills key, value and headers of `record` from what was consumed. */
sluice_status converters_decode(converters *self, error_policy *errors,
                                const kafka_consumed *consumed, sluice_record *record,
                                bool *ret_keep, sluice_error *err);

#endif
