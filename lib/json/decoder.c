/* The decoder: envelopes, and the schemas in them, each read once. */
#include "base/map.h"
#include "base/memory.h"
#include "json/typed.h"
#include <stdlib.h>
#include <string.h>

enum { schemas_min = 1024 }; /* More than the schemas of a batch of usual size. */

typedef struct known_schema {
    sluice_arena *arena;
    const sluice_schema *schema;
    sluice_bytes text; /* In `arena`. */
} known_schema;

/* Schemas by their text, in two generations: what was not asked for while the young one
 * filled up is forgotten, so that a schema outlives the batch it was read for. */
struct sluice_json_decoder {
    sluice_json_options options;
    map young, old;
    size_t schemas_max;
    const known_schema *last; /* Most records have the schema of the one before. */
};

sluice_json_decoder *sluice_json_decoder_new(const sluice_json_options *options)
{
    sluice_json_decoder *decoder = memory_zero(sizeof *decoder);
    decoder->options = *options;
    decoder->schemas_max =
        options->schemas_max > schemas_min ? (size_t)options->schemas_max : schemas_min;
    map_init(&decoder->young);
    map_init(&decoder->old);
    return decoder;
}

static void forget(map *schemas)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(schemas, &at)) != NULL;) {
        known_schema *dead = entry->value;
        sluice_arena_free(dead->arena);
        free(dead);
    }
    map_done(schemas);
    map_init(schemas);
}

void sluice_json_decoder_free(sluice_json_decoder *decoder)
{
    if (decoder != NULL) {
        forget(&decoder->young);
        forget(&decoder->old);
        map_done(&decoder->young);
        map_done(&decoder->old);
        free(decoder);
    }
}

static void remember(sluice_json_decoder *decoder, sluice_bytes text,
                     known_schema *known)
{
    if (map_count(&decoder->young) >= decoder->schemas_max) {
        forget(&decoder->old); /* `last` is a young one. */
        decoder->old = decoder->young;
        map_init(&decoder->young);
    }
    map_put(&decoder->young, text.base, text.len, known);
}

static sluice_status schema_of(sluice_json_decoder *decoder, sluice_bytes text,
                               const sluice_schema **ret_schema, sluice_error *err)
{
    known_schema *known = map_get(&decoder->young, text.base, text.len);
    if (known != NULL) {
        decoder->last = known;
        *ret_schema = known->schema;
        return SLUICE_OK;
    }
    known = map_remove(&decoder->old, text.base, text.len);
    if (known == NULL) {
        known = memory_zero(sizeof *known);
        known->arena = sluice_arena_new();
        sluice_status status =
            json_parse_schema(text, known->arena, &known->schema, err);
        if (status != SLUICE_OK) {
            sluice_arena_free(known->arena);
            free(known);
            return status;
        }
        known->text.base = sluice_arena_copy(known->arena, text.base, text.len);
        known->text.len = text.len;
    }
    decoder->last = NULL;
    remember(decoder, text, known);
    decoder->last = known;
    *ret_schema = known->schema;
    return SLUICE_OK;
}

/* Where the two parts of an envelope are. */
typedef struct envelope {
    sluice_bytes schema, payload; /* base NULL: not there. */
} envelope;

static sluice_status no_envelope(sluice_error *err)
{
    return sluice_fail(
        err, SLUICE_BAD_RECORD,
        "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields "
        "and "
        "may not contain additional fields. If you are trying to deserialize plain "
        "JSON "
        "data, set schemas.enable=false in your converter configuration.");
}

static bool name_is(sluice_bytes name, const char *text)
{
    return name.len == strlen(text) && memcmp(name.base, text, name.len) == 0;
}

/* What is behind the first value is passed over, but must not touch a number. */
static bool ends(json_scanner *scanner)
{
    char last = scanner->at[-1];
    bool number = last >= '0' && last <= '9';
    return !number || scanner->at == scanner->end ||
           strchr(" \t\r\n", *scanner->at) != NULL ||
           json_refuse(scanner, "Expected space separating root-level values");
}

/* Splits an envelope; a fault of the text is told, anything but two parts is not one.
 */
static sluice_status split(json_scanner *scanner, envelope *ret_envelope)
{
    bool more, other = false;
    sluice_bytes name;
    json_token token = json_peek(scanner);
    if (token == JSON_BAD) {
        return SLUICE_BAD_RECORD;
    }
    if (token != JSON_OBJECT) {
        return token == JSON_END || (json_skip(scanner, 0) && ends(scanner))
                   ? no_envelope(scanner->err)
                   : SLUICE_BAD_RECORD;
    }
    json_open(scanner, &more);
    while (more) {
        if (!json_take_name(scanner, &name)) {
            return SLUICE_BAD_RECORD;
        }
        json_peek(scanner);
        const char *from = scanner->at;
        if (!json_skip(scanner, 1)) {
            return SLUICE_BAD_RECORD;
        }
        sluice_bytes part = {from, (size_t)(scanner->at - from)};
        if (name_is(name, "schema")) {
            ret_envelope->schema = part;
        } else if (name_is(name, "payload")) {
            ret_envelope->payload = part;
        } else {
            other = true;
        }
        if (!json_next(scanner, '}', &more)) {
            return SLUICE_BAD_RECORD;
        }
    }
    bool whole = ret_envelope->schema.base != NULL &&
                 ret_envelope->payload.base != NULL && !other;
    return whole ? SLUICE_OK : no_envelope(scanner->err);
}

static sluice_status decode_envelope(sluice_json_decoder *decoder,
                                     json_scanner *scanner,
                                     const sluice_schema **ret_schema,
                                     const sluice_value **ret_value)
{
    envelope parts = {{NULL, 0}, {NULL, 0}};
    sluice_status status = split(scanner, &parts);
    if (status == SLUICE_OK) {
        status = schema_of(decoder, parts.schema, ret_schema, scanner->err);
    }
    if (status != SLUICE_OK) {
        return status;
    }
    scanner->at = parts.payload.base;
    bool good = *ret_schema == NULL
                    ? json_plain_value(scanner, 1, ret_value)
                    : json_typed_value(scanner, *ret_schema,
                                       decoder->options.default_for_null, 1, ret_value);
    return good ? SLUICE_OK : SLUICE_BAD_RECORD;
}

static bool take_exactly(json_scanner *scanner, const char *text, size_t len)
{
    if ((size_t)(scanner->end - scanner->at) < len ||
        memcmp(scanner->at, text, len) != 0) {
        return false;
    }
    scanner->at += len;
    return true;
}

/* Whether `bytes` is an envelope as converters write them, with the schema of the
 * record before: then the schema is compared only, and the payload read in one go.
 * Anything else is left to decode_envelope(), faults too. */
static bool decode_usual(const sluice_json_decoder *decoder, json_scanner scanner,
                         const sluice_schema **ret_schema,
                         const sluice_value **ret_value)
{
    static const char BEGIN[] = "{\"schema\":", BETWEEN[] = ",\"payload\":";
    const known_schema *last = decoder->last;
    bool has_more = true;
    scanner.err = NULL;
    if (last == NULL || last->schema == NULL ||
        !take_exactly(&scanner, BEGIN, sizeof BEGIN - 1) ||
        !take_exactly(&scanner, last->text.base, last->text.len) ||
        !take_exactly(&scanner, BETWEEN, sizeof BETWEEN - 1) ||
        !json_typed_value(&scanner, last->schema, decoder->options.default_for_null, 1,
                          ret_value) ||
        !json_next(&scanner, '}', &has_more) || has_more) {
        *ret_value = NULL;
        return false;
    }
    *ret_schema = last->schema;
    return true;
}

/* A mark that says UTF-8 is no part of the text. */
static void skip_mark(json_scanner *scanner)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (scanner->end - scanner->at >= 3 && memcmp(scanner->at, mark, 3) == 0) {
        scanner->at += 3;
    }
}

sluice_status sluice_json_decode(sluice_json_decoder *decoder, sluice_bytes bytes,
                                 sluice_arena *arena, const sluice_schema **ret_schema,
                                 const sluice_value **ret_value, sluice_error *err)
{
    *ret_schema = NULL;
    *ret_value = NULL;
    if (bytes.base == NULL || (bytes.len == 0 && !decoder->options.schemas)) {
        return SLUICE_OK;
    }
    json_scanner scanner = {.begin = bytes.base,
                            .at = bytes.base,
                            .end = (const char *)bytes.base + bytes.len,
                            .arena = arena,
                            .err = err};
    skip_mark(&scanner);
    if (decoder->options.schemas) {
        if (decode_usual(decoder, scanner, ret_schema, ret_value)) {
            return SLUICE_OK;
        }
        return decode_envelope(decoder, &scanner, ret_schema, ret_value);
    }
    /* Nothing but white space is the null value, as in Java. */
    return json_peek(&scanner) == JSON_END ||
                   (json_plain_value(&scanner, 0, ret_value) && ends(&scanner))
               ? SLUICE_OK
               : SLUICE_BAD_RECORD;
}
