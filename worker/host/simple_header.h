/* worker/host/simple_header.h - headers as texts, where no plugin converts them.
 *
 * What Kafka Connect's SimpleHeaderConverter writes: strings as they are, numbers and
 * booleans in decimal, bytes in base64, lists as [1,"a"], maps and structs as
 * {"k":1}; dates in UTC. What is read is what header_text.h makes of it; what is no
 * UTF-8 is BYTES, where Kafka Connect makes a damaged string of it.
 *
 * Threads: any. Memory: results live in `arena`, or where `bytes` do. */
#ifndef SLUICE_WORKER_HOST_SIMPLE_HEADER_H
#define SLUICE_WORKER_HOST_SIMPLE_HEADER_H

#include <sluice/value.h>

/* BAD_RECORD for what is nested more than 100 deep. */
sluice_status simple_header_encode(const sluice_schema *schema,
                                   const sluice_value *value, sluice_arena *arena,
                                   sluice_bytes *ret_bytes, sluice_error *err);

sluice_status simple_header_decode(sluice_bytes bytes, sluice_arena *arena,
                                   const sluice_schema **ret_schema,
                                   const sluice_value **ret_value, sluice_error *err);

#endif
