/* sluice/json.h - values as JSON and back, the way Kafka Connect's JsonConverter does
 * it.
 *
 * An encoder compiles every schema once: field names escaped, order fixed, branches
 * resolved, the schema's own text ready to be copied. A decoder reads text into values
 * without a document between. Both are for the record path.
 *
 * Threads: one at a time. */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include <sluice/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_json_encoder sluice_json_encoder;
typedef struct sluice_json_decoder sluice_json_decoder;

/* JsonConverter's settings, with its names. */
typedef struct sluice_json_options {
    size_t size;           /* sizeof(sluice_json_options) */
    bool schemas;          /* schemas.enable: {"schema":…,"payload":…} */
    bool numeric_decimals; /* decimal.format=NUMERIC: 1.50, else base64 of the bytes. */
    bool default_for_null; /* replace.null.with.default */
    int32_t schemas_max;   /* schemas.cache.size: compiled or parsed schemas kept. */
} sluice_json_options;

SLUICE_API sluice_json_encoder *
sluice_json_encoder_new(const sluice_json_options *options);
SLUICE_API void sluice_json_encoder_free(sluice_json_encoder *encoder); /* NULL too. */

/* `value` as JSON in `arena`, without spaces, in UTF-8. A null schema and value give
 * `ret_bytes->base` NULL, a tombstone; every other null is the text `null`.
 * SLUICE_BAD_RECORD with Kafka Connect's text for a null where the schema requires a
 * value, a value of another type, and with ours for text that is not UTF-8. */
SLUICE_API sluice_status sluice_json_encode(sluice_json_encoder *encoder,
                                            const sluice_schema *schema,
                                            const sluice_value *value,
                                            sluice_arena *arena,
                                            sluice_bytes *ret_bytes, sluice_error *err);

SLUICE_API sluice_json_decoder *
sluice_json_decoder_new(const sluice_json_options *options);
SLUICE_API void sluice_json_decoder_free(sluice_json_decoder *decoder); /* NULL too. */

/* The value of `bytes`, in `arena`; texts without escapes point into `bytes`. The
 * schema (NULL: none) belongs to the decoder and lives until as many others as
 * `schemas_max` have been read, at least until the next batch. SLUICE_BAD_RECORD says
 * where the text is not JSON, or what does not fit the schema. Nesting is limited to
 * 1000 levels. */
SLUICE_API sluice_status sluice_json_decode(sluice_json_decoder *decoder,
                                            sluice_bytes bytes, sluice_arena *arena,
                                            const sluice_schema **ret_schema,
                                            const sluice_value **ret_value,
                                            sluice_error *err);

#ifdef __cplusplus
}
#endif

#endif
