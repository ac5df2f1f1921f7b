/* How fast a change event becomes JSON and back: nanoseconds a record, megabytes a
 * second.
 *
 * usage: json [SECONDS]     one thread; prints a line per case, the median of five runs
 */
#include <sluice/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { runs = 5 };

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const sluice_schema *finish(sluice_schema_builder *builder)
{
    const sluice_schema *schema = NULL;
    if (sluice_schema_builder_finish(builder, &schema, NULL) != SLUICE_OK) {
        abort();
    }
    return schema;
}

static const sluice_schema *of(sluice_data_type type)
{
    return sluice_schema_of(type, true);
}

/* A row of six columns, as the table of the change-capture benchmark has them. */
static const sluice_schema *row_schema(sluice_arena *arena)
{
    sluice_schema_builder *row = sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(row, "bench.public.wide.Value");
    sluice_schema_builder_optional(row);
    sluice_schema_builder_field(row, "id", of(SLUICE_TYPE_INT64));
    sluice_schema_builder_field(row, "number", of(SLUICE_TYPE_INT64));
    sluice_schema_builder_field(row, "name", of(SLUICE_TYPE_STRING));
    sluice_schema_builder_field(row, "price", sluice_schema_decimal(arena, 2, true));
    sluice_schema_builder_field(row, "at",
                                sluice_schema_named(arena, SLUICE_TYPE_STRING,
                                                    "io.debezium.time.ZonedTimestamp",
                                                    true));
    sluice_schema_builder_field(row, "note", of(SLUICE_TYPE_STRING));
    return finish(row);
}

static const char *const source_texts[] = {"version", "connector", "name",   "snapshot",
                                           "db",      "sequence",  "schema", "table"};

static const sluice_schema *source_schema(sluice_arena *arena)
{
    sluice_schema_builder *source =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(source, "io.debezium.connector.postgresql.Source");
    for (size_t i = 0; i < sizeof source_texts / sizeof *source_texts; i++) {
        sluice_schema_builder_field(source, source_texts[i], of(SLUICE_TYPE_STRING));
    }
    sluice_schema_builder_field(source, "ts_ms", of(SLUICE_TYPE_INT64));
    sluice_schema_builder_field(source, "txId", of(SLUICE_TYPE_INT64));
    sluice_schema_builder_field(source, "lsn", of(SLUICE_TYPE_INT64));
    sluice_schema_builder_field(source, "xmin", of(SLUICE_TYPE_INT64));
    return finish(source);
}

static const sluice_schema *envelope_schema(sluice_arena *arena)
{
    const sluice_schema *row = row_schema(arena);
    sluice_schema_builder *envelope =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(envelope, "bench.public.wide.Envelope");
    sluice_schema_builder_field(envelope, "before", row);
    sluice_schema_builder_field(envelope, "after", row);
    sluice_schema_builder_field(envelope, "source", source_schema(arena));
    sluice_schema_builder_field(envelope, "op", of(SLUICE_TYPE_STRING));
    sluice_schema_builder_field(envelope, "ts_ms", of(SLUICE_TYPE_INT64));
    return finish(envelope);
}

static const sluice_value *row_value(sluice_arena *arena, const sluice_schema *schema)
{
    static const char unscaled[] = {0x01, (char)0xe2, 0x40};
    sluice_value *row = sluice_struct_new(arena, schema);
    sluice_struct_set(row, 0, sluice_int64(arena, 1234567));
    sluice_struct_set(row, 1, sluice_int64(arena, 987654321));
    sluice_struct_set(row, 2, sluice_text(arena, "a name of usual length"));
    sluice_struct_set(row, 3, sluice_binary(arena, unscaled, 3));
    sluice_struct_set(row, 4, sluice_text(arena, "2026-11-21T10:15:04.123456Z"));
    sluice_struct_set(row, 5,
                      sluice_text(arena, "forty characters of text, or a bit over."));
    return row;
}

static const sluice_value *event(sluice_arena *arena, const sluice_schema *schema)
{
    static const char *const texts[] = {"0.1.0",  "postgresql",
                                        "bench",  "false",
                                        "bench",  "[\"23456789\",\"23456999\"]",
                                        "public", "wide"};
    sluice_value *envelope = sluice_struct_new(arena, schema);
    sluice_value *source =
        sluice_struct_new(arena, sluice_schema_field_schema(schema, 2));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sluice_struct_set(source, i, sluice_text(arena, texts[i]));
    }
    sluice_struct_set(source, 8, sluice_int64(arena, 1763720104123));
    sluice_struct_set(source, 9, sluice_int64(arena, 751));
    sluice_struct_set(source, 10, sluice_int64(arena, 23456999));
    sluice_struct_set(envelope, 1,
                      row_value(arena, sluice_schema_field_schema(schema, 1)));
    sluice_struct_set(envelope, 2, source);
    sluice_struct_set(envelope, 3, sluice_text(arena, "c"));
    sluice_struct_set(envelope, 4, sluice_int64(arena, 1763720104130));
    return envelope;
}

typedef struct job {
    bool decode;
    sluice_json_encoder *encoder;
    sluice_json_decoder *decoder;
    const sluice_schema *schema;
    const sluice_value *value;
    sluice_bytes text;
} job;

static void once(job *self, sluice_arena *arena)
{
    sluice_bytes bytes;
    const sluice_schema *schema;
    const sluice_value *value;
    sluice_status status = self->decode
                               ? sluice_json_decode(self->decoder, self->text, arena,
                                                    &schema, &value, NULL)
                               : sluice_json_encode(self->encoder, self->schema,
                                                    self->value, arena, &bytes, NULL);
    if (status != SLUICE_OK) {
        abort();
    }
}

static double run_ns(job *self, double seconds)
{
    sluice_arena *arena = sluice_arena_new();
    long count = 0;
    double begin = now_s(), now = begin;
    while (now < begin + seconds) {
        for (int i = 0; i < 500; i++) {
            once(self, arena);
        }
        sluice_arena_reset(arena);
        count += 500;
        now = now_s();
    }
    sluice_arena_free(arena);
    return (now - begin) * 1e9 / (double)count;
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

static void report(const char *name, job *self, double seconds)
{
    double ns[runs];
    for (int i = 0; i < runs; i++) {
        ns[i] = run_ns(self, seconds / runs);
    }
    qsort(ns, runs, sizeof *ns, compare);
    printf("%-24s %5zu bytes %8.0f ns (%.0f to %.0f) %8.0f MB/s\n", name,
           self->text.len, ns[runs / 2], ns[0], ns[runs - 1],
           (double)self->text.len * 1e3 / ns[runs / 2]);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    sluice_arena *arena = sluice_arena_new();
    const sluice_schema *schema = envelope_schema(arena);
    for (int schemas = 0; schemas < 2; schemas++) {
        sluice_json_options options = {sizeof options, schemas, false, true, 100};
        job self = {.encoder = sluice_json_encoder_new(&options),
                    .decoder = sluice_json_decoder_new(&options),
                    .schema = schema,
                    .value = event(arena, schema)};
        if (sluice_json_encode(self.encoder, schema, self.value, arena, &self.text,
                               NULL) != SLUICE_OK) {
            return 1;
        }
        report(schemas ? "encode, with schemas" : "encode, without schemas", &self,
               seconds);
        self.decode = true;
        report(schemas ? "decode, with schemas" : "decode, without schemas", &self,
               seconds);
        sluice_json_encoder_free(self.encoder);
        sluice_json_decoder_free(self.decoder);
    }
    sluice_arena_free(arena);
    return 0;
}
